"""Detectors count each vehicle once and when it passes; the queue between them is what came less what went."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from denxanh.controllers.actuated.actuated import Actuated
from denxanh.controllers.pressure.max_pressure import MaxPressure
from denxanh.sim.errors import InputError
from denxanh.sim.sensing import SENSINGS, Camera, Ideal, Loops, Sensing, Shown
from denxanh.sim.sensing.faults import Outages, constant_call, draw
from denxanh.sim.sensing.passages import Passages, Point, Watched, Zone
from denxanh.sim.sensing.queue import LaneQueue
from denxanh.sim.sensing.turns import Turns, spread
from denxanh.sim.simulation import Simulation
from denxanh.sim.testing.check_controller import NoiseWorld, PointQueueWorld, corridor, steady
from denxanh.sim.world import OnLane


class Road:
    """A World of one 100 m road with two lanes that lead on; vehicles are where ``put`` puts them."""

    def __init__(self) -> None:
        self.network = corridor(1)
        self.begin, self.step, self.steps = 0.0, 1.0, 0
        self.lanes: dict[str, list[OnLane]] = {}

    def put(self, **lanes: Sequence[tuple[str, float, float]]) -> None:
        self.steps += 1
        self.lanes = {
            lane: [OnLane(name, at, speed, 0.0, 7.5) for name, at, speed in vehicles]
            for lane, vehicles in lanes.items()
        }

    def on_lane(self, lane: str) -> Sequence[OnLane]:
        return self.lanes.get(lane, ())

    def next_edge(self, vehicle: str, edge: str) -> str:
        return "" if vehicle == "parks" else "on"

    def vehicle_class(self, vehicle: str) -> str:
        return "motorcycle" if vehicle.startswith("m") else "passenger"


@pytest.fixture
def street() -> tuple[Road, Passages, dict[str, list[float]], Zone]:
    """Detectors at 40 m of lane a and b, a zone of 6 m before a's end, and a's and b's ends."""
    found: dict[str, list[float]] = {"a40": [], "b40": [], "a": [], "b": []}
    everybody = lambda vehicle, two: not two  # noqa: E731  # two-wheelers are missed
    lanes = [Watched(name, "road", 100.0, 15.0) for name in "ab"]
    for lane in lanes:
        lane.points.append(Point(40.0, found[f"{lane.id}40"].append, everybody))
        lane.points.append(Point(100.0, found[lane.id].append, everybody))
    zone = Zone(94.0, 100.0, everybody)
    lanes[0].zones.append(zone)
    road = Road()
    return road, Passages(road, lanes), found, zone


def test_a_vehicle_is_counted_once_and_at_the_time_within_the_step(street: Any) -> None:
    road, passages, found, _ = street
    for at in (20.0, 35.0, 40.0, 40.0, 55.0, 85.0):
        road.put(a=[("x", at, 15.0)])
        passages.step()
    road.put()  # over the stop line
    passages.step()
    road.put()
    passages.step()
    assert found == {"a40": [3.0], "b40": [], "a": [pytest.approx(6.0 + 15.0 / 27.0)], "b": []}


def test_between_two_steps_the_time_is_interpolated(street: Any) -> None:
    road, passages, found, _ = street
    road.put(a=[("x", 36.0, 16.0)])
    passages.step()
    road.put(a=[("x", 52.0, 16.0)])
    passages.step()
    assert found["a40"] == [1.25]


def test_a_change_of_lane_is_no_passage_and_loses_none(street: Any) -> None:
    road, passages, found, _ = street
    for lane, at in (("a", 30.0), ("b", 39.0), ("a", 39.0), ("b", 45.0), ("a", 60.0)):
        road.put(**{lane: [("x", at, 9.0)]})
        passages.step()
    assert {name: len(times) for name, times in found.items()} == {"a40": 0, "b40": 1, "a": 0, "b": 0}


def test_who_is_taken_off_far_from_the_line_or_ends_its_trip_does_not_leave(street: Any) -> None:
    road, passages, found, _ = street
    road.put(a=[("jammed", 50.0, 0.0), ("parks", 95.0, 5.0)])
    passages.step()
    road.put()
    passages.step()
    assert found["a"] == []


def test_a_detector_that_misses_two_wheelers_neither_counts_nor_feels_them(street: Any) -> None:
    road, passages, found, zone = street
    for at in (39.0, 54.0, 97.0):
        road.put(a=[("m1", at, 15.0)])
        passages.step()
    assert found["a40"] == []
    assert zone.occupied == 0.0


