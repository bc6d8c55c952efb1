"""Summary of one sample: number of runs, mean, standard deviation, interval, median."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from denxanh.experiments.statistics._checks import Values, finite, fraction
from denxanh.experiments.statistics.intervals import Interval, t_interval


@dataclass(frozen=True, slots=True)
class Summary:
    """A sample of independent runs, all in the unit of its values.

    ``sd`` and ``interval`` are None when n = 1: one run has no spread.
    """

    n: int
    mean: float
    median: float
    minimum: float
    maximum: float
    sd: float | None
    interval: Interval | None

    def __str__(self) -> str:
        if self.interval is None:
            return f"{self.mean:.4g} (1 run, no interval)"
        return f"{self.mean:.4g} ± {self.interval.half_width:.2g} ({self.n} runs)"


def summarise(values: Values, *, confidence: float = 0.95, name: str = "the sample") -> Summary:
    """Summary of ``values`` (n,), one per independent run (per seed, not per vehicle or per interval).

    Vehicles of one run share its queues, so their spread is not the spread of the mean: replications are
    the unit (Law 2015, Simulation Modeling and Analysis, 5th ed., section 9.4). InputError for NaN, or none.
    """
    sample = finite(values, name)
    fraction(confidence, "confidence")
    return Summary(
        n=int(sample.size),
        mean=float(sample.mean()),
        median=float(np.median(sample)),
        minimum=float(sample.min()),
        maximum=float(sample.max()),
        sd=float(sample.std(ddof=1)) if sample.size > 1 else None,
        interval=t_interval(sample, confidence),
    )
