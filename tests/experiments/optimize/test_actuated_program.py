"""The search for an actuated program: common settings, climb, coordination, confirmation on further seeds."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast
from xml.etree import ElementTree

import numpy as np
import pytest

from denxanh.experiments.optimize.evaluation.deadline import ENDS, ENDS_ACTUATED, Deadline, OutOfTime
from denxanh.experiments.optimize.evaluation.evaluated import Evaluated
from denxanh.experiments.optimize.evaluation.evaluator import Program, SumoEvaluator
from denxanh.experiments.optimize.evaluation.measures import RunOutput
from denxanh.experiments.optimize.evaluation.race import Case
from denxanh.experiments.optimize.job.actuated_outcome import actuated_outcome
from denxanh.experiments.optimize.job.progress_listener import ProgressListener
from denxanh.experiments.optimize.job.tuning_options import TuningOptions
from denxanh.experiments.optimize.problem.actuation import (
    SUMO_DEFAULT,
    ActuatedPlan,
    Actuation,
    SignalActuation,
    safe_minimum,
    signal_settings,
)
from denxanh.experiments.optimize.problem.cabinet_limits import CabinetLimits
from denxanh.experiments.optimize.problem.constraints import Constraints, make_constraints
from denxanh.experiments.optimize.problem.objective import DELAY, Objective
from denxanh.experiments.optimize.problem.plan_programs import plan_xml
from denxanh.experiments.optimize.problem.space import Candidate, Setting, Space
from denxanh.experiments.optimize.problem.starts import starts
from denxanh.experiments.optimize.search.actuated_moves import KINDS, ActuatedMoves
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
from denxanh.experiments.optimize.tuning_problem import TuningProblem
from denxanh.sim.network import Network
from denxanh.sim.network_reader import load_network
from denxanh.sim.plan import Plan
from denxanh.sim.scenario import Scenario

CASES = [Case(0, seed) for seed in (1, 2, 3)]
HELD_OUT = (4, 5)


@dataclass(frozen=True)
class Sumo:
    """Stands for SUMO: ``level`` is the cost of a program; out of time from call ``calls`` on."""

    level: Callable[[Plan], float]
    calls: float = math.inf
    until: float = math.inf
    objective: Objective = DELAY
    asked: list[tuple[Plan, int]] = field(default_factory=list)
    count: list[int] = field(default_factory=list)

    def __call__(self, plans: Sequence[Plan], cases: Sequence[Case]) -> np.ndarray[Any, Any]:
        self.count.append(len(plans))
        if len(self.count) > self.calls:
            raise OutOfTime
        self.asked.extend((plan, case.seed) for plan in plans for case in cases)
        return np.array(
            [[self.level(p) + np.random.default_rng(c.seed).normal(0, 0.01) for c in cases] for p in plans]
        )


def far_from(network: Network, best: float, gap: float) -> Callable[[Plan], float]:
    """A cost that is least where every maximum green is ``best`` and every gap ``gap``."""

    def level(plan: Plan) -> float:
        if not isinstance(plan, ActuatedPlan):
            return 60.0
        own = plan.explicit(network).actuation.signals.values()
        off = [abs(high - best) for one in own for _, high in one.greens] + [
            3 * abs(one.max_gap - gap) for one in own
        ]
        return 20.0 + sum(off) / len(off)

    return level


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


def test_every_move_keeps_the_safe_minimum_and_an_order_of_limits(walkers: Network) -> None:
    space = Space(walkers, drop_protected=True)
    plan = space.plan(space.existing())
    shorter = space.rescaled(space.existing(), 60)
    assert shorter is not None
    moves = ActuatedMoves(walkers, [plan, space.plan(shorter)])
    coordinated = 0
    rng = np.random.default_rng(0)
    program = ActuatedPlan(plan.timings, "", Actuation(coordinated=True)).explicit(walkers)
    seen, kept = set(), 0
    for _ in range(400):
        drawn = moves.draw(program, rng)
        if drawn is None:
            continue
        kept += 1
        own, timing = drawn.actuation.signals["P"], drawn.timings["P"]
        seen |= {own.coordinated, own.max_gap}
        for (low, high), stage in zip(own.greens, timing.stages, strict=True):
            assert safe_minimum(walkers.intersections["P"], stage.state) <= low <= high
            assert stage.green >= safe_minimum(walkers.intersections["P"], stage.state)
            assert own.coordinated is None or low <= stage.green
        coordinated += own.coordinated is not None
        if kept % 5 == 0:
            program = drawn
    assert kept > 200
    assert None in seen
    assert coordinated > 50


def test_a_move_of_a_stage_s_minimum_stays_within_the_planned_green_of_a_coordinated_signal(
    pair: Network,
) -> None:
    """Minima above the planned greens and the changes would be longer than the cycle."""
    space = Space(pair)
    plan = space.plan(space.existing())
    long = {name: SignalActuation(((30.0, 60.0),) * 4, 3.0) for name in plan.timings}
    program = ActuatedPlan(plan.timings, "", Actuation(signals=long))
    moves, rng = ActuatedMoves(pair, [plan]), np.random.default_rng(0)
    seen = 0
    for _ in range(200):
        drawn = moves.draw(program, rng)
        for own in drawn.actuation.signals.values() if drawn is not None else ():
            if own.coordinated is not None:
                seen += 1
                assert [low for low, _ in own.greens] == [16.0] * 4
    assert seen


@pytest.mark.parametrize(
    ("only", "missing"), [("splits", {"offset", "stages"}), ("offsets", {"split", "stages"})]
)
def test_what_the_constraints_keep_is_not_moved(pair: Network, only: Any, missing: set[str]) -> None:
    constraints = make_constraints(pair, only=only)
    moves = ActuatedMoves(pair, [], constraints)
    assert set(KINDS) - set(moves.kinds) == missing
    plan = Space(pair).plan(Space(pair).existing())
    program = ActuatedPlan(plan.timings, "", Actuation(coordinated=True)).explicit(pair)
    rng = np.random.default_rng(0)
    drawn = [one for _ in range(300) if (one := moves.draw(program, rng)) is not None]
    for name, old in plan.timings.items():
        moved = [one.timings[name] for one in drawn]
        assert any(new != old for new in moved)
        assert all(
            new.offset == old.offset if only == "splits" else new.stages == old.stages for new in moved
        )


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


def with_longest(network: Network, longest: float) -> Network:
    """The network, whose first phase of each signal has a maximum green of its own."""
    return replace(
        network,
        intersections={
            name: replace(one, phases=(replace(one.phases[0], max_green=longest), *one.phases[1:]))
            for name, one in network.intersections.items()
        },
    )


def test_the_maximum_green_of_a_phase_itself_is_kept(pair: Network) -> None:
    network = with_longest(pair, 22.0)
    space = Space(network)
    plan = space.plan(space.existing())
    for option in {*SCREENED, *OPTIONS}:
        own = signal_settings(network.intersections["A"], plan.timings["A"], option)
        assert own.greens[0][1] <= 22.0
    assert signal_settings(network.intersections["A"], plan.timings["A"], Actuation(stretch=4.0)).greens == (
        (5.0, 22.0),
        *[(5.0, 64.0)] * 3,
    )
    moves, rng = ActuatedMoves(network, [plan]), np.random.default_rng(0)
    program = ActuatedPlan(plan.timings, "", Actuation(coordinated=True)).explicit(network)
    for _ in range(400):
        program = moves.draw(program, rng) or program
        assert all(own.greens[0][1] <= 22.0 for own in program.actuation.signals.values())
        assert all(timing.stages[0].green <= 22.0 for timing in program.timings.values())


def test_a_common_coordinated_setting_takes_the_longest_stage_and_clips_minima_to_planned_greens(
    pair: Network,
) -> None:
    space = Space(pair)
    timing = space.plan(space.existing()).timings["A"]
    greens = (8.0, 12.0, 30.0, 9.0)
    stages = tuple(replace(s, green=g) for s, g in zip(timing.stages, greens, strict=True))
    setting = Actuation(min_green=20.0, max_green=50.0, coordinated=True)
    own = signal_settings(pair.intersections["A"], replace(timing, stages=stages), setting)
    assert own.coordinated == 2
    assert own.greens == ((8.0, 50.0), (12.0, 50.0), (20.0, 50.0), (9.0, 50.0))


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


@pytest.fixture
def three_stages(pair: Network) -> Space:
    """A space in which the existing four stages are too many."""
    space = Space(pair, constraints=Constraints(cabinet=CabinetLimits(max_stages=3)), drop_protected=True)
    assert not space.legal(space.existing())
    return space


def legal_start(space: Space) -> Candidate:
    return next(candidate for candidate in starts(space) if space.legal(candidate))


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


def outcome_of(
    problem: Space, sumo: Sumo, options: TuningOptions, fixed: float = math.nan
) -> tuple[Outcome, Actuation | None, list[str]]:
    """The outcome, the settings and the messages; ``fixed``: cost of the fixed plan found, if there is one."""
    said: list[str] = []
    given: Any = sumo
    candidate = legal_start(problem) if not problem.legal(problem.existing()) else problem.existing()
    cost = np.full(8, fixed)
    plan = Plan({}) if math.isnan(fixed) else problem.plan(candidate, "found")
    outcome = Outcome(plan, candidate, cost, cost, None, (), (), False)
    tuning = TuningProblem(problem.network, problem, cast("Any", None), given)
    got, actuation = actuated_outcome(
        outcome, tuning, CASES, options, Plan({}), (), ProgressListener(on_message=said.append)
    )
    return got, actuation, said


ACTUATED = TuningOptions(kind="actuated", held_out=HELD_OUT)
LATER = 3600.0


def test_the_message_says_what_was_accepted_against_what_and_in_which_unit(pair: Network) -> None:
    until = time.monotonic() + LATER
    better = Sumo(far_from(pair, 27.0, 1.0), calls=60, until=until)
    got, actuation, said = outcome_of(Space(pair), better, ACTUATED, fixed=3.0)
    assert got.comparison is not None
    assert actuation is not None
    lacking, result, fixed = said
    assert lacking == "the leaders were not confirmed: their share of --time is over"
    assert result.startswith(f"actuated program accepted: delay {got.cost.mean():.1f} s/veh on 8 seeds, ")
    assert ", existing plan 60.0 s/veh, SUMO's default " in result
    assert fixed.startswith(
        "the fixed plan of this search has a lower delay: 3.00 s/veh, the actuated program "
    )
    assert fixed.endswith(" on the same 8 seeds; --kind static writes it")


def test_the_message_says_that_no_program_was_accepted(pair: Network) -> None:
    worse = Sumo(lambda plan: 30.0 if plan.timings else 20.0, calls=60, until=time.monotonic() + LATER)
    got, actuation, said = outcome_of(Space(pair), worse, ACTUATED)
    assert got.comparison is None
    assert actuation is None
    assert said[-1].startswith("actuated program not accepted, the existing plan stays: delay 30.0 s/veh on ")


def test_the_message_says_that_sumos_default_violates_the_constraints(three_stages: Space) -> None:
    def level(plan: Plan) -> float:
        if not isinstance(plan, ActuatedPlan):
            return 60.0
        return 5.0 if len(plan.timings["A"].stages) == 4 else 30.0

    sumo = Sumo(level, calls=60, until=time.monotonic() + LATER)
    got, _, said = outcome_of(three_stages, sumo, ACTUATED)
    assert got.cost.mean() == pytest.approx(30.0, abs=0.1)
    assert "SUMO's default (violates the constraints, for comparison only) 5.0" in said[-1]


def test_without_stages_that_keep_the_constraints_the_existing_plan_stays(three_stages: Space) -> None:
    outcome = Outcome(Plan({}), None, np.ones(3), np.ones(3), None, (), (), False)
    said: list[str] = []
    given: Any = Sumo(lambda plan: 1.0)
    tuning = TuningProblem(three_stages.network, three_stages, cast("Any", None), given)
    got, actuation = actuated_outcome(
        outcome, tuning, CASES, ACTUATED, Plan({}), (), ProgressListener(on_message=said.append)
    )
    assert (got.plan.timings, actuation) == ({}, None)
    assert said == ["no actuated program: no plan is known whose stages keep the constraints"]


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


def test_a_coordinated_program_ends_its_longest_stage_with_the_cycle(pair: Network) -> None:
    space = Space(pair)
    plan = space.plan(space.existing())
    timing = plan.timings["A"]
    own = SignalActuation(((5.0, 20.0),) * 4, 2.0, coordinated=1)
    xml = plan_xml(plan, pair, actuation=Actuation(signals={"A": own}))
    logic = next(one for one in ElementTree.fromstring(xml) if one.get("id") == "A")
    params = {one.get("key"): one.get("value") for one in logic.iter("param")}
    assert (params["coordinated"], params["cycleTime"], params["max-gap"]) == ("true", "80", "2")
    greens = [one for one in logic.iter("phase") if one.get("minDur")]
    assert [one.get("state") for one in greens] == [timing.stages[k].state for k in (2, 3, 0, 1)]
    assert [one.get("latestEnd") for one in greens] == ["16", "36", "56", "76"]
    assert [one.get("earliestEnd") for one in greens] == [None, None, None, "76"]
    # below zero: SUMO's remainder of (time - offset) is negative until a positive offset has passed
    assert float(logic.get("offset", "")) == (timing.offset + timing.starts()[2]) % 80 - 80
    other = next(one for one in ElementTree.fromstring(xml) if one.get("id") == "B")
    assert "coordinated" not in {one.get("key") for one in other.iter("param")}


def states_in_sumo(scenario: Scenario, plans: Sequence[Plan]) -> list[list[tuple[float, str]]]:
    """(time, state) of each second of the first signal, under each of the plans."""
    evaluator = SumoEvaluator(load_network(scenario.net), (scenario,))
    name = sorted(plans[0].timings)[0]
    event = f'<timedEvent type="SaveTLSStates" source="{name}" dest="states.xml"/></additional>'
    shown: list[list[tuple[float, str]]] = []

    def read(run: RunOutput) -> np.ndarray[Any, Any]:
        states = ElementTree.parse(run.folder / "states.xml").getroot()
        shown.append([(float(e.get("time", "")), e.get("state", "")) for e in states])
        return np.zeros(1)

    for plan in plans:
        xml = evaluator.program(plan).xml.replace("</additional>", event)
        evaluator.read([Program(xml, tuple(plan.timings))], [Case(0, 1)], read)
    return shown


def test_sumo_runs_a_coordinated_program_in_its_cycle(tiny_place: Any) -> None:
    """Where every stage keeps its planned green, it shows the fixed plan from the first cycle on."""
    network = load_network(tiny_place.net)
    scenario = Scenario("tiny", tiny_place.net, (tiny_place.routes,), end=400.0)
    plan = Space(network).plan(Space(network).existing())
    planned = {
        name: SignalActuation(tuple((s.green, s.green) for s in timing.stages), 3.0, coordinated=0)
        for name, timing in plan.timings.items()
    }
    rigid = ActuatedPlan(plan.timings, "", Actuation(signals=planned))
    fixed, actuated = states_in_sumo(scenario, [plan, rigid])
    assert len(fixed) > 350
    assert fixed == actuated


def test_a_coordinated_program_that_begins_before_its_offset_is_in_its_cycle_at_once(tiny_place: Any) -> None:
    network = load_network(tiny_place.net)
    scenario = Scenario("tiny", tiny_place.net, (tiny_place.routes,), end=400.0)
    own = Space(network).plan(Space(network).existing())
    plan = Plan({name: replace(timing, offset=17.0) for name, timing in own.timings.items()})
    free = {
        name: SignalActuation(tuple((5.0, s.green) for s in timing.stages), 3.0, coordinated=0)
        for name, timing in plan.timings.items()
    }
    (shown,) = states_in_sumo(scenario, [ActuatedPlan(plan.timings, "", Actuation(signals=free))])
    timing = plan.timings[sorted(plan.timings)[0]]
    main = timing.stages[0]
    ends = [now for (_, state), (now, then) in itertools.pairwise(shown) if state == main.state != then]
    assert len(ends) >= 4
    assert {(now - timing.offset - main.green) % timing.cycle for now in ends} == {0.0}


def test_an_actuated_search_gets_more_of_the_time() -> None:
    fixed, actuated = Deadline(100.0).started(), Deadline(100.0, actuated=True).started()
    assert actuated.until("confirmation") < fixed.until("confirmation")
    assert list(ENDS_ACTUATED) == list(ENDS)
    assert list(ENDS_ACTUATED.values()) == sorted(ENDS_ACTUATED.values())


def test_the_settings_of_every_plan_include_sumos_gap_and_a_coordinated_program() -> None:
    assert SUMO_DEFAULT in OPTIONS
    assert any(one.coordinated for one in SCREENED)
