"""What a plan costs the next intersection, by hand, and that it changes a decision."""

import numpy as np
import pytest

from denxanh.controllers.predictive.downstream import Downstream, PlannedStep
from denxanh.controllers.predictive.plan_search import DEPTH
from denxanh.controllers.predictive.predictive import Predictive
from denxanh.controllers.predictive.releases import Announced
from denxanh.controllers.predictive.rollout import Model, Signal
from denxanh.sim.controller import Observation, Vehicles
from denxanh.sim.testing.check_controller import PointQueueWorld, corridor, play, steady

STREET = corridor(2)
FIRST, SECOND = STREET.intersections["J0"], STREET.intersections["J1"]
LENGTH, SPEED = STREET.lanes["J0J1_0"].length, STREET.lanes["J0J1_0"].speed
MODEL = Model(60, 2.0, 1.5, 3.0, 0.0, 15.0, 0.0, 2.0)
SIGNAL = Signal(
    yields=np.zeros((4, 4), dtype=np.bool_),
    slower=np.zeros(4),
    change=np.array([[0.0, 5.0], [5.0, 0.0]]),
    crossed=np.zeros((2, 2, 4)),
    min_green=np.array([5.0, 5.0]),
    max_green=np.array([40.0, 40.0]),
)


def side_street_until(
    seconds: float, names: tuple[str, ...] = (), in_sight: tuple[str, ...] = ()
) -> PlannedStep:
    """The second junction shows phase 1 and means to change to the street, approach 0, after ``seconds``."""
    n = len(names)
    at, to = np.zeros(DEPTH), np.full(DEPTH, -1)
    at[0], to[0] = seconds, 0
    return PlannedStep(
        100.0,
        names,
        frozenset(in_sight),
        np.zeros(n, dtype=np.int64),
        np.zeros(n, dtype=np.int64),
        10.0 + 2.0 * np.arange(n),
        np.zeros(n),
        np.zeros(n),
        np.zeros(2),
        np.array([[1, 0, 1, 0], [0, 1, 0, 1]]),
        1,
        60.0,
        at,
        to,
    )


def coming(*times: float, link: int = 0) -> list[Announced]:
    return [Announced(f"v{k}", 0, link, 100.0 + t, SPEED) for k, t in enumerate(times)]


@pytest.mark.parametrize("link", [0, -1])
def test_who_comes_before_the_green_waits_for_it(link):
    downstream = Downstream(MODEL)
    downstream.keep("J1", SIGNAL, side_street_until(20.0))
    told = [{"J1": coming(10.0, 11.0, link=link)}, {"J1": coming(40.0, link=link)}, {}]
    # green from 25 s, the first crosses after 1.5 s of start-up, the second 2 s behind it
    wanted = [(26.5 - 10.0) + (28.5 - 11.0), 0.0, 0.0]
    assert downstream.costs(told, frozenset()).tolist() == pytest.approx(wanted)


def test_who_was_announced_and_is_not_let_go_any_more_costs_nothing_there():
    downstream = Downstream(MODEL)
    downstream.keep("J1", SIGNAL, side_street_until(20.0, ("seen", "told", "other"), ("seen",)))
    one = {"J1": coming(50.0)}
    every = downstream.costs([one], frozenset())
    without = downstream.costs([one], frozenset({"seen", "told"}))
    waits = [26.5 - 10.0, 28.5 - 12.0, 30.5 - 14.0]
    assert every.tolist() == pytest.approx([sum(waits)])
    assert without.tolist() == pytest.approx([(26.5 - 10.0) + (28.5 - 14.0)])  # the third moves up


def test_the_second_junction_s_red_lets_the_first_serve_its_side_street():
    """Two wait on the street and one on the side street; those on the street would only stand again at J1."""
    whole = np.array([0, 0, 1])
    stand = np.zeros(3)
    here = Vehicles(whole, whole, np.array([0.0, 8.0, 0.0]), stand, stand, np.full(3, 7.5), ("a", "b", "c"))
    answers = []
    for weight in (0.0, 1.0):
        policies = Predictive(neighbours=60.0, downstream=weight).start(STREET)
        n = 14
        row = np.ones(n, dtype=np.int64)
        still = np.zeros(n)
        queue = Vehicles(
            row, row, 8.0 * np.arange(n), still, still, np.full(n, 7.5), tuple(map(str, range(n)))
        )
        policies["J1"](Observation(SECOND, 100.0, phase=1, elapsed=5.0, vehicles=queue))
        answers.append(policies["J0"](Observation(FIRST, 100.0, phase=0, elapsed=5.0, vehicles=here)).phase)
    assert answers == [0, 1]


def test_everybody_gets_through_a_street_that_plans_together():
    world = PointQueueWorld(
        STREET, steady("W_0", 0.15, 300) | steady("S0_0", 0.1, 300) | steady("S1_0", 0.1, 300)
    )
    play(world, Predictive(neighbours=60.0, downstream=1.0), 600.0)
    assert world.left == 45 + 30 + 30


def test_a_weight_without_neighbours_is_refused():
    with pytest.raises(ValueError, match="give neighbours as well"):
        Predictive(downstream=1.0)
