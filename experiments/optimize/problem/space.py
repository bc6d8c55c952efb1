"""The search space: the plans that a search may propose, in whole seconds and legal by construction.

A candidate gives every signal a Setting: an order of stages, a green for each, an offset. Yellow and all-red follow
from each pair of consecutive stages (sim.signals.change). A Space holds the stages, bounds and change times of each
signal; the candidates it builds keep the minimum greens, serve every link and have exactly the requested cycle.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from denxanh.experiments.optimize.problem.constraints import NO_CONSTRAINTS, Constraints
from denxanh.experiments.optimize.problem.stages import StageSet
from denxanh.sim.errors import InputError
from denxanh.sim.network import Intersection, Network
from denxanh.sim.plan import Interval, Plan, Stage, Timing
from denxanh.sim.signals.change import change_between
from denxanh.sim.timing.critical_flow import critical_ratios, flows_of
from denxanh.sim.timing.webster import PRACTICAL

Ints = NDArray[np.int64]

LONGEST_GREEN = 10_000  # s, for a stage without a maximum; longer than any cycle


@dataclass(frozen=True)
class Setting:
    """The timing of one signal: stages by their index in its StageSet, greens (s), offset (s)."""

    order: tuple[int, ...]
    greens: tuple[int, ...]
    offset: int


Candidate = tuple[Setting, ...]
"""One Setting for each signal of a Space, in its order."""


CYCLES = (20, 120)
"""Bounds of the common cycle, s. Below 20 s two stages cannot hold their minimum greens and yellows; above 120 s a
longer cycle adds hardly any capacity and pedestrians stop complying (HCM 2010, ch. 18; FHWA STM, 6.3)."""

SATURATED = 180
"""Upper bound of the cycle, s, where the stages of some signal are near capacity: the capacity that a longer cycle
adds is then worth its delay."""


class Signal:
    """One signal of a Space: its stages with bounds in whole seconds and the change time of every pair."""

    def __init__(self, intersection: Intersection, stages: StageSet, *, whole_seconds: bool = False) -> None:
        self.id = intersection.id
        self.intersection = intersection
        self.stages = stages
        self.whole_seconds = whole_seconds
        self.min_green = tuple(max(1, math.ceil(low)) for low in stages.min_green)
        self.max_green = tuple(
            LONGEST_GREEN if math.isinf(high) else math.floor(high) for high in stages.max_green
        )
        self._intervals: dict[tuple[int, int], tuple[Interval, ...]] = {}
        self._lost: dict[tuple[int, ...], int] = {}
        n = len(stages.states)
        self.change: Ints = np.zeros((n, n), dtype=np.int64)  # s from the green of row to that of column
        for i in range(n):
            for j in range(n):
                self.change[i, j] = round(sum(interval.duration for interval in self.intervals(i, j)))
        self._change: list[list[int]] = self.change.tolist()

    def intervals(self, i: int, j: int) -> tuple[Interval, ...]:
        """The change intervals from stage i to stage j, their total a whole number of seconds.

        A fractional total is rounded up in the last interval: a longer clearance is never less safe. With
        ``whole_seconds`` each interval is.
        """
        found = self._intervals.get((i, j))
        if found is None:
            found = change_between(self.intersection, self.stages.states[i], self.stages.states[j])
            if self.whole_seconds:
                found = tuple(replace(one, duration=float(math.ceil(one.duration - 1e-9))) for one in found)
            total = sum(interval.duration for interval in found)
            missing = math.ceil(total - 1e-9) - total
            if missing > 1e-9:
                found = (*found[:-1], Interval(found[-1].state, found[-1].duration + missing))
            self._intervals[i, j] = found
        return found

    def lost(self, order: tuple[int, ...]) -> int:
        """Lost time of a cycle of these stages, s: all change times together."""
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
        """Time in the cycle of ``setting`` at which the green of ``stage`` first starts, s."""
        k = setting.order.index(stage)
        changes = sum(self._change[setting.order[i]][setting.order[i + 1]] for i in range(k))
        return changes + sum(setting.greens[:k])

    def normalised(self, setting: Setting) -> Setting:
        """The same timing in its unique form, which begins with the lowest stage index."""
        n = len(setting.order)
        k = min(range(n), key=lambda i: setting.order[i:] + setting.order[:i])
        if k == 0:
            return setting
        changes = sum(self._change[setting.order[i]][setting.order[i + 1]] for i in range(k))
        return Setting(
            setting.order[k:] + setting.order[:k],
            setting.greens[k:] + setting.greens[:k],
            (setting.offset + changes + sum(setting.greens[:k])) % self.cycle(setting),
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

        Whole seconds are assigned by largest remainder. None if the cycle is too short or too long for the stages.
        """
        low = [self.min_green[i] for i in order]
        high = [self.max_green[i] for i in order]
        spare = cycle - self.lost(order) - sum(low)
        if spare < 0 or sum(high) - sum(low) < spare:
            return None
        greens = _largest_remainder(weights, low, high, spare)
        return self.normalised(Setting(order, greens, offset % cycle))

    def timing(self, setting: Setting) -> Timing:
        """The setting as a Timing."""
        order = setting.order
        return Timing(
            tuple(
                Stage(self.stages.states[i], float(green), self.intervals(i, order[(k + 1) % len(order)]))
                for k, (i, green) in enumerate(zip(order, setting.greens, strict=True))
            ),
            float(setting.offset),
        )


