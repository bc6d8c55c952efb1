"""Plain XML of a place, netconvert's input: nodes, edges, connections, signal programs."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator
from xml.sax.saxutils import quoteattr

from denxanh.networks.build.signal_programs import Program
from denxanh.networks.place import pockets
from denxanh.networks.place.geometry import Point, length, shifted
from denxanh.networks.place.place import Edge, Place

BUS_STOP = 15.0  # m, room for one bus


def nodes(place: Place) -> str:
    """Return the ``.nod.xml`` text; a signalised junction has a signal with the same id."""
    signalised = {s.node for s in place.signals}
    lines = [_node(n.id, n.at, **_control(n.id, n.gate, signalised)) for n in place.nodes.values()]
    lines += [
        _node(
            pockets.node_of(id),
            pockets.cut(place.edges[id])[1][0],
            type="priority",
            radius=f"{pockets.RADIUS:g}",
        )
        for id in sorted(place.pockets)
    ]
    return document("nodes", lines)


def _node(id: str, at: Point, **attributes: str) -> str:
    return element("node", id=id, x=f"{at[0]:.2f}", y=f"{at[1]:.2f}", **attributes)


def _control(id: str, gate: bool, signalised: set[str]) -> dict[str, str]:
    if id in signalised:
        return {"type": "traffic_light", "tl": id}
    return {} if gate else {"type": "priority"}


def edges(place: Place, *, pavement: float = 0.0) -> str:
    """Return the ``.edg.xml`` text; wider streets have priority over narrower ones. ``pavement``: its width, m."""
    lines: list[str] = []
    for e in place.edges.values():
        spread = "right" if _has_reverse(place, e.id) else "center"
        if e.id not in place.pockets:
            lines.append(_edge(e, e.id, e.start, e.end, e.line, spread, pavement=pavement))
            continue
        before, along = pockets.cut(e)
        node = pockets.node_of(e.id)
        lines.append(_edge(e, e.id, e.start, node, before, spread, pavement=pavement))
        if spread == "center":  # the pocket is added outside of the lanes, which keep their position
            along = shifted(along, pockets.WIDTH / 2)
        lines += [
            _edge(e, pockets.stop_of(e.id), node, e.end, along, spread, more=1, pavement=pavement).replace(
                "/>", ">"
            ),
            "    " + element("lane", index="0", allow=pockets.ALLOWED, width=f"{pockets.WIDTH:g}"),
            "</edge>",
        ]
    return document("edges", lines)


def _edge(
    edge: Edge,
    id: str,
    start: str,
    end: str,
    line: tuple[Point, ...],
    spread: str,
    *,
    more: int = 0,
    pavement: float = 0.0,
) -> str:
    """Return an edge, or a part of one with ``more`` lanes."""
    return element(
        "edge",
        id=id,
        **{"from": start, "to": end},
        name=edge.street,
        numLanes=str(edge.lanes + more),
        speed=f"{edge.speed:.2f}",
        width=f"{edge.lane_width:.2f}",
        priority=str(edge.lanes),
        shape=_shape(line),
        spreadType=spread,
        **({"sidewalkWidth": f"{pavement:g}"} if pavement else {}),
    )


def _has_reverse(place: Place, id: str) -> bool:
    return (id[1:] if id.startswith("-") else f"-{id}") in place.edges


def _shape(line: tuple[Point, ...]) -> str:
    return " ".join(f"{x:.2f},{y:.2f}" for x, y in line)


def connections(
    place: Place,
    crossings: Iterable[str] = (),
    *,
    pavement: bool = False,
    shared_right: float | None = None,
) -> str:
    """Return the ``.con.xml`` text: every permitted turn, lane by lane, and the elements ``crossings``.

    ``shared_right`` (m/s) is the speed of the right turns of `Place.shared_rights`; None leaves it to their curve.

    Where two-wheelers may turn right on red they have their own lane, whose connection the signal does not
    control; the right turn of the other lanes is closed to them, so that none of them queues there. A pavement is
    lane 0 of each edge.
    """
    lines: list[str] = []
    kerb = int(pavement)
    for id in sorted(place.pockets):
        lanes = place.edges[id].lanes
        ways = ((kerb + i, kerb + i + 1) for i in range(lanes))
        lines += [_connection(id, pockets.stop_of(id), a, b) for a, b in ways]
    shared = place.shared_rights() if shared_right is not None else frozenset()
    slow = {"speed": f"{shared_right:g}"} if shared_right is not None else {}
    for t in place.turns:
        start, more, first = t.start, {}, kerb
        if t.start in place.pockets:
            start, first = pockets.stop_of(t.start), kerb + 1
            if t.direction == "right":
                more = {"disallow": pockets.ALLOWED}
                lines.append(_connection(start, t.end, kerb, kerb, uncontrolled="true"))
        lines += [
            _connection(start, t.end, first + a, kerb + b, **more, **(slow if (t, a) in shared else {}))
            for a, b in t.lanes
        ]
    return document("connections", [*lines, *crossings])


def _connection(start: str, end: str, start_lane: int, end_lane: int, **more: str) -> str:
    return element(
        "connection", **{"from": start, "to": end}, fromLane=str(start_lane), toLane=str(end_lane), **more
    )


def bus_stops(place: Place, net: ET.Element) -> str:
    """Return the additional file with the bus stops, on the kerb lane of the built net's edges."""
    size = {lane.get("id", ""): float(lane.get("length", "nan")) for lane in net.iterfind("edge/lane")}
    paved = {lane.get("id") for lane in net.iterfind("edge/lane") if lane.get("allow") == "pedestrian"}
    kerb = [lane for lane in size if lane not in paved]
    lines: list[str] = []
    for stop in place.bus_stops:
        lane = next(lane for lane in kerb if lane.rpartition("_")[0] == stop.edge)
        # The edge is shorter than the street by the areas of its junctions.
        middle = stop.position / length(place.edges[stop.edge].line) * size[lane]
        begin, end = f"{middle - BUS_STOP / 2:.1f}", f"{middle + BUS_STOP / 2:.1f}"
        lines.append(element("busStop", id=stop.id, name=stop.name, lane=lane, startPos=begin, endPos=end))
    return document("additional", lines)


def programs(all_programs: Iterable[Program]) -> str:
    """Return the ``.tll.xml`` text: every signal program and the link index of every connection."""
    lines: list[str] = []
    for program in all_programs:
        lines += logic(program)
        lines += [
            element(
                "connection",
                **{"from": link.start, "to": link.end},
                fromLane=str(link.start_lane),
                toLane=str(link.end_lane),
                tl=program.signal,
                linkIndex=str(link.index),
            )
            for link in program.links
        ]
    return document("tlLogics", lines)


def logic(program: Program) -> Iterator[str]:
    """Yield the lines of a ``tlLogic`` element."""
    yield (
        f'<tlLogic id={quoteattr(program.signal)} type="static" programID={quoteattr(program.name)}'
        f' offset="{program.offset:g}">'
    )
    for phase in program.phases:
        least = f' minDur="{phase.least:g}"' if phase.least else ""
        yield f'    <phase duration="{phase.duration:g}" state="{phase.state}"{least}/>'
    yield "</tlLogic>"


def document(root: str, lines: Iterable[str]) -> str:
    """Return an XML document whose root element holds ``lines``."""
    body = "".join(f"    {line}\n" for line in lines)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{root}>\n{body}</{root}>\n'


def element(tag: str, **attributes: str) -> str:
    """Return an empty XML element."""
    return f"<{tag} " + " ".join(f"{k}={quoteattr(v)}" for k, v in attributes.items()) + "/>"
