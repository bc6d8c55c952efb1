"""Plans of an imported net: netconvert's guesses, mended where the cycle is absurd."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from networks.osm.report import Guesses

LONGEST = 180.0  # s; reported Vietnamese cycles are 140–220 s, at junctions with plans made by hand
WANTED = 120.0  # s, of a cycle that is mended
LEAST_GREEN = 8.0  # s
LEAST_YELLOW = 3.0  # s


def mend(net: ET.Element, guesses: Guesses) -> None:
    """Shorten the greens of every program whose cycle is above ``LONGEST``; name what cannot be mended."""
    for program in net.iterfind("tlLogic"):
        guesses.count("signal plans guessed by netconvert")
        phases = program.findall("phase")
        greens = [p for p in phases if "y" not in p.get("state", "") and set(p.get("state", "")) & set("Gg")]
        cycle = sum(float(p.get("duration", "0")) for p in phases)
        if cycle <= LONGEST or not greens:
            continue
        fixed = cycle - sum(float(p.get("duration", "0")) for p in greens)
        factor = max(WANTED - fixed, 0) / (cycle - fixed)
        for phase in greens:
            phase.set("duration", f"{max(round(float(phase.get('duration', '0')) * factor), LEAST_GREEN):g}")
        now = sum(float(p.get("duration", "0")) for p in phases)
        guesses.find(
            f"Signal '{program.get('id')}' had a cycle of {cycle:g} s in {len(greens)} stages, now {now:g} s:"
            " several junctions were joined into one; a plan by hand would be better."
        )
