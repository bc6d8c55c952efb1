"""The search loop: rank candidates with the surrogate, evaluate the best few in SUMO, refit the surrogate, repeat.

The surrogate ranks thousands of plans; its errors are largest where the search has been, because the search selects
for them (the optimiser's curse). After each round it is therefore fitted to the plans evaluated in SUMO, which lie
around the optimum. The reported cost is always SUMO's, and the existing plan is evaluated with the others: the
result is never worse than the existing plan on the cases of the search.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from denxanh.experiments.optimize.evaluation.deadline import OutOfTime
from denxanh.experiments.optimize.evaluation.evaluated import Evaluated
from denxanh.experiments.optimize.evaluation.race import Case, Evaluator, race
from denxanh.experiments.optimize.problem.cabinet_limits import NO_LIMITS
from denxanh.experiments.optimize.problem.neighbourhood import Neighbourhood
from denxanh.experiments.optimize.problem.space import Candidate, Space
from denxanh.experiments.optimize.problem.starts import starts
from denxanh.experiments.optimize.search.multistart import MultistartSearch
from denxanh.experiments.optimize.search.outcome import NOTE, Outcome, Progress, conclude, ranked
from denxanh.sim.errors import InputError
from denxanh.sim.plan import Plan

Array = NDArray[np.float64]
PredictCost = Callable[[Sequence[Candidate]], Array]
"""Predicted cost of candidates, shape (B,), lower is better."""


@runtime_checkable
class LearningSurrogate(Protocol):
    """A surrogate that learns from SUMO's ``cost`` (n,) of evaluated candidates, best first."""

    def __call__(self, candidates: Sequence[Candidate]) -> Array:
        """Predicted cost, shape (B,)."""
        ...

    def refit(self, candidates: Sequence[Candidate], cost: Array) -> LearningSurrogate:
        """The surrogate with refitted parameters, after each round."""
        ...

    def corrected(self, candidates: Sequence[Candidate], cost: Array) -> LearningSurrogate:
        """The surrogate with a cheap correction, after each evaluation while polishing."""
        ...


CLIMBS = 4  # that run to the end of a round: the best in the surrogate is often not the best in SUMO
LOCAL_OPTIMA = 6  # of a round, of different cycle or stages, offered as starts of the next one
PREDICTED_STARTS = 8  # of these and the first starts, the best in the surrogate, added to the best in SUMO
TRAINING_PLANS = 60  # evaluated plans to which the surrogate is fitted, best first
IDLE_ROUNDS = 3  # rounds without a new plan to evaluate, after which a search limited by time ends early
RACED = 2  # plans that race at a time where the search is limited by time
POLISH_CENTRES = 3  # best plans whose neighbours are screened while polishing
POLISH_BATCH = 4  # neighbours with the least predicted cost, evaluated in SUMO at a time while polishing
POLISH_SCREENED = 192  # neighbours screened in the surrogate for one such batch


@dataclass(frozen=True)
class Budget:
    """Effort of a search. Search time is CPU time of this process; SUMO runs are counted."""

    seconds: float = 15.0  # of search, shared by the rounds
    # a number of evaluations instead: the search is then reproducible bit by bit
    evaluations: int | None = None
    rounds: int = 4
    evaluated: int = 8  # plans evaluated in SUMO after each round; a clear loser is dropped after one run
    polish: int = 0  # SUMO runs spent on neighbours of the best at the end
    until: float = math.inf
    """The moment of ``time.monotonic`` at which the search ends; until then there are as many rounds as it takes."""

    @property
    def note(self) -> str:
        """What the note of a plan says about a budget in seconds: the plan found depends on the machine."""
        if self.evaluations is not None:
            return ""
        if math.isfinite(self.until):
            return ", in limited time: another machine may find another plan"
        return f", in {self.seconds:g} s of search: another machine may find another plan"


