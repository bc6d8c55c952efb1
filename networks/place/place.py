"""A place: streets in metres, turns at junctions, signals, plans and demand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from denxanh.networks.place import vehicles
from denxanh.networks.place.geometry import Point
from denxanh.sim.scenario import ASSUMED

Direction = Literal["left", "through", "right"]


@dataclass(frozen=True, slots=True)
class Node:
    """A junction, or the open end of a street (``gate``), where vehicles enter and leave."""

    id: str
    at: Point
    name: str = ""
    gate: bool = False


@dataclass(frozen=True, slots=True)
class Edge:
    """One direction of a street between two nodes."""

    id: str
    street: str
    start: str  # node id
    end: str  # node id
    lanes: int
    lane_width: float  # m
    speed: float  # m/s
    line: tuple[Point, ...]  # from the start node to the end node, both included
    arrows: str = ""  # the turn arrows at its end as OpenStreetMap writes them, "" where unmarked


@dataclass(frozen=True, slots=True)
class Turn:
    """A permitted turn at a junction, from one edge to another."""

    start: str  # edge id
    end: str  # edge id
    direction: Direction
    share: float  # of the vehicles on ``start``
    lanes: tuple[tuple[int, int], ...]  # (lane of ``start``, lane of ``end``), 0 at the kerb


@dataclass(frozen=True, slots=True)
class Signal:
    """The signal of one junction: its stages and their timing."""

    node: str
    stages: tuple[frozenset[tuple[str, str]], ...]  # (from edge, to edge) served by each stage
    green: tuple[float, ...]  # s, one per stage
    offset: float  # s, start of the first stage's green after the cycle's origin


@dataclass(frozen=True, slots=True)
class Plan:
    """Cycle and change intervals that the signals of a place share in one part of the day."""

    name: str
    cycle: float  # s
    yellow: float  # s
    all_red: float  # s
    source: str = ASSUMED  # a reference where the plan was seen or published
    cycle_source: str = ""  # of an assumed plan: reference of its cycle, "" where that is assumed too


@dataclass(frozen=True, slots=True)
class Slot:
    """An interval of constant traffic: its volume and its mix."""

    begin: float  # s
    end: float  # s
    factor: float  # inflow relative to the inflow that gives the target degrees of saturation
    mix: Mapping[str, float]  # shares by vehicle type, of real vehicles


@dataclass(frozen=True, slots=True)
class Demand:
    """Synthetic demand, given by degrees of saturation instead of counts."""

    title: str
    saturation: Mapping[str, float]  # target of each signalised approach (edge id) under the place's plan
    mix: str  # name of the slots' mixes
    slots: tuple[Slot, ...]
    seed: int

    @property
    def begin(self) -> float:
        """Begin of the first slot, s."""
        return self.slots[0].begin

    @property
    def end(self) -> float:
        """End of the last slot, s."""
        return self.slots[-1].end


@dataclass(frozen=True, slots=True)
class BusStop:
    """A bus stop at the kerb."""

    id: str
    name: str
    edge: str  # edge id
    position: float  # m from the start of the edge


@dataclass(frozen=True, slots=True)
class BusLine:
    """One direction of a bus line; its buses are in addition to those of the mix."""

    id: str
    route: tuple[str, ...]  # edge ids
    headway: float  # s
    dwell: float  # s at each stop
    stops: tuple[str, ...]  # stop ids in the order of the route


@dataclass(frozen=True, slots=True)
class Switch:
    """A change of plan: from ``at`` (s) on the signals run ``plan``."""

    at: float
    plan: Plan
    signals: tuple[Signal, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Complete description of a place that is built into a SUMO scenario; ids are ASCII, names Vietnamese.

    ``plan`` and ``signals`` are those under which the demand has its degrees of saturation. They are also the
    plan that runs, unless ``switches`` is not empty.
    """

    name: str
    title: str
    title_vi: str
    credit: str
    nodes: dict[str, Node]
    edges: dict[str, Edge]
    turns: tuple[Turn, ...]
    signals: tuple[Signal, ...]
    plan: Plan
    demand: Demand
    switches: tuple[Switch, ...] = ()  # in order of time
    pockets: frozenset[str] = frozenset()  # edges at whose end two-wheelers turn right on red
    bus_lines: tuple[BusLine, ...] = ()
    bus_stops: tuple[BusStop, ...] = ()

    def running(self) -> tuple[Switch, ...]:
        """Return the plans that run with their start times, at least one."""
        return self.switches or (Switch(self.demand.begin, self.plan, self.signals),)

    @property
    def side_by_side(self) -> bool:
        """Whether two-wheelers are most of the vehicles, at least for a time: they ride side by side in its lanes."""
        return any(vehicles.two_wheelers(slot.mix) > 0.5 for slot in self.demand.slots)

    def shared_rights(self) -> frozenset[tuple[Turn, int]]:
        """Return the right turns at signals with each lane from which vehicles go on or turn left as well."""
        signals = {s.node for s in self.signals}
        served: dict[tuple[str, int], set[Turn]] = {}
        for turn in self.turns:
            for lane, _ in turn.lanes:
                served.setdefault((turn.start, lane), set()).add(turn)
        return frozenset(
            (turn, lane)
            for (start, lane), turns in served.items()
            if len(turns) > 1 and self.edges[start].end in signals
            for turn in turns
            if turn.direction == "right"
        )

    def entries(self) -> tuple[str, ...]:
        """Return the ids of the edges on which vehicles enter the place from a gate, in the order of its file."""
        return tuple(e.id for e in self.edges.values() if self.nodes[e.start].gate)
