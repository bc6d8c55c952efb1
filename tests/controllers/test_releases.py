"""Announcements between two intersections of a street, against times worked out by hand."""

import numpy as np
import pytest

from denxanh.controllers.predictive.predictive import Predictive
from denxanh.controllers.predictive.releases import SETTING_OFF, Releases
from denxanh.sim.controller import Observation, Vehicles
from denxanh.sim.testing.check_controller import PointQueueWorld, corridor, play, steady

STREET = corridor(2)
FIRST, SECOND = STREET.intersections["J0"], STREET.intersections["J1"]
LENGTH, SPEED = STREET.lanes["J0J1_0"].length, STREET.lanes["J0J1_0"].speed


def seen_at(intersection, time: float, names: tuple[str, ...] = ()) -> Observation:
    """``names`` stand on the main road, 8 m apart."""
    n = len(names)
    whole, still = np.zeros(n, dtype=np.int64), np.zeros(n)
    vehicles = Vehicles(whole, whole, 8.0 * np.arange(n), still, still, np.full(n, 7.5), names)
    return Observation(intersection, time, phase=0, elapsed=20.0, vehicles=vehicles)


def test_who_is_let_go_is_expected_downstream():
    releases = Releases(STREET)
    releases.tell(FIRST, [("a", 0, 103.0), ("b", 0, 105.0), ("side", 1, 104.0)])
    seen = releases.expected(seen_at(SECOND, 100.0, ("x",)))
    assert seen.vehicles.id == ("x", "a", "b")  # the side road leads out of the network
    after = [3.0 + SETTING_OFF, 5.0 + SETTING_OFF]
    assert seen.vehicles.distance.tolist() == pytest.approx([0.0, *(LENGTH + SPEED * t for t in after)])
    assert seen.vehicles.link.tolist() == [0, -1, -1]
    assert releases.expected(seen_at(FIRST, 100.0)).vehicles.id == ()


def test_a_known_route_names_the_movement_and_who_stays_is_not_announced():
    routes = {("a", "J0J1"): "E", ("b", "J0J1"): ""}
    releases = Releases(STREET)
    releases.tell(FIRST, [("a", 0, 103.0), ("b", 0, 105.0)], lambda name, edge: routes.get((name, edge), ""))
    seen = releases.expected(seen_at(SECOND, 100.0))
    assert seen.vehicles.id == ("a",)  # the trip of b ends on the street
    assert (seen.vehicles.approach.tolist(), seen.vehicles.link.tolist()) == ([0], [0])
    assert seen.vehicles.distance == pytest.approx([LENGTH + SPEED * (3.0 + SETTING_OFF)])


def test_an_announcement_ends_when_its_vehicle_is_seen_or_overdue_or_the_plan_changes():
    releases = Releases(STREET)
    releases.tell(FIRST, [("a", 0, 103.0), ("b", 0, 105.0)])
    assert releases.expected(seen_at(SECOND, 110.0, ("a",))).vehicles.id == ("a", "b")
    arrives = 103.0 + SETTING_OFF + LENGTH / SPEED
    assert releases.expected(seen_at(SECOND, arrives)).vehicles.id == ("b",)
    releases.tell(FIRST, [("b", 0, 130.0)])
    seen = releases.expected(seen_at(SECOND, 110.0))
    assert seen.vehicles.id == ("b",)
    assert seen.vehicles.distance == pytest.approx([LENGTH + SPEED * (20.0 + SETTING_OFF)])
    releases.tell(FIRST, [])
    assert releases.expected(seen_at(SECOND, 110.0)).vehicles.id == ()


def test_a_platoon_that_is_announced_keeps_the_green():
    """A vehicle waits on red at J1, six are let go by J0 so that they come right then. Who is told stays green."""
    platoon = tuple(f"p{k}" for k in range(6))
    side = Vehicles(
        np.array([1]), np.array([1]), np.zeros(1), np.zeros(1), np.zeros(1), np.full(1, 7.5), ("side",)
    )
    answers = []
    for neighbours in (0.0, 30.0):
        policies = Predictive(neighbours=neighbours).start(STREET)
        policies["J0"](seen_at(FIRST, 100.0 - LENGTH / SPEED, platoon))
        seen = Observation(SECOND, 100.0, phase=0, elapsed=20.0, vehicles=side)
        answers.append(policies["J1"](seen).phase)
    assert answers == [1, 0]


@pytest.mark.parametrize("movements", ["known", "shares"])
def test_everybody_gets_through_a_street_that_exchanges(movements):
    world = PointQueueWorld(
        STREET, steady("W_0", 0.15, 300) | steady("S0_0", 0.1, 300) | steady("S1_0", 0.1, 300)
    )
    play(world, Predictive(neighbours=20.0, movements=movements), 600.0)
    assert world.left == 45 + 30 + 30
