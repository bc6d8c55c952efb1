"""The whole of it: search with the model, judge the best few in SUMO, let the model learn from that, again.

The model ranks thousands of plans; its errors are largest where the search has been, because the search looks
for them (the optimiser's curse). So after each round the plans that SUMO has judged, which lie around the
optimum, are what the model is fitted to before the next round. The value reported is always SUMO's, and the
network's own plan is judged with the others: the result is never worse than it on the cases it was tried on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from experiments.optimize.moves import Neighbourhood
from experiments.optimize.race import Case, Judge, accept, race
from experiments.optimize.search import Search
from experiments.optimize.space import Candidate, Space
from experiments.optimize.starts import starts
from experiments.statistics import PairedComparison
from sim.errors import InputError
from sim.plan import Plan

Array = NDArray[np.float64]
Evaluate = Callable[[Sequence[Candidate]], Array]
"""The model's cost of candidates, shape (B,), lower is better."""


@runtime_checkable
class Learning(Protocol):
    """An Evaluate that learns from SUMO's ``cost`` (n,) of judged candidates, best first."""

    def __call__(self, candidates: Sequence[Candidate]) -> Array:
        """Cost, shape (B,)."""
        ...

    def refit(self, candidates: Sequence[Candidate], cost: Array) -> Learning:
        """A better fitted model, after each round."""
        ...

    def corrected(self, candidates: Sequence[Candidate], cost: Array) -> Learning:
        """A cheap correction, after each judgement while polishing."""
        ...


KEPT = 4  # climbs that go on to the end of a round: the best in the model is often not the best in SUMO
REACHED = 6  # ends of climbs, of different cycle or stages, from which the next round may go on
LIKED = 8  # of these and the starts, from which it does, beside SUMO's best: all of them would take the round again
REMEMBERED = 60  # judged plans that the model learns from, best first
CENTRES = 3  # best plans whose neighbours are looked at while polishing
SIDES = 4  # neighbours that the corrected model likes most, judged in SUMO at a time while polishing
SCREENED = 192  # neighbours that it looks at for these


@dataclass(frozen=True)
class Budget:
    """How much to spend. Search time is CPU time of this process; SUMO runs are counted."""

    seconds: float = 15.0  # of search, shared by the rounds
    evaluations: int | None = None  # stop the search after so many instead: repeats to the last byte
    rounds: int = 4
    judged: int = 8  # plans judged in SUMO after each round; who cannot win is dropped after a run
    polish: int = 0  # SUMO runs spent on neighbours of the best at the end


@dataclass(frozen=True)
class Progress:
    """What is known so far; ``plan`` is valid at any time."""

    step: str  # "search", "judge", "polish"
    evaluations: int
    runs: int
    cpu: float  # s
    model: float  # best cost in the model
    sumo: float  # best cost in SUMO so far, nan before the first judgement


@dataclass(frozen=True)
class Judged:
    """A candidate with what the model believed and what SUMO said, by case."""

    candidate: Candidate
    model: float
    cost: Array  # (cases,), nan where it had been dropped


@dataclass(frozen=True)
class Outcome:
    """The result. ``candidate`` None and an empty ``plan``: nothing was better than what is there."""

    plan: Plan
    candidate: Candidate | None
    cost: Array  # (cases,) SUMO's, of the plan
    own_cost: Array  # (cases,) SUMO's, of the network's own plan
    comparison: PairedComparison | None  # with the own plan; None if it was kept
    judged: tuple[Judged, ...]
    trace: tuple[Progress, ...]
    interrupted: bool


