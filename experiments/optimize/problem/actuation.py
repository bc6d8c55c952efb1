"""Settings of actuated programs, for all signals in common or for each stage, and their limits in seconds.

A coordinated program is semi-actuated: one stage of each signal ends at a fixed moment of the plan's cycle, the others
end at a gap or, at the latest, when they end in the plan. The time that they leave goes to the coordinated stage.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from denxanh.experiments.optimize.problem.stages import green_limits
from denxanh.sim.network import GREEN, Intersection, Network
from denxanh.sim.plan import Plan, Stage, Timing


@dataclass(frozen=True)
class SignalActuation:
    """The settings of one signal, stage by stage; times in s."""

    greens: tuple[tuple[float, float], ...]  # minimum and maximum of each stage of the timing
    max_gap: float
    coordinated: int | None = None  # the stage that ends at a fixed moment of the cycle; None: no cycle


@dataclass(frozen=True)
class Actuation:
    """Settings by which an actuated program extends a green: SUMO's parameters of the same names; times in s."""

    min_green: float = 5.0  # a longer minimum of the phase itself takes precedence
    stretch: float = 1.5  # ratio of maximum green to planned green
    max_green: float | None = None  # one maximum green for every stage instead
    max_gap: float = 3.0  # SUMO's default: a gap of 3 s ends the green
    detector_gap: float = 2.0  # SUMO's default: loops lie 2 s of travel before the stop line
    passing_time: float = 1.9  # SUMO's default headway of a vehicle over the loop
    min_share: float = 0.0  # ratio of minimum green to planned green, where that is the longer minimum
    coordinated: bool = False  # in the cycle of the plan, with the longest stage ending as planned
    signals: Mapping[str, SignalActuation] = field(default_factory=dict, hash=False)
    """Signals with settings of their own."""


SUMO_DEFAULT = Actuation(max_green=50.0)
"""SUMO's actuated logic as its networks are usually given: greens of 5 to 50 s, a gap of 3 s."""


@dataclass(frozen=True)
class ActuatedPlan(Plan):
    """A plan whose stages run as an actuated program."""

    actuation: Actuation = field(default_factory=Actuation)

    @property
    def plan(self) -> Plan:
        """The plan without its settings."""
        return Plan(self.timings, self.note)

    def explicit(self, network: Network) -> ActuatedPlan:
        """The same program with settings for each stage."""
        own = {
            name: signal_settings(network.intersections[name], timing, self.actuation)
            for name, timing in self.timings.items()
        }
        return replace(self, actuation=replace(self.actuation, signals=own))


def signal_settings(intersection: Intersection, timing: Timing, actuation: Actuation) -> SignalActuation:
    """The settings of one signal under ``actuation``."""
    own = actuation.signals.get(intersection.id)
    if own is not None:
        return own
    greens = tuple(actuated_limits(intersection, stage, actuation) for stage in timing.stages)
    if not actuation.coordinated:
        return SignalActuation(greens, actuation.max_gap)
    planned = [stage.green for stage in timing.stages]
    main = planned.index(max(planned))
    return within_plan(intersection, timing, SignalActuation(greens, actuation.max_gap, main))


def within_plan(intersection: Intersection, timing: Timing, own: SignalActuation) -> SignalActuation:
    """The settings with no minimum of a coordinated signal above the planned green: the minima fit into the cycle."""
    if own.coordinated is None:
        return own
    greens = tuple(
        (max(safe_minimum(intersection, stage.state), min(low, stage.green)), high)
        for stage, (low, high) in zip(timing.stages, own.greens, strict=True)
    )
    return replace(own, greens=greens)


def safe_minimum(intersection: Intersection, state: str) -> float:
    """The least green of a state that is safe, s: that of the phases it overlaps and of its crossings."""
    return green_limits(intersection, state)[0]


def longest_green(intersection: Intersection, state: str) -> float:
    """The maximum green of a state's own phase, s; infinite without one."""
    return green_limits(intersection, state)[1]


def actuated_limits(intersection: Intersection, stage: Stage, actuation: Actuation) -> tuple[float, float]:
    """Minimum and maximum green (s) of a stage in an actuated program, within the limits of its own phase."""
    minima = [
        p.min_green
        for p in intersection.phases
        if any(p.serves(k) for k, letter in enumerate(stage.state) if letter in GREEN)
    ]
    low = max([actuation.min_green, *minima])
    if actuation.max_green is None:
        low = max(min(stage.green, low), float(round(stage.green * actuation.min_share)))
        high = float(round(stage.green * actuation.stretch))
    else:
        high = actuation.max_green
    safe, most = green_limits(intersection, stage.state)
    low = max(safe, min(low, most))
    return low, max(low, min(high, most))
