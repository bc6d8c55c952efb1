"""One benchmark from start to end: an experiment, then its table as Markdown, LaTeX, CSV and HTML."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from denxanh.experiments.benchmark.benchmark_page import page
from denxanh.experiments.benchmark.outside_rows import OutsideRow, Source, sources_of, write_source
from denxanh.experiments.benchmark.suite import Window, define, find_suite
from denxanh.experiments.benchmark.table_files import (
    Benchmark,
    Input,
    Span,
    conditions,
    latex_text,
    markdown_text,
)
from denxanh.experiments.benchmark.table_files import window as window_of
from denxanh.experiments.definition.days import Days
from denxanh.experiments.definition.expand import expand
from denxanh.experiments.definition.experiment_file import read_experiment
from denxanh.experiments.experiment import Session, run_experiment
from denxanh.experiments.results.measured_window import window_sentences
from denxanh.experiments.results.outputs import DEFINITION
from denxanh.experiments.results.pivot import Cell, as_csv, pivot
from denxanh.experiments.runs.fallbacks import fallback_flags
from denxanh.experiments.runs.run_row import RunRow
from denxanh.experiments.specification.controllers import describe, parse_controller
from denxanh.sim.run.provenance import hash_file, versions
from denxanh.sim.run.store import replacing
from denxanh.sim.scenario import Scenario

TABLES = ("benchmark.md", "benchmark.tex", "benchmark.csv", "benchmark.html", "benchmark.toml")


@dataclass(frozen=True)
class Result:
    """The runs of a benchmark, and what its files show; None where no run is done."""

    rows: tuple[RunRow, ...]
    shown: Benchmark | None


def run_benchmark(
    text: str,
    out: Path,
    session: Session,
    *,
    controllers: Sequence[str] = (),
    seeds: Sequence[int] = (),
    duration: float | None = None,
    days: Days = "each",
    window: Window | None = None,
) -> Result:
    """Run what is missing of the benchmark of a suite, folder or place ``text`` into ``out``, and write its tables.

    It is an experiment: the same call goes on with it, and one with more controllers or seeds adds to it. Without
    ``controllers``, ``seeds`` and ``duration`` (s) they are the suite's. Without ``window`` the whole run is
    measured. Raises InputError, RunError or KeyboardInterrupt.
    """
    suite = define(
        find_suite(text),
        out,
        controllers=controllers,
        seeds=seeds,
        duration=duration,
        days=days,
        window=window,
        on_message=session.on_message,
    )
    session.on_message(
        f"{len(suite.scenarios)} scenarios, {len(suite.controllers)} controllers, {len(suite.seeds)} seeds: reading "
        "networks and demand" + (", drawing a day for each seed" if days == "each" else "")
    )
    definition = out / DEFINITION
    rows = run_experiment(definition, out, session)
    if not any(row.done for row in rows):
        return Result(tuple(rows), None)
    inputs, spans = _inputs(expand(read_experiment(definition), definition).scenarios)
    table = pivot(rows, "delay_s")
    shown = Benchmark(
        suite,
        days,
        table,
        inputs,
        spans,
        tuple((name, describe(parse_controller(name.partition(" @ ")[0])[0])) for name in table.controllers),
        tuple(sources_of(table.places)),
        versions(),
        session.command,
        tuple(window_sentences(rows)),
        tuple(fallback_flags(rows)),
    )
    _write(out, shown)
    return Result(tuple(rows), shown)


def inputs_digest(scenario: Scenario) -> str:
    """SHA-256 over the contents of a scenario's files, its options, and its step; not its names and times."""
    parts = [hash_file(path) for path in scenario.inputs()]
    options = [f"{name}={value}" for name, value in sorted(scenario.options.items())]
    return hashlib.sha256("\n".join([*parts, *options, f"{scenario.step:g}"]).encode()).hexdigest()


def _inputs(scenarios: Sequence[Scenario]) -> tuple[tuple[Input, ...], dict[str, Span]]:
    files = tuple(
        Input(scenario.name, path.name, hash_file(path))
        for scenario in scenarios
        for path in scenario.inputs()
    )
    spans = {
        scenario.name: Span(inputs_digest(scenario), hash_file(scenario.net), scenario.begin, scenario.end)
        for scenario in scenarios
    }
    return files, spans


def _write(out: Path, shown: Benchmark) -> None:
    texts = (
        markdown_text(shown),
        latex_text(shown),
        as_csv(shown.table),
        page(shown),
        write_source(own_rows(shown)),
    )
    for name, text in zip(TABLES, texts, strict=True):
        with replacing(out / name) as path:
            path.write_text(text, encoding="utf-8", newline="\n")


def own_rows(shown: Benchmark) -> Source:
    """The table as a file of rows, to be contributed: docs/benchmark.md."""
    rows = [
        _own_row(controller, place, cell, shown.spans.get(place))
        for controller, cells in zip(shown.table.controllers, shown.table.cells, strict=True)
        for place, cell in zip(shown.table.places, cells, strict=True)
        if cell.mean is not None
    ]
    return Source(
        title=f"denxanh {shown.versions['denxanh']}, suite {shown.suite.name}",
        source=f"Measured by: {shown.command or 'denxanh benchmark'}",
        url="",
        sumo=shown.versions["sumo"],
        comparable=f"One to one where the files are the same; {conditions(shown).en}. {window_of(shown).en}",
        rows=tuple(rows),
    )


def _own_row(controller: str, place: str, cell: Cell, span: Span | None) -> OutsideRow:
    assert cell.mean is not None
    return OutsideRow(
        place,
        controller,
        cell.mean,
        cell.half_width,
        cell.runs,
        cell.gridlocked,
        cell.teleports,
        cell.waiting,
        inputs=span.inputs if span else "",
        network=span.network if span else "",
        begin=span.begin if span else None,
        end=span.end if span else None,
        fallbacks=cell.fallbacks,
        unfinished=cell.unfinished,
        limited=cell.limited,
        failed=cell.failed,
    )
