"""The timings of all signals before and after, side by side as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from denxanh.experiments.report.text_format import html_table
from denxanh.sim.language.text import Text, joined, number, same
from denxanh.sim.network import Network
from denxanh.sim.plan import Timing


def timing_rows(
    network: Network, sides: Sequence[tuple[Text, Mapping[str, Timing]]]
) -> list[tuple[Text, ...]]:
    """A row per signal that showed a plan under any controller: its name, then cycle, offset and greens of each."""
    rows = []
    for number_of, (name, intersection) in enumerate(network.intersections.items(), 1):
        if not any(name in timings for _, timings in sides):
            continue
        cells = [same(f"{number_of} {intersection.name}")]
        for _, timings in sides:
            cells += _cells(timings.get(name))
        rows.append(tuple(cells))
    return rows


def timing_table(network: Network, sides: Sequence[tuple[Text, Mapping[str, Timing]]]) -> Markup | None:
    """The table; None where no signal showed a plan."""
    rows = timing_rows(network, sides)
    if not rows:
        return None
    heads = [Text("Intersection", "Nút giao")]
    for label, _ in sides:
        heads += [
            label + Text(": cycle, s", ": chu kỳ, s"),
            Text("offset, s", "độ lệch, s"),
            Text("greens, s", "các pha xanh, s"),
        ]
    return html_table(heads, rows)


def _cells(timing: Timing | None) -> list[Text]:
    if timing is None:
        return [Text("no fixed plan", "không cố định"), same("–"), same("–")]
    return [
        _seconds(timing.cycle),
        _seconds(timing.offset % timing.cycle),
        joined([_seconds(stage.green) for stage in timing.stages], " + "),
    ]


def _seconds(value: float) -> Text:
    return number(value, 0 if float(value).is_integer() else 1)
