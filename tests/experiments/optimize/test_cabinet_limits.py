"""Limits of real cabinets: every plan of the search keeps them, and what cannot be kept is one sentence."""

from dataclasses import replace

import numpy as np
import pytest

from denxanh.experiments.optimize.job.tuning_options import TuningOptions
from denxanh.experiments.optimize.problem.cabinet_limits import CabinetLimits, make_cabinet_limits, with_reds
from denxanh.experiments.optimize.problem.constraints import Constraints, make_constraints
from denxanh.experiments.optimize.problem.neighbourhood import Neighbourhood
from denxanh.experiments.optimize.problem.space import Candidate, Setting, Space
from denxanh.experiments.optimize.problem.starts import starts
from denxanh.sim.errors import InputError
from denxanh.sim.network import GREEN, Crossing, Intersection, Network
from denxanh.sim.plan import Interval, Stage, Timing
from denxanh.sim.signals.plan_check import checked_plan
from denxanh.sim.signals.planned_network import with_plan
from denxanh.sim.sumo.program import phases_of


def space_of(network: Network, limits: CabinetLimits) -> Space:
    return Space(network, constraints=Constraints(cabinet=limits), drop_protected=True)


def walk(space: Space, now: Candidate, steps: int = 400) -> list[Candidate]:
    rng, neighbours = np.random.default_rng(1), Neighbourhood(space)
    seen = [now]
    for _ in range(steps):
        move = neighbours.draw(now, neighbours.kinds[int(rng.integers(len(neighbours.kinds)))], rng)
        now = move.candidate if move else now
        seen.append(now)
    return seen


def repeats(candidate: Candidate) -> bool:
    return any(len(set(setting.order)) < len(setting.order) for setting in candidate)


def test_no_stage_is_shown_twice(pair: Network) -> None:
    free = space_of(pair, CabinetLimits())
    assert any(map(repeats, walk(free, free.existing())))
    space = space_of(pair, CabinetLimits(no_repeat_stage=True))
    seen = walk(space, space.existing())
    assert len(set(seen)) > 50
    assert not any(map(repeats, seen))
    twice = Setting((0, 1, 0, 2, 3), (16,) * 5, 0)
    assert free.signals[0].legal(twice)
    assert not space.signals[0].legal(twice)


def test_a_cycle_has_no_more_stages_than_asked_for(pair: Network) -> None:
    space = space_of(pair, CabinetLimits(max_stages=3))
    assert not space.legal(space.existing())  # it has four
    begins = [candidate for candidate in starts(space) if space.legal(candidate)]
    assert begins
    assert all(len(setting.order) <= 3 for candidate in walk(space, begins[0]) for setting in candidate)


def free_right(corner: Intersection) -> Network:
    """The crossroads, where the left of the north arm never stops; the program shows it with all others."""
    stages = tuple(
        Stage(
            stage.state[0] + "g" + stage.state[2:],
            stage.green,
            tuple(Interval(i.state[0] + "g" + i.state[2:], i.duration) for i in stage.change),
        )
        for stage in corner.program.stages
    )
    program = Timing(stages, corner.program.offset)
    return Network("free", {}, {}, {"J": replace(corner, program=program, phases=phases_of(program))}, {})


def test_every_movement_has_a_red(corner: Intersection) -> None:
    network = free_right(corner)
    intersection = network.intersections["J"]
    assert intersection.never_red() == {1: "g"}
    assert with_reds(intersection, "GgrrGrrr") == "GgrrGrrr"  # its road has green
    assert with_reds(intersection, "rgGrrrGr") == "rrGrrrGr"
    space = space_of(network, CabinetLimits(always_red=True))
    assert not space.legal(space.existing())
    begins = [candidate for candidate in starts(space) if space.legal(candidate)]
    assert begins
    for candidate in walk(space, begins[0]):
        timing = space.plan(candidate).timings["J"]
        for link in range(8):
            assert any(stage.state[link] not in GREEN for stage in timing.stages)
    checked_plan(network, with_plan(network, space.plan(begins[0])))


def test_a_crossing_has_the_green_that_is_asked_for(walkers: Network) -> None:
    crossing = walkers.intersections["P"]
    crossed = replace(crossing, crossings={8: Crossing(9.0, (":c",), (":w",))})
    network = replace(walkers, intersections={"P": crossed})
    for text in ("13", "P=13", "P:P1=13"):
        limits = make_cabinet_limits(network, crossings=[text])
        assert limits.crossings == {("P", 8): 13.0}
    space = space_of(network, limits)
    stages = space.signals[0].stages
    for state, least in zip(stages.states, stages.min_green, strict=True):
        assert least >= 13.0 or state[8] not in GREEN
    with pytest.raises(InputError, match=r"has no crossing P2.*it has P1"):
        make_cabinet_limits(network, crossings=["P:P2=13"])


def test_changes_are_whole_seconds(pair: Network) -> None:
    corner = pair.intersections["A"]
    program = Timing(
        tuple(
            Stage(s.state, s.green, (replace(s.change[0], duration=3.4), replace(s.change[1], duration=1.3)))
            for s in corner.program.stages
        )
    )
    network = replace(pair, intersections={"A": replace(corner, program=program, yellow=3.4, all_red=1.3)})
    durations = {}
    for whole in (False, True):
        space = space_of(network, CabinetLimits(whole_seconds=whole))
        durations[whole] = [
            i.duration for s in space.plan(space.existing()).timings["A"].stages for i in s.change
        ]
    assert durations[True] == [4.0, 2.0] * 4
    assert durations[False] == pytest.approx([3.4, 1.6] * 4)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"crossings": ["15"]}, "no crossing with a signal; omit"),
        ({"crossings": ["C=15"]}, "no signal 'C'"),
        ({"crossings": ["A:Q=15"]}, "no signal 'A:Q'"),
        ({"crossings": ["A=x"]}, "cannot be read; write SECONDS"),
        ({"crossings": ["A=0"]}, "give a number from 1"),
        ({"max_stages": 1}, "a cycle of one stage"),
        ({"max_stages": -1}, "--max-stages is -1"),
    ],
)
def test_what_cannot_be_kept_is_one_sentence(pair: Network, asked: dict, said: str) -> None:
    with pytest.raises(InputError, match=said):
        make_cabinet_limits(pair, **asked)


def test_limits_on_stages_need_stages_that_may_change(pair: Network) -> None:
    with pytest.raises(InputError, match="--always-red chooses among stages, but --only splits keeps"):
        make_constraints(pair, only="splits", cabinet=CabinetLimits(always_red=True))
    with pytest.raises(InputError, match="limits on greens hold for fixed plans"):
        TuningOptions(kind="actuated", crossings=("15",))
