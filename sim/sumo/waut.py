"""Switching times (SUMO's WAUT): which of its programs a signal runs when a simulation begins."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from denxanh.sim.sumo.netfile import seconds


def programs_at(root: Element, begin: float, location: str) -> dict[str, str]:
    """Program by signal at ``begin`` (s) as the WAUTs of an additional file say, for the signals they name.

    SUMO takes the last switch that is not after the begin, else the WAUT's ``startProg``; the switches stand
    in time order and count from ``refTime``.
    """
    current = {}
    for waut in root.findall("WAUT"):
        spot = f"{location}: WAUT {waut.get('id', '')!r}"
        reference = seconds(waut.get("refTime", "0"), f"{spot}, refTime")
        program = waut.get("startProg", "")
        for switch in waut.findall("wautSwitch"):
            if reference + seconds(switch.get("time", ""), f"{spot}, time") <= begin:
                program = switch.get("to", "")
        current[waut.get("id")] = program
    return {
        junction.get("junctionID", ""): current[junction.get("wautID")]
        for junction in root.findall("wautJunction")
        if current.get(junction.get("wautID"))
    }
