"""What the command line prints: places, checks, runs, comparisons, progress.

Each function imports what it prints: ``check`` and ``list`` need no results.
"""

from __future__ import annotations

import csv
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

    from denxanh.experiments.results.verify import Verdict
    from denxanh.experiments.runs.execution import Outcome
    from denxanh.experiments.runs.run_row import RunRow
    from denxanh.sim.metrics import Value
    from denxanh.sim.scenario import Scenario

WIDE = 1000  # columns of a table in a file or a pipe: nothing is cut off


def _console(*, stderr: bool) -> Console:
    """A console that looks for its stream at each print. Files and pipes get whole lines, and no colours."""
    made = Console(stderr=stderr, highlight=False, soft_wrap=True)
    if not made.is_terminal:
        made = Console(stderr=stderr, highlight=False, soft_wrap=True, width=WIDE, color_system=None)
    return made


out = _console(stderr=False)
err = _console(stderr=True)

FIRST = ("delay_s", "stops", "queue_mean_veh", "arrived", "running", "waiting", "teleports", "collisions")
"""The metrics a terminal shows; the files hold all."""
LIMITED = "a limit of time was met twice, so these numbers depend on the machine"


def print_catalogue() -> None:
    """Print places, controllers and sensings, a line each."""
    from denxanh import networks
    from denxanh.experiments.specification.controllers import controllers, describe
    from denxanh.experiments.specification.sensings import describe_sensings

    out.print(Text("Places", style="bold"))
    for place in networks.list_places():
        out.print(Text(f"  {place.name:<28} {place.signals:>3} signals  {place.title} · {place.title_vi}"))
    out.print(Text("Controllers", style="bold"))
    for name in controllers():
        out.print(Text(f"  {name:<28} {describe(name)}"))
    out.print(Text("Sensings", style="bold"))
    for name, line in describe_sensings():
        out.print(Text(f"  {name:<28} {line}"))


def print_notes(scenario: Scenario) -> None:
    """What was ignored or assumed in reading a place."""
    for note in scenario.notes:
        err.print(Text(f"note: {note}", style="dim"))


def print_place(scenario: Scenario, controllers: Sequence[str] = ()) -> None:
    """Print the result of ``denxanh check``."""
    from denxanh.experiments.study.place_check import check_controller, check_place
    from denxanh.sim.signals.waivers import by_kind

    report = check_place(scenario)
    for line in report.facts:
        out.print(Text(line))
    for line in report.plans:
        out.print(Text(f"  {line}"))
    for warning in report.warnings:
        out.print(Text(f"warning: {warning.en}", style="yellow"))
    for line in by_kind(report.waivers):
        out.print(Text(f"warning: {line}; kept as the network has it", style="yellow"))
    for controller in controllers:
        out.print(Text(check_controller(scenario, controller)))
    out.print(Text(report.verdict, style="bold"))


def print_analysis(table: Mapping[str, Sequence[object]]) -> None:
    """Print the main columns of ``denxanh analyse``, a table for each signal."""
    shown = {
        "flow_pcu_h": ("flow", "PCU/h", 0), "green_s": ("green", "s", 0), "vc": ("v/c", "", 2),
        "delay_s": ("delay", "s", 1), "los": ("LOS", "", 0), "simulated_delay_s": ("simulated", "s", 1),
        "simulated_los": ("LOS", "", 0), "queue_p95_m": ("95 % queue", "m", 0), "storage_ratio": ("/ storage", "", 2),
    }  # fmt: skip
    kept = [column for column in shown if column in table]
    rows = [dict(zip(table, values, strict=True)) for values in zip(*table.values(), strict=True)]
    for signal in dict.fromkeys(table["signal"]):
        mine = [row for row in rows if row["signal"] == signal]
        grid = Table(title=f"{signal}, cycle {mine[0]['cycle_s']:g} s", title_justify="left")
        grid.add_column("")
        for column in kept:
            name, unit, _ = shown[column]
            grid.add_column(f"{name} ({unit})" if unit else name, justify="right")
        for row in mine:
            values = [(row[column], shown[column][2]) for column in kept]
            grid.add_row(
                _analysed(row),
                *(
                    "" if v is None else v if isinstance(v, str) else f"{v:.{places}f}"
                    for v, places in values
                ),
            )
        out.print(grid)


def _analysed(row: Mapping[str, object]) -> str:
    """What a row is about: the turns of a lane group and its number of lanes, or an approach, or a crossing."""
    if row["level"] == "lane group":
        lanes = len(str(row["name"]).split())
        return f"{row['label']}, {lanes} lane{'s' if lanes > 1 else ''}"
    return (
        f"{row['level']} {row['label'] or row['name']}" if row["level"] != "intersection" else "intersection"
    )


