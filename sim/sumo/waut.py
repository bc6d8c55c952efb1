"""Switching times (SUMO's WAUT): which of its programs a signal runs when a simulation begins, and until when."""

from __future__ import annotations

from typing import NamedTuple
from xml.etree.ElementTree import Element

from denxanh.sim.sumo.netfile import seconds


class Switched(NamedTuple):
    """What switching times say of a signal: its program at the begin, and whether another follows before the end."""

    program: str
    changes: bool


def programs_at(root: Element, begin: float, end: float, location: str) -> dict[str, Switched]:
    """Program by signal at ``begin`` (s) as the WAUTs of an additional file say, for the signals they name.

    SUMO takes the last switch that is not after the begin, else the WAUT's ``startProg``; the switches stand
    in time order and count from ``refTime``.
    """
    current = {}
    for waut in root.findall("WAUT"):
        spot = f"{location}: WAUT {waut.get('id', '')!r}"
        reference = seconds(waut.get("refTime", "0"), f"{spot}, refTime")
        program, later = waut.get("startProg", ""), set()
        for switch in waut.findall("wautSwitch"):
            time = reference + seconds(switch.get("time", ""), f"{spot}, time")
            if time <= begin:
                program = switch.get("to", "")
            elif time < end:
                later.add(switch.get("to", ""))
        current[waut.get("id")] = Switched(program, bool(later - {program}))
    return {
        junction.get("junctionID", ""): current[junction.get("wautID")]
        for junction in root.findall("wautJunction")
        if junction.get("wautID") in current and current[junction.get("wautID")].program
    }
