"""What is minimised."""

import numpy as np
import pytest

from experiments.optimize.objective import crowding, fronts, parse_objective, robust
from sim.errors import InputError

COLUMNS = ("delay", "stops", "finished")
METRICS = np.array([[10.0, 2.0, 90.0], [12.0, 1.0, 95.0]])


def test_a_weighted_sum_of_columns():
    assert parse_objective("delay + 3*stops")(METRICS, COLUMNS) == pytest.approx([16, 15])


def test_throughput_is_maximised():
    assert parse_objective("throughput")(METRICS, COLUMNS).argmin() == 1


def test_several_demands_are_averaged():
    both = np.array([METRICS, METRICS + np.array([[10, 0, 0], [0, 0, 0]])])
    assert parse_objective("delay")(both, COLUMNS) == pytest.approx([15, 12])


@pytest.mark.parametrize("text", ["", "speed", "x*delay", "delay+", "nan*delay"])
def test_what_is_not_an_objective_is_refused(text: str):
    with pytest.raises(InputError, match="objective"):
        parse_objective(text)


def test_a_column_that_the_model_lacks_is_named():
    with pytest.raises(InputError, match="queue"):
        parse_objective("queue")(METRICS, COLUMNS)


def test_robust_cost_moves_from_the_mean_to_the_worst():
    low, high = (lambda x: np.array([1.0, 4.0])), (lambda x: np.array([5.0, 4.0]))
    assert robust([low, high])(None) == pytest.approx([3, 4])
    assert robust([low, high], tail=1.0)(None) == pytest.approx([5, 4])


def test_fronts_are_those_of_the_definition():
    rng = np.random.default_rng(0)
    costs = rng.integers(0, 6, (40, 2)).astype(float)

    def dominates(a: np.ndarray, b: np.ndarray) -> bool:
        return bool((a <= b).all() and (a < b).any())

    left = list(range(40))
    for front in fronts(costs):
        assert sorted(front) == [i for i in left if not any(dominates(costs[j], costs[i]) for j in left)]
        left = [i for i in left if i not in front]
    assert not left


def test_ends_of_a_front_are_never_crowded():
    distance = crowding(np.array([[0.0, 9.0], [1.0, 8.0], [5.0, 3.0], [9.0, 0.0]]))
    assert np.isinf(distance[[0, 3]]).all()
    assert distance[2] > distance[1]