@dataclass
class Tuner:
    """One tuning of one place; ``run`` does it, Ctrl-C ends it early with the best so far."""

    space: Space
    evaluate: Evaluate
    judge: Judge
    cases: Sequence[Case]
    rng: np.random.Generator
    budget: Budget = field(default_factory=Budget)
    learn: bool = True  # let an ``evaluate`` that can learn do so
    report: Callable[[Progress], None] = lambda progress: None
    more_starts: Sequence[Candidate] = ()

    def __post_init__(self) -> None:
        if len(self.cases) < 2:
            raise InputError(
                "a plan cannot be accepted on one run",
                remedy="give at least two seeds or demands to judge on",
            )
        self._neighbours = Neighbourhood(self.space)
        self._judged: dict[Candidate, Judged] = {}
        self._trace: list[Progress] = []
        self._evaluations = self._runs = 0
        self._model = float("inf")
        self._own = np.full(len(self.cases), np.nan)

    def run(self) -> Outcome:
        """Tune. Raises what the judge raises; KeyboardInterrupt is taken as the wish to stop."""
        interrupted = False
        self._began = time.process_time()
        try:
            self._own = self.judge([Plan({})], self.cases)[0]
            self._runs += len(self.cases)
            first = every = self._starts()
            self.evaluate(first[:2])  # the model compiles itself at its first batch: that is not search
            for number in range(self.budget.rounds):
                reached = self._round(first, number)
                # of what was climbed from and what was reached, what the model likes now that it knows more
                pool = list(dict.fromkeys([*reached, *every]))
                liked = np.argsort(self.evaluate(pool), kind="stable")[:LIKED]
                first = [*self._ranked()[:KEPT], *(pool[k] for k in liked)]
            if self.budget.polish:
                self._polish()
        except KeyboardInterrupt:
            interrupted = True
        return self._outcome(interrupted)

    def _starts(self) -> list[Candidate]:
        """Where the search begins; the existing plan is no start where it breaks limits that the user gave."""
        every = [*starts(self.space), *self.more_starts]
        legal = [candidate for candidate in every if self.space.legal(candidate)]
        if not legal and self.space.freeze.green_limits:
            raise InputError(
                "no plan was found that keeps all limits on greens",
                where=self.space.network.name,
                remedy="widen them, or let the cycle change",
            )
        return legal or every

    def _round(self, first: Sequence[Candidate], number: int) -> list[Candidate]:
        """Search, judge, learn; returns the best candidates that the search has reached."""
        search = Search(self._neighbours, first, self.rng, keep=KEPT)
        until = time.process_time() + self.budget.seconds / self.budget.rounds
        most = (self.budget.evaluations or 0) * (number + 1) // self.budget.rounds
        while self._evaluations < most if self.budget.evaluations else time.process_time() < until:
            batch = search.ask()
            if not batch:
                break
            search.tell(self.evaluate(batch))
            self._evaluations += len(batch)
            self._model = search.best[1]
            self._say("search")
        leaders = [c for c in search.leaders(4 * self.budget.judged, self._kind) if c not in self._judged]
        self._look(leaders[: self.budget.judged])
        if self.learn and isinstance(self.evaluate, Learning) and len(self._judged) > 2:
            more = number + 1 < self.budget.rounds
            learner = self.evaluate.refit if more else self.evaluate.corrected
            self.evaluate = learner(*self._known(REMEMBERED))
        return search.leaders(REACHED, self._kind)

    def _known(self, most: int) -> tuple[list[Candidate], Array]:
        """The best judged candidates and SUMO's costs of them.

        Who was dropped has met the first cases only: it is compared on these with the plan that is best on all.
        """
        best = self._ranked()
        reference = self._judged[best[0]].cost if best else self._own
        cost = {
            j.candidate: float(np.nanmean(j.cost - reference) + reference.mean())
            for j in self._judged.values()
        }
        ranked = sorted(cost, key=lambda candidate: cost[candidate])[:most]
        return ranked, np.array([cost[candidate] for candidate in ranked])

    def _kind(self, candidate: Candidate) -> object:
        """Plans of one cycle and the same stages differ too little to judge two of them."""
        return self.space.common_cycle(candidate), tuple(setting.order for setting in candidate)

    def _look(self, candidates: Sequence[Candidate]) -> None:
        """Race some candidates in SUMO and remember what it said."""
        if not candidates:
            return
        believed = self.evaluate(candidates)
        ranked = self._ranked()
        incumbent = self._judged[ranked[0]].cost if ranked else None
        result = race([self.space.plan(c) for c in candidates], self.judge, self.cases, incumbent)
        self._runs += result.runs
        for candidate, model, cost in zip(candidates, believed, result.cost, strict=True):
            self._judged[candidate] = Judged(candidate, float(model), cost)
        self._say("judge")

    def _polish(self) -> None:
        """Climb in SUMO from the best, the model choosing which neighbours are worth a look."""
        last = self._runs + self.budget.polish
        kinds = self._neighbours.kinds
        while self._runs < last and self._ranked():
            if self.learn and isinstance(self.evaluate, Learning):
                self.evaluate = self.evaluate.corrected(*self._known(REMEMBERED))
            centres = self._ranked()[:CENTRES]
            drawn = [
                self._neighbours.draw(
                    centres[k % len(centres)], kinds[int(self.rng.integers(len(kinds)))], self.rng
                )
                for k in range(SCREENED)
            ]
            fresh = list(dict.fromkeys(m.candidate for m in drawn if m and m.candidate not in self._judged))
            if not fresh:
                return
            cost = self.evaluate(fresh)
            self._evaluations += len(fresh)
            self._look([fresh[k] for k in np.argsort(cost, kind="stable")[:SIDES]])
            self._say("polish")

    def _ranked(self) -> list[Candidate]:
        """Candidates that met all cases, best first."""
        whole = [j for j in self._judged.values() if np.isfinite(j.cost).all()]
        return [j.candidate for j in sorted(whole, key=lambda j: float(j.cost.mean()))]

    def _say(self, step: str) -> None:
        ranked = self._ranked()
        progress = Progress(
            step,
            self._evaluations,
            self._runs,
            time.process_time() - self._began,
            self._model,
            float(self._judged[ranked[0]].cost.mean()) if ranked else float("nan"),
        )
        self._trace.append(progress)
        self.report(progress)

    def _outcome(self, interrupted: bool) -> Outcome:
        ranked = self._ranked()
        comparison = accept(self._judged[ranked[0]].cost, self._own) if ranked else None
        best = ranked[0] if comparison is not None else None
        note = "optimised by denxanh" + (", interrupted" if interrupted else "")
        return Outcome(
            plan=Plan({}, "the network's own plan was not beaten")
            if best is None
            else self.space.plan(best, note),
            candidate=best,
            cost=self._own if best is None else self._judged[best].cost,
            own_cost=self._own,
            comparison=comparison,
            judged=tuple(self._judged.values()),
            trace=tuple(self._trace),
            interrupted=interrupted,
        )
