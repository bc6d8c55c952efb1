"""The contract of a controller: Green, Policy, Controller, and the capabilities that a controller may declare.

A controller is a frozen description; ``start`` returns the memory of one run: a policy, that is a plain callable,
for each intersection to control. A policy answers an Observation with ``Green(phase, seconds)``: show this phase,
and ask again when it has been green for that long from now on. A network-wide controller shares state between its
policies and reads the other intersections through ``seen.elsewhere``.

``name``, ``sees`` and ``start`` are required. All else is optional: see ``Capabilities``. No base class and no
registration is needed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np

from denxanh.sim.network import Network
from denxanh.sim.observation import Array, Ints, Observation, Request, Vehicles
from denxanh.sim.plan import Plan

__all__ = [
    "SENSES",
    "Array",
    "Capabilities",
    "Controller",
    "Green",
    "Ints",
    "Observation",
    "Policy",
    "Request",
    "Vehicles",
    "capabilities",
    "parameters",
    "recorded_parameters",
]

SENSES = frozenset({"vehicles", "exits", "flow", "requests"})
"""What a controller may ask to see: vehicles on the approaches, exit lanes, the expected demand, priority requests."""


@dataclass(frozen=True)
class Green:
    """Show ``phase`` and ask again after ``seconds`` of it (counted from now if it is green already)."""

    phase: int  # index into Intersection.phases
    seconds: float  # a multiple of Observation.step


Policy = Callable[[Observation], Green]


@runtime_checkable
class Controller(Protocol):
    """A strategy: frozen parameters. ``sees`` names what its observations must hold (subset of SENSES)."""

    name: ClassVar[str]
    sees: ClassVar[frozenset[str]]

    def start(self, network: Network) -> Mapping[str, Policy]:
        """Fresh policies by intersection id; other intersections keep the network's own plan.

        A run calls it once. ``network`` has the controller's own plan and phases, under the safety rules of the run.
        """
        ...


def _no_plan(_: Network) -> Plan | None:
    return None


def _no_phases(_: Network) -> Mapping[str, Sequence[str]]:
    return {}


def _no_files() -> tuple[Path, ...]:
    return ()


def _no_programs(_: Network) -> str:
    return ""


@dataclass(frozen=True)
class Capabilities:
    """The optional attributes and methods of a controller, with their defaults.

    A controller declares any of them under the same name; ``capabilities`` reads them. A layer over another
    strategy forwards all of them (denxanh.controllers.layers.layer).
    """

    make_plan: Callable[[Network], Plan | None] = _no_plan
    """(network) → a plan whose stages become the network's phases, or None. The network follows the safety rules."""

    more_phases: Callable[[Network], Mapping[str, Sequence[str]]] = _no_phases
    """(network) → green states by intersection id; they become phases after those of the program."""

    files: Callable[[], tuple[Path, ...]] = _no_files
    """() → files and folders that it reads and that no parameter names, as those that its parameter files name in turn:
    their content is part of the identity of its runs, and a path that is not there is refused."""

    additional_files: Callable[[], tuple[Path, ...]] = _no_files
    """() → SUMO additional files, loaded after the scenario's own: programs and detectors that SUMO runs."""

    programs: Callable[[Network], str] = _no_programs
    """(network) → the text of a SUMO additional file with programs and detectors that SUMO runs, or ""."""

    leaves_signals_to_sumo: bool = False
    """Whether ``start`` returns no policy for any network: SUMO runs all signals, the safety rules do not apply."""

    plan_from_scenario: bool = False
    """Whether its parameter ``plan``, where it is empty, is computed from the scenario before the runs."""

    serves_pedestrian_calls: bool = False
    """Whether its policies serve pedestrian calls themselves (denxanh.sim.signals.pedestrian_calls)."""

    def declares(self, name: str) -> bool:
        """Whether a controller declares the capability ``name``, so that it is not the default."""
        return getattr(self, name) is not getattr(Capabilities, name)

    @property
    def runs_in_sumo(self) -> bool:
        """Whether it has SUMO run programs of its own, so that no policy can stand above it."""
        return self.additional_files is not _no_files or self.programs is not _no_programs


def capabilities(controller: Controller) -> Capabilities:
    """The capabilities that a controller declares, and the defaults for the others."""
    declared = {
        field.name: getattr(controller, field.name)
        for field in fields(Capabilities)
        if hasattr(controller, field.name)
    }
    return Capabilities(**declared)


def parameters(controller: Controller) -> dict[str, Any]:
    """The parameters that determine what a controller does, by name."""
    if is_dataclass(controller) and not isinstance(controller, type):
        return asdict(controller)
    return {}


def recorded_parameters(controller: Controller) -> dict[str, Any]:
    """The parameters as a manifest records them: what JSON cannot hold as text, and of other objects their kind."""
    return {name: _recorded(value) for name, value in parameters(controller).items()}


def _recorded(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, str | Path):
        return str(value).encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, Mapping):
        return {str(_recorded(key)): _recorded(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_recorded(part) for part in value]
    if isinstance(value, set | frozenset):
        return sorted(map(_recorded, value), key=repr)
    return type(value).__name__
