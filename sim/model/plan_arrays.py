"""Many signal plans as a few arrays, so that a search can make thousands without one Python object each.

``PlanArrays`` holds B plans of I intersections in at most K steps each. Step k of intersection i shows
``states.letters[i][state[b, i, k]]`` for ``duration[b, i, k]`` s; a step of 0 s is skipped, so plans with
different numbers of steps share one K. Position in the cycle is (t − offset) mod cycle with t the
scenario's absolute time, as SUMO has it. A ``StateTable`` lists the distinct states an intersection may
show: greens and the change intervals between them; a search writes them down once and then only moves
integers about.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denxanh.sim.errors import InputError
from denxanh.sim.network import Network
from denxanh.sim.plan import Plan, Timing

RED, MINOR, MAJOR, YELLOW, STOP = range(5)
"""What a letter means to a vehicle: r, g (yield), G, y, s (stop, then yield)."""

_MEANING = {
    "r": RED,
    "u": RED,
    "g": MINOR,
    "o": MINOR,
    "G": MAJOR,
    "O": MAJOR,
    "y": YELLOW,
    "Y": YELLOW,
    "s": STOP,
}

GREENS = (MAJOR, MINOR, STOP)
"""Meanings with which a vehicle may go, now or in a gap."""


def meanings(state: str) -> list[int]:
    """The meaning of each letter of a state."""
    return [_MEANING[letter] for letter in state]


@dataclass(frozen=True)
class StateTable:
    """Distinct states by intersection, in the order of ``intersections``."""

    intersections: tuple[str, ...]
    letters: tuple[tuple[str, ...], ...]

    @staticmethod
    def of(network: Network, states: Mapping[str, Iterable[str]]) -> StateTable:
        """A table of the states of each intersection of the network, in its order, duplicates dropped.

        Intersections that are not named get the states of their own program. Raises InputError.
        """
        names = tuple(network.intersections)
        for name in states:
            if name not in network.intersections:
                raise InputError(
                    f"there is no controlled intersection {name!r}",
                    location=network.name,
                    remedy="check the id",
                )
        rows = []
        for name in names:
            own = (state for state, _ in steps(network.intersections[name].program))
            row = tuple(dict.fromkeys(states.get(name, own)))
            width = network.intersections[name].n_links
            for state in row:
                if len(state) != width or set(state) - set(_MEANING):
                    raise InputError(
                        f"{state!r} is not a state of {width} letters",
                        location=f"{network.name}: signal {name!r}",
                        remedy="use one of SUMO's letters rGgyuso for each link",
                    )
            rows.append(row)
        return StateTable(names, tuple(rows))

    def codes(self) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
        """First row of each intersection (intersections,), and meanings (states of all, most letters)."""
        first = np.cumsum([0, *(len(row) for row in self.letters)])[:-1].astype(np.int32)
        width = max((len(state) for row in self.letters for state in row), default=1)
        table = np.full((sum(len(row) for row in self.letters), width), RED, dtype=np.uint8)
        for number, state in enumerate(state for row in self.letters for state in row):
            table[number, : len(state)] = meanings(state)
        for start, row in zip(first, self.letters, strict=True):
            own = table[start : start + len(row)]
            own[:, (own == YELLOW).all(axis=0)] = RED  # a yellow that never ends lets nobody go, as in SUMO
        return first, table


@dataclass(frozen=True)
class PlanArrays:
    """B plans: see the module's text."""

    states: StateTable
    state: NDArray[Any]  # (B, I, K) integer, index into states.letters[i]
    duration: NDArray[Any]  # (B, I, K) s, integer or float, 0 where the step is not used
    offset: NDArray[Any]  # (B, I) s

    def __len__(self) -> int:
        return len(self.state)

    def check(self) -> None:
        """Raise InputError where shapes, indices or times cannot be meant."""
        if self.state.ndim != 3 or self.duration.shape != self.state.shape:
            raise InputError(
                f"state has shape {self.state.shape} and duration {self.duration.shape}",
                location="plan arrays",
                remedy="give both the shape (plans, intersections, steps)",
            )
        plans, places, _ = self.state.shape
        if self.offset.shape != (plans, places) or places != len(self.states.intersections):
            raise InputError(
                f"offset is {self.offset.shape} for {plans} plans of {places} signals",
                location="plan arrays",
                remedy="give it the shape (plans, intersections)",
            )
        if not self.state.size:
            return
        sizes = np.array([len(row) for row in self.states.letters])
        if self.state.min() < 0 or (self.state.max(axis=(0, 2)) >= sizes).any():
            raise InputError(
                "a state index is not in the table", location="plan arrays", remedy="check the indices"
            )
        if not self.duration.min() >= 0 or not self.duration.sum(axis=2).min() > 0:
            raise InputError(
                "a duration is negative or a cycle is empty",
                location="plan arrays",
                remedy="give times in s, ≥ 0",
            )


def steps(timing: Timing) -> list[tuple[str, float]]:
    """States and durations (s) of one cycle, greens and change intervals in their order."""
    return [
        step
        for stage in timing.stages
        for step in ((stage.state, stage.green), *((i.state, i.duration) for i in stage.change))
    ]


def encode(network: Network, plans: Sequence[Plan]) -> PlanArrays:
    """Arrays of the plans; intersections that a plan does not name keep the network's own program.

    Raises InputError for a plan that names no controlled intersection of the network.
    """
    names = list(network.intersections)
    for plan in plans:
        for name in plan.timings:
            if name not in network.intersections:
                raise InputError(
                    f"the plan names signal {name!r}, which is not controlled here",
                    location=network.name,
                    remedy="make the plan for this network",
                )
    timings = [
        [plan.timings.get(name, network.intersections[name].program) for name in names] for plan in plans
    ]
    wanted = {
        name: [state for row in timings for state, _ in steps(row[i])]
        for i, name in enumerate(names)
        if timings
    }
    table = StateTable.of(network, wanted)
    most = max((len(steps(timing)) for row in timings for timing in row), default=1)
    shape = (len(plans), len(names), most)
    state, duration = np.zeros(shape, dtype=np.int16), np.zeros(shape, dtype=np.float32)
    offset = np.zeros(shape[:2], dtype=np.float32)
    index = [{letters: k for k, letters in enumerate(row)} for row in table.letters]
    for b, row in enumerate(timings):
        for i, timing in enumerate(row):
            offset[b, i] = timing.offset
            for k, (letters, seconds) in enumerate(steps(timing)):
                state[b, i, k] = index[i][letters]
                duration[b, i, k] = seconds
    return PlanArrays(table, state, duration, offset)
