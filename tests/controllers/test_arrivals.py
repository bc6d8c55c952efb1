"""Arrivals beyond sight: rates as measured, the same vehicles from second to second, none before the edge of sight."""

from dataclasses import replace

import numpy as np
import pytest

from denxanh.controllers.predictive.arrivals import Arrivals
from denxanh.sim.testing.check_controller import corridor


@pytest.fixture
def arrivals():
    return Arrivals(corridor(1).intersections["J0"], 3)


def rates(arrivals, value):
    return np.full(len(arrivals.link), value)


def test_each_vehicle_comes_into_sight_first(arrivals):
    lane, link, due = arrivals.draw(0, 100.0, 60.0, rates(arrivals, 0.5))
    sight = dict(zip(arrivals.link, arrivals.sight, strict=True))
    assert len(due) > 5
    assert all(sight[k] < at < 60.0 for k, at in zip(link, due, strict=True))
    assert set(lane) <= set(arrivals.lane)


def test_a_future_stays_the_same_from_second_to_second(arrivals):
    rate = rates(arrivals, 0.3)
    for future in range(3):
        _, link, due = arrivals.draw(future, 100.0, 60.0, rate)
        _, link_then, due_then = arrivals.draw(future, 101.0, 60.0, rate)
        sight = dict(zip(arrivals.link, arrivals.sight, strict=True))
        now = {(k, round(at - 1.0, 6)) for k, at in zip(link, due, strict=True) if at - 1.0 > sight[k] + 1e-6}
        then = {(k, round(at, 6)) for k, at in zip(link_then, due_then, strict=True) if at < 59.0}
        assert now == then
    assert len(arrivals.draw(0, 100.0, 60.0, rate)[2]) != len(arrivals.draw(1, 100.0, 60.0, rate)[2]) or (
        not np.array_equal(arrivals.draw(0, 100.0, 60.0, rate)[2], arrivals.draw(1, 100.0, 60.0, rate)[2])
    )


def test_the_draws_have_the_rate(arrivals):
    rate = rates(arrivals, 0.2)
    drawn = [len(arrivals.draw(0, 40.0 * k, 60.0, rate)[2]) for k in range(50)]
    expected = 0.2 * float(np.sum(60.0 - arrivals.sight))
    assert np.mean(drawn) == pytest.approx(expected, rel=0.1)


def test_rates_are_counted_where_vehicles_come_into_sight(arrivals, look):
    """One new vehicle every 10 s on lane 0, each seen several times, none on lane 1."""
    for second in range(600):
        seen = look([(0, 150.0, 10.0)], time=float(second))
        arrivals.learn(replace(seen, vehicles=replace(seen.vehicles, id=(f"v{second // 10}",))))
    by_link = dict(zip(arrivals.link, arrivals.rate, strict=True))
    assert by_link[0] == pytest.approx(0.1, rel=0.15)
    assert by_link[1] == 0.0


@pytest.mark.parametrize("told", [True, False])
def test_vehicles_whose_link_is_not_known_are_counted_by_approach(arrivals, look, told):
    for second in range(600):
        seen = look([(0, 150.0, 10.0)], time=float(second))
        link = np.full(1, 0 if told else -1)
        vehicles = replace(seen.vehicles, id=(f"v{second // 10}",), link=link)
        arrivals.learn(replace(seen, vehicles=vehicles), known=not told)
    by_link = dict(zip(arrivals.link, arrivals.rate, strict=True))
    assert by_link[0] == 0.0
    assert by_link[2] == pytest.approx(0.1, rel=0.15)  # of approach 0, after the two links


def test_the_critical_load_is_the_sum_over_the_stages(arrivals):
    """Flows of 0.2 and 0.1 veh/s at 2 s each; a stage that serves both needs the larger only."""
    count = dict(enumerate([20.0, 10.0]))
    arrivals._count, arrivals._weight = np.array([count.get(k, 0.0) for k in arrivals.link]), 100.0
    apart = np.array([[True, False], [False, True]])
    assert arrivals.critical_load(apart, 2.0) == pytest.approx(0.6)
    assert arrivals.critical_load(np.array([[True, True]]), 2.0) == pytest.approx(0.4)
    assert arrivals.critical_load(np.array([[True, False], [True, True]]), 2.0) == pytest.approx(0.4)
