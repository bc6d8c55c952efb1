"""The coordination pattern of dual rings from the expected demand: cycle, splits, offsets (NTCIP 1202's names).

Signals on an arterial share one cycle, Webster's for the busiest of them; splits follow the critical flow
ratios of the phases, offsets give the arterials the widest bands. Signals on no arterial get no pattern.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from denxanh.controllers.actuated.dual_ring import Rings, timing_of
from denxanh.sim.network import Intersection, Network
from denxanh.sim.plan import Timing
from denxanh.sim.signals.change import change_between
from denxanh.sim.signals.clearance import kept_apart
from denxanh.sim.timing.arterials import arterials
from denxanh.sim.timing.critical_flow import critical_ratios, flows_of
from denxanh.sim.timing.maxband import progression
from denxanh.sim.timing.webster import CYCLE_BOUNDS, PRACTICAL, START_LOSS, YELLOW_USED, optimum_cycle


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


def own_pattern(intersection: Intersection, rings: Rings, *, longest: float) -> Pattern:
    """The pattern of a signal by itself, with Webster's cycle. Raises InputError where the flows are not known."""
    ratios, lost = _needs(intersection, rings)
    return pattern(
        intersection, rings, ratios, float(math.ceil(_cycle(intersection, rings, ratios, lost, longest)))
    )


def clearance(intersection: Intersection) -> float:
    """Yellow change and red clearance, s: the signal's, or what its program gives the pair of foes that needs most."""
    return max(
        intersection.yellow + intersection.all_red,
        float(np.max(kept_apart(intersection), where=intersection.foes, initial=0.0)),
    )


def pattern(intersection: Intersection, rings: Rings, ratios: Sequence[float], cycle: float) -> Pattern:
    """Splits in whole seconds for a cycle (s); ``ratios`` are the critical flow ratios of ``rings.pairs``."""
    need = {p: 0.0 for side in rings.sides for ring in side for p in ring}
    for pair, ratio in zip(rings.pairs, ratios, strict=True):
        for phase in filter(None, pair):
            need[phase] += ratio
    lost = clearance(intersection) + START_LOSS - YELLOW_USED
    wanted = {p: r * cycle + lost for p, r in need.items()}
    floors = [max(_floor(intersection, ring) for ring in side) for side in rings.sides]
    sides = share(cycle, [max(sum(wanted[p] for p in ring) for ring in side) for side in rings.sides], floors)
    split, force_off, start = {}, {}, 0.0
    for side, length in zip(rings.sides, sides, strict=True):
        for ring in side:
            least = [_floor(intersection, (p,)) for p in ring]
            position = start
            for p, part in zip(ring, share(length, [wanted[p] for p in ring], least), strict=True):
                position += part
                split[p], force_off[p] = part, position - clearance(intersection)
        start += length
    busiest = max(need, key=lambda p: (need[p], -p))
    coordinated = {busiest} if rings.single else {2, 6} & set(need)
    return Pattern(cycle, 0.0, split, force_off, frozenset(coordinated))


def share(total: float, desired: Sequence[float], least: Sequence[float]) -> list[float]:
    """``total`` in whole parts ∝ ``desired``, none below ``least`` (whole, together at most ``total``)."""
    if not desired:
        return []
    wanted, low = np.asarray(desired, dtype=np.float64), np.asarray(least, dtype=np.float64)
    free = np.ones(len(wanted), dtype=np.bool_)
    out = low.copy()
    while free.any():
        rest = total - low[~free].sum()
        part = wanted * free if (wanted * free).sum() > 0 else free.astype(np.float64)
        out[free] = (rest * part / part.sum())[free]
        short = free & (out < low)
        if not short.any():
            break
        out[short], free = low[short], free & ~short
    whole = np.floor(out + 1e-9)
    for k in np.argsort(whole - out, kind="stable")[: round(total - whole.sum())]:
        whole[k] += 1
    return [float(v) for v in whole]


def _needs(intersection: Intersection, rings: Rings) -> tuple[list[float], float]:
    """Critical flow ratio of each pair, and the time that one phase loses, s."""
    ratios = critical_ratios(intersection, rings.states, flows_of(intersection))
    return [float(r) for r in ratios], clearance(intersection) + START_LOSS - YELLOW_USED


def _cycle(
    intersection: Intersection, rings: Rings, ratios: Sequence[float], lost: float, longest: float
) -> float:
    """Webster's cycle within its bounds, and long enough for all minimum greens, s."""
    critical = max(sum(r > 0 for r in ratios), len(rings.sides))
    wanted = optimum_cycle(lost * critical, sum(ratios)) if sum(ratios) < PRACTICAL else longest
    floor = sum(max(_floor(intersection, ring) for ring in side) for side in rings.sides)
    return max(CYCLE_BOUNDS[0], min(wanted, longest), floor)


def _floor(intersection: Intersection, ring: Sequence[int]) -> float:
    """The shortest splits of some phases together, s."""
    green = max(phase.min_green for phase in intersection.phases)
    return len(ring) * math.ceil(green + clearance(intersection))


def _timing(intersection: Intersection, rings: Rings, split: Mapping[int, float]) -> Timing:
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
        change = sum(interval.duration for interval in change_between(intersection, state, after))
        greens.append(max(lengths[pair] - change, 0.0))
    by_pair = dict(zip(shown, greens, strict=True))
    return timing_of(intersection, rings, [by_pair.get(pair, 0.0) for pair in rings.pairs])
