"""Target degrees of saturation of a place's approaches, and the seeded draws by which its file got them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from denxanh.networks.place.place import Edge, Node, Place
from denxanh.networks.place.schema import Draws, PlaceFile, Turning
from denxanh.networks.place.selectors import Approaches
from denxanh.sim.errors import InputError


def saturation(
    file: PlaceFile, period: str, nodes: Mapping[str, Node], edges: Mapping[str, Edge], location: str
) -> dict[str, float]:
    """Return the target degree of saturation of every edge that ends at a signal.

    Raises:
        InputError: an approach has no target, or a name is no approach of its signal.
    """
    found: dict[str, float] = {}
    chain = _chain(file, period, location)
    for id, signal in file.signals.items():
        arriving = [e for e in edges.values() if e.end == id]
        if id not in nodes:  # refused where the signals are read
            continue
        unknown = sorted(set(signal.saturation) - set(file.demand))
        if unknown:
            raise InputError(
                f"there is no demand '{unknown[0]}'",
                location=f"{location}: signals.{id}.saturation",
                remedy=f"choose from {', '.join(sorted(file.demand))}",
            )
        given: dict[tuple[str, str], float] = {}  # by demand and edge
        for name, by_approach in signal.saturation.items():
            place = f"{location}: signals.{id}.saturation.{name}"
            approaches = Approaches(nodes[id], arriving, place)
            for text, target in by_approach.items():
                edge = approaches.edge(text)
                if (name, edge) in given:
                    raise InputError(f"'{text}' names an approach a second time", location=place)
                given[name, edge] = target
        for edge in (e.id for e in arriving):
            values = [
                factor * value
                for name, factor in chain
                for value in (given.get((name, edge)), file.demand[name].saturation)
                if value is not None
            ]
            if not values:
                raise InputError(
                    f"no degree of saturation is given for {edges[edge].street} ({edge})",
                    location=f"{location}: signals.{id}",
                    remedy=f"add it to saturation.{period}, or give demand.{period}.saturation",
                )
            found[edge] = values[0]
    return found


def _chain(file: PlaceFile, period: str, location: str) -> list[tuple[str, float]]:
    """Return the demands whose targets count for ``period``, the first that has one, with their factors."""
    chain = [(period, 1.0)]
    while (like := file.demand[chain[-1][0]].like) is not None:
        place = f"{location}: demand.{chain[-1][0]}.like"
        if like not in file.demand:
            raise InputError(
                f"there is no demand '{like}'",
                location=place,
                remedy=f"choose from {', '.join(sorted(file.demand))}",
            )
        if file.demand[chain[-1][0]].saturation is not None:
            raise InputError(
                f"it has the degrees of saturation of '{like}' and one of its own",
                location=place,
                remedy="keep 'like' or 'saturation'",
            )
        if like in (name for name, _ in chain):
            raise InputError(f"the demand '{like}' refers to itself", location=place)
        chain.append((like, chain[-1][1] * file.demand[chain[-1][0]].factor))
    return chain


def approach_names(place: Place) -> dict[str, dict[str, str]]:
    """Return for each signal the edges that arrive at it with the texts that name them in a place file."""
    found: dict[str, dict[str, str]] = {}
    for signal in place.signals:
        arriving = [e for e in place.edges.values() if e.end == signal.node]
        approaches = Approaches(place.nodes[signal.node], arriving, signal.node)
        found[signal.node] = {e.id: approaches.name(e.id) for e in arriving}
    return found


def draw_saturation(draws: Draws, junction: str, approaches: Iterable[str]) -> dict[str, float]:
    """Return a degree of saturation for each approach of a junction, uniform within the range of ``draws``.

    Each approach has its own random stream, so that another street leaves the other values unchanged.
    """
    return {
        name: round(float(_stream(draws, junction, name).uniform(*draws.saturation)), 2)
        for name in approaches
    }


def draw_turning(draws: Draws, junction: str, turning: Turning) -> Turning:
    """Return the turn weights of a junction: left and right turns by factors drawn about those of the place.

    The logarithm of each factor is uniform, so that half and double are equally frequent.
    """
    left, right = draws.turning ** _stream(draws, junction, "turning").uniform(-1, 1, 2)
    return Turning(
        through=turning.through, left=round(turning.left * left, 3), right=round(turning.right * right, 3)
    )


def _stream(draws: Draws, junction: str, name: str) -> np.random.Generator:
    return np.random.default_rng([draws.seed, *f"{junction} {name}".encode()])
