"""The options of a run, each declared once as a field of RunOptions.

From a field follow its option of ``denxanh run`` and ``compare``, its key in experiment.toml, its place in the ledger
and in a run's job, and its part in the run's identity. An option that SUMO itself has needs nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from denxanh.sim.errors import InputError
from denxanh.sim.input.limits import MEMORY_MB, SECONDS, as_text
from denxanh.sim.scenario import Scenario
from denxanh.sim.text_values import did_you_mean, parse_pairs, read_duration

Table = Mapping[str, Any]
DECLARATION = "declaration"


@dataclass(frozen=True)
class Text:
    """How an option is written on the command line where that is not its value itself.

    ``read`` makes the value of what was written, for a scenario and the sensings of its runs.
    """

    type: Any  # annotation of the parameter
    default: Any
    read: Callable[[Any, Scenario, Sequence[str]], Any]
    flag: str = ""  # where it is not --NAME
    help: str = ""  # where it is not the declaration's
    metavar: str | None = None
    minimum: float | None = None


@dataclass(frozen=True)
class Declaration:
    """What is known of an option beside its name, type and default."""

    help: str
    minimum: float | None = None
    above: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    words: tuple[str, ...] = ()  # which stand for a value that is found later
    sumo: str = ""  # SUMO's option that takes the value; None leaves it as the scenario has it
    counts: bool = True  # whether it is part of the identity (one of SUMO's is, by the scenario)
    identity: Callable[[Any], Any] = lambda value: (
        value
    )  # the value in the identity: one form for equal values
    decode: Callable[[Any], Any] = lambda value: value  # from JSON
    text: Text | None = None

    def check(self, name: str, value: Any) -> None:
        """Refuse a value that is none of the choices or out of bounds. Raises InputError."""
        if self.choices and value not in self.choices:
            raise InputError(f"there is no {name} {value!r}", remedy=did_you_mean(str(value), self.choices))
        if value is None or value in self.words:
            return
        if self.minimum is not None and not self.minimum <= value < math.inf:
            raise InputError(
                f"invalid {name}: {value!r}", remedy=f"give a number of at least {self.minimum:g}"
            )
        if self.maximum is not None and not value <= self.maximum:
            raise InputError(
                f"invalid {name}: {as_text(value)}", remedy=f"give a number of at most {self.maximum:g}"
            )
        if self.above is not None and not self.above < value < math.inf:
            raise InputError(f"invalid {name}: {value!r}", remedy=f"give a number above {self.above:g}")


def option(default: Any, help: str, **declared: Any) -> Any:
    """A field of a dataclass with its Declaration."""
    how: dict[str, Any] = {"metadata": {DECLARATION: Declaration(help, **declared)}}
    if isinstance(default, dict):
        return field(default_factory=dict, **how)
    return field(default=default, **how)


def declarations(described: Any) -> dict[str, Declaration]:
    """The declarations of a dataclass by the names of its fields."""
    return {f.name: f.metadata[DECLARATION] for f in fields(described)}


class _Checked:
    """A dataclass that checks its values against their declarations."""

    def __post_init__(self) -> None:
        for name, declared in declarations(self).items():
            declared.check(name, getattr(self, name))


@dataclass(frozen=True)
class Limits(_Checked):
    """What one run may use."""

    wall: float = option(3600.0, "Wall-clock seconds.", above=0.0, maximum=SECONDS)
    memory_mb: int | None = option(None, "MB of memory.", minimum=64, maximum=MEMORY_MB)
    disk_mb: int | None = option(None, "MB of disk.", minimum=1, maximum=MEMORY_MB)


AUTO: Literal["auto"] = "auto"


def read_auto(text: str | float, option: str) -> float | Literal["auto"]:
    """A duration in s, or ``auto``. Raises InputError."""
    return AUTO if text == AUTO else read_duration(text, option)


def _rules(values: Mapping[str, Any]) -> Any:
    from denxanh.sim.signals.rules import Rules  # the command line starts without numpy

    return Rules(**values).to_json()


def _read_rules(text: str, *_: object) -> dict[str, Any]:
    from denxanh.experiments.specification.safety_rules import parse_rules

    return parse_rules(text)


def _riders(values: Mapping[str, Any]) -> Any:
    from denxanh.sim.sumo.riders import Riders

    return Riders.of(values).values()


def _read_riders(text: str, *_: object) -> dict[str, float]:
    from denxanh.sim.sumo.riders import Riders

    values: dict[str, float] = {}
    for key, value in parse_pairs(text, location="--riders", form="late_yellow=2").items():
        try:
            values[key] = float(value)
        except ValueError:
            raise InputError(f"{key} is {value!r}", location="--riders", remedy="give a number") from None
    return Riders.of(values).values()


def _read_events(path: Path | None, scenario: Scenario, sensing: Sequence[str]) -> tuple[Table, ...]:
    from denxanh.experiments.specification.events import check_events, read_events

    if path is None:
        return ()
    tables, source = read_events(path)
    check_events(tables, [scenario], sensing, source)
    return tables


@dataclass(frozen=True)
class RunOptions(_Checked):
    """What all runs of a comparison or an experiment share. ``denxanh run --help`` shows the same texts."""

    backend: str = option(
        "libsumo",
        "libsumo (fastest) or traci (SUMO's own binary); both give the same bytes.",
        choices=("libsumo", "traci"),
        counts=False,
    )
    warm_up: float | Literal["auto"] = option(
        AUTO,
        "Warm-up at the begin, simulated and not measured: seconds, 10min, or auto (the free travel time of the "
        "longest route).",
        minimum=0.0,
        maximum=SECONDS,
        words=(AUTO,),
        text=Text(str, AUTO, lambda text, *_: read_auto(text, "--warm-up"), metavar="TIME"),
    )
    flush: float | Literal["auto"] = option(
        AUTO,
        "Flush at the end, not measured, in which measured vehicles may finish: seconds, 10min, or auto (as long as "
        "an automatic warm-up, else 0).",
        minimum=0.0,
        maximum=SECONDS,
        words=(AUTO,),
        text=Text(str, AUTO, lambda text, *_: read_auto(text, "--flush"), metavar="TIME"),
    )
    lateral_resolution: float | None = option(
        None,
        "Width of SUMO's sublanes, m; 0 for whole lanes; default: as the place has it.",
        minimum=0.0,
        maximum=100.0,
        sumo="lateral-resolution",
    )
    plan_is_real: bool = option(
        False,
        "The existing plan was seen in the street; without it, reports call the plan assumed.",
        counts=False,
    )
    movements: str = option(
        "on",
        "on, or off: without the table of movements, which takes CPU time where many vehicles queue.",
        choices=("on", "off"),
    )
    keep_sumo_output: bool = option(False, "Keep SUMO's XML files.", counts=False)
    limits: Limits = option(  # noqa: RUF009  (a field, as the others)
        Limits(),
        "What one run may use.",
        counts=False,
        decode=lambda data: Limits(**data),
        text=Text(
            str,
            f"{Limits.wall:g}",
            lambda wall, *_: Limits(read_duration(wall, "--limit", minimum=1.0)),
            flag="--limit",
            help="Wall-clock time a run may take: seconds, or 30min.",
            metavar="TIME",
        ),
    )
    events: tuple[Table, ...] = option(
        (),
        "Events during the run (docs/events.md).",
        decode=tuple,
        text=Text(Path | None, None, _read_events, metavar="FILE.toml"),
    )
    safety: Mapping[str, Any] = option(
        {},
        "min_green, max_green, max_red, uniform_change in s; yellow, all_red in s, or plan, or ite.",
        identity=_rules,
        text=Text(str, "", _read_rules, metavar="key=value,…"),
    )
    riders: Mapping[str, float] = option(
        {},
        "Riders of two-wheelers: late_yellow, late_red, start_delay, early_start in s, red_speed in m/s, early_share; "
        "default: none of it.",
        identity=_riders,
        text=Text(str, "", _read_riders, metavar="key=value,…"),
    )

    def sumo_options(self) -> dict[str, str]:
        """The options that SUMO gets in place of the scenario's own."""
        return {
            declared.sumo: f"{value:g}"
            for name, declared in declarations(self).items()
            if declared.sumo and (value := getattr(self, name)) is not None
        }

    def identity(self) -> dict[str, Any]:
        """The values that determine a run's result, without those of SUMO, which are the scenario's."""
        return {
            name: declared.identity(getattr(self, name))
            for name, declared in declarations(self).items()
            if declared.counts and not declared.sumo
        }


def read_options(written: Mapping[str, Any], scenario: Scenario, sensing: Sequence[str]) -> RunOptions:
    """The options that were written on a command line, by name. Raises InputError."""
    known = declarations(RunOptions)
    texts = {name: known[name].text for name in written}
    return RunOptions(
        **{
            name: value if (text := texts[name]) is None else text.read(value, scenario, sensing)
            for name, value in written.items()
        }
    )