def print_run(manifest: Mapping[str, Any], target: Path) -> None:
    """Print the results of one run."""
    from denxanh.experiments.results.measured_window import MOST_UNFINISHED, unfinished_share, unmeasured_in
    from denxanh.sim.metrics import METRICS
    from denxanh.sim.signals.operation import operation_notes

    values: Mapping[str, Value] = manifest["metrics"]
    table = Table(
        title=f"{manifest['place']} · {manifest['controller']} · "
        f"sensing {manifest['sensing']['name']} · seed {manifest['seed']}",
        title_justify="left",
    )
    table.add_column("metric")
    table.add_column("value", justify="right")
    table.add_column("unit")
    for metric in METRICS:
        table.add_row(metric.title, number(values[metric.name]), metric.unit)
    out.print(table)
    if (sentence := unmeasured_in(manifest).sentence) is not None:
        out.print(Text(sentence.en))
    if (share := unfinished_share(values)) > MOST_UNFINISHED:
        out.print(
            Text(
                f"flagged: {100 * share:.1f} % of the vehicles were still on their way at the end "
                f"(limit {100 * MOST_UNFINISHED:g} %); simulate longer, with a later --end",
                style="yellow",
            )
        )
    for line in event_lines(manifest):
        out.print(Text(line))
    if not manifest["controller"].startswith(("program", "sumo")):
        if left := manifest["left_to_sumo"]:
            out.print(Text(f"{len(left)} signals were left to SUMO; denxanh check says why"))
        for said in operation_notes(manifest["operation"]):
            out.print(Text(said.en))
    for kind, count in manifest["warnings"].items():
        err.print(Text(f"SUMO warned {count}×: {kind}", style="dim"))
    out.print(Text(f"results in {target}"))


def event_lines(manifest: Mapping[str, Any]) -> list[str]:
    """Events of a run, fallbacks to the fixed plan, and the rules that its plans waive."""
    lines = []
    for event in manifest["events"]:
        if event["kind"] == "fallback":
            lines.append(
                f"t={event['time_s']:g} s: {event['intersection']} fell back to its fixed plan "
                f"({event['cause']}): {event['detail']}"
            )
        else:
            lines.append(f"t={event['time_s']:g}–{event['until_s']:g} s: {event['detail']}")
    if manifest.get("limits_met"):
        lines.append(f"{LIMITED}: {'; '.join(manifest['limits_met'])}")
    elif manifest.get("repeated_after"):
        lines.append(f"this run was repeated after a limit of time: {manifest['repeated_after']}")
    if manifest["waivers"]:
        from denxanh.experiments.report.conditions import waived_rules

        lines += [said.en for said in waived_rules(manifest["waivers"])]
    return lines


def print_comparison(scenario: Scenario, rows: Sequence[RunRow], target: Path, report: Path) -> None:
    """Print means, verdicts and failures of a comparison, and in three lines what to do."""
    from denxanh.experiments.report.decision.conclusions import existing_is_assumed
    from denxanh.experiments.results.summary import headline
    from denxanh.sim.metrics import METRICS

    titles = ("runs", *(f"{m.title} ({m.unit})" for name in FIRST for m in METRICS if m.name == name))
    for (place, demand), columns in _means(rows).items():
        table = Table(title=place if demand == 1.0 else f"{place} × {demand:g}", title_justify="left")
        table.add_column("mean over runs")
        for controller in columns:
            table.add_column(controller, justify="right")
        for cells in zip(titles, *columns.values(), strict=True):
            table.add_row(*cells)
        out.print(table)
    _print_window(rows)
    if existing_is_assumed(scenario, rows):
        out.print(
            Text(
                "assumed plan: nobody has confirmed that the plan of program runs in the street; a gain over "
                "it is no forecast (--plan-is-real once it is confirmed)",
                style="yellow",
            )
        )
    for english, _ in headline(rows):
        out.print(Text(english))
    for row in rows:
        if row.state != "done":
            err.print(
                Text(
                    f"{row.place}, {row.controller}, seed {row.seed}: {row.state}: {row.reason}", style="red"
                )
            )
    print_conclusions([scenario], rows)
    out.print(Text(f"report: {report}   tables: {target / 'runs.csv'}, {target / 'summary.csv'}"))


def print_conclusions(scenarios: Sequence[Scenario], rows: Sequence[RunRow]) -> None:
    """Print for each place what its first screen says: before, after with per cent and who loses, what to do."""
    from denxanh.experiments.report.decision.conclusions import conclusions

    found = conclusions(scenarios, rows)
    for place, screen in found:
        if len(found) > 1:
            out.print(Text(place.en, style="bold"))
        for line in screen.three_lines():
            out.print(Text(line.en, style="bold"))


def _print_window(rows: Sequence[RunRow]) -> None:
    """Print warm-up and flush, and a line for each controller that fell back, or with vehicles on their way."""
    from denxanh.experiments.results.measured_window import unfinished_flags, window_sentences
    from denxanh.experiments.runs.fallbacks import fallback_flags

    for sentence in window_sentences(rows):
        out.print(Text(sentence.en))
    for flag in (*fallback_flags(rows), *unfinished_flags(rows)):
        out.print(Text(f"flagged: {flag.en}", style="yellow"))


def print_message(text: str) -> None:
    """Print a message to standard error."""
    err.print(Text(text))


