"""A table of two plans side by side: before, after, the change and how sure it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from experiments.report.svg import tag
from sim.text import Text, decimals, number, same, unit


@dataclass(frozen=True)
class Change:
    """One quantity; ``low`` and ``high`` are the 95 % interval of the paired difference, None if unknown."""

    name: Text
    unit: str
    before: float
    after: float
    low: float | None = None
    high: float | None = None

    @property
    def difference(self) -> float:
        """After minus before."""
        return self.after - self.before


_HEADINGS = (
    Text("Measure", "Chỉ tiêu"),
    Text("Unit", "Đơn vị"),
    Text("Before", "Trước"),
    Text("After", "Sau"),
    Text("Change", "Thay đổi"),
    Text("95 % interval", "khoảng tin cậy 95 %"),
)


def before_after(changes: Sequence[Change]) -> Markup:
    """The table as HTML, for the report's page; a percentage only where there was something before."""
    head = tag("tr", *(tag("th", _html(text)) for text in _HEADINGS))
    body = [tag("tr", *_cells(change)) for change in changes]
    return tag("table", tag("thead", head), tag("tbody", *body))


def _cells(change: Change) -> list[Markup]:
    places = decimals([change.before, change.after])
    moved = number(change.difference, places, signed=True)
    if change.before:
        share = 100 * change.difference / abs(change.before)
        moved = moved + " (" + number(share, 1, signed=True) + " %)"
    interval = same("–")
    if change.low is not None and change.high is not None:
        ends = [number(end, places, signed=True) for end in (change.low, change.high)]
        interval = "[" + ends[0] + " … " + ends[1] + "]"
    texts = (
        unit(change.unit),
        number(change.before, places),
        number(change.after, places),
        moved,
        interval,
    )
    return [tag("th", _html(change.name)), *(tag("td", _html(text)) for text in texts)]


def _html(text: Text) -> Markup:
    return Markup(text.__html__())  # escaped by Text
