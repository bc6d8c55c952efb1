"""The plans that a search may propose, as whole seconds that are legal by construction.

A candidate gives every signal a Setting: an order of stages, a green for each, an offset. Yellow and all-red
are not in it: they follow from each pair of neighbouring stages (sim.change). A Space knows each signal's
stages, bounds and change times; what it builds has at least the minimum greens, serves every link, and keeps
the cycle that was asked for to the second.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from experiments.optimize.freeze import NOTHING_FROZEN, Freeze
from experiments.optimize.stages import StageSet, stage_set
from sim.change import change_between
from sim.critical import critical_ratios, flows_of
from sim.errors import InputError
from sim.network import Intersection, Network
from sim.plan import Interval, Plan, Stage, Timing
from sim.webster import PRACTICAL

Ints = NDArray[np.int64]

LONGEST_GREEN = 10_000  # s, for a stage that nothing limits; longer than any cycle


@dataclass(frozen=True)
class Setting:
    """The timing of one signal: stages by their index in its StageSet, greens (s), offset (s)."""

    order: tuple[int, ...]
    greens: tuple[int, ...]
    offset: int


Candidate = tuple[Setting, ...]
"""One Setting for each signal of a Space, in its order."""


CYCLES = (20, 120)
"""s. Below 20 s two stages cannot hold their minimum greens and yellows; above 120 s a cycle gains hardly any
capacity and people on foot stop waiting for green (HCM 2010, chapter 18; FHWA Signal Timing Manual, 6.3)."""

SATURATED = 180
"""s, the upper bound where some signal's own stages hardly carry the traffic: there what capacity a longer cycle
gains is worth its delay."""


class Signal:
    """One signal of a Space: its stages with whole-second bounds and the change time of every pair."""

    def __init__(self, where: Intersection, stages: StageSet) -> None:
        self.id = where.id
        self.where = where
        self.stages = stages
        self.min_green = tuple(max(1, math.ceil(low)) for low in stages.min_green)
        self.max_green = tuple(
            LONGEST_GREEN if math.isinf(high) else math.floor(high) for high in stages.max_green
        )
        self._walks: dict[tuple[int, int], tuple[Interval, ...]] = {}
        self._lost: dict[tuple[int, ...], int] = {}
        n = len(stages.states)
        self.change: Ints = np.zeros((n, n), dtype=np.int64)  # s from the green of row to that of column
        for i in range(n):
            for j in range(n):
                self.change[i, j] = round(sum(interval.duration for interval in self.walk(i, j)))
        self._change: list[list[int]] = self.change.tolist()

    def walk(self, i: int, j: int) -> tuple[Interval, ...]:
        """The change intervals from stage i to stage j, their total a whole number of seconds.

        A fractional total is rounded up in its last interval: a longer clearance is never less safe.
        """
        walk = self._walks.get((i, j))
        if walk is None:
            walk = change_between(self.where, self.stages.states[i], self.stages.states[j])
            total = sum(interval.duration for interval in walk)
            missing = math.ceil(total - 1e-9) - total
            if missing > 1e-9:
                walk = (*walk[:-1], Interval(walk[-1].state, walk[-1].duration + missing))
            self._walks[i, j] = walk
        return walk

    def lost(self, order: tuple[int, ...]) -> int:
        """Time of a cycle that is not green of any stage, s."""
        lost = self._lost.get(order)
        if lost is None:
            change = self._change
            lost = self._lost[order] = sum(change[order[k - 1]][order[k]] for k in range(len(order)))
        return lost

    def cycle(self, setting: Setting) -> int:
        """Cycle of a setting, s."""
        return sum(setting.greens) + self.lost(setting.order)

    def shortest(self, order: tuple[int, ...]) -> int:
        """The shortest cycle that shows these stages with their minimum greens, s."""
        return sum(self.min_green[i] for i in order) + self.lost(order)

    def start(self, setting: Setting, stage: int) -> int:
        """When the green of ``stage`` first starts within the cycle of ``setting``, s."""
        k = setting.order.index(stage)
        walk = sum(self._change[setting.order[i]][setting.order[i + 1]] for i in range(k))
        return walk + sum(setting.greens[:k])

    def turned(self, setting: Setting) -> Setting:
        """The same timing, written from its lowest stage on: one form for each timing."""
        n = len(setting.order)
        k = min(range(n), key=lambda i: setting.order[i:] + setting.order[:i])
        if k == 0:
            return setting
        walk = sum(self._change[setting.order[i]][setting.order[i + 1]] for i in range(k))
        return Setting(
            setting.order[k:] + setting.order[:k],
            setting.greens[k:] + setting.greens[:k],
            (setting.offset + walk + sum(setting.greens[:k])) % self.cycle(setting),
        )

    def legal(self, setting: Setting) -> bool:
        """Whether a setting serves every link and keeps all bounds."""
        return self.stages.complete(setting.order) and all(
            self.min_green[i] <= green <= self.max_green[i]
            for i, green in zip(setting.order, setting.greens, strict=True)
        )

    def fit(
        self, order: tuple[int, ...], weights: Sequence[float], cycle: int, offset: int = 0
    ) -> Setting | None:
        """Greens in proportion to ``weights`` above the minimum that fill ``cycle`` (s) exactly.

        The whole seconds go by largest remainder. None if the cycle is too short or too long for the stages.
        """
        low = [self.min_green[i] for i in order]
        high = [self.max_green[i] for i in order]
        spare = cycle - self.lost(order) - sum(low)
        if spare < 0 or sum(high) - sum(low) < spare:
            return None
        greens = _largest_remainder(weights, low, high, spare)
        return self.turned(Setting(order, greens, offset % cycle))

    def timing(self, setting: Setting) -> Timing:
        """The setting as a Timing."""
        order = setting.order
        return Timing(
            tuple(
                Stage(self.stages.states[i], float(green), self.walk(i, order[(k + 1) % len(order)]))
                for k, (i, green) in enumerate(zip(order, setting.greens, strict=True))
            ),
            float(setting.offset),
        )


class Space:
    """All signals that a search may set, and the bounds of their common cycle.

    ``network`` is the place; ``freeze`` what stays as it is; ``drop_protected`` whether protected turns may
    be left with permitted green; ``cycles`` the bounds of the common cycle, s, None for ``cycle_bounds``;
    ``free_cycles`` whether a signal may run another cycle than the others (else the common one or half of it).
    """

    def __init__(
        self,
        network: Network,
        *,
        freeze: Freeze = NOTHING_FROZEN,
        drop_protected: bool = False,
        cycles: tuple[int, int] | None = None,
        free_cycles: bool = False,
    ) -> None:
        unknown = sorted(freeze.signals - set(network.intersections))
        if unknown:
            raise InputError(
                f"there is no signal {unknown[0]!r} to freeze",
                where=network.name,
                remedy=f"name some of {', '.join(sorted(network.intersections)[:5])}",
            )
        self.network = network
        self.freeze = freeze
        self.signals = tuple(
            Signal(
                where,
                freeze.limited(
                    name,
                    stage_set(where, generate=not freeze.keeps_stages, drop_protected=drop_protected),
                ),
            )
            for name, where in sorted(network.intersections.items())
            if name not in freeze.signals
        )
        if not self.signals:
            raise InputError(
                "no signal is left to optimise", where=network.name, remedy="freeze fewer signals"
            )
        self.drop_protected = drop_protected
        self.cycles = cycle_bounds(network) if cycles is None else cycles
        self.free_cycles = free_cycles

    def existing(self) -> Candidate:
        """The network's own programs, rounded to whole seconds."""
        out = []
        for signal in self.signals:
            program = signal.where.program
            greens = tuple(max(1, round(stage.green)) for stage in program.stages)
            setting = Setting(signal.stages.own, greens, 0)
            offset = round(program.offset) % signal.cycle(setting)
            out.append(signal.turned(replace(setting, offset=offset)))
        return tuple(out)

    def build(
        self,
        cycle: int,
        orders: Sequence[tuple[int, ...]],
        weights: Sequence[Sequence[float]],
        offsets: Sequence[int] | None = None,
    ) -> Candidate | None:
        """A candidate with the common ``cycle``; None where a signal cannot be fitted into it."""
        out = []
        for k, signal in enumerate(self.signals):
            setting = signal.fit(orders[k], weights[k], cycle, offsets[k] if offsets else 0)
            if setting is None:
                return None
            out.append(setting)
        return tuple(out)

    def legal(self, candidate: Candidate) -> bool:
        """Whether every setting is legal."""
        return all(s.legal(x) for s, x in zip(self.signals, candidate, strict=True))

    def plan(self, candidate: Candidate, note: str = "") -> Plan:
        """The candidate as a Plan for the signals that are not frozen."""
        return Plan(
            {s.id: s.timing(x) for s, x in zip(self.signals, candidate, strict=True)},
            note,
        )

    def candidate(self, plan: Plan) -> Candidate:
        """A plan of whole seconds and of this space's stages as a candidate; raises ValueError for another one."""
        out = []
        for signal in self.signals:
            timing = plan.timings[signal.id]
            order = tuple(signal.stages.states.index(stage.state) for stage in timing.stages)
            greens = tuple(round(stage.green) for stage in timing.stages)
            out.append(signal.turned(Setting(order, greens, round(timing.offset))))
        return tuple(out)

    def common_cycle(self, candidate: Candidate) -> int:
        """The longest cycle, which is the common one; signals may run two of theirs in it."""
        return max(s.cycle(x) for s, x in zip(self.signals, candidate, strict=True))

    def rescaled(self, candidate: Candidate, cycle: int) -> Candidate | None:
        """The candidate stretched to another common cycle (s); None if a bound forbids it."""
        if not self.cycles[0] <= cycle <= self.cycles[1]:
            return None
        old = self.common_cycle(candidate)
        out = []
        for signal, setting in zip(self.signals, candidate, strict=True):
            mine, odd = divmod(cycle * signal.cycle(setting), old)
            if odd and self.free_cycles:
                odd = 0
            offset = round(setting.offset * cycle / old)
            spare = [g - signal.min_green[i] for i, g in zip(setting.order, setting.greens, strict=True)]
            new = None if odd else signal.fit(setting.order, [max(x, 0) + 1 for x in spare], mine, offset)
            if new is None:
                return None
            out.append(new)
        return tuple(out)

    def shortest_cycle(self, orders: Sequence[tuple[int, ...]]) -> int:
        """The shortest common cycle for these stage orders, s, not below the lower bound."""
        return max(
            self.cycles[0], *(s.shortest(order) for s, order in zip(self.signals, orders, strict=True))
        )


