"""Traffic counts as a CSV file or a workbook: a form to fill in, and its reader.

Each row is a turn at a signal (``from`` and ``to`` are edges) or an approach (``to`` empty) in one interval; each
column that is none of HEAD is a vehicle type. Rows whose counts are all empty are skipped.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from denxanh.networks.counts.count_workbook import SUFFIX, read_workbook, write_workbook
from denxanh.networks.place.hours import parse_clock, time_text
from denxanh.sim.errors import InputError
from denxanh.sim.input.limits import COUNT, check_number, whole_number
from denxanh.sim.input.text_files import csv_row, csv_text, read_csv
from denxanh.sim.movements import bound_of, comes_from
from denxanh.sim.network import Network

NEEDED = ("from", "to", "begin", "end")
HEAD = ("signal", "street", "comes_from", "turn", *NEEDED)
"""The columns before the vehicle types; those that are not NEEDED are for who fills in the form."""
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


def form_rows(
    network: Network, types: Iterable[str], begin: float, end: float, every: float | None = None
) -> list[list[str]]:
    """The rows of an empty form, its head first: for each signal its approaches, then its turns, interval by interval.

    ``begin`` and ``end`` in s since midnight; ``every`` is the length of an interval in s, one interval without it.
    ``comes_from`` is the compass point that traffic comes from. Raises InputError for an interval that is not made of
    minutes.
    """
    types = tuple(types)
    rows = [[*HEAD, *types]]
    step = every or end - begin
    if every and every % 60:
        raise InputError(f"--every is {every:g} s", remedy="give whole minutes, as 15min")
    starts = [begin + k * step for k in range(math.ceil((end - begin) / step))]
    for id, intersection in sorted(network.intersections.items()):
        turns = [
            (network.edges[m.start].name, m.start, TURNS.get(m.direction, ""), m.end)
            for m in intersection.movements
        ]
        approaches = sorted({(street, start, "all", "") for street, start, _, _ in turns})
        for street, start, turn, target in (*approaches, *sorted(turns)):
            side = comes_from(bound_of(network, start))
            for from_time in starts:
                times = (time_text(from_time), time_text(min(end, from_time + step)))
                rows.append([id, street, side, turn, start, target, *times, *("" for _ in types)])
    return rows


def write_form(path: Path, rows: Sequence[Sequence[str]], separator: str = ",") -> None:
    """Write the rows of a form: a workbook where the name ends in .xlsx, otherwise a CSV with ``separator``."""
    if path.suffix.lower() == SUFFIX:
        write_workbook(path, rows)
        return
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n", delimiter=separator)
    writer.writerows(csv_row(row) for row in rows)
    path.write_text(out.getvalue(), encoding="utf-8-sig", newline="\n")


def read(path: Path, network: Network, types: Iterable[str]) -> tuple[Count, ...]:
    """Return the counted rows of a filled form, whatever the order of its columns.

    Raises:
        InputError: with file and line, for unknown edges or types, impossible turns, cells that are not numbers,
            intervals that overlap without being equal, and rows given twice.
    """
    rows = read_workbook(path) if path.suffix.lower() == SUFFIX else read_csv(path, kind="count form")
    columns = _columns(rows[0] if rows else [], tuple(types), path)
    turns = {(m.start, m.end) for i in network.intersections.values() for m in i.movements}
    found: dict[tuple[str, str, int, int], Count] = {}
    for line, row in enumerate(rows[1:], start=2):
        location = f"{path}, line {line}"
        beyond = any(cell.strip() for cell in row[len(columns) :])
        counted = any(row[k].strip() for name, k in columns.items() if name not in HEAD and k < len(row))
        if not counted and not beyond:
            continue
        if beyond or len(row) < len(columns):
            raise InputError(f"it has {len(row)} cells, the first line has {len(columns)}", location=location)
        count = _count(row, line, columns, location)
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


def _columns(head: list[str], types: tuple[str, ...], path: Path) -> dict[str, int]:
    """The place of each column by its name: those of HEAD that are there, and vehicle types."""
    location = f"{path}, line 1"
    names = [csv_text(cell) for cell in head]
    while names and not names[-1]:  # spreadsheets write empty columns behind the last
        names.pop()
    for name in names:
        if name not in HEAD and name not in types:
            raise InputError(
                f"{name!r} is neither a vehicle type of the place nor a column of the form",
                location=location,
                remedy=f"vehicle types: {', '.join(types)}; columns: {', '.join(HEAD)}",
            )
        if names.count(name) > 1:
            raise InputError(f"the column {name!r} is given twice", location=location, remedy="keep one")
    for name in NEEDED:
        if name not in names:
            raise InputError(
                f"there is no column {name!r}",
                location=location,
                remedy="fill in what 'denxanh counts PLACE' writes",
            )
    if set(names) <= set(HEAD):
        raise InputError(
            "there is no column of a vehicle type",
            location=location,
            remedy="give one or more of " + ", ".join(types),
        )
    return {name: number for number, name in enumerate(names)}


def _count(row: list[str], line: int, columns: Mapping[str, int], location: str) -> Count:
    """Return one row as a count."""
    start, end, begin, until = (csv_text(row[columns[name]]) for name in NEEDED)
    vehicles: dict[str, int] = {}
    for kind, place in columns.items():
        cell = row[place]
        if kind in HEAD or not cell.strip():
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
