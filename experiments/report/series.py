"""Time series and totals by edge, read from the Parquet tables of runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from denxanh.experiments.report.contents import ScenarioResults
from denxanh.experiments.runs.run_row import RunRow
from denxanh.sim.errors import InputError
from denxanh.sim.network import Intersection, Network
from denxanh.sim.run.store import read_table
from denxanh.sim.sumo.tripinfo import vehicle_delay, wanted_departure

Array = NDArray[np.float64]
MOST_INTERVALS = 24  # of a time series: more would show the signal cycle instead of the traffic
_LENGTHS = (60.0, 120.0, 180.0, 300.0, 600.0, 900.0, 1800.0, 3600.0)


@dataclass(frozen=True)
class TimeSeries:
    """A quantity over time: mean, minimum and maximum over seeds. All shape (intervals,)."""

    centre: Array  # s
    mean: Array
    low: Array
    high: Array


@dataclass(frozen=True)
class ControllerSeries:
    """The time series of one controller; ``queues`` (intersections, intervals) is the mean over seeds."""

    delay: TimeSeries  # s/veh, by the time a vehicle was due to depart
    queue: TimeSeries  # veh halted at all signals
    intersections: tuple[str, ...]
    queues: Array


@dataclass(frozen=True)
class EdgeTotals:
    """Totals of one controller over its seeds, by edge: shape (edges,)."""

    edges: tuple[str, ...]
    time_loss: Array  # s
    entered: Array  # veh
    left: Array  # veh

    def delay(self) -> dict[str, float]:
        """Time lost on an edge per vehicle that entered it, s/veh; only edges with vehicles."""
        return {
            edge: float(loss / n)
            for edge, loss, n in zip(self.edges, self.time_loss, self.entered, strict=True)
            if n > 0
        }

    def vehicles(self) -> dict[str, float]:
        """Vehicles that entered each edge, all seeds together."""
        return dict(zip(self.edges, self.entered.tolist(), strict=True))


def interval_length(scenario: ScenarioResults) -> float:
    """The shortest round interval, s, no shorter than a signal cycle, of which MOST_INTERVALS are the scenario."""
    span = scenario.end - scenario.begin
    signals = scenario.network.intersections.values() if scenario.network is not None else ()
    cycle = max((one.program.cycle for one in signals), default=0.0)
    return next(
        (length for length in _LENGTHS if length >= cycle and span / length <= MOST_INTERVALS), _LENGTHS[-1]
    )


def controller_series(runs: Sequence[RunRow], scenario: ScenarioResults) -> ControllerSeries:
    """ControllerSeries of one controller from its runs' tables; every run needs its folder."""
    length = interval_length(scenario)
    edges = np.arange(scenario.begin, scenario.end, length)
    bounds = np.append(edges, scenario.end)
    centre = (bounds[:-1] + bounds[1:]) / 2
    delays, queues = [], []
    names: tuple[str, ...] = ()
    for run in runs:
        delays.append(_delay(_table(run, "vehicles", ("depart_s", "depart_delay_s", "time_loss_s")), bounds))
        table = _table(run, "intervals", ("begin_s", "intersection", "queue_mean_veh"))
        names = tuple(dict.fromkeys(str(name) for name in table["intersection"]))
        queues.append(_queue(table, bounds, names))
    stack = np.array(queues).reshape(len(runs), len(names), centre.size)
    return ControllerSeries(
        delay=_over_seeds(centre, np.array(delays)),
        queue=_over_seeds(centre, stack.sum(axis=1)),
        intersections=names,
        queues=stack.mean(axis=0),
    )


def _delay(table: Mapping[str, Array], bounds: Array) -> Array:
    """Mean delay of the vehicles due to depart in each interval, s/veh; NaN without vehicles."""
    depart, wait = table["depart_s"], table["depart_delay_s"]
    inserted = depart >= 0
    due = wanted_departure(inserted, depart, wait, bounds[-1])
    delay = vehicle_delay(inserted, table["time_loss_s"], wait)
    place = np.clip(np.searchsorted(bounds, due + 1e-6, side="right") - 1, 0, len(bounds) - 2)
    total, count = np.zeros(len(bounds) - 1), np.zeros(len(bounds) - 1)
    np.add.at(total, place, delay)
    np.add.at(count, place, 1.0)
    return _ratio(total, count)


