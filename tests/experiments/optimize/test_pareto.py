"""Two objectives at once."""

import numpy as np

from denxanh.experiments.optimize.problem.neighbourhood import Move
from denxanh.experiments.optimize.problem.space import Candidate, Setting
from denxanh.experiments.optimize.search.pareto import crowding, pareto_front


class Steps:
    kinds = ("step",)

    def draw(self, candidate: Candidate, kind: str, rng: np.random.Generator) -> Move:
        k = int(rng.integers(2))
        moved = Setting((0, 1), (1, 1), candidate[k].offset + int(rng.integers(-3, 4)))
        return Move(kind, (k,), (*candidate[:k], moved, *candidate[k + 1 :]))


def point(x: int, y: int) -> Candidate:
    return Setting((0, 1), (1, 1), x), Setting((0, 1), (1, 1), y)


def test_the_front_between_two_aims_is_found():
    """Distances to (0, 0) and to (20, 0), squared: the front is the line between, y = 0."""

    def evaluate(batch):
        at = np.array([[s.offset for s in c] for c in batch], dtype=float)
        return np.column_stack([(at**2).sum(axis=1), ((at - [20, 0]) ** 2).sum(axis=1)])

    front = pareto_front(evaluate, Steps(), [point(30, 25)], np.random.default_rng(0), evaluations=1500)
    assert {c[1].offset for c in front.candidates} == {0}
    found = {c[0].offset for c in front.candidates}
    assert {0, 20} <= found <= set(range(21))
    assert len(found) >= 12
    assert (np.diff(front.costs[:, 0]) > 0).all()
    assert (np.diff(front.costs[:, 1]) < 0).all()


def test_a_long_front_is_thinned_but_keeps_its_ends():
    def evaluate(batch):
        x = np.array([abs(c[0].offset) for c in batch], dtype=float)
        return np.column_stack([x, 20 - np.minimum(x, 20)])

    front = pareto_front(evaluate, Steps(), [point(12, 0)], np.random.default_rng(0), evaluations=900, most=5)
    assert len(front.candidates) == 5
    assert front.costs[0, 0] == 0
    assert front.costs[-1, 1] == 0


def test_ends_of_a_front_are_never_crowded():
    distance = crowding(np.array([[0.0, 9.0], [1.0, 8.0], [5.0, 3.0], [9.0, 0.0]]))
    assert np.isinf(distance[[0, 3]]).all()
    assert distance[2] > distance[1]