@dataclass
class Tuner:
    """One search over a space; ``run`` executes it. Ctrl-C ends it early with the best plan so far."""

    space: Space
    surrogate: PredictCost
    evaluator: Evaluator
    cases: Sequence[Case]
    rng: np.random.Generator
    budget: Budget = field(default_factory=Budget)
    learn: bool = True  # refit a surrogate that can learn
    on_progress: Callable[[Progress], None] = lambda progress: None
    extra_starts: Sequence[Candidate] = ()
    """Plans known before, such as the conventional one: they run in SUMO at once, so that the result is none worse."""

    def __post_init__(self) -> None:
        if len(self.cases) < 2:
            raise InputError(
                "a plan cannot be accepted on one run",
                remedy="give at least two seeds or demands to evaluate on",
            )
        self._neighbours = Neighbourhood(self.space)
        self._evaluated: dict[Candidate, Evaluated] = {}
        self._trace: list[Progress] = []
        self._evaluations = self._runs = 0
        self._best_predicted = float("inf")
        self._existing_cost = np.full(len(self.cases), np.nan)

    def run(self) -> Outcome:
        """Search and return the outcome. Raises what the evaluator raises; KeyboardInterrupt ends the search."""
        interrupted = False
        self._began = time.process_time()
        try:
            self._existing_cost = self.evaluator([Plan({})], self.cases)[0]
            self._runs += len(self.cases)
            first = every = self._starts()
            self.surrogate(first[:2])  # the model compiles itself at its first batch: that is not search
            known = [c for c in dict.fromkeys(self.extra_starts) if self.space.legal(c)]
            self._evaluate(known, "known plans")
            limited = math.isfinite(self.budget.until)
            idle = 0
            for number in itertools.count() if limited else range(self.budget.rounds):
                known_before = len(self._evaluated)
                optima = self._round(first, number)
                # the refitted surrogate chooses among the optima of this round and all first starts
                pool = list(dict.fromkeys([*optima, *every]))
                chosen = np.argsort(self.surrogate(pool), kind="stable")[:PREDICTED_STARTS]
                first = [*self._ranked()[:CLIMBS], *(pool[k] for k in chosen)]
                idle = 0 if len(self._evaluated) > known_before else idle + 1
                if limited and idle == IDLE_ROUNDS:
                    break
            if self.budget.polish:
                self._polish()
        except OutOfTime:
            pass  # the best plan by then is the result
        except KeyboardInterrupt:
            interrupted = True
        return conclude(
            self.space,
            list(self._evaluated.values()),
            self._existing_cost,
            self._trace,
            note=NOTE + self.budget.note,
            interrupted=interrupted,
        )

    def _starts(self) -> list[Candidate]:
        """Starts of the search, without the existing plan where it violates the user's limits."""
        every = [*starts(self.space), *self.extra_starts]
        legal = [candidate for candidate in every if self.space.legal(candidate)]
        limited = self.space.constraints.green_limits or self.space.constraints.cabinet != NO_LIMITS
        if not legal and limited:
            raise InputError(
                "no plan was found that keeps all limits",
                location=self.space.network.name,
                remedy="widen them, or let the cycle change",
            )
        return legal or every

    def _round(self, first: Sequence[Candidate], number: int) -> list[Candidate]:
        """Search, evaluate, refit; returns the best local optima of the search."""
        search = MultistartSearch(self._neighbours, first, self.rng, keep=CLIMBS)
        until = time.process_time() + self.budget.seconds / self.budget.rounds
        most = (self.budget.evaluations or 0) * (number + 1) // self.budget.rounds
        while self._evaluations < most if self.budget.evaluations else time.process_time() < until:
            if time.monotonic() > self.budget.until:
                raise OutOfTime
            batch = search.ask()
            if not batch:
                break
            search.tell(self.surrogate(batch))
            self._evaluations += len(batch)
            self._best_predicted = search.best[1]
            self._report("search")
        leaders = search.leaders(4 * self.budget.evaluated, self._kind)
        fresh = [c for c in leaders if c not in self._evaluated][: self.budget.evaluated]
        # a race that runs out of time is lost: then a few plans at a time, so that little is
        size = RACED if math.isfinite(self.budget.until) else max(1, len(fresh))
        for at in range(0, len(fresh), size):
            self._evaluate(fresh[at : at + size])
        if self.learn and isinstance(self.surrogate, LearningSurrogate) and len(self._evaluated) > 2:
            last = number + 1 == self.budget.rounds and math.isinf(self.budget.until)
            fit = self.surrogate.corrected if last else self.surrogate.refit
            self.surrogate = fit(*self._training_plans(TRAINING_PLANS))
        return search.leaders(LOCAL_OPTIMA, self._kind)

    def _training_plans(self, most: int) -> tuple[list[Candidate], Array]:
        """The best evaluated candidates and SUMO's costs of them.

        A dropped candidate ran on the first cases only: on these it is compared with the best candidate of all cases.
        """
        best = self._ranked()
        reference = self._evaluated[best[0]].cost if best else self._existing_cost
        cost = {
            e.candidate: float(np.nanmean(e.cost - reference) + reference.mean())
            for e in self._evaluated.values()
        }
        chosen = sorted(cost, key=lambda candidate: cost[candidate])[:most]
        return chosen, np.array([cost[candidate] for candidate in chosen])

    def _kind(self, candidate: Candidate) -> object:
        """Cycle and stage orders: plans that agree in both differ too little to evaluate two of them."""
        return self.space.common_cycle(candidate), tuple(setting.order for setting in candidate)

    def _evaluate(self, candidates: Sequence[Candidate], step: str = "evaluate") -> None:
        """Race candidates in SUMO and store their costs."""
        if not candidates:
            return
        predicted = self.surrogate(candidates)
        best = self._ranked()
        incumbent = self._evaluated[best[0]].cost if best else None
        result = race([self.space.plan(c) for c in candidates], self.evaluator, self.cases, incumbent)
        self._runs += result.runs
        for candidate, guess, cost in zip(candidates, predicted, result.cost, strict=True):
            self._evaluated[candidate] = Evaluated(candidate, float(guess), cost)
        self._report(step)

    def _polish(self) -> None:
        """Climb in SUMO from the best candidates; the surrogate screens the neighbours to evaluate."""
        last = self._runs + self.budget.polish
        kinds = self._neighbours.kinds
        while self._runs < last and self._ranked():
            if self.learn and isinstance(self.surrogate, LearningSurrogate):
                self.surrogate = self.surrogate.corrected(*self._training_plans(TRAINING_PLANS))
            centres = self._ranked()[:POLISH_CENTRES]
            drawn = [
                self._neighbours.draw(
                    centres[k % len(centres)], kinds[int(self.rng.integers(len(kinds)))], self.rng
                )
                for k in range(POLISH_SCREENED)
            ]
            fresh = list(
                dict.fromkeys(m.candidate for m in drawn if m and m.candidate not in self._evaluated)
            )
            if not fresh:
                return
            cost = self.surrogate(fresh)
            self._evaluations += len(fresh)
            self._evaluate([fresh[k] for k in np.argsort(cost, kind="stable")[:POLISH_BATCH]])
            self._report("polish")

    def _ranked(self) -> list[Candidate]:
        return [e.candidate for e in ranked(self._evaluated.values())]

    def _report(self, step: str) -> None:
        best = self._ranked()
        progress = Progress(
            step,
            self._evaluations,
            self._runs,
            time.process_time() - self._began,
            self._best_predicted,
            float(self._evaluated[best[0]].cost.mean()) if best else float("nan"),
        )
        self._trace.append(progress)
        self.on_progress(progress)
