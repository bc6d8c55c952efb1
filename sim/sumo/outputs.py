"""SUMO's smaller output files: statistics, edge data, signal states."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError, fromstring
from xml.sax.saxutils import unescape

import numpy as np
from numpy.typing import NDArray

from denxanh.sim.errors import RunError

Column = NDArray[np.float64] | list[str]

# by hand: SUMO writes the names of phases into it as they are, with whatever XML does not allow
_STATE = re.compile(
    r'<tlsState time="([^"]*)" id="([^"]*)" programID="([^"]*)" phase="[^"]*" state="([^"]*)"'
)
_BARE = re.compile(rb"&(?!(?:amp|lt|gt|quot|apos|#\d+|#x[0-9A-Fa-f]+);)")
_STATES_END = re.compile(r"</tlsStates>\s*\Z|<tlsStates[^<>]*/>\s*\Z")


@dataclass(frozen=True)
class Incidents:
    """What SUMO counts itself as it happens."""

    teleports: int = 0
    collisions: int = 0
    emergency_brakings: int = 0

    def since(self, earlier: Incidents) -> Incidents:
        """Those that were not yet counted ``earlier``."""
        return Incidents(
            self.teleports - earlier.teleports,
            self.collisions - earlier.collisions,
            self.emergency_brakings - earlier.emergency_brakings,
        )


@dataclass(frozen=True)
class Statistic:
    """SUMO's statistic output."""

    end: float  # s, the time SUMO reached
    loaded: int
    inserted: int
    teleports: int
    collisions: int
    emergency_brakings: int

    @property
    def incidents(self) -> Incidents:
        """Those of the whole run."""
        return Incidents(self.teleports, self.collisions, self.emergency_brakings)


def read_statistic(path: Path) -> Statistic:
    """Read --statistic-output. Raises RunError if it is missing or not whole."""
    root = _root(path)

    def value(tag: str, name: str) -> float:
        element = root.find(tag)
        if element is None or name not in element.attrib:
            raise RunError(f"{path.name} holds no {tag} {name}: SUMO did not finish")
        return float(element.attrib[name])

    return Statistic(
        end=value("performance", "end"),
        loaded=int(value("vehicles", "loaded")),
        inserted=int(value("vehicles", "inserted")),
        teleports=int(value("teleports", "total")),
        collisions=int(value("safety", "collisions")),
        emergency_brakings=int(value("safety", "emergencyBraking")),
    )


def read_edges(
    traffic: Path, emissions: Path, weighted: Sequence[tuple[Path, Path, float]] = ()
) -> dict[str, Column]:
    """Edge data over the measured window as columns; vehicles, s, m/s, kg, over real vehicles.

    ``weighted``: the same files of vehicle types of which a simulated vehicle represents another number of real ones
    than one, and that number. The mean speed is over real vehicles too.
    """
    table = _edges(traffic, emissions)
    if not weighted:
        return table
    place = {edge: i for i, edge in enumerate(table["edge"])}
    distance = np.asarray(table["speed_mps"]) * np.asarray(table["vehicle_seconds"])
    for one, exhaust, factor in weighted:
        part = _edges(one, exhaust)
        at = [place[edge] for edge in part["edge"]]
        distance[at] += (factor - 1) * np.asarray(part["speed_mps"]) * np.asarray(part["vehicle_seconds"])
        for name in _SUMMED:
            np.asarray(table[name])[at] += (factor - 1) * np.asarray(part[name])
    seconds = np.asarray(table["vehicle_seconds"])
    table["speed_mps"] = np.divide(distance, seconds, out=np.zeros_like(distance), where=seconds > 0)
    return table


_SUMMED = ("vehicle_seconds", "time_loss_s", "stopped_s", "entered", "left", "co2_kg", "fuel_kg")


def _edges(traffic: Path, emissions: Path) -> dict[str, Column]:
    rows = {row.attrib["id"]: row.attrib for row in _root(traffic).iter("edge")}
    exhaust = {row.attrib["id"]: row.attrib for row in _root(emissions).iter("edge")}
    names = sorted(rows)

    def column(source: Mapping[str, Mapping[str, str]], name: str, unit: float = 1.0) -> NDArray[np.float64]:
        return np.array([float(source.get(edge, {}).get(name, "0")) * unit for edge in names])

    return {
        "edge": names,
        "vehicle_seconds": column(rows, "sampledSeconds"),
        "time_loss_s": column(rows, "timeLoss"),
        "stopped_s": column(rows, "waitingTime"),
        "entered": column(rows, "entered") + column(rows, "departed"),
        "left": column(rows, "left") + column(rows, "arrived"),
        "speed_mps": column(rows, "speed"),
        "co2_kg": column(exhaust, "CO2_abs", 1e-6),  # SUMO: mg
        "fuel_kg": column(exhaust, "fuel_abs", 1e-6),
    }


def read_signals(path: Path) -> dict[str, Column]:
    """Every change of every signal's state as columns."""
    text = path.read_text("utf-8") if path.exists() else ""
    if text and not _STATES_END.search(text, max(0, len(text) - 4096)):
        raise RunError(f"{path.name} is cut off or damaged: the disk may be full")
    rows = _STATE.findall(text)
    return {
        "time_s": np.array([float(time) for time, *_ in rows]),
        "signal": [unescape(id) for _, id, _, _ in rows],
        "program": [unescape(program) for *_, program, _ in rows],
        "state": [state for *_, state in rows],
    }


def escaped(content: bytes) -> bytes:
    """An output of SUMO as XML: SUMO writes an & in the name of a road as it is."""
    return _BARE.sub(b"&amp;", content) if b"&" in content else content


def _root(path: Path) -> Element:
    try:
        return fromstring(escaped(path.read_bytes()))  # written by SUMO itself into our own folder
    except OSError as error:
        raise RunError(f"SUMO left no {path.name} ({error.strerror})") from None
    except ParseError as error:
        raise RunError(f"{path.name} is cut off or damaged ({error}): the disk may be full") from None
