"""Safety rules of a run beyond the plans of its signals: bounds of greens and reds, yellow and all-red by rule.

Yellow and all-red are lengthened to the rule; the time is taken from the green before them, so that cycles and offsets
remain. Only ``uniform_change`` may shorten them; the run's waivers then name where ITE requires more. Signals that
SUMO runs, as all are under ``program``, are not changed.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from denxanh.sim.errors import InputError
from denxanh.sim.network import GREEN, Intersection, Network
from denxanh.sim.plan import Interval, Stage, Timing
from denxanh.sim.signals.change import built_change
from denxanh.sim.signals.permits import YELLOW, ite_yellow
from denxanh.sim.sumo.program import steady_letters, without

Rule = Literal["plan", "ite"] | float
VEHICLE = 6.1  # m (20 ft), ITE's vehicle length for the all-red
_TENTH = 10.0  # ITE's values are used to the next tenth of a second
_CLOSE = 1e-9


@dataclass(frozen=True)
class Rules:
    """``None`` and ``"plan"`` keep the plan's value; ``"ite"`` is the formula at the approach's speed limit.

    ITE, *Guidelines for Determining Traffic Signal Change and Clearance Intervals* (2020): yellow as in
    ``permits.ite_yellow``; all-red (W + L) / v: the path over the junction and a vehicle's length at the limit.
    """

    min_green: float | None = None  # s, for every phase; one that the plan itself shows shorter keeps that
    max_green: float | None = None  # s that a phase may stay green
    max_red: float | None = None  # s that a link may stay red while some phase serves it
    yellow: Rule = "plan"
    all_red: Rule = "plan"
    # s: every change is so much yellow and nothing else, as in benchmarks
    uniform_change: float | None = None

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            change = name in ("yellow", "all_red")
            if value is None or (change and value in ("plan", "ite")):
                continue
            top = 20.0 if change else math.inf
            if isinstance(value, str | bool) or not 0 < value <= top or not math.isfinite(value):
                raise InputError(
                    f"{name} is {value!r}",
                    location="safety",
                    remedy="give s, 'plan' or 'ite'" if change else "give a positive time in s",
                )

        if self.min_green is not None and self.max_green is not None and self.min_green > self.max_green:
            raise InputError(
                f"min_green is {self.min_green:g} s and max_green {self.max_green:g} s",
                location="safety",
                remedy="give a maximum that is not below the minimum",
            )
        if self.uniform_change is not None and (self.yellow, self.all_red) != ("plan", "plan"):
            raise InputError(
                "uniform_change is set beside yellow or all_red",
                location="safety",
                remedy="set the one or the other",
            )

    def apply(self, network: Network) -> Network:
        """The network with programs and phases that follow the rules. Raises InputError where that is not possible."""
        if self == Rules():
            return network
        return replace(
            network,
            intersections={
                name: self._at(intersection) for name, intersection in network.intersections.items()
            },
        )

    def to_json(self) -> dict[str, Any]:
        """The rules that are set, by name."""
        return {name: value for name, value in asdict(self).items() if value not in (None, "plan")}

    def _at(self, intersection: Intersection) -> Intersection:
        if self.uniform_change is not None:
            intersection = _with_uniform_change(intersection, self.uniform_change)
        yellow, all_red = self._change(intersection, intersection.n_links * "G")
        stages = tuple(
            self._stage(intersection, number) for number in range(len(intersection.program.stages))
        )
        return replace(
            intersection,
            program=Timing(stages, intersection.program.offset),
            yellow=max(intersection.yellow, yellow),
            all_red=max(intersection.all_red, all_red),
            phases=tuple(
                replace(
                    phase,
                    min_green=min(
                        max(phase.min_green, self.min_green or 0.0), max(stage.green, phase.min_green)
                    ),
                    max_green=min(phase.max_green, self.max_green or math.inf),
                )
                for phase, stage in zip(intersection.phases, stages, strict=True)
            ),
        )

    def _change(self, intersection: Intersection, ending: str) -> tuple[float, float]:
        """(yellow, all-red) by the rules, s, for the end of the links that are green in ``ending``."""
        yellow = 0.0 if isinstance(self.yellow, str) else self.yellow
        all_red = 0.0 if isinstance(self.all_red, str) else self.all_red
        way = {link.index: link.length for link in intersection.links if not link.crossing}
        for approach in intersection.approaches:
            for k in approach.links:
                if ending[k] not in GREEN:
                    continue
                if self.yellow == "ite":
                    yellow = max(yellow, _up(ite_yellow(approach.speed)))
                if self.all_red == "ite":
                    all_red = max(all_red, _up((way.get(k, 0.0) + VEHICLE) / approach.speed))
        return yellow, all_red

    def _stage(self, intersection: Intersection, number: int) -> Stage:
        stages = intersection.program.stages
        stage, after = stages[number], stages[(number + 1) % len(stages)]
        steady = steady_letters(intersection.program)
        yellows = [bool(set(without(interval.state, steady)) & YELLOW) for interval in stage.change]
        if not any(yellows):
            return stage  # its greens go on, or the plan ends them without yellow, which a waiver says
        ending = "".join(
            a if a in GREEN and b not in GREEN else "r" for a, b in zip(stage.state, after.state, strict=True)
        )
        yellow, all_red = self._change(intersection, ending)
        change = [
            replace(x, duration=max(x.duration, yellow)) if shown else x
            for x, shown in zip(stage.change, yellows, strict=True)
        ]
        last = max(i for i, shown in enumerate(yellows) if shown)
        cleared = sum(x.duration for x in change[last + 1 :])
        if all_red > cleared + _CLOSE:
            state = "".join(
                "r" if letter in YELLOW and k not in steady else letter
                for k, letter in enumerate(change[last].state)
            )
            if last + 1 < len(change):
                change[last + 1] = replace(
                    change[last + 1], duration=change[last + 1].duration + all_red - cleared
                )
            else:
                change.append(Interval(state, all_red))
        green = stage.length - sum(x.duration for x in change)
        least = min(intersection.phases[number].min_green, stage.green)
        if green < least - _CLOSE:
            raise InputError(
                f"signal {intersection.id!r}, phase {number}: yellow and all-red by the rules leave {green:g} s of its "
                f"{stage.green:g} s green, less than the minimum of {least:g} s",
                location="safety",
                remedy="leave yellow and all-red to the plan, or give a plan with longer greens",
            )
        return Stage(stage.state, round(green, 6), tuple(change))


def _with_uniform_change(intersection: Intersection, yellow: float) -> Intersection:
    """The intersection with ``yellow`` s between any two greens; people on foot keep their clearance."""
    intersection = replace(intersection, yellow=yellow, all_red=0.0, clearance=None)
    stages = intersection.program.stages
    ways = zip(stages, stages[1:] + stages[:1], strict=True)
    uniform = tuple(
        replace(a, change=built_change(intersection, a.state, b.state, own_clearance=False)) for a, b in ways
    )
    return replace(intersection, program=replace(intersection.program, stages=uniform))


def _up(seconds: float) -> float:
    return math.ceil(seconds * _TENTH - _CLOSE) / _TENTH
