"""Cities of any size for the benchmarks of the model: a grid of signals and trips of a few streets in it.

Demand is made here and not by randomTrips and duarouter, which take minutes for 100 000 vehicles: the ways
are shortest paths between two roads, on travel times that are changed at random by up to a fifth, so that
not everybody takes the same street.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from denxanh.sim.demand.demand import Demand, make_demand
from denxanh.sim.network import Network
from denxanh.sim.sumo.wheel import run_program

SPACING = 200.0  # m between signals, and of the roads at the rim
NEAREST, FARTHEST = 500.0, 2000.0  # m, length of a trip: as far as a small city allows
HOUR = 3600.0  # s of departures


def grid_net(columns: int, rows: int, folder: Path) -> Path:
    """The net file of a grid of signals with three lanes a direction, made by netgenerate."""
    net = folder / f"grid-{columns}x{rows}.net.xml"
    if not net.exists():
        options = (
            f"--grid --grid.x-number {columns} --grid.y-number {rows} --grid.length {SPACING:g} "
            f"--grid.attach-length {SPACING:g} -L 3 -j traffic_light --tls.yellow.time 3 --no-turnarounds"
        )
        run_program("netgenerate", [*options.split(), "-o", net.name], folder=folder)
    return net


def trips(network: Network, vehicles: int, seed: int) -> Demand:
    """Departures at random within an hour, between roads at random that are NEAREST to FARTHEST m apart."""
    rng = np.random.default_rng(seed)
    names = [edge for edge, road in network.edges.items() if road.lanes]
    number = {name: i for i, name in enumerate(names)}
    joined = {
        (number[network.lanes[link.start].edge], number[network.lanes[link.end].edge])
        for link in (
            *network.links,
            *(k for intersection in network.intersections.values() for k in intersection.links),
        )
        if not link.crossing
    }
    start, end = np.array(sorted(joined)).T
    time = np.array([network.edges[name].length / network.edges[name].speed for name in names])
    length = np.array([network.edges[name].length for name in names])
    cost = time[end] * rng.uniform(0.9, 1.1, len(end))
    graph = csr_array((cost, (start, end)), shape=(len(names), len(names)))
    before = dijkstra(graph, return_predecessors=True)[1]
    far = dijkstra(csr_array((length[end], (start, end)), shape=graph.shape))
    pairs = np.argwhere((far >= NEAREST) & (far <= FARTHEST))
    drawn = pairs[rng.integers(len(pairs), size=vehicles)]
    ways: dict[tuple[int, int], tuple[str, ...]] = {}
    for origin, destination in np.unique(drawn, axis=0).tolist():
        ways[origin, destination] = tuple(names[i] for i in _path(before[origin], origin, destination))
    depart = np.sort(rng.uniform(0.0, HOUR, vehicles))
    return make_demand(
        [(t, "DEFAULT_VEHTYPE", ways[o, d]) for t, (o, d) in zip(depart, drawn.tolist(), strict=True)],
        end=HOUR,
    )


def _path(before: NDArray[np.int32], origin: int, destination: int) -> Sequence[int]:
    """Roads from ``origin`` to ``destination`` by each road's predecessor."""
    path = [destination]
    while path[-1] != origin:
        path.append(int(before[path[-1]]))
    return path[::-1]


def write_routes(demand: Demand, file: Path) -> Path:
    """The same vehicles for SUMO."""
    lines = [
        f'<vehicle id="{v}" depart="{t:.2f}"><route edges="{" ".join(demand.routes[r])}"/></vehicle>'
        for v, (t, r) in enumerate(zip(demand.depart, demand.route, strict=True))
    ]
    file.write_text("<routes>\n" + "\n".join(lines) + "\n</routes>\n", encoding="utf-8")
    return file
