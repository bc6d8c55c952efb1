"""A crossroads made by hand (four arms, lefts protected in stages of their own), and what stands for SUMO."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from denxanh.experiments.optimize.evaluation.deadline import OutOfTime
from denxanh.experiments.optimize.evaluation.race import Case
from denxanh.experiments.optimize.problem.actuation import ActuatedPlan
from denxanh.experiments.optimize.problem.cabinet_limits import CabinetLimits
from denxanh.experiments.optimize.problem.constraints import Constraints
from denxanh.experiments.optimize.problem.objective import DELAY, Objective
from denxanh.experiments.optimize.problem.space import Candidate, Space
from denxanh.experiments.optimize.problem.starts import starts
from denxanh.sim.network import Approach, Intersection, Link, Movement, Network, Segment
from denxanh.sim.plan import Interval, Plan, Stage, Timing
from denxanh.sim.sumo.program import phases_of

ARMS = "NESW"
STATES = ("GrrrGrrr", "rGrrrGrr", "rrGrrrGr", "rrrGrrrG")
"""Links 2k and 2k + 1 are through and left of arm k; the program shows N–S, their lefts, E–W, their lefts."""

CASES = [Case(0, seed) for seed in (1, 2, 3)]  # of a search for an actuated program
HELD_OUT = (4, 5)


def crossroads(name: str = "J", x: float = 0.0, *, crossing: bool = False) -> Intersection:
    """One signal; with ``crossing`` a ninth link, over the north arm, green with the E–W through stage."""
    links = []
    for k, arm in enumerate(ARMS):
        ahead, left = ARMS[(k + 2) % 4], ARMS[(k + 1) % 4]
        links.append(
            Link(2 * k, f"{name}{arm}_0", f"{name}out{ahead}_0", f":{name}_{2 * k}_0", "s", 10, 13.9, False)
        )
        links.append(
            Link(
                2 * k + 1,
                f"{name}{arm}_1",
                f"{name}out{left}_0",
                f":{name}_{2 * k + 1}_0",
                "l",
                12,
                8.0,
                False,
            )
        )
    n = len(links)
    foes, yields = (
        np.zeros((n + crossing, n + crossing), np.bool_),
        np.zeros((n + crossing, n + crossing), np.bool_),
    )
    for a in range(n):
        for b in range(n):
            arms, lefts = (a // 2, b // 2), (a % 2, b % 2)
            opposite, across = (arms[0] - arms[1]) % 4 == 2, (arms[0] - arms[1]) % 2 == 1
            if across or (opposite and lefts[0] != lefts[1]):
                foes[a, b] = True
                yields[a, b] = lefts[0] > lefts[1] or (across and lefts[0] == lefts[1] and a > b)
    states = list(STATES)
    if crossing:
        links.append(Link(n, ":w_0", f":{name}_c0_0", "", "", 0, 1.0, True))
        for k in (0, 1, 4, 3, 7):  # everything that enters or leaves the north arm
            foes[n, k] = foes[k, n] = True
        states = [s + ("G" if s is STATES[2] else "r") for s in STATES]
    changes = [(Interval(s.replace("G", "y"), 3.0), Interval("r" * len(s), 1.0)) for s in states]
    program = Timing(tuple(Stage(s, 16, c) for s, c in zip(states, changes, strict=True)), offset=5.0)
    lanes = [f"{name}{arm}_{lane}" for arm in ARMS for lane in (0, 1)]
    return Intersection(
        name, name, (x, 0.0), (name,), tuple(links), n + crossing,
        tuple(Approach(lane, (k,), 13.9, 200, (Segment(lane, 0, 1),), 0.5) for k, lane in enumerate(lanes)),
        tuple(f"{name}out{arm}_0" for arm in ARMS),
        tuple(
            Movement(f"{a.start[:-2]}>{a.end[:-2]}", a.start[:-2], a.end[:-2], a.direction, (a.index,), (a.index,),
                     (0,), 0.5, 0.05 if a.direction == "l" else 0.15)
            for a in links if not a.crossing
        ),
        phases_of(program), program, "0", 3.0, 1.0, foes, yields,
    )  # fmt: skip


@pytest.fixture
def corner() -> Intersection:
    return crossroads()


@pytest.fixture
def pair() -> Network:
    """Two crossroads 300 m apart."""
    return Network("pair", {}, {}, {"A": crossroads("A"), "B": crossroads("B", 300.0)}, {})


@pytest.fixture
def walkers() -> Network:
    """A crossroads with a crossing on foot and an odd minimum green."""
    intersection = crossroads("P", crossing=True)
    phases = (replace(intersection.phases[0], min_green=7.5), *intersection.phases[1:])
    return Network("walkers", {}, {}, {"P": replace(intersection, phases=phases)}, {})


@dataclass(frozen=True)
class Sumo:
    """Stands for SUMO: ``level`` is the cost of a program; out of time from call ``calls`` on."""

    level: Callable[[Plan], float]
    calls: float = math.inf
    until: float = math.inf
    objective: Objective = DELAY
    asked: list[tuple[Plan, int]] = field(default_factory=list)
    count: list[int] = field(default_factory=list)

    def __call__(self, plans: Sequence[Plan], cases: Sequence[Case]) -> np.ndarray[Any, Any]:
        self.count.append(len(plans))
        if len(self.count) > self.calls:
            raise OutOfTime
        self.asked.extend((plan, case.seed) for plan in plans for case in cases)
        return np.array(
            [[self.level(p) + np.random.default_rng(c.seed).normal(0, 0.01) for c in cases] for p in plans]
        )


def far_from(network: Network, best: float, gap: float) -> Callable[[Plan], float]:
    """A cost that is least where every maximum green is ``best`` and every gap ``gap``."""

    def level(plan: Plan) -> float:
        if not isinstance(plan, ActuatedPlan):
            return 60.0
        own = plan.explicit(network).actuation.signals.values()
        off = [abs(high - best) for one in own for _, high in one.greens] + [
            3 * abs(one.max_gap - gap) for one in own
        ]
        return 20.0 + sum(off) / len(off)

    return level


@pytest.fixture
def three_stages(pair: Network) -> Space:
    """A space in which the existing four stages are too many."""
    space = Space(pair, constraints=Constraints(cabinet=CabinetLimits(max_stages=3)), drop_protected=True)
    assert not space.legal(space.existing())
    return space


def legal_start(space: Space) -> Candidate:
    return next(candidate for candidate in starts(space) if space.legal(candidate))
