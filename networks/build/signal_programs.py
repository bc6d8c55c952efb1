"""Signal programs: the state of each link in each phase, from the stages and the right of way of the network.

A link served by a stage is ``G``, or ``g`` where it must yield to another link that
the same stage serves. Between two stages, links that lose their green are yellow, then red;
links that keep it stay green (SUMO, "Traffic Lights", Simulation/Traffic_Lights.html).
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
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


@dataclass(frozen=True, slots=True)
class Phase:
    """A SUMO phase: one letter per link, for ``duration`` seconds."""

    duration: float
    state: str


@dataclass(frozen=True, slots=True)
class Program:
    """A complete SUMO signal program."""

    signal: str
    name: str
    offset: float
    phases: tuple[Phase, ...]
    links: tuple[Link, ...]


def links(net: ET.Element, signal: str) -> tuple[Link, ...]:
    """Return the links of a signal, by index, from a SUMO net in which each signal has one junction.

    A junction's ``request`` lists its connections in the order of its ``incLanes``; ``response`` is a bit
    string read from the right (SUMO, Networks/SUMO_Road_Networks.html#requests).
    """
    junction = next(j for j in net.iterfind("junction") if j.get("id") == signal)
    order = {lane: i for i, lane in enumerate(junction.get("incLanes", "").split())}
    # Connections that the signal does not control have a request too.
    mine = [c for c in net.iterfind("connection") if f"{c.get('from')}_{c.get('fromLane')}" in order]
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
                )
                for i, c in enumerate(mine)
                if c.get("tl") == signal
            ),
            key=lambda link: link.index,
        )
    )


def program(signal: Signal, plan: Plan, all_links: tuple[Link, ...]) -> Program:
    """Return the program of ``signal`` under ``plan`` for the links of the built net.

    The program starts with the first stage's green; ``offset`` moves that start to ``offset`` seconds
    after the origin of the cycle.
    """
    served = [
        frozenset(k.index for k in all_links if (whole(k.start), k.end) in stage) for stage in signal.stages
    ]
    phases: list[Phase] = []
    for number, stage in enumerate(served):
        phases.append(Phase(signal.green[number], _green(all_links, stage)))
        if len(served) == 1:
            continue
        following = served[(number + 1) % len(served)]
        kept = stage & following
        held = _green(all_links, kept)
        yellow = "".join(
            "y" if k.index in stage - kept else letter for k, letter in zip(all_links, held, strict=True)
        )
        phases += [Phase(plan.yellow, yellow), Phase(plan.all_red, held)]
    phases = [p for p in phases if p.duration > 0]
    return Program(signal.node, plan.name, signal.offset, tuple(phases), all_links)


def _green(all_links: tuple[Link, ...], served: frozenset[int]) -> str:
    """Return the state of one stage: G; g where a link yields to another link that is served; r elsewhere."""
    return "".join("r" if k.index not in served else "g" if k.yields_to & served else "G" for k in all_links)
