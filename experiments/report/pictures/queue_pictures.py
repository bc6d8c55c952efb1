"""Pictures of queues: their length in metres over time, cycle failures and spillback by lane group."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from denxanh.experiments.report.decision.group_changes import MOVEMENTS
from denxanh.experiments.report.drawing.colour import FAINT, INK, VERMILLION, sequential
from denxanh.experiments.report.drawing.stage_diagram import approach_name
from denxanh.experiments.report.drawing.svg import Axis
from denxanh.experiments.report.figures import FigureInputs, round_up
from denxanh.experiments.report.pictures.picture import Cell, Entry, Layer, Line, Marks, Picture, Scale
from denxanh.sim.language.text import Clock, Text, clock, number, same
from denxanh.sim.network import Network
from denxanh.sim.run.recording import Recording
from denxanh.sim.run.store import read_table

Array = NDArray[np.float64]
_MOST_ROWS = 24  # approaches of a heat map, those with the longest queues
_MOST_GROUPS = 14  # lane groups of the pictures of failures
_INTERVAL = 120.0  # s, the least of a heat map
_ROW = 18.0  # px
_ARROWS = {"U": "↶", "L": "↖", "T": "↑", "R": "↗"}  # by the last letter of a movement's label


@dataclass(frozen=True)
class QueueTable:
    """Longest back of queue by approach and interval, m: ``values`` (approaches, intervals), ``bounds`` s."""

    approaches: tuple[tuple[str, str], ...]  # signal and edge
    bounds: tuple[float, ...]
    values: Array


def queue_table(recording: Recording, interval: float) -> QueueTable:
    """The longest queue on each approach in each interval of ``interval`` s."""
    lanes, metres = recording.queues()
    step = recording.trajectories.step
    per = max(round(interval / step), 1)
    starts = list(range(0, recording.trajectories.frames, per))
    longest = np.array([metres[start : start + per].max(axis=0) for start in starts])
    rows: dict[tuple[str, str], list[int]] = {}
    number_of = {lane: k for k, lane in enumerate(lanes)}
    for one in recording.network.intersections.values():
        for approach in one.approaches:
            edge = recording.network.lanes[approach.lane].edge
            rows.setdefault((one.id, edge), []).append(number_of[approach.lane])
    values = np.array([longest[:, columns].max(axis=1) for columns in rows.values()])
    bounds = [recording.begin + start * step for start in starts] + [recording.end]
    return QueueTable(tuple(rows), tuple(bounds), values)


def bin_length(recordings: Sequence[Recording]) -> float:
    """Whole minutes, no shorter than the longest cycle that a signal showed on average, s."""
    longest = _INTERVAL
    for recording in recordings:
        for one in recording.network.intersections.values():
            for approach in one.approaches:
                stops = recording.greens(one.id, approach.links).stop
                if len(stops) > 2:
                    longest = max(longest, float(np.diff(stops).mean()))
    span = max(one.end - one.begin for one in recordings)
    return min(60.0 * math.ceil(longest / 60.0 - 1e-6), span)


def queue_heat_pictures(
    recordings: Sequence[Recording], labels: Sequence[Text], kind: Clock
) -> list[Picture]:
    """Longest queue by approach over time, in metres; the same rows and colours for all recordings."""
    interval = bin_length(recordings)
    tables = [queue_table(recording, interval) for recording in recordings]
    mean = np.mean([table.values.mean(axis=1) for table in tables], axis=0)
    kept = sorted(np.argsort(-mean, kind="stable")[:_MOST_ROWS].tolist())
    most = round_up(max(float(table.values.max()) for table in tables))
    network = recordings[0].network
    numbers = {name: k for k, name in enumerate(network.intersections, 1)}
    minutes = f"{interval / 60:g}"
    out = []
    for recording, table, label in zip(recordings, tables, labels, strict=True):
        cells: list[Layer] = []
        names = []
        for row, k in enumerate(kept):
            signal, edge = table.approaches[k]
            name = f"{numbers[signal]}  " + approach_name(edge, network)
            names.append((float(row), name))
            for j, value in enumerate(table.values[k].tolist()):
                text = name + f", {clock(table.bounds[j])}: " + number(value, 0) + " m"
                cells.append(
                    Cell(
                        table.bounds[j], table.bounds[j + 1], row - 0.48, row + 0.48,
                        sequential(value / most), text,
                    )
                )  # fmt: skip
        begin, end = recording.measured
        cuts = [cut for cut in (begin, end) if recording.begin < cut < recording.end]
        cells += [Line([cut, cut], [-0.5, len(kept) - 0.5], INK, 1.6, "4 3") for cut in cuts]
        out.append(
            Picture(
                Text("Queue by approach, in metres", "Hàng chờ theo nhánh, tính bằng mét"),
                Axis.time(recording.begin, recording.end, kind),
                Axis(len(kept) - 0.5, -0.5, same(""), ()),
                tuple(cells),
                label
                + Text(
                    f": longest queue every {minutes} min, one run; dashed: warm-up and flush",
                    f": hàng chờ dài nhất mỗi {minutes} phút, một lần mô phỏng; nét đứt: khởi động và xả",
                ),
                names=tuple(names),
                height=58 + _ROW * len(kept),
                scale=Scale(
                    most, Text("longest queue, m from the stop line", "hàng chờ dài nhất, m từ vạch dừng")
                ),
            )
        )
    return out


@dataclass(frozen=True)
class GroupFailures:
    """A lane group: its name, share of greens that fail and queue over storage by controller, means over runs."""

    name: Text
    failures: tuple[float, ...]  # 0…1
    storage: tuple[float, ...]  # 95 % queue over the road in front of the stop line


def group_failures(inputs: FigureInputs, controllers: Sequence[str]) -> list[GroupFailures]:
    """Cycle failures and spillback of the lane groups that every controller has; empty without tables of movements."""
    network = inputs.scenario.network
    found = [_means(inputs, name) for name in controllers]
    if network is None or not found or not all(found):
        return []
    shared = [key for key in found[0] if all(key in one for one in found)]
    return [
        GroupFailures(
            _group_name(key, network),
            tuple(one[key][0] for one in found),
            tuple(one[key][1] for one in found),
        )
        for key in shared
    ]


def failure_pictures(
    inputs: FigureInputs, controllers: Sequence[str], *, zeros: bool = False
) -> list[Picture]:
    """Cycle failures, and spillback, of the worst lane groups; of those without any only with ``zeros``."""
    groups = group_failures(inputs, controllers)
    out = []
    for title, axis, caption, limit, values in (
        (
            Text("Cycle failures", "Chu kỳ không giải tỏa hết"),
            Text(
                "greens that left a waiting vehicle for a later one, %", "số lần xanh còn xe phải chờ tiếp, %"
            ),
            Text("Worst lane groups, mean over seeds", "Các nhóm làn kém nhất, trung bình các lần mô phỏng"),
            None,
            [[100 * v for v in one.failures] for one in groups],
        ),
        (
            Text("Spillback", "Tràn hàng chờ"),
            Text(
                "95 % queue over the road in front of the stop line",
                "hàng chờ 95 % so với đoạn đường trước vạch dừng",
            ),
            Text(
                "Above 1 (dashed) the queue reaches beyond its road: into the junction behind, or past a pocket",
                "Trên 1 (nét đứt): hàng chờ dài hơn đoạn đường, tràn tới nút phía sau hoặc ra khỏi làn phụ",
            ),
            1.0,
            [list(one.storage) for one in groups],
        ),
    ):
        order = sorted(range(len(groups)), key=lambda k: -max(values[k]))[:_MOST_GROUPS]
        order = [k for k in order if zeros or max(values[k]) > 0]
        if order:
            names = [groups[k].name for k in order]
            out.append(
                _by_group(inputs, controllers, title, axis, caption, limit, names, [values[k] for k in order])
            )
    return out


def _by_group(
    inputs: FigureInputs,
    controllers: Sequence[str],
    title: Text,
    axis: Text,
    caption: Text,
    limit: float | None,
    names: Sequence[Text],
    values: Sequence[Sequence[float]],
) -> Picture:
    styles = inputs.styles()
    layers: list[Layer] = [
        Line([min(row), max(row)], [k, k], FAINT, 1.0) for k, row in enumerate(values) if len(row) > 1
    ]
    if limit is not None:
        layers.append(Line([limit, limit], [-0.5, len(names) - 0.5], VERMILLION, 1.4, "4 3"))
    for c, controller in enumerate(controllers):
        column = [row[c] for row in values]
        style = styles[controller]
        tips = [name + ", " + inputs.label(controller) + ": " + number(v, 2 if limit else 0) for name, v in
                zip(names, column, strict=True)]  # fmt: skip
        layers.append(Marks(column, [float(k) for k in range(len(names))], style.colour, style.marker, tips))
    legend = [Entry(inputs.label(name), styles[name].colour, styles[name].marker) for name in controllers]
    every = [v for row in values for v in row] + ([limit] if limit is not None else [])
    return Picture(
        title,
        Axis.of(every, axis),
        Axis(len(names) - 0.5, -0.5, same(""), ()),
        tuple(layers),
        caption,
        tuple(legend),
        tuple((float(k), name) for k, name in enumerate(names)),
        height=64 + _ROW * len(names),
    )


def _means(inputs: FigureInputs, controller: str) -> dict[tuple[str, str, str], tuple[float, float]]:
    """Cycle failures and storage ratio by signal, lanes and label: means over the runs that have them."""
    sums: dict[tuple[str, str, str], list[tuple[float, float]]] = {}
    for run in inputs.comparison.runs_of(inputs.place, controller):
        if run.folder is None or not (run.folder / MOVEMENTS).is_file():
            return {}
        columns = ("level", "signal", "name", "label", "cycle_failures", "storage_ratio")
        table = read_table(run.folder / MOVEMENTS, columns)
        for level, signal, name, label, failures, storage in zip(*table.values(), strict=True):
            if level == "lane group":
                pair = [0.0 if v is None or not np.isfinite(v) else float(v) for v in (failures, storage)]
                sums.setdefault((str(signal), str(name), str(label)), []).append((pair[0], pair[1]))
    return {
        key: (sum(a for a, _ in rows) / len(rows), sum(b for _, b in rows) / len(rows))
        for key, rows in sums.items()
    }


def _group_name(key: tuple[str, str, str], network: Network) -> Text:
    signal, lanes, label = key
    number_of = list(network.intersections).index(signal) + 1
    lane = lanes.split(" ")[0]
    if lane not in network.lanes:
        return same(f"{number_of}  {lanes}")
    turns = {part[-1] for part in label.split(" ") if part and not part.endswith("B")}
    arrows = "".join(arrow for turn, arrow in _ARROWS.items() if turn in turns)
    return f"{number_of}  " + approach_name(network.lanes[lane].edge, network) + f" {arrows}"