def cycle_bounds(network: Network) -> tuple[int, int]:
    """CYCLES, or up to SATURATED where a critical flow ratio of the program's stages reaches Webster's limit."""
    for where in network.intersections.values():
        if all(movement.flow is not None for movement in where.movements):
            states = [stage.state for stage in where.program.stages]
            if critical_ratios(where, states, flows_of(where)).sum() >= PRACTICAL:
                return CYCLES[0], SATURATED
    return CYCLES


def _largest_remainder(
    weights: Sequence[float], low: Sequence[int], high: Sequence[int], spare: int
) -> tuple[int, ...]:
    """``spare`` whole seconds shared in proportion to ``weights`` on top of ``low``, none above ``high``."""
    green = list(low)
    open_ = [k for k in range(len(low)) if high[k] > low[k]]
    while spare > 0:
        total = sum(weights[k] for k in open_)
        part = {k: spare * (weights[k] / total if total > 0 else 1 / len(open_)) for k in open_}
        # who reaches its maximum takes no more; what is left goes round again
        whole = {k: min(int(part[k]), high[k] - green[k]) for k in open_}
        for k in open_:
            green[k] += whole[k]
        left = spare - sum(whole.values())
        for k in sorted(open_, key=lambda k: (whole[k] - part[k], k)):
            if left and green[k] < high[k]:
                green[k] += 1
                left -= 1
        spare = left
        open_ = [k for k in open_ if green[k] < high[k]]
    return tuple(green)
