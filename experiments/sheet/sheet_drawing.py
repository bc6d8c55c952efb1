"""A4 pages drawn in millimetres from the upper left corner: texts are measured, wrapped and never read as markup."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Literal

from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.ft2font import LoadFlags
from matplotlib.lines import Line2D
from matplotlib.patches import Polygon, Rectangle
from matplotlib.text import Text as Label

from denxanh.experiments.sheet.sheet_content import Table
from denxanh.sim.language.text import Text

Language = Literal["en", "vi"]
WIDTH, HEIGHT, MARGIN = 210.0, 297.0, 12.0  # mm
FAMILY = "DejaVu Sans"  # part of matplotlib; has all letters of Vietnamese
POINT = 25.4 / 72  # mm
LETTERS = 7.4  # points, the size of letters in a table with room for them
BLACK, GREY, PALE, LINE = "#000000", "#555555", "#eeeeee", "#888888"
_MEASURED = 64.0  # points, the size at which widths are measured


def words(text: Text, language: Language) -> str:
    """The text in one language."""
    return text.vi if language == "vi" else text.en


@lru_cache(maxsize=4)
def _font(bold: bool) -> Any:
    return get_font(findfont(FontProperties(family=FAMILY, weight="bold" if bold else "normal")))


def printable(text: str) -> str:
    """The text with a question mark for each letter that the font does not have."""
    font = _font(False)
    return "".join(letter if font.get_char_index(ord(letter)) else "?" for letter in text)


@lru_cache(maxsize=4096)
def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """Width of a text of ``size`` points, mm."""
    font = _font(bold)
    font.set_size(_MEASURED, 72)
    font.set_text(printable(text), 0.0, flags=LoadFlags.NO_HINTING)
    return float(font.get_width_height()[0]) / 64 * POINT * size / _MEASURED


def shortened(text: str, size: float, room: float, *, bold: bool = False) -> str:
    """The text, cut with an ellipsis where it is wider than ``room`` mm."""
    if text_width(text, size, bold=bold) <= room:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if text_width(text[:middle].rstrip() + "…", size, bold=bold) <= room:
            low = middle
        else:
            high = middle - 1
    return text[:low].rstrip() + "…"


def wrapped(text: str, size: float, room: float, *, most: int = 20, bold: bool = False) -> list[str]:
    """The lines of a text in ``room`` mm; words that are wider are cut, and lines beyond ``most``."""
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        longer = f"{line} {word}" if line else word
        if text_width(longer, size, bold=bold) <= room:
            line = longer
            continue
        if line:
            lines.append(line)
        line = shortened(word, size, room, bold=bold)
    lines = [*lines, line]
    if len(lines) > most:
        lines = [*lines[: most - 1], shortened(" ".join(lines[most - 1 :]), size, room, bold=bold)]
    return lines


class Page:
    """One A4 page; ``y`` is the position of the next element, mm from the top."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self.figure = Figure(figsize=(WIDTH / 25.4, HEIGHT / 25.4))
        self.axes = self.figure.add_axes((0.0, 0.0, 1.0, 1.0))
        self.axes.set_xlim(0, WIDTH)
        self.axes.set_ylim(HEIGHT, 0)
        self.axes.set_axis_off()
        self.labels: list[Label] = []
        self.y = MARGIN
        self._drawn = 0

    def _next(self) -> int:
        """The order of drawing: what comes later covers what came before."""
        self._drawn += 1
        return self._drawn

    def text(
        self, x: float, y: float, text: str, size: float = 8.0, *, bold: bool = False, colour: str = BLACK,
        across: Literal["left", "center", "right"] = "left", rotation: float = 0.0,
    ) -> None:  # fmt: skip
        """A line of text with the middle of its height at ``y``."""
        label = self.axes.text(
            x, y, printable(text), fontsize=size, color=colour, ha=across, va="center_baseline",
            fontfamily=FAMILY, fontweight="bold" if bold else "normal", rotation=rotation,
            rotation_mode="anchor", parse_math=False, zorder=self._next(),
        )  # fmt: skip
        self.labels.append(label)

    def line(
        self, x0: float, y0: float, x1: float, y1: float, *, width: float = 0.5, colour: str = LINE
    ) -> None:
        """A straight line, ``width`` in points."""
        self.axes.add_line(Line2D([x0, x1], [y0, y1], linewidth=width, color=colour, zorder=self._next()))

    def box(
        self, x: float, y: float, width: float, height: float, *, fill: str | None = None,
        edge: str | None = LINE,
    ) -> None:  # fmt: skip
        """A rectangle from its upper left corner."""
        self.axes.add_patch(
            Rectangle((x, y), width, height, facecolor=fill or "none", edgecolor=edge or "none",
                      linewidth=0.5 if edge else 0.0, zorder=self._next())
        )  # fmt: skip

    def polygon(self, points: list[tuple[float, float]], *, fill: str, edge: str | None = None) -> None:
        """A filled polygon."""
        self.axes.add_patch(
            Polygon(
                points,
                closed=True,
                facecolor=fill,
                edgecolor=edge or "none",
                linewidth=0.4,
                zorder=self._next(),
            )
        )

    def paragraph(
        self, text: str, size: float = 7.0, *, room: float = WIDTH - 2 * MARGIN, colour: str = GREY
    ) -> None:
        """Wrapped lines below what is there."""
        for line in wrapped(text, size, room):
            self.y += size * POINT * 0.75
            self.text(MARGIN, self.y, line, size, colour=colour)
            self.y += size * POINT * 0.65

    def heading(self, text: str) -> None:
        """The title of a section."""
        self.y += 4.5
        for line in wrapped(text, 9.0, WIDTH - 2 * MARGIN, most=2, bold=True):
            self.text(MARGIN, self.y, line, 9.0, bold=True)
            self.y += 4.0
        self.y -= 0.8


