"""The coordination pattern of dual rings from the expected demand: cycle, splits, offsets (NTCIP 1202's names).

Signals on an arterial share one cycle, Webster's for the busiest of them; splits follow the critical flow
ratios of the phases, offsets give the arterials the widest bands. Signals on no arterial get no pattern.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from controllers.dual_ring import Rings, timing_of
from sim.arterials import arterials
from sim.change import change_between
from sim.critical import critical_ratios, flows_of
from sim.maxband import progression
from sim.network import Intersection, Network
from sim.plan import Timing
from sim.webster import CYCLE_BOUNDS, PRACTICAL, START_LOSS, YELLOW_USED, optimum_cycle


@dataclass(frozen=True)
class Pattern:
    """When phases end in the cycle. Cycle time 0 is the start of the first side of the barrier."""

    cycle: float  # s
    offset: float  # s
    split: Mapping[int, float]  # s by phase, with its yellow change and red clearance
    force_off: Mapping[
        int, float
    ]  # s of the cycle at which the phase's green ends; a yield point if coordinated
    coordinated: frozenset[int]

    def until(self, phase: int, time: float) -> float:
        """How long after ``time`` the phase's force-off (or yield point) comes, s in 0…cycle."""
        return (self.force_off[phase] + self.offset - time) % self.cycle

    def permits(self, phase: int, time: float, needs: float) -> bool:
        """Whether a call of ``phase`` may be served: since the yield, and with ``needs`` s to its force-off."""
        if phase in self.coordinated:
            return True
        window = max(self.until(phase, time + self.until(c, time)) for c in self.coordinated)
        return needs <= self.until(phase, time) <= window


def patterns(network: Network, rings: Mapping[str, Rings], *, longest: float) -> dict[str, Pattern]:
    """The pattern of every signal on an arterial. Raises InputError where the flows are not known."""
    ways = arterials(network)
    names = sorted({name for way in ways for name in way.signals})
    needs = {name: _needs(network.intersections[name], rings[name]) for name in names}
    cycle = max((_cycle(network.intersections[n], rings[n], *needs[n], longest) for n in names), default=0.0)
    whole = float(math.ceil(cycle))
    found = {name: pattern(network.intersections[name], rings[name], needs[name][0], whole) for name in names}
    timings = {name: _timing(network.intersections[name], rings[name], found[name].split) for name in names}
    offsets = progression(ways, timings)
    return {
        name: Pattern(p.cycle, float(round(offsets.get(name, 0.0))), p.split, p.force_off, p.coordinated)
        for name, p in found.items()
    }


def own_pattern(where: Intersection, rings: Rings, *, longest: float) -> Pattern:
    """The pattern of a signal by itself, with Webster's cycle. Raises InputError where the flows are not known."""
    ratios, lost = _needs(where, rings)
    return pattern(where, rings, ratios, float(math.ceil(_cycle(where, rings, ratios, lost, longest))))


def clearance(where: Intersection) -> float:
    """Yellow change and red clearance, s."""
    return where.yellow + where.all_red


def pattern(where: Intersection, rings: Rings, ratios: Sequence[float], cycle: float) -> Pattern:
    """Splits in whole seconds for a cycle (s); ``ratios`` are the critical flow ratios of ``rings.pairs``."""
    need = {p: 0.0 for side in rings.sides for ring in side for p in ring}
    for pair, ratio in zip(rings.pairs, ratios, strict=True):
        for phase in filter(None, pair):
            need[phase] += ratio
    lost = clearance(where) + START_LOSS - YELLOW_USED
    wish = {p: r * cycle + lost for p, r in need.items()}
    floors = [max(_floor(where, ring) for ring in side) for side in rings.sides]
    sides = share(cycle, [max(sum(wish[p] for p in ring) for ring in side) for side in rings.sides], floors)
    split, force_off, start = {}, {}, 0.0
    for side, length in zip(rings.sides, sides, strict=True):
        for ring in side:
            least = [_floor(where, (p,)) for p in ring]
            position = start
            for p, part in zip(ring, share(length, [wish[p] for p in ring], least), strict=True):
                position += part
                split[p], force_off[p] = part, position - clearance(where)
        start += length
    busiest = max(need, key=lambda p: (need[p], -p))
    coordinated = {busiest} if rings.single else {2, 6} & set(need)
    return Pattern(cycle, 0.0, split, force_off, frozenset(coordinated))


def share(total: float, wishes: Sequence[float], least: Sequence[float]) -> list[float]:
    """``total`` in whole parts ∝ ``wishes``, none below ``least`` (whole, together at most ``total``)."""
    if not wishes:
        return []
    wish, low = np.asarray(wishes, dtype=np.float64), np.asarray(least, dtype=np.float64)
    free = np.ones(len(wish), dtype=np.bool_)
    out = low.copy()
    while free.any():
        rest = total - low[~free].sum()
        part = wish * free if (wish * free).sum() > 0 else free.astype(np.float64)
        out[free] = (rest * part / part.sum())[free]
        short = free & (out < low)
        if not short.any():
            break
        out[short], free = low[short], free & ~short
    whole = np.floor(out + 1e-9)
    for k in np.argsort(whole - out, kind="stable")[: round(total - whole.sum())]:
        whole[k] += 1
    return [float(v) for v in whole]


def _needs(where: Intersection, rings: Rings) -> tuple[list[float], float]:
    """Critical flow ratio of each pair, and the time that one phase loses, s."""
    ratios = critical_ratios(where, rings.states, flows_of(where))
    return [float(r) for r in ratios], clearance(where) + START_LOSS - YELLOW_USED


def _cycle(where: Intersection, rings: Rings, ratios: Sequence[float], lost: float, longest: float) -> float:
    """Webster's cycle within its bounds, and long enough for all minimum greens, s."""
    critical = max(sum(r > 0 for r in ratios), len(rings.sides))
    wish = optimum_cycle(lost * critical, sum(ratios)) if sum(ratios) < PRACTICAL else longest
    floor = sum(max(_floor(where, ring) for ring in side) for side in rings.sides)
    return max(CYCLE_BOUNDS[0], min(wish, longest), floor)


def _floor(where: Intersection, ring: Sequence[int]) -> float:
    """The shortest splits of some phases together, s."""
    green = max(phase.min_green for phase in where.phases)
    return len(ring) * math.ceil(green + clearance(where))


def _timing(where: Intersection, rings: Rings, split: Mapping[int, float]) -> Timing:
    """What the rings show when every phase takes its split: for the offsets."""
    lengths = dict.fromkeys(rings.pairs, 0.0)
    for side in rings.sides:
        ends = [list(np.cumsum([split[p] for p in ring])) for ring in side]
        time, total = 0.0, max(e[-1] for e in ends if e)
        while time < total - 1e-6:
            at = [int(np.searchsorted(e, time + 1e-6)) if e else -1 for e in ends]
            until = min(e[i] for e, i in zip(ends, at, strict=True) if e)
            now = tuple(ring[i] if ring else 0 for ring, i in zip(side, at, strict=True))
            lengths[now[0], now[1]] += until - time
            time = until
    shown = [pair for pair in rings.pairs if lengths[pair] > 0]
    states = [rings.states[rings.pairs.index(pair)] for pair in shown]
    greens = []
    for pair, state, after in zip(shown, states, states[1:] + states[:1], strict=True):
        change = sum(interval.duration for interval in change_between(where, state, after))
        greens.append(max(lengths[pair] - change, 0.0))
    by_pair = dict(zip(shown, greens, strict=True))
    return timing_of(where, rings, [by_pair.get(pair, 0.0) for pair in rings.pairs])
