"""Rewards: what an intersection earns at each decision step, by name, as weighted sums, or by a function of one's own.

Rewards are computed from ideal observations of the intersection, whatever the sensing of the learner is. Those of
sumo-rl (L. N. Alegre) and RESCO (J. Ault, G. Sharon, NeurIPS 2021) are here under their names. A waiting time is that
of the present halt, as SUMO's ``getWaitingTime``; sumo-rl's accumulates over the halts of a vehicle on its lane.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from denxanh.controllers.learned.features import FEATURES
from denxanh.sim.errors import InputError
from denxanh.sim.observation import Observation
from denxanh.sim.text_values import did_you_mean
from denxanh.sim.world import HALTED_SPEED

Reward = str | Mapping[str, float] | Callable[[Observation], float]
"""A choice of reward: a name, weights by name, or a function of an Observation."""

_MAX_WAIT = 0.2  # RESCO's weight of the longest wait, 1/s (MA2C)
_NORM = 224.0  # RESCO's norm of wait_norm, s


@dataclass(frozen=True)
class Measure:
    """A figure of an intersection; the reward is the figure, or its increase since the last step."""

    name: str
    unit: str
    compute: Callable[[Observation], float]
    increase: bool = False
    shared: bool = False  # a figure of the whole network, the same for every intersection
    exits: bool = False  # whether it needs the vehicles at the exits too


def _queue(seen: Observation) -> float:
    return -float(np.count_nonzero(seen.vehicles.speed < HALTED_SPEED))


def _wait(seen: Observation) -> float:
    return -float(seen.vehicles.wait.sum())


def _wait_norm(seen: Observation) -> float:
    return max(_wait(seen) / _NORM, -4.0)


def _waiting(seen: Observation) -> float:
    return _wait(seen) / 100.0


def _average_speed(seen: Observation) -> float:
    vehicles = seen.vehicles
    if not len(vehicles.speed):
        return 1.0
    limit = np.array([approach.speed for approach in seen.intersection.approaches])
    return float(np.mean(vehicles.speed / limit[vehicles.approach]))


def _pressure(seen: Observation) -> float:
    return float(seen.exit_count.sum()) - len(seen.vehicles.speed)


def _queue_pressure(seen: Observation) -> float:
    return float(seen.exit_halted.sum()) + _queue(seen)


def _queue_maxwait(seen: Observation) -> float:
    return _queue(seen) - _MAX_WAIT * float(FEATURES["max_wait"].compute(seen).sum())


REWARDS = {
    measure.name: measure
    for measure in (
        Measure("queue", "−halted vehicles (sumo-rl)", _queue),
        Measure("wait", "−s, summed over vehicles (RESCO)", _wait),
        Measure("wait_norm", "−s / 224, not below −4 (RESCO)", _wait_norm),
        Measure("diff-waiting-time", "decrease of the summed wait, 100 s (sumo-rl)", _waiting, increase=True),
        Measure("average-speed", "mean speed over the limit; 1 without vehicles (sumo-rl)", _average_speed),
        Measure("pressure", "vehicles at the exits less those on the approaches (sumo-rl)", _pressure, exits=True),
        Measure("queue-pressure", "halted vehicles, exits less approaches (RESCO)", _queue_pressure, exits=True),
        Measure("queue_maxwait", "−halted vehicles − 0.2 /s · longest waits (RESCO)", _queue_maxwait),
        Measure("delay", "−increase of the network's delay, vehicle-hours", lambda seen: math.nan, True, True),
    )
}  # fmt: skip
"""The rewards by name; RESCO's ``pressure`` is ``queue-pressure``."""


def sees_of(terms: Sequence[tuple[float, Measure]]) -> frozenset[str]:
    """What the observations must hold for these measures."""
    needs = {"vehicles"} if any(not term.shared for _, term in terms) else set()
    return frozenset(needs | {"exits"} if any(term.exits for _, term in terms) else needs)


def terms_of(reward: Reward) -> tuple[tuple[float, Measure], ...]:
    """The weighted measures that a choice names. Raises InputError."""
    if isinstance(reward, str):
        return ((1.0, _named(reward)),)
    if isinstance(reward, Mapping):
        if not reward:
            raise InputError("no reward is named", location="reward", remedy="give weights by name")
        return tuple((float(weight), _named(name)) for name, weight in reward.items())
    if not callable(reward):
        raise InputError(
            f"{reward!r} is no reward",
            location="reward",
            remedy="give a name, weights by name, or a function",
        )
    return ((1.0, Measure(getattr(reward, "__name__", type(reward).__name__), "", reward, exits=True)),)


def _named(name: str) -> Measure:
    if name not in REWARDS:
        raise InputError(
            f"there is no reward {name!r}", location="reward", remedy=did_you_mean(str(name), REWARDS)
        )
    return REWARDS[name]
