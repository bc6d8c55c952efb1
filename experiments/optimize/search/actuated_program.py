"""Search of an actuated program in SUMO: stages of several plans, maximum and minimum greens, gaps, coordination.

SUMO's default on the existing stages runs first. Common settings are raced on the stages of every plan, and from the
best of them a climb moves the settings of single signals and stages. The leaders, and SUMO's default in any case, then
run on further seeds too: the best of many programs on few seeds is partly the luckiest. Where the constraints forbid
the existing stages, SUMO's default runs for comparison only.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from denxanh.experiments.optimize.evaluation.deadline import OutOfTime
from denxanh.experiments.optimize.evaluation.evaluator import SumoEvaluator
from denxanh.experiments.optimize.evaluation.race import Case, race
from denxanh.experiments.optimize.problem.actuation import SUMO_DEFAULT, ActuatedPlan, Actuation
from denxanh.experiments.optimize.problem.constraints import NO_CONSTRAINTS, Constraints
from denxanh.experiments.optimize.problem.plan_programs import plan_xml
from denxanh.experiments.optimize.problem.space import Candidate, Setting, Signal, Space
from denxanh.experiments.optimize.search.actuated_moves import ActuatedMoves
from denxanh.experiments.optimize.search.confirmation import EXTRA_SEEDS, LEADERS, extra_cases
from denxanh.experiments.optimize.search.outcome import Outcome, ranked
from denxanh.sim.network import Network
from denxanh.sim.plan import Plan

Array = NDArray[np.float64]

SCREENED = (
    Actuation(stretch=1.5),
    Actuation(stretch=2.5, max_gap=2.0),
    Actuation(max_green=50.0),
    Actuation(stretch=2.5, coordinated=True),
)
"""Settings that are tried on the stages of every plan."""
OPTIONS = (
    *(Actuation(stretch=s, max_gap=gap) for s, gap in itertools.product((1.0, 1.5, 2.5, 4.0), (2.0, 3.0))),
    *(
        Actuation(max_green=most, max_gap=gap)
        for most, gap in itertools.product((20.0, 35.0, 50.0), (2.0, 3.0))
    ),
    *(Actuation(stretch=1.25, min_share=0.75, max_gap=gap) for gap in (2.0, 3.0)),
    *(Actuation(stretch=s, max_gap=gap, coordinated=True) for s, gap in ((1.0, 3.0), (1.0, 2.0), (2.5, 2.0))),
)
"""Settings that are then tried on the best stages: a maximum green of 1 to 4 times the planned one or one maximum for
all stages, greens around the planned ones, the cycle of the plan; SUMO's default gap is 3 s."""

PLANS = 2  # whose stages are tried with OPTIONS
STAGE_SETS = 3  # of the leaders of the search for a fixed plan, besides the plan found
AT_A_TIME = 2  # programs in a race that may run out of time: an unfinished race loses little
BATCH = 4  # neighbours in a race of the climb
CLIMB_RUNS = 160  # runs of SUMO for the climb where no time is given
RACED_RUNS = 2  # expected runs of SUMO for a program of a race: most are dropped after the first case
CLIMB_UNTIL = 0.75  # share of a limited time after which the leaders run on further seeds
IDLE = 200  # neighbours drawn one after the other that change nothing or are known: the climb has ended


@dataclass(frozen=True)
class ActuationResult:
    """The program of least cost on all seeds, with SUMO's costs by case; ``default`` is SUMO's actuated logic,
    ``existing`` the existing plan."""

    program: ActuatedPlan
    cases: tuple[Case, ...]
    cost: Array  # (cases,)
    default: Array  # (cases,)
    existing: Array  # (cases,)
    runs: int
    trace: tuple[tuple[str, int, float], ...]  # (step, runs, best mean cost) after each step
    further: int  # seeds that were run after the search, the last of ``cases``; EXTRA_SEEDS if time was left
    interrupted: bool = False

    @property
    def plan(self) -> Plan:
        """The stages, with the greens of the plan that they come from."""
        return self.program.plan

    @property
    def actuation(self) -> Actuation:
        """The settings."""
        return self.program.actuation


