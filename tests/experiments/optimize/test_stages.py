"""The stages that a signal may show."""

from dataclasses import replace

import numpy as np
import pytest

from denxanh.experiments.optimize.problem import stages
from denxanh.experiments.optimize.problem.stages import WALK, generated_states, maximal_cliques, stage_set
from denxanh.sim.network import GREEN, Intersection, Network
from denxanh.sim.plan import Stage, Timing
from denxanh.sim.sumo.program import phases_of


def conflicts(intersection: Intersection, state: str) -> list[tuple[int, int]]:
    green = [k for k, letter in enumerate(state) if letter in GREEN]
    return [(a, b) for a in green for b in green if a < b and intersection.foes[a, b]]


def test_the_programs_own_stages_come_first(corner: Intersection):
    stages = stage_set(corner)
    assert stages.own == (0, 1, 2, 3)
    assert stages.states[:4] == tuple(s.state for s in corner.program.stages)


def test_protected_stages_have_no_conflict_at_all(corner: Intersection):
    made = generated_states(corner)
    assert made
    assert all(not conflicts(corner, state) for state in made)


def test_one_arm_may_get_all_its_green_at_once(corner: Intersection):
    assert "GGrrrrrr" in generated_states(corner)


def test_permitted_lefts_come_only_when_asked_for(corner: Intersection):
    permitted = "GgrrGgrr"
    assert permitted not in stage_set(corner).states
    assert permitted in stage_set(corner, drop_protected=True).states


def test_permitted_lefts_yield_to_oncoming_traffic_only(corner: Intersection):
    for state in generated_states(corner, drop_protected=True):
        for a, b in conflicts(corner, state):
            assert {state[a], state[b]} == {"g", "G"}
            low, high = (a, b) if state[a] == "g" else (b, a)
            assert corner.yields[low, high]
            assert (low // 2 - high // 2) % 4 == 2  # opposite arms, never the crossing road


def test_a_protected_turn_must_stay_protected_unless_it_may_be_dropped(corner: Intersection):
    kept, dropped = stage_set(corner), stage_set(corner, drop_protected=True)
    two = [dropped.states.index(s) for s in ("GgrrGgrr", "rrGgrrGg")]
    assert dropped.complete(two)
    assert not kept.complete([0, 2])
    assert kept.complete([0, 1, 2, 3])


def test_one_stage_is_never_a_cycle(corner: Intersection):
    stages = stage_set(corner)
    assert not stages.complete([0, 0])


def test_walkers_keep_their_time_and_their_stage(walkers: Network):
    stages = stage_set(walkers.intersections["P"], drop_protected=True)
    with_crossing = [k for k, state in enumerate(stages.states) if state[8] in GREEN]
    assert with_crossing
    assert all(stages.min_green[k] >= WALK for k in with_crossing)
    without = [k for k in range(len(stages.states)) if k not in with_crossing]
    assert not stages.complete(without)


def test_generated_stages_take_the_strictest_minimum_that_they_share(walkers: Network):
    stages = stage_set(walkers.intersections["P"])
    north = next(k for k, s in enumerate(stages.states) if k > 3 and s[0] in GREEN)
    assert stages.min_green[north] == 7.5


def test_pairs_of_two_junctions_run_together_only_as_in_the_program(corner: Intersection):
    placed = {x.index: frozenset("J" if x.index < 4 else "K") for x in corner.links}
    joined = replace(corner, placed=placed, foes=corner.foes & False, junctions=("J", "K"))
    for state in generated_states(joined):
        green = [k for k, letter in enumerate(state) if letter in GREEN]
        for a in green:
            for b in green:
                if (a < 4) != (b < 4):
                    assert any(s.state[a] == s.state[b] == "G" for s in corner.program.stages)


def test_a_stop_arrow_stays_a_stop_arrow(corner: Intersection):
    program = Timing(
        tuple(Stage(s.state.replace("r", "s"), s.green, s.change) for s in corner.program.stages)
    )
    intersection = replace(corner, program=program, phases=phases_of(program))
    assert all("r" not in state for state in generated_states(intersection))


@pytest.mark.parametrize("seed", range(5))
def test_cliques_are_those_of_brute_force(seed: int):
    rng = np.random.default_rng(seed)
    upper = np.triu(rng.random((7, 7)) < 0.5, 1)
    together = upper | upper.T
    sets = [
        {i for i in range(7) if mask >> i & 1}
        for mask in range(1, 128)
        if all(together[i, j] for i in range(7) for j in range(i) if mask >> i & 1 and mask >> j & 1)
    ]
    maximal = {frozenset(s) for s in sets if not any(s < t for t in sets)}
    assert {frozenset(c) for c in maximal_cliques(together)} == maximal


def one_lane_roads(intersection: Intersection) -> Intersection:
    """The crossroads with one lane a road, which its program serves in two stages with permitted lefts."""
    links = tuple(replace(x, start=x.start[:-1] + "0") for x in intersection.links)
    states = ("GgrrGgrr", "rrGgrrGg")
    program = Timing(tuple(Stage(s, 20.0, intersection.program.stages[0].change) for s in states))
    return replace(intersection, links=links, program=program, phases=phases_of(program))


def test_movements_of_one_lane_turn_green_together_and_a_road_may_run_alone(corner: Intersection):
    made = generated_states(one_lane_roads(corner))
    assert {"GGrrrrrr", "rrGGrrrr", "rrrrGGrr", "rrrrrrGG", "GgrrGgrr", "rrGgrrGg"} <= set(made)


def test_lane_groups_are_found_where_movements_have_too_many_sets(corner: Intersection, monkeypatch):
    monkeypatch.setattr(stages, "MOST_GENERATED", 4)
    assert generated_states(one_lane_roads(corner)) == (
        "rrrrrrGG", "rrrrGGrr", "rrGgrrGg", "rrGGrrrr", "GgrrGgrr", "GGrrrrrr"
    )  # fmt: skip


def test_movements_that_the_program_shows_apart_stay_apart(corner: Intersection):
    links = tuple(replace(x, start=x.start[:-1] + "0") for x in corner.links)
    assert "GrrrGrrr" in generated_states(replace(corner, links=links))


def test_a_turn_that_meets_ways_without_a_signal_never_gets_priority(corner: Intersection):
    intersection = replace(one_lane_roads(corner), open_foes=frozenset({1}))
    assert "Ggrrrrrr" in generated_states(intersection)
    assert "rrGGrrrr" in generated_states(intersection)


def test_a_letter_that_drives_nothing_needs_no_green(corner: Intersection):
    """A gap in the link indices whose letter the program shows green: no stage must serve it."""
    states = [stage.state + "G" for stage in corner.program.stages]
    program = Timing(tuple(Stage(state, 16) for state in states))
    n = corner.n_links + 1
    foes = np.zeros((n, n), np.bool_)
    foes[:-1, :-1] = corner.foes
    gap = replace(
        corner, n_links=n, foes=foes, yields=foes & False, program=program, phases=phases_of(program)
    )
    assert len(stage_set(gap).needs) == len(stage_set(corner).needs)