def test_occupancy_is_the_share_of_the_step(street: Any) -> None:
    road, passages, _, zone = street
    road.put(a=[("x", 86.0, 10.0)])
    passages.step()
    assert zone.occupied == 0.0
    road.put(a=[("x", 96.0, 10.0)])  # its front has been over the zone for the last 2 of 10 m
    passages.step()
    assert zone.occupied == pytest.approx(0.2)
    road.put(a=[("x", 96.0, 0.0)])
    passages.step()
    assert zone.occupied == 1.0


def test_input_less_output_by_hand() -> None:
    """80 m at 10 m/s: three come at 0, 1 and 2 s and stand from 8 s on; the first leaves at 20 s."""
    queue = LaneQueue(80.0, 10.0, 7.5)
    for time in (0.0, 1.0, 2.0):
        queue.enter(time, 0)
    assert [row[0] for row in queue.rows(5.0, -1.0)] == [30.0, 40.0, 50.0]  # 10 m/s from 80 m
    assert [row[1] for row in queue.rows(5.0, -1.0)] == [10.0] * 3
    red = queue.rows(15.0, -1.0)
    assert [row[:2] for row in red] == [(1.0, 0.0), (7.5, 0.0), (15.0, 0.0)]
    assert [row[2] for row in red] == [7.0, 6.75, 6.5]  # since each came to its place
    queue.leave(20.0)
    assert [row[3].number for row in queue.rows(20.0, 3.0)] == [1, 2]
    assert [row[1] for row in queue.rows(20.0, 3.0)] == [5.0, 5.0]  # the wave of starting has reached both


def test_occupancy_puts_the_count_right() -> None:
    queue = LaneQueue(80.0, 10.0, 7.5)
    queue.enter(0.0, 0)  # will change lanes and never reach the line
    for second in range(1, 12):
        queue.correct(float(second), 0.0, 0.0, 1.0, 0)
    assert len(queue.inside) == 0  # due at 8 s, nobody there for 2 s and more
    queue.correct(12.0, 1.0, 0.0, 1.0, 0)
    assert len(queue.inside) == 1  # somebody who was never counted in
    for second in range(13, 16):
        queue.correct(float(second), 1.0, 1.0, 1.0, 0)
    assert len(queue.inside) == 10  # the queue stands on the advance detector: 80 m at 7.5 m


def nobody(name: str) -> Any:
    raise LookupError(name)


def drive(sensing: Sensing, controller: Any, seconds: float = 900.0, seed: int = 1) -> PointQueueWorld:
    network = corridor(2)
    traffic = steady("W_0", 0.2, seconds) | steady("S0_0", 0.1, seconds)
    world = PointQueueWorld(network, traffic)
    policies = controller.start(network)
    for question in Simulation(world, seconds, policies, sees=controller.sees, sensing=sensing, seed=seed):
        question.answer(policies[question.intersection.id](question.seen))
    return world


def test_perfect_loops_count_what_is_there() -> None:
    """With nobody missed the number of vehicles within the detectors' reach is the true one, always."""
    network, loops = corridor(1), Loops(missed=0.0, missed_two_wheelers=0.0)
    world = PointQueueWorld(network, steady("W_0", 0.3, 600) | steady("S0_0", 0.1, 600))
    controller = MaxPressure()
    policies = controller.start(network)
    ideal = Ideal(range_m=80.0).start(world, controller.sees)
    off = []
    simulation = Simulation(world, 600.0, policies, sees=controller.sees, sensing=loops)
    for question in simulation:
        seen = question.seen
        truth = ideal.observe(question.intersection, Shown(0, 0.0, np.zeros(2)), nobody).vehicles
        off.append(abs(len(seen.vehicles.approach) - len(truth.approach)))
        question.answer(policies["J0"](seen))
    assert len(off) > 40
    assert max(off) <= 1  # one may be just on the detector


@pytest.mark.parametrize(
    "sensing", [Loops(latency=2.0, outages=30.0, outage=60.0), Camera(latency=1.0, missed=0.3)]
)
def test_runs_repeat_and_other_seeds_differ(sensing: Sensing) -> None:
    first, second = drive(sensing, Actuated()), drive(sensing, Actuated())
    assert first.shown == second.shown
    assert first.shown != drive(sensing, Actuated(), seed=2).shown


def test_strategies_lose_little_without_noise() -> None:
    best = drive(Ideal(), MaxPressure()).waited
    for sensing in (Loops(missed=0.0), Camera(noise=0.0, speed_noise=0.0)):
        assert drive(sensing, MaxPressure()).waited < 1.15 * best


def test_missing_vehicles_costs() -> None:
    assert drive(Loops(missed=0.8), Actuated()).waited > 1.2 * drive(Loops(missed=0.0), Actuated()).waited


