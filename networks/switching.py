"""Plans by time of day: SUMO's switching times (WAUT) between the programs of a place's signals.

Every switch waits until a cycle begins with the first stage's green (SUMO's procedure GSP, whose "good switching
point" is the begin of the program unless a parameter says otherwise), so that no signal jumps from green to red; one
longer green then brings the signal to its offset (``synchron``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from networks.place import Switch
from networks.plain_xml import document, element, logic
from networks.signals import Program

WAUT = "plans"  # id of the only table of switching times; all signals follow it


def document_of(switches: Sequence[Switch], programs: Mapping[str, Sequence[Program]]) -> str:
    """Return the additional file that switches all signals to each plan at its time.

    ``programs`` has the programs of each plan by its name; those of the first stand in the net.
    """
    first, *later = switches
    lines = [
        line
        for plan, of_plan in programs.items()
        if plan != first.plan.name
        for program in of_plan
        for line in logic(program)
    ]
    lines.append(f'<WAUT id="{WAUT}" refTime="0" startProg="{first.plan.name}">')
    lines += [f'    <wautSwitch time="{s.at:g}" to="{s.plan.name}"/>' for s in later]
    lines.append("</WAUT>")
    lines += [
        element("wautJunction", wautID=WAUT, junctionID=p.signal, procedure="GSP", synchron="true")
        for p in programs[first.plan.name]
    ]
    return document("additional", lines)
