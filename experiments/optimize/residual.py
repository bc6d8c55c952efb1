"""What the model gets wrong around the plans that SUMO has judged, as a Gaussian process over plans.

The residual (SUMO's cost less the model's) of a plan is predicted from those of judged plans like it: simple
kriging with a squared exponential kernel (Rasmussen and Williams 2006, equations 2.22 to 2.26). Far from all
judged plans it falls back to their mean, so the model alone decides there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.optimize.space import Candidate, Setting, Space

Array = NDArray[np.float64]

CYCLE_SCALE = 15.0  # s of cycle that make plans differ as much as a green share moved by SHARE_SCALE
SHARE_SCALE = 0.15  # of the cycle
OFFSET_SCALE = 0.7  # of the circle's radius: an eighth of a cycle
NOISE = 0.01  # of the cost: what is left of the seeds' spread after averaging a few


class Features:
    """Plans as points: cycle, share of every stage, offset on the circle, for each signal."""

    def __init__(self, space: Space) -> None:
        self.space = space
        self._known: list[dict[Setting, Array]] = [{} for _ in space.signals]

    def __call__(self, candidates: Sequence[Candidate]) -> Array:
        """(B, dimensions), scaled so that a distance of 1 is a moderate change of one signal."""
        return np.array(
            [np.concatenate([self._of(s, x) for s, x in enumerate(candidate)]) for candidate in candidates]
        )

    def _of(self, s: int, setting: Setting) -> Array:
        known = self._known[s].get(setting)
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
            self._known[s][setting] = known
        return known


@dataclass(frozen=True)
class Residual:
    """A fitted process; ``__call__`` predicts residuals in the cost's unit."""

    features: Features
    points: Array  # (n, dimensions)
    weights: Array  # (n,)
    mean: float
    scale: float  # distance at which plans are no longer alike

    @staticmethod
    def fit(features: Features, candidates: Sequence[Candidate], residual: Array, level: float) -> Residual:
        """From residuals of judged candidates; ``level`` is the cost's size, for the noise."""
        points = features(candidates)
        distance = _squared(points, points)
        apart = distance[np.triu_indices(len(points), 1)]
        scale = float(np.sqrt(np.median(apart))) if apart.size and np.median(apart) > 0 else 1.0
        mean = float(residual.mean())
        spread = max(float(residual.std()), 1e-3 * level)
        noise = (NOISE * level / spread) ** 2
        kernel = np.exp(-0.5 * distance / scale**2) + noise * np.eye(len(points))
        weights = np.asarray(np.linalg.solve(kernel, residual - mean), dtype=np.float64)
        return Residual(features, points, weights, mean, scale)

    def __call__(self, candidates: Sequence[Candidate]) -> Array:
        """Predicted residual, shape (B,)."""
        near = np.exp(-0.5 * _squared(self.features(candidates), self.points) / self.scale**2)
        return np.asarray(self.mean + near @ self.weights, dtype=np.float64)


def _squared(a: Array, b: Array) -> Array:
    """Squared distances (len(a), len(b))."""
    square = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1)[None, :] - 2 * a @ b.T
    return np.asarray(np.maximum(square, 0.0), dtype=np.float64)
