"""The timing sheet as a PDF: A4 pages of vector graphics with embedded fonts, in one language."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import matplotlib
from matplotlib.backends.backend_pdf import PdfPages

from denxanh.experiments.sheet.sheet_content import TITLE, PlanPart, SignalSheet, Table
from denxanh.experiments.sheet.sheet_drawing import (
    BLACK,
    GREY,
    HEIGHT,
    LINE,
    MARGIN,
    WIDTH,
    Language,
    Page,
    draw_table,
    shortened,
    table_height,
    text_width,
    words,
)
from denxanh.experiments.sheet.sheet_sketch import draw_sketch
from denxanh.sim.language.text import Text
from denxanh.sim.network import Network

BOTTOM = HEIGHT - MARGIN - 6.0
COLOURS = {"G": "#009e73", "g": "#7fceb9", "y": "#f0c800", "Y": "#f0c800", "u": "#e69f00"}
SKETCH = 92.0  # mm
_SIGNED = (
    Text("Prepared by", "Người lập"),
    Text("Checked by", "Người kiểm tra"),
    Text("Approved by", "Người duyệt"),
    Text("Installed by, date and time", "Người cài đặt, ngày giờ"),
)


def write_pages(path: Path, network: Network, sheets: Sequence[SignalSheet], language: Language) -> int:
    """Write the PDF; returns the number of its pages."""
    pages = sheet_pages(network, sheets, language)
    with matplotlib.rc_context({"pdf.fonttype": 42, "pdf.compression": 9}), PdfPages(
        path, metadata={"Title": words(TITLE, language), "Creator": "denxanh", "CreationDate": None}
    ) as file:  # fmt: skip
        for page in pages:
            file.savefig(page.figure)
    return len(pages)


def sheet_pages(network: Network, sheets: Sequence[SignalSheet], language: Language) -> list[Page]:
    """The pages of all signals, numbered."""
    pages = [page for sheet in sheets for page in _signal_pages(network, sheet, language)]
    word = "Trang" if language == "vi" else "Page"
    for number, page in enumerate(pages, 1):
        page.text(
            WIDTH - MARGIN, HEIGHT - MARGIN, f"{word} {number}/{len(pages)}", 7.0, colour=GREY, across="right"
        )
    return pages


def _signal_pages(network: Network, sheet: SignalSheet, language: Language) -> Iterator[Page]:
    """The pages of one signal."""
    page = _new_page(sheet, language)
    _facts(page, sheet)
    draw_sketch(page, network, sheet.intersection, sheet.groups, MARGIN, page.y, WIDTH - 2 * MARGIN, SKETCH)
    page.y += SKETCH
    flow: list[Table | PlanPart] = [sheet.group_table]
    for part in sheet.parts:
        flow += [part, part.stages, part.groups]
    flow += [sheet.matrix, *([sheet.pedestrians] if sheet.pedestrians else []), sheet.day]
    for element in flow:
        if isinstance(element, PlanPart):
            height = 16.0 + 4.2 * len(sheet.groups)
            if page.y + min(height, BOTTOM - 40) > BOTTOM:
                yield page
                page = _new_page(sheet, language)
            _diagram(page, sheet, element)
            continue
        row = 0
        while row < len(element.rows):
            if page.y + table_height(element, language, rows=min(2, len(element.rows))) > BOTTOM or (
                row == 0 and page.y > 60 and BOTTOM - 40 > table_height(element, language) > BOTTOM - page.y
            ):
                yield page
                page = _new_page(sheet, language)
            row = draw_table(page, element, start=row, bottom=BOTTOM - 4.0 * len(element.notes))
    if page.y + 42 + 4 * len(sheet.notes) > BOTTOM:
        yield page
        page = _new_page(sheet, language)
    page.heading("Ghi chú" if language == "vi" else "Notes")
    for note in sheet.notes:
        page.paragraph(words(note, language), 7.0, colour=BLACK)
    _signatures(page, max(page.y + 3, BOTTOM - 27))
    yield page


def _new_page(sheet: SignalSheet, language: Language) -> Page:
    page = Page(language)
    page.text(MARGIN, page.y, words(TITLE, language), 11.0, bold=True)
    page.y += 6.0
    page.text(
        MARGIN, page.y, shortened(sheet.name, 10.0, WIDTH - 2 * MARGIN - 45, bold=True), 10.0, bold=True
    )
    page.text(WIDTH - MARGIN, page.y, shortened(sheet.id, 8.0, 42), 8.0, colour=GREY, across="right")
    page.y += 3.5
    page.line(MARGIN, page.y, WIDTH - MARGIN, page.y, width=1.0, colour=BLACK)
    page.y += 1.0
    return page


def _facts(page: Page, sheet: SignalSheet) -> None:
    """Labels with their values in two columns."""
    facts = sheet.facts[1:]
    column = (WIDTH - 2 * MARGIN) / 2
    for k, (label, value) in enumerate(facts):
        x, y = MARGIN + column * (k % 2), page.y + 4.0 + 4.6 * (k // 2)
        name = words(label, page.language) + ":"
        page.text(x, y, name, 8.0, colour=GREY)
        left = text_width(name, 8.0) + 2.0
        page.text(
            x + left,
            y,
            shortened(words(value, page.language), 8.0, column - left - 2, bold=True),
            8.0,
            bold=True,
        )
    page.y += 4.0 + 4.6 * math.ceil(len(facts) / 2)


def _diagram(page: Page, sheet: SignalSheet, part: PlanPart) -> None:
    """Signal plan: a row a group over the seconds of the cycle."""
    page.heading(words(part.title, page.language))
    timing = part.timing
    left, right = MARGIN + 14.0, WIDTH - MARGIN - 4.0
    scale = (right - left) / timing.cycle
    page.y += 3.0
    top = page.y
    row = min(4.2, (BOTTOM - 16 - top) / max(1, len(sheet.groups)))
    for number, start in enumerate(timing.starts(), 1):
        x = left + start * scale
        page.text(
            x + 0.5, top - 1.6, f"{'pha' if page.language == 'vi' else 'stage'} {number}", 6.0, colour=GREY
        )
    bottom = top + row * len(sheet.groups)
    step = next(s for s in (5, 10, 20, 30, 60, 120, 300) if s * scale >= 8 or s == 300)
    page.line(left, bottom, right, bottom, width=0.6)
    for mark in range(0, math.floor(timing.cycle) + 1, step):
        x = left + mark * scale
        page.line(x, top, x, bottom + 1.0, width=0.3)
        page.text(x, bottom + 2.6, str(mark), 6.0, colour=GREY, across="center")
    for k, group in enumerate(sheet.groups):
        y = top + k * row
        page.text(left - 1.5, y + row / 2, group.name, min(7.0, row * 1.7), across="right")
        position = 0.0
        page.line(left, y + row / 2, right, y + row / 2, width=0.6, colour="#c0392b")
        for letter, seconds in group.letters(timing):
            if letter in COLOURS:
                page.box(left + position * scale, y + row * 0.15, seconds * scale, row * 0.7,
                         fill=COLOURS[letter], edge=None)  # fmt: skip
            position += seconds
    for start in timing.starts():
        page.line(left + start * scale, top - 2.5, left + start * scale, bottom, width=0.7, colour=BLACK)
    page.text(right + 3.0, bottom + 2.6, "s", 6.0, colour=GREY)
    page.y = bottom + 5.0
    _legend(page, {letter for group in sheet.groups for letter, _ in group.letters(timing)})


def _legend(page: Page, letters: set[str]) -> None:
    """The colours of the diagram; of ``g`` where a group shows nothing else."""
    names = (
        ("G", Text("green", "xanh")), ("g", Text("green, gives way", "xanh, nhường đường")),
        ("y", Text("yellow", "vàng")), ("r", Text("red", "đỏ")),
    )  # fmt: skip
    x = MARGIN + 14.0
    for letter, name in names:
        if letter == "g" and "g" not in letters:
            continue
        if letter == "r":
            page.line(x, page.y, x + 5, page.y, width=0.6, colour="#c0392b")
        else:
            page.box(x, page.y - 1.2, 5.0, 2.4, fill=COLOURS[letter], edge=None)
        text = words(name, page.language)
        page.text(x + 6.5, page.y, text, 6.5)
        x += 12.0 + text_width(text, 6.5)
    page.y += 2.0


def _signatures(page: Page, y: float) -> None:
    width = (WIDTH - 2 * MARGIN) / len(_SIGNED)
    for k, label in enumerate(_SIGNED):
        page.box(MARGIN + k * width, y, width, 26.0, edge=LINE)
        page.text(MARGIN + (k + 0.5) * width, y + 3.0, words(label, page.language), 7.0, across="center")
