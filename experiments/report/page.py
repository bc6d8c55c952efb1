"""The page of a report: one self-contained HTML file, readable offline and without scripts."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from denxanh.experiments.report import figures, street_maps, tables
from denxanh.experiments.report.contents import Comparison, ScenarioResults
from denxanh.experiments.report.definitions import DEFINITIONS
from denxanh.experiments.report.figures import Figure, FigureInputs
from denxanh.experiments.report.level_of_service import THRESHOLDS
from denxanh.experiments.results.measured_window import unfinished_flags
from denxanh.experiments.runs.run_row import RunRow
from denxanh.sim import metrics
from denxanh.sim.language import switch
from denxanh.sim.language.text import Text, clock, number, same, unit

Language = Literal["en", "vi"]
MOST_RUNS = 500  # above it the page does not list single runs, to stay small


def write_report(path: Path, comparison: Comparison, *, language: Language = "en") -> None:
    """Write the report to ``path`` atomically; ``language`` is shown first.

    Raises InputError if a run names a folder whose tables are missing.
    """
    content = render(comparison, language=language).encode("utf-8")
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def render(comparison: Comparison, *, language: Language = "en") -> str:
    """The report as HTML; equal input gives equal text."""
    style = switch.STYLE + _asset("report.css")
    script = switch.SCRIPT + _asset("report.js")
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            language=language,
            switch=switch,
            style=Markup(style),
            script=Markup(script),
            policy=switch.content_security_policy(style, script),
            comparison=comparison,
            sections=[_section(comparison, scenario) for scenario in comparison.scenarios],
            overview=_overview(comparison) if len(comparison.scenarios) > 1 else [],
            failures=[run for run in comparison.runs if not run.done],
            unfinished=unfinished_flags(comparison.runs),
            most=MOST_RUNS,
            definitions=[
                (
                    m.name,
                    Text(m.title, m.title_vi),
                    unit(tables.SHOWN.get(m.name, (m.unit, 1.0))[0]),
                    DEFINITIONS[m.name],
                )
                for m in metrics.METRICS
            ],
            count_names=tables.COUNTS,
            thresholds=THRESHOLDS,
            data=Markup(script_json(_data(comparison))),
        )
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("denxanh.experiments.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["t"] = Text
    environment.filters["breakable"] = _breakable
    return environment


def _breakable(label: str) -> Markup:
    """A label with line-break opportunities between parameters: max-pressure:interval=10,min_green=7."""
    return Markup(re.sub("([:,])", r"\1<wbr>", str(escape(label))))


def _asset(name: str) -> str:
    text = (files("denxanh.experiments.report") / "templates" / name).read_text(encoding="utf-8")
    return text.replace("\r\n", "\n")  # the browser hashes the parsed text, which has no CR


@dataclass(frozen=True)
class Section:
    """The contents of the section of one scenario, for the template."""

    scenario: ScenarioResults
    anchor: str
    period: Text
    seeds: str
    verdicts: tuple[Text, ...]
    delay: Figure
    difference: Figure | None
    time_series: list[Figure]
    others: list[Figure]
    map_bar: Markup | None
    maps: list[Figure]
    change_bar: Markup | None
    changes: list[Figure]
    heat_bar: Markup | None
    heats: list[Figure]
    results: list[tables.MetricRow]
    counts: list[tuple[Text, tuple[Text, ...]]]
    flags: list[tables.Flag]
    service: tuple[tables.ServiceRow, ...]
    measured: tuple[str, ...]  # controllers with tables of their runs, the columns of ``service``
    provenance: tables.Provenance
    runs: list[tuple[RunRow, Text]]


def _section(comparison: Comparison, scenario: ScenarioResults) -> Section:
    inputs = figures.read(comparison, scenario)
    map_bar, maps, change_bar, changes = street_maps.map_figures(inputs)
    heat_bar, heats = figures.heat_figures(inputs)
    runs = [run for name in comparison.controllers for run in comparison.runs_of(scenario.place, name)]
    return Section(
        scenario=scenario,
        anchor=f"place-{comparison.scenarios.index(scenario) + 1}",
        period=_period(scenario),
        seeds=_seeds({run.seed for run in comparison.runs if run.place_label == scenario.place}),
        verdicts=_verdicts(comparison, scenario),
        delay=figures.metric_figure(inputs, "delay_s", figures.MARKS),
        difference=figures.difference_figure(inputs),
        time_series=figures.time_series_figures(inputs),
        others=_others(inputs),
        map_bar=map_bar,
        maps=maps,
        change_bar=change_bar,
        changes=changes,
        heat_bar=heat_bar,
        heats=heats,
        results=tables.results(inputs),
        counts=tables.counts(inputs),
        flags=tables.flags(runs),
        service=tables.service(inputs),
        measured=tuple(inputs.edge_totals),
        provenance=tables.provenance(comparison, scenario),
        runs=[(run, number(run.metrics.get("delay_s"), 2)) for run in runs if _listed(comparison)],
    )


def _seeds(seeds: set[int]) -> str:
    """Seeds in ascending order, three or more consecutive ones as first…last."""
    spans: list[list[int]] = []
    for seed in sorted(seeds):
        if spans and seed == spans[-1][-1] + 1:
            spans[-1].append(seed)
        else:
            spans.append([seed])
    return ", ".join(
        f"{span[0]}…{span[-1]}" if len(span) > 2 else ", ".join(map(str, span)) for span in spans
    )


def _period(scenario: ScenarioResults) -> Text:
    span = f"{clock(scenario.begin)}–{clock(scenario.end)} ({scenario.begin:g}…{scenario.end:g} s)"
    if scenario.warm_up <= 0:
        return same(span)
    cut = f"{scenario.warm_up:g} s"
    return span + Text(f", the first {cut} not measured (warm-up)", f", không đo {cut} đầu (khởi động)")


def _verdicts(comparison: Comparison, scenario: ScenarioResults) -> tuple[Text, ...]:
    if scenario.verdicts:
        return scenario.verdicts
    rows = (comparison.row(scenario.place, name, "delay_s") for name in comparison.controllers[1:])
    return tuple(row.verdict for row in rows if row is not None and row.verdict is not None)


def _others(inputs: FigureInputs) -> list[Figure]:
    return [
        figures.metric_figure(inputs, metric)
        for metric in figures.SMALL_CHARTS
        if any(row.points for row in figures.estimates(inputs, metric))
    ]


@dataclass(frozen=True)
class OverviewRow:
    """The delay of one controller in every scenario."""

    controller: str
    cells: tuple[tuple[Text, Text], ...]  # mean and difference


def _overview(comparison: Comparison) -> list[OverviewRow]:
    rows = []
    for name in comparison.controllers:
        cells = []
        for scenario in comparison.scenarios:
            row = comparison.row(scenario.place, name, "delay_s")
            mean = number(row.mean if row else None, 1)
            change = same("") if row is None or row.diff is None else number(row.diff, 1, signed=True)
            cells.append((mean, change))
        rows.append(OverviewRow(name, tuple(cells)))
    return rows


def _listed(comparison: Comparison) -> bool:
    """Whether the page lists single runs."""
    return len(comparison.runs) <= MOST_RUNS


def _data(comparison: Comparison) -> dict[str, Any]:
    """The unrounded results, embedded in the page as JSON."""
    return {
        "schema": "denxanh-report/1",
        "title": comparison.title.en,
        "baseline": comparison.baseline,
        "runs": [
            {
                "place": run.place_label,
                "controller": run.controller,
                "seed": run.seed,
                "status": "ok" if run.state == "done" else run.state,
                "reason": run.reason,
                "metrics": dict(run.metrics),
            }
            for run in (comparison.runs if _listed(comparison) else ())
        ],
        "summary": [
            {
                "place": row.place_label,
                "controller": row.controller,
                "metric": row.metric,
                "mean": row.mean,
                "ci_low": row.ci_low,
                "ci_high": row.ci_high,
                "n": row.n,
                "diff": row.diff,
                "diff_ci_low": row.diff_ci_low,
                "diff_ci_high": row.diff_ci_high,
            }
            for row in comparison.summary
        ],
    }


def script_json(data: Mapping[str, Any]) -> str:
    """JSON that cannot close the script element that holds it."""
    text = json.dumps(data, ensure_ascii=False, sort_keys=True, allow_nan=False)
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return text
