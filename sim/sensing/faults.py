"""Detector errors: misses, outages and latency, drawn so that a run repeats to the byte."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import asdict
from hashlib import blake2b
from typing import Any, Generic, TypeVar

import numpy as np

from denxanh.sim.controller import Vehicles
from denxanh.sim.errors import InputError
from denxanh.sim.input.limits import PARAMETER
from denxanh.sim.network import Intersection
from denxanh.sim.sensing.sensor import Shown
from denxanh.sim.world import QUEUE_SPACING

_T = TypeVar("_T")


def check(sensing: Any, shares: tuple[str, ...]) -> None:
    """Raise InputError unless all ``shares`` lie in 0 … 1 and all other parameters are finite and not negative."""
    for name, value in asdict(sensing).items():
        top = 1.0 if name in shares else PARAMETER
        if not (0.0 <= value <= top and math.isfinite(value)):
            wanted = "a share from 0 to 1" if name in shares else f"a number from 0 to {PARAMETER:g}"
            raise InputError(
                f"{name} is {value}", location=f"sensing {sensing.name!r}", remedy=f"give {wanted}"
            )


def draw(seed: int, *names: str) -> float:
    """A random number in [0, 1) of these names, independent of the order in which numbers are drawn."""
    digest = blake2b("\0".join((str(seed), *names)).encode(), digest_size=7).digest()
    return int.from_bytes(digest, "big") / 2**56


def generator(seed: int, *names: str) -> np.random.Generator:
    """A random generator of these names."""
    digest = blake2b("\0".join((str(seed), *names)).encode(), digest_size=8).digest()
    return np.random.default_rng(int.from_bytes(digest, "big"))


class Outages:
    """Outages of the detectors of each intersection: by chance, and by events of the run.

    By chance they fail ``per_hour`` times an hour of work and stay out for ``lasting`` s, both exponential.
    """

    def __init__(self, seed: int, per_hour: float, lasting: float, begin: float) -> None:
        self._seed, self._rate, self._lasting, self._begin = seed, per_hour / 3600.0, lasting, begin
        self._failed: set[str] = set()
        self._rng: dict[str, np.random.Generator] = {}
        self._next: dict[str, tuple[float, float]] = {}  # s: begin and end of the present or next outage

    def fail(self, intersection: str, failed: bool) -> None:
        """Start or end an outage by an event."""
        (self._failed.add if failed else self._failed.discard)(intersection)

    def out(self, intersection: str, time: float) -> bool:
        """Whether the detectors are out at ``time`` (s), which must not decrease between calls."""
        if intersection in self._failed:
            return True
        if self._rate <= 0.0 or self._lasting <= 0.0:
            return False
        if intersection not in self._rng:
            self._rng[intersection] = generator(self._seed, "outage", intersection)
            self._next[intersection] = self._draw(intersection, self._begin)
        while time >= self._next[intersection][1]:
            self._next[intersection] = self._draw(intersection, self._next[intersection][1])
        return time >= self._next[intersection][0]

    def _draw(self, intersection: str, after: float) -> tuple[float, float]:
        rng = self._rng[intersection]
        begin = after + float(rng.exponential(1.0 / self._rate))
        return begin, begin + float(rng.exponential(self._lasting))


def constant_call(intersection: Intersection, shown: Shown) -> Vehicles:
    """The output of failed detectors: a vehicle that stands at every stop line, always.

    Detectors fail to a constant call, so that no vehicle is missed (FHWA-HOP-08-024, Signal Timing Manual,
    chapter 5); an actuated green then runs to its maximum.
    """
    count = len(intersection.approaches)
    links = [approach.links[0] for approach in intersection.approaches]
    return Vehicles(
        approach=np.arange(count),
        link=np.array(links, dtype=np.int64),
        distance=np.ones(count),
        speed=np.zeros(count),
        wait=shown.red[links],
        length=np.full(count, QUEUE_SPACING),
        id=tuple(f"{intersection.id}/call/{i}" for i in range(count)),
    )


class Late(Generic[_T]):
    """A delay line of ``steps`` steps."""

    def __init__(self, steps: int) -> None:
        self._steps = steps
        self._waiting: deque[_T] = deque()

    def through(self, item: _T) -> _T | None:
        """Put in the item of this step; returns the one of ``steps`` steps ago, None at the begin."""
        self._waiting.append(item)
        return self._waiting.popleft() if len(self._waiting) > self._steps else None


def late_steps(latency: float, step: float) -> int:
    """A latency (s) in whole steps, rounded up."""
    return math.ceil(latency / step - 1e-9)
