"""The search of plans against a case worked out by hand, and what holds for any traffic."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from denxanh.controllers.predictive.plan_search import Traffic, crossings, search
from denxanh.controllers.predictive.rollout import (
    ACTUATED,
    MOST_READY,
    Forecast,
    Model,
    Outcome,
    Signal,
    rollout,
)

MODEL = Model(
    horizon=60, headway=2.0, start_loss=1.5, gap=3.0, impatience=0.0, left_over=0.0, crowd=0.0, passage=2.0
)
SIGNAL = Signal(
    np.zeros((2, 2), dtype=bool),
    np.zeros(2),
    np.array([[0.0, 3.0], [3.0, 0.0]]),
    np.ones((2, 2, 2)),
    np.array([5.0, 5.0]),
    np.array([40.0, 40.0]),
)
HOLDS = np.array([0.0, 1.0, 5.0, 20.0])


def traffic(*guesses: tuple[list[float], list[float]]) -> Traffic:
    """Two lanes, lane 0 green in phase 0 and lane 1 in phase 1; for each guess the arrivals on each, s."""
    n = len(guesses)
    size = [[len(lane) for lane in guess] for guess in guesses]
    return Traffic(
        np.array([[0, a, a + b] for a, b in size]),
        np.array([np.repeat([0, 1], row) for row in size]),
        np.array([[*a, *b] for a, b in guesses], dtype=float),
        np.zeros((n, sum(size[0]))),
        np.zeros((n, sum(size[0]))),
        np.zeros((n, 2)),
        np.array([[[1, 0], [0, 1]]] * n),
    )


def best(*guesses: tuple[list[float], list[float]], keep: int = 2, rounds: int = 2) -> list[float]:
    """Cost of staying in phase 0 and of changing to phase 1 now."""
    return list(search(traffic(*guesses), SIGNAL, 0, 60.0, HOLDS, keep, rounds, MODEL)[0])


def test_green_is_back_before_the_platoon_comes():
    """Four stand on red, five are due on the green road from 20 s on. The four cross at 4.5, 6.5, 8.5 and 10.5 s; a
    change back by 17 s lets the platoon pass. The tail rule by itself changes when the first one stands."""
    due = [20.0, 22.0, 24.0, 26.0, 28.0], [0.0] * 4
    by_rule, found = best(due, rounds=0), best(due)
    assert found == pytest.approx([30.0 + 4 * 1.0, 30.0])  # staying is a second longer for each of the four
    assert by_rule[1] > found[1] + 5 * 3.0  # each of the five waits for the change at least


def test_a_plan_goes_on_by_the_rule_that_is_cheaper_for_it():
    """One is due every 3 s and twelve stand on red: ``actuated`` keeps the green for them, the other rule leaves. A
    platoon due in 3 s and one on red: the other rule leaves just before it, ``actuated`` after it."""
    picked = set()
    for due in (([3.0 * k for k in range(15)], [0.0] * 12), ([3.0, 5.0, 7.0, 9.0, 11.0], [0.0])):
        coming = traffic(due)
        forecast = Forecast(*(part[0] for part in coming))
        stay_at, stay_to = np.array([[1.0, 0.0, 0.0, 0.0]]), np.full((1, 4), -1)
        each = []
        for rule in (ACTUATED, MOST_READY):
            outcome = Outcome(np.zeros((1, 4)), np.full((1, 4), -1), np.zeros(len(forecast.due)))
            each.append(rollout(forecast, SIGNAL, 0, 10.0, stay_at, stay_to, MODEL, rule, outcome)[0])
        found = search(coming, SIGNAL, 0, 10.0, np.array([1.0]), 1, 0, MODEL)[0][0]
        assert found <= min(each) + 1e-9
        picked.add(int(np.argmin(each)))
        assert each[0] != each[1]
    assert picked == {ACTUATED, MOST_READY}


lanes = st.lists(st.floats(0.0, 50.0), max_size=8).map(sorted)


@settings(max_examples=60, deadline=None)
@given(due=st.tuples(lanes, lanes), keep=st.integers(1, 3))
def test_searching_on_never_makes_the_best_plan_dearer(due, keep):
    costs = [best(due, keep=keep, rounds=rounds) for rounds in range(4)]
    for before, after in pairwise(costs):
        assert np.all(np.array(after) <= np.array(before) + 1e-9)


def test_what_is_compared_is_the_mean_of_the_guesses():
    one, other = ([0.0], [0.0, 0.0, 3.0]), ([0.0, 1.0, 9.0], [0.0])
    every = [best(one, rounds=0), best(other, rounds=0), best(one, other, rounds=0)]
    assert every[2][1] == pytest.approx(
        (every[0][1] + every[1][1]) / 2
    )  # one plan leaves: change, then the rule
    assert every[2][0] >= (every[0][0] + every[1][0]) / 2  # of those that stay one must do for both


def test_the_plan_that_is_followed_says_when_everybody_crosses():
    coming = traffic(([20.0, 22.0, 24.0, 26.0, 28.0], [0.0] * 4))
    cost, at, to = search(coming, SIGNAL, 0, 60.0, HOLDS, 2, 2, MODEL)
    leaves = crossings(coming, SIGNAL, 0, 60.0, at[1], to[1], MODEL)
    assert leaves == pytest.approx([20.0, 22.0, 24.0, 26.0, 28.0, 4.5, 6.5, 8.5, 10.5])
    assert cost[1] == pytest.approx((leaves - coming.due[0]).sum())
