"""The queue model's values of the measures of an objective: the prediction that ranks candidates in the search."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from denxanh.experiments.optimize.problem.objective import Objective, Term
from denxanh.sim.model import COLUMNS, Model
from denxanh.sim.model.build import QUEUE_COLUMNS
from denxanh.sim.model.plan_arrays import PlanArrays
from denxanh.sim.world import QUEUE_SPACING

Array = NDArray[np.float64]

_COLUMN = {
    "delay": "delay",
    "delay-pcu": "delay_pcu",
    "delay-person": "delay_person",
    "stops": "stops",
}  # measure → column of the model

# CO2 of one car of SUMO 1.28's default class (HBEFA4, petrol, Euro 4), driven alone along 2 km at limits of
# 30–60 km/h with and without a stop of 20 and 60 s: standing 1.52 g/s; a stop from v costs 0.11 v² g (v in m/s)
# beyond the time it takes; at 50 km/h it emits 148 g/km. A linear index of delay and stops is what signal timing
# tools balance for fuel (Alshayeb, Stevanovic and Park 2021, Energies 14(21), 7431); its weights here are SUMO's.
IDLE = 1.52  # g/s
STOP = 0.11  # g per (m/s)²
CRUISE = 148.0  # g/km


def predicted_cost(
    objective: Objective, models: Sequence[Model], plans: PlanArrays, *, threads: int | None = None
) -> Array:
    """Predicted cost of plans, shape (B,): the mean over models that differ in demand."""
    costs = [objective.cost(predicted_values(model, plans, objective.terms, threads)) for model in models]
    return np.asarray(np.mean(costs, axis=0), dtype=np.float64)


def predicted_values(model: Model, plans: PlanArrays, terms: Sequence[Term], threads: int | None) -> Array:
    """Values of the terms in one model, shape (B, terms)."""
    metrics = model.evaluate(plans, threads=threads)
    column = {name: metrics[:, k] for k, name in enumerate(COLUMNS)}
    out = np.empty((len(metrics), len(terms)))
    for k, term in enumerate(terms):
        name = term.measure.name
        if name in _COLUMN:
            out[:, k] = column[_COLUMN[name]]
        elif name == "throughput":
            missing = column["unfinished"] + column["never_inserted"]
            out[:, k] = missing * 3600.0 / (model.end - model.begin)
        elif name == "emissions":
            km, speed = _journey(model)
            out[:, k] = CRUISE + (IDLE * column["delay"] + STOP * speed**2 * column["stops"]) / km
        else:
            out[:, k] = _on_links(model, model.queues(plans, threads=threads), term)
    return out


def _journey(model: Model) -> tuple[float, float]:
    """Mean length of a trip, km, and the mean speed limit along it, m/s."""
    edges, demand = model.network.edges, model.demand
    count = np.bincount(demand.route, minlength=len(demand.routes))
    length = np.array([sum(edges[e].length for e in route) for route in demand.routes])
    time = np.array([sum(edges[e].length / edges[e].speed for e in route) for route in demand.routes])
    metres = float(count @ length)
    return max(metres / max(len(demand), 1), 1.0) / 1000.0, metres / max(float(count @ time), 1e-9)


def _on_links(model: Model, queues: Array, term: Term) -> Array:
    """(B,): the longest queue on the roads, m; for spillback the share of the fullest lane that its queue fills, %.

    The model does not keep queues over time; by Little's law their mean is the total delay over the duration.
    """
    named = {lane for link in term.links for lane in model.network.edges[link].lanes}
    on_roads = [k for k, lane in enumerate(model.lanes) if lane in named]
    if term.measure.name == "queue":
        return np.asarray(queues[:, on_roads, QUEUE_COLUMNS.index("max_queue")].max(axis=1), dtype=np.float64)
    length = np.array([model.network.lanes[model.lanes[k]].length for k in on_roads])
    mean = queues[:, on_roads, QUEUE_COLUMNS.index("delay")] / (model.end - model.begin)  # veh
    return np.asarray((100.0 * QUEUE_SPACING * mean / length).max(axis=1), dtype=np.float64)
