"""The world without SUMO against deterministic queueing."""

import pytest

from denxanh.sim.controller import Green
from denxanh.sim.simulation import Simulation
from denxanh.sim.testing.check_controller import PointQueueWorld, corridor, steady


def drive(world, answer, seconds):
    for question in Simulation(world, seconds, world.network.intersections, sees=frozenset({"vehicles"})):
        question.answer(answer(question.seen))


def test_free_flow_has_no_delay():
    world = PointQueueWorld(corridor(2), steady("W_0", 0.4, 100))
    drive(world, lambda seen: Green(0, 10.0), 200.0)
    assert (world.left, world.waited) == (40, 0.0)


def test_a_queue_discharges_at_saturation_flow():
    # ten vehicles at the line at t = 0, green from 8 s: they cross at 10, 12, … 28 s: Σ = 190 veh·s
    world = PointQueueWorld(corridor(1, speed=1e6), {"S0_0": [0.0] * 10})
    drive(world, lambda seen: Green(1 if seen.time >= 5 else 0, 5.0), 60.0)
    assert world.left == 10
    assert world.waited == pytest.approx(
        190.0, abs=5.0
    )  # a vehicle that crosses within a second: that second


def test_a_waiting_vehicle_is_seen_where_it_stands():
    world = PointQueueWorld(corridor(1), {"S0_0": [0.0, 0.0]})
    world.advance(30)
    assert [(v.position, v.speed) for v in world.on_lane("S0_0")] == [(192.5, 0.0), (200.0, 0.0)]
    assert world.halted("S0_0") == 2
    assert world.next_edge("S0_0.0", "S0") == "N0"
    assert world.next_edge("S0_0.0", "N0") == ""


def test_nothing_crosses_on_yellow_or_red():
    world = PointQueueWorld(corridor(1), {"W_0": [0.0]})
    world.show("J0", "yr")
    world.advance(100)
    assert world.left == 0
    world.show("J0", "rG")
    world.advance(200)
    assert world.left == 0


def test_answers_may_be_asked_at_a_finer_step():
    world = PointQueueWorld(corridor(1), steady("W_0", 0.3, 60), step=0.5)
    drive(world, lambda seen: Green(0, 0.5), 120.0)
    assert (world.left, world.waited) == (18, 0.0)
