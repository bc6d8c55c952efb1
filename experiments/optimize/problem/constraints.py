"""Constraints of a search: the parts of the existing plan that must stay, and the user's limits on greens."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from denxanh.experiments.optimize.problem.cabinet_limits import (
    NO_LIMITS,
    CabinetLimits,
    with_reds,
)
from denxanh.experiments.optimize.problem.scope import Scope
from denxanh.experiments.optimize.problem.stages import StageSet, stage_set
from denxanh.sim.errors import InputError
from denxanh.sim.input.limits import DIGITS, SECONDS, check_number
from denxanh.sim.input.text_files import csv_text, read_csv
from denxanh.sim.network import Intersection, Network
from denxanh.sim.text_values import did_you_mean


@dataclass(frozen=True)
class Constraints:
    """The parts of the existing plan that must stay, and the user's limits on greens."""

    signals: frozenset[str] = frozenset()  # signals that keep their whole plan
    stages: bool = False  # stage set and order are kept
    greens: bool = False  # splits are kept (and with them stages and cycle): offsets only
    cycle: bool = False  # each signal's cycle is kept
    offsets: bool = False
    own_stages: bool = False  # stages may be dropped and reordered, but no new ones added
    green_limits: Mapping[tuple[str, str], tuple[float, float]] = field(default_factory=dict)
    """Minimum and maximum green (s) by (signal, state). A stage with limits must be shown in every cycle."""
    cabinet: CabinetLimits = NO_LIMITS

    @property
    def keeps_stages(self) -> bool:
        """Whether no stage may be added to those of the existing program."""
        return self.stages or self.greens or self.own_stages

    def stages_of(self, intersection: Intersection, *, drop_protected: bool = False) -> StageSet:
        """The stages that a signal can show within these constraints. Raises InputError."""
        red = self.cabinet.always_red
        found = stage_set(
            intersection,
            generate=not self.keeps_stages,
            drop_protected=drop_protected,
            more=(lambda state: with_reds(intersection, state)) if red else None,
        )
        return self.cabinet.apply(intersection, self.with_green_limits(intersection.id, found))

    def with_green_limits(self, signal: str, stages: StageSet) -> StageSet:
        """The stage set with the user's green limits. Raises InputError for an unknown stage or an empty range."""
        limits = {state: limit for (name, state), limit in self.green_limits.items() if name == signal}
        low, high = list(stages.min_green), list(stages.max_green)
        for state, (least, most) in limits.items():
            if state not in stages.states:
                raise InputError(
                    f"signal {signal!r} has no stage {state!r} to limit",
                    remedy=f"name one of its stages, such as {stages.states[0]!r}",
                )
            k = stages.states.index(state)
            if not stages.min_green[k] <= least <= most:
                raise InputError(
                    f"signal {signal!r}, stage {state!r}: greens from {least:g} to {most:g} s are not "
                    f"possible; the minimum green is {stages.min_green[k]:g} s",
                    remedy="give a minimum not below it and a maximum not below the minimum",
                )
            low[k], high[k] = least, most
        # the user wants to see a stage whose green is limited: every cycle must hold it
        required = np.array([[state == name for state in stages.states] for name in limits], dtype=np.bool_)
        needs = np.unique(np.vstack([stages.needs, required]), axis=0) if limits else stages.needs
        return replace(stages, min_green=tuple(low), max_green=tuple(high), needs=needs)


NO_CONSTRAINTS = Constraints()


def make_constraints(
    network: Network,
    *,
    only: Scope = "all",
    keep_cycle: bool = False,
    freeze: Sequence[str] = (),
    signals: Sequence[str] = (),
    greens: Sequence[str] = (),
    greens_file: Path | None = None,
    cabinet: CabinetLimits = NO_LIMITS,
) -> Constraints:
    """The constraints of the command line, checked against the network.

    ``signals``: only these may change; ``greens``: texts as ``J1:2=15-40``, see ``read_limits``. Raises InputError.
    """
    _check_signals(network, [*freeze, *signals])
    if set(freeze) & set(signals):
        raise InputError(
            f"signal {sorted(set(freeze) & set(signals))[0]!r} is named both to change and to stay",
            remedy="name it in one of --freeze and --signals",
        )
    rows = [*read_limits(greens), *(_limits_in(greens_file) if greens_file else [])]
    fixed = frozenset(freeze) | (frozenset(network.intersections) - set(signals) if signals else frozenset())
    limits = _by_state(network, rows)
    for name, _ in limits:
        if name in fixed:
            raise InputError(
                f"the greens of signal {name!r} are limited, but its plan is frozen",
                remedy="take it out of --freeze or into --signals",
            )
        if network.intersections[name].program.one_state:
            raise InputError(
                f"the greens of signal {name!r} are limited, but its program shows one state only and stays as it is",
                remedy="omit the limit",
            )
    if limits and only == "offsets":
        raise InputError("greens are limited, but only offsets may change", remedy="omit one of the two")
    if only in ("offsets", "splits", "timing") and cabinet.on_stages:
        raise InputError(
            f"{cabinet.on_stages[0]} chooses among stages, but --only {only} keeps those of the existing plan",
            remedy="omit one of the two",
        )
    return Constraints(
        cabinet=cabinet,
        signals=fixed,
        stages=only in ("offsets", "splits", "timing"),
        greens=only == "offsets",
        cycle=keep_cycle or only == "splits",
        offsets=only == "splits",
        own_stages=only == "own-stages",
        green_limits=limits,
    )


