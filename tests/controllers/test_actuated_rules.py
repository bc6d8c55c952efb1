"""SOTL, delay-based and volume-density control, each against numbers worked out by hand."""

import pytest

from denxanh.controllers.actuated.delay_based import DelayBased
from denxanh.controllers.actuated.sotl import Sotl
from denxanh.controllers.actuated.volume_density import VolumeDensity
from denxanh.sim.controller import Green
from denxanh.sim.testing.check_controller import PointQueueWorld, check_controller, corridor, play, steady

ALL = (DelayBased(), Sotl(), VolumeDensity())


@pytest.mark.parametrize("controller", ALL, ids=lambda c: c.name)
def test_it_keeps_the_rules(controller):
    check_controller(controller, seconds=200.0)


@pytest.mark.parametrize("controller", ALL, ids=lambda c: c.name)
def test_it_serves_both_directions_of_a_crossing(controller):
    world = PointQueueWorld(corridor(1), steady("W_0", 0.12, 600) | steady("S0_0", 0.12, 600))
    play(world, controller, 800.0)
    assert world.left == 144


def test_sotl_changes_when_red_has_gathered_its_threshold(crossing, look):
    """Five vehicles on red gather 5 veh·s a second: 50 are reached after ten."""
    policy = Sotl(threshold=50.0).start(crossing)["J0"]
    waiting = [(1, 5.0 + 7.5 * k, 0.0) for k in range(5)]
    answers = [policy(look(waiting, time=100.0 + s)).phase for s in range(11)]
    assert answers == [0] * 10 + [1]


@pytest.mark.parametrize(("close", "phase"), [(0, 1), (1, 0), (3, 0), (4, 1)])
def test_sotl_does_not_cut_a_small_platoon(crossing, look, close, phase):
    policy = Sotl(threshold=1.0).start(crossing)["J0"]
    rows = [(1, 5.0, 0.0)] + [(0, 5.0 + 5 * k, 10.0) for k in range(close)]
    policy(look(rows, time=100.0))
    assert policy(look(rows, time=110.0)).phase == phase


def test_delay_based_holds_for_who_lost_time(crossing, look):
    """At 10 of 12.5 m/s a vehicle loses 0.2 s a second: 1 s is passed after more than five."""
    policy = DelayBased(lost=1.1).start(crossing)["J0"]
    rows = [(0, 50.0, 10.0), (1, 5.0, 0.0)]
    assert policy(look(rows, elapsed=2.0, time=100.0)) == Green(0, 1.0)  # minimum green
    assert policy(look(rows, elapsed=7.0, time=105.0)).phase == 1  # it lost 1.0 s
    assert policy(look(rows, elapsed=8.0, time=106.0)).phase == 0  # it lost 1.2 s
    assert policy(look(rows, elapsed=45.0, time=143.0)).phase == 1  # maximum green


def test_the_gap_shrinks_from_passage_to_minimum():
    control = VolumeDensity(passage=3.0, min_gap=1.5, before_reduction=10.0, time_to_reduce=15.0)
    assert [control.gap(s) for s in (0.0, 10.0, 17.5, 25.0, 60.0)] == [3.0, 3.0, 2.25, 1.5, 1.5]


def test_the_initial_green_grows_with_the_queue(crossing, look):
    policy = VolumeDensity(seconds_per_actuation=2.0).start(crossing)["J0"]
    queue = [(1, 5.0 + 7.5 * k, 0.0) for k in range(6)]
    assert policy(look(queue)) == Green(1, 5.0)
    # six waited: 12 s of initial green although nobody is left and somebody calls
    assert policy(look([(0, 5.0, 0.0)], phase=1, elapsed=11.0)).phase == 1
    assert policy(look([(0, 5.0, 0.0)], phase=1, elapsed=12.0)).phase == 0
