"""From a place to the plain XML that netconvert reads: nodes, edges, connections, signal programs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from xml.sax.saxutils import quoteattr

from networks.geometry import Point
from networks.place import Place
from networks.signals import Program


def nodes(place: Place) -> str:
    """Return the ``.nod.xml`` text; signalised junctions carry the signal of the same id."""
    signalised = {s.node for s in place.signals}
    return document(
        "nodes",
        (
            element(
                "node", id=n.id, x=f"{n.at[0]:.2f}", y=f"{n.at[1]:.2f}", **_control(n.id, n.gate, signalised)
            )
            for n in place.nodes.values()
        ),
    )


def _control(id: str, gate: bool, signalised: set[str]) -> dict[str, str]:
    if id in signalised:
        return {"type": "traffic_light", "tl": id}
    return {} if gate else {"type": "priority"}


def edges(place: Place) -> str:
    """Return the ``.edg.xml`` text; wider streets have priority over narrower ones."""
    return document(
        "edges",
        (
            element(
                "edge",
                id=e.id,
                **{"from": e.start, "to": e.end},
                name=e.street,
                numLanes=str(e.lanes),
                speed=f"{e.speed:.2f}",
                width=f"{e.lane_width:.2f}",
                priority=str(e.lanes),
                shape=_shape(e.line),
                spreadType="right" if _has_reverse(place, e.id) else "center",
            )
            for e in place.edges.values()
        ),
    )


def _has_reverse(place: Place, id: str) -> bool:
    return (id[1:] if id.startswith("-") else f"-{id}") in place.edges


def _shape(line: tuple[Point, ...]) -> str:
    return " ".join(f"{x:.2f},{y:.2f}" for x, y in line)


def connections(place: Place) -> str:
    """Return the ``.con.xml`` text: every permitted turn, lane by lane."""
    return document(
        "connections",
        (
            element("connection", **{"from": t.start, "to": t.end}, fromLane=str(a), toLane=str(b))
            for t in place.turns
            for a, b in t.lanes
        ),
    )


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
        yield f'    <phase duration="{phase.duration:g}" state="{phase.state}"/>'
    yield "</tlLogic>"


def document(root: str, lines: Iterable[str]) -> str:
    """Return an XML document whose root element holds ``lines``."""
    body = "".join(f"    {line}\n" for line in lines)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{root}>\n{body}</{root}>\n'


def element(tag: str, **attributes: str) -> str:
    """Return an empty XML element."""
    return f"<{tag} " + " ".join(f"{k}={quoteattr(v)}" for k, v in attributes.items()) + "/>"
