"""SummaryRow: one metric of one controller over its runs at one place, and its difference to the baseline."""

from __future__ import annotations

from dataclasses import dataclass

from denxanh.experiments.results.gains import Gain
from denxanh.experiments.runs.run_row import place_label
from denxanh.sim.language.text import Text


@dataclass(frozen=True)
class SummaryRow:
    """Mean and difference in the metric's unit; intervals of 95 %.

    ``diff`` is the mean paired difference to the baseline. None where nothing can be told: one run has no
    interval, the baseline no difference.
    """

    place: str
    controller: str
    metric: str
    mean: float | None
    ci_low: float | None
    ci_high: float | None
    n: int  # runs
    diff: float | None = None
    diff_ci_low: float | None = None
    diff_ci_high: float | None = None
    verdict: Text | None = None
    demand: float = 1.0
    over_conventional: Gain | None = None  # None where the conventional plan did not run
    over_existing: Gain | None = None
    unfinished: float = 0.0  # largest share of vehicles still on their way at the end of a run

    @property
    def place_label(self) -> str:
        """The place under its demand level."""
        return place_label(self.place, self.demand)
