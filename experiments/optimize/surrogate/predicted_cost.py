"""Surrogate cost of a candidate, by the queue model fitted to evaluations in SUMO."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from denxanh.experiments.optimize.problem.objective import Objective
from denxanh.experiments.optimize.problem.space import Candidate
from denxanh.experiments.optimize.surrogate.packer import Packer
from denxanh.experiments.optimize.surrogate.predicted_measures import predicted_cost
from denxanh.experiments.optimize.surrogate.residual import Features, Residual
from denxanh.sim.model import Model, Parameters

Array = NDArray[np.float64]

BATCH = 256  # plans per call of the model: small arrays, all cores busy

FIT_TRIALS = 40  # parameter sets tried in one fit, which then costs as much as some 500 plans
FIT_PLANS = 12  # evaluated plans of a fit, the best ones: worse ones say little about the optimum
WEIGHT_DECAY = 2.0
"""Decay of a plan's weight with its excess over the best: a plan 35 % above it has half the weight."""
LEVEL = 0.7
"""Share of the mean error that the loss ignores: the search needs the order of plans, reports use SUMO's values."""

_FITTED = {  # parameter → (step of the search, least, most)
    "headway": (0.08, 0.8, 1.8),
    "lost": (0.4, 0.0, 4.0),
    "yellow": (0.4, 0.0, 4.0),
    "gap": (0.5, 0.0, 6.0),
    "clear": (0.4, 0.0, 4.0),
}


@dataclass(frozen=True)
class Surrogate:
    """Predicts the cost of candidates: the mean of an objective over one or more demands."""

    models: tuple[Model, ...]
    packer: Packer
    objective: Objective
    seed: int = 0
    threads: int | None = None
    residual: Residual | None = None

    def __call__(self, candidates: Sequence[Candidate]) -> Array:
        """Predicted cost, shape (B,), lower is better."""
        cost = self._cost(self.models, candidates)
        return cost if self.residual is None or not len(cost) else self.residual(candidates, cost)

    def refit(self, candidates: Sequence[Candidate], cost: Array) -> Surrogate:
        """The surrogate with model parameters, and then residuals, fitted to SUMO's ``cost`` (n,).

        The five parameters are fitted by random local search with a fixed seed, because the loss is not smooth and
        one evaluation takes milliseconds.
        """
        rng = np.random.default_rng([self.seed, len(candidates)])
        best, models = self.models[0].parameters, self.models
        near = np.argsort(cost, kind="stable")[:FIT_PLANS]
        known, known_cost = [candidates[k] for k in near], cost[near]
        least = self._loss(models, known, known_cost)
        for _ in range(FIT_TRIALS):
            trial = _step(best, rng)
            tried = tuple(model.with_parameters(trial) for model in self.models)
            loss = self._loss(tried, known, known_cost)
            if loss < least:
                best, models, least = trial, tried, loss
        return replace(self, models=models).corrected(candidates, cost)

    def corrected(self, candidates: Sequence[Candidate], cost: Array) -> Surrogate:
        """The surrogate with the residuals of ``candidates`` learned; much cheaper than ``refit``."""
        features = self.residual.features if self.residual is not None else Features(self.packer.space)
        predicted = self._cost(self.models, candidates)
        return replace(self, residual=Residual.fit(features, candidates, cost, predicted))

    def _loss(self, models: Sequence[Model], candidates: Sequence[Candidate], cost: Array) -> float:
        error = np.log(np.maximum(self._cost(models, candidates), 1e-6)) - np.log(np.maximum(cost, 1e-6))
        weight = np.exp(-WEIGHT_DECAY * (cost / cost.min() - 1))
        error -= LEVEL * np.average(error, weights=weight)
        return float(np.average(error**2, weights=weight))

    def _cost(self, models: Sequence[Model], candidates: Sequence[Candidate]) -> Array:
        out = [np.zeros(0)]
        for first in range(0, len(candidates), BATCH):
            plans = self.packer(candidates[first : first + BATCH])
            out.append(predicted_cost(self.objective, models, plans, threads=self.threads))
        return np.concatenate(out)


def _step(parameters: Parameters, rng: np.random.Generator) -> Parameters:
    values = {}
    for name, (step, low, high) in _FITTED.items():
        values[name] = float(np.clip(getattr(parameters, name) + step * rng.standard_normal(), low, high))
    return replace(parameters, **values)
