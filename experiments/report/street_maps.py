"""Maps of one scenario: delay by street for each controller, and its difference to the baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from denxanh.experiments.report.charts import colour_bar
from denxanh.experiments.report.drawing.colour import diverging, sequential
from denxanh.experiments.report.drawing.maps import network_map
from denxanh.experiments.report.figures import Figure, FigureInputs, round_up
from denxanh.sim.language.text import Text, number, same, unit
from denxanh.sim.network import Edge


def map_figures(inputs: FigureInputs) -> tuple[Markup | None, list[Figure], Markup | None, list[Figure]]:
    """Delay by street: the colour scale and a map per controller; the scale and a map per difference."""
    network = inputs.scenario.network
    if network is None or not inputs.edge_totals:
        return None, [], None, []
    delays = {name: s.delay() for name, s in inputs.edge_totals.items()}
    top, more = _top([v for d in delays.values() for v in d.values()])
    maps = []
    for name, delay in delays.items():
        order = sorted(delay, key=lambda edge: delay[edge])
        colour = {edge: sequential(delay[edge] / top) for edge in order}
        label = Text("Delay by street: ", "Thời gian trễ theo đường: ") + inputs.label(name)
        runs = len(inputs.comparison.runs_of(inputs.place, name))
        text = _Tooltip(delay, inputs.edge_totals[name].vehicles(), runs)
        maps.append(Figure(network_map(network, colour, text, label), same(""), inputs.label(name)))
    bar = colour_bar(0.0, top, sequential, _PER_VEHICLE, more=more)
    others = [name for name in delays if name != inputs.comparison.baseline]
    if inputs.comparison.baseline not in delays or not others:
        return bar, maps, None, []
    change_bar, differences = change_maps(inputs, others, inputs.comparison.baseline)
    return bar, maps, change_bar, differences


def change_maps(
    inputs: FigureInputs, controllers: Sequence[str], reference: str
) -> tuple[Markup | None, list[Figure]]:
    """Delay by street minus that under ``reference``: the colour scale, and a map for each of ``controllers``.

    Nothing where the runs of one of them have no tables.
    """
    network = inputs.scenario.network
    if network is None or not {reference, *controllers} <= inputs.edge_totals.keys():
        return None, []
    base = inputs.edge_totals[reference].delay()
    changes = {
        name: {e: v - base[e] for e, v in inputs.edge_totals[name].delay().items() if e in base}
        for name in controllers
    }
    top, more = _top([abs(v) for d in changes.values() for v in d.values()])
    differences = []
    for name, change in changes.items():
        order = sorted(change, key=lambda edge: abs(change[edge]))
        colour = {edge: diverging(0.5 + 0.5 * change[edge] / top) for edge in order}
        heading = inputs.label(name) + Text(" against ", " so với ") + inputs.label(reference)
        text = _Tooltip(change, None, 1)
        differences.append(Figure(network_map(network, colour, text, heading), same(""), heading))
    return colour_bar(-top, top, diverging, _PER_VEHICLE, more=more, signed=True), differences


_PER_VEHICLE = Text(
    "time lost on the street per vehicle that entered it, s/veh",
    "thời gian mất trên đường tính cho mỗi xe đi vào, s/xe",
)


@dataclass(frozen=True)
class _Tooltip:
    """The tooltip of a street: name, value, vehicles per run."""

    values: dict[str, float]
    vehicles: dict[str, float] | None
    runs: int

    def __call__(self, edge: Edge) -> Text:
        named = same(f"{edge.name} ({edge.id})" if edge.name else edge.id)
        if edge.id not in self.values:
            return named + ": " + Text("no vehicle", "không có xe")
        text = (
            named + ": " + number(self.values[edge.id], 1, signed=self.vehicles is None) + " " + unit("s/veh")
        )
        if self.vehicles is None:
            return text
        return text + ", " + number(self.vehicles[edge.id] / self.runs, 0) + " " + unit("veh")


def _top(values: Sequence[float]) -> tuple[float, bool]:
    """End of a colour scale, the rounded-up 98th percentile, and whether values exceed it."""
    if not values:
        return 1.0, False
    top = round_up(float(np.percentile(values, 98)))
    return top, max(values) > top
