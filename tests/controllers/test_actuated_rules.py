"""SOTL, delay-based and volume-density control, each against numbers worked out by hand."""

from dataclasses import replace

import pytest

from denxanh.controllers.actuated.actuated import Actuated
from denxanh.controllers.actuated.delay_based import DelayBased
from denxanh.controllers.actuated.sotl import Sotl
from denxanh.controllers.actuated.volume_density import VolumeDensity
from denxanh.controllers.greens import dominated
from denxanh.sim.controller import Green
from denxanh.sim.testing.check_controller import PointQueueWorld, check_controller, corridor, play, steady


def ask(controller, network, seen):
    return controller.start(network)["J0"](seen)


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


@pytest.mark.parametrize("kind", [Actuated, VolumeDensity], ids=lambda kind: kind.name)
def test_a_stage_that_serves_nobody_whom_another_does_not_serve_is_left_out(crossing, look, kind):
    """After the side street a stage of a few seconds for link 0, then the main stage of links 0 and 1."""
    plain = crossing.intersections["J0"]
    states = ("rrG", "Grr", "GGr")
    phases = tuple(replace(plain.phases[0], index=k, state=state) for k, state in enumerate(states))
    intersection = replace(plain, n_links=3, phases=phases)
    network = replace(crossing, intersections={"J0": intersection})
    seen = look([(0, 5.0, 0.0), (1, 5.0, 0.0)], intersection=intersection)
    assert dominated(intersection).tolist() == [False, True, False]
    assert ask(kind(dominated=True), network, seen).phase == 1
    assert ask(kind(), network, seen).phase == 2


def test_a_protected_left_turn_is_not_dominated_by_the_stage_in_which_it_yields(crossing):
    plain = crossing.intersections["J0"]
    states = ("Ggr", "rGr", "rrG", "rrG")
    phases = tuple(replace(plain.phases[0], index=k, state=state) for k, state in enumerate(states))
    assert not dominated(replace(plain, n_links=3, phases=phases)).any()
