"""Webster's plan as a controller."""

from dataclasses import replace

import pytest

from denxanh.controllers.fixed.webster import Webster
from denxanh.sim.testing.check_controller import PointQueueWorld, check_controller, corridor, play, steady
from denxanh.sim.timing.webster import webster_delay


def test_it_keeps_the_rules():
    check_controller(Webster())


def test_the_plan_has_websters_cycle():
    # L = 2 (3 + 2 − 1) = 8 s; saturation headway 1.05 (1 + 0.35 + 7.5 / 11.85) = 2.082 s: Y = 0.3 · 2.082
    # C0 = (1.5 · 8 + 5) / (1 − 0.6246) = 45.3 → 46 s
    timing = Webster().make_plan(corridor(1, flow=0.15)).timings["J0"]
    assert timing.cycle == 46.0
    assert [stage.green for stage in timing.stages] == [20.0, 20.0]


def test_its_uniform_delay_on_point_queues():
    """Deterministic arrivals wait as long as Webster's first term says."""
    network = corridor(1, flow=0.15)
    stage = Webster().make_plan(network).timings["J0"]
    world = PointQueueWorld(network, steady("W_0", 0.15, 54.0 * 40))
    play(world, Webster(), 54.0 * 42)
    cycle, green = stage.cycle, stage.stages[0].green - 2.0  # START_LOSS; the world uses no yellow
    share = green / cycle
    first_term = cycle * (1 - share) ** 2 / (2 * (1 - 0.15 / 0.5))
    assert world.waited / world.left == pytest.approx(first_term, rel=0.06)
    assert webster_delay(cycle, green, 0.15, 0.5) > first_term  # its second term is for random arrivals


def test_half_seconds_in_changes_and_offsets_add_up_to_no_error():
    """3.5 s of yellow and an offset of 0.25 s: the cycle is whole, and after half an hour the signal is on time."""
    network = corridor(2, flow=0.1, yellow=3.5)
    moved = {
        name: replace(intersection, program=replace(intersection.program, offset=0.25))
        for name, intersection in network.intersections.items()
    }
    network = replace(network, intersections=moved)
    timings = Webster().make_plan(network).timings
    timing = timings["J1"]
    assert timing.cycle == round(timing.cycle)
    world = PointQueueWorld(network, {})
    play(world, Webster(), 1800.0)
    starts = [time for time, name, state in world.shown if name == "J1" and state == "Gr"]
    assert len(starts) >= 1800 / timing.cycle - 1
    assert all((time - timing.offset) % timing.cycle < 2.0 for time in starts[1:])


def test_its_offsets_belong_to_its_cycle():
    """Offsets of the existing cycle say nothing in a new one: MAXBAND sets them, 16 s for 200 m at 12.5 m/s."""
    network = corridor(3, flow=0.15)
    scattered = {
        name: replace(intersection, program=replace(intersection.program, offset=23.0 * k))
        for k, (name, intersection) in enumerate(network.intersections.items())
    }
    timings = Webster().make_plan(replace(network, intersections=scattered)).timings
    cycle = timings["J0"].cycle
    steps = [(timings[f"J{k + 1}"].offset - timings[f"J{k}"].offset) % cycle for k in (0, 1)]
    assert steps == pytest.approx([16.0, 16.0], abs=0.1 * 16 + 1)  # the band's speed may differ by a tenth


def test_a_signal_on_no_arterial_keeps_its_offset():
    network = corridor(1, flow=0.15)
    moved = replace(
        network.intersections["J0"], program=replace(network.intersections["J0"].program, offset=0.25)
    )
    assert Webster().make_plan(replace(network, intersections={"J0": moved})).timings["J0"].offset == 0.25
