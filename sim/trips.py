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

from sim.errors import RunError

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
    stopped: NDArray[np.float64]  # s below 0.1 m/s, SUMO's waitingTime
    stops: NDArray[np.float64]  # times it came to rest, SUMO's waitingCount
    time_loss: NDArray[np.float64]
    vaporized: tuple[str, ...]  # why SUMO took it out, "" if it arrived
    on_foot: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    """(persons,) s that everybody who walks stood still on the way, arrived or not."""

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
        """Which vehicles SUMO took out on the way (``end`` only means that the run ended)."""
        return np.array([reason not in ("", "end") for reason in self.vaporized], dtype=np.bool_)

    def __len__(self) -> int:
        return len(self.id)


class _Target:
    """Collects <tripinfo> attributes, and the walks of each person, while expat reads."""

    def __init__(self) -> None:
        self.rows: list[Mapping[str, str]] = []
        self.walks: dict[int, float] = {}  # s of standing by number of the person
        self.persons = 0

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        if tag == "tripinfo":
            self.rows.append(attributes)
        elif tag == "personinfo":
            self.persons += 1
        elif tag == "walk":
            self.walks[self.persons] = self.walks.get(self.persons, 0.0) + float(attributes["waitingTime"])

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
        parser.feed(content)
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
            np.array(list(target.walks.values()), dtype=np.float64),
        ),
        digest,
    )
