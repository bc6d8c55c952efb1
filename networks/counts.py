"""Counts of vehicles as a CSV file: a template to fill in, and a reader that names the line of every mistake.

One row a turn of a signal (``from`` and ``to`` are edges) or an approach (``to`` empty) in one interval of time, one
column a vehicle type. A row whose counts are all empty was not counted.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from networks.hours import clock
from sim.errors import InputError
from sim.network import Network

FIXED = ("signal", "street", "turn", "from", "to", "begin", "end")
TURNS = {"s": "through", "l": "left", "L": "left", "r": "right", "R": "right", "t": "turn around"}


@dataclass(frozen=True, slots=True)
class Count:
    """One row that was counted: a turn, or an approach where ``end_edge`` is empty."""

    line: int  # of the file
    start_edge: str
    end_edge: str
    begin: int  # s since midnight
    end: int  # s
    vehicles: Mapping[str, int]  # by vehicle type; types whose cell is empty are missing

    @property
    def total(self) -> int:
        """All vehicles of the row."""
        return sum(self.vehicles.values())


def template(network: Network, types: Iterable[str], begin: float, end: float) -> str:
    """Return the CSV text to fill in: for each signal its approaches, then its turns; times in s of a day."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    types = tuple(types)
    writer.writerow([*FIXED, *types])
    times = [time_text(begin), time_text(end)]
    for id, where in sorted(network.intersections.items()):
        turns = [
            (network.edges[m.start].name, TURNS.get(m.direction, ""), m.start, m.end) for m in where.movements
        ]
        approaches = sorted({(street, "all", start, "") for street, _, start, _ in turns})
        for row in (*approaches, *sorted(turns)):
            writer.writerow([id, *row, *times, *("" for _ in types)])
    return out.getvalue()


def time_text(second: float) -> str:
    """Return a time of day as ``07:30``."""
    return f"{int(second) // 3600:02}:{int(second) % 3600 // 60:02}"


def read(path: Path, network: Network, types: Iterable[str]) -> tuple[Count, ...]:
    """Return the rows of a filled template that were counted.

    Raises InputError that names file and line for what is no count: unknown edges or types, turns that are not
    possible, cells that are no number, intervals that overlap without being the same, rows given twice.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.reader(file))
    except OSError as error:
        raise InputError(f"it cannot be read: {error.strerror}", where=str(path)) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"this is not CSV in UTF-8: {error}", where=str(path)) from error
    kinds = _columns(rows[0] if rows else [], tuple(types), path)
    turns = {(m.start, m.end) for i in network.intersections.values() for m in i.movements}
    found: dict[tuple[str, str, int, int], Count] = {}
    for line, row in enumerate(rows[1:], start=2):
        if not any(cell.strip() for cell in row[len(FIXED) :]):
            continue
        where = f"{path}, line {line}"
        if len(row) != len(FIXED) + len(kinds):
            raise InputError(
                f"it has {len(row)} cells, the first line has {len(FIXED) + len(kinds)}", where=where
            )
        count = _count(row, line, kinds, where)
        _check(count, network, turns, where)
        key = count.start_edge, count.end_edge, count.begin, count.end
        if key in found:
            raise InputError(f"the same turn and time stand in line {found[key].line}", where=where)
        for other in found.values():
            if (other.begin, other.end) != (count.begin, count.end) and (
                other.begin < count.end and count.begin < other.end
            ):
                raise InputError(
                    f"{time_text(count.begin)}-{time_text(count.end)} overlaps the time of line {other.line}",
                    where=where,
                    remedy="give the same intervals everywhere",
                )
        found[key] = count
    if not found:
        raise InputError("no row has a count", where=str(path), remedy="fill in the last columns")
    return tuple(found.values())


def _columns(head: list[str], types: tuple[str, ...], path: Path) -> tuple[str, ...]:
    """Return the vehicle types of the columns after the fixed ones."""
    where = f"{path}, line 1"
    if tuple(head[: len(FIXED)]) != FIXED:
        raise InputError(
            "it does not begin with the columns " + ", ".join(FIXED),
            where=where,
            remedy="fill in what 'denxanh counts PLACE' writes",
        )
    kinds = tuple(name.strip() for name in head[len(FIXED) :])
    for kind in kinds:
        if kind not in types:
            raise InputError(
                f"the place has no vehicle type {kind!r}",
                where=where,
                remedy="choose from " + ", ".join(types),
            )
    if len(set(kinds)) < len(kinds) or not kinds:
        raise InputError("the columns of types are missing or stand twice", where=where)
    return kinds


def _count(row: list[str], line: int, kinds: tuple[str, ...], where: str) -> Count:
    """Return one row as a count."""
    _, _, _, start, end, begin, until = (cell.strip() for cell in row[: len(FIXED)])
    vehicles: dict[str, int] = {}
    for kind, cell in zip(kinds, row[len(FIXED) :], strict=True):
        if not cell.strip():
            continue
        if not (cell.strip().isascii() and cell.strip().isdecimal()):
            raise InputError(f"{kind} is {cell!r}", where=where, remedy="write a whole number of vehicles")
        vehicles[kind] = int(cell)
    return Count(line, start, end, clock(begin, where), clock(until, where), vehicles)


def _check(count: Count, network: Network, turns: set[tuple[str, str]], where: str) -> None:
    """Refuse a row that the network cannot have."""
    for edge in filter(None, (count.start_edge, count.end_edge)):
        if edge not in network.edges:
            raise InputError(f"there is no edge {edge!r}", where=where)
    if not count.start_edge:
        raise InputError("the column 'from' is empty", where=where)
    if count.end_edge and (count.start_edge, count.end_edge) not in turns:
        raise InputError(f"no signal has the turn from {count.start_edge} to {count.end_edge}", where=where)
    if count.begin >= count.end:
        raise InputError(
            f"it ends at {time_text(count.end)}, not after {time_text(count.begin)}", where=where
        )