@dataclass
class ActuatedSearch:
    """One search; each race is against the best program so far."""

    network: Network
    evaluator: SumoEvaluator
    cases: Sequence[Case]
    rng: np.random.Generator
    most_runs: int = CLIMB_RUNS
    constraints: Constraints = NO_CONSTRAINTS
    runs: int = 0
    trace: list[tuple[str, int, float]] = field(default_factory=list)
    evaluated: list[tuple[ActuatedPlan, Array]] = field(default_factory=list)
    interrupted: bool = False
    _known: set[str] = field(default_factory=set)

    @property
    def ranked(self) -> list[tuple[ActuatedPlan, Array]]:
        """The programs that ran on all cases, the best first."""
        complete = [one for one in self.evaluated if np.isfinite(one[1]).all()]
        return sorted(complete, key=lambda one: float(one[1].mean()))

    def run(
        self, plans: Sequence[Plan], first: Sequence[ActuatedPlan], known: Sequence[ActuatedPlan]
    ) -> None:
        """Search until the time of the evaluator is over or Ctrl-C; ``evaluated`` holds what ran by then.

        Raises:
            OutOfTime: not even the ``first`` programs were through all cases by then.
        """
        if first:
            self.race(first, "SUMO's default")
        try:
            if known:
                self.race(known, "known programs")
            if plans:
                self._race_common(plans)
            self._climb(plans)
        except OutOfTime:
            pass  # the best by then is the result
        except KeyboardInterrupt:
            self.interrupted = True

    def race(self, programs: Sequence[ActuatedPlan], step: str) -> None:
        """Race the programs that did not run before."""
        unique: dict[str, ActuatedPlan] = {}
        for one in programs:
            unique.setdefault(self.key(one), one)
        fresh = [one for key, one in unique.items() if key not in self._known]
        size = AT_A_TIME if math.isfinite(self.evaluator.until) else max(1, len(fresh))
        for first in range(0, len(fresh), size):
            batch = fresh[first : first + size]
            best = self.ranked
            result = race(batch, self.evaluator, self.cases, best[0][1] if best else None)
            self.runs += result.runs
            self._known |= {self.key(one) for one in batch}
            self.evaluated += zip(batch, result.cost, strict=True)
        self.trace.append((step, self.runs, float(self.ranked[0][1].mean())))

    def _race_common(self, plans: Sequence[Plan]) -> None:
        """Race SCREENED on every plan, then OPTIONS on the plans that did best with them."""
        self.race(_programs(plans, SCREENED), "stages")
        reference = self.ranked[0][1]
        behind = {
            self.key(one): float(np.nanmean(cost - reference)) for one, cost in self.evaluated
        }  # on the cases of each
        order = sorted(plans, key=lambda plan: min(behind[self.key(p)] for p in _programs([plan], SCREENED)))
        self.race(_programs(order[:PLANS], OPTIONS), "common settings")

    def _climb(self, plans: Sequence[Plan]) -> None:
        """Move the settings of signals and stages from the best program on, until the runs or the time are over."""
        moves = ActuatedMoves(self.network, plans, self.constraints)
        last = self.runs + self.most_runs
        limited = math.isfinite(self.evaluator.until)
        idle = 0
        while (limited or self.runs < last) and idle < IDLE:
            centre = self.ranked[0][0].explicit(self.network)
            batch: dict[str, ActuatedPlan] = {}
            while len(batch) < BATCH and idle < IDLE:
                drawn = moves.draw(centre, self.rng)
                key = "" if drawn is None else self.key(drawn)
                if drawn is None or key in self._known or key in batch:
                    idle += 1
                else:
                    idle = 0
                    batch[key] = drawn
            if batch:
                self.race(list(batch.values()), "climb")

    def key(self, program: ActuatedPlan) -> str:
        """What SUMO reads of a program: two programs are the same where this is."""
        return plan_xml(program.plan, self.network, actuation=program.actuation)


