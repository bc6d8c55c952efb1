"""What an event is: a frozen description that changes a running simulation at its begin and undoes it at its end."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol

from sim.errors import InputError
from sim.network import Network
from sim.scenario import Scenario
from sim.world import Roads


@dataclass(frozen=True)
class Scene:
    """Where events happen: what they may name, and whether there are detectors to fail."""

    scenario: Scenario
    network: Network
    detectors: bool


@dataclass(frozen=True)
class Stage:
    """What an event may do to a running simulation."""

    roads: Roads
    fail_detectors: Callable[[str, bool], None]  # (signal, failed)
    flash: Callable[[str, bool], None]  # (signal, failed): flashing yellow


class Event(Protocol):
    """One event from ``begin`` to ``end`` (s of the scenario's clock). Its fields are what a user writes."""

    kind: ClassVar[str]
    replayable: ClassVar[bool]
    """Whether bare SUMO repeats it from the run's folder; lanes closed and rain exist only in our commands."""

    options: ClassVar[Mapping[str, str]]
    """SUMO options that a run with it needs."""

    @property
    def begin(self) -> float:
        """s"""
        ...

    @property
    def end(self) -> float:
        """s"""
        ...

    def check(self, scene: Scene) -> None:
        """Raise InputError for what cannot happen there."""
        ...

    def traffic(self, scene: Scene, path: Path, label: str) -> bool:
        """Write the vehicles that it adds as a route file; False if it adds none. ``label`` tells their ids apart."""
        ...

    def start(self, stage: Stage) -> None:
        """Let it begin."""
        ...

    def stop(self, stage: Stage) -> None:
        """Undo it."""
        ...

    def describe(self) -> str:
        """What happens, in words, without its time."""
        ...


class Plain:
    """What most events have in common: they last from begin to end within the run, and add no traffic."""

    kind: ClassVar[str]
    replayable: ClassVar[bool] = True
    options: ClassVar[Mapping[str, str]] = {}

    if TYPE_CHECKING:

        @property
        def begin(self) -> float:
            """s"""
            ...

        @property
        def end(self) -> float:
            """s"""
            ...

    def check(self, scene: Scene) -> None:
        """The times must lie within the run."""
        scenario = scene.scenario
        if not scenario.begin <= self.begin < self.end:
            raise InputError(
                f"it lasts from {self.begin:g} s to {self.end:g} s; the run begins at {scenario.begin:g} s",
                remedy="give begin before end, in s of the scenario's clock",
            )
        if self.begin >= scenario.end:
            raise InputError(
                f"it begins at {self.begin:g} s, when the run has ended ({scenario.end:g} s)",
                remedy="let it begin earlier",
            )

    def traffic(self, scene: Scene, path: Path, label: str) -> bool:
        """None."""
        return False

    def start(self, stage: Stage) -> None:
        """Nothing happens on the agenda."""

    def stop(self, stage: Stage) -> None:
        """Nothing to undo."""


def ids(given: Iterable[str], known: Iterable[str], what: str) -> None:
    """Refuse an id that is not there. Raises InputError."""
    names = list(known)
    given = list(given)
    if not given:
        raise InputError(f"it names no {what}", remedy=f"name at least one {what}")
    for name in given:
        if name not in names:
            close = difflib.get_close_matches(name, names, n=1, cutoff=0.4)
            raise InputError(
                f"there is no {what} {name!r}",
                remedy=f"did you mean {close[0]!r}?" if close else "see denxanh check",
            )
