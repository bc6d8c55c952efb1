"""What people on foot need: the end of a phase in which only they stop walking, and the time until a foe may start."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from denxanh.sim.network import Crossing, Network
from denxanh.sim.network_reader import load_network
from denxanh.sim.signals.change import change_between
from denxanh.sim.signals.clearance import pedestrian_clearance, shortest_gaps
from denxanh.sim.sumo.netfile import RawPhase, RawProgram
from denxanh.sim.sumo.program import read_program

STATES = (("GrG", 37.0), ("Grr", 5.0), ("yrr", 3.0), ("rGr", 30.0), ("ryr", 3.0))


def program(*rows: tuple[str, float]) -> RawProgram:
    phases = tuple(RawPhase(state, seconds, None, None, (), "") for state, seconds in rows)
    return RawProgram("J", "0", "static", 0.0, phases)


def test_walkers_clearing_end_the_phase_before() -> None:
    reading = read_program(program(*STATES), crossings={2: 8.0})
    assert [phase.state for phase in reading.phases] == ["GrG", "rGr"]
    assert reading.timing is not None
    assert [(i.state, i.duration) for i in reading.timing.stages[0].change] == [("Grr", 5.0), ("yrr", 3.0)]
    assert reading.timing.cycle == 78.0


@pytest.mark.parametrize("crossings", [{}, {1: 8.0}])
def test_a_vehicle_that_stops_is_a_phase_of_its_own(crossings: dict[int, float]) -> None:
    assert len(read_program(program(*STATES), crossings=crossings).phases) == 3


def test_a_green_longer_than_the_walk_across_is_a_phase() -> None:
    """8 m at 1.07 m/s are 7.5 s."""
    longer = (STATES[0], ("Grr", 7.6), *STATES[2:])
    assert len(read_program(program(*longer), crossings={2: 8.0}).phases) == 3
    assert len(read_program(program(*longer), crossings={2: 8.2}).phases) == 2


@pytest.fixture(scope="module")
def on_foot(tmp_path_factory: pytest.TempPathFactory, sumo_tool) -> Network:
    """netgenerate's own crossings: 37 s of walking, 5 s to clear, 3 s of yellow."""
    net = sumo_tool(
        "netgenerate",
        tmp_path_factory.mktemp("walk") / "w.net.xml",
        *("--grid", "--grid.number", "2", "--grid.attach-length", "100", "--no-turnarounds"),
        *("-j", "traffic_light", "--sidewalks.guess", "--crossings.guess"),
    )
    return load_network(net)


def test_a_crossing_of_netgenerate_has_its_length_and_needs_what_the_program_gives(on_foot: Network) -> None:
    for intersection in on_foot.intersections.values():
        crossings = [link.index for link in intersection.links if link.crossing]
        assert crossings
        assert all(5.0 < intersection.crossings[k].length < 20.0 for k in crossings)
        walks = [min(8.0, math.ceil(intersection.crossings[k].length / 1.07)) for k in crossings]
        assert pedestrian_clearance(intersection)[crossings].tolist() == walks


def test_whoever_gets_priority_over_a_crossing_waits_until_it_is_clear(on_foot: Network) -> None:
    """A turn that yields to people on foot and then turns protected is a foe that starts."""
    intersection = next(iter(on_foot.intersections.values()))
    before = intersection.program.stages[0].state
    crossing = next(link.index for link in intersection.links if link.crossing and before[link.index] == "G")
    turn = next(k for k in range(intersection.n_links) if before[k] == "g" and intersection.foes[crossing, k])
    after = "".join("G" if k == turn else "r" for k in range(intersection.n_links))
    change = change_between(intersection, before, after)
    assert (
        sum(i.duration for i in change if i.state[crossing] not in "Gg")
        == pedestrian_clearance(intersection)[crossing]
        > 3.0
    )
    assert all(i.state[turn] == "g" for i in change)


def test_where_the_way_is_known_a_short_green_in_between_counts_as_short(on_foot: Network) -> None:
    intersection = next(iter(on_foot.intersections.values()))
    gaps = shortest_gaps(intersection)
    assert gaps.min() >= 3.0
    long_way = replace(intersection, crossings=dict.fromkeys(intersection.crossings, Crossing(100.0, (), ())))
    assert pedestrian_clearance(long_way)[list(intersection.crossings)].tolist() == [8.0] * len(
        intersection.crossings
    )
    short_way = replace(intersection, crossings=dict.fromkeys(intersection.crossings, Crossing(3.21, (), ())))
    assert pedestrian_clearance(short_way)[list(intersection.crossings)].tolist() == [3.0] * len(
        intersection.crossings
    )