def search_actuation(
    network: Network,
    plans: Sequence[Plan],
    default: ActuatedPlan,
    evaluator: SumoEvaluator,
    cases: Sequence[Case],
    rng: np.random.Generator,
    *,
    exclude: Collection[int] = (),
    known: Sequence[ActuatedPlan] = (),
    most_runs: int = CLIMB_RUNS,
    constraints: Constraints = NO_CONSTRAINTS,
    default_legal: bool = True,
) -> ActuationResult:
    """Search an actuated program on ``cases``, then decide between the leaders over further seeds too.

    Where the evaluator has an end (``until``), the search ends before it; the further seeds that are through by the
    end count. ``exclude``: seeds that must stay unseen; ``known``: programs that take part; ``constraints``: of the
    moves. Without ``default_legal``, SUMO's default runs for comparison and is never the result.

    Raises:
        OutOfTime: not even the existing plan, SUMO's default and one program were through all cases by then.
    """
    limited, now = evaluator, time.monotonic()
    if math.isfinite(evaluator.until):
        limited = replace(evaluator, until=now + CLIMB_UNTIL * (evaluator.until - now))
    reference = [] if default_legal else [default]
    existing, *compared = evaluator([Plan({}), *reference], cases)
    runs = existing.size * (1 + len(reference))
    search = ActuatedSearch(network, limited, cases, rng, most_runs, constraints, runs)
    search.run(plans, [default] if default_legal else [], known)
    leaders = search.ranked[:LEADERS]
    if not leaders:
        raise KeyboardInterrupt if search.interrupted else OutOfTime
    candidates = len(leaders)
    keys = [search.key(one) for one, _ in leaders]
    place = keys.index(search.key(default)) if search.key(default) in keys else candidates
    if not default_legal:
        place = candidates
        leaders.append((default, compared[0]))
    elif place == candidates:
        leaders.append(search.evaluated[0])
    table = np.stack([existing, *(cost for _, cost in leaders)])
    used = list(cases)
    further = [] if search.interrupted else extra_cases(cases, exclude)
    try:
        for case in further:
            column = evaluator([Plan({}), *(one for one, _ in leaders)], [case])
            table, used = np.hstack([table, column]), [*used, case]
            search.runs += column.size
    except OutOfTime:
        pass  # the seeds that all leaders are through count
    except KeyboardInterrupt:
        search.interrupted = True
    existing, *found = table
    best = min(range(len(leaders) if default_legal else candidates), key=lambda k: float(found[k].mean()))
    search.trace.append(("confirmation", search.runs, float(found[best].mean())))
    return ActuationResult(
        leaders[best][0],
        tuple(used),
        found[best],
        found[place],
        existing,
        search.runs,
        tuple(search.trace),
        len(used) - len(cases),
        search.interrupted,
    )


def expected_actuation_runs(seeds: int) -> int:
    """Number of SUMO runs of a search without a limit of time, in a job with ``seeds`` seeds."""
    cases = seeds + EXTRA_SEEDS
    stage_sets = STAGE_SETS + 3  # the plan found, the conventional and the existing plan
    raced = stage_sets * len(SCREENED) + PLANS * len(OPTIONS)
    return 2 * cases + RACED_RUNS * raced + CLIMB_RUNS + (LEADERS + 2) * EXTRA_SEEDS


def stage_plans(space: Space, outcome: Outcome, more: Sequence[Candidate], note: str) -> list[Plan]:
    """The plans whose stages are tried: the one found, others of the search with other stages, and ``more``.

    A plan that shows a stage twice also comes with each stage once, unless the constraints keep its stages.
    """
    found = [outcome.candidate] if outcome.candidate is not None else []
    orders = {_orders(candidate) for candidate in found}
    for one in ranked(outcome.evaluated):
        if len(found) > STAGE_SETS:
            break
        if _orders(one.candidate) not in orders:
            orders.add(_orders(one.candidate))
            found.append(one.candidate)
    keep = space.constraints.stages or space.constraints.greens
    legal = [candidate for candidate in (*found, *more) if space.legal(candidate)]
    forms = legal if keep else [form for c in legal for form in (shown_once(space, c), c)]
    return [space.plan(candidate, note) for candidate in dict.fromkeys(forms)]


def sumo_default(space: Space, note: str) -> ActuatedPlan:
    """SUMO's actuated logic with default values on the existing stages of the signals of ``space``.

    Where these stages are not legal in ``space``, the program is as the network has it and is for comparison only.
    """
    existing = space.existing()
    if space.legal(existing):
        return ActuatedPlan(space.plan(existing).timings, note, SUMO_DEFAULT)
    return ActuatedPlan(
        {signal.id: signal.intersection.program for signal in space.signals}, note, SUMO_DEFAULT
    )


def shown_once(space: Space, candidate: Candidate) -> Candidate:
    """Each stage once per cycle, with its longest green: an actuated signal sets its own cycle."""
    return tuple(_once(signal, setting) for signal, setting in zip(space.signals, candidate, strict=True))


def _once(signal: Signal, setting: Setting) -> Setting:
    greens: dict[int, int] = {}
    for stage, green in zip(setting.order, setting.greens, strict=True):
        greens[stage] = max(green, greens.get(stage, 0))
    if len(greens) == len(setting.order):
        return setting
    return signal.normalised(Setting(tuple(greens), tuple(greens.values()), setting.offset))


def _orders(candidate: Candidate) -> tuple[tuple[int, ...], ...]:
    return tuple(setting.order for setting in candidate)


def _programs(plans: Sequence[Plan], options: Sequence[Actuation]) -> list[ActuatedPlan]:
    """Every setting on every plan, the first setting of every plan first."""
    return [ActuatedPlan(plan.timings, plan.note, option) for option in options for plan in plans]
