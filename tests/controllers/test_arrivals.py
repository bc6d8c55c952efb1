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
    lane, link, due = arrivals.draw(0, 60.0, rates(arrivals, 0.5))
    sight = dict(zip(arrivals.link, arrivals.sight, strict=True))
    assert len(due) > 5
    assert all(sight[k] < at < 60.0 for k, at in zip(link, due, strict=True))
    assert set(lane) <= set(arrivals.lane)


def test_a_future_stays_the_same_from_second_to_second(arrivals, look):
    """Each second the rates change a little, which moves a vehicle by less than 0.2 s."""
    for second in range(600):
        seen = look([(0, 150.0, 10.0)], time=float(second))
        arrivals.learn(replace(seen, vehicles=replace(seen.vehicles, id=(f"v{second // 10}",))))
    before = [arrivals.draw(future, 60.0, arrivals.rate) for future in range(3)]
    seen = look([(0, 150.0, 10.0)], time=600.0)
    arrivals.learn(replace(seen, vehicles=replace(seen.vehicles, id=("v59",))))
    for future in range(3):
        _, link, due = before[future]
        _, link_then, due_then = arrivals.draw(future, 60.0, arrivals.rate)
        expected = (due - 1.0)[due - 1.0 > arrivals.sight[0]]
        assert 3 <= len(expected) <= len(due_then)
        assert set(link) == set(link_then) == {0}
        np.testing.assert_allclose(due_then[: len(expected)], expected, atol=0.2)


def test_the_futures_divide_the_interval_between_two_vehicles(arrivals):
    """At 0.1 veh/s one comes every 10 s: those of three futures 10/3 s apart, on every link."""
    for k, sight in zip(arrivals.link, arrivals.sight, strict=True):
        due = []
        for future in range(3):
            _, link, at = arrivals.draw(future, 60.0, rates(arrivals, 0.1))
            mine = at[link == k]
            np.testing.assert_allclose(np.diff(mine), 10.0)
            due.append(mine[0] - sight)
        np.testing.assert_allclose(np.diff(np.sort(due)), 10.0 / 3.0)
        assert 0.0 < min(due) <= max(due) <= 10.0


def test_the_draws_have_the_rate(arrivals):
    for rate in (0.02, 0.2):
        drawn = [len(arrivals.draw(future, 60.0, rates(arrivals, rate))[2]) for future in range(3)]
        expected = rate * float(np.sum(60.0 - arrivals.sight))
        assert np.mean(drawn) == pytest.approx(expected, abs=len(arrivals.link) / 3)


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
