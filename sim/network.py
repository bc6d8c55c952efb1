"""The signalised network as control needs it: immutable descriptions without behaviour (denxanh.sim.frozen).

Times are s, lengths m, speeds m/s, flows veh/s. Arrays over ``links`` follow SUMO's link index, that is
the position of a letter in a signal's state string.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from denxanh.sim.frozen import Frozen
from denxanh.sim.plan import Timing

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]

GREEN = frozenset("Gg")
"""Letters that let traffic go: ``G`` with priority, ``g`` yielding (permissive)."""

Operation = Literal["fixed-time", "actuated", "delay_based", "switched"]
"""How SUMO runs the network's own program of a signal: by the clock; by detectors, its type then; or ``switched``, by
the clock until switching times (WAUT) put another program in its place during the run. Only under fixed-time operation
does SUMO show what the timing of a program says."""

TURN_AROUND = frozenset("tT")
"""Directions of links that turn around; SUMO writes ``T`` where traffic drives on the left."""


@dataclass(frozen=True)
class Lane:
    """A lane of the road network. ``next`` are the lanes that its connections lead to."""

    id: str
    edge: str
    length: float  # m
    speed: float  # m/s, the legal limit
    shape: tuple[tuple[float, float], ...]  # (points, 2) m
    next: tuple[str, ...]
    vehicles: bool  # may motor vehicles use it (not a pavement)
    allow: frozenset[str]  # SUMO vehicle classes that may use it


@dataclass(frozen=True)
class Edge:
    """A directed road between two junctions, with its lanes from the kerb to the middle as SUMO counts them."""

    id: str
    name: str  # street name or ""
    start: str  # junction
    end: str  # junction
    lanes: tuple[str, ...]
    length: float  # m
    speed: float  # m/s
    priority: int
    shape: tuple[tuple[float, float], ...]  # (points, 2) m


class Crossing(NamedTuple):
    """The pedestrian crossings that one letter of a signal drives."""

    length: float  # m across; the longest where a letter drives several
    edges: tuple[str, ...]  # SUMO's edges of the crossings
    areas: tuple[str, ...]  # SUMO's edges of the walking areas where pedestrians wait


@dataclass(frozen=True)
class Link:
    """One connection over the junction that a signal letter drives.

    One letter (``index``) may drive several links; a link from a walking area is a pedestrian crossing.
    """

    index: int  # position of its letter in the state string
    start: str  # lane it leaves
    end: str  # lane it enters
    via: str  # internal lane, "" if the net has none
    direction: str  # SUMO: s straight, l/L left, r/R right, t/T turn around, "" crossing
    length: float  # m over the junction
    turn_speed: float  # m/s, the limit over the junction
    crossing: bool
    further: tuple[str, ...] = ()  # internal lanes after ``via``, where the way over the junction has several


@dataclass(frozen=True)
class Segment:
    """A piece of road in front of a stop line.

    ``beyond`` is the distance from the segment's end to the stop line; ``share`` the part of its vehicles that is
    counted for this approach, less than one where one lane feeds several stop-line lanes.
    """

    lane: str
    beyond: float  # m
    share: float  # 0 < share ≤ 1


@dataclass(frozen=True)
class Approach:
    """One stop-line lane and the road that leads to it, measured across short lanes.

    Splitting a junction leaves stop-line lanes of a few metres; ``segments`` go on upstream until
    ``reach`` metres are covered or a signal or a merge ends the approach.
    """

    lane: str
    links: tuple[int, ...]  # link indices that start here
    speed: float  # m/s
    reach: float  # m covered by the segments
    segments: tuple[Segment, ...]
    saturation_flow: float  # veh/s, see denxanh.sim.timing.saturation


@dataclass(frozen=True)
class Movement:
    """All links of an intersection from one road to another: a movement as planners use the word."""

    name: str  # "from_edge>to_edge"
    start: str  # edge
    end: str  # edge
    direction: str  # the direction most of its links have
    links: tuple[int, ...]  # link indices
    approaches: tuple[int, ...]  # indices into Intersection.approaches
    exits: tuple[int, ...]  # indices into Intersection.exits
    saturation_flow: float  # veh/s over all its lanes
    flow: float | None = None  # veh/s expected, where the demand is known


@dataclass(frozen=True)
class Phase:
    """One green state of the given program, with its own ``G`` and ``g`` letters."""

    index: int
    state: str
    name: str
    min_green: float  # s
    max_green: float  # s

    def serves(self, link: int) -> bool:
        """Whether the letter at ``link`` is green."""
        return self.state[link] in GREEN


@dataclass(frozen=True)
class Intersection(Frozen):
    """One signal (possibly several joined junctions) that a controller decides about."""

    id: str
    name: str  # street names that meet here, or the id
    position: tuple[float, float]  # m
    junctions: tuple[str, ...]
    links: tuple[Link, ...]
    n_links: int  # letters in the state string
    approaches: tuple[Approach, ...]
    exits: tuple[str, ...]  # lanes
    movements: tuple[Movement, ...]
    phases: tuple[Phase, ...]
    program: Timing  # the network's own plan
    program_id: str
    yellow: float  # s, used between phases that the program does not join itself
    all_red: float  # s, the same
    foes: Bools = field(repr=False, compare=False)  # (n_links, n_links) the paths cross or merge
    yields: Bools = field(repr=False, compare=False)  # (n_links, n_links) row must give way to column
    crossings: Mapping[int, Crossing] = field(default_factory=dict, compare=False)  # by link index
    clearance: Array | None = field(default=None, repr=False, compare=False)
    """(n_links, n_links) s from the end of the row's green to the column's that the network's own program keeps, which
    holds for plans in its place too; None where only ``program`` counts."""
    open_foes: frozenset[int] = (
        frozenset()
    )  # link indices that also meet ways which this signal does not drive
    placed: Mapping[int, frozenset[str]] = field(default_factory=dict, compare=False)
    """The junctions that the links of each letter cross, by link index; without those that are not known."""
    operation: Operation = "fixed-time"  # of the network's own program, whatever stands in its place
    planned: bool = False  # whether ``program`` is a plan in place of the network's own

    def protected(self, link: int) -> bool:
        """Whether ``link`` may show ``G`` where all its foes are red: the program shows it, or it has no open foes."""
        shown = {stage.state[link] for stage in self.program.stages}
        return "G" in shown or ("g" in shown and link not in self.open_foes)

    def never_red(self) -> dict[int, str]:
        """The links that the program shows green in every state, with the least right of way that it gives them."""
        columns = enumerate(zip(*(state for state, _ in self.program.steps()), strict=True))
        return {k: "g" if "g" in shown else "G" for k, shown in columns if set(shown) <= GREEN}

    def unserved(self, link: int) -> str:
        """The letter of ``link`` where it is not served: ``s`` or ``r``, or the only one that the program shows."""
        shown = {state[link] for state, _ in self.program.steps()}
        if len(shown) == 1:
            return shown.pop()
        return "s" if {stage.state[link] for stage in self.program.stages} - GREEN == {"s"} else "r"

    def strangers(self) -> Bools:
        """(n_links, n_links): pairs in different junctions that the program does not show green together.

        The net does not say whether ways in different junctions of a joined signal can meet: the program does.
        """
        out = np.zeros((self.n_links, self.n_links), dtype=np.bool_)
        if len(set().union(*self.placed.values())) < 2:
            return out
        for a, mine in self.placed.items():
            for b, others in self.placed.items():
                out[a, b] = len(mine | others) > 1
        for stage in self.program.stages:
            green = np.array([letter in GREEN for letter in stage.state])
            out &= ~(green[:, None] & green[None, :])
        np.fill_diagonal(out, False)
        return out

    def phase_of(self, state: str) -> int | None:
        """Index of the phase that shows ``state``, or None."""
        for phase in self.phases:
            if phase.state == state:
                return phase.index
        return None


@dataclass(frozen=True)
class Network(Frozen):
    """A road network with its signals; ``left_to_sumo`` gives the reason why a signal cannot be controlled."""

    name: str
    edges: Mapping[str, Edge]
    lanes: Mapping[str, Lane]
    intersections: Mapping[str, Intersection]
    left_to_sumo: Mapping[str, str]
    links: tuple[Link, ...] = ()  # connections that no signal drives have index −1
    to_wgs84: str = ""  # the net's projection parameter, "" if it has none
    lefthand: bool = False  # traffic drives on the left
    links_left_to_sumo: tuple[Link, ...] = ()  # connections at the signals of left_to_sumo, with index −1

    @property
    def all_links(self) -> tuple[Link, ...]:
        """Every connection of the network, whoever drives its signal."""
        return (*self.links, *self.links_left_to_sumo)

    @property
    def opposed_turns(self) -> frozenset[str]:
        """Directions of links that turn across oncoming traffic: to the left, or to the right in left-hand traffic."""
        return frozenset("rR" if self.lefthand else "lL") | TURN_AROUND

    @property
    def near_turns(self) -> frozenset[str]:
        """Directions of links that turn without crossing oncoming traffic: to the right, or to the left."""
        return frozenset("lL" if self.lefthand else "rR")

    def by_operation(self) -> Mapping[str, tuple[str, ...]]:
        """The signals under each operation of their own program but fixed time."""
        out: dict[str, tuple[str, ...]] = {}
        for name, intersection in self.intersections.items():
            if intersection.operation != "fixed-time":
                out[intersection.operation] = (*out.get(intersection.operation, ()), name)
        return out

    def left_by_reason(self) -> Mapping[str, tuple[str, ...]]:
        """The signals left to SUMO under each reason."""
        out: dict[str, tuple[str, ...]] = {}
        for signal, reason in self.left_to_sumo.items():
            out[reason] = (*out.get(reason, ()), signal)
        return out
