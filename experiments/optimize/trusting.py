"""How far the model can be believed on one place, measured there before the search, and fitted to it.

A handful of unlike plans (other cycles, other stages) run in SUMO; the model's constants are fitted to them, each
plan being predicted without itself (``sim.model.calibrate``). Where the model cannot rank them the search belongs
in SUMO (``experiments.optimize.in_sumo``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from experiments.optimize.believing import Believing
from experiments.optimize.climb import kicked
from experiments.optimize.judge import DELAY
from experiments.optimize.moves import Neighbourhood
from experiments.optimize.place import Place
from experiments.optimize.race import Case
from experiments.optimize.space import Candidate
from experiments.optimize.starts import starts
from sim.model.calibrate import LEAST_PLANS, Trust, calibrate, trust
from sim.plan import Plan

Array = NDArray[np.float64]

PLANS = 8  # six are the least that can be fitted; two more than that cost four runs of SUMO
SEEDS = 2  # of the judging ones: so SUMO's agreement with itself is known
FAR = 12  # moves that make a plan unlike the one it began from


@dataclass(frozen=True)
class Believed:
    """The model fitted to the place, what it is worth there, and what SUMO said of the plans tried."""

    believing: Believing
    trust: Trust
    candidates: tuple[Candidate, ...]
    cost: Array  # (plans,) SUMO's mean of the objective
    runs: int


def believe(place: Place, seeds: Sequence[int], rng: np.random.Generator) -> Believed | None:
    """Run unlike plans in SUMO, fit the model to their delay, and measure how well it then orders them.

    None where so much is frozen that there are too few plans to tell.
    """
    plans = unlike(place, rng)
    if len(plans) < LEAST_PLANS:
        return None
    chosen = tuple(seeds[:SEEDS])
    cases = [Case(0, seed) for seed in chosen]
    objective = place.judge.objective
    terms = (*DELAY.terms, *objective.terms)
    values = place.judge.values([place.space.plan(c) for c in plans], cases, terms)  # (plans, seeds, terms)
    cost = objective.cost(values[..., len(DELAY.terms) :])

    def known(plans: Sequence[Plan], seeds: Sequence[int]) -> Array:
        return np.asarray(values[..., 0], dtype=np.float64)

    models = place.believing.models
    fitted, found = calibrate(models[0], [place.space.plan(c) for c in plans], known, chosen)
    believing = place.believing
    if found.usable:
        believing = replace(believing, models=tuple(m.with_parameters(fitted.parameters) for m in models))
    if objective != DELAY:  # the order that matters is that of what is asked for
        only = replace(believing, models=believing.models[:1])
        found = trust(np.maximum(only(plans), 1e-9), np.maximum(cost, 1e-9))
    return Believed(believing, found, tuple(plans), cost.mean(axis=1), len(plans) * len(cases))


def unlike(place: Place, rng: np.random.Generator, count: int = PLANS) -> list[Candidate]:
    """``count`` plans as different as the space allows: the search's own starts, spread, and random walks from them."""
    space = place.space
    found = [c for c in starts(space) if space.legal(c)] or [space.existing()]
    spread = [found[k] for k in np.unique(np.linspace(0, len(found) - 1, count).round().astype(int))]
    out, walk = list(dict.fromkeys(spread)), Neighbourhood(space)
    for k in range(4 * count):
        if len(out) >= count or not walk.kinds:
            break
        other = kicked(walk, out[k % len(spread)], FAR, rng)
        if other not in out:
            out.append(other)
    return out
