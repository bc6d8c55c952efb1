"""What a search must leave as the network's own program has it, and limits on greens that the user adds."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from experiments.optimize.naming import near
from experiments.optimize.stages import StageSet
from sim.errors import InputError
from sim.network import Network

Only = Literal["all", "offsets", "splits", "timing", "own-stages"]
"""What may change: everything; offsets; splits (and nothing else); splits, offsets and cycle on the stages that are
there; everything, but with no stage that the program does not have."""
ONLY: tuple[str, ...] = get_args(Only)


@dataclass(frozen=True)
class Freeze:
    """The parts of the network's own program that stay, and limits on greens that the user adds."""

    signals: frozenset[str] = frozenset()  # these keep everything
    stages: bool = False  # stage set and order are kept
    greens: bool = False  # splits are kept (and with them stages and cycle): offsets only
    cycle: bool = False  # each signal's cycle is kept
    offsets: bool = False
    own_stages: bool = False  # stages may be dropped and reordered, but none that the program does not have
    green_limits: Mapping[tuple[str, str], tuple[float, float]] = field(default_factory=dict)
    """Minimum and maximum green (s) by (signal, state). A stage with limits is shown in every cycle."""

    @property
    def keeps_stages(self) -> bool:
        """Whether no stage may be added that the program does not have."""
        return self.stages or self.greens or self.own_stages

    def limited(self, signal: str, stages: StageSet) -> StageSet:
        """A stage set with the green limits that were asked for."""
        asked = {state: limit for (name, state), limit in self.green_limits.items() if name == signal}
        low, high = list(stages.min_green), list(stages.max_green)
        for state, (least, most) in asked.items():
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
        # a stage whose green the user limits is one the user wants to see: a cycle must hold it
        kept = np.array([[state == name for state in stages.states] for name in asked], dtype=np.bool_)
        needs = np.unique(np.vstack([stages.needs, kept]), axis=0) if asked else stages.needs
        return replace(stages, min_green=tuple(low), max_green=tuple(high), needs=needs)


NOTHING_FROZEN = Freeze()


def freeze_for(
    network: Network,
    *,
    only: Only = "all",
    keep_cycle: bool = False,
    freeze: Sequence[str] = (),
    signals: Sequence[str] = (),
    greens: Sequence[str] = (),
    greens_file: Path | None = None,
) -> Freeze:
    """What the user asked to keep, checked against the network.

    ``signals``: only these may change; ``greens``: texts as ``J1:2=15-40``, see ``read_limits``. Raises InputError.
    """
    _known(network, [*freeze, *signals])
    if set(freeze) & set(signals):
        raise InputError(
            f"signal {sorted(set(freeze) & set(signals))[0]!r} is to change and to stay",
            remedy="name it in one of --freeze and --signals",
        )
    rows = [*read_limits(greens), *(_limits_in(greens_file) if greens_file else [])]
    frozen = frozenset(freeze) | (frozenset(network.intersections) - set(signals) if signals else frozenset())
    limits = _by_state(network, rows)
    for name, _ in limits:
        if name in frozen:
            raise InputError(
                f"the greens of signal {name!r} are limited, but its plan stays",
                remedy="take it out of --freeze or into --signals",
            )
    if limits and only == "offsets":
        raise InputError("greens are limited, but only offsets may change", remedy="leave one of the two out")
    return Freeze(
        signals=frozen,
        stages=only in ("offsets", "splits", "timing"),
        greens=only == "offsets",
        cycle=keep_cycle or only == "splits",
        offsets=only == "splits",
        own_stages=only == "own-stages",
        green_limits=limits,
    )


@dataclass(frozen=True)
class GreenLimit:
    """Limits of one stage's green, s: None where the program's own hold. ``stage`` is its number or its state."""

    signal: str
    stage: str
    least: float | None
    most: float | None


_LIMIT = re.compile(r"(?P<signal>.+):(?P<stage>[^:=]+)=(?P<least>[\d.]*)-(?P<most>[\d.]*)")


def read_limits(texts: Iterable[str]) -> list[GreenLimit]:
    """``J1:2=15-40``, ``J1:2=15-`` or ``J1:GGrr=-40``: signal, stage (number or state), least and most green, s.

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
        out.append(_limit(found["signal"], found["stage"], found["least"], found["most"], f"--green {text}"))
    return out


def _limits_in(path: Path) -> list[GreenLimit]:
    """A CSV with the columns signal, stage, min_green, max_green; an empty cell leaves the program's own limit."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = list(csv.DictReader(stream))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"the limits cannot be read ({error})", where=str(path)) from None
    wanted = ("signal", "stage", "min_green", "max_green")
    if not rows or not set(wanted) <= set(rows[0]):
        raise InputError(
            "this is no table of limits",
            where=str(path),
            remedy=f"give a CSV with the columns {','.join(wanted)} and a row for each stage",
        )
    cells = [[(row[name] or "").strip() for name in wanted] for row in rows]
    return [
        _limit(signal, stage, least, most, f"{path}, row {k}")
        for k, (signal, stage, least, most) in enumerate(cells, 2)
    ]


def _limit(signal: str, stage: str, least: str, most: str, where: str) -> GreenLimit:
    try:
        return GreenLimit(
            signal, stage.strip(), float(least) if least else None, float(most) if most else None
        )
    except ValueError as error:
        raise InputError(f"a green is not a number ({error})", where=where, remedy="give seconds") from None


def _by_state(network: Network, rows: Sequence[GreenLimit]) -> dict[tuple[str, str], tuple[float, float]]:
    """The limits by signal and state, the program's own where a row leaves one open."""
    _known(network, [row.signal for row in rows])
    out = {}
    for row in rows:
        where = network.intersections[row.signal]
        states = [stage.state for stage in where.program.stages]
        if row.stage.isdigit() and 1 <= int(row.stage) <= len(states):
            state = states[int(row.stage) - 1]
        elif row.stage in states:
            state = row.stage
        else:
            shown = ", ".join(f"{k}={s}" for k, s in enumerate(states, 1))
            raise InputError(
                f"signal {row.signal!r} has no stage {row.stage!r}", remedy=f"its stages are {shown}"
            )
        phases = [p for p in where.phases if p.state == state]
        least = row.least if row.least is not None else max(p.min_green for p in phases)
        most = row.most if row.most is not None else min(p.max_green for p in phases)
        out[row.signal, state] = (least, most)
    return out


def _known(network: Network, names: Iterable[str]) -> None:
    for name in names:
        if name not in network.intersections:
            left = network.left_to_sumo.get(name)
            raise InputError(
                f"signal {name!r} is left to SUMO: {left}" if left else f"there is no signal {name!r}",
                where=network.name,
                remedy="" if left else near(name, network.intersections),
            )