@pytest.mark.parametrize("kind", SENSINGS)
def test_what_nobody_asked_for_stays_empty(kind: type[Any]) -> None:
    world = NoiseWorld(corridor(1), np.random.default_rng(1))
    sensor = kind().start(world, frozenset())
    world.advance(1)
    sensor.sample()
    intersection = world.network.intersections["J0"]
    seen = sensor.observe(intersection, Shown(0, 0.0, np.zeros(2)), nobody)
    assert len(seen.vehicles.approach) == len(seen.exit_count) == len(seen.exit_room) == 0


def test_camera_sees_no_further_than_its_range_and_knows_no_route() -> None:
    world = NoiseWorld(corridor(1), np.random.default_rng(2), most=12)
    intersection = world.network.intersections["J0"]
    camera = Camera(range_m=50.0, missed_two_wheelers=0.0, noise=0.0).start(
        world, frozenset({"vehicles", "exits"})
    )
    shown, counts = Shown(0, 0.0, np.zeros(2)), []
    for step in range(1, 40):
        world.advance(step)
        seen = camera.observe(intersection, shown, nobody)
        assert (seen.vehicles.distance <= 50.0).all()
        assert (seen.exit_room <= 50.0).all()
        assert (seen.vehicles.link >= 0).all()
        counts.append(len(seen.vehicles.approach))
    assert sum(counts) > 50


def test_the_share_of_two_wheelers_missed_is_the_one_asked_for() -> None:
    world = NoiseWorld(corridor(3), np.random.default_rng(3))
    sees = frozenset({"vehicles"})
    half = Camera(range_m=200.0, missed_two_wheelers=0.5, occluded=0.0).start(world, sees, seed=4)
    whole = Camera(range_m=200.0, missed_two_wheelers=0.0, occluded=0.0).start(world, sees, seed=4)
    met, noticed = {"motorcycle": 0, "passenger": 0}, {"motorcycle": 0, "passenger": 0}
    for step in range(1, 300):
        world.advance(step)
        for intersection in world.network.intersections.values():
            shown = Shown(0, 0.0, np.zeros(2))
            for count, camera in ((met, whole), (noticed, half)):
                seen = camera.observe(intersection, shown, nobody)
                for name in seen.vehicles.id:
                    count[world.vehicle_class(name)] += 1
    assert noticed["passenger"] == met["passenger"] > 1000
    assert noticed["motorcycle"] / met["motorcycle"] == pytest.approx(0.5, abs=0.05)


def test_a_failed_detector_calls_always() -> None:
    intersection = corridor(1).intersections["J0"]
    call = constant_call(intersection, Shown(0, 12.0, np.array([0.0, 12.0])))
    assert call.approach.tolist() == [0, 1]
    assert call.wait.tolist() == [0.0, 12.0]
    assert (call.speed == 0.0).all()


def test_outages_come_as_often_as_asked_for_and_by_events() -> None:
    outages = Outages(seed=1, per_hour=6.0, lasting=300.0, begin=0.0)
    share = np.mean([outages.out("J", float(t)) for t in range(0, 400_000, 10)])
    assert share == pytest.approx(1 / 3, abs=0.05)  # 300 s out after 600 s of work in the mean
    quiet = Outages(seed=1, per_hour=0.0, lasting=300.0, begin=0.0)
    quiet.fail("J", True)
    assert quiet.out("J", 5.0)
    quiet.fail("J", False)
    assert not quiet.out("J", 6.0)


def test_turning_shares_come_out_right_after_few_vehicles() -> None:
    intersection = corridor(1).intersections["J0"]
    shared = replace(intersection, approaches=(replace(intersection.approaches[0], links=(0, 1)),))
    turns = Turns(shared)
    assert [turns.link(0, spread(k)) for k in range(1, 9)].count(0) == 4
    for _ in range(2000):
        turns.learn(0, 1)
    assert [turns.link(0, spread(k)) for k in range(1, 101)].count(1) >= 99


def test_draws_belong_to_names_not_to_their_order() -> None:
    assert draw(1, "a", "b") == draw(1, "a", "b") != draw(2, "a", "b")
    values = np.array([draw(7, str(k)) for k in range(4000)])
    assert values.mean() == pytest.approx(0.5, abs=0.02)
    assert 0.0 <= values.min() <= values.max() < 1.0


@pytest.mark.parametrize("wrong", [{"missed": 1.5}, {"latency": -1.0}, {"outages": float("inf")}])
def test_impossible_parameters_are_refused(wrong: dict[str, float]) -> None:
    for kind in (Loops, Camera):
        with pytest.raises(InputError, match=next(iter(wrong))):
            kind(**wrong)


def test_perfect_loops_cost_actuated_control_little_and_late_ones_do_not_ruin_it() -> None:
    best = drive(Ideal(range_m=80.0), Actuated()).waited
    assert drive(Loops(missed=0.0), Actuated()).waited < 1.5 * best
    assert drive(Loops(missed=0.0, latency=3.0), Actuated()).waited < 4.0 * best
