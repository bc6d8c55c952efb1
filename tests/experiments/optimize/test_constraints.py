"""What the user asks to keep: read, checked against the place, and kept by every plan of the search."""

import itertools
from pathlib import Path

import numpy as np
import pytest

from denxanh.experiments.optimize.evaluation.race import Case
from denxanh.experiments.optimize.problem.constraints import GreenLimit, make_constraints, read_limits
from denxanh.experiments.optimize.problem.neighbourhood import Neighbourhood
from denxanh.experiments.optimize.problem.scope import SCOPES
from denxanh.experiments.optimize.problem.space import Space
from denxanh.experiments.optimize.search.tuner import Budget, Tuner
from denxanh.sim.errors import InputError
from denxanh.sim.network import Network


def test_limits_are_read_from_a_line_and_from_a_table(pair: Network, tmp_path: Path):
    assert read_limits(["cluster:1:2=15-40", "B:GrrrGrrr=-30"]) == [
        GreenLimit("cluster:1", "2", 15, 40),
        GreenLimit("B", "GrrrGrrr", None, 30),
    ]
    table = tmp_path / "limits.csv"
    table.write_text("signal,stage,min_green,max_green\nA,1,12,\nB,2,,20\n")
    constraints = make_constraints(pair, greens=["A:3=8-9"], greens_file=table)
    assert constraints.green_limits == {
        ("A", "rrGrrrGr"): (8, 9),
        ("A", "GrrrGrrr"): (12, float("inf")),
        ("B", "rGrrrGrr"): (5, 20),
    }


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"freeze": ["a"]}, "no signal 'a'.*did you mean 'A'"),
        ({"signals": ["C"]}, "no signal 'C'.*there are: A, B"),
        ({"signals": ["A"], "freeze": ["A"]}, "both to change and to stay"),
        ({"greens": ["A=3-4"]}, "cannot be read"),
        ({"greens": ["A:1=x-4"]}, "cannot be read"),
        ({"greens": ["A:9=5-"]}, "no stage '9'; its stages are 1=GrrrGrrr"),
        ({"greens": ["A:1=5-9"], "freeze": ["A"]}, "its plan is frozen"),
        ({"greens": ["A:1=5-9"], "only": "offsets"}, "only offsets may change"),
        ({"greens_file": Path("nowhere.csv")}, "cannot be read"),
    ],
)
def test_what_cannot_be_kept_is_one_sentence(pair: Network, asked: dict, said: str):
    with pytest.raises(InputError, match=said):
        make_constraints(pair, **asked)


@pytest.mark.parametrize(("only", "keep_cycle"), list(itertools.product(SCOPES, (False, True))))
def test_a_walk_through_the_neighbourhood_keeps_what_is_frozen(pair: Network, only, keep_cycle: bool):
    limits = [] if only == "offsets" else ["A:2=7-20"]
    constraints = make_constraints(pair, only=only, keep_cycle=keep_cycle, signals=["A"], greens=limits)
    space = Space(pair, constraints=constraints, drop_protected=True)
    assert [signal.id for signal in space.signals] == ["A"]
    rng, walk = np.random.default_rng(1), Neighbourhood(space)
    now = space.existing()
    own = now[0]
    for _ in range(300):
        move = walk.draw(now, walk.kinds[int(rng.integers(len(walk.kinds)))], rng)
        now = move.candidate if move else now
        (setting,) = now
        assert space.legal(now)
        if only in ("offsets", "splits", "timing"):
            assert setting.order == own.order
        if only == "offsets":
            assert setting.greens == own.greens
        if only == "splits":
            assert setting.offset == own.offset
        if only == "own-stages":
            assert max(setting.order) < 4
        if keep_cycle or only in ("offsets", "splits"):
            assert space.signals[0].cycle(setting) == space.signals[0].cycle(own)
        if limits:
            k = setting.order.index(1)  # the limited stage is in every cycle
            assert 7 <= setting.greens[k] <= 20


def test_a_plan_that_breaks_the_users_limits_is_no_start(pair: Network):
    """The program shows 16 s; at least 25 s are asked for."""
    seen = []

    def evaluate(candidates):
        seen.extend(candidates)
        return np.zeros(len(candidates))

    def evaluator(plans, cases):
        return np.array([[50.0 + k + c.seed / 10 for c in cases] for k in range(len(plans))])

    def tuner(limit: str) -> Tuner:
        space = Space(pair, constraints=make_constraints(pair, greens=[limit]))
        cases = [Case(0, 1), Case(0, 2)]
        return Tuner(
            space,
            evaluate,
            evaluator,
            cases,
            np.random.default_rng(0),
            Budget(evaluations=200, rounds=1, evaluated=2),
        )

    one = tuner("A:1=25-60")
    out = one.run()
    assert seen
    assert all(one.space.legal(c) for c in seen)
    assert all(one.space.legal(j.candidate) for j in out.evaluated)
    with pytest.raises(InputError, match="no plan was found that keeps all limits"):
        tuner("A:1=500-600").run()
