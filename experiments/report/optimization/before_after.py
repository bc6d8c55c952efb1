"""The before-and-after table of two plans: values, change and its confidence interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from denxanh.experiments.report.text_format import html_table, interval_text
from denxanh.sim.language.text import Text, decimals, number, same, unit


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
    """The table as HTML; the change in percent only where the value before is not zero."""
    return html_table(_HEADINGS, [_cells(change) for change in changes])


def _cells(change: Change) -> list[Text]:
    places = decimals([change.before, change.after])
    moved = number(change.difference, places, signed=True)
    if change.before:
        share = 100 * change.difference / abs(change.before)
        moved = moved + " (" + number(share, 1, signed=True) + " %)"
    interval = interval_text(change.low, change.high, places, signed=True)
    return [
        change.name,
        unit(change.unit),
        number(change.before, places),
        number(change.after, places),
        moved,
        interval if interval.en else same("–"),
    ]
