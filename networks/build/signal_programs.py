"""Signal programs: the state of each link in each phase, from the stages and the right of way of the network.

A link served by a stage is ``G``, or ``g`` where it must yield to another link that
the same stage serves. Between two stages, links that lose their green are yellow, then red;
links that keep it stay green (SUMO, "Traffic Lights", Simulation/Traffic_Lights.html). Crossings, where a place
has some, are green from the begin of a stage until the walk across just ends before the next stage begins.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Collection
from dataclasses import dataclass

from denxanh.networks.place.place import Plan, Signal
from denxanh.networks.place.pockets import whole


@dataclass(frozen=True, slots=True)
class Link:
    """One signalised connection of the net; ``yields_to`` are the indices of the links it yields to."""

    index: int
    start: str  # edge id
    end: str  # edge id
    start_lane: int
    end_lane: int
    yields_to: frozenset[int]
    turn: str  # SUMO's direction: "s" straight, others turn


@dataclass(frozen=True, slots=True)
class Crossing:
    """A crossing on foot at a signal of the net; ``foes`` are the indices of the links that cross it."""

    index: int
    over: frozenset[str]  # edge ids
    clearance: float  # s to walk across
    foes: frozenset[int]


@dataclass(frozen=True, slots=True)
class Phase:
    """A SUMO phase: one letter per link, for ``duration`` seconds; ``least`` s at least where a controller decides."""

    duration: float
    state: str
    least: float = 0.0


@dataclass(frozen=True, slots=True)
class Program:
    """A complete SUMO signal program."""

    signal: str
    name: str
    offset: float
    phases: tuple[Phase, ...]
    links: tuple[Link, ...]
    crossings: tuple[Crossing, ...] = ()  # those that are green for a time


WALK = 7.0  # s of green in which people on foot start (MUTCD 2009, section 4E.06)


def links(net: ET.Element, signal: str) -> tuple[Link, ...]:
    """Return the links of a signal, by index, from a SUMO net in which each signal has one junction.

    A junction's ``request`` lists its connections in the order of its ``incLanes``; ``response`` is a bit
    string read from the right (SUMO, Networks/SUMO_Road_Networks.html#requests).
    """
    junction = next(j for j in net.iterfind("junction") if j.get("id") == signal)
    order = {lane: i for i, lane in enumerate(junction.get("incLanes", "").split())}
    # Connections that the signal does not control have a request too.
    mine = [
        c
        for c in net.iterfind("connection")
        if f"{c.get('from')}_{c.get('fromLane')}" in order and not on_foot(c)
    ]
    # Connections of one lane are written in the order of their requests: a stable sort keeps it.
    mine.sort(key=lambda c: order[f"{c.get('from')}_{c.get('fromLane')}"])
    index = [int(c.get("linkIndex", "-1")) for c in mine]
    requests = {int(r.get("index", "-1")): r.get("response", "") for r in junction.iterfind("request")}
    return tuple(
        sorted(
            (
                Link(
                    index=index[i],
                    start=c.get("from", ""),
                    end=c.get("to", ""),
                    start_lane=int(c.get("fromLane", "-1")),
                    end_lane=int(c.get("toLane", "-1")),
                    yields_to=frozenset(
                        index[j]
                        for j, bit in enumerate(reversed(requests[i]))
                        if bit == "1" and j < len(index) and index[j] >= 0
                    ),
                    turn=c.get("dir", ""),
                )
                for i, c in enumerate(mine)
                if c.get("tl") == signal
            ),
            key=lambda link: link.index,
        )
    )


def on_foot(connection: ET.Element) -> bool:
    """Return whether a connection begins or ends at a crossing or a corner of the pavement."""
    return ":" in (connection.get("from", "")[:1], connection.get("to", "")[:1])


def program(
    signal: Signal, plan: Plan, all_links: tuple[Link, ...], crossings: Collection[Crossing] = ()
) -> Program:
    """Return the program of ``signal`` under ``plan`` for the links and crossings of the built net.

    The program starts with the first stage's green; ``offset`` moves that start to ``offset`` seconds
    after the origin of the cycle. Crossings that no stage has the time for stay red.
    """
    served = [
        frozenset(k.index for k in all_links if (whole(k.start), k.end) in stage) for stage in signal.stages
    ]
    change = plan.yellow + plan.all_red
    phases: list[Phase] = []
    shown: set[Crossing] = set()
    for number, stage in enumerate(served):
        room = signal.green[number] - WALK  # s that the end of the walk may last while vehicles have green
        walked = [
            c for c in crossings if c.clearance - change <= room and _crosses_beside(c, stage, all_links)
        ]
        shown.update(walked)
        ending = max([0.0, *(c.clearance - change for c in walked)])
        green = _green(all_links, stage, walked)
        red = "r" * len(crossings)
        on = "".join("G" if c in walked else "r" for c in crossings)
        phases.append(Phase(signal.green[number] - ending, green + on, WALK if walked else 0.0))
        phases.append(Phase(ending, green + red))
        if len(served) == 1:
            continue
        following = served[(number + 1) % len(served)]
        kept = stage & following
        held = _green(all_links, kept)
        yellow = "".join(
            "y" if k.index in stage - kept else letter for k, letter in zip(all_links, held, strict=True)
        )
        phases += [Phase(plan.yellow, yellow + red), Phase(plan.all_red, held + red)]
    phases = [p for p in phases if p.duration > 0]
    return Program(signal.node, plan.name, signal.offset, tuple(phases), all_links, tuple(shown))


def _green(all_links: tuple[Link, ...], served: frozenset[int], walked: Collection[Crossing] = ()) -> str:
    """Return the state of one stage: G; g where a link yields to another one that is served; r elsewhere."""
    crossed = frozenset[int]().union(*(c.foes for c in walked))
    return "".join(
        "r" if k.index not in served else "g" if k.yields_to & served or k.index in crossed else "G"
        for k in all_links
    )


def _crosses_beside(crossing: Crossing, stage: frozenset[int], all_links: tuple[Link, ...]) -> bool:
    """Return whether people may walk in a stage: beside its through traffic, before turning traffic, which yields.

    They do not walk before a turn that the stage serves without the through traffic of its road (a protected turn).
    """
    through: dict[str, set[int]] = {}
    for link in all_links:
        if link.turn == "s":
            through.setdefault(link.start, set()).add(link.index)
    for link in all_links:
        if link.index in stage & crossing.foes:
            beside = through.get(link.start)
            if link.turn == "s" or (beside is not None and not beside & stage):
                return False
    return bool(stage)
