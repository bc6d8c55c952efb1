"""Right of way beyond the letters of one signal: who else is met, and where a waiting turn is out of the way."""

import itertools
import math
from types import SimpleNamespace

import pytest

from denxanh.sim.model.right_of_way import PARTED, right_of_way
from denxanh.sim.network import Lane
from denxanh.sim.sumo.conflicts import beyond_the_signal
from denxanh.sim.sumo.netfile import VEHICLE_CLASSES, RawConnection, RawJunction

RADIUS = 12.0  # m


def lane(id: str, shape: list[tuple[float, float]]) -> Lane:
    length = sum(math.dist(a, b) for a, b in itertools.pairwise(shape))
    return Lane(id, id[:-2], length, 13.9, tuple(shape), (), True, VEHICLE_CLASSES)


def turn(degrees: float, first: float = 0.0) -> list[tuple[float, float]]:
    """A left turn of RADIUS that starts northwards in the origin."""
    angles = [math.radians(first + k * (degrees - first) / 40) for k in range(41)]
    return [(RADIUS * (math.cos(a) - 1), RADIUS * math.sin(a)) for a in angles]


def connection(start: str, end: str, via: str, direction: str) -> RawConnection:
    return RawConnection(start, end, via, direction, "", -1)


def junction(waits_at: float) -> SimpleNamespace:
    """One lane that leads straight on and to the left; the left turn waits after so many degrees."""
    internal = [
        lane(":J_0_0", [(0, 0), (0, 25)]),
        lane(":J_1_0", turn(waits_at)),
        lane(":J_2_0", turn(90, waits_at)),
    ]
    connections = [
        connection("in_0", "on_0", ":J_0_0", "s"),
        connection("in_0", "off_0", ":J_1_0", "l"),
        connection(":J_1_0", "off_0", ":J_2_0", "l"),
        connection("against_0", "back_0", ":J_3_0", "s"),
    ]
    rows = {0: "000", 1: "100", 2: "010"}
    return SimpleNamespace(
        connections=connections,
        lanes={
            name: lane(name, [(0, -50), (0, 0)]) for name in ("in_0", "on_0", "off_0", "against_0", "back_0")
        },
        internal={x.id: x for x in internal},
        junctions={
            "J": RawJunction("J", "traffic_light", (0, 0), (":J_0_0", ":J_1_0", ":J_3_0"), rows, {1: "100"})
        },
    )


def test_a_waiting_turn_is_out_of_the_way_where_the_ways_have_parted():
    rules = right_of_way(junction(80.0))
    way = ("in_0", "off_0")
    assert rules.yields[way] == (("against_0", "back_0"),)
    assert rules.waiting[way] == pytest.approx(math.radians(80) * RADIUS, rel=1e-3)
    # R (1 − cos a) = 2.5 m, after a R of the way; looked at every 0.25 m
    parted = RADIUS * math.acos(1 - PARTED / RADIUS)
    assert parted < rules.parting[way] <= parted + 0.26


def test_a_turn_that_waits_before_that_is_never_out_of_the_way():
    assert right_of_way(junction(20.0)).parting["in_0", "off_0"] == math.inf


def test_a_lane_of_their_own_has_nothing_to_part_from():
    net = junction(80.0)
    net.connections = [c for c in net.connections if c.direction == "l" or c.start == "against_0"]
    assert ("in_0", "off_0") not in right_of_way(net).parting


def test_foes_that_the_signal_does_not_drive_are_known():
    net = junction(80.0)
    first, second, third = (("J", k) for k in range(3))
    assert beyond_the_signal([(0, first), (1, second), (2, third)], net) == set()
    assert beyond_the_signal([(0, first), (1, second)], net) == {1}
    assert beyond_the_signal([(4, None)], net) == {4}
