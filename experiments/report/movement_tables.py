"""Tables by intersection, approach and movement: the manual's measures under two controllers, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from denxanh.experiments.report.charts import badge
from denxanh.experiments.report.decision.group_changes import MOVEMENTS
from denxanh.experiments.report.decision.names import direction_title
from denxanh.experiments.report.drawing.colour import SERVICE
from denxanh.experiments.runs.run_row import RunRow
from denxanh.sim.language.text import Text, number, same
from denxanh.sim.network import Network
from denxanh.sim.run.store import read_table
from denxanh.sim.timing.hcm_delay import level_of_service

_MEASURES = ("arrivals", "flow_vph", "control_delay_s", "vc", "queue_p95_m", "storage_ratio", "on_green")
_COLUMNS = ("level", "signal", "name", "label", *_MEASURES)
_WITH_CAPACITY = ("movement",)  # v/c above 1 makes the level F; approaches and intersections have no v/c


@dataclass(frozen=True)
class MeasureCell:
    """One measure under both controllers; a value above its limit is marked."""

    values: tuple[Text, ...]
    badges: tuple[Markup | None, ...] = ()
    above: tuple[bool, ...] = ()  # v/c, or queue over storage, above 1


@dataclass(frozen=True)
class MeasureRow:
    """The measures of an approach, of one of its movements, or of the whole intersection."""

    level: str
    name: Text
    cells: tuple[MeasureCell, ...]


@dataclass(frozen=True)
class IntersectionTable:
    """The table of one intersection, its own row first, then each approach before its movements."""

    number: int
    name: str
    rows: tuple[MeasureRow, ...]


HEADINGS = (
    Text("Flow, veh/h", "Lưu lượng, xe/h"),
    Text("Control delay, s", "Trễ điều khiển, s"),
    Text("v/c", "Độ bão hoà v/c"),
    Text("95 % queue, m", "Hàng chờ 95 %, m"),
    Text("Queue / storage", "Hàng chờ / chỗ chứa"),
    Text("On green, %", "Đến lúc xanh, %"),
)

Values = Mapping[str, float | None]


def movement_tables(runs: Sequence[Sequence[RunRow]], network: Network | None) -> list[IntersectionTable]:
    """A table per intersection; ``runs`` of each controller, columns in that order. Empty without tables of movements.

    Delay and arrivals on green are means over vehicles, the others over runs.
    """
    found = [_means(rows) for rows in runs]
    if network is None or not found or not all(found):
        return []
    tables = []
    for k, (signal, intersection) in enumerate(network.intersections.items(), 1):
        keys = [key for key in found[0] if key[1] == signal and all(key in one for one in found)]
        if not keys:
            continue
        rows = [_row(key, found, network) for key in _in_order(keys)]
        tables.append(IntersectionTable(k, intersection.name, tuple(rows)))
    return tables


_Key = tuple[str, str, str, str]  # level, signal, name, label


def _in_order(keys: Sequence[_Key]) -> list[_Key]:
    """The intersection, then each approach followed by its movements."""
    out = [key for key in keys if key[0] == "intersection"]
    for approach in (key for key in keys if key[0] == "approach"):
        out.append(approach)
        out += [key for key in keys if key[0] == "movement" and key[2].partition(">")[0] == approach[2]]
    return out


def _means(rows: Sequence[RunRow]) -> dict[_Key, dict[str, float | None]]:
    sums: dict[_Key, dict[str, list[tuple[float, float]]]] = {}
    for row in rows:
        if row.folder is None or not (row.folder / MOVEMENTS).is_file():
            return {}
        table = read_table(row.folder / MOVEMENTS, _COLUMNS)
        for level, signal, name, label, *values in zip(*(table[c] for c in _COLUMNS), strict=True):
            if level == "lane group":
                continue
            mine = sums.setdefault((level, signal, name, label), {one: [] for one in _MEASURES})
            arrivals = float(values[0])
            for measure, value in zip(_MEASURES, values, strict=True):
                if value is not None and np.isfinite(value):
                    weight = arrivals if measure in ("control_delay_s", "on_green") else 1.0
                    mine[measure].append((float(value), weight))
    return {key: {one: _mean(pairs) for one, pairs in mine.items()} for key, mine in sums.items()}


def _mean(pairs: Sequence[tuple[float, float]]) -> float | None:
    weight = sum(w for _, w in pairs)
    return sum(v * w for v, w in pairs) / weight if weight > 0 else None


def _row(key: _Key, found: Sequence[Mapping[_Key, Values]], network: Network) -> MeasureRow:
    level, signal, name, label = key
    both = [one[key] for one in found]
    delays = [one["control_delay_s"] for one in both]
    letters = [
        None
        if delay is None
        else level_of_service(delay, (one["vc"] or 0.0) if level in _WITH_CAPACITY else 0.0)
        for one, delay in zip(both, delays, strict=True)
    ]
    flow = [one["flow_vph"] for one in both]
    share = [None if one["on_green"] is None else 100 * one["on_green"] for one in both]
    ratio, stored = [one["vc"] for one in both], [one["storage_ratio"] for one in both]
    cells = (
        MeasureCell(tuple(number(value, 0) for value in flow)),
        MeasureCell(
            tuple(number(value, 1) for value in delays),
            tuple(None if letter is None else badge(letter, SERVICE[letter]) for letter in letters),
        ),
        MeasureCell(tuple(number(value, 2) for value in ratio), above=tuple(map(_above_one, ratio))),
        MeasureCell(tuple(number(one["queue_p95_m"], 0) for one in both)),
        MeasureCell(tuple(number(value, 2) for value in stored), above=tuple(map(_above_one, stored))),
        MeasureCell(tuple(number(value, 0) for value in share)),
    )
    return MeasureRow(level, _title(level, signal, name, label, network), cells)


def _above_one(value: float | None) -> bool:
    return value is not None and value > 1.0


def _title(level: str, signal: str, name: str, label: str, network: Network) -> Text:
    if level == "intersection":
        return Text("the whole intersection", "toàn nút")
    edge, _, exit = name.partition(">")
    if level == "approach":
        street = network.edges[edge].name if edge in network.edges else ""
        return same(street) + (" · " if street else "") + direction_title(label)
    street = network.edges[exit].name if exit in network.edges else ""
    return direction_title(label) + (f" → {street}" if street else "")