def print_experiment(rows: Sequence[RunRow], target: Path, *, advice: bool = True) -> None:
    """Print the end of an experiment: verdicts, failures by reason, what to do at each place, the folder.

    ``advice`` False leaves out what to do: who compares methods installs nothing.
    """
    from denxanh.experiments.results.load import LEDGER
    from denxanh.experiments.results.outputs import scenarios_of
    from denxanh.experiments.results.summary import headline
    from denxanh.experiments.runs.ledger import Ledger

    counts = Counter(row.state for row in rows)
    out.print(Text(", ".join(f"{n} {state}" for state, n in counts.items()) or "no runs"))
    _print_window(rows)
    for english, _ in headline(rows):
        out.print(Text(english))
    reasons = Counter((row.state, row.reason) for row in rows if row.state not in ("done", "pending"))
    for (state, reason), n in reasons.most_common(10):
        err.print(Text(f"{n} {state}: {reason}", style="red"))
    if advice and any(row.done for row in rows):
        with Ledger(target / LEDGER, read_only=True) as ledger:
            print_conclusions(scenarios_of(ledger, rows), rows)
    out.print(Text(f"results in {target}: README.md says what is where"))


def print_table(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print the result of a query: a table on a terminal, CSV elsewhere."""
    from denxanh.sim.input.text_files import csv_row

    if not out.is_terminal:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(csv_row(names))
        writer.writerows(map(csv_row, rows))
        return
    drawn = Table()
    for name in names:
        drawn.add_column(name)
    for row in rows:
        drawn.add_row(*(Text("" if value is None else str(value)) for value in row))
    out.print(drawn)


def print_verdict(found: Verdict) -> None:
    """Print a verdict."""
    style = {"same": "", "differs": "red", "cannot": "yellow"}[found.state]
    reason = f": {found.reason}" if found.reason else ""
    out.print(Text(f"{found.subject}: {found.state}{reason}", style=style))


def print_verification(found: Sequence[Verdict]) -> None:
    """Print the numbers of verdicts."""
    counts = Counter(verdict.state for verdict in found)
    if set(counts) <= {"same"}:
        out.print(
            Text(
                f"every file is as it was written and follows from the runs; {counts['same']} runs done again, "
                "the same to the last byte"
            )
        )
    else:
        out.print(Text(", ".join(f"{n} {state}" for state, n in counts.items()), style="bold"))


def _means(rows: Sequence[RunRow]) -> dict[tuple[str, float], dict[str, list[str]]]:
    """By place and demand, then controller: runs done, then the mean of each metric in FIRST."""
    found: dict[tuple[str, float], dict[str, list[RunRow]]] = {}
    for row in rows:
        found.setdefault((row.place, row.demand), {}).setdefault(row.controller, []).append(row)
    return {
        key: {controller: _cells(mine) for controller, mine in columns.items()}
        for key, columns in found.items()
    }


def _cells(rows: Sequence[RunRow]) -> list[str]:
    done = [row for row in rows if row.done]
    cells = [f"{len(done)}/{len(rows)}"]
    for name in FIRST:
        values = [value for row in done if (value := row.metrics.get(name)) is not None]
        cells.append(number(sum(values) / len(values)) if values else "–")
    return cells


def number(value: Value) -> str:
    """A number as text: whole, with two decimals below 100, else none."""
    if value is None:
        return "–"
    if isinstance(value, int) or value == int(value):
        return f"{int(value)}"
    return f"{value:.2f}" if abs(value) < 100 else f"{value:.0f}"


class Progress:
    """A bar on a terminal, plain lines elsewhere; called with each finished run."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._done = 0
        self._bar: RichProgress | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> Progress:
        if err.is_terminal:
            from rich.progress import (
                BarColumn,
                MofNCompleteColumn,
                TextColumn,
                TimeElapsedColumn,
                TimeRemainingColumn,
            )
            from rich.progress import Progress as RichProgress

            self._bar = RichProgress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                TimeRemainingColumn(),
                console=err,
            )
            self._bar.start()
            self._task = self._bar.add_task("runs", total=self._total)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, id: str, outcome: Outcome) -> None:
        """A run has ended."""
        self._done += 1
        if self._bar is not None and self._task is not None:
            self._bar.advance(self._task)
        elif outcome.manifest is not None:
            m = outcome.manifest
            err.print(
                Text(
                    f"{self._done}/{self._total}  {m['place']}  {outcome.label or m['controller']}  seed {m['seed']}  "
                    f"{m['metrics']['delay_s']:.1f} s/veh  ({m['wall_s']:.1f} s)"
                )
            )
        if outcome.manifest is None:
            label = f"{outcome.label}: " if outcome.label else ""
            err.print(Text(f"{label}{outcome.state}: {outcome.reason}", style="red"))
        elif outcome.limits_met:
            label = f"{outcome.label}: " if outcome.label else ""
            err.print(Text(f"{label}limited: {LIMITED}: {outcome.limits_met}", style="red"))
