"""Moves of the search for actuated programs: maximum, minimum, gap, stages, coordination, offset and split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from denxanh.experiments.optimize.problem.actuation import (
    ActuatedPlan,
    Actuation,
    SignalActuation,
    longest_green,
    safe_minimum,
    signal_settings,
    within_plan,
)
from denxanh.experiments.optimize.problem.constraints import NO_CONSTRAINTS, Constraints
from denxanh.sim.network import Intersection, Network
from denxanh.sim.plan import Plan, Timing

KINDS = ("maxima", "maximum", "minima", "minimum", "gap", "stages", "coordination", "offset", "split")
FACTORS = (0.6, 0.75, 0.85, 1.2, 1.35, 1.7)  # of maximum greens
STEPS = (-6.0, -3.0, 3.0, 6.0)  # s, of minimum greens and of what a split moves
SHIFTS = (-10.0, -5.0, -2.0, 2.0, 5.0, 10.0)  # s, of offsets
GAPS = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0)  # s
MOST_GREEN = 120.0  # s
FEW = (
    4  # signals that are moved one at a time; of more a quarter is moved together: one alone is lost in noise
)
NEW_STAGES = 2.5  # ratio of maximum to planned green of stages taken from another plan


@dataclass(frozen=True)
class _Draw:
    """What is the same for all signals of a move."""

    factor: float
    step: float
    shift: float
    gap: float
    plan: int
    coordinate: bool
    pick: float  # in [0, 1), selects a stage
    other: float


@dataclass(frozen=True)
class ActuatedMoves:
    """Draws neighbours of an actuated program; ``plans`` hold the timings that a signal may take instead."""

    network: Network
    plans: Sequence[Plan]
    constraints: Constraints = NO_CONSTRAINTS

    @property
    def kinds(self) -> tuple[str, ...]:
        """The moves that the constraints permit."""
        keep = self.constraints
        kept = {"offset": keep.offsets, "split": keep.greens, "stages": keep.stages or keep.greens}
        return tuple(kind for kind in KINDS if not kept.get(kind, False))

    def draw(self, program: ActuatedPlan, rng: np.random.Generator) -> ActuatedPlan | None:
        """A neighbour of ``program``, which has settings for each stage; None where the move changes nothing."""
        names = sorted(program.timings)
        kind = self.kinds[int(rng.integers(len(self.kinds)))]
        size = 1 if len(names) <= FEW else max(1, len(names) // FEW)
        group = rng.choice(len(names), size, replace=False).tolist()
        pick, other, toggle = rng.random(3).tolist()
        draw = _Draw(
            float(rng.choice(FACTORS)),
            float(rng.choice(STEPS)),
            float(rng.choice(SHIFTS)),
            float(rng.choice(GAPS)),
            int(rng.integers(max(1, len(self.plans)))),
            toggle < 0.5,
            pick,
            other,
        )
        timings, signals = dict(program.timings), dict(program.actuation.signals)
        for name in (names[k] for k in group):
            intersection = self.network.intersections[name]
            timing, own = self._moved(kind, intersection, timings[name], signals[name], draw)
            timings[name], signals[name] = timing, within_plan(intersection, timing, own)
        if timings == program.timings and signals == program.actuation.signals:
            return None
        return replace(program, timings=timings, actuation=replace(program.actuation, signals=signals))

    def _moved(
        self, kind: str, intersection: Intersection, timing: Timing, own: SignalActuation, draw: _Draw
    ) -> tuple[Timing, SignalActuation]:
        stage = int(draw.pick * len(timing.stages))
        low, high = own.greens[stage]
        if kind == "gap":
            return timing, replace(own, max_gap=draw.gap)
        if kind == "maxima":
            every = tuple(
                (least, _scaled(least, most, draw.factor, longest_green(intersection, one.state)))
                for one, (least, most) in zip(timing.stages, own.greens, strict=True)
            )
            return timing, replace(own, greens=every)
        if kind == "maximum":
            longest = longest_green(intersection, timing.stages[stage].state)
            return timing, _with_green(own, stage, low, _scaled(low, high, draw.factor, longest))
        if kind in ("minima", "minimum"):
            changed = own
            for k, one in enumerate(timing.stages):
                if kind == "minima" or k == stage:
                    least, most = own.greens[k]
                    safe = safe_minimum(intersection, one.state)
                    least = max(safe, min(most, round(least + draw.step)))
                    changed = _with_green(changed, k, least, max(least, most))
            return timing, changed
        if kind == "stages":
            return self._other_stages(intersection, timing, own, draw)
        if kind == "coordination":
            main = stage if draw.coordinate else None
            return timing, replace(own, coordinated=main)
        if own.coordinated is None:
            return timing, own
        if kind == "offset":
            return replace(timing, offset=(timing.offset + draw.shift) % timing.cycle), own
        return _other_split(intersection, timing, draw), own

    def _other_stages(
        self, intersection: Intersection, timing: Timing, own: SignalActuation, draw: _Draw
    ) -> tuple[Timing, SignalActuation]:
        """The stages of another plan, with its greens and common settings."""
        new = self.plans[draw.plan].timings[intersection.id] if self.plans else timing
        if [s.state for s in new.stages] == [s.state for s in timing.stages]:
            return timing, own
        common = Actuation(stretch=NEW_STAGES, max_gap=own.max_gap, coordinated=own.coordinated is not None)
        return new, signal_settings(intersection, new, common)


def _other_split(intersection: Intersection, timing: Timing, draw: _Draw) -> Timing:
    """The timing with some seconds of one stage given to another, within the limits of both."""
    stages = list(timing.stages)
    giver, taker = int(draw.pick * len(stages)), int(draw.other * len(stages))
    spare = stages[giver].green - safe_minimum(intersection, stages[giver].state)
    room = longest_green(intersection, stages[taker].state) - stages[taker].green
    moved = float(int(min(abs(draw.step), spare, room)))
    if giver == taker or moved <= 0:
        return timing
    stages[giver] = replace(stages[giver], green=stages[giver].green - moved)
    stages[taker] = replace(stages[taker], green=stages[taker].green + moved)
    return replace(timing, stages=tuple(stages))


def _scaled(low: float, high: float, factor: float, longest: float) -> float:
    return max(low, min(MOST_GREEN, longest, float(round(high * factor))))


def _with_green(own: SignalActuation, stage: int, low: float, high: float) -> SignalActuation:
    greens = list(own.greens)
    greens[stage] = low, high
    return replace(own, greens=tuple(greens))
