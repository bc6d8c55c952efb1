"""Residuals of the queue model around the plans evaluated in SUMO, as a Gaussian process over plans.

The residual of a plan (the logarithm of SUMO's cost over the predicted cost) is predicted from those of similar
evaluated plans: simple kriging with a squared exponential kernel (Rasmussen and Williams 2006, equations 2.22 to
2.26). Far from all evaluated plans the prediction is their mean, with the full standard deviation. A search finds
overestimated plans where none has been evaluated, so the standard deviation is added to the cost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from denxanh.experiments.optimize.problem.space import Candidate, Setting, Space

Array = NDArray[np.float64]

CYCLE_SCALE = 15.0  # s of cycle, equivalent to a change of SHARE_SCALE in a green share
SHARE_SCALE = 0.15  # of the cycle
OFFSET_SCALE = 0.7  # of the circle's radius: an eighth of a cycle
CAUTION = 1.0  # standard deviations of the residual added to the cost
NOISE = 0.01  # share of the cost: spread over seeds that remains in the mean of a few


class Features:
    """Plans as feature vectors: cycle, share of every stage and offset on the circle, for each signal."""

    def __init__(self, space: Space) -> None:
        self.space = space
        self._cache: list[dict[Setting, Array]] = [{} for _ in space.signals]

    def __call__(self, candidates: Sequence[Candidate]) -> Array:
        """(B, dimensions), scaled so that a distance of 1 is a moderate change of one signal."""
        return np.array(
            [np.concatenate([self._of(s, x) for s, x in enumerate(candidate)]) for candidate in candidates]
        )

    def _of(self, s: int, setting: Setting) -> Array:
        known = self._cache[s].get(setting)
        if known is None:
            signal = self.space.signals[s]
            cycle = signal.cycle(setting)
            share = np.zeros(len(signal.stages.states))
            for i, green in zip(setting.order, setting.greens, strict=True):
                share[i] += green / cycle / SHARE_SCALE
            turn = 2 * np.pi * setting.offset / cycle
            known = np.concatenate(
                [[cycle / CYCLE_SCALE], share, [np.cos(turn) / OFFSET_SCALE, np.sin(turn) / OFFSET_SCALE]]
            )
            self._cache[s][setting] = known
        return known


@dataclass(frozen=True)
class Residual:
    """A fitted process; ``__call__`` corrects predicted costs."""

    features: Features
    points: Array  # (n, dimensions)
    weights: Array  # (n,)
    inverse: Array  # (n, n), of the kernel
    mean: float
    spread: float  # standard deviation of the residuals
    scale: float  # length scale of the kernel
    relative: bool  # residuals are logarithms of ratios; else differences, where a cost is not positive

    @staticmethod
    def fit(features: Features, candidates: Sequence[Candidate], cost: Array, predicted: Array) -> Residual:
        """Fit to SUMO's ``cost`` and the ``predicted`` cost of some candidates, both (n,)."""
        relative = bool((cost > 0).all() and (predicted > 0).all())
        residual = np.log(cost / predicted) if relative else cost - predicted
        level = 1.0 if relative else float(np.abs(cost).min())
        points = features(candidates)
        distance = _squared(points, points)
        apart = distance[np.triu_indices(len(points), 1)]
        scale = float(np.sqrt(np.median(apart))) if apart.size and np.median(apart) > 0 else 1.0
        mean = float(residual.mean())
        spread = max(float(residual.std()), 1e-3 * level)
        noise = (NOISE * level / spread) ** 2
        kernel = np.exp(-0.5 * distance / scale**2) + noise * np.eye(len(points))
        inverse = np.asarray(np.linalg.inv(kernel), dtype=np.float64)
        weights = inverse @ (residual - mean)
        return Residual(features, points, weights, inverse, mean, spread, scale, relative)

    def __call__(self, candidates: Sequence[Candidate], predicted: Array) -> Array:
        """Corrected cost, (B,), from the ``predicted`` cost, (B,)."""
        near = np.exp(-0.5 * _squared(self.features(candidates), self.points) / self.scale**2)
        variance = 1.0 - ((near @ self.inverse) * near).sum(axis=1)
        deviation = self.spread * np.sqrt(np.maximum(variance, 0.0))
        shift = self.mean + near @ self.weights + CAUTION * deviation
        return np.asarray(predicted * np.exp(shift) if self.relative else predicted + shift, dtype=np.float64)


def _squared(a: Array, b: Array) -> Array:
    """Squared distances (len(a), len(b))."""
    square = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1)[None, :] - 2 * a @ b.T
    return np.asarray(np.maximum(square, 0.0), dtype=np.float64)
