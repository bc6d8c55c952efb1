"""Evaluated: a candidate of a search with its predicted cost and its costs in SUMO."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from denxanh.experiments.optimize.problem.space import Candidate

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Evaluated:
    """A candidate with its predicted cost and SUMO's cost of each case."""

    candidate: Candidate
    predicted: float
    cost: Array  # (cases,), NaN from the case on at which the race dropped it

    @property
    def complete(self) -> bool:
        """Whether the candidate ran in SUMO on every case."""
        return bool(np.isfinite(self.cost).all())
