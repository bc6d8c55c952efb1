"""NEMA dual rings: phases found in a junction, and the rings' logic against cases worked out by hand."""

from dataclasses import replace

import numpy as np
import pytest

from denxanh.controllers.actuated.dual_ring import Rings, rings_of
from denxanh.controllers.actuated.nema import Nema, _Controller
from denxanh.controllers.actuated.ring_pattern import Pattern, pattern, share
from denxanh.networks.scenarios import open_scenario
from denxanh.sim.controller import Green
from denxanh.sim.network import Phase
from denxanh.sim.network_reader import load_network
from denxanh.sim.signals.planned_network import with_plan
from denxanh.sim.testing.check_controller import check_controller, corridor

SIDES = (((1, 2), (5, 6)), ((3, 4), (7, 8)))
PAIRS = tuple((a, b) for first, second in SIDES for a in first for b in second)
RINGS = Rings(SIDES, {p: (p - 1,) for p in range(1, 9)}, PAIRS, ("",) * 8, {})


@pytest.fixture(scope="module")
def intersection():
    """A junction with one link for each of the eight phases, 4 s of yellow and 1 s of red clearance."""
    base = corridor(1, yellow=4.0).intersections["J0"]
    phases = tuple(Phase(i, "r" * 8, "", 5.0, np.inf) for i in range(8))
    return replace(base, n_links=8, phases=phases, yellow=4.0, all_red=1.0)


@pytest.fixture
def timed(intersection):
    """Cycle 100: ring 1 has splits 20 30 | 15 35, ring 2 has 25 25 | 20 30."""
    split = {1: 20.0, 2: 30.0, 3: 15.0, 4: 35.0, 5: 25.0, 6: 25.0, 7: 20.0, 8: 30.0}
    ends = {1: 15.0, 2: 45.0, 3: 60.0, 4: 95.0, 5: 20.0, 6: 45.0, 7: 65.0, 8: 95.0}
    return Pattern(100.0, 0.0, split, ends, frozenset({2, 6}))


def ask(
    intersection,
    look,
    pair,
    phases,
    *,
    rule=None,
    timed=None,
    elapsed=10.0,
    time=1000.0,
    far=(),
    controller=None,
):
    """The pair shown next while vehicles of ``phases`` stand at the stop line and ``far`` ones come."""
    controller = controller or _Controller(rule or Nema(), intersection, RINGS, timed)
    rows = [(p - 1, 2.0, 0.0) for p in phases] + [(p - 1, 150.0, 10.0) for p in far]
    answer = controller(
        look(rows, intersection=intersection, phase=PAIRS.index(pair), elapsed=elapsed, time=time)
    )
    return PAIRS[answer.phase]


def test_it_keeps_the_rules():
    check_controller(Nema(), seconds=200.0)
    check_controller(Nema(coordinate=True), seconds=200.0)


def test_rings_move_on_by_themselves_on_their_side_of_the_barrier(intersection, look):
    assert ask(intersection, look, (1, 5), [5, 2, 6]) == (2, 5)  # 1 gapped out, 5 goes on
    assert ask(intersection, look, (1, 5), [1, 2, 6]) == (1, 6)
    assert ask(intersection, look, (1, 5), [2, 6]) == (2, 6)


def test_both_rings_cross_the_barrier_together(intersection, look):
    assert ask(intersection, look, (2, 6), [6, 3]) == (2, 6)  # 2 is done, 6 is not: both wait
    assert ask(intersection, look, (2, 6), [3, 7]) == (3, 7)
    assert ask(intersection, look, (2, 6), [3]) == (
        3,
        8,
    )  # dual entry: the ring without a call shows its through phase
    assert ask(intersection, look, (4, 8), [5]) == (2, 5)


def test_a_left_turn_is_served_again_when_nobody_waits_beyond_the_barrier(intersection, look):
    assert ask(intersection, look, (2, 6), [1]) == (1, 6)
    assert ask(intersection, look, (2, 6), []) == (2, 6)  # rest in green


def test_minimum_green_passage_and_maximum_1(intersection, look):
    controller = _Controller(Nema(), intersection, RINGS, None)
    rows = [(2, 2.0, 0.0)]
    assert controller(look(rows, intersection=intersection, phase=3, elapsed=2.0)) == Green(3, 3.0)
    assert ask(intersection, look, (2, 6), [3], far=[2], elapsed=10.0) == (
        3,
        8,
    )  # 150 m away: beyond its passage time
    assert ask(intersection, look, (2, 6), [2, 3], elapsed=39.0, rule=Nema(stuck=99.0)) == (2, 6)
    assert ask(intersection, look, (2, 6), [2, 3], elapsed=40.0, rule=Nema(stuck=99.0)) == (3, 8)


def test_a_phase_that_goes_on_in_the_next_pair_keeps_its_own_clock(intersection, look):
    """6 is green since 970, through (1, 6) and (2, 6): its maximum is over at 1010, that of 2 at 1030."""
    controller = _Controller(Nema(stuck=99.0), intersection, RINGS, None)
    common = {"controller": controller, "phases": [2, 6, 3]}
    assert ask(intersection, look, (1, 6), elapsed=20.0, time=990.0, **common) == (2, 6)
    assert ask(intersection, look, (2, 6), elapsed=6.0, time=1001.0, **common) == (2, 6)
    assert controller.since == {2: 995.0, 6: 970.0}


