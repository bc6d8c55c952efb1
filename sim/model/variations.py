"""Variations of a model that cost little: other drivers, and fewer of its vehicles."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denxanh.sim.model.build import Model
from denxanh.sim.model.drivers import draw_drivers, yellow_use

_OF_VEHICLES = (
    "depart", "type", "first_step", "slow", "factor", "nerve", "depart_lane", "along", "standing",
)  # fmt: skip
"""The fields of Static with one value for each vehicle, except those of the sources."""


def with_drivers(model: Model, seed: int) -> Model:
    """The model with speed factors and places of departure drawn by ``seed``, as ``build(…, seed=seed)`` draws them."""
    factors, along = draw_drivers(model.demand, seed)
    drawn: dict[str, Any] = {
        "slow": (1.0 / factors).astype(np.float32),
        "factor": factors.astype(np.float32),
        "nerve": yellow_use(model.demand, seed),
        "along": along,
    }
    return replace(model, static=model.static._replace(**drawn))


def with_vehicles(model: Model, kept: NDArray[np.bool_]) -> Model:
    """The model with the vehicles of the mask ``kept``, shape (vehicles,); at least one."""
    static, demand = model.static, model.demand
    number = np.cumsum(kept) - 1
    vehicles = static.source_vehicle
    stays = kept[vehicles]
    sources = len(static.source_first) - 1
    source = np.repeat(np.arange(sources), np.diff(static.source_first))
    counts = np.bincount(source[stays], minlength=sources)
    changed: dict[str, Any] = {name: getattr(static, name)[kept] for name in _OF_VEHICLES}
    changed["source_vehicle"] = number[vehicles[stays]].astype(np.int32)
    changed["source_first"] = np.concatenate([[0], np.cumsum(counts[counts > 0])]).astype(np.int32)
    smaller = replace(
        demand,
        **{
            name: getattr(demand, name)[kept]
            for name in ("depart", "type", "route", "depart_lane", "standing", "spread")
        },
        id=tuple(name for name, stay in zip(demand.id, kept, strict=True) if stay) if demand.id else (),
    )
    return replace(model, static=static._replace(**changed), demand=smaller)
