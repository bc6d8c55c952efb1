"""Calibration of the queue model to a place by a few SUMO runs, and the fidelity that it reaches there.

Only a few global constants are fitted, because six to ten plans cannot determine more: the discharge headway decides
the ranking, start-up and gaps come next. The fidelity is cross-validated: the prediction for each plan comes from
constants fitted without that plan.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from denxanh.sim.errors import InputError
from denxanh.sim.model.build import COLUMNS, Model
from denxanh.sim.model.parameters import Parameters
from denxanh.sim.model.plan_arrays import encode
from denxanh.sim.plan import Plan

Floats = NDArray[np.float64]
Evaluate = Callable[[Sequence[Plan], Sequence[int]], Floats]
"""SUMO runs of plans: (plans, seeds) → delay s/veh, shape (plans, seeds)."""

LEAST_PLANS = 6
_HEADWAY = (0.9, 0.95, 1.0, 1.05, 1.1, 1.15, 1.25)
_LOST = (0.0, 0.3, 0.8)
_GAP = (0.5, 1.5, 2.5, 3.5)
_PRIOR = 0.2  # cost, per unit of their step, of constants other than those measured on free-standing queues
_LEVEL = 0.2  # weight of a wrong level against a wrong order: a search needs the order
_FLAT = 1.15  # worst over best delay below which plans hardly differ: a gridlocked place


@dataclass(frozen=True)
class Fidelity:
    """How well the model ranks plans on one place, against SUMO. Correlations are Spearman's, −1 to 1."""

    plans: int
    seeds: int
    rank: float  # model against the mean over seeds, cross-validated
    near: float  # the same among the better half
    level: float  # median of model over SUMO
    agreement: float  # of SUMO's seeds with each other; NaN with one seed
    spread: float  # worst over best mean delay in SUMO
    verdict: str  # one sentence for the user
    # a plan of the model's best tenth is outside of SUMO's best third with every seed
    misleading: bool = False

    @property
    def usable(self) -> bool:
        """Whether a search on the model is worth its time here."""
        flat = self.spread < _FLAT and self.rank < 0.8
        return self.rank >= 0.5 and not flat and not self.misleading


def calibrate(
    model: Model, plans: Sequence[Plan], evaluate: Evaluate, seeds: Sequence[int] = (1, 2)
) -> tuple[Model, Fidelity]:
    """The model with constants fitted to SUMO's delays of the plans, and its fidelity.

    ``plans`` should be diverse (random feasible ones). Raises InputError for fewer than LEAST_PLANS, or where
    ``evaluate`` returns a delay that is not finite and positive.
    """
    if len(plans) < LEAST_PLANS:
        raise InputError(
            f"{len(plans)} plans are too few to calibrate on",
            location=model.network.name,
            remedy=f"give {LEAST_PLANS}",
        )
    delays = np.asarray(evaluate(plans, seeds), dtype=np.float64)
    if delays.shape != (len(plans), len(seeds)) or not (np.isfinite(delays) & (delays > 0)).all():
        raise InputError("a SUMO run of some plan gave no finite delay", location=model.network.name)
    candidates = _candidates(model.parameters)
    arrays = encode(model.network, plans)
    column = COLUMNS.index("delay")
    predicted = np.array([model.with_parameters(p).evaluate(arrays)[:, column] for p, _ in candidates])
    far = np.array([distance for _, distance in candidates])
    truth = delays.mean(axis=1)
    left_out = np.empty(len(plans))
    for k in range(len(plans)):
        others = np.arange(len(plans)) != k
        left_out[k] = predicted[_best(predicted[:, others], truth[others], far), k]
    chosen = _best(predicted, truth, far)
    return model.with_parameters(candidates[chosen][0]), assess_fidelity(left_out, delays)


