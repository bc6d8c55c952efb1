"""From an experiment's folder to its report: what the ledger and the places say, told to the report."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from denxanh.experiments.report import Comparison, Panel, ScenarioResults, Text, write_report
from denxanh.experiments.report.conditions import conditions
from denxanh.experiments.report.decision.conclusions import existing_is_assumed
from denxanh.experiments.report.decision.controller_labels import controller_label
from denxanh.experiments.report.decision.names import place_title
from denxanh.experiments.report.decision.vehicle_types_panel import vehicle_types_panel
from denxanh.experiments.report.left_to_sumo import left_to_sumo_notes
from denxanh.experiments.report.page import Language
from denxanh.experiments.results.measured_window import unmeasured
from denxanh.experiments.results.summary import Group, group_verdicts, groups, summarise_rows
from denxanh.experiments.runs.run_row import RunRow, place_label
from denxanh.sim.network import Network
from denxanh.sim.network_reader import network_of
from denxanh.sim.run.provenance import versions
from denxanh.sim.scenario import Scenario
from denxanh.sim.signals.operation import operation_notes

COMPARISON = Text("Comparison of signal controllers", "So sánh các phương án điều khiển đèn tín hiệu")


def write_comparison(
    out: Path,
    scenarios: Sequence[Scenario],
    rows: Sequence[RunRow],
    *,
    command: str,
    title: Text = COMPARISON,
    notes: tuple[Text, ...] = (),
    panels: tuple[Panel, ...] = (),
    findings: tuple[Text, ...] = (),
    others_folded: bool = False,
    recorded: bool = True,
    language: Language = "en",
) -> Path:
    """Write ``report.html`` into ``out``; returns its path. A section for each place and demand level.

    ``panels`` go into the first section, the subject of the page if the others are folded, ``findings`` onto its first
    screen. With ``recorded`` two runs
    of that section are simulated again for its pictures.
    """
    comparison = comparison_of(scenarios, rows, command=command, title=title, notes=notes)
    comparison = replace(comparison, others_folded=others_folded)
    if panels:
        first, *others = comparison.scenarios
        comparison = replace(comparison, scenarios=(replace(first, panels=(*panels, *first.panels)), *others))
    first, *others = comparison.scenarios
    first = replace(first, findings=findings, pictures="recorded" if recorded else first.pictures)
    comparison = replace(comparison, scenarios=(first, *others))
    path = out / "report.html"
    write_report(path, comparison, language=language)
    return path


def comparison_of(
    scenarios: Sequence[Scenario],
    rows: Sequence[RunRow],
    *,
    command: str = "",
    title: Text = COMPARISON,
    notes: tuple[Text, ...] = (),
) -> Comparison:
    """The contents of a report: the runs, their summary, and a scenario for each place and demand level."""
    keys = dict.fromkeys((row.place, row.demand) for row in rows)
    by_group = {(group.place, group.demand): group for group in groups(rows)}
    by_name = {scenario.name: scenario for scenario in scenarios}
    cuts = unmeasured(rows)
    networks = {name: network_of(scenario) for name, scenario in by_name.items()}
    return Comparison(
        title=title,
        baseline=rows[0].controller,
        scenarios=tuple(
            ScenarioResults(
                place=place_label(place, demand),
                title=place_title(place_label(place, demand)),
                begin=by_name[place].begin,
                end=by_name[place].end,
                network=networks[place],
                warm_up=cuts[place_label(place, demand)].warm_up,
                flush=cuts[place_label(place, demand)].flush,
                assumed_plan=existing_is_assumed(
                    by_name[place], [r for r in rows if (r.place, r.demand) == (place, demand)]
                ),
                verdicts=_verdicts(
                    by_group[place, demand],
                    assumed=existing_is_assumed(
                        by_name[place], [r for r in rows if (r.place, r.demand) == (place, demand)]
                    ),
                ),
                notes=_notes(by_name[place], networks[place])
                + conditions([r for r in rows if (r.place, r.demand) == (place, demand)]),
                panels=_panels(by_name[place], [r for r in rows if (r.place, r.demand) == (place, demand)]),
                pictures="tables",
                credit="© OpenStreetMap contributors" if place.startswith(("ha-noi/", "tp-hcm/")) else "",
            )
            for place, demand in keys
        ),
        runs=tuple(rows),
        summary=tuple(summarise_rows(rows)),
        command=command,
        versions=versions(),
        notes=notes,
    )


def _verdicts(group: Group, *, assumed: bool) -> tuple[Text, ...]:
    """The verdicts of one place and demand, in Vietnamese with the names of the controllers."""
    labels = sorted(group.runs, key=len, reverse=True)
    names = {label: controller_label(label, assumed_plan=assumed).vi for label in labels}
    label = re.compile(r"(?<![\w-])(" + "|".join(map(re.escape, labels)) + r")(?![\w-])")
    return tuple(
        Text(english, label.sub(lambda found: names[found[1]], vietnamese))
        for english, vietnamese in group_verdicts(group)
    )


def _panels(scenario: Scenario, rows: Sequence[RunRow]) -> tuple[Panel, ...]:
    panel = vehicle_types_panel(rows, assumed_plan=existing_is_assumed(scenario, rows))
    return () if panel is None else (panel,)


def _notes(scenario: Scenario, network: Network) -> tuple[Text, ...]:
    return (
        *map(translated_note, scenario.notes),
        *left_to_sumo_notes(network, most=8),
        *operation_notes(network.by_operation(), most=8),
    )


def translated_note(note: str) -> Text:
    """A note that reading a place made, in both languages."""
    return Text(note, _vietnamese(note))


def _vietnamese(note: str) -> str:
    """The notes that reading a place makes, in Vietnamese; file names and options stay as they are."""
    for english, vietnamese in _VIETNAMESE:
        if english in note:
            return note.replace(english, vietnamese, 1)
    return note


_VIETNAMESE = (
    (
        "the demand is synthetic: no published counts exist for it",
        "lưu lượng giả định, chưa có số liệu đếm xe được công bố cho nơi này",
    ),
    (
        "the demand is synthetic: made for a start, nobody has counted it",
        "lưu lượng giả định để bắt đầu, chưa có số liệu đếm",
    ),
    (
        "warm-up and flush are a quarter of the duration each, less than the longest route takes without delay",
        "thời gian khởi động và thời gian xả mỗi bên bằng một phần tư thời gian mô phỏng, ngắn hơn thời gian đi hết "
        "tuyến dài nhất khi không bị trễ",
    ),
    (
        "the whole run is measured, without warm-up and flush: no vehicle departs between them",
        "tính toàn bộ thời gian mô phỏng, không có thời gian khởi động và xả: không có xe nào xuất phát giữa hai "
        "khoảng đó",
    ),
    (
        "the whole run is measured, without warm-up and flush: the routes are not known before the run",
        "tính toàn bộ thời gian mô phỏng, không có thời gian khởi động và xả: không biết lộ trình trước khi chạy",
    ),
    ("ignored from", "không dùng, trong"),
    (
        "asks for SUMO's mesoscopic model; here every vehicle is simulated microscopically",
        "yêu cầu mô hình mesoscopic của SUMO; ở đây mọi xe được mô phỏng vi mô",
    ),
    (
        "switches every signal off (tls.all-off): under 'program' and SUMO's own logics junctions "
        "run by right of way; other controllers put the signals into operation",
        "tắt mọi đèn tín hiệu (tls.all-off): với 'program' và các thuật toán của SUMO, nút chạy theo quyền ưu tiên; "
        "các bộ điều khiển khác bật đèn trở lại",
    ),
    (
        "it gives no end: the run goes on for an hour after the last departure, "
        "and flows per hour and mean queues are over all of it",
        "không cho thời điểm kết thúc: chạy thêm một giờ sau chuyến cuối cùng, "
        "lưu lượng giờ và hàng chờ trung bình tính trên toàn bộ thời gian đó",
    ),
)
