"""What a run demands of its signals beyond their plans: greens and reds within bounds, yellow and all-red by rule.

Yellow and all-red are lengthened to what the rule asks; the time comes out of the green that they end, so that cycles
and offsets stay. Only ``uniform_change`` may shorten them; the run's waivers then say where ITE asks for more.
Signals left to SUMO, as all are under ``program``, keep what they show.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from sim.change import built_change
from sim.errors import InputError
from sim.network import GREEN, Intersection, Network
from sim.permits import YELLOW, ite_yellow
from sim.plan import Interval, Stage, Timing

Rule = Literal["plan", "ite"] | float
VEHICLE = 6.1  # m (20 ft), the length that ITE lets clear the junction
_TENTH = 10.0  # ITE's values are used to the next tenth of a second
_CLOSE = 1e-9


@dataclass(frozen=True)
class Rules:
    """``None`` and ``"plan"`` leave it to the plan; ``"ite"`` takes the formula at the approach's speed limit.

    ITE, *Guidelines for Determining Traffic Signal Change and Clearance Intervals* (2020): yellow as in
    ``sim.permits.ite_yellow``; all-red (W + L) / v: the way over the junction and a vehicle's length at the limit.
    """

    min_green: float | None = None  # s, for every phase; one that the plan itself shows shorter keeps that
    max_green: float | None = None  # s that a phase may stay green
    max_red: float | None = None  # s that a link may stay red while some phase serves it
    yellow: Rule = "plan"
    all_red: Rule = "plan"
    uniform_change: float | None = (
        None  # s: every change is so much yellow and nothing else, as in benchmarks
    )

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            change = name in ("yellow", "all_red")
            if value is None or (change and value in ("plan", "ite")):
                continue
            top = 20.0 if change else math.inf
            if isinstance(value, str | bool) or not 0 < value <= top or not math.isfinite(value):
                raise InputError(
                    f"{name} is {value!r}",
                    where="safety",
                    remedy="give s, 'plan' or 'ite'" if change else "give a positive time in s",
                )

        if self.min_green is not None and self.max_green is not None and self.min_green > self.max_green:
            raise InputError(
                f"min_green is {self.min_green:g} s and max_green {self.max_green:g} s",
                where="safety",
                remedy="give a maximum that is not below the minimum",
            )
        if self.uniform_change is not None and (self.yellow, self.all_red) != ("plan", "plan"):
            raise InputError(
                "uniform_change is set beside yellow or all_red",
                where="safety",
                remedy="set the one or the other",
            )

    def apply(self, network: Network) -> Network:
        """The network with its programs and phases as the rules want them. Raises InputError where they cannot be."""
        if self == Rules():
            return network
        return replace(
            network,
            intersections={name: self._at(where) for name, where in network.intersections.items()},
        )

    def to_json(self) -> dict[str, Any]:
        """Those that were set."""
        return {name: value for name, value in asdict(self).items() if value not in (None, "plan")}

    def _at(self, where: Intersection) -> Intersection:
        if self.uniform_change is not None:
            where = _with_uniform_change(where, self.uniform_change)
        yellow, all_red = self._change(where, where.n_links * "G")
        stages = tuple(self._stage(where, number) for number in range(len(where.program.stages)))
        return replace(
            where,
            program=Timing(stages, where.program.offset),
            yellow=max(where.yellow, yellow),
            all_red=max(where.all_red, all_red),
            phases=tuple(
                replace(
                    phase,
                    min_green=min(
                        max(phase.min_green, self.min_green or 0.0), max(stage.green, phase.min_green)
                    ),
                    max_green=min(phase.max_green, self.max_green or math.inf),
                )
                for phase, stage in zip(where.phases, stages, strict=True)
            ),
        )

    def _change(self, where: Intersection, ending: str) -> tuple[float, float]:
        """(yellow, all-red) that the rules ask for where the links that are green in ``ending`` end, s."""
        yellow = 0.0 if isinstance(self.yellow, str) else self.yellow
        all_red = 0.0 if isinstance(self.all_red, str) else self.all_red
        way = {link.index: link.length for link in where.links if not link.crossing}
        for approach in where.approaches:
            for k in approach.links:
                if ending[k] not in GREEN:
                    continue
                if self.yellow == "ite":
                    yellow = max(yellow, _up(ite_yellow(approach.speed)))
                if self.all_red == "ite":
                    all_red = max(all_red, _up((way.get(k, 0.0) + VEHICLE) / approach.speed))
        return yellow, all_red

    def _stage(self, where: Intersection, number: int) -> Stage:
        stages = where.program.stages
        stage, after = stages[number], stages[(number + 1) % len(stages)]
        if not any(set(interval.state) & YELLOW for interval in stage.change):
            return stage  # its greens go on, or the plan ends them without yellow, which a waiver says
        ending = "".join(
            a if a in GREEN and b not in GREEN else "r" for a, b in zip(stage.state, after.state, strict=True)
        )
        yellow, all_red = self._change(where, ending)
        change = [
            replace(x, duration=max(x.duration, yellow)) if set(x.state) & YELLOW else x for x in stage.change
        ]
        last = max(i for i, x in enumerate(change) if set(x.state) & YELLOW)
        cleared = sum(x.duration for x in change[last + 1 :])
        if all_red > cleared + _CLOSE:
            state = change[last].state.translate(str.maketrans("yY", "rr"))
            if last + 1 < len(change):
                change[last + 1] = replace(
                    change[last + 1], duration=change[last + 1].duration + all_red - cleared
                )
            else:
                change.append(Interval(state, all_red))
        green = stage.length - sum(x.duration for x in change)
        least = min(where.phases[number].min_green, stage.green)
        if green < least - _CLOSE:
            raise InputError(
                f"signal {where.id!r}, phase {number}: yellow and all-red by the rules leave {green:g} s of its "
                f"{stage.green:g} s green, less than the minimum of {least:g} s",
                where="safety",
                remedy="leave yellow and all-red to the plan, or give a plan with longer greens",
            )
        return Stage(stage.state, round(green, 6), tuple(change))


def _with_uniform_change(where: Intersection, yellow: float) -> Intersection:
    """The intersection with ``yellow`` s between any two greens; people on foot keep their clearance."""
    where = replace(where, yellow=yellow, all_red=0.0)
    stages = where.program.stages
    ways = zip(stages, stages[1:] + stages[:1], strict=True)
    uniform = tuple(replace(a, change=built_change(where, a.state, b.state)) for a, b in ways)
    return replace(where, program=replace(where.program, stages=uniform))


def _up(seconds: float) -> float:
    return math.ceil(seconds * _TENTH - _CLOSE) / _TENTH
