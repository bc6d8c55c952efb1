"""A crossroads made by hand: four arms, through and left on each, lefts protected in stages of their own."""

from dataclasses import replace

import numpy as np
import pytest

from denxanh.sim.network import Approach, Intersection, Link, Movement, Network, Segment
from denxanh.sim.plan import Interval, Stage, Timing
from denxanh.sim.sumo.program import phases_of

ARMS = "NESW"
STATES = ("GrrrGrrr", "rGrrrGrr", "rrGrrrGr", "rrrGrrrG")
"""Links 2k and 2k + 1 are through and left of arm k; the program shows N–S, their lefts, E–W, their lefts."""


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
