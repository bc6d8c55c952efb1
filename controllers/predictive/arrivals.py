"""Arrivals beyond sight, at the rates measured: several futures that stay the same from second to second.

Scenario-based rollout with common random numbers (Bertsekas, "Rollout algorithms", 2020): a plan is judged by its mean
cost over the same few futures, and a vehicle that a future holds at one instant is there at the next one too, but for
what the rates change. In each future the vehicles of a link come at even intervals, and the futures divide an interval
evenly, in an order drawn for each link (McKay, Beckman and Conover, "A comparison of three methods for selecting
values of input variables", Technometrics 21(2), 1979): so few futures have the mean of many random ones.
"""

from __future__ import annotations

import numpy as np

from denxanh.sim.controller import Array, Ints, Observation
from denxanh.sim.network import Bools, Intersection
from denxanh.sim.sensing.sensor import RANGE

WINDOW = 600.0  # s, the time constant of the rates
LEARNING = 60.0  # s without arrivals that count as measured at the start


class Arrivals:
    """The futures of one intersection: each link gets vehicles at its rate.

    Vehicles whose link is not known have a link of their own on each approach i, ``n_links`` + i.
    """

    def __init__(self, intersection: Intersection, futures: int) -> None:
        known = [(i, k) for i, approach in enumerate(intersection.approaches) for k in approach.links]
        self._any = intersection.n_links + np.arange(len(intersection.approaches))
        links = [*known, *((i, int(k)) for i, k in enumerate(self._any))]
        self.lane = np.array([i for i, _ in links], dtype=np.int64)
        self.link = np.array([k for _, k in links], dtype=np.int64)
        self.sight = np.array(
            [min(a.reach, RANGE) / a.speed for a in (intersection.approaches[i] for i in self.lane)]
        )
        self._row = {link: row for row, (_, link) in enumerate(links)}
        rng = np.random.default_rng(len(links))
        order = np.stack([rng.permutation(futures) for _ in links], axis=1)
        self._start = (order + rng.random(len(links))) / futures  # (futures, links) of an interval
        self._expected = np.zeros(len(links))  # vehicles since the start, by the rates
        self._count = np.zeros(len(links))
        self._weight = LEARNING
        self._known: frozenset[str] = frozenset()
        self._time = np.nan

    @property
    def rate(self) -> Array:
        """Vehicles by second and link, in the order of ``link``."""
        return self._count / self._weight

    def critical_load(self, served: Bools, headway: float) -> float:
        """Sum over the stages of their critical flow ratio, for lanes that discharge one vehicle per ``headway`` s.

        ``served`` (stages, n_links) says which links each stage serves. A lane that several stages serve adds only
        what it needs beyond them, to the one that is critical already. F. V. Webster, "Traffic signal settings",
        Road Research Technical Paper 39, 1958, for the sum.
        """
        of_lane = [
            served[:, self.link[(self.lane == i) & (self.link < self._any[0])]] for i in range(len(self._any))
        ]
        stages = np.array([links.any(axis=1) for links in of_lane])
        ratio = np.bincount(self.lane, self.rate * headway, minlength=int(self.lane.max()) + 1)
        need = np.zeros(len(served))
        for i in np.argsort(stages.sum(axis=1), kind="stable"):
            mine = np.flatnonzero(stages[i])
            missing = ratio[i] - need[mine].sum()
            if len(mine) and missing > 0.0:
                need[mine[np.argmax(need[mine])]] += missing
        return float(need.sum())

    def learn(self, seen: Observation, known: bool = True) -> None:
        """Count the vehicles that have come into sight since the last observation; ``known``: by their links."""
        if not np.isnan(self._time):
            self._expected += self.rate * (seen.time - self._time)
            fade = np.exp(-(seen.time - self._time) / WINDOW)
            self._count *= fade
            self._weight = self._weight * fade + (seen.time - self._time)
        vehicles = seen.vehicles
        links = np.where(known & (vehicles.link >= 0), vehicles.link, self._any[vehicles.approach])
        for name, link in zip(vehicles.id, links.tolist(), strict=True):
            if name not in self._known and link in self._row and not np.isnan(self._time):
                self._count[self._row[link]] += 1.0
        self._known, self._time = frozenset(vehicles.id), seen.time

    def draw(self, future: int, horizon: float, rate: Array) -> tuple[Ints, Ints, Array]:
        """(approach, link, s from now at the stop line) of vehicles that are not in sight, within ``horizon`` s.

        ``rate`` (links,) is in vehicles by second; with that of this object a vehicle is there at the next second too.
        """
        done = (self._expected + self._start[future]) % 1.0  # of the interval until the next vehicle
        count = np.floor(done + rate * np.maximum(horizon - self.sight, 0.0)).astype(np.int64)
        row = np.repeat(np.arange(len(count)), count)
        number = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count) + 1
        due = self.sight[row] + (number - done[row]) / rate[row]
        return self.lane[row], self.link[row], due
