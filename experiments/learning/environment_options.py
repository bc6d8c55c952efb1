"""The options of an environment, read from what a user gives, and what an episode draws from its seed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from denxanh.controllers.learned.features import Feature, Observe, features_of
from denxanh.experiments.learning.rewards import Measure, Reward, terms_of
from denxanh.experiments.specification.events import check_events, make_events, read_events
from denxanh.experiments.specification.run_options import Table
from denxanh.experiments.specification.safety_rules import parse_rules
from denxanh.experiments.specification.sensings import IDEAL, make_sensing
from denxanh.networks.scenarios import open_scenario
from denxanh.sim.errors import InputError
from denxanh.sim.events import Event
from denxanh.sim.input.limits import DEMAND, check_count
from denxanh.sim.network import Network
from denxanh.sim.network_reader import network_of
from denxanh.sim.scenario import Scenario
from denxanh.sim.sensing import Sensing
from denxanh.sim.signals.rules import Rules
from denxanh.sim.text_values import did_you_mean

BACKENDS = ("sumo", "model", "batch")
ACTIONS = ("phase", "keep-change", "phase-duration")
DECISIONS = ("step", "signal")
DURATIONS = (5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0)  # s, of the action phase-duration
LARGEST_SEED = 2**31 - 1  # SUMO's
_DAYS = 1000
_CLOSE = 1e-9


@dataclass(frozen=True)
class EnvironmentOptions:
    """What determines an environment; see ``denxanh.parallel_env`` for the meaning of each."""

    scenario: Scenario
    backend: str
    step: float  # s
    features: tuple[Feature, ...]
    terms: tuple[tuple[float, Measure], ...]
    action: str
    decide: str
    durations: tuple[float, ...]  # s
    sensing: Sensing
    demand: tuple[float, float]
    days: int
    events: tuple[Event, ...]
    rules: Rules
    signals: tuple[str, ...]  # the intersections that the learner controls, in the network's order


class Draw(NamedTuple):
    """What an episode draws from its seed."""

    seed: int  # SUMO's, of the drivers, and of the errors of the sensing
    demand: float  # factor of the number of vehicles
    day: int  # 0 is the demand given, others are resampled


def draw(options: EnvironmentOptions, seed: int) -> Draw:
    """The demand factor and the day of the episode with this seed."""
    rng = np.random.default_rng(seed)
    low, high = options.demand
    factor = float(rng.uniform(low, high)) if high > low else low
    day = int(rng.integers(options.days + 1)) if options.days else 0
    return Draw(seed, round(factor, 6), day)


def read_environment(
    place: str | Path | Scenario,
    *,
    backend: str = "sumo",
    step: float = 5.0,
    duration: float | None = None,
    observe: Observe = "default",
    reward: Reward = "queue",
    action: str = "phase",
    decide: str = "step",
    durations: Sequence[float] = DURATIONS,
    sensing: str | Sensing = IDEAL,
    demand: float | tuple[float, float] = 1.0,
    days: int = 0,
    events: str | Path | Sequence[Table] = (),
    safety: str | Mapping[str, Any] = "",
    signals: Sequence[str] | None = None,
) -> tuple[EnvironmentOptions, Network]:
    """The options, and the network under the safety rules. Raises InputError."""
    scenario = place if isinstance(place, Scenario) else open_scenario(str(place))
    scenario = _with_duration(scenario, duration)
    _choice("backend", backend, BACKENDS)
    _choice("action", action, ACTIONS)
    _choice("decide", decide, DECISIONS)
    _multiple("step", step, scenario)
    if not durations:
        raise InputError("no duration is given", location="durations", remedy="give times in s")
    for one in durations:
        _multiple("durations", one, scenario)
    rules = Rules(**(parse_rules(safety) if isinstance(safety, str) else safety))
    network = rules.apply(network_of(scenario))
    options = EnvironmentOptions(
        scenario=scenario,
        backend=backend,
        step=float(step),
        features=features_of(observe),
        terms=terms_of(reward),
        action=action,
        decide=decide,
        durations=tuple(float(one) for one in durations),
        sensing=make_sensing(sensing) if isinstance(sensing, str) else sensing,
        demand=_demand(demand),
        days=_days(days),
        events=_events(events, scenario, sensing),
        rules=rules,
        signals=_signals(signals, network),
    )
    if backend != "sumo":
        _check_model(options)
    return options, network


def _with_duration(scenario: Scenario, duration: float | None) -> Scenario:
    if duration is None:
        return scenario
    if not isinstance(duration, int | float) or not 0 < duration < math.inf:
        raise InputError(f"invalid duration: {duration!r}", remedy="give a time in s above 0")
    steps = round(duration / scenario.step)
    if abs(steps * scenario.step - duration) > _CLOSE or steps < 1:
        raise InputError(
            f"invalid duration: {duration:g} s", remedy=f"give a multiple of the step of {scenario.step:g} s"
        )
    return replace(scenario, end=scenario.begin + duration)


def _choice(name: str, value: str, known: Sequence[str]) -> None:
    if value not in known:
        raise InputError(f"there is no {name} {value!r}", remedy=did_you_mean(str(value), known))


def _multiple(name: str, value: float, scenario: Scenario) -> None:
    steps = value / scenario.step if isinstance(value, int | float) else math.nan
    if not 1 - _CLOSE <= steps < math.inf or abs(round(steps) - steps) > _CLOSE:
        raise InputError(
            f"invalid {name}: {value!r}", remedy=f"give a multiple of SUMO's step of {scenario.step:g} s"
        )


def _demand(demand: float | tuple[float, float]) -> tuple[float, float]:
    pair = (demand, demand) if isinstance(demand, int | float) else tuple(demand)
    if len(pair) != 2 or not 0 < pair[0] <= pair[1] < DEMAND:
        raise InputError(
            f"invalid demand: {demand!r}",
            remedy=f"give a factor, or the lowest and the highest, below {DEMAND:g}",
        )
    return float(pair[0]), float(pair[1])


def _days(days: int) -> int:
    check_count(days, _DAYS, "days", remedy="give a smaller number")
    if not isinstance(days, int) or days < 0:
        raise InputError(f"invalid days: {days!r}", remedy="give a whole number of resampled days")
    return days


def _events(
    events: str | Path | Sequence[Table], scenario: Scenario, sensing: str | Sensing
) -> tuple[Event, ...]:
    if not isinstance(events, str | Path):
        return make_events(events)
    tables, source = read_events(Path(events))
    name = sensing if isinstance(sensing, str) else sensing.name
    check_events(tables, [scenario], [name], source)
    return make_events(tables)


def _signals(signals: Sequence[str] | None, network: Network) -> tuple[str, ...]:
    if not network.intersections:
        raise InputError(
            "there is no signal that can be controlled",
            location=network.name,
            remedy="use a network with signal programs of at least two greens",
        )
    if signals is None:
        return tuple(network.intersections)
    for name in signals:
        if name not in network.intersections:
            raise InputError(
                f"there is no signal {name!r} that can be controlled",
                location=network.name,
                remedy=did_you_mean(str(name), network.intersections),
            )
    if not signals:
        raise InputError(
            "no signal is named", location="signals", remedy="name at least one, or leave it out"
        )
    return tuple(name for name in network.intersections if name in set(signals))


def _check_model(options: EnvironmentOptions) -> None:
    if options.events:
        raise InputError(
            "events cannot happen on the queue model", location="events", remedy="use backend='sumo'"
        )
    if options.scenario.step != 1.0:
        raise InputError(
            f"the step of this scenario is {options.scenario.step:g} s, and the queue model's is 1 s",
            location=options.scenario.name,
            remedy="use backend='sumo'",
        )
