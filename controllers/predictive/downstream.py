"""Cost of a plan at the intersections downstream: a rollout of their plans with the vehicles that it releases.

Coordinate descent on the delay of the whole network: each intersection in turn takes the step that is cheapest for
itself and its neighbours together while these keep their last plans. L. B. de Oliveira and E. Camponogara,
"Multi-agent model predictive control of signaling split in urban traffic networks", Transportation Research C 18
(2010) 120-139, doi:10.1016/j.trc.2009.04.022, for agents that optimise in turn; the model is that of the rollout.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from denxanh.controllers.predictive.releases import Announced
from denxanh.controllers.predictive.rollout import ACTUATED, Forecast, Model, Outcome, Signal, rollout
from denxanh.sim.controller import Array, Ints


class PlannedStep(NamedTuple):
    """The last observation and plan of an intersection; n vehicles by approach and time."""

    time: float  # s, the scenario's clock
    names: tuple[str, ...]  # (n,)
    in_sight: frozenset[str]  # of them; the others were announced
    approach: Ints  # (n,)
    link: Ints  # (n,)
    due: Array  # (n,) s from ``time``
    age: Array  # (n,) s it has waited already
    longer: Array  # (n,) s more than the model's headway until the next one of its lane can cross
    blocked: Array  # (lanes,) s: nothing leaves the lane before
    shows: Ints  # (phases, links + lanes), the last ones for vehicles of a lane whose link is not known
    phase: int
    elapsed: float  # s it has been green
    at: Array  # (depth,) s: when it changes …
    to: Ints  # (depth,) … and to which phase


class Downstream:
    """The plans of all intersections in one run."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._plans: dict[str, tuple[Signal, PlannedStep]] = {}

    def keep(self, intersection: str, signal: Signal, planned: PlannedStep) -> None:
        """Keep the plan of an intersection in place of its last one."""
        self._plans[intersection] = signal, planned

    def costs(self, told: Sequence[Mapping[str, Sequence[Announced]]], upstream: frozenset[str]) -> Array:
        """Cost in veh·s at all intersections that receive vehicles under any of the plans, shape (plans,).

        ``told``: the vehicles announced to each intersection under each plan; ``upstream``: all vehicles in sight of
        the intersection that plans.
        """
        out = np.zeros(len(told))
        for target in sorted({name for plan in told for name in plan} & self._plans.keys()):
            for p, plan in enumerate(told):
                out[p] += self._cost(*self._plans[target], upstream, plan.get(target, ()))
        return out

    def _cost(
        self, signal: Signal, planned: PlannedStep, upstream: frozenset[str], coming: Sequence[Announced]
    ) -> float:
        """Cost in veh·s of a plan if, of ``upstream``, only the vehicles ``coming`` arrive, as announced."""
        lanes = len(planned.blocked)
        links = planned.shows.shape[1] - lanes
        stay = [v for v, name in enumerate(planned.names) if name in planned.in_sight or name not in upstream]
        new = [one for one in coming if one.id not in planned.in_sight]
        bound = [one.link if one.link >= 0 else links + one.approach for one in new]
        approach = np.concatenate(
            [planned.approach[stay], np.array([x.approach for x in new], dtype=np.int64)]
        )
        link = np.concatenate([planned.link[stay], np.array(bound, dtype=np.int64)])
        due = np.concatenate([planned.due[stay], np.array([one.time - planned.time for one in new])])
        age = np.concatenate([planned.age[stay], np.zeros(len(new))])
        longer = np.concatenate([planned.longer[stay], np.zeros(len(new))])
        order = np.lexsort((due, approach))
        first = np.searchsorted(approach[order], np.arange(lanes + 1))
        at, to = planned.at[np.newaxis], planned.to[np.newaxis]
        forecast = Forecast(
            first, link[order], due[order], age[order], longer[order], planned.blocked, planned.shows
        )
        outcome = Outcome(np.empty_like(at), np.empty_like(to), np.empty(len(order)))
        return float(
            rollout(forecast, signal, planned.phase, planned.elapsed, at, to, self._model, ACTUATED, outcome)[
                0
            ]
        )
