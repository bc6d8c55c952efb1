"""Compile the kernel once, so that a user's first optimisation does not wait for it (numba caches on disk)."""

from __future__ import annotations

import time
from types import MappingProxyType

import numpy as np

from denxanh.sim.demand.demand import make_demand
from denxanh.sim.model.build import build
from denxanh.sim.model.plan_arrays import encode
from denxanh.sim.network import Edge, Intersection, Lane, Link, Network
from denxanh.sim.plan import Interval, Plan, Stage, Timing


def warmup() -> float:
    """Evaluate a plan on a street with one signal; seconds it took."""
    start = time.perf_counter()
    model = build(_street(), make_demand([(1.0, "DEFAULT_VEHTYPE", ("a", "b"))], end=60.0))
    model.evaluate(encode(model.network, [Plan({})]))
    return time.perf_counter() - start


def _street() -> Network:
    edges = {name: Edge(name, "", "", "", (f"{name}_0",), 100.0, 10.0, 1, ()) for name in "ab"}
    anyone = frozenset({"passenger"})
    lanes = {f"{name}_0": Lane(f"{name}_0", name, 100.0, 10.0, (), (), True, anyone) for name in "ab"}
    link = Link(0, "a_0", "b_0", "", "s", 5.0, 10.0, crossing=False)
    none = np.zeros((1, 1), dtype=np.bool_)
    program = Timing((Stage("G", 30.0, (Interval("r", 30.0),)),))
    signal = Intersection(
        "J", "J", (0.0, 0.0), ("J",), (link,), 1, (), (), (), (), program, "0", 3.0, 0.0, none, none
    )  # fmt: skip
    return Network("street", edges, lanes, MappingProxyType({"J": signal}), {}, (link,))
