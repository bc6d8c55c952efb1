"""People on foot at a place: pavements, crossings at the signals, their time to walk, and synthetic walks.

An option of a built-in place (``ha-noi/pho-hue:foot``), off by default, since everything of it is assumed: every arm of
a signalised junction has a crossing, and as many people use each of them.
"""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET
from collections.abc import Collection, Iterator
from xml.sax.saxutils import quoteattr

import numpy as np

from denxanh.networks.build import plain_xml
from denxanh.networks.build.signal_programs import Crossing, on_foot
from denxanh.networks.place import pockets
from denxanh.networks.place.place import Place
from denxanh.sim.sumo.program import WALKING

PAVEMENT = 2.0  # m, assumed; SUMO's default width of a sidewalk
WIDTH = 4.0  # m, SUMO's default width of a crossing
# people an hour at each crossing in the hour with the most traffic: assumed, no counts were found
PER_HOUR = 100.0
BEFORE = 15.0  # m from the junction at which a walk begins and ends, assumed

Arm = tuple[str, frozenset[str]]
"""One arm of a junction: the node and the edges of the built network that its crossing leads over."""


def arms(place: Place) -> tuple[Arm, ...]:
    """Return the arms of all signalised junctions, in the order of the place's file."""
    found: dict[tuple[str, str], set[str]] = {}
    for signal in place.signals:
        for edge in place.edges.values():
            if signal.node in (edge.start, edge.end):
                last = edge.id in place.pockets and edge.end == signal.node
                id = pockets.stop_of(edge.id) if last else edge.id
                found.setdefault((signal.node, edge.id.removeprefix("-")), set()).add(id)
    return tuple((node, frozenset(edges)) for (node, _), edges in found.items())


def elements(chosen: Collection[Arm]) -> Iterator[str]:
    """Yield the ``crossing`` elements of the plain connections file."""
    for node, edges in chosen:
        yield plain_xml.element(
            "crossing", node=node, edges=" ".join(sorted(edges)), width=f"{WIDTH:g}", priority="true"
        )


def crossings(net: ET.Element, signal: str) -> tuple[Crossing, ...]:
    """Return the crossings of a signal in a built network, in the order of their letters."""
    junction = next(j for j in net.iterfind("junction") if j.get("id") == signal)
    foes = {int(r.get("index", "-1")): r.get("foes", "") for r in junction.iterfind("request")}
    order = {lane: i for i, lane in enumerate(junction.get("incLanes", "").split())}
    mine = [
        c
        for c in net.iterfind("connection")
        if f"{c.get('from')}_{c.get('fromLane')}" in order and (not on_foot(c) or c.get("tl") == signal)
    ]
    # requests are numbered with the connections that the signal does not control, letters without them
    mine.sort(key=lambda c: order[f"{c.get('from')}_{c.get('fromLane')}"])
    letter = [int(c.get("linkIndex", "-1")) for c in mine]
    request = {c.get("to", ""): k for k, c in enumerate(mine)}
    out = []
    for edge in net.iterfind("edge"):
        if edge.get("function") != "crossing" or edge.get("id") not in request:
            continue
        k = request[edge.get("id", "")]
        length = max(float(lane.get("length", "nan")) for lane in edge.iterfind("lane"))
        crossed = (j for j, bit in enumerate(reversed(foes[k])) if bit == "1" and j < len(letter))
        out.append(
            Crossing(
                index=letter[k],
                over=frozenset(edge.get("crossingEdges", "").split()),
                clearance=float(math.ceil(length / WALKING)),
                foes=frozenset(letter[j] for j in crossed if letter[j] >= 0),
            )
        )
    return tuple(sorted(out, key=lambda crossing: crossing.index))


def walks(place: Place, net: ET.Element, chosen: Collection[Arm]) -> str:
    """Return the route file of the people on foot: PER_HOUR for each crossing, as the traffic varies over the day.

    Each walks between two pavements of one junction, drawn among those with a crossing on the way between them, and
    departs at a random time.
    """
    rng = np.random.default_rng(place.demand.seed)
    lengths = {
        edge.get("id", ""): float(lane.get("length", "nan"))
        for edge in net.iterfind("edge")
        for lane in edge.iterfind("lane")
        if lane.get("allow") == "pedestrian" and edge.get("function") is None
    }
    people: list[tuple[float, str, str, str]] = []
    for signal in place.signals:
        count = sum(node == signal.node for node, _ in chosen)
        ways = _ways(net, signal.node, lengths)
        if not ways:
            continue
        for slot in place.demand.slots:
            mean = PER_HOUR * count * slot.factor * (slot.end - slot.begin) / 3600
            people += [
                (float(depart), signal.node, *ways[int(rng.integers(len(ways)))])
                for depart in rng.uniform(slot.begin, slot.end, rng.poisson(mean))
            ]
    at_end = {edge.get("id", ""): edge.get("to", "") for edge in net.iterfind("edge")}

    def position(edge: str, node: str) -> str:
        near = min(BEFORE, lengths[edge] / 2)
        return f"{lengths[edge] - near if at_end[edge] == node else near:.2f}"

    lines = []
    for number, (depart, node, start, end) in enumerate(sorted(people)):
        lines += [
            f'<person id="foot.{number}" depart="{depart:.2f}" departPos="{position(start, node)}">',
            f'    <walk from={quoteattr(start)} to={quoteattr(end)} arrivalPos="{position(end, node)}"/>',
            "</person>",
        ]
    return plain_xml.document("routes", lines)


def _ways(net: ET.Element, node: str, pavements: Collection[str]) -> list[tuple[str, str]]:
    """The pairs of pavements of a junction between which the way with the fewest parts has a crossing."""
    inside = re.compile(rf":{re.escape(node)}_[cw][0-9]+")
    beside: dict[str, set[str]] = {}
    for connection in net.iterfind("connection"):
        pair = connection.get("from", ""), connection.get("to", "")
        if any(inside.fullmatch(one) for one in pair):
            for one, other in (pair, pair[::-1]):
                beside.setdefault(one, set()).add(other)
    corners = sorted(one for one in beside if one in pavements)
    out = []
    for start in corners:
        before: dict[str, str] = {start: ""}
        queue = [start]
        for one in queue:
            if one == start or one not in pavements:
                fresh = sorted(beside[one] - before.keys())
                before |= dict.fromkeys(fresh, one)
                queue += fresh
        for end in corners:
            path, one = [], before.get(end, "")
            while one:
                path.append(one)
                one = before[one]
            if end != start and any(part.startswith(f":{node}_c") for part in path):
                out.append((start, end))
    return out
