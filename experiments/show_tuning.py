"""What the command line prints of a tuning: its progress line, and what came out."""

from __future__ import annotations

import math
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray
from rich.text import Text

from experiments.handover import DAY, FRONT, PLAN, PROGRAM
from experiments.optimize.tune import Progress
from experiments.runner import Outcome
from experiments.show import err, number, out
from experiments.summary import headline
from experiments.tuned import OWN_NAME, Tuned, Variant
from experiments.wish import Wish
from sim.text import clock

QUIET = 5.0  # s of search between two lines where there is no terminal


class Search:
    """The progress line of a search: on a terminal one line that changes, elsewhere a line now and then."""

    def __init__(self) -> None:
        self._status = err.status("reading the place") if err.is_terminal else None
        self._said = -2 * QUIET
        self._proven = 0

    def __enter__(self) -> Search:
        if self._status is not None:
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status is not None:
            self._status.stop()

    def searching(self, progress: Progress) -> None:
        """The search has come so far."""
        model = f", best in the model {progress.model:.1f}" if math.isfinite(progress.model) else ""
        sumo = f", best in SUMO {progress.sumo:.1f}" if math.isfinite(progress.sumo) else ""
        line = f"{progress.step}: {progress.evaluations} plans, {progress.runs} runs of SUMO{model}{sumo}"
        if self._status is not None:
            self._status.update(line)
        elif progress.cpu - self._said >= QUIET or progress.step == "judge":
            self._said = progress.cpu
            err.print(Text(line, style="dim"))

    def say(self, text: str) -> None:
        """A step begins."""
        if self._status is not None:
            self._status.update(text)
        else:
            err.print(Text(text, style="dim"))

    def proving(self, id: str, outcome: Outcome) -> None:
        """A held-out run has ended."""
        self._proven += 1
        if self._status is not None:
            self._status.update(f"proving the plan on held-out seeds and days: {self._proven} runs")
        if outcome.manifest is None:
            err.print(Text(f"{outcome.state}: {outcome.reason}", style="red"))


def tuning(tuned: Tuned, wish: Wish, report: Path | None) -> None:
    """What ``denxanh optimize`` found."""
    if tuned.interrupted:
        err.print(Text("stopped: what follows is the best that was known by then", style="yellow"))
    if tuned.trust is not None:
        out.print(Text(f"The model here: {tuned.trust.verdict}"))
    for variant in tuned.variants:
        _variant(variant, several=len(tuned.variants) > 1 or wish.pareto is not None)
    if wish.day and not any(v.day for v in tuned.variants):
        out.print(Text("There are no plans by time of day: the search was stopped before."))
    if wish.pareto is not None and not tuned.variants:
        out.print(Text("No point of the front was judged."))
    if tuned.values is not None:
        _asked(tuned, tuned.values, wish)
    for english, _ in headline(tuned.rows):
        out.print(Text(english))
    if report is None:
        out.print(Text("There was no proof on held-out seeds, so there is no report."))
    said = [] if report is None else [f"report: {report}"]
    if wish.pareto is not None:
        said += [f"front: {tuned.folder / FRONT}"] if tuned.values is not None else []
    for variant in tuned.variants:
        folder = variant.handed.folder
        main = folder / (DAY if variant.day is not None else PLAN)
        said.append(f"{variant.name}: {main}, {folder / PROGRAM}")
    out.print(Text("\n".join(said)))


def _variant(variant: Variant, *, several: bool) -> None:
    name = f"{variant.name}: " if several else ""
    if variant.day is not None:
        day = variant.day
        if day.comparison is None:
            out.print(
                Text(
                    f"{name}one plan all the time is as good as several (SUMO, {day.single.mean():.1f} s/veh)."
                )
            )
            return
        times = ", ".join(f"{clock(s.time)} plan {s.plan + 1}" for s in day.day.switches)
        out.print(
            Text(
                f"{name}{times}; {day.cost.mean():.1f} s/veh in SUMO where the best single plan has "
                f"{day.single.mean():.1f}."
            )
        )
        return
    if variant.in_sumo:
        out.print(Text(f"{name}the plan was searched in SUMO itself."))
    if not variant.plan.timings:
        out.print(
            Text(
                f"{name}no plan was better than the network's own beyond doubt: it stays.{_near_miss(variant)}"
            )
        )
        return
    cycles = sorted({round(timing.cycle) for timing in variant.plan.timings.values()})
    shown = f"{cycles[0]}" if len(cycles) == 1 else f"{cycles[0]}–{cycles[-1]}"
    signals = "1 signal" if len(variant.plan.timings) == 1 else f"{len(variant.plan.timings)} signals"
    out.print(Text(f"{name}{signals}, cycle {shown} s"))


def _near_miss(variant: Variant) -> str:
    """How close the best plan came, on the training seeds."""
    outcome = variant.outcome
    met = [j.cost.mean() for j in outcome.judged if np.isfinite(j.cost).all()] if outcome is not None else []
    if outcome is None or not met or not np.isfinite(outcome.own_cost).all():
        return ""
    best, own = float(min(met)), float(outcome.own_cost.mean())
    return f" (Training seeds: the own plan {own:.1f}, the best of {len(met)} others {best:.1f}.)"


def _asked(tuned: Tuned, values: NDArray[np.float64], wish: Wish) -> None:
    """The mean of each measure that was asked for, before and after."""
    pair = wish.pareto
    terms = (*pair[0].terms, *pair[1].terms) if pair else wish.objective.terms
    names = [OWN_NAME, *(v.name for v in tuned.variants if v.new)]
    for term in dict.fromkeys(terms):
        means = values[:, :, terms.index(term)].mean(axis=1)
        said = ", ".join(f"{name} {number(float(mean))}" for name, mean in zip(names, means, strict=True))
        out.print(Text(f"{term.measure.title} ({term.name}, {term.measure.unit}): {said}"))