class Space:
    """All signals that a search may set, and the bounds of their common cycle.

    A signal whose program shows one green state only, as where nothing conflicts, keeps it (``unchanging``).
    ``drop_protected``: protected turns may become permitted ones. ``cycles``: bounds of the common cycle, s; None for
    ``cycle_bounds``. ``free_cycles``: a signal may run any cycle, else the common one or half of it.
    Raises InputError where no signal may change.
    """

    def __init__(
        self,
        network: Network,
        *,
        constraints: Constraints = NO_CONSTRAINTS,
        drop_protected: bool = False,
        cycles: tuple[int, int] | None = None,
        free_cycles: bool = False,
    ) -> None:
        unknown = sorted(constraints.signals - set(network.intersections))
        if unknown:
            raise InputError(
                f"there is no signal {unknown[0]!r} to freeze",
                location=network.name,
                remedy=f"choose from {', '.join(sorted(network.intersections)[:5])}",
            )
        self.network = network
        self.constraints = constraints
        open_ = [
            one for name, one in sorted(network.intersections.items()) if name not in constraints.signals
        ]
        if not open_:
            raise InputError(
                "no signal is left to optimise", location=network.name, remedy="freeze fewer signals"
            )
        self.unchanging = tuple(one for one in open_ if one.program.one_state)
        if len(self.unchanging) == len(open_):
            raise InputError(
                f"there is nothing to optimise: the program of signal {open_[0].id!r} shows one state only, as do "
                "those of all others that are open",
                location=network.name,
                remedy="give it a program with two stages",
            )
        self.signals = tuple(
            Signal(
                one,
                constraints.stages_of(one, drop_protected=drop_protected),
                whole_seconds=constraints.cabinet.whole_seconds,
            )
            for one in open_
            if not one.program.one_state
        )
        self.drop_protected = drop_protected
        self.cycles = cycle_bounds(network) if cycles is None else cycles
        self.free_cycles = free_cycles

    def existing(self) -> Candidate:
        """The existing plan, rounded to whole seconds."""
        out = []
        for signal in self.signals:
            program = signal.intersection.program
            greens = tuple(max(1, round(stage.green)) for stage in program.stages)
            setting = Setting(signal.stages.own, greens, 0)
            offset = round(program.offset) % signal.cycle(setting)
            out.append(signal.normalised(replace(setting, offset=offset)))
        return tuple(out)

    def build(
        self,
        cycle: int,
        orders: Sequence[tuple[int, ...]],
        weights: Sequence[Sequence[float]],
        offsets: Sequence[int] | None = None,
    ) -> Candidate | None:
        """A candidate with the common ``cycle``; None where the stages of a signal do not fit into it."""
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
        """The candidate as a Plan of the signals that may change."""
        return Plan(
            {s.id: s.timing(x) for s, x in zip(self.signals, candidate, strict=True)},
            note,
        )

    def candidate(self, plan: Plan) -> Candidate:
        """The candidate of a plan in whole seconds with stages of this space. Raises ValueError for other stages."""
        out = []
        for signal in self.signals:
            if signal.id not in plan.timings:
                raise ValueError(f"the plan has no timing of {signal.id}")
            timing = plan.timings[signal.id]
            order = tuple(signal.stages.states.index(stage.state) for stage in timing.stages)
            greens = tuple(round(stage.green) for stage in timing.stages)
            out.append(signal.normalised(Setting(order, greens, round(timing.offset))))
        return tuple(out)

    def common_cycle(self, candidate: Candidate) -> int:
        """The longest cycle, s, which is the common one; a signal may run two cycles within it."""
        return max(s.cycle(x) for s, x in zip(self.signals, candidate, strict=True))

    def rescaled(self, candidate: Candidate, cycle: int) -> Candidate | None:
        """The candidate scaled to another common cycle (s); None if a bound forbids it."""
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
        """The shortest common cycle of these stage orders, s, not below the lower bound."""
        return max(
            self.cycles[0], *(s.shortest(order) for s, order in zip(self.signals, orders, strict=True))
        )


def cycle_bounds(network: Network) -> tuple[int, int]:
    """CYCLES, or up to SATURATED where a critical flow ratio of the program's stages reaches Webster's limit."""
    for intersection in network.intersections.values():
        if all(movement.flow is not None for movement in intersection.movements):
            states = [stage.state for stage in intersection.program.stages]
            if critical_ratios(intersection, states, flows_of(intersection)).sum() >= PRACTICAL:
                return CYCLES[0], SATURATED
    return CYCLES


def _largest_remainder(
    weights: Sequence[float], low: Sequence[int], high: Sequence[int], spare: int
) -> tuple[int, ...]:
    """``low`` plus ``spare`` whole seconds distributed in proportion to ``weights``, none above ``high``."""
    green = list(low)
    open_ = [k for k in range(len(low)) if high[k] > low[k]]
    while spare > 0:
        total = sum(weights[k] for k in open_)
        part = {k: spare * (weights[k] / total if total > 0 else 1 / len(open_)) for k in open_}
        # a stage at its maximum takes no more; the remainder is distributed again
        whole = {k: min(int(part[k]), high[k] - green[k]) for k in open_}
        for k in open_:
            green[k] += whole[k]
        remainder = spare - sum(whole.values())
        for k in sorted(open_, key=lambda k: (whole[k] - part[k], k)):
            if remainder and green[k] < high[k]:
                green[k] += 1
                remainder -= 1
        spare = remainder
        open_ = [k for k in open_ if green[k] < high[k]]
    return tuple(green)
