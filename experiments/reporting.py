"""From an experiment's folder to its report: what the ledger and the places say, told to the report."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from experiments.conditions import conditions
from experiments.ledger import Row
from experiments.records import SummaryLine
from experiments.report import Comparison, Panel, RunRecord, Scene, SummaryRow, Text, write_report
from experiments.report.left import left_to_sumo
from experiments.runner import run_folder
from experiments.summary import group_verdicts, groups, label, summarise_rows
from sim.network import Network
from sim.run import versions
from sim.scenario import Scenario
from sim.sumonet import network_of

COMPARISON = Text("Comparison of signal controllers", "So sánh các phương án điều khiển đèn tín hiệu")


def write_comparison(
    out: Path,
    scenarios: Sequence[Scenario],
    rows: Sequence[Row],
    *,
    command: str,
    warm_up: float = 0.0,
    runs_in: Path | None = None,
    title: Text = COMPARISON,
    notes: tuple[Text, ...] = (),
    panels: tuple[Panel, ...] = (),
) -> Path:
    """Write ``report.html`` into ``out``; returns its path. A section for each place and demand level.

    ``runs_in`` is the experiment's folder where it is not ``out``; ``panels`` go into the first section.
    """
    keys = dict.fromkeys((row.place, row.demand) for row in rows)
    by_group = {(group.place, group.demand): group for group in groups(rows)}
    by_name = {scenario.name: scenario for scenario in scenarios}
    networks = {name: network_of(scenario) for name, scenario in by_name.items()}
    comparison = Comparison(
        title=title,
        baseline=rows[0].controller,
        scenes=tuple(
            Scene(
                place=label(place, demand),
                title=place_title(label(place, demand)),
                begin=by_name[place].begin,
                end=by_name[place].end,
                network=networks[place],
                warm_up=warm_up,
                verdicts=tuple(Text(*said) for said in group_verdicts(by_group[place, demand])),
                notes=_notes(by_name[place], networks[place])
                + conditions(runs_in or out, [r for r in rows if (r.place, r.demand) == (place, demand)]),
                credit="© OpenStreetMap contributors" if place.startswith(("ha-noi/", "tp-hcm/")) else "",
            )
            for place, demand in keys
        ),
        runs=tuple(_record(runs_in or out, row) for row in rows),
        summary=tuple(_summary(line) for line in summarise_rows(rows)),
        command=command,
        versions=versions(),
        notes=notes,
    )
    if panels:
        first, *others = comparison.scenes
        comparison = replace(comparison, scenes=(replace(first, panels=panels), *others))
    path = out / "report.html"
    write_report(path, comparison)
    return path


def place_title(name: str) -> Text:
    """A place's name; what ``denxanh optimize`` calls its held-out demand is translated."""
    return Text(
        name, re.sub(r"\(another day(, \d+)?\)", r"(ngày khác\1)", re.sub(r"\(also, ", "(thêm, ", name))
    )


def _notes(scenario: Scenario, network: Network) -> tuple[Text, ...]:
    said = (Text(note, _vietnamese(note)) for note in scenario.notes)
    return (*said, *left_to_sumo(network, most=8))


def _vietnamese(note: str) -> str:
    """The notes that reading a place makes, in Vietnamese; file names and options stay as they are."""
    for english, vietnamese in _VIETNAMESE:
        if english in note:
            return note.replace(english, vietnamese, 1)
    return note


_VIETNAMESE = (
    (
        "the demand is synthetic: no published counts exist for it",
        "lưu lượng là tổng hợp: chưa có số liệu đếm xe được công bố cho nơi này",
    ),
    ("ignored from", "không dùng, trong"),
    (
        "asks for SUMO's mesoscopic model; here every vehicle is simulated microscopically",
        "yêu cầu mô hình mesoscopic của SUMO; ở đây mọi xe được mô phỏng vi mô",
    ),
    (
        "it gives no end: the run goes on for an hour after the last departure, "
        "and flows per hour and mean queues are over all of it",
        "không cho thời điểm kết thúc: chạy thêm một giờ sau chuyến cuối cùng, "
        "lưu lượng giờ và hàng chờ trung bình tính trên toàn bộ thời gian đó",
    ),
)


def _record(out: Path, row: Row) -> RunRecord:
    done = row.state == "done"
    return RunRecord(
        place=label(row.place, row.demand),
        controller=row.controller,
        seed=row.seed,
        status="ok" if done else row.state,
        reason=row.reason,
        metrics=row.metrics if done else {},
        folder=run_folder(out, row.id) if done else None,
    )


def _summary(line: SummaryLine) -> SummaryRow:
    return SummaryRow(
        place=label(line.place, line.demand),
        controller=line.controller,
        metric=line.metric,
        mean=line.mean,
        ci_low=line.ci_low,
        ci_high=line.ci_high,
        n=line.n,
        diff=line.diff,
        diff_ci_low=line.diff_ci_low,
        diff_ci_high=line.diff_ci_high,
        verdict=Text(line.verdict, line.verdict_vi),
    )
