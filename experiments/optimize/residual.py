"""What the model gets wrong around the plans that SUMO has judged, as a Gaussian process over plans.

The residual of a plan (the logarithm of SUMO's cost over the model's) is predicted from those of judged plans
like it: simple kriging with a squared exponential kernel (Rasmussen and Williams 2006, equations 2.22 to 2.26).
Far from all judged plans it falls back to their mean, and to the doubt that goes with it: a search that looks for
what the model believes too much finds it where nobody has looked, so the doubt counts against a plan.
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
CAUTION = 1.0  # standard deviations of the residual that count against a plan
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
    """A fitted process; ``__call__`` corrects what the model believes."""

    features: Features
    points: Array  # (n, dimensions)
    weights: Array  # (n,)
    inverse: Array  # (n, n), of the kernel
    mean: float
    spread: float  # standard deviation of the residuals
    scale: float  # distance at which plans are no longer alike
    relative: bool  # residuals are logarithms of ratios; else differences, where a cost is not positive

    @staticmethod
    def fit(features: Features, candidates: Sequence[Candidate], cost: Array, believed: Array) -> Residual:
        """From what SUMO said of some candidates and what the model believes of them, both (n,)."""
        relative = bool((cost > 0).all() and (believed > 0).all())
        residual = np.log(cost / believed) if relative else cost - believed
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

    def __call__(self, candidates: Sequence[Candidate], believed: Array) -> Array:
        """The cost to reckon with, (B,), from what the model believes, (B,)."""
        near = np.exp(-0.5 * _squared(self.features(candidates), self.points) / self.scale**2)
        unknown = 1.0 - ((near @ self.inverse) * near).sum(axis=1)
        doubt = self.spread * np.sqrt(np.maximum(unknown, 0.0))
        shift = self.mean + near @ self.weights + CAUTION * doubt
        return np.asarray(believed * np.exp(shift) if self.relative else believed + shift, dtype=np.float64)


def _squared(a: Array, b: Array) -> Array:
    """Squared distances (len(a), len(b))."""
    square = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1)[None, :] - 2 * a @ b.T
    return np.asarray(np.maximum(square, 0.0), dtype=np.float64)
