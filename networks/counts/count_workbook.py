"""The form for counts as a workbook (XLSX), and the rows of a filled one."""

from __future__ import annotations

import datetime
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.styles import Font
from openpyxl.utils.exceptions import InvalidFileException

from denxanh.sim.errors import InputError

SUFFIX = ".xlsx"
_WIDEST = 40  # characters of a column


def write_workbook(path: Path, rows: Sequence[Sequence[str]]) -> None:
    """Write the rows of a form, every cell as text, the head in bold and always in view."""
    book = Workbook()
    sheet: Any = book.active
    sheet.title = "counts"
    for number, row in enumerate(rows, 1):
        for column, value in enumerate(row, 1):
            cell = sheet.cell(number, column, value)
            cell.data_type = "s"  # no text is computed as a formula
            cell.font = Font(bold=number == 1)
    for column, cells in enumerate(zip(*rows, strict=True), 1):
        letter = sheet.cell(1, column).column_letter
        sheet.column_dimensions[letter].width = min(_WIDEST, max(map(len, cells)) + 2)
    sheet.freeze_panes = "A2"
    book.save(path)


def read_workbook(path: Path) -> list[list[str]]:
    """The rows of the first worksheet as text; a cell that a formula fills has the value that was saved with it.

    Raises InputError.
    """
    try:
        book = load_workbook(path, read_only=True, data_only=True)
        try:
            return [[_text(value) for value in row] for row in book.worksheets[0].iter_rows(values_only=True)]
        finally:
            book.close()
    except (OSError, InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, IndexError) as error:
        what = getattr(error, "strerror", None) or "it is no workbook"
        raise InputError(
            f"the count form cannot be read ({what})",
            location=str(path),
            remedy="save it as XLSX, or as CSV in UTF-8",
        ) from None


def _text(value: object) -> str:
    """A cell as the CSV has it: whole numbers without a point, times of day as 07:30."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime.time | datetime.datetime):
        return f"{value:%H:%M}"
    if isinstance(value, datetime.timedelta):  # 24:00
        minutes = round(value.total_seconds() / 60)
        return f"{minutes // 60:02}:{minutes % 60:02}"
    return str(value)
