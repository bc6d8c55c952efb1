"""Equivalents of a vehicle: its passenger-car units and the persons aboard, by the id of its vType.

A route file gives them as ``<param key="pcu" value="…"/>`` and ``key="persons"`` of a vType; the defaults are the PCU
of the vehicle class (denxanh.sim.demand.vehicle_class) and one person.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from denxanh.sim.demand.vehicle_class import DEFAULT_TYPES, check_vtype, class_pcu
from denxanh.sim.errors import InputError
from denxanh.sim.sumo.xmlfile import scan


@dataclass(frozen=True, slots=True)
class Equivalent:
    """Of one vehicle: passenger-car units (PCU), and persons aboard."""

    pcu: float = 1.0
    persons: float = 1.0


def read_equivalents(files: Iterable[Path]) -> dict[str, Equivalent]:
    """Equivalents by vType id from route and additional files. Raises InputError for a value that is no number ≥ 0."""
    found = dict(OF_SUMO)
    for path in files:
        reader = TypeReader(str(path))
        scan(path, reader, kind="route file")
        found |= reader.equivalents
    return found


OF_SUMO = {id: Equivalent(class_pcu(vclass)) for id, vclass in DEFAULT_TYPES.items()}
"""Of SUMO's own types, for vehicles that name none."""


class TypeReader:
    """Reads the vTypes of a file, element by element."""

    def __init__(self, location: str) -> None:
        self.line: Callable[[], int] = int
        self.equivalents: dict[str, Equivalent] = {}
        self.scaled = False
        self._location = location
        self._open: str | None = None

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        if tag == "vType" and "refId" not in attributes:
            self._open = attributes.get("id", "")
            check_vtype(attributes, self._location)
            self.scaled |= float(attributes.get("scale", "1")) != 1.0
            vclass = attributes.get("vClass", "passenger")
            self.equivalents[self._open] = Equivalent(class_pcu(vclass))
        elif tag == "param" and self._open is not None and attributes.get("key") in ("pcu", "persons"):
            key = attributes["key"]
            value = _number(attributes.get("value", ""), key, f"{self._location}: vType {self._open!r}")
            self.equivalents[self._open] = replace(self.equivalents[self._open], **{key: value})

    def end(self, tag: str) -> None:
        """An element ends."""
        if tag == "vType":
            self._open = None


def weights(types: Sequence[str], known: Mapping[str, Equivalent]) -> NDArray[np.float64]:
    """PCU and persons of each vehicle, shape (2, n), from its type. An undeclared type is a car with one person."""
    index = {id: known.get(id, Equivalent()) for id in dict.fromkeys(types)}
    pairs = [(index[id].pcu, index[id].persons) for id in types]
    return np.array(pairs, dtype=np.float64).reshape(-1, 2).T


def _number(text: str, key: str, location: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not 0.0 <= value < float("inf"):
        raise InputError(f"the {key} {text!r} is no number", location=location, remedy="give a number ≥ 0")
    return value
