"""The page of a report: one self-contained HTML file, readable offline and without scripts."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from markupsafe import Markup, escape

from denxanh.experiments.report import figures, street_maps, tables
from denxanh.experiments.report.conditions import vehicle_counts
from denxanh.experiments.report.contents import Comparison, Panel, ScenarioResults
from denxanh.experiments.report.decision.cautions import cautions
from denxanh.experiments.report.decision.first_screen import FirstScreen, first_screen, simulated_hours
from denxanh.experiments.report.decision.names import controller_title
from denxanh.experiments.report.definitions import DEFINITIONS
from denxanh.experiments.report.figures import Figure, FigureInputs
from denxanh.experiments.report.level_of_service import THRESHOLDS
from denxanh.experiments.report.movement_tables import HEADINGS, IntersectionTable, movement_tables
from denxanh.experiments.report.pictures.panels import picture_panels
from denxanh.experiments.results.measured_window import Unmeasured
from denxanh.experiments.results.summary import Group
from denxanh.experiments.runs.run_row import RunRow
from denxanh.sim import metrics
from denxanh.sim.language import switch
from denxanh.sim.language.text import Text, clock, number, same, unit
from denxanh.sim.run import store

if TYPE_CHECKING:
    from jinja2 import Environment

Language = Literal["en", "vi"]
MOST_RUNS = 500  # above it the page does not list single runs, to stay small


def write_report(path: Path, comparison: Comparison, *, language: Language = "en") -> None:
    """Write the report to ``path`` atomically; ``language`` is shown first.

    Raises InputError if a run names a folder whose tables are missing.
    """
    content = render(comparison, language=language).encode("utf-8")
    path.parent.mkdir(parents=True, exist_ok=True)
    with store.replacing(path) as new:
        new.write_bytes(content)


STATES = {
    "pending": Text("not run", "chưa chạy"),
    "running": Text("running", "đang chạy"),
    "failed": Text("failed", "hỏng"),
    "timeout": Text("stopped by its limit of time", "bị dừng vì quá thời gian"),
    "refused": Text("refused", "bị từ chối"),
}
"""How a run without a result ended."""


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
            heading=_heading(comparison),
            overview=_overview(comparison) if len(comparison.scenarios) > 1 else [],
            failures=[run for run in comparison.runs if not run.done],
            most=MOST_RUNS,
            movement_headings=HEADINGS,
            definitions=[
                (
                    m.name,
                    Text(m.title, m.title_vi),
                    unit(tables.SHOWN.get(m.name, (m.unit, 1.0))[0]),
                    DEFINITIONS[m.name],
                )
                for m in metrics.METRICS
            ],
            count_names=[
                (m.name, Text(m.title, m.title_vi)) for m in metrics.METRICS if m.name in tables.COUNTS
            ],
            states=STATES,
            thresholds=THRESHOLDS,
            data=Markup(script_json(_data(comparison))),
        )
    )


def shown_first(page: str, language: Language) -> str:
    """A page of ``render`` that opens in another language; nothing else of it changes."""
    for other in ("en", "vi"):
        page = page.replace(switch.choices(other), switch.choices(language), 1)
        page = page.replace(f'<html lang="{other}">', f'<html lang="{language}">', 1)
    return page


def template_environment(package: str) -> Environment:
    """The templates of a package, in which a name that is not given is an error and every text is escaped."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader(package),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _environment() -> Environment:
    environment = template_environment("denxanh.experiments.report")
    environment.globals["t"] = Text
    environment.filters["breakable"] = _breakable
    environment.filters["rounded"] = tables.rounded
    return environment


def _breakable(label: Text | str) -> Markup:
    """A label with line-break opportunities between parameters: max-pressure:interval=10,min_green=7."""
    if isinstance(label, Text) and label.en != label.vi:
        both = '<span lang="en">{}</span><span lang="vi">{}</span>'
        return Markup(both).format(_breakable(label.en), _breakable(label.vi))
    written = label.en if isinstance(label, Text) else label
    return Markup(re.sub("([:,])", r"\1<wbr>", str(escape(written))))


def _asset(name: str) -> str:
    text = (files("denxanh.experiments.report") / "templates" / name).read_text(encoding="utf-8")
    return text.replace("\r\n", "\n")  # the browser hashes the parsed text, which has no CR


