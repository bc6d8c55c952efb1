"""Gains of controllers over the conventional plan and over the existing one, paired by seed and day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from denxanh.experiments.results.references import CONVENTIONAL, references
from denxanh.experiments.statistics import Runs, match
from denxanh.experiments.statistics.intervals import t_interval
from denxanh.sim.language.text import Text
from denxanh.sim.metrics import Metric

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Gain:
    """The gain of a controller over a reference in one metric: above 0 it is better, in the unit of the metric.

    The interval has 95 %; None for one pair. ``share`` and its ends are fractions of the mean of the reference, None
    where that is not above 0.
    """

    place: str
    demand: float
    controller: str
    reference: str  # the conventional plan, or the existing one by its name in these results
    metric: str
    gain: float
    low: float | None
    high: float | None
    reference_mean: float
    n: int  # pairs of runs with the same seed, day and demand

    @property
    def over_conventional(self) -> bool:
        """Whether the reference is the conventional plan; else it is the existing one."""
        return self.reference == CONVENTIONAL

    @property
    def shown(self) -> str:
        """``better``, ``worse``, or ``open`` where the interval has 0 in it or is missing."""
        if self.low is None or self.high is None or self.low <= 0 <= self.high:
            return "open"
        return "better" if self.low > 0 else "worse"

    @property
    def share(self) -> tuple[float, float | None, float | None] | None:
        """Gain and ends of its interval as fractions of the mean of the reference."""
        if not self.reference_mean > 0:
            return None
        ends = (None if end is None else end / self.reference_mean for end in (self.low, self.high))
        low, high = ends
        return self.gain / self.reference_mean, low, high


def gains_of(place: str, demand: float, metric: Metric, values: Mapping[str, Runs]) -> list[Gain]:
    """The gains in one metric at one place and demand, those over the conventional plan first.

    ``values`` by controller and (seed, demand). Empty where neither more nor less of the metric is better.
    """
    if metric.less_is_better is None:
        return []
    sign = -1.0 if metric.less_is_better else 1.0
    out = []
    known = references(values)
    order = [*(name for name in values if name not in known), *known]
    for reference in known:
        for controller in order:
            runs = values[controller]
            if controller == reference or not set(runs) & set(values[reference]):
                continue
            pairs = match(runs, values[reference])
            theirs = np.array(pairs.baseline)
            differences = sign * (np.array(pairs.candidate) - theirs)
            ends = t_interval(differences, CONFIDENCE)
            out.append(
                Gain(
                    place=place,
                    demand=demand,
                    controller=controller,
                    reference=reference,
                    metric=metric.name,
                    gain=float(differences.mean()),
                    low=ends.low if ends else None,
                    high=ends.high if ends else None,
                    reference_mean=float(theirs.mean()),
                    n=len(differences),
                )
            )
    return out


MEANING = Text(
    "What the interval means: in 95 of 100 such studies, each on other days and seeds, it holds the "
    "true mean gain over days like "
    "these. Where 0 is within it, these days do not show which plan is better.",
    "Ý nghĩa của khoảng tin cậy: trong 100 nghiên cứu như vậy với ngày và lần mô phỏng khác, khoảng 95 "
    "nghiên cứu cho khoảng chứa "
    "mức cải thiện trung bình thật trên những ngày như thế này. Nếu khoảng chứa 0 thì những ngày này "
    "chưa cho biết phương án nào tốt hơn.",
)
"""The 95 % interval of a gain in words."""
