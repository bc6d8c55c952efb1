"""The protocol of an event: a frozen description that changes a simulation at its begin and reverts it at its end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol

from denxanh.sim.errors import InputError
from denxanh.sim.network import Network
from denxanh.sim.scenario import Scenario
from denxanh.sim.text_values import did_you_mean
from denxanh.sim.world import Roads


@dataclass(frozen=True)
class EventContext:
    """What an event is checked against: the scenario, its network, and whether the sensing has detectors."""

    scenario: Scenario
    network: Network
    detectors: bool


@dataclass(frozen=True)
class EventControls:
    """The controls of a running simulation that an event may use."""

    roads: Roads
    fail_detectors: Callable[[str, bool], None]  # (signal, failed)
    flash: Callable[[str, bool], None]  # (signal, failed): flashing yellow


class Event(Protocol):
    """One event from ``begin`` to ``end`` (s of the scenario's clock). Its fields are the keys of its table."""

    kind: ClassVar[str]
    replayable: ClassVar[bool]
    """Whether SUMO alone repeats it from the run's folder; closed lanes and rain are not in any file."""

    options: ClassVar[Mapping[str, str]]
    """SUMO options that a run with this event needs."""

    @property
    def begin(self) -> float:
        """s"""
        ...

    @property
    def end(self) -> float:
        """s"""
        ...

    def check(self, context: EventContext) -> None:
        """Raise InputError where the event does not fit the scenario."""
        ...

    def traffic(self, context: EventContext, path: Path, label: str) -> bool:
        """Write the vehicles that it adds to a route file, with ``label`` in their ids; False if it adds none."""
        ...

    def start(self, controls: EventControls) -> None:
        """Begin."""
        ...

    def stop(self, controls: EventControls) -> None:
        """Revert it."""
        ...

    def describe(self) -> str:
        """A description without the time."""
        ...


class EventBase:
    """Defaults of most events: they last from begin to end within the run, and add no traffic."""

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

    def check(self, context: EventContext) -> None:
        """Raise InputError unless the times lie within the run."""
        scenario = context.scenario
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

    def traffic(self, context: EventContext, path: Path, label: str) -> bool:
        """Add no traffic."""
        return False

    def start(self, controls: EventControls) -> None:
        """Change nothing."""

    def stop(self, controls: EventControls) -> None:
        """Change nothing."""


def check_ids(given: Iterable[str], known: Iterable[str], what: str) -> None:
    """Raise InputError for an empty list and for an unknown id; ``what`` is the kind of the ids."""
    names = list(known)
    given = list(given)
    if not given:
        raise InputError(f"it names no {what}", remedy=f"name at least one {what}")
    for name in given:
        if name not in names:
            raise InputError(f"there is no {what} {name!r}", remedy=did_you_mean(name, names))
