"""Equivalents of a vehicle: its passenger-car units and the persons aboard, by the id of its vType.

A route file gives them as ``<param key="pcu" value="…"/>`` and ``key="persons"`` of a vType; the defaults are the PCU
of the vehicle class (denxanh.sim.demand.vehicle_class) and one person.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import ParseError, fromstring

import numpy as np
from numpy.typing import NDArray

from denxanh.sim.demand.vehicle_class import class_pcu
from denxanh.sim.errors import InputError
from denxanh.sim.sumo.xmlfile import read_bytes

_COMMENT = re.compile(rb"<!--.*?-->", re.DOTALL)
_VTYPE = re.compile(rb"<vType\b[^>]*?(?:/>|>.*?</vType\s*>)", re.DOTALL)
# SUMO's own types, for vehicles that name none (docs: "Default Vehicle Type"), and the classes they have
_SUMO_TYPES = {
    "DEFAULT_VEHTYPE": "passenger",
    "DEFAULT_BIKETYPE": "bicycle",
    "DEFAULT_TAXITYPE": "taxi",
    "DEFAULT_RAILTYPE": "rail",
}


@dataclass(frozen=True, slots=True)
class Equivalent:
    """Of one vehicle: passenger-car units (PCU), and persons aboard."""

    pcu: float = 1.0
    persons: float = 1.0


def read_equivalents(files: Iterable[Path]) -> dict[str, Equivalent]:
    """Equivalents by vType id from route and additional files. Raises InputError for a value that is no number ≥ 0."""
    found = {id: Equivalent(class_pcu(vclass)) for id, vclass in _SUMO_TYPES.items()}
    for path in files:
        content = read_bytes(path, kind="route file")
        if b"<vType" not in content:
            continue
        for match in _VTYPE.finditer(_COMMENT.sub(b"", content)):
            id, equivalent = _equivalent(match.group(), path)
            found[id] = equivalent
    return found


def weights(types: Sequence[str], known: Mapping[str, Equivalent]) -> NDArray[np.float64]:
    """PCU and persons of each vehicle, shape (2, n), from its type. An undeclared type is a car with one person."""
    index = {id: known.get(id, Equivalent()) for id in dict.fromkeys(types)}
    pairs = [(index[id].pcu, index[id].persons) for id in types]
    return np.array(pairs, dtype=np.float64).reshape(-1, 2).T


def _equivalent(xml: bytes, path: Path) -> tuple[str, Equivalent]:
    try:
        element = fromstring(
            xml
        )  # a piece of a file that SUMO reads as well; it holds no entities of its own
    except ParseError as error:
        raise InputError(f"a vType is not well-formed XML ({error})", location=str(path)) from None
    id = element.get("id", "")
    given = {"pcu": class_pcu(element.get("vClass", "passenger")), "persons": 1.0}
    for param in element.iter("param"):
        key = param.get("key", "")
        if key in given:
            given[key] = _number(param.get("value", ""), key, f"{path}: vType {id!r}")
    return id, Equivalent(**given)


def _number(text: str, key: str, location: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not 0.0 <= value < float("inf"):
        raise InputError(f"the {key} {text!r} is no number", location=location, remedy="give a number ≥ 0")
    return value
