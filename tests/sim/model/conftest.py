"""Hand-made networks for tests of the queue model: no SUMO, no file."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace

import numpy as np
import pytest

from denxanh.sim.demand.demand import Demand, make_demand
from denxanh.sim.demand.vehicle_class import VehicleClass
from denxanh.sim.model import Parameters
from denxanh.sim.network import Edge, Intersection, Lane, Link, Network
from denxanh.sim.plan import Interval, Stage, Timing
from denxanh.sim.sumo.netfile import VEHICLE_CLASSES

SPEED = 15.0  # m/s

PUNCTUAL = VehicleClass("punctual", length=0.0, min_gap=0.01, tau=2.0, accel=1e6, sigma=0.0, speed_dev=0.0)
"""A vehicle as textbooks have it: it discharges every 2 s, takes no room and never accelerates."""

TEXTBOOK = Parameters(headway=1.0, hesitate=0.0, lost=1.0, yellow=0.0)
"""The effective green is the green: a fluid serves each vehicle in the middle of its headway of 2 s."""


def road(id: str, start: str, end: str, length: float = 300.0, lanes: int = 1) -> tuple[Edge, list[Lane]]:
    names = tuple(f"{id}_{i}" for i in range(lanes))
    edge = Edge(id, "", start, end, names, length, SPEED, 1, ())
    return edge, [Lane(name, id, length, SPEED, (), (), True, VEHICLE_CLASSES) for name in names]


def link(start: str, end: str, index: int, direction: str = "s", length: float = 0.0) -> Link:
    return Link(index, start, end, "", direction, length, SPEED, crossing=False)


def intersection(id: str, links: Sequence[Link], yields: Sequence[tuple[int, int]] = ()) -> Intersection:
    n = len(links)
    matrix = np.zeros((n, n), dtype=np.bool_)
    for a, b in yields:
        matrix[a, b] = True
    program = Timing((Stage("G" * n, 60.0),))
    return Intersection(
        id, id, (0.0, 0.0), (id,), tuple(links), n, (), (), (), (), program, "0", 3.0, 0.0, matrix | matrix.T, matrix
    )  # fmt: skip


def network(roads: Sequence[tuple[Edge, list[Lane]]], *places: Intersection) -> Network:
    lanes = {lane.id: lane for _, row in roads for lane in row}
    links = tuple(link for place in places for link in place.links)
    return Network("by hand", {e.id: e for e, _ in roads}, lanes, {p.id: p for p in places}, {}, links)


def street(signals: int = 1, length: float = 300.0) -> Network:
    """One lane through ``signals`` signals J0, J1, …; roads r0, r1, …"""
    roads = [road(f"r{i}", f"J{i - 1}", f"J{i}", length) for i in range(signals + 1)]
    return network(
        roads, *(intersection(f"J{i}", [link(f"r{i}_0", f"r{i + 1}_0", 0)]) for i in range(signals))
    )


def timing(green: float, cycle: float, offset: float = 0.0) -> Timing:
    return Timing((Stage("G", green, (Interval("r", cycle - green),)),), offset)


def steady(
    headway: float, end: float, route: Sequence[str], type: VehicleClass = PUNCTUAL, first: float = 0.0
) -> Demand:
    """Vehicles at equal headways from ``first`` on."""
    times = np.arange(first, end, headway)
    return make_demand([(float(t), type.id, route) for t in times], [type], 0.0, end)


@pytest.fixture(scope="session")
def hand() -> SimpleNamespace:
    """The makers above, since test modules do not import each other."""
    return SimpleNamespace(
        road=road, link=link, intersection=intersection, network=network, street=street, timing=timing,
        steady=steady, PUNCTUAL=PUNCTUAL, TEXTBOOK=TEXTBOOK, SPEED=SPEED,
    )  # fmt: skip
