"""Rolling horizon: dynamic programming over the phases of the coming minute, for one intersection (COP).

S. Sen, K. L. Head, "Controlled optimization of phases at an intersection", Transportation Science 31 (1997)
5–17: stages are phases in their order, the state is the time that they have used up, the control how
long each is green, or not at all; the best way to a state carries its queues along. Its first decision is
carried out and the horizon rolls on, as in OPAC (N. H. Gartner, Transportation Research Record 906, 1983).

The paper presumes known arrivals over the horizon and a queue for each movement. On lanes that movements share, a
vehicle waits for those before it, and a red has a limit (docs/research/starvation.md);
``whole_lane=true,longest_red=0`` is the paper's form.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from denxanh.controllers.greens import LONGEST_RED, bounded_red, green_worth
from denxanh.sim.compiled import kernel
from denxanh.sim.controller import Array, Green, Ints, Observation, Policy
from denxanh.sim.network import Bools, Intersection, Network
from denxanh.sim.testing.point_queue import START_LOSS
from denxanh.sim.timing.webster import YELLOW_USED
from denxanh.sim.world import HALTED_SPEED


@dataclass(frozen=True)
class RollingHorizon:
    """Rolling-horizon dynamic programming (COP): phases and greens of least delay over a minute. Sees vehicles.

    Vehicles are expected at the stop line after driving there at the speed limit, and leave it at the
    saturation flow of their lane; each lane has a queue for every set of phases that its vehicles can use
    together with all before them; a vehicle behind one that none of its phases serves waits in the queue of that one.
    """

    name: ClassVar[str] = "rolling-horizon"
    sees: ClassVar[frozenset[str]] = frozenset({"vehicles"})

    horizon: float = 60.0  # s
    roll: float = 2.0  # s between decisions, and the step of the dynamic programme
    rounds: int = 2  # times that each phase may be shown in a horizon
    permissive: float = 0.5  # of the saturation flow that a yielding green gives
    left: float = 10.0  # s charged for each vehicle left in a queue at the end of the horizon
    max_green: float = 60.0  # s; bounds the green of a queue that a full exit holds back
    whole_lane: bool = False  # as the paper: a queue for each movement, which vehicles of others do not block
    longest_red: float = LONGEST_RED  # times the plan's longest red of the link; 0: none, as the paper

    def start(self, network: Network) -> Mapping[str, Policy]:
        """One memoryless policy per intersection."""
        one = np.zeros(1, dtype=np.int64)  # compiles now, not within the budget of the first answer
        first_decision(np.zeros((1, 1)), np.zeros((1, 1)), one, one, 1, 1, 1, self.left)
        return {name: self._policy(intersection) for name, intersection in network.intersections.items()}

    def _policy(self, intersection: Intersection) -> Policy:
        lanes = _Lanes(intersection, self.permissive, self.whole_lane)
        rates = lanes.rates
        count = len(intersection.phases)
        lost = intersection.yellow + intersection.all_red + START_LOSS - YELLOW_USED

        def policy(seen: Observation) -> Green:
            if seen.minimum_left > 0:
                return Green(seen.phase, seen.minimum_left)
            step = max(seen.whole(self.roll), seen.step)
            steps = math.ceil(self.horizon / step)
            arrivals = _arrivals(seen, lanes.queues(seen), rates.shape[1], steps, step)
            least = np.array([math.ceil(p.min_green / step) for p in intersection.phases], dtype=np.int64)
            longest = math.ceil(self.max_green / step)
            keep = max(math.ceil((self.max_green - seen.elapsed) / step), 0)
            order = (seen.phase + np.arange(1 + count * self.rounds)) % count
            phase, hold = first_decision(
                arrivals, rates * step, order, least, math.ceil(lost / step), keep, longest, self.left / step
            )
            if phase == seen.phase:
                return Green(seen.phase, step if hold > 0 else seen.step)
            return Green(int(phase), max(seen.least_green(int(phase)), step))

        return bounded_red(policy, intersection, self.longest_red)


class _Lanes:
    """The queues of the lanes: which one a vehicle joins, and how fast each phase empties them.

    A queue stands for what the phases let leave: a row of ``green_worth`` values over the phases. A vehicle joins the
    queue of the least value of its own link and of all links before it in its lane.
    """

    def __init__(self, intersection: Intersection, permissive: float, whole_lane: bool) -> None:
        worth = green_worth(intersection, permissive)
        self._whole_lane = whole_lane
        self._own = np.full((len(intersection.approaches), intersection.n_links), -1, dtype=np.int64)
        # the queue of a vehicle after one of a queue, by (queue, link)
        self._after: dict[tuple[int, int], int] = {}
        self._patterns: list[Array] = []  # what each phase lets leave of a queue
        self._number: dict[tuple[int, bytes], int] = {}  # of a queue, by approach and pattern
        flows: list[float] = []  # saturation flow of each queue's lane, veh/s
        for a, approach in enumerate(intersection.approaches):
            queue = len(self._patterns)
            for link in approach.links:
                self._own[a, link] = self._queue(a, worth[:, link])
            while not whole_lane and queue < len(self._patterns):  # those that are found here, too
                for link in approach.links:
                    both = np.minimum(self._patterns[queue], worth[:, link])
                    self._after[queue, link] = self._queue(a, both) if both.any() else queue
                queue += 1
            flows += [approach.saturation_flow] * (len(self._patterns) - len(flows))
        self.rates = np.stack(self._patterns, axis=1) * np.array(flows)  # (phases, queues) veh/s

    def _queue(self, approach: int, pattern: Array) -> int:
        number = self._number.setdefault((approach, pattern.tobytes()), len(self._patterns))
        if number == len(self._patterns):
            self._patterns.append(pattern)
        return number

    def queues(self, seen: Observation) -> Ints:
        """The queue of each vehicle, −1 where its link is not known or not of its lane; shape (n,)."""
        approach, link = seen.vehicles.approach, seen.vehicles.link
        own: Ints = np.where(link >= 0, self._own[approach, link], -1)
        if self._whole_lane:
            return own
        out = own.copy()
        lane = before = -1
        for i in np.flatnonzero(own >= 0):
            if approach[i] == lane:
                out[i] = self._after[before, int(link[i])]
            lane, before = approach[i], int(out[i])
        return out


def _arrivals(seen: Observation, queue: Ints, queues: int, steps: int, step: float) -> Array:
    """Vehicles that reach the stop line in each step, shape (steps, queues); halted vehicles in the first."""
    out = np.zeros((steps, queues))
    limit = np.array([a.speed for a in seen.intersection.approaches])[seen.vehicles.approach]
    due = seen.vehicles.distance / limit
    due[seen.vehicles.speed < HALTED_SPEED] = 0.0
    at = np.minimum((due / step).astype(np.int64), steps - 1)
    ok: Bools = queue >= 0
    np.add.at(out, (at[ok], queue[ok]), 1.0)
    return out


@kernel()
def first_decision(
    arrivals: Array, rates: Array, order: Ints, least: Ints, lost: int, keep: int, longest: int, left: float
) -> tuple[int, int]:
    """The phase to show now, and for how many steps the best sequence shows it.

    ``arrivals`` (steps, queues) veh, ``rates`` (phases, queues) veh a step, ``order`` the phases of the stages
    (the first is green), ``least`` and ``longest`` green in steps, ``lost`` steps of a change, ``keep``
    steps that the present green may go on, ``left`` steps charged for a vehicle at the end.
    """
    steps, queues = arrivals.shape
    best = np.full((len(order), steps + 1), np.inf)  # value f_j(s): delay up to s, veh·steps
    waits = np.zeros((len(order), steps + 1, queues))  # queues on the best way to (j, s)
    shown = np.full((len(order), steps + 1), -1)  # the phase green at its end
    first = np.full((len(order), steps + 1), -1)  # its first phase that is not left out
    held = np.zeros((len(order), steps + 1), dtype=np.int64)  # steps of green of that phase
    queue = np.zeros(queues)
    for j in range(len(order)):
        phase = order[j]
        if j > 0:  # left out: x = 0
            best[j], waits[j], shown[j] = best[j - 1], waits[j - 1], shown[j - 1]
            first[j], held[j] = first[j - 1], held[j - 1]
        for start in range(steps if j > 0 else 1):
            if j == 0:
                value, change, most = 0.0, 0, keep
                queue[:] = 0.0
                best[0, 0], shown[0, 0] = 0.0, phase  # the present green ends now
            else:
                if not np.isfinite(best[j - 1, start]) or shown[j - 1, start] == phase:
                    continue
                value, change, most = best[j - 1, start], lost, longest
                queue[:] = waits[j - 1, start]
            for x in range(change + most):
                s = start + x
                if s >= steps:
                    break
                for q in range(queues):
                    out = queue[q] + arrivals[s, q]
                    if x >= change:
                        out -= min(out, rates[phase, q])
                    queue[q] = out
                    value += out
                green = x + 1 - change
                end = s + 1
                if green <= 0 and end < steps:
                    continue
                if j > 0 and green < least[phase] and end < steps:
                    continue
                total = value + (left * queue.sum() if end == steps else 0.0)
                if total < best[j, end]:
                    best[j, end] = total
                    waits[j, end] = queue
                    shown[j, end] = phase
                    if j == 0 or start == 0:
                        first[j, end], held[j, end] = phase, green
                    else:
                        first[j, end], held[j, end] = first[j - 1, start], held[j - 1, start]
    last = np.argmin(best[:, steps])
    return first[last, steps], held[last, steps]
