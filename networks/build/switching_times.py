"""Plans by time of day: SUMO's switching times (WAUT) between the signal programs of a place.

A signal changes its program at the start of a cycle, with the first stage's green (procedure GSP, whose "good
switching point" is the begin of the program by default), so that no signal jumps from green to red; one longer green
then brings the signal to its offset (``synchron``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from denxanh.networks.build.plain_xml import document as xml_document
from denxanh.networks.build.plain_xml import element, logic
from denxanh.networks.build.signal_programs import Program
from denxanh.networks.place.place import Switch

WAUT = "plans"  # id of the one table of switching times, used by all signals


def document(switches: Sequence[Switch], programs: Mapping[str, Sequence[Program]]) -> str:
    """Return the additional file that switches all signals to each plan at its time.

    ``programs`` has the programs of each plan by plan name; those of the first plan are in the network file.
    """
    first, *later = switches
    lines = [
        line
        for plan, plan_programs in programs.items()
        if plan != first.plan.name
        for program in plan_programs
        for line in logic(program)
    ]
    lines.append(f'<WAUT id="{WAUT}" refTime="0" startProg="{first.plan.name}">')
    lines += [f'    <wautSwitch time="{s.at:g}" to="{s.plan.name}"/>' for s in later]
    lines.append("</WAUT>")
    lines += [
        element("wautJunction", wautID=WAUT, junctionID=p.signal, procedure="GSP", synchron="true")
        for p in programs[first.plan.name]
    ]
    return xml_document("additional", lines)
