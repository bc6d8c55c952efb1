"""Equivalents of a simulated vehicle: its passenger-car units, the persons aboard, and the real vehicles it represents.

A route file gives them as ``<param key="pcu" value="…"/>``, ``key="persons"`` and ``key="represents"`` of a vType, by
the id of the vType; the defaults are the PCU of the vehicle class (denxanh.sim.demand.vehicle_class), one person and
one vehicle. In the built-in places in ``lane`` one simulated motorbike represents several, with their PCU and persons.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from denxanh.sim.demand.vehicle_class import DEFAULT_TYPES, VehicleClass, check_vtype, class_pcu, read_vtype
from denxanh.sim.errors import InputError
from denxanh.sim.sumo.xmlfile import scan

KEYS = ("pcu", "persons", "represents")
"""Params of a vType that are read."""


@dataclass(frozen=True, slots=True)
class Equivalent:
    """Of one simulated vehicle: passenger-car units (PCU), persons aboard, and real vehicles that it represents."""

    pcu: float = 1.0
    persons: float = 1.0
    represents: float = 1.0


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
        self.types: dict[str, VehicleClass] = {}
        self.scaled = False
        self._location = location
        self._open: str | None = None

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        if tag == "vType" and "refId" not in attributes:
            self._open = attributes.get("id", "")
            check_vtype(attributes, self._location)
            self.scaled |= float(attributes.get("scale", "1")) != 1.0
            self.types[self._open] = read_vtype(attributes)
            vclass = attributes.get("vClass", "passenger")
            self.equivalents[self._open] = Equivalent(class_pcu(vclass))
        elif tag == "param" and self._open is not None and attributes.get("key") in KEYS:
            key = attributes["key"]
            value = _number(attributes.get("value", ""), key, f"{self._location}: vType {self._open!r}")
            self.equivalents[self._open] = replace(self.equivalents[self._open], **{key: value})

    def end(self, tag: str) -> None:
        """An element ends."""
        if tag == "vType":
            self._open = None


def weights(types: Sequence[str], known: Mapping[str, Equivalent]) -> NDArray[np.float64]:
    """PCU, persons and real vehicles of each simulated one, shape (3, n), from its type.

    An undeclared type is one car with one person.
    """
    index = {id: known.get(id, Equivalent()) for id in dict.fromkeys(types)}
    rows = [(index[id].pcu, index[id].persons, index[id].represents) for id in types]
    return np.array(rows, dtype=np.float64).reshape(-1, 3).T


def represented(known: Mapping[str, Equivalent]) -> dict[str, float]:
    """The real vehicles that a simulated one of each type represents, for the types where that is not one."""
    return {id: one.represents for id, one in sorted(known.items()) if one.represents != 1.0}


def aboard(known: Mapping[str, Equivalent]) -> dict[str, float]:
    """The persons aboard a simulated vehicle of each type, for the types where that is not one."""
    return {id: one.persons for id, one in sorted(known.items()) if one.persons != 1.0}


def weighted_types(known: Mapping[str, Equivalent]) -> dict[float, list[str]]:
    """The types by the number of real vehicles that a simulated one represents, where that is not one."""
    found: dict[float, list[str]] = {}
    for id, number in represented(known).items():
        found.setdefault(number, []).append(id)
    return dict(sorted(found.items()))


def _number(text: str, key: str, location: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not 0.0 <= value < float("inf") or (key == "represents" and value == 0.0):
        remedy = "give a number above 0" if key == "represents" else "give a number ≥ 0"
        raise InputError(f"the {key} {text!r} is no number", location=location, remedy=remedy)
    return value