def assess_fidelity(predicted: Floats, delays: Floats) -> Fidelity:
    """Fidelity from the model's delays, shape (plans,), and SUMO's, shape (plans, seeds)."""
    truth = delays.mean(axis=1)
    better = np.argsort(truth)[: max((len(truth) + 1) // 2, 3)]
    pairs = list(itertools.combinations(delays.T, 2))
    agreement = float(np.mean([spearman(a, b) for a, b in pairs])) if pairs else float("nan")
    found = Fidelity(
        plans=len(truth),
        seeds=delays.shape[1],
        rank=spearman(predicted, truth),
        near=spearman(predicted[better], truth[better]),
        level=float(np.median(predicted / truth)),
        agreement=agreement,
        spread=float(truth.max() / truth.min()),
        verdict="",
        misleading=_misleading(predicted, delays),
    )
    return replace(found, verdict=_verdict(found))


def _misleading(predicted: Floats, delays: Floats) -> bool:
    """Return whether a plan of the model's best tenth is worse, with every seed, than each of SUMO's best third.

    The best tenth is one plan at least. A rank correlation over all plans can be high although the model likes one bad
    plan best, and that is the plan a search finds.
    """
    plans = len(predicted)
    third = np.argsort(delays.mean(axis=1), kind="stable")[: -(-plans // 3)]
    tenth = np.argsort(predicted, kind="stable")[: -(-plans // 10)]
    return bool((delays[tenth] > delays[third].max(axis=0)).all(axis=1).any())


def spearman(a: Floats, b: Floats) -> float:
    """Rank correlation; 0 where one of the two does not vary."""
    ranks_a, ranks_b = rankdata(a), rankdata(b)
    if np.ptp(ranks_a) == 0 or np.ptp(ranks_b) == 0:
        return 0.0
    return float(np.corrcoef(ranks_a, ranks_b)[0, 1])


def _candidates(around: Parameters) -> list[tuple[Parameters, float]]:
    """Constants to try, and the distance of each from the given ones."""
    return [
        (
            replace(around, headway=headway, lost=lost, gap=gap),
            abs(headway - around.headway) / 0.2 + abs(lost - around.lost) / 2.0 + abs(gap - around.gap) / 8.0,
        )
        for headway, lost, gap in itertools.product(
            sorted({*_HEADWAY, around.headway}), sorted({*_LOST, around.lost}), sorted({*_GAP, around.gap})
        )
    ]


def _best(predicted: Floats, truth: Floats, far: Floats) -> int:
    """Index of the candidate with the best order and level; ties go to the nearest constants."""
    a, b = np.log(np.maximum(predicted, 1e-3)), np.log(truth)
    centred, target = a - a.mean(axis=1, keepdims=True), b - b.mean()
    norm = np.sqrt((centred**2).sum(axis=1) * (target**2).sum())
    pearson = (centred @ target) / np.maximum(norm, 1e-12)
    level = np.abs(np.median(a - b, axis=1))
    return int(np.argmin((1 - pearson) + _LEVEL * level + _PRIOR * 0.1 * far))


def _verdict(t: Fidelity) -> str:
    against = f"(SUMO's seeds agree among themselves at {t.agreement:.2f})" if t.seeds > 1 else "(one seed)"
    if t.rank < 0.8 and t.spread < _FLAT:
        return (
            f"All plans tried end within {100 * (t.spread - 1):.0f} % of each other, as in a gridlocked place: "
            f"the model cannot rank them (rank correlation {t.rank:.2f}), search in SUMO itself."
        )
    if t.misleading and t.rank >= 0.5:
        return (
            f"The model misleads here: the plan that it likes best is not in SUMO's best third with any seed, although "
            f"the rank correlation is {t.rank:.2f} {against}; search in SUMO itself."
        )
    if not t.usable:
        return f"The model does not rank plans here: rank correlation {t.rank:.2f} {against}; search in SUMO itself."
    quality = "well" if t.rank >= 0.9 else "roughly"
    return (
        f"The model ranks plans {quality} here: rank correlation {t.rank:.2f} {against}, {t.near:.2f} among the "
        f"better half; its delays are {t.level:.2f} of SUMO's."
    )
