"""Tables as text: CSV with ``;``, ``,`` or tabs, decimal point or comma, with or without a byte-order mark."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from denxanh.networks.place.names import slug
from denxanh.sim.errors import InputError
from denxanh.sim.input.limits import SECONDS, check_number
from denxanh.sim.input.text_files import csv_row, csv_text, read_csv

_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)")


@dataclass(frozen=True)
class TableRow:
    """A row of a table by the heads of its columns, and the line that it stands on."""

    cells: Mapping[str, str]
    location: str

    def text(self, name: str) -> str:
        """The text of a column, "" where there is none."""
        return self.cells.get(name, "")

    def number(self, name: str, *, missing: float | None = None, least: float = -SECONDS) -> float:
        """The number of a column. Raises InputError."""
        text = self.text(name)
        if not text and missing is not None:
            return missing
        return number_of(text, name, location=self.location, least=least)


def number_of(text: str, name: str, *, location: str, least: float = -SECONDS) -> float:
    """A number with decimal point or comma. Raises InputError."""
    if not _NUMBER.fullmatch(text):
        raise InputError(
            f"{name} is {text[:40]!r}, not a number", location=location, remedy="write seconds, as 12 or 3,5"
        )
    return check_number(float(text.replace(",", ".")), SECONDS, name, location=location, least=least)


def head_name(head: str) -> str:
    """The name of a column: "Mã nút", "ma_nut" and "MA NUT" are all ``ma_nut``."""
    return slug(head).replace("-", "_")


def read_table(path: Path, *, kind: str, required: Sequence[str]) -> list[TableRow]:
    """The rows of a table with a head, without empty ones. Raises InputError."""
    lines = read_csv(path, kind=kind)
    heads = [head_name(csv_text(cell)) for cell in lines[0]] if lines else []
    missing = [name for name in required if name not in heads]
    if missing:
        raise InputError(
            f"the {kind} has no column {missing[0]!r}",
            location=str(path),
            remedy=f"give the columns {', '.join(required)}",
        )
    twice = next((name for k, name in enumerate(heads) if name and name in heads[:k]), None)
    if twice is not None:
        raise InputError(f"the column {twice!r} stands twice", location=str(path), remedy="keep one")
    return [
        TableRow(dict(zip(heads, map(csv_text, cells), strict=False)), f"{path}, row {number}")
        for number, cells in enumerate(lines[1:], 2)
        if any(cell.strip() for cell in cells)
    ]


def table_text(
    heads: Sequence[str], rows: Iterable[Sequence[object]], *, separator: str = ",", comma: bool = False
) -> str:
    """A CSV; ``comma``: numbers have a decimal comma. Texts that a spreadsheet runs as formulas are guarded."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=separator, lineterminator="\n")
    writer.writerow(heads)
    for row in rows:
        writer.writerow(csv_row([_written(value, comma) for value in row]))
    return out.getvalue()


def _written(value: object, comma: bool) -> object:
    if isinstance(value, float):
        text = f"{value:.10g}"
        return text.replace(".", ",") if comma else text
    return value
