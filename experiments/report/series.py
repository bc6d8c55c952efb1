"""What the figures need from the runs' Parquet tables: courses over time, delay by street and intersection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from experiments.report.model import RunRecord, Scene
from sim.errors import InputError
from sim.network import Intersection, Network
from sim.store import read_table

Array = NDArray[np.float64]
MOST_INTERVALS = 24  # points of a course: more would show the cycle of the signals instead of the traffic
_LENGTHS = (60.0, 120.0, 180.0, 300.0, 600.0, 900.0, 1800.0, 3600.0)


@dataclass(frozen=True)
class Course:
    """A quantity over time: mean over seeds, and the smallest and largest seed. All shape (intervals,)."""

    centre: Array  # s
    mean: Array
    low: Array
    high: Array


@dataclass(frozen=True)
class Courses:
    """The courses of one controller; ``queues`` (intersections, intervals) is the mean over seeds."""

    delay: Course  # s/veh, by the time a vehicle wanted to depart
    queue: Course  # veh halted at all signals together
    intersections: tuple[str, ...]
    queues: Array


@dataclass(frozen=True)
class Streets:
    """Totals of one controller over its seeds, by edge: shape (edges,)."""

    edges: tuple[str, ...]
    time_loss: Array  # s
    entered: Array  # veh
    left: Array  # veh

    def delay(self) -> dict[str, float]:
        """Time lost on an edge per vehicle that entered it, s/veh; edges without vehicles are left out."""
        return {
            edge: float(loss / n)
            for edge, loss, n in zip(self.edges, self.time_loss, self.entered, strict=True)
            if n > 0
        }

    def vehicles(self) -> dict[str, float]:
        """Vehicles that entered, all seeds together."""
        return dict(zip(self.edges, self.entered.tolist(), strict=True))


def interval_length(scene: Scene) -> float:
    """The shortest round interval, s, that cuts the scene into at most MOST_INTERVALS."""
    span = scene.end - scene.begin
    return next((length for length in _LENGTHS if span / length <= MOST_INTERVALS), _LENGTHS[-1])


def courses(runs: Sequence[RunRecord], scene: Scene) -> Courses:
    """Courses of one controller from its runs' tables; every run needs its folder."""
    length = interval_length(scene)
    edges = np.arange(scene.begin, scene.end, length)
    bounds = np.append(edges, scene.end)
    centre = (bounds[:-1] + bounds[1:]) / 2
    delays, queues = [], []
    names: tuple[str, ...] = ()
    for run in runs:
        delays.append(_delay(_table(run, "vehicles", ("depart_s", "depart_delay_s", "time_loss_s")), bounds))
        table = _table(run, "intervals", ("begin_s", "intersection", "queue_mean_veh"))
        names = tuple(dict.fromkeys(str(name) for name in table["intersection"]))
        queues.append(_queue(table, bounds, names))
    stack = np.array(queues).reshape(len(runs), len(names), centre.size)
    return Courses(
        delay=_over_seeds(centre, np.array(delays)),
        queue=_over_seeds(centre, stack.sum(axis=1)),
        intersections=names,
        queues=stack.mean(axis=0),
    )


def _delay(table: Mapping[str, Array], bounds: Array) -> Array:
    """Mean delay of the vehicles that wanted to depart in each interval; NaN where there is none."""
    depart, wait = table["depart_s"], table["depart_delay_s"]
    inserted = depart >= 0
    wanted = np.where(inserted, depart - wait, bounds[-1] - wait)
    delay = np.where(inserted, table["time_loss_s"], 0.0) + wait
    place = np.clip(np.searchsorted(bounds, wanted + 1e-6, side="right") - 1, 0, len(bounds) - 2)
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
    """``total / count``, NaN where there is nothing to count."""
    mean: Array = np.full(count.shape, np.nan)
    np.divide(total, count, out=mean, where=count > 0)
    return mean


def _over_seeds(centre: Array, values: Array) -> Course:
    """``values`` (seeds, intervals); an interval counts if every seed has a value there."""
    return Course(centre, values.mean(axis=0), values.min(axis=0), values.max(axis=0))


def streets(runs: Sequence[RunRecord]) -> Streets:
    """Totals by edge over the runs of one controller."""
    totals: dict[str, Array] = {}
    for run in runs:
        table = _table(run, "edges", ("edge", "time_loss_s", "entered", "left"))
        values = np.column_stack([table[name] for name in ("time_loss_s", "entered", "left")])
        for edge, row in zip(table["edge"], values, strict=True):
            totals[str(edge)] = totals.get(str(edge), np.zeros(3)) + row
    names = tuple(sorted(totals))
    matrix = np.array([totals[name] for name in names]).reshape(len(names), 3)
    return Streets(names, matrix[:, 0], matrix[:, 1], matrix[:, 2])


def approach_loss(where: Intersection, network: Network, streets: Streets) -> tuple[float, float]:
    """Time lost on the way to the stop lines of ``where``, s, and the vehicles that passed them.

    Lost on the edges of all approaches, short lanes included; passed is who left the stop-line edges. Time
    lost on the junction itself and outside the network is not in it.
    """
    index = {edge: i for i, edge in enumerate(streets.edges)}
    lanes = {segment.lane for approach in where.approaches for segment in approach.segments}
    lanes |= {approach.lane for approach in where.approaches}
    upstream = {network.lanes[lane].edge for lane in lanes if lane in network.lanes}
    last = {network.lanes[a.lane].edge for a in where.approaches if a.lane in network.lanes}
    passed = sum(streets.left[index[edge]] for edge in last if edge in index)
    loss = sum(streets.time_loss[index[edge]] for edge in upstream if edge in index)
    return float(loss), float(passed)


def _table(run: RunRecord, name: str, columns: Sequence[str]) -> dict[str, NDArray[np.float64]]:
    folder = run.folder or Path()
    path = folder / f"{name}.parquet"
    if run.folder is None or not path.exists():
        raise InputError(
            f"the table {path.name} of {run.controller}, seed {run.seed}, is missing",
            where=str(folder),
            remedy="repeat the run, or give its record without a folder",
        )
    return read_table(path, columns)