def _queue(table: Mapping[str, NDArray[np.generic]], bounds: Array, names: Sequence[str]) -> Array:
    """Mean queue per intersection and interval, (intersections, intervals)."""
    row = {name: i for i, name in enumerate(names)}
    rows = np.array([row[str(name)] for name in table["intersection"]], dtype=np.intp)
    begin = table["begin_s"].astype(np.float64)
    place = np.clip(np.searchsorted(bounds, begin + 1e-6, side="right") - 1, 0, len(bounds) - 2)
    shape = (len(names), len(bounds) - 1)
    total, count = np.zeros(shape), np.zeros(shape)
    np.add.at(total, (rows, place), table["queue_mean_veh"])
    np.add.at(count, (rows, place), 1.0)
    return _ratio(total, count)


def _ratio(total: Array, count: Array) -> Array:
    """``total / count``, NaN where ``count`` is 0."""
    mean: Array = np.full(count.shape, np.nan)
    np.divide(total, count, out=mean, where=count > 0)
    return mean


def _over_seeds(centre: Array, values: Array) -> TimeSeries:
    """``values`` (seeds, intervals); an interval is NaN unless every seed has a value."""
    return TimeSeries(centre, values.mean(axis=0), values.min(axis=0), values.max(axis=0))


def edge_totals(runs: Sequence[RunRow]) -> EdgeTotals:
    """Totals by edge over the runs of one controller."""
    totals: dict[str, Array] = {}
    for run in runs:
        table = _table(run, "edges", ("edge", "time_loss_s", "entered", "left"))
        values = np.column_stack([table[name] for name in ("time_loss_s", "entered", "left")])
        for edge, row in zip(table["edge"], values, strict=True):
            totals[str(edge)] = totals.get(str(edge), np.zeros(3)) + row
    names = tuple(sorted(totals))
    matrix = np.array([totals[name] for name in names]).reshape(len(names), 3)
    return EdgeTotals(names, matrix[:, 0], matrix[:, 1], matrix[:, 2])


def approach_time_loss(
    intersection: Intersection, network: Network, totals: EdgeTotals
) -> tuple[float, float]:
    """Time lost on the approaches of an intersection, s, and the number of vehicles that passed its stop lines.

    Time lost on the edges of all approaches, short lanes included; vehicles that left the stop-line edges.
    Excludes time lost on the junction itself and outside the network.
    """
    index = {edge: i for i, edge in enumerate(totals.edges)}
    lanes = {segment.lane for approach in intersection.approaches for segment in approach.segments}
    lanes |= {approach.lane for approach in intersection.approaches}
    upstream = {network.lanes[lane].edge for lane in lanes if lane in network.lanes}
    last = {network.lanes[a.lane].edge for a in intersection.approaches if a.lane in network.lanes}
    passed = sum(totals.left[index[edge]] for edge in last if edge in index)
    loss = sum(totals.time_loss[index[edge]] for edge in upstream if edge in index)
    return float(loss), float(passed)


def control_delays(runs: Sequence[RunRow]) -> dict[str, tuple[float, float, int]]:
    """By signal: control delay of all arrivals (s), their number, and lane groups whose mean v/c is above 1.

    Empty where a run has no table of movements.
    """
    delays: dict[str, tuple[float, float]] = {}
    ratios: dict[tuple[str, str], list[float]] = {}
    for run in runs:
        if run.folder is None or not (run.folder / "movements.parquet").is_file():
            return {}
        table = _table(run, "movements", ("level", "signal", "name", "arrivals", "control_delay_s", "vc"))
        for level, signal, name, arrivals, delay, vc in zip(*table.values(), strict=True):
            if level == "intersection":
                loss, number = delays.get(signal, (0.0, 0.0))
                lost = arrivals * delay if arrivals > 0 else 0.0
                delays[signal] = loss + float(lost), number + float(arrivals)
            elif level == "lane group" and vc is not None and np.isfinite(vc):
                ratios.setdefault((signal, name), []).append(float(vc))
    above = [signal for (signal, _), values in ratios.items() if sum(values) / len(values) > 1.0]
    return {signal: (*totals, above.count(signal)) for signal, totals in delays.items()}


def _table(run: RunRow, name: str, columns: Sequence[str]) -> dict[str, NDArray[np.float64]]:
    folder = run.folder or Path()
    path = folder / f"{name}.parquet"
    if run.folder is None or not path.exists():
        raise InputError(
            f"the table {path.name} of {run.controller}, seed {run.seed}, is missing",
            location=str(folder),
            remedy="run it again, or give its record without a folder",
        )
    return read_table(path, columns)