def cell_text(cell: Text | float | None, language: Language) -> str:
    """A cell as it is printed."""
    from denxanh.experiments.sheet.sheet_content import digits

    if cell is None:
        return ""
    return words(cell if isinstance(cell, Text) else digits(cell), language)


@lru_cache(maxsize=256)
def _layout(table: Table, language: Language) -> tuple[float, tuple[float, ...], tuple[tuple[str, ...], ...]]:
    """Size of its letters, widths of the columns (mm), and the lines of its heads."""
    total = sum(column.width for column in table.columns)
    room = min(WIDTH - 2 * MARGIN, 22.0 * total)
    widths = tuple(room * column.width / total for column in table.columns)
    size = LETTERS if min(widths) >= 9 else max(3.5, LETTERS * min(widths) / 9)
    heads = tuple(
        tuple(wrapped(words(column.head, language), size - 0.5, width - 1.6, most=3))
        for column, width in zip(table.columns, widths, strict=True)
    )
    return size, widths, heads


def table_height(table: Table, language: Language, rows: int | None = None) -> float:
    """Height of a table with its title, head and notes, mm; of its first ``rows``."""
    size, widths, heads = _layout(table, language)
    lines = [_row_lines(table, row, size, widths, language) for row in table.rows[:rows]]
    body = sum(_row_height(size, line) for line in lines)
    return 12.0 + max(map(len, heads)) * size * POINT * 1.3 + body + 4.0 * len(table.notes)


def _row_lines(
    table: Table,
    row: tuple[Text | float | None, ...],
    size: float,
    widths: tuple[float, ...],
    language: Language,
) -> list[list[str]]:
    return [
        wrapped(cell_text(cell, language), size, width - 1.6, most=3)
        for cell, width in zip(row, widths, strict=True)
    ]


def _row_height(size: float, lines: list[list[str]]) -> float:
    return size * POINT * (0.75 + 1.25 * max(map(len, lines)))


def draw_table(page: Page, table: Table, *, start: int = 0, bottom: float = HEIGHT - MARGIN) -> int:
    """Draw a table from row ``start`` on, as far as the page reaches; returns the first row that is not drawn."""
    language = page.language
    size, widths, heads = _layout(table, language)
    page.heading(words(table.title, language) + (" …" if start else ""))
    lead = size * POINT * 1.25
    height = max(map(len, heads)) * lead + size * POINT * 0.6
    x = MARGIN
    for width, head in zip(widths, heads, strict=True):
        page.box(x, page.y, width, height, fill=PALE)
        top = page.y + height / 2 - (len(head) - 1) * lead / 2
        for k, line in enumerate(head):
            page.text(x + width / 2, top + k * lead, line, size - 0.5, across="center")
        x += width
    page.y += height
    for number, row in enumerate(table.rows[start:], start):
        lines_of = _row_lines(table, row, size, widths, language)
        height = _row_height(size, lines_of)
        if page.y + height > bottom:
            return number
        x = MARGIN
        for column, width, lines in zip(table.columns, widths, lines_of, strict=True):
            page.box(x, page.y, width, height)
            top = page.y + height / 2 - (len(lines) - 1) * lead / 2
            for k, line in enumerate(lines):
                if column.left:
                    page.text(x + 0.8, top + k * lead, line, size)
                else:
                    page.text(x + width / 2, top + k * lead, line, size, across="center")
            x += width
        page.y += height
    page.y += 1.0
    for note in table.notes:
        page.paragraph(words(note, language), 6.5)
    return len(table.rows)
