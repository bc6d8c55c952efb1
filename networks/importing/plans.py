"""Plans of an imported net: netconvert's guesses, mended where the cycle is absurd or two streams have right of way."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

from networks.importing.report import Guesses
from sim.sumonet import load_network
from sim.text import Text

LONGEST = 180.0  # s; reported Vietnamese cycles are 140–220 s, at junctions with plans made by hand
WANTED = 120.0  # s, of a cycle that is mended
LEAST_GREEN = 8.0  # s


def mend(net: ET.Element, guesses: Guesses) -> None:
    """Shorten the greens of every program whose cycle is above ``LONGEST``; name what cannot be mended."""
    for program in net.iterfind("tlLogic"):
        guesses.count(
            Text("signal plans guessed by netconvert", "phương án tín hiệu do netconvert tự tạo (phỏng đoán)")
        )
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
        id = program.get("id", "")
        guesses.find(
            Text(
                f"Signal '{id}' had a cycle of {cycle:g} s in {len(greens)} stages, now {now:g} s:"
                " several junctions were joined into one; a plan by hand would be better.",
                f"Đèn '{id}' có chu kỳ {cycle:g} s với {len(greens)} pha, nay còn {now:g} s:"
                " nhiều nút bị gộp làm một; nên lập phương án thủ công.",
            )
        )


def yield_in_greens(net: ET.Element, path: Path, guesses: Guesses) -> bool:
    """Let one of two crossing streams give way where a state lets both go first; return whether any did.

    ``path`` is where ``net`` is written. netconvert leaves such pairs in joined junctions; the one that the
    junction's own right of way puts second gets ``g``.
    """
    states: dict[tuple[str, str], str] = {}
    for signal in load_network(path).intersections.values():
        for phase in signal.phases:
            letters = list(phase.state)
            for a in range(signal.n_links):
                first = [b for b in range(signal.n_links) if signal.foes[a, b] and letters[b] == "G"]
                if letters[a] == "G" and any(signal.yields[a, b] for b in first):
                    letters[a] = "g"
            if (state := "".join(letters)) != phase.state:
                states[signal.id, phase.state] = state
                changed = sum(x != y for x, y in zip(state, phase.state, strict=True))
                guesses.count(
                    Text(
                        "greens that crossed another with right of way, now giving way",
                        "tín hiệu xanh ưu tiên (G) xung đột với một luồng cũng G, nay chuyển thành phải nhường (g)",
                    ),
                    changed,
                )
    for program in net.iterfind("tlLogic"):
        for row in program.iterfind("phase"):
            key = (program.get("id", ""), row.get("state", ""))
            row.set("state", states.get(key, key[1]))
    return bool(states)
