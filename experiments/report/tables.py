"""The tables of one scenario of a comparison, with formatted cells."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup

from denxanh.experiments.report.charts import badge
from denxanh.experiments.report.contents import Comparison, ScenarioResults
from denxanh.experiments.report.decision.controller_labels import controller_label
from denxanh.experiments.report.decision.first_screen import Losers
from denxanh.experiments.report.drawing.colour import SERVICE
from denxanh.experiments.report.figures import METRIC, FigureInputs, title
from denxanh.experiments.report.left_to_sumo import translated_reason
from denxanh.experiments.report.level_of_service import level_of_service
from denxanh.experiments.report.series import approach_time_loss, control_delays
from denxanh.experiments.report.text_format import interval_text
from denxanh.experiments.results.measured_window import MOST_UNFINISHED, unfinished_share
from denxanh.experiments.runs.run_row import RunRow
from denxanh.experiments.statistics.gridlock import STANDARD_LIMITS
from denxanh.sim import metrics
from denxanh.sim.language.text import Text, decimals, number, same, unit

COUNTS = (
    "loaded",
    "arrived",
    "running",
    "waiting",
    "lost",
    "before_begin",
    "teleports",
    "collisions",
    "emergency_brakings",
    "fallbacks",
)
SHOWN = {"speed_mps": ("km/h", 3.6)}
"""Unit and factor of metrics whose unit in the report is not that of the files."""

MEASURES = tuple(name for name in metrics.NAMES if name not in COUNTS)


@dataclass(frozen=True)
class Cell:
    """A value of the table of results: the mean, its interval, the difference and its interval."""

    mean: Text
    interval: Text
    difference: Text
    difference_interval: Text
    verdict: Text | None


@dataclass(frozen=True)
class MetricRow:
    """The row of one metric, with its unit."""

    name: Text
    unit: Text
    cells: tuple[Cell, ...]


def results(inputs: FigureInputs) -> list[MetricRow]:
    """A row per metric, a cell per controller."""
    names = inputs.comparison.controllers
    rows = []
    for metric in MEASURES:
        found = [inputs.comparison.row(inputs.place, name, metric) for name in names]
        if all(row is None or row.mean is None for row in found):
            continue
        shown_unit, factor = SHOWN.get(metric, (METRIC[metric].unit, 1.0))
        places = decimals([None if row.mean is None else factor * row.mean for row in found if row])
        cells = []
        for row in found:
            if row is None:
                cells.append(Cell(same("–"), same(""), same(""), same(""), None))
                continue
            mean, low, high, diff, diff_low, diff_high = (
                None if value is None else factor * value
                for value in (
                    row.mean,
                    row.ci_low,
                    row.ci_high,
                    row.diff,
                    row.diff_ci_low,
                    row.diff_ci_high,
                )
            )
            cells.append(
                Cell(
                    number(mean, places),
                    interval_text(low, high, places),
                    same("") if diff is None else number(diff, places, signed=True),
                    interval_text(diff_low, diff_high, places, signed=True),
                    row.verdict,
                )
            )
        rows.append(MetricRow(title(metric), unit(shown_unit), tuple(cells)))
    return rows


_LIMITS = (
    (
        "waiting",
        STANDARD_LIMITS.backlog,
        Text(" % of the vehicles never entered", " % số xe chưa vào được mạng"),
    ),
    (
        "teleports",
        STANDARD_LIMITS.teleports,
        Text(" % of the vehicles were teleported", " % số xe bị dịch chuyển (teleport)"),
    ),
)


_LIMITED = Text(
    "a limit of time was met twice, so the numbers depend on the machine: ",
    "hai lần chạm giới hạn thời gian nên số liệu phụ thuộc vào máy: ",
)


@dataclass(frozen=True)
class Flag:
    """A warning about one run whose delay is not meaningful."""

    run: RunRow
    text: Text


def counts(inputs: FigureInputs) -> list[tuple[Text, tuple[Text, ...]]]:
    """A row per count, a cell per controller: means per run; first the number of runs, last that of flagged runs."""
    found = [inputs.comparison.runs_of(inputs.place, c) for c in inputs.comparison.controllers]
    rows = [(Text("Runs", "Số lượt chạy"), tuple(same(str(len(runs))) for runs in found))]
    rows += [
        (title(count), tuple(_mean([run.metrics.get(count) for run in runs]) for runs in found))
        for count in COUNTS
    ]
    flagged = [len({flag.run.seed for flag in flags(runs)}) for runs in found]
    cells = tuple(same(f"⚠ {n}" if n else "0") for n in flagged)
    return [*rows, (Text("Flagged runs", "Số lượt bị cảnh báo"), cells)]


def rounded(count: float) -> Text:
    """A count of one run: whole where it is, else with one decimal (real vehicles by simulated ones)."""
    return number(count, 0 if float(count).is_integer() else 1)


def _mean(values: Sequence[float | int | None]) -> Text:
    known = [v for v in values if v is not None]
    if not known or len(known) < len(values):
        return same("?")
    return rounded(sum(known) / len(known))


def flags(runs: Sequence[RunRow], *, assumed_plan: bool = False) -> list[Flag]:
    """Runs with too many vehicles not inserted, teleported or on the road, or whose controller failed or was late."""
    found = []
    for run in runs:
        loaded = run.metrics.get("loaded") or 0
        name = controller_label(run.controller, assumed_plan=assumed_plan)
        name += Text(f", seed {run.seed}: ", f", lần mô phỏng {run.seed}: ")
        for metric, limit, text in _LIMITS:
            share = (run.metrics.get(metric) or 0) / loaded if loaded else 0.0
            if share > limit:
                most = Text(f" (limit {100 * limit:g} %)", f" (giới hạn {100 * limit:g} %)")
                found.append(Flag(run, name + number(100 * share, 1) + text + most))
        if (share := unfinished_share(run.metrics)) > MOST_UNFINISHED:
            most = Text(f" (limit {100 * MOST_UNFINISHED:g} %)", f" (giới hạn {100 * MOST_UNFINISHED:g} %)")
            still = Text(" % of the vehicles were still on their way", " % số xe vẫn đang trên hành trình")
            found.append(Flag(run, name + number(100 * share, 1) + still + most))
        if run.state == "limited":
            found.append(Flag(run, name + _LIMITED + same(run.reason)))
        if failed := run.metrics.get("fallbacks"):
            found.append(
                Flag(
                    run,
                    name
                    + Text(
                        f"{failed} signals fell back to their fixed plan",
                        f"{failed} nút đã chuyển sang phương án cố định",
                    ),
                )
            )
    return found


@dataclass(frozen=True)
class ServiceCell:
    """Delay at an intersection and its level of service; without a badge where no vehicle passed."""

    delay: Text
    letter: str
    badge: Markup | None
    above: int = 0  # lane groups with more flow than capacity


@dataclass(frozen=True)
class ServiceRow:
    """The row of one intersection, or of all together."""

    number: Text
    name: Text
    cells: tuple[ServiceCell, ...]


def service(inputs: FigureInputs) -> tuple[ServiceRow, ...]:
    """A row per intersection and one for all, a cell per controller, in the order of ``inputs.edge_totals``."""
    network = inputs.scenario.network
    if network is None or not inputs.edge_totals:
        return ()
    controlled = _controlled(inputs)
    losses = {
        signal: [one[signal] for one in controlled]
        if controlled
        else [(*approach_time_loss(intersection, network, found), 0) for found in inputs.edge_totals.values()]
        for signal, intersection in network.intersections.items()
    }
    rows = [
        ServiceRow(
            same(str(i)), same(network.intersections[signal].name), tuple(_cell(*one) for one in found)
        )
        for i, (signal, found) in enumerate(losses.items(), start=1)
    ]
    if len(rows) > 1:
        totals = [np.sum(column, axis=0) for column in zip(*losses.values(), strict=True)]
        everywhere = Text("all, per signal passed", "tất cả, tính cho mỗi lần qua đèn")
        rows.append(ServiceRow(same(""), everywhere, tuple(_cell(*pair) for pair in totals)))
    return tuple(rows)


def service_note(inputs: FigureInputs) -> Text:
    """What the letters of ``service`` are of: control delay, or time lost where runs have no table of movements."""
    return _CONTROL_DELAY if _controlled(inputs) else _TIME_LOST


_THRESHOLDS = Text(
    "Letters by the thresholds of the Highway Capacity Manual (A ≤ 10, B ≤ 20, C ≤ 35, D ≤ 55, E ≤ 80 s/veh, "
    "F above), applied to the ",
    "Chữ theo ngưỡng của Highway Capacity Manual (A ≤ 10, B ≤ 20, C ≤ 35, D ≤ 55, E ≤ 80 s/xe, F là trên 80), "
    "áp dụng cho ",
)
_CONTROL_DELAY = _THRESHOLDS + Text(
    "control delay as the manual defines it, the wait before entering included; means over vehicles and days. An "
    "intersection goes by delay alone; × v/c > 1 counts its lane groups with more flow than capacity, which are F.",
    "thời gian trễ điều khiển theo định nghĩa của sổ tay, gồm cả thời gian chờ vào mạng; trung bình theo xe và ngày. "
    "Nút giao chỉ xét theo thời gian trễ; × v/c > 1 là số nhóm làn có lưu lượng vượt năng lực thông hành, các nhóm "
    "này là F.",
)
_TIME_LOST = _THRESHOLDS + Text(
    "time SUMO says was lost on the approaches per vehicle that passed. This is not the control delay as the manual "
    "defines it: it excludes time lost on the junction itself and before entering the network, and includes time lost "
    "for reasons other than the signal.",
    "thời gian mất trên các nhánh dẫn theo SUMO, tính cho mỗi xe đi qua. Đây không phải thời gian trễ điều khiển đo "
    "đúng theo sổ tay: chưa gồm thời gian mất trong lòng nút và trước khi vào mạng, nhưng gồm cả thời gian mất không "
    "do đèn.",
)


def _controlled(inputs: FigureInputs) -> list[dict[str, tuple[float, float, int]]]:
    """By controller and signal: control delay of all arrivals (s), their number, and lane groups with v/c above 1.

    Empty unless all controllers have it for all intersections.
    """
    network = inputs.scenario.network
    found = [
        control_delays(inputs.comparison.runs_of(inputs.scenario.place, name)) for name in inputs.edge_totals
    ]
    complete = network is not None and all(set(network.intersections) <= set(one) for one in found)
    return found if complete else []


def _cell(loss: float, passed: float, above: float = 0) -> ServiceCell:
    if passed <= 0:
        return ServiceCell(same("–"), "", None)
    delay = loss / passed
    level = level_of_service(delay)
    return ServiceCell(number(delay, 1), level.letter, badge(level.letter, level.colour), int(above))


@dataclass(frozen=True)
class LoserRow:
    """Who has more delay, s; ``proven`` is None where one pair of runs cannot tell."""

    name: Text
    before: Text
    after: Text
    change: Text
    badges: tuple[Markup, Markup] | None
    proven: bool | None


def losers(found: Losers) -> list[LoserRow]:
    """A row per approach, movement and type of vehicle that loses."""
    return [
        LoserRow(
            one.name,
            number(one.before, 1),
            number(one.after, 1),
            number(one.change, 1, signed=True),
            None
            if one.service is None
            else (
                badge(one.service[0], SERVICE[one.service[0]]),
                badge(one.service[1], SERVICE[one.service[1]]),
            ),
            one.proven,
        )
        for one in (*found.approaches, *found.movements, *found.types)
    ]


@dataclass(frozen=True)
class Repeat:
    """How to reproduce one run with bare SUMO, from its manifest."""

    controller: str
    seed: int
    parameters: str
    command: str
    tripinfo: str


@dataclass(frozen=True)
class Provenance:
    """Provenance of the runs of a scenario, from their manifests."""

    repeats: tuple[Repeat, ...]
    inputs: tuple[tuple[str, str], ...]  # file (with its folder) and SHA-256
    unequal: tuple[int, ...]  # seeds whose controllers read different input files
    warnings: Mapping[str, int]  # of SUMO by kind, all runs together
    left_to_sumo: Mapping[str, Text]


def provenance(comparison: Comparison, scenario: ScenarioResults) -> Provenance:
    """Read the manifests: the first finished run of each controller, and the inputs and warnings of all."""
    repeats: list[Repeat] = []
    inputs: set[tuple[str, str]] = set()
    read: dict[int, set[frozenset[str]]] = {}
    warnings: dict[str, int] = {}
    left: dict[str, str] = {}
    for controller in comparison.controllers:
        manifests = [
            (run, json.loads((run.folder / "manifest.json").read_text(encoding="utf-8")))
            for run in comparison.runs_of(scenario.place, controller)
            if run.folder is not None
        ]
        for run, manifest in manifests[:1]:
            repeats.append(_repeat(run, manifest))
        for run, manifest in manifests:
            digests = manifest.get("inputs_sha256", {})
            inputs.update((_short(path), digest) for path, digest in digests.items())
            own = manifest.get("controller_files_sha256", ())  # files of a controller are not traffic input
            read.setdefault(run.seed, set()).add(frozenset(digests.values()) - frozenset(own))
            left.update(manifest.get("left_to_sumo", {}))
            for kind, times in manifest.get("warnings", {}).items():
                warnings[kind] = warnings.get(kind, 0) + times
    return Provenance(
        tuple(repeats),
        tuple(sorted(inputs)),
        tuple(sorted(seed for seed, files in read.items() if len(files) > 1)),
        dict(sorted(warnings.items())),
        {name: translated_reason(reason) for name, reason in sorted(left.items())},
    )


def _short(path: str) -> str:
    """The file and its folder, so that the page is the same on every machine."""
    return "/".join(re.split(r"[\\/]", path)[-2:])


def _repeat(run: RunRow, manifest: Mapping[str, Any]) -> Repeat:
    parameters = ", ".join(f"{k}={v}" for k, v in sorted(manifest.get("parameters", {}).items()))
    return Repeat(
        run.controller,
        run.seed,
        parameters or "–",
        shlex.join(manifest.get("sumo_command", [])),
        str(manifest.get("tripinfo_sha256", ""))[:16],
    )
