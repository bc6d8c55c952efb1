"""Turning shares learnt at the stop line, where routes are not known."""

from __future__ import annotations

import numpy as np

from denxanh.controllers.predictive.rollout import GREEN
from denxanh.sim.controller import Array, Ints, Observation
from denxanh.sim.network import Intersection

MEMORY = 0.995  # of the counts kept with each new vehicle: about the last 200
NEAR = 30.0  # m from the stop line within which a vehicle is counted
AT_LINE = 10.0  # m: a vehicle that stands so close to the stop line, first in its lane, could go
REFUSAL = 3.0  # s of green that a head lets pass by which it shows that it does not take that link


class TurningShares:
    """Counts of the links taken, by approach, and the links that vehicles are then expected to take.

    A vehicle is counted when it was last seen within ``NEAR`` of the stop line: there a camera knows its lane
    and sees where it goes. A vehicle keeps the link that it was given, by shares that come out right for any
    number of them, until it changes its lane or, as a head, stands still on green: then that link was not its
    own. Without that a wrong guess waits for ever, since every green that would serve it seems spent.
    Approaches that share a road upstream are guessed together beyond their lanes.
    """

    def __init__(self, intersection: Intersection, lane_length: Array, ahead: float = 0.0) -> None:
        self.ahead = ahead  # vehicles by which each link is due earlier than the one before it: another guess
        self.lane_length = lane_length  # (approaches,) m
        self.count = np.zeros(intersection.n_links)
        self.lane_of = np.zeros(intersection.n_links, dtype=np.int64)
        self.own = [np.array(approach.links, dtype=np.int64) for approach in intersection.approaches]
        for i, links in enumerate(self.own):
            self.lane_of[links] = i
            self.count[links] = 1.0 / len(links)  # before anything is known: equal shares
        self.together = [self._splits(intersection, i) for i in range(len(intersection.approaches))]
        self.counted: set[str] = set()
        self._given: dict[str, tuple[int, bool, int]] = {}  # id → (approach, on its own lane, link)
        self._refused: dict[str, set[int]] = {}  # id → links that it did not take
        self._debt: dict[tuple[int, ...], Array] = {}

    def guess(self, seen: Observation, shown: Ints) -> tuple[Ints, Ints]:
        """(approach, link) expected of each vehicle, each (vehicles,); ``shown`` (links,) is shown now."""
        vehicles = seen.vehicles
        self._learn(seen)
        approach, link = vehicles.approach.copy(), np.empty(len(vehicles.approach), dtype=np.int64)
        given: dict[str, tuple[int, bool, int]] = {}
        refused: dict[str, set[int]] = {}
        heads: set[int] = set()
        for v in np.argsort(vehicles.distance, kind="stable"):
            i, name = int(approach[v]), vehicles.id[v]
            on_lane = bool(vehicles.distance[v] <= self.lane_length[i])
            before = self._given.get(name)
            not_taken = self._refused.get(name, set())
            if before is not None and before[:2] == (i, on_lane):
                k = before[2]
                stands = i not in heads and vehicles.distance[v] < AT_LINE and vehicles.speed[v] < 0.5
                if stands and shown[k] == GREEN and min(seen.elapsed, vehicles.wait[v]) >= REFUSAL:
                    not_taken = not_taken | {k}
                    k = self._most_likely(i, k, not_taken)
            else:
                k = self._next(self._choice(i, float(vehicles.distance[v])))
            heads.add(i)
            link[v], given[name] = k, (i, on_lane, k)
            approach[v] = self.lane_of[k]
            if not_taken:
                refused[name] = not_taken
        self._given, self._refused = given, refused
        return approach, link

    def _splits(self, intersection: Intersection, i: int) -> list[tuple[float, Ints]]:
        """(m from the stop line, links): further away than that, a vehicle may still take these links as well."""
        mine = {segment.lane: segment.beyond for segment in intersection.approaches[i].segments}
        out = []
        for j, other in enumerate(intersection.approaches):
            common = [mine[segment.lane] for segment in other.segments if segment.lane in mine]
            if j != i and common:
                out.append((min(common), self.own[j]))
        return out

    def _choice(self, approach: int, distance: float) -> Ints:
        """The links that a vehicle may take that is so far (m) from the stop line of an approach."""
        more = [links for beyond, links in self.together[approach] if distance > beyond]
        return np.concatenate([self.own[approach], *more])

    def _next(self, choice: Ints) -> int:
        """The link of the next vehicle among ``choice``."""
        debt = self._debt.setdefault(
            tuple(choice.tolist()), np.arange(len(choice), dtype=np.float64) * self.ahead
        )
        debt += self.count[choice] / self.count[choice].sum()
        best = int(np.argmax(debt))
        debt[best] -= 1.0
        return int(choice[best])

    def _most_likely(self, approach: int, now: int, refused: set[int]) -> int:
        """The link most taken of those that a vehicle has not refused; ``now`` if it refused all: it is stuck."""
        left = [int(k) for k in self.own[approach] if int(k) not in refused]
        return max(left, key=lambda k: self.count[k], default=now)

    def _learn(self, seen: Observation) -> None:
        vehicles = seen.vehicles
        close = (vehicles.distance <= NEAR) & (vehicles.link >= 0)
        now = set()
        for v in np.flatnonzero(close):
            now.add(vehicles.id[v])
            if vehicles.id[v] not in self.counted:
                links = self.own[int(self.lane_of[vehicles.link[v]])]
                self.count[links] *= MEMORY
                self.count[vehicles.link[v]] += 1.0
        self.counted = now
