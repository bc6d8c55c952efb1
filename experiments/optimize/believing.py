"""What the model believes a candidate costs, and how it learns from what SUMO said of some."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from experiments.optimize.objective import Objective
from experiments.optimize.pack import Packer
from experiments.optimize.residual import Features, Residual
from experiments.optimize.space import Candidate
from sim.model import Model, Parameters

Array = NDArray[np.float64]

BATCH = 256  # plans evaluated at a time: their arrays stay small, and both cores are busy

TRIES = 40  # parameter sets tried in one fit, which then costs as much as some 500 plans
LEARNED = 12  # judged plans that they are fitted to, the best ones: the far ones say little of the optimum
NEAR = 2.0
"""How fast a judged plan loses weight with its distance from the best: one 35 % above it counts half."""
LEVEL = 0.7
"""Share of a common error that is forgiven: the search needs the order of plans, the report only SUMO's value."""

_LEARNED = {  # parameter → (step of the search, least, most)
    "headway": (0.08, 0.8, 1.8),
    "lost": (0.4, 0.0, 4.0),
    "yellow": (0.4, 0.0, 4.0),
    "gap": (0.5, 0.0, 6.0),
    "clear": (0.4, 0.0, 4.0),
}


@dataclass(frozen=True)
class Believing:
    """The model's cost of candidates: the mean of an objective over one or more demands."""

    models: tuple[Model, ...]
    packer: Packer
    objective: Objective
    seed: int = 0
    threads: int | None = None
    residual: Residual | None = None

    def __call__(self, candidates: Sequence[Candidate]) -> Array:
        """Cost, shape (B,), lower is better."""
        cost = self._cost(self.models, candidates)
        return cost if self.residual is None or not len(cost) else self.residual(candidates, cost)

    def refit(self, candidates: Sequence[Candidate], cost: Array) -> Believing:
        """The same with parameters, and then residuals, that agree better with SUMO's ``cost``.

        The parameters by a random local search: they are five, the target is rough, the model takes ms.
        Deterministic.
        """
        rng = np.random.default_rng([self.seed, len(candidates)])
        best, models = self.models[0].parameters, self.models
        near = np.argsort(cost, kind="stable")[:LEARNED]
        known, said = [candidates[k] for k in near], cost[near]
        least = self._loss(models, known, said)
        for _ in range(TRIES):
            trial = _step(best, rng)
            tried = tuple(model.with_parameters(trial) for model in self.models)
            loss = self._loss(tried, known, said)
            if loss < least:
                best, models, least = trial, tried, loss
        return replace(self, models=models).corrected(candidates, cost)

    def corrected(self, candidates: Sequence[Candidate], cost: Array) -> Believing:
        """The same with the residuals of ``candidates`` learned; much cheaper than ``refit``."""
        features = self.residual.features if self.residual is not None else Features(self.packer.space)
        believed = self._cost(self.models, candidates)
        return replace(self, residual=Residual.fit(features, candidates, cost, believed))

    def _loss(self, models: Sequence[Model], candidates: Sequence[Candidate], cost: Array) -> float:
        error = np.log(np.maximum(self._cost(models, candidates), 1e-6)) - np.log(np.maximum(cost, 1e-6))
        weight = np.exp(-NEAR * (cost / cost.min() - 1))
        error -= LEVEL * np.average(error, weights=weight)
        return float(np.average(error**2, weights=weight))

    def _cost(self, models: Sequence[Model], candidates: Sequence[Candidate]) -> Array:
        out = [np.zeros(0)]
        for first in range(0, len(candidates), BATCH):
            plans = self.packer(candidates[first : first + BATCH])
            out.append(self.objective.of_models(models, plans, threads=self.threads))
        return np.concatenate(out)


def _step(parameters: Parameters, rng: np.random.Generator) -> Parameters:
    values = {}
    for name, (step, low, high) in _LEARNED.items():
        values[name] = float(np.clip(getattr(parameters, name) + step * rng.standard_normal(), low, high))
    return replace(parameters, **values)
