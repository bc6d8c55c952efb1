"""Limits of real cabinets: stages shown once, a red for every movement, minimum greens of crossings, whole seconds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from denxanh.experiments.optimize.problem.stages import StageSet
from denxanh.sim.errors import InputError
from denxanh.sim.input.limits import SECONDS, STEPS, check_number
from denxanh.sim.movements import crossing_names
from denxanh.sim.network import GREEN, Bools, Intersection, Network
from denxanh.sim.text_values import did_you_mean


@dataclass(frozen=True)
class CabinetLimits:
    """What a cabinet can run. The defaults limit nothing."""

    no_repeat_stage: bool = False  # no stage twice in a cycle
    always_red: bool = False  # every movement of vehicles has a red in the cycle
    max_stages: int | None = None  # stages of a cycle
    whole_seconds: bool = False  # each yellow, all-red and clearance is a whole number of seconds, rounded up
    crossings: Mapping[tuple[str, int], float] = field(default_factory=dict)
    """Minimum green, s, by signal and link of the crossing."""

    @property
    def on_stages(self) -> tuple[str, ...]:
        """The options that limit the order of stages, by their names on the command line."""
        given = {
            "--no-repeat-stage": self.no_repeat_stage,
            "--always-red": self.always_red,
            "--max-stages": self.max_stages is not None,
        }
        return tuple(name for name, set_ in given.items() if set_)

    def apply(self, intersection: Intersection, stages: StageSet) -> StageSet:
        """The stages within these limits. Raises InputError where a limit cannot be kept."""
        low = list(stages.min_green)
        for (signal, link), seconds in self.crossings.items():
            if signal != intersection.id:
                continue
            for k, state in enumerate(stages.states):
                if state[link] in GREEN:
                    low[k] = max(low[k], seconds)
                if low[k] > stages.max_green[k]:
                    raise InputError(
                        f"signal {signal!r}, stage {state!r}: the crossing needs {seconds:g} s of green, the stage has "
                        f"at most {stages.max_green[k]:g} s",
                        remedy="give a longer maximum green or a shorter minimum of the crossing",
                    )
        found = replace(stages, min_green=tuple(low), no_repeat=self.no_repeat_stage, most=self.max_stages)
        if not self.always_red:
            return found
        needs = np.unique(np.vstack([found.needs, _reds(intersection, stages)]), axis=0)
        return replace(found, needs=needs)


NO_LIMITS = CabinetLimits()


def make_cabinet_limits(
    network: Network,
    *,
    no_repeat_stage: bool = False,
    always_red: bool = False,
    max_stages: int = 0,
    whole_seconds: bool = False,
    crossings: Iterable[str] = (),
) -> CabinetLimits:
    """The limits of the command line, checked against the network; 0 stages is no limit. Raises InputError."""
    check_number(max_stages, STEPS, "--max-stages", least=0)
    if max_stages == 1:
        raise InputError("a cycle of one stage changes nothing", remedy="give --max-stages 2 or more")
    minima: dict[tuple[str, int], float] = {}
    for text in crossings:
        minima |= _crossings(network, text)
    return CabinetLimits(no_repeat_stage, always_red, max_stages or None, whole_seconds, minima)


def with_reds(intersection: Intersection, state: str) -> str:
    """The state with red for the vehicles that the program never stops, where the rest of their road is red.

    Of a road without another signalled movement: where a way that conflicts with it is green.
    """
    always = intersection.never_red()
    road = {link.index: link.start.rpartition("_")[0] for link in intersection.links if not link.crossing}
    letters = list(state)
    for link in always.keys() & road.keys():
        beside = [k for k in road if road[k] == road[link] and k not in always]
        foes = [k for k in range(intersection.n_links) if intersection.foes[link, k] and k not in always]
        stopped = (
            not any(state[k] in GREEN for k in beside) if beside else any(state[k] in GREEN for k in foes)
        )
        if stopped:
            letters[link] = "r"
    return "".join(letters)


def _reds(intersection: Intersection, stages: StageSet) -> Bools:
    """A row for each link of vehicles: the stages in which it is red. Raises InputError where there is none."""
    rows = []
    for movement in intersection.movements:
        for link in movement.links:
            row = [state[link] not in GREEN for state in stages.states]
            if not any(row):
                raise InputError(
                    f"signal {intersection.id!r}: no stage has a red for a movement of {intersection.name}",
                    remedy="omit --always-red, or freeze the signal",
                )
            rows.append(row)
    return np.unique(np.array(rows, dtype=np.bool_), axis=0)


_CROSSING = re.compile(r"(?:(?P<signal>.+?)(?::(?P<name>P\d{1,4}))?=)?(?P<seconds>\d+(?:\.\d+)?)")


def _crossings(network: Network, text: str) -> dict[tuple[str, int], float]:
    """The crossings that ``15``, ``J1=15`` or ``J1:P2=15`` names, with the minimum green, s."""
    found = _CROSSING.fullmatch(text.strip())
    if found is None:
        raise InputError(
            f"--crossing {text!r} cannot be read",
            remedy="write SECONDS, SIGNAL=SECONDS or SIGNAL:P1=SECONDS, as J1:P1=15",
        )
    seconds = check_number(
        float(found["seconds"]), SECONDS, "a green", location=f"--crossing {text}", least=1
    )
    signal, name = found["signal"], found["name"]
    if signal is not None and signal not in network.intersections:
        raise InputError(
            f"there is no signal {signal!r}",
            location=network.name,
            remedy=did_you_mean(signal, network.intersections),
        )
    out: dict[tuple[str, int], float] = {}
    for id in [signal] if signal is not None else sorted(network.intersections):
        known = crossing_names(network.intersections[id])
        if name is not None and name not in known:
            raise InputError(
                f"signal {id!r} has no crossing {name}",
                location=f"--crossing {text}",
                remedy=f"it has {', '.join(known)}" if known else "it has no crossing with a signal",
            )
        out |= {(id, link): seconds for crossing, link in known.items() if name in (None, crossing)}
    if not out:
        raise InputError(
            "there is no crossing with a signal", location=f"--crossing {text}", remedy="omit the option"
        )
    return out
