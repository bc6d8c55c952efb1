"""SUMO's tripinfo as arrays: one row per vehicle loaded, also those that never finished or began."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError, XMLParser

import numpy as np
from numpy.typing import NDArray

from denxanh.sim.errors import RunError
from denxanh.sim.sumo.outputs import escaped

_NUMBERS = (
    "depart",
    "departDelay",
    "arrival",
    "duration",
    "routeLength",
    "waitingTime",
    "waitingCount",
    "stopTime",
    "timeLoss",
)


@dataclass(frozen=True)
class Trips:
    """One row per vehicle, shape (n,), in SUMO's order of output. Times s, lengths m.

    ``depart`` is −1 for vehicles never inserted, ``arrival`` −1 for those that did not finish.
    """

    id: tuple[str, ...]
    type: tuple[str, ...]
    depart: NDArray[np.float64]
    depart_delay: NDArray[np.float64]
    arrival: NDArray[np.float64]
    duration: NDArray[np.float64]
    length: NDArray[np.float64]
    stopped: NDArray[np.float64]  # s while halted, SUMO's waitingTime
    stops: NDArray[np.float64]  # number of halts, SUMO's waitingCount
    time_loss: NDArray[np.float64]
    vaporized: tuple[str, ...]  # why SUMO removed it, "" if it arrived
    depart_lane: tuple[str, ...] = ()  # "" for vehicles never inserted
    depart_position: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))  # m
    speed_factor: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))  # of the limits
    pedestrian_wait: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    """Wait of each person who walks, arrived or not, s, shape (persons,)."""
    pedestrian_depart: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    """Departure of each person who walks, s, shape (persons,)."""

    @property
    def inserted(self) -> NDArray[np.bool_]:
        """Which vehicles entered the network."""
        return self.depart >= 0

    @property
    def arrived(self) -> NDArray[np.bool_]:
        """Which vehicles finished their trip."""
        return (self.arrival >= 0) & self.inserted & ~self.removed

    @property
    def removed(self) -> NDArray[np.bool_]:
        """Which vehicles SUMO removed before their arrival (``end`` only means that the run ended)."""
        return np.array([reason not in ("", "end") for reason in self.vaporized], dtype=np.bool_)

    @property
    def delay(self) -> NDArray[np.float64]:
        """Delay of each vehicle, s, shape (n,), see ``vehicle_delay``."""
        return vehicle_delay(self.inserted, self.time_loss, self.depart_delay)

    def wanted_departure(self, end: float) -> NDArray[np.float64]:
        """Time at which each vehicle wanted to depart in a run until ``end``, s, shape (n,)."""
        return wanted_departure(self.inserted, self.depart, self.depart_delay, end)

    def __len__(self) -> int:
        return len(self.id)


def vehicle_delay(
    inserted: NDArray[np.bool_], time_loss: NDArray[np.float64], depart_delay: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Delay, s, shape (n,): the time lost on the road by inserted vehicles, and the wait for insertion of all."""
    return np.asarray(np.where(inserted, time_loss, 0.0) + depart_delay, dtype=np.float64)


def wanted_departure(
    inserted: NDArray[np.bool_], depart: NDArray[np.float64], depart_delay: NDArray[np.float64], end: float
) -> NDArray[np.float64]:
    """Intended departure, s, shape (n,): the wait before it, or before ``end`` for vehicles never inserted."""
    return np.asarray(np.where(inserted, depart - depart_delay, end - depart_delay), dtype=np.float64)


class _Target:
    """Collects the attributes of <tripinfo> and the waits of each person while expat reads."""

    def __init__(self) -> None:
        self.rows: list[Mapping[str, str]] = []
        self.walks: dict[int, float] = {}  # s of waiting by number of the person
        self.departs: list[float] = []  # s, by number of the person

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        if tag == "tripinfo":
            self.rows.append(attributes)
        elif tag == "personinfo":
            self.departs.append(float(attributes.get("depart", "-1")))
        elif tag == "walk":
            person = len(self.departs) - 1
            self.walks[person] = self.walks.get(person, 0.0) + float(attributes["waitingTime"])

    def end(self, tag: str) -> None:
        pass

    def close(self) -> None:
        pass


def read_trips(path: Path) -> tuple[Trips, str]:
    """The trips and the SHA-256 of the file from ``<tripinfos`` on (its header holds the time of day).

    Raises RunError for a file that is missing, cut off or not closed.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise RunError(f"SUMO left no {path.name} ({error.strerror})") from None
    start = content.find(b"<tripinfos")
    if start < 0 or not content.rstrip().endswith(b"</tripinfos>"):
        raise RunError(f"{path.name} is cut off after {len(content)} bytes: the disk may be full")
    digest = hashlib.sha256(content[start:]).hexdigest()
    target = _Target()
    parser: XMLParser[Any] = XMLParser(target=target)
    try:
        parser.feed(escaped(content))
        parser.close()
    except ParseError as error:
        raise RunError(f"{path.name} cannot be read ({error})") from None
    rows = target.rows
    columns = [np.array([float(row[name]) for row in rows]) for name in _NUMBERS]
    depart, depart_delay, arrival, duration, length, stopped, stops, _, time_loss = columns
    return (
        Trips(
            tuple(row["id"] for row in rows),
            tuple(row["vType"] for row in rows),
            depart,
            depart_delay,
            arrival,
            duration,
            length,
            stopped,
            stops,
            time_loss,
            tuple(row.get("vaporized", "") for row in rows),
            tuple(row.get("departLane", "") for row in rows),
            np.array([float(row.get("departPos", "0")) for row in rows]),
            np.array([float(row.get("speedFactor", "1")) for row in rows]),
            np.array(list(target.walks.values()), dtype=np.float64),
            np.array([target.departs[person] for person in target.walks], dtype=np.float64),
        ),
        digest,
    )