def test_splits_end_at_their_force_offs(intersection):
    """Each phase loses 4 + 1 + 2 − 1 = 6 s: the sides want 10 + 30 + 12 = 52 and 5 + 25 + 12 = 42 s of 100."""
    ratios = dict.fromkeys(PAIRS, 0.0) | {(1, 5): 0.10, (2, 6): 0.30, (3, 7): 0.05, (4, 8): 0.25}
    made = pattern(intersection, RINGS, [ratios[p] for p in PAIRS], 100.0)
    assert [made.split[1] + made.split[2], made.split[3] + made.split[4]] == [55.0, 45.0]
    for ring in ((1, 2, 3, 4), (5, 6, 7, 8)):
        ends = np.cumsum([made.split[p] for p in ring])
        assert ends[-1] == 100.0
        assert [made.force_off[p] for p in ring] == list(ends - 5.0)
    assert made.coordinated == {2, 6}


def test_whole_seconds_never_below_the_least():
    assert share(100.0, [3.0, 1.0], [10.0, 10.0]) == [75.0, 25.0]
    assert share(100.0, [99.0, 1.0], [10.0, 10.0]) == [90.0, 10.0]
    assert share(100.0, [1.0, 1.0, 1.0], [5.0, 5.0, 5.0]) == [34.0, 33.0, 33.0]
    assert share(50.0, [0.0, 0.0], [5.0, 5.0]) == [25.0, 25.0]


@pytest.mark.parametrize(("clock", "pair"), [(44.0, (2, 6)), (45.0, (3, 8))])
def test_coordinated_phases_hold_until_their_yield_point(intersection, look, timed, clock, pair):
    """Green since 20 s of the cycle, nobody left on them, a call on 3: they yield at 45 s."""
    assert (
        ask(intersection, look, (2, 6), [3], timed=timed, elapsed=clock - 20.0, time=1000.0 + clock) == pair
    )


@pytest.mark.parametrize(("clock", "pair"), [(46.0, (3, 8)), (50.0, (3, 8)), (51.0, (2, 6)), (80.0, (2, 6))])
def test_a_call_is_served_within_its_permissive_period_only(intersection, look, timed, clock, pair):
    """3 is forced off at 60 s and needs 5 s of change and 5 s of green: it may begin until 50 s."""
    assert (
        ask(intersection, look, (2, 6), [3], timed=timed, elapsed=clock - 20.0, time=1000.0 + clock) == pair
    )


def test_a_coordinated_phase_is_called_back_without_a_vehicle(intersection, look, timed):
    assert ask(intersection, look, (4, 8), [], timed=timed, elapsed=20.0, time=1070.0) == (2, 6)


@pytest.mark.parametrize(("kind", "last"), [("fixed", 95.0), ("floating", 85.0)])
def test_force_offs_fixed_or_floating(intersection, look, timed, kind, last):
    """4 and 8 turned green early, at 55 s: fixed they may stay to 95 s; floating 4 has its split, to 85 s."""
    for clock, pair in ((last - 1, (4, 8)), (last, (2, 6))):
        controller = _Controller(Nema(force_off=kind, stuck=999.0), intersection, RINGS, timed)
        assert (
            ask(
                intersection,
                look,
                (4, 8),
                [4],
                controller=controller,
                elapsed=clock - 55.0,
                time=1000.0 + clock,
            )
            == pair
        )


def test_an_unknown_kind_of_force_off_is_refused():
    with pytest.raises(ValueError, match="not fixed or floating"):
        Nema(force_off="never")


def test_the_phases_of_real_junctions(resco):
    """A four-leg junction with protected turns has all eight pairs; a plan of pairs gives the same rings again."""
    network = load_network(open_scenario(str(resco("grid4x4"))).net)
    rings = rings_of(network.intersections["A0"], network)
    assert rings.pairs == PAIRS
    assert set(rings.states) == {phase.state for phase in network.intersections["A0"].phases}
    for name in ("cologne3", "ingolstadt1", "arterial4x4"):
        network = load_network(open_scenario(str(resco(name))).net)
        planned = with_plan(network, Nema().make_plan(network))
        for signal, intersection in network.intersections.items():
            assert not rings_of(intersection, network).single
            assert rings_of(planned.intersections[signal], planned) == rings_of(intersection, network)


def test_a_junction_without_two_streets_runs_its_phases_as_a_single_ring():
    network = corridor(1)
    intersection = network.intersections["J0"]
    assert rings_of(intersection, network).pairs == ((2, 0), (4, 0))  # two one-way streets
    rings = rings_of(replace(intersection, links=intersection.links[:1]), network)
    assert rings.single == "1 roads lead to it"
    assert rings.pairs == ((1, 0), (2, 0))
    assert rings.states == ("Gr", "rG")


def test_a_pair_is_shown_for_as_long_as_the_network_asks_for_its_links(tiny_place):
    """A phase's own minimum of 30 s holds for every pair with a link that only this phase serves."""
    network = load_network(tiny_place.net)
    intersection = network.intersections["A0"]
    first, *others = intersection.phases
    held = replace(intersection, phases=(replace(first, min_green=30.0), *others))
    network = replace(network, intersections={"A0": held})
    only = [
        k
        for k in range(intersection.n_links)
        if first.state[k] in "gG" and not any(p.state[k] in "gG" for p in others)
    ]
    assert only
    phases = with_plan(network, Nema().make_plan(network)).intersections["A0"].phases
    least = {any(phase.state[k] in "gG" for k in only): phase.min_green for phase in phases}
    assert least == {True: 30.0, False: 5.0}
