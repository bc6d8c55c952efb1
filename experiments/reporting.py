"""From an experiment's folder to its report: what the ledger and the places say, told to the report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from experiments.ledger import Row
from experiments.records import SummaryLine
from experiments.report import Comparison, Panel, RunRecord, Scene, SummaryRow, Text, write_report
from experiments.runner import run_folder
from experiments.summary import summarise_rows
from sim.run import versions
from sim.scenario import Scenario
from sim.sumonet import load_network

COMPARISON = Text("Comparison of signal controllers", "So sánh các phương án điều khiển đèn tín hiệu")


def write_comparison(
    out: Path,
    scenarios: Sequence[Scenario],
    rows: Sequence[Row],
    *,
    command: str,
    runs_in: Path | None = None,
    title: Text = COMPARISON,
    notes: tuple[Text, ...] = (),
    panels: tuple[Panel, ...] = (),
) -> Path:
    """Write ``report.html`` into ``out``; returns its path. A section for each place and demand level.

    ``runs_in`` is the experiment's folder where it is not ``out``; ``panels`` go into the first section.
    """
    keys = dict.fromkeys((row.place, row.demand) for row in rows)
    by_name = {scenario.name: scenario for scenario in scenarios}
    networks = {name: load_network(s.net, name=name) for name, s in by_name.items()}
    comparison = Comparison(
        title=title,
        baseline=rows[0].controller,
        scenes=tuple(
            Scene(
                place=_label(place, demand),
                title=Text(_label(place, demand), _label(place, demand)),
                begin=by_name[place].begin,
                end=by_name[place].end,
                network=networks[place],
                notes=tuple(
                    Text(note, note) for note in _notes(by_name[place], networks[place].left_to_sumo)
                ),
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


def _label(place: str, demand: float) -> str:
    return place if demand == 1.0 else f"{place} × {demand:g}"


def _notes(scenario: Scenario, left: object) -> list[str]:
    out = list(scenario.notes)
    if isinstance(left, dict):
        out += [f"signal {tl} is left to SUMO: {reason}" for tl, reason in left.items()]
    return out


def _record(out: Path, row: Row) -> RunRecord:
    done = row.state == "done"
    return RunRecord(
        place=_label(row.place, row.demand),
        controller=row.controller,
        seed=row.seed,
        status="ok" if done else row.state,
        reason=row.reason,
        metrics=row.metrics if done else {},
        folder=run_folder(out, row.id) if done else None,
    )


def _summary(line: SummaryLine) -> SummaryRow:
    return SummaryRow(
        place=_label(line.place, line.demand),
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
