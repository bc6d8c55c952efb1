"""The optimizers' results as Markdown, with the goals checked."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from optimizers_book import Book

HELD_OUT = (101, 102, 103, 104, 105)
TITLES = {
    "own": "existing plan",
    "conventional": "conventional plan",
    "actuated": "SUMO actuated",
    "adapted": "tlsCycleAdaptation",
    "coordinated": "with tlsCoordinator",
    "webster": "Webster",
    "kept": "optimised, turns kept",
    "dropped": "optimised",
    "tuned": "optimised, actuated",
}
GRIDLOCKED = 0.1  # of the vehicles have not finished under the best plan of all: then nothing flows
BELOW_TOOLS = 0.30
SAME_GAIN = 5.0  # percentage points
GOALS = {"cologne1": 23.5, "cologne3": 19.5, "ingolstadt1": 19.5, "grid4x4": 48.0, "arterial4x4": 730.0}

Costs = dict[str, tuple[float, float]]
"""Mean delay (s/veh) on the seen and on the unseen demand, by row."""


def table(book: Book, names: Sequence[str]) -> str:
    """Delays on seen and unseen demand, gains, goals."""
    known = [name for name in names if name in book.networks and _costs(book, name)]
    blocks = []
    for day, title in enumerate(("Demand as seen", "Other days")):
        lines = [
            f"**{title}** (s/veh, mean of seeds 101–105)\n",
            "| network | signals | X | " + " | ".join(TITLES.values()) + " |",
        ]
        lines.append("|---" * (3 + len(TITLES)) + "|")
        for name in known:
            costs, about = _costs(book, name), book.networks[name]
            cells = [f"{costs[row][day]:.1f}" if row in costs else _why(book, name, row) for row in TITLES]
            lines.append(
                f"| {name} | {about['signals']} | {about['saturation']:.2f} | " + " | ".join(cells) + " |"
            )
        blocks.append("\n".join(lines))
    blocks.append(_gains(book, known))
    blocks.append(_settings(book, known))
    return "\n\n".join(blocks)


def _costs(book: Book, name: str) -> Costs:
    out = {}
    for row in TITLES:
        program = book.program(name, row)
        if program is None or program.failed:
            continue
        runs = [[book.runs.get((name, program.digest, day, seed)) for seed in HELD_OUT] for day in (0, 1)]
        if all(run is not None for day in runs for run in day):
            seen, unseen = (fmean(run[0] for run in day if run is not None) for day in runs)
            out[row] = (seen, unseen)
    return out


def _gridlocked(book: Book, name: str, costs: Costs) -> bool:
    """Whether even the best plan leaves many vehicles on their way."""
    best = min(costs, key=lambda row: costs[row][0])
    program = book.program(name, best)
    assert program is not None
    return fmean(book.runs[name, program.digest, 0, seed][1] for seed in HELD_OUT) > GRIDLOCKED


def _why(book: Book, name: str, row: str) -> str:
    program = book.program(name, row)
    return "fails" if program is not None and program.failed else "–"


def _gains(book: Book, names: Sequence[str]) -> str:
    lines = [
        "**Gain over the existing plan** (%, demand as seen / other days), and the goals: ≥ 30 % below the best "
        "swept tool, not above the existing plan, below actuated, gains within 5 points, the figure aimed at\n",
        "| network | turns kept | may be dropped | below best tool | ≤ own | < actuated | within 5 | figure |",
        "|---" * 8 + "|",
    ]
    for name in names:
        costs = _costs(book, name)
        if not {"own", "kept", "dropped"} <= set(costs):
            continue
        gains = {row: [100 * (1 - costs[row][d] / costs["own"][d]) for d in (0, 1)] for row in costs}
        tools = [costs[row][0] for row in ("adapted", "coordinated") if row in costs]
        below = [1 - costs[row][0] / min(tools) if tools else 1.0 for row in ("kept", "dropped")]
        jam = _gridlocked(book, name, costs)
        cells = [f"{gains[row][0]:.0f} / {gains[row][1]:.0f}" for row in ("kept", "dropped")]
        cells.append(
            f"{100 * below[0]:.0f}, {100 * below[1]:.0f}"
            + (" (gridlocked)" if jam else _tick(below[1] >= BELOW_TOOLS))
            if tools
            else "tools fail"
        )
        both = ("kept", "dropped")
        cells.append(_ticks(costs[row][d] <= costs["own"][d] for row in both for d in (0, 1)))
        three = [row for row in (*both, "tuned") if row in costs]
        cells.append(
            _ticks(costs[row][0] < costs["actuated"][0] for row in three) if "actuated" in costs else "–"
        )
        cells.append(_ticks(abs(gains[row][0] - gains[row][1]) <= SAME_GAIN for row in both))
        goal = GOALS.get(name)
        cells.append(f"{goal:g}{_tick(costs['dropped'][0] <= goal)}" if goal else "")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _settings(book: Book, names: Sequence[str]) -> str:
    lines = [
        "**Settings chosen and what they cost**\n",
        "| network | vehicles | tlsCycleAdaptation | tlsCoordinator | turns kept | may be dropped | actuated |",
        "|---" * 7 + "|",
    ]
    for name in names:
        cells = []
        for row in ("adapted", "coordinated", "kept", "dropped", "tuned"):
            program = book.program(name, row)
            text = program.note if program else "–"
            if program and row in ("kept", "dropped", "tuned"):
                text += f", {program.cpu:.0f} CPU s, {program.runs} runs"
            cells.append(text)
        lines.append(f"| {name} | {book.networks[name]['vehicles']} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _ticks(values: object) -> str:
    return "".join(_tick(bool(value)) for value in values)  # type: ignore[attr-defined]


def _tick(value: bool) -> str:
    return " ✓" if value else " ✗"
