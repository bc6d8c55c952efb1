"""The search for an actuated program: common settings, climb, confirmation on further seeds."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest

from denxanh.experiments.optimize.evaluation.deadline import OutOfTime
from denxanh.experiments.optimize.evaluation.evaluated import Evaluated
from denxanh.experiments.optimize.evaluation.race import Case
from denxanh.experiments.optimize.problem.actuation import SUMO_DEFAULT, ActuatedPlan, Actuation
from denxanh.experiments.optimize.problem.cabinet_limits import CabinetLimits
from denxanh.experiments.optimize.problem.constraints import Constraints, make_constraints
from denxanh.experiments.optimize.problem.plan_programs import plan_xml
from denxanh.experiments.optimize.problem.space import Candidate, Setting, Space
from denxanh.experiments.optimize.search.actuated_program import (
    OPTIONS,
    SCREENED,
    ActuatedSearch,
    ActuationResult,
    search_actuation,
    stage_plans,
    sumo_default,
)
from denxanh.experiments.optimize.search.confirmation import EXTRA_SEEDS
from denxanh.experiments.optimize.search.outcome import Outcome
from denxanh.sim.network import Network
from denxanh.sim.plan import Plan
from tests.experiments.optimize.conftest import CASES, HELD_OUT, Sumo, far_from, legal_start


def found(network: Network, sumo: Sumo, **more: Any) -> ActuationResult:
    space = Space(network)
    plans = [space.plan(space.existing())]
    rng = np.random.default_rng(1)
    given: Any = sumo
    return search_actuation(
        network, plans, sumo_default(space, ""), given, CASES, rng, exclude=HELD_OUT, **more
    )


def test_single_signals_and_stages_are_set_beyond_the_common_settings(pair: Network) -> None:
    level = far_from(pair, best=27.0, gap=1.0)
    common = found(pair, Sumo(level), most_runs=0)
    climbed = found(pair, Sumo(level), most_runs=600)
    assert climbed.cost.mean() < common.cost.mean()
    assert set(climbed.actuation.signals) == {"A", "B"}
    steps = [best for _, _, best in climbed.trace if not math.isnan(best)]
    assert steps[:-1] == sorted(steps[:-1], reverse=True)  # anytime: never worse than before


def test_the_same_seed_and_runs_find_the_same_program(pair: Network) -> None:
    level = far_from(pair, best=27.0, gap=1.0)
    one, other = (found(pair, Sumo(level), most_runs=200) for _ in range(2))
    assert one.program == other.program
    assert one.runs == other.runs


def test_sumos_default_is_the_result_where_nothing_beats_it(pair: Network) -> None:
    def level(plan: Plan) -> float:
        default = isinstance(plan, ActuatedPlan) and plan.actuation == SUMO_DEFAULT
        return 10.0 if default and plan.timings["A"] == pair.intersections["A"].program else 30.0

    result = found(pair, Sumo(level))
    assert result.actuation == SUMO_DEFAULT
    assert result.cost.tolist() == result.default.tolist()


def test_the_leaders_are_judged_on_seeds_that_the_search_did_not_see(pair: Network) -> None:
    sumo = Sumo(far_from(pair, 27.0, 1.0))
    result = found(pair, sumo)
    assert [case.seed for case in result.cases] == [1, 2, 3, 6, 7, 8, 9, 10]
    assert len(result.cost) == len(result.default) == len(result.existing) == 8
    leaders = [plan for plan, seed in sumo.asked if seed == 10]
    assert len(leaders) in (5, 6)  # the existing plan, four leaders, SUMO's default
    assert sumo_default(Space(pair), "") in leaders
    assert not {seed for _, seed in sumo.asked} & set(HELD_OUT)


def test_a_lucky_program_of_the_search_is_not_the_result(pair: Network) -> None:
    """The best on the seeds of the search jams on another one."""

    class Jam(Sumo):
        def __call__(self, plans: Sequence[Plan], cases: Sequence[Case]) -> np.ndarray[Any, Any]:
            cost = super().__call__(plans, cases)
            for row, plan in zip(cost, plans, strict=True):
                if isinstance(plan, ActuatedPlan) and plan.actuation == OPTIONS[0]:
                    row[:] = [5.0 if case.seed in (1, 2, 3) else 200.0 for case in cases]
            return cost

    result = found(pair, Jam(lambda plan: 5.2), most_runs=0)
    assert result.actuation != OPTIONS[0]


def test_what_is_through_in_time_counts(pair: Network) -> None:
    level = far_from(pair, best=27.0, gap=1.0)
    late = Sumo(level, calls=14, until=time.monotonic() + 3600.0)
    result = found(pair, late)
    assert result.cases == tuple(CASES)  # no time was left for further seeds
    assert result.further == 0
    assert result.cost.mean() <= result.default.mean()
    with pytest.raises(OutOfTime):
        found(pair, Sumo(level, calls=2, until=time.monotonic() + 3600.0))


def test_the_further_seeds_that_are_through_in_time_count(pair: Network) -> None:
    level = far_from(pair, best=27.0, gap=1.0)
    whole = Sumo(level)
    assert found(pair, whole, most_runs=0).further == EXTRA_SEEDS
    result = found(pair, Sumo(level, calls=len(whole.count) - 3), most_runs=0)
    assert result.further == 2
    assert [case.seed for case in result.cases] == [1, 2, 3, 6, 7]
    assert len(result.cost) == len(result.default) == len(result.existing) == 5
    assert not result.interrupted


def test_ctrl_c_keeps_the_best_program_so_far(pair: Network) -> None:
    class Interrupted(Sumo):
        def __call__(self, plans: Sequence[Plan], cases: Sequence[Case]) -> np.ndarray[Any, Any]:
            if len(self.count) > 12:
                raise KeyboardInterrupt
            return super().__call__(plans, cases)

    result = found(pair, Interrupted(far_from(pair, 27.0, 1.0)))
    assert result.interrupted
    assert result.cases == tuple(CASES)


def test_a_known_program_takes_part(pair: Network) -> None:
    plan = Space(pair).plan(Space(pair).existing())
    known = ActuatedPlan(plan.timings, "", Actuation(max_green=77.0))

    def level(plan: Plan) -> float:
        return 10.0 if isinstance(plan, ActuatedPlan) and plan.actuation == known.actuation else 30.0

    assert found(pair, Sumo(level), known=[known]).program == known


def test_the_search_keeps_the_constraints_in_its_moves(pair: Network) -> None:
    def level(plan: Plan) -> float:
        own = isinstance(plan, ActuatedPlan) and plan.explicit(pair).actuation.signals["A"]
        if not isinstance(plan, ActuatedPlan) or not own or own.coordinated is None:
            return 60.0
        return 20.0 - sum(timing.offset / 100 for timing in plan.timings.values())

    constraints = make_constraints(pair, only="splits")
    free, kept = found(pair, Sumo(level)), found(pair, Sumo(level), constraints=constraints)
    assert {timing.offset for timing in kept.plan.timings.values()} == {5.0}
    assert {timing.offset for timing in free.plan.timings.values()} != {5.0}


def test_no_program_runs_twice_under_another_form(pair: Network) -> None:
    sumo = Sumo(far_from(pair, 27.0, 1.0))
    found(pair, sumo)
    ran = [
        (plan_xml(plan.plan, pair, actuation=plan.actuation), seed)
        for plan, seed in sumo.asked
        if isinstance(plan, ActuatedPlan)
    ]
    assert len(set(ran)) == len(ran)


def test_the_maximum_of_a_coordinated_stage_tells_no_two_programs_apart(pair: Network) -> None:
    space = Space(pair)
    timings = space.plan(space.existing()).timings
    search = ActuatedSearch(pair, cast("Any", Sumo(lambda plan: 1.0)), CASES, np.random.default_rng(0))
    common = ActuatedPlan(timings, "a note", Actuation(stretch=2.5, coordinated=True))
    explicit = common.explicit(pair)
    own = explicit.actuation.signals["A"]
    first = (own.greens[0][0], own.greens[0][1] + 9.0)
    other = replace(own, greens=(first, *own.greens[1:]))
    changed = replace(explicit, actuation=replace(explicit.actuation, signals={"A": other}))
    assert own.coordinated == 0
    assert search.key(common) == search.key(explicit) == search.key(changed)
    search.race([common], "one")
    search.race([explicit, changed], "same")
    assert len(search.evaluated) == 1


def test_sumos_default_has_the_changes_of_the_constraints(pair: Network) -> None:
    slow = {name: replace(one, yellow=3.5) for name, one in pair.intersections.items()}
    program = pair.intersections["A"].program
    stages = tuple(
        replace(s, change=(replace(s.change[0], duration=3.5), *s.change[1:])) for s in program.stages
    )
    network = replace(
        pair,
        intersections={
            name: replace(one, program=replace(one.program, stages=stages)) for name, one in slow.items()
        },
    )
    whole = Space(network, constraints=Constraints(cabinet=CabinetLimits(whole_seconds=True)))
    default = sumo_default(whole, "")
    assert default.timings == whole.plan(whole.existing()).timings
    assert {s.change[0].duration for timing in default.timings.values() for s in timing.stages} == {4.0}


def test_a_default_that_violates_the_constraints_is_for_comparison_only(
    pair: Network, three_stages: Space
) -> None:
    def level(plan: Plan) -> float:
        if not isinstance(plan, ActuatedPlan):
            return 60.0
        return 5.0 if len(plan.timings["A"].stages) == 4 else 30.0

    given: Any = Sumo(level)
    result = search_actuation(
        pair,
        [three_stages.plan(legal_start(three_stages))],
        sumo_default(three_stages, ""),
        given,
        CASES,
        np.random.default_rng(1),
        default_legal=False,
    )
    assert result.default.mean() == pytest.approx(5.0, abs=0.1)
    assert result.cost.mean() == pytest.approx(30.0, abs=0.1)
    assert len(result.cost) == len(result.default) == 8
    assert all(len(timing.stages) <= 3 for timing in result.plan.timings.values())


def test_stages_of_a_plan_with_turns_dropped_need_the_permission(pair: Network) -> None:
    """The stages tried are those of the space of the search, which holds dropped turns only where the user lets it."""
    free = Space(pair, drop_protected=True)
    two = next(
        setting
        for order in [(a, b) for a in range(len(free.signals[0].stages.states)) for b in range(a)]
        if (setting := free.signals[0].fit(order, [1.0, 1.0], 40)) is not None
        and free.signals[0].legal(setting)
    )
    dropped: Candidate = (two, two)

    def outcome(candidate: Candidate) -> Outcome:
        cost = np.array([10.0, 11.0, 12.0])
        every = (Evaluated(candidate, 1.0, cost), Evaluated(free.existing(), 2.0, cost + 5))
        return Outcome(Plan({}), candidate, cost, cost + 20, None, every, (), False)

    shown = stage_plans(free, outcome(dropped), [free.existing()], "note")
    assert [len(plan.timings["A"].stages) for plan in shown] == [2, 4]
    kept = Space(pair)
    own = stage_plans(kept, replace(outcome(kept.existing()), evaluated=()), [], "note")
    assert [plan.timings["A"] for plan in own] == [kept.plan(kept.existing()).timings["A"]]


def test_a_plan_that_shows_a_stage_twice_comes_in_both_forms(pair: Network) -> None:
    space = Space(pair)
    existing = space.existing()
    a, b = existing[0].order[:2]
    order = (a, b, a, *existing[0].order[1:])
    twice = space.signals[0].normalised(Setting(order, (16,) * len(order), 0))
    outcome = Outcome(Plan({}), None, np.ones(3), np.ones(3), None, (), (), False)
    plans = stage_plans(space, outcome, [(twice, existing[1])], "")
    assert sorted(len(plan.timings["A"].stages) for plan in plans) == sorted({len(set(order)), len(order)})


def test_the_settings_of_every_plan_include_sumos_gap_and_a_coordinated_program() -> None:
    assert SUMO_DEFAULT in OPTIONS
    assert any(one.coordinated for one in SCREENED)