@dataclass(frozen=True)
class Section:
    """The contents of the section of one scenario, for the template."""

    scenario: ScenarioResults
    anchor: str
    first: FirstScreen | None
    first_map: Figure | None
    first_bar: Markup | None
    losers_before: Text
    loser_rows: list[tables.LoserRow]
    cautions: tuple[Text, ...]
    traffic: Text | None
    hours: Text
    pictures: tuple[Panel, ...]
    label: Callable[[str], Text]
    days: Text
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
    service_note: Text
    movements: list[IntersectionTable]
    sides: tuple[Text, ...]  # the two controllers of ``movements``
    measured: tuple[str, ...]  # controllers with tables of their runs, the columns of ``service``
    provenance: tables.Provenance
    runs: list[tuple[RunRow, Text]]


def _section(comparison: Comparison, scenario: ScenarioResults) -> Section:
    inputs = figures.read(comparison, scenario)
    map_bar, maps, change_bar, changes = street_maps.map_figures(inputs)
    heat_bar, heats = figures.heat_figures(inputs)
    runs = [run for name in comparison.controllers for run in comparison.runs_of(scenario.place, name)]
    said = cautions(runs, assumed_plan=scenario.assumed_plan, notes=[note.en for note in scenario.notes])
    first = _first_screen(comparison, scenario, said)
    first_map = first_bar = None
    if first is not None:
        candidate, reference = first.recommendation.candidate, first.recommendation.gains[0].reference
        first_bar, found = street_maps.change_maps(inputs, [candidate], reference)
        names = [first.recommendation.title(name) for name in (candidate, reference)]
        for figure in found:
            heading = (names[0] + Text(" against ", " so với ") + names[1]).capitalised()
            first_map = replace(figure, heading=heading)
        if found and reference == comparison.baseline:  # it is not drawn twice
            shown = [name for name in inputs.edge_totals if name != comparison.baseline]
            del changes[shown.index(candidate)]
    seeds = {run.seed for run in comparison.runs if run.place_label == scenario.place}
    sides = (
        comparison.controllers[:1] if first is None else (first.losers.before, first.recommendation.candidate)
    )
    return Section(
        scenario=scenario,
        anchor=f"place-{comparison.scenarios.index(scenario) + 1}",
        first=first,
        first_map=first_map,
        first_bar=first_bar,
        losers_before=same("") if first is None else first.recommendation.title(first.losers.before),
        loser_rows=[] if first is None else tables.losers(first.losers),
        cautions=said,
        traffic=vehicle_counts(runs),
        hours=_hours(scenario),
        pictures=() if scenario.pictures == "none" else picture_panels(inputs, sides),
        label=inputs.label,
        days=Text(
            f"{len(seeds)} simulated day{'s' if len(seeds) != 1 else ''} of ",
            f"{len(seeds)} ngày mô phỏng, mỗi ngày ",
        )
        + simulated_hours(scenario.end - scenario.begin),
        period=_period(scenario),
        seeds=_seeds(seeds),
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
        flags=tables.flags(runs, assumed_plan=scenario.assumed_plan),
        service=tables.service(inputs),
        service_note=tables.service_note(inputs),
        movements=movement_tables(
            [comparison.runs_of(scenario.place, name) for name in sides],
            scenario.network,
        ),
        sides=tuple(controller_title(name, assumed_plan=scenario.assumed_plan) for name in sides),
        measured=tuple(inputs.edge_totals),
        provenance=tables.provenance(comparison, scenario),
        runs=[(run, number(run.metrics.get("delay_s"), 2)) for run in runs if _listed(comparison)],
    )


def _first_screen(
    comparison: Comparison, scenario: ScenarioResults, said: tuple[Text, ...]
) -> FirstScreen | None:
    runs = {name: comparison.runs_of(scenario.place, name) for name in comparison.controllers}
    group = Group(scenario.place, 1.0, runs)
    return first_screen(
        group,
        scenario.network,
        assumed_plan=scenario.assumed_plan,
        cautions=said,
        duration=scenario.end - scenario.begin,
    )


def _heading(comparison: Comparison) -> Text:
    """The title of the window: the place, if there is one, and what was done."""
    if len(comparison.scenarios) > 1 and not comparison.others_folded:
        return comparison.title
    return comparison.scenarios[0].title + ": " + comparison.title


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


def _hours(scenario: ScenarioResults) -> Text:
    """The simulated hours; where the hour of the day is not known, that they count from the start."""
    span = same(f"{clock(scenario.begin)}–{clock(scenario.end)}")
    return span if scenario.clock == "day" else span + Text(" from the start", " từ lúc bắt đầu")


def _period(scenario: ScenarioResults) -> Text:
    span = f"{clock(scenario.begin)}–{clock(scenario.end)} ({scenario.begin:g}…{scenario.end:g} s)"
    sentence = Unmeasured(scenario.warm_up, scenario.flush).sentence
    return same(span) if sentence is None else same(f"{span}; ") + sentence


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
        "heading": {"en": _heading(comparison).en, "vi": _heading(comparison).vi},
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