@dataclass(frozen=True)
class GreenLimit:
    """Limits of the green of one stage, s; None: those of the existing program. ``stage``: its number or state."""

    signal: str
    stage: str
    least: float | None
    most: float | None


_LIMIT = re.compile(r"(?P<signal>.+):(?P<stage>[^:=]+)=(?P<least>[\d.]*)-(?P<most>[\d.]*)")


def read_limits(texts: Iterable[str]) -> list[GreenLimit]:
    """Parse ``J1:2=15-40``, ``J1:2=15-`` or ``J1:GGrr=-40``: signal, stage (number or state), least and most green, s.

    >>> read_limits(["J1:2=15-"])
    [GreenLimit(signal='J1', stage='2', least=15.0, most=None)]
    """
    out = []
    for text in texts:
        found = _LIMIT.fullmatch(text.strip())
        if found is None or not (found["least"] or found["most"]):
            raise InputError(
                f"--green {text!r} cannot be read", remedy="write SIGNAL:STAGE=LEAST-MOST, as J1:2=15-40"
            )
        out.append(
            _limit(found["signal"], found["stage"], found["least"], found["most"], location=f"--green {text}")
        )
    return out


def _limits_in(path: Path) -> list[GreenLimit]:
    """Read a CSV with the columns signal, stage, min_green, max_green; an empty cell keeps the existing limit."""
    head, *rows = read_csv(path, kind="table of green limits") or [[]]
    wanted = ("signal", "stage", "min_green", "max_green")
    names = [csv_text(name) for name in head]
    if not rows or not set(wanted) <= set(names):
        raise InputError(
            "this is not a table of green limits",
            location=str(path),
            remedy=f"give a CSV with the columns {','.join(wanted)} and a row for each stage",
        )
    places = [names.index(name) for name in wanted]
    return [
        _limit(signal, stage, least, most, location=f"{path}, row {number}")
        for number, row in enumerate(rows, 2)
        if any(row)
        for signal, stage, least, most in [[csv_text(row[k]) if k < len(row) else "" for k in places]]
    ]


def _limit(signal: str, stage: str, least: str, most: str, *, location: str) -> GreenLimit:
    try:
        bounds = [
            check_number(float(text), SECONDS, "a green", location=location, least=0) if text else None
            for text in (least, most)
        ]
        return GreenLimit(signal, stage.strip(), *bounds)
    except ValueError as error:
        raise InputError(
            f"a green is not a number ({error})", location=location, remedy="give seconds"
        ) from None


def _by_state(network: Network, rows: Sequence[GreenLimit]) -> dict[tuple[str, str], tuple[float, float]]:
    """The limits by (signal, state); an open limit takes the value of the existing program."""
    _check_signals(network, [row.signal for row in rows])
    out = {}
    for row in rows:
        intersection = network.intersections[row.signal]
        states = [stage.state for stage in intersection.program.stages]
        if _is_number(row.stage) and 1 <= int(row.stage) <= len(states):
            state = states[int(row.stage) - 1]
        elif row.stage in states:
            state = row.stage
        else:
            shown = ", ".join(f"{k}={s}" for k, s in enumerate(states, 1))
            raise InputError(
                f"signal {row.signal!r} has no stage {row.stage!r}", remedy=f"its stages are {shown}"
            )
        phases = [p for p in intersection.phases if p.state == state]
        least = row.least if row.least is not None else max(p.min_green for p in phases)
        most = row.most if row.most is not None else min(p.max_green for p in phases)
        out[row.signal, state] = (least, most)
    return out


def _is_number(stage: str) -> bool:
    return stage.isascii() and stage.isdigit() and len(stage) <= DIGITS


def _check_signals(network: Network, names: Iterable[str]) -> None:
    """Raise InputError for a name that is not a signal controlled by a plan."""
    for name in names:
        if name not in network.intersections:
            reason = network.left_to_sumo.get(name)
            raise InputError(
                f"signal {name!r} is left to SUMO: {reason}" if reason else f"there is no signal {name!r}",
                location=network.name,
                remedy="" if reason else did_you_mean(name, network.intersections),
            )
