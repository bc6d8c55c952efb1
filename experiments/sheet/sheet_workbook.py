"""The timing sheet as a workbook: a list of the signals, and for each one a worksheet with its tables as numbers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side

from denxanh.experiments.sheet.sheet_content import TITLE, Cell, SignalSheet, Table
from denxanh.experiments.sheet.sheet_drawing import Language, words
from denxanh.sim.language.text import Text

_THIN = Border(*(Side(style="thin", color="888888"),) * 4)
_HEAD = PatternFill("solid", fgColor="EEEEEE")
_FORBIDDEN = str.maketrans(dict.fromkeys("[]:*?/\\'", " "))
_LONGEST_SHEET_NAME = 31


def write_workbook(path: Path, sheets: Sequence[SignalSheet], language: Language) -> None:
    """Write the XLSX. Every text is stored as text, so that none is computed as a formula."""
    book = Workbook()
    index: Any = book.active
    index.title = "Danh sách" if language == "vi" else "Signals"
    _write(index, 1, 1, TITLE, language, bold=True)
    heads = (Text("no.", "stt"), *(label for label, _ in sheets[0].facts)) if sheets else ()
    for column, head in enumerate(heads, 1):
        _write(index, 3, column, head, language, head=True)
    names: dict[str, int] = {index.title.casefold(): 1}
    for row, sheet in enumerate(sheets, 4):
        _write(index, row, 1, float(sheet.number), language)
        for column, (_, value) in enumerate(sheet.facts, 2):
            _write(index, row, column, value, language)
        _signal(book.create_sheet(_sheet_name(sheet, names)), sheet, language)
    _widths(index, [6, 40, 24, 24, 14, 24, 24, 14])
    book.save(path)


def _sheet_name(sheet: SignalSheet, taken: dict[str, int]) -> str:
    """A name of a worksheet: the number and the code of the signal."""
    name = f"{sheet.number} {sheet.id.translate(_FORBIDDEN)}"
    kept = "".join(c for c in name if c.isprintable())[:_LONGEST_SHEET_NAME].strip()
    assert kept.casefold() not in taken  # numbers differ
    taken[kept.casefold()] = 1
    return kept


def _signal(book_sheet: Any, sheet: SignalSheet, language: Language) -> None:
    _write(book_sheet, 1, 1, TITLE, language, bold=True)
    row = 2
    for label, value in sheet.facts:
        _write(book_sheet, row, 1, label, language)
        _write(book_sheet, row, 3, value, language, bold=True)
        row += 1
    tables = [sheet.group_table]
    for part in sheet.parts:
        tables += [part.stages, part.groups]
    tables += [sheet.matrix, *([sheet.pedestrians] if sheet.pedestrians else []), sheet.day]
    titles = {id(part.stages): part.title for part in sheet.parts}
    for table in tables:
        row += 1
        if id(table) in titles:
            _write(book_sheet, row, 1, titles[id(table)], language, bold=True)
            row += 1
        row = _table(book_sheet, row, table, language)
    row += 1
    for note in sheet.notes:
        _write(book_sheet, row, 1, note, language)
        row += 1
    row += 1
    for column, label in enumerate(
        (Text("Prepared by", "Người lập"), Text("Checked by", "Người kiểm tra"),
         Text("Approved by", "Người duyệt"), Text("Installed by, date and time", "Người cài đặt, ngày giờ"))
    ):  # fmt: skip
        _write(book_sheet, row, 1 + 2 * column, label, language)
    _widths(book_sheet, [12, 44, 14, 14, 14, 12, 14, 16, 14])
    book_sheet.page_setup.paperSize = book_sheet.PAPERSIZE_A4
    book_sheet.page_setup.fitToWidth, book_sheet.page_setup.fitToHeight = 1, 0
    book_sheet.sheet_properties.pageSetUpPr.fitToPage = True


def _table(sheet: Any, row: int, table: Table, language: Language) -> int:
    """Write a table from ``row`` on; returns the row below it."""
    _write(sheet, row, 1, table.title, language, bold=True)
    row += 1
    for column, head in enumerate(table.columns, 1):
        _write(sheet, row, column, head.head, language, head=True)
    for cells in table.rows:
        row += 1
        for column, cell in enumerate(cells, 1):
            _write(sheet, row, column, cell, language, framed=True)
    for note in table.notes:
        row += 1
        _write(sheet, row, 1, note, language)
    return row + 1


def _write(
    sheet: Any, row: int, column: int, value: Cell, language: Language,
    *, bold: bool = False, head: bool = False, framed: bool = False,
) -> None:  # fmt: skip
    cell = sheet.cell(row=row, column=column)
    if isinstance(value, Text):
        cell.value = words(value, language)
        cell.data_type = "s"  # else a text that begins with "=" is a formula
    elif value is not None:
        cell.value = int(value) if float(value).is_integer() else round(float(value), 3)
    if bold or head:
        cell.font = Font(bold=True)
    if head:
        cell.fill = _HEAD
        cell.alignment = Alignment(wrap_text=True, vertical="center", horizontal="center")
    if head or framed:
        cell.border = _THIN


def _widths(sheet: Any, widths: Sequence[float]) -> None:
    for number, width in enumerate(widths):
        sheet.column_dimensions["ABCDEFGHIJKLMNOP"[number]].width = width
