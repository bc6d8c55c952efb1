"""Output of ``denxanh optimize`` on the terminal: a progress line, then the result."""

from __future__ import annotations

import math
import time
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray
from rich.text import Text

from denxanh.experiments.cli.printing import err, number, out, print_conclusions
from denxanh.experiments.optimize.job.plan_files import DAY, FRONT, PLAN, PROGRAM
from denxanh.experiments.optimize.job.tuning_options import TuningOptions
from denxanh.experiments.optimize.job.tuning_result import (
    TuningResult,
    Variant,
    budget_note,
    cycle_range,
)
from denxanh.experiments.optimize.search.outcome import Progress
from denxanh.experiments.report.optimization.baseline_text import baseline_notes
from denxanh.experiments.results.references import ASSUMED_NAME, CONVENTIONAL
from denxanh.experiments.results.summary import headline
from denxanh.experiments.runs.execution import Outcome
from denxanh.sim.language.text import clock

QUIET = 5.0  # s of search between two lines where there is no terminal


class ProgressLine:
    """The progress of an optimisation: one changing line on a terminal, elsewhere a line every QUIET seconds."""

    def __init__(self, seconds: float | None = None) -> None:
        """``seconds`` of wall-clock time that the command may take: what is left of them stands in every line."""
        self._end = None if seconds is None else time.monotonic() + seconds
        self._status = err.status("reading the scenario") if err.is_terminal else None
        self._printed_at = -2 * QUIET
        self._runs = 0

    def __enter__(self) -> ProgressLine:
        if self._status is not None:
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status is not None:
            self._status.stop()

    def on_search(self, progress: Progress) -> None:
        """Show the state of the search."""
        model = f", best in the model {progress.predicted:.1f}" if math.isfinite(progress.predicted) else ""
        sumo = f", best in SUMO {progress.sumo:.1f}" if math.isfinite(progress.sumo) else ""
        line = f"{progress.step}: {progress.evaluations} plans, {progress.runs} runs of SUMO{model}{sumo}"
        line += self._left()
        if self._status is not None:
            self._status.update(line)
        elif progress.cpu - self._printed_at >= QUIET or progress.step == "evaluate":
            self._printed_at = progress.cpu
            err.print(Text(line, style="dim"))

    def on_message(self, text: str) -> None:
        """Show the phase that begins."""
        text += self._left()
        if self._status is not None:
            self._status.update(text)
        else:
            err.print(Text(text, style="dim"))

    def _left(self) -> str:
        """The time left, as ``, 2:05 left``; empty without a limit."""
        if self._end is None:
            return ""
        minutes, seconds = divmod(max(0, round(self._end - time.monotonic())), 60)
        return f", {minutes}:{seconds:02d} left"

    def on_run(self, id: str, outcome: Outcome) -> None:
        """Count a held-out run that has ended; print it if it failed."""
        self._runs += 1
        if self._status is not None:
            text = f"validating the plan on held-out seeds and days: {self._runs} runs"
            self._status.update(text + self._left())
        if outcome.manifest is None:
            err.print(Text(f"{outcome.state}: {outcome.reason}", style="red"))


def tuning(result: TuningResult, options: TuningOptions, report: Path | None) -> None:
    """Print the result of ``denxanh optimize``."""
    if result.interrupted:
        err.print(Text("interrupted: the following is the best result by then", style="yellow"))
    for english, _ in headline(result.rows):  # the gain over the conventional plan first
        out.print(Text(english))
    if result.rows and result.existing_name == ASSUMED_NAME:
        out.print(
            Text(
                "assumed plan: nobody has confirmed that this plan runs in the street; a gain over it is no "
                "forecast (--plan-is-real once it is confirmed)",
                style="yellow",
            )
        )
    for note in baseline_notes(result, options):
        out.print(Text(note.en))
    if result.fidelity is not None:
        out.print(Text(f"The model here: {result.fidelity.verdict}"))
    for variant in result.variants:
        _variant(
            variant, result.existing_name, several=len(result.variants) > 1 or options.pareto is not None
        )
    if options.day and not any(v.day for v in result.variants):
        out.print(Text("There are no plans by time of day: the search was interrupted before."))
    if options.pareto is not None and not result.variants:
        out.print(Text("No point of the front was evaluated."))
    if result.values is not None:
        _objective_values(result, result.values, options)
    if result.rows:
        print_conclusions(
            result.scenarios[:1], [r for r in result.rows if r.place == result.scenarios[0].name]
        )
    out.print(Text(budget_note(options.time or options.seconds).en))
    if report is None:
        out.print(Text("There were no runs on held-out seeds, so there is no report."))
    lines = [] if report is None else [f"report: {report}"]
    if options.pareto is not None:
        lines += [f"front: {result.folder / FRONT}"] if result.values is not None else []
    for variant in result.variants:
        folder = variant.files.folder
        main = folder / (DAY if variant.day is not None else PLAN)
        lines.append(f"{variant.name}: {main}, {folder / PROGRAM}")
    out.print(Text("\n".join(lines)))


def _variant(variant: Variant, existing_name: str, *, several: bool) -> None:
    name = f"{variant.name}: " if several else ""
    if variant.day is not None:
        day = variant.day
        if day.comparison is None:
            out.print(
                Text(
                    f"{name}one plan for the whole time is as good as several (SUMO, {day.single.mean():.1f} s/veh)."
                )
            )
            return
        times = ", ".join(f"{clock(s.time)} plan {s.plan + 1}" for s in day.day.switches)
        out.print(
            Text(
                f"{name}{times}; {day.cost.mean():.1f} s/veh in SUMO, where the best single plan has "
                f"{day.single.mean():.1f}."
            )
        )
        return
    if variant.searched_in_sumo:
        out.print(Text(f"{name}the search ran in SUMO itself."))
    if not variant.plan.timings:
        out.print(
            Text(
                f"{name}no plan was significantly better than the {existing_name}, which stays."
                f"{_near_miss(variant, existing_name)}"
            )
        )
        return
    if variant.is_conventional:
        name += "the conventional plan, "
    signals = "1 signal" if len(variant.plan.timings) == 1 else f"{len(variant.plan.timings)} signals"
    out.print(Text(f"{name}{signals}, cycle {cycle_range(variant.plan)} s"))


def _near_miss(variant: Variant, existing_name: str) -> str:
    """The best plan beside the existing one, on the training seeds."""
    outcome = variant.outcome
    complete = [e.cost.mean() for e in outcome.evaluated if e.complete] if outcome is not None else []
    if outcome is None or not complete or not np.isfinite(outcome.existing_cost).all():
        return ""
    best, existing = float(min(complete)), float(outcome.existing_cost.mean())
    return f" (Training seeds: the {existing_name} {existing:.1f}, the best of {len(complete)} others {best:.1f}.)"


def _objective_values(result: TuningResult, values: NDArray[np.float64], options: TuningOptions) -> None:
    """Print the mean of each measure of the objective, before and after."""
    terms = options.terms
    names = [result.existing_name, *(v.name for v in result.validated)]
    if result.baseline.values is not None:
        names.append(CONVENTIONAL)
        values = np.concatenate([values, result.baseline.values[None]])
    for term in dict.fromkeys(terms):
        means = values[:, :, terms.index(term)].mean(axis=1)
        said = ", ".join(f"{name} {number(float(mean))}" for name, mean in zip(names, means, strict=True))
        out.print(Text(f"{term.measure.title} ({term.name}, {term.measure.unit}): {said}"))
