"""Traffic counts as a CSV file: a form to fill in, and its reader.

Each row is a turn at a signal (``from`` and ``to`` are edges) or an approach (``to`` empty) in one interval; each
column after the fixed ones is a vehicle type. Rows whose counts are all empty are skipped.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from denxanh.networks.place.hours import parse_clock, time_text
from denxanh.sim.errors import InputError
from denxanh.sim.input.limits import COUNT, check_number, whole_number
from denxanh.sim.input.text_files import csv_row, csv_text, read_csv
from denxanh.sim.network import Network

FIXED = ("signal", "street", "turn", "from", "to", "begin", "end")
TURNS = {
    "s": "through",
    "l": "left",
    "L": "left",
    "r": "right",
    "R": "right",
    "t": "turn around",
    "T": "turn around",
}


@dataclass(frozen=True, slots=True)
class Count:
    """Counts of one row: of a turn, or of an approach where ``end_edge`` is empty."""

    line: int  # of the file
    start_edge: str
    end_edge: str
    begin: int  # s since midnight
    end: int  # s
    vehicles: Mapping[str, int]  # by vehicle type, without the types whose cell is empty

    @property
    def total(self) -> int:
        """All vehicles of the row."""
        return sum(self.vehicles.values())


def template(network: Network, types: Iterable[str], begin: float, end: float) -> str:
    """Return the CSV text of an empty form: for each signal its approaches, then its turns.

    ``begin`` and ``end`` of the interval in s since midnight.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    types = tuple(types)
    writer.writerow(csv_row([*FIXED, *types]))
    times = [time_text(begin), time_text(end)]
    for id, intersection in sorted(network.intersections.items()):
        turns = [
            (network.edges[m.start].name, TURNS.get(m.direction, ""), m.start, m.end)
            for m in intersection.movements
        ]
        approaches = sorted({(street, "all", start, "") for street, _, start, _ in turns})
        for row in (*approaches, *sorted(turns)):
            writer.writerow(csv_row([id, *row, *times, *("" for _ in types)]))
    return out.getvalue()


def read(path: Path, network: Network, types: Iterable[str]) -> tuple[Count, ...]:
    """Return the counted rows of a filled form.

    Raises:
        InputError: with file and line, for unknown edges or types, impossible turns, cells that are not numbers,
            intervals that overlap without being equal, and rows given twice.
    """
    rows = read_csv(path, kind="count form")
    kinds = _columns(rows[0] if rows else [], tuple(types), path)
    turns = {(m.start, m.end) for i in network.intersections.values() for m in i.movements}
    found: dict[tuple[str, str, int, int], Count] = {}
    for line, row in enumerate(rows[1:], start=2):
        if not any(cell.strip() for cell in row[len(FIXED) :]):
            continue
        location = f"{path}, line {line}"
        if len(row) != len(FIXED) + len(kinds):
            raise InputError(
                f"it has {len(row)} cells, the first line has {len(FIXED) + len(kinds)}", location=location
            )
        count = _count(row, line, kinds, location)
        _check(count, network, turns, location)
        key = count.start_edge, count.end_edge, count.begin, count.end
        if key in found:
            raise InputError(f"the same turn and time are in line {found[key].line}", location=location)
        for other in found.values():
            if (other.begin, other.end) != (count.begin, count.end) and (
                other.begin < count.end and count.begin < other.end
            ):
                raise InputError(
                    f"{time_text(count.begin)}-{time_text(count.end)} overlaps the time of line {other.line}",
                    location=location,
                    remedy="give the same intervals everywhere",
                )
        found[key] = count
    if not found:
        raise InputError("no row has a count", location=str(path), remedy="fill in the last columns")
    return tuple(found.values())


def _columns(head: list[str], types: tuple[str, ...], path: Path) -> tuple[str, ...]:
    """Return the vehicle types of the columns after the fixed ones."""
    location = f"{path}, line 1"
    if tuple(head[: len(FIXED)]) != FIXED:
        raise InputError(
            "it does not begin with the columns " + ", ".join(FIXED),
            location=location,
            remedy="fill in what 'denxanh counts PLACE' writes",
        )
    kinds = tuple(csv_text(name) for name in head[len(FIXED) :])
    for kind in kinds:
        if kind not in types:
            raise InputError(
                f"the place has no vehicle type {kind!r}",
                location=location,
                remedy="choose from " + ", ".join(types),
            )
    if len(set(kinds)) < len(kinds) or not kinds:
        raise InputError("the columns of vehicle types are missing or given twice", location=location)
    return kinds


def _count(row: list[str], line: int, kinds: tuple[str, ...], location: str) -> Count:
    """Return one row as a count."""
    _, _, _, start, end, begin, until = (csv_text(cell) for cell in row[: len(FIXED)])
    vehicles: dict[str, int] = {}
    for kind, cell in zip(kinds, row[len(FIXED) :], strict=True):
        if not cell.strip():
            continue
        vehicles[kind] = whole_number(cell, kind, location=location)
        check_number(vehicles[kind], COUNT, kind, location=location, least=0)
    return Count(line, start, end, parse_clock(begin, location), parse_clock(until, location), vehicles)


def _check(count: Count, network: Network, turns: set[tuple[str, str]], location: str) -> None:
    """Raise InputError for a row that does not fit the network."""
    for edge in filter(None, (count.start_edge, count.end_edge)):
        if edge not in network.edges:
            raise InputError(f"there is no edge {edge!r}", location=location)
    if not count.start_edge:
        raise InputError("the column 'from' is empty", location=location)
    if count.end_edge and (count.start_edge, count.end_edge) not in turns:
        raise InputError(
            f"no signal has the turn from {count.start_edge} to {count.end_edge}", location=location
        )
    if count.begin >= count.end:
        raise InputError(
            f"it ends at {time_text(count.end)}, not after {time_text(count.begin)}", location=location
        )
