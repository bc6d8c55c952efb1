"""Texts and tables that several parts of a report write in the same form."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from denxanh.experiments.report.drawing.svg import tag
from denxanh.sim.language.text import Text, number, same


def interval_text(low: float | None, high: float | None, decimals: int, *, signed: bool = False) -> Text:
    """An interval as ``[low … high]``; empty if an end is unknown."""
    if low is None or high is None:
        return same("")
    return "[" + number(low, decimals, signed=signed) + " … " + number(high, decimals, signed=signed) + "]"


def html_table(heads: Sequence[Text], rows: Sequence[Sequence[Text]]) -> Markup:
    """An HTML table; the first cell of each row is its name."""
    head = tag("tr", *(tag("th", _html(text)) for text in heads))
    body = [
        tag("tr", tag("th", _html(row[0])), *(tag("td", _html(cell)) for cell in row[1:])) for row in rows
    ]
    return tag("table", tag("thead", head), tag("tbody", *body))


def _html(text: Text) -> Markup:
    return Markup(text.__html__())  # escaped by Text
