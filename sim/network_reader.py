"""Network from SUMO files: intersections with their approaches, movements, phases and conflicts."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from denxanh.sim.errors import InputError
from denxanh.sim.input.collector import paused_collector
from denxanh.sim.network import (
    TURN_AROUND,
    Approach,
    Crossing,
    Intersection,
    Link,
    Movement,
    Network,
    Operation,
    Segment,
)
from denxanh.sim.plan import Timing
from denxanh.sim.scenario import Scenario
from denxanh.sim.signals.planned_network import keep_clearing_stages
from denxanh.sim.sumo.conflicts import (
    beyond_the_signal,
    conflict_matrices,
    junction_positions,
    junctions_by_letter,
    position_of,
)
from denxanh.sim.sumo.netfile import NetFile, RawConnection, RawProgram, read_net
from denxanh.sim.sumo.program import read_program
from denxanh.sim.sumo.run_input import read_additional
from denxanh.sim.sumo.waut import Switched, programs_at
from denxanh.sim.timing.saturation import saturation_flow

_RAIL = ("rail_signal", "rail_crossing")
OFF = "off"  # a program that SUMO gives every signal
SWITCHED_OFF = "its switching times have it switched off at the begin"
_OPERATIONS: Mapping[str, Operation] = {
    "static": "fixed-time",
    "actuated": "actuated",
    "delay_based": "delay_based",
}  # by SUMO's type of a program that can be read
REACH = 300.0  # m that an approach is followed upstream; the longest any controller of ours looks


def network_of(scenario: Scenario) -> Network:
    """The network as SUMO begins to run it: with the programs and switching times of the additional files.

    Raises InputError for a file that cannot be read or that SUMO could not use.
    """
    files = [(str(path), read_additional(path)) for path in scenario.additional]
    switched: dict[str, Switched] = {}
    for intersection, additional in files:
        switched |= programs_at(additional.root, scenario.begin, scenario.end, intersection)
    programs = [program for _, additional in files for program in additional.programs]
    return load_network(scenario.net, programs, scenario.name, begin=scenario.begin, switched=switched)


@paused_collector()
def load_network(
    path: Path,
    programs: Iterable[RawProgram] = (),
    name: str = "",
    *,
    begin: float = 0.0,
    switched: Mapping[str, Switched] = {},
) -> Network:
    """Read a network file. ``programs`` come from additional files and replace those of the net.

    ``begin`` (s) is when the run begins; ``switched`` names the program that runs then by signal, where switching
    times choose it. Raises InputError for a file that cannot be read or that SUMO could not use.
    """
    net = read_net(path)
    loaded = _all_programs(net, programs)
    at_begin = {tl: row.program for tl, row in switched.items()}
    active = {tl: _active(rows, at_begin.get(tl, "")) for tl, rows in loaded.items()}
    off = frozenset(tl for tl, program in at_begin.items() if program == OFF)
    found = _build(net, loaded, active, name or path.name.split(".")[0], begin, off)
    changing = {tl for tl, row in switched.items() if row.changes and tl in found.intersections}
    return (
        replace(
            found,
            intersections={
                tl: replace(intersection, operation="switched") if tl in changing else intersection
                for tl, intersection in found.intersections.items()
            },
        )
        if changing
        else found
    )


def _build(
    net: NetFile,
    loaded: Mapping[str, Sequence[RawProgram]],
    active: Mapping[str, RawProgram],
    name: str,
    begin: float,
    off: frozenset[str],
) -> Network:
    """Derive intersections from raw records; signals in ``off`` are switched off at ``begin``."""
    by_signal: dict[str, list[RawConnection]] = defaultdict(list)
    for raw in net.connections:
        if raw.tl:
            by_signal[raw.tl].append(raw)
    reader = _Reader(net, begin)
    intersections, left = {}, {}
    for tl in sorted(by_signal):
        raws = sorted(by_signal[tl], key=lambda r: (r.index, r.start, r.end))
        if tl not in active and tl in net.junctions and net.junctions[tl].type in _RAIL:
            continue  # SUMO itself controls it, by the trains
        if tl not in active:
            raise InputError(
                f"connections name the signal {tl!r}, which has no <tlLogic>",
                location=str(net.path),
                remedy="rebuild the network with netconvert",
            )
        for program in loaded[tl]:
            _check_states(program, highest=raws[-1].index)
        outcome = SWITCHED_OFF if tl in off else reader.intersection(tl, raws, active[tl])
        if isinstance(outcome, str):
            left[tl] = outcome
        else:
            intersections[tl] = outcome
    for tl in sorted(set(active) - set(by_signal)):
        left[tl] = "it drives no connection"
    for junction in net.junctions.values():
        if junction.type in _RAIL:
            left[junction.id] = f"it is a {junction.type.replace('_', ' ')}"
            intersections.pop(junction.id, None)
    plain = tuple(reader.link(raw) for raw in net.connections if not raw.tl and raw.start in net.lanes)
    driven = tuple(link for i in intersections.values() for link in i.links)
    others = tuple(
        replace(reader.link(raw), index=-1)
        for raw in net.connections
        if raw.tl and raw.tl not in intersections and raw.start in net.lanes
    )
    return Network(
        name, net.edges, net.lanes, intersections, left, driven + plain, net.projection, net.lefthand, others
    )


def _all_programs(net: NetFile, programs: Iterable[RawProgram]) -> dict[str, list[RawProgram]]:
    """The programs of every signal in the order in which SUMO loads them."""
    loaded = {tl: list(rows) for tl, rows in net.programs.items()}
    for program in programs:
        if program.id not in loaded:
            raise InputError(
                f"there is no signal {program.id!r} in the network",
                location=program.location,
                remedy="remove its <tlLogic>, or use the network it was made for",
            )
        known = [other.program for other in loaded[program.id]]
        if program.program in known and not program.phases:  # as tlsCoordinator.py writes it: a new offset
            k = known.index(program.program)
            old = loaded[program.id][k]
            loaded[program.id][k] = replace(old, offset=program.offset, with_run=program.with_run)
            continue
        if program.program in known:
            raise InputError(
                f"signal {program.id!r} already has a program {program.program!r}",
                location=program.location,
                remedy="give it another programID",
            )
        loaded[program.id].append(program)
    return loaded


def _active(rows: Sequence[RawProgram], switched: str) -> RawProgram:
    """The program that runs: the one switched to, else the one that SUMO loaded last."""
    if switched in ("", OFF):
        return rows[-1]
    for row in rows:
        if row.program == switched:
            return row
    raise InputError(
        f"switching times (WAUT) name the program {switched!r} of signal {rows[0].id!r}, which has none of that name",
        location=rows[-1].location,
        remedy=f"name one of: {', '.join([*(row.program for row in rows), OFF])}",
    )


def _check_states(program: RawProgram, *, highest: int) -> None:
    """Refuse states that SUMO would stop at; ``highest`` is the highest link index in use."""
    for i, row in enumerate(program.phases):
        spot = f"signal {program.id!r}, program {program.program!r}, phase {i}"
        if len(row.state) <= highest:
            raise InputError(
                f"{spot}: the state {row.state!r} has {len(row.state)} letters but link index {highest} is in use",
                location=program.location,
                remedy=f"give every phase at least {highest + 1} letters",
            )
        if set(row.state) - set("rGgyYuosO"):
            raise InputError(
                f"{spot}: the state {row.state!r} has a letter that is not a signal colour",
                location=program.location,
                remedy="use SUMO's letters rGgyus",
            )


class _Reader:
    """Look-ups shared by all intersections of one file."""

    def __init__(self, net: NetFile, begin: float) -> None:
        self.net = net
        self.begin = begin
        self.places = junction_positions(net)
        self.onward = {raw.start: raw.via for raw in net.connections if raw.start.startswith(":") and raw.via}
        self.origin = {raw.via: raw.start for raw in net.connections if raw.via and raw.start in net.lanes}
        self.arriving: dict[str, list[RawConnection]] = defaultdict(list)
        for raw in net.connections:
            if raw.start in net.lanes and raw.end in net.lanes:
                self.arriving[raw.end].append(raw)

    def link(self, raw: RawConnection) -> Link:
        lane = self.net.internal.get(raw.via)
        length, speed = 0.0, 0.0
        further: tuple[str, ...] = ()
        while lane is not None:  # a way over the junction may consist of several internal lanes
            length, speed = length + lane.length, lane.speed
            lane = self.net.internal.get(self.onward.get(lane.id, ""))
            if lane is not None:
                further += (lane.id,)
        start = self.net.lanes.get(raw.start)
        return Link(
            raw.index,
            raw.start,
            raw.end,
            raw.via,
            raw.direction,
            length,
            speed or (start.speed if start else 1.0),
            start is None,
            further,
        )

    def intersection(self, tl: str, raws: Sequence[RawConnection], program: RawProgram) -> Intersection | str:
        """The intersection, or the reason why it stays with SUMO."""
        raws = self._from_the_road(raws)
        crossings = self._crossings(raws)
        reading = read_program(
            program, self.begin, {link: crossing.length for link, crossing in crossings.items()}
        )
        if reading.timing is None:
            return reading.refusal
        n_links = len(program.phases[0].state)
        links = tuple(self.link(raw) for raw in raws)
        roads = tuple(link for link in links if not link.crossing)
        if not roads:
            return "it serves pedestrians only"
        exits = tuple(sorted({link.end for link in roads}))
        approaches = tuple(self._approach(lane, roads) for lane in sorted({link.start for link in roads}))
        placed = [(raw.index, position_of(raw, self.places, self.onward)) for raw in raws]
        foes, yields = conflict_matrices(n_links, placed, self.net)
        junctions = tuple(sorted({intersection[0] for _, intersection in placed if intersection is not None}))
        spots = [self.net.junctions[j].position for j in junctions]
        intersection = Intersection(
            id=tl,
            name=self._name(roads) or tl,
            position=(sum(p[0] for p in spots) / len(spots), sum(p[1] for p in spots) / len(spots))
            if spots
            else self.net.lanes[approaches[0].lane].shape[-1],
            junctions=junctions,
            links=links,
            n_links=n_links,
            approaches=approaches,
            exits=exits,
            movements=self._movements(roads, approaches, exits),
            phases=reading.phases,
            program=reading.timing,
            program_id=program.program,
            yellow=reading.yellow,
            all_red=reading.all_red,
            foes=foes,
            yields=yields,
            crossings=crossings,
            open_foes=beyond_the_signal(placed, self.net),
            placed=junctions_by_letter(placed),
            operation=_OPERATIONS[program.type],
        )
        return keep_clearing_stages(intersection)

    def _from_the_road(self, raws: Sequence[RawConnection]) -> list[RawConnection]:
        """The connections, without second steps of turns made in two (``indirect``) that share their letter.

        The second step begins within the junction. By default it has the letter of the straight stream that it goes
        with, and gives way as that does; with a letter of its own it counts as one more link of the whole way.
        """
        out = [raw for raw in raws if not self._second_step(raw)]
        letters = {raw.index for raw in out}
        alone = [raw for raw in raws if self._second_step(raw) and raw.index not in letters]
        out += [raw._replace(start=self.origin[raw.start]) for raw in alone]
        return sorted(out, key=lambda r: (r.index, r.start, r.end))

    def _second_step(self, raw: RawConnection) -> bool:
        """Whether a connection begins on a lane within the junction that vehicles have come to."""
        return raw.start in self.origin and raw.start in self.net.internal

    def _crossings(self, raws: Sequence[RawConnection]) -> dict[int, Crossing]:
        """The crossings by letter. A second letter, for pedestrians from the other side, leads off the crossing."""
        internal = self.net.internal
        pedestrian = [raw for raw in raws if raw.start in internal and raw.end in internal]
        off = {raw.start for raw in pedestrian if _is_crossing(raw.start)}
        out: dict[int, Crossing] = {}
        for raw in pedestrian:
            crossing, near = (raw.start, raw.end) if _is_crossing(raw.start) else (raw.end, raw.start)
            ends = (near,) if crossing in off else (near, *internal[crossing].next)
            before = out.get(raw.index, Crossing(0.0, (), ()))
            areas = (*before.areas, *(internal[lane].edge for lane in ends if lane in internal))
            out[raw.index] = Crossing(
                max(before.length, internal[crossing].length),
                (*before.edges, internal[crossing].edge),
                tuple(dict.fromkeys(areas)),
            )
        return out

    def _approach(self, lane: str, links: Sequence[Link]) -> Approach:
        mine = [link for link in links if link.start == lane]
        speed = self.net.lanes[lane].speed
        flows = [saturation_flow(speed, link.turn_speed) for link in mine]
        segments = self._segments(lane)
        return Approach(
            lane=lane,
            links=tuple(sorted({link.index for link in mine})),
            speed=speed,
            reach=max(s.beyond + self.net.lanes[s.lane].length for s in segments),
            segments=segments,
            saturation_flow=sum(flows) / len(flows),
        )

    def _segments(self, lane: str) -> tuple[Segment, ...]:
        """The lanes in front of a stop line, upstream to REACH, as far as no other signal stands between."""
        found: dict[str, Segment] = {}
        ahead = [Segment(lane, 0.0, 1.0)]
        while ahead:
            segment = ahead.pop()
            if segment.lane in found:
                continue
            found[segment.lane] = segment
            beyond = segment.beyond + self.net.lanes[segment.lane].length
            if beyond >= REACH:
                continue
            for raw in self.arriving.get(segment.lane, ()):
                if raw.tl or raw.direction in TURN_AROUND:
                    continue
                branches = sum(1 for end in self.net.lanes[raw.start].next if end in self.net.lanes)
                via = self.net.internal.get(raw.via)
                gap = via.length if via else 0.0
                ahead.append(Segment(raw.start, beyond + gap, segment.share / max(branches, 1)))
        return tuple(sorted(found.values(), key=lambda s: (s.beyond, s.lane)))

    def _movements(
        self, links: Sequence[Link], approaches: Sequence[Approach], exits: Sequence[str]
    ) -> tuple[Movement, ...]:
        groups: dict[tuple[str, str], list[Link]] = defaultdict(list)
        targets: dict[str, set[str]] = defaultdict(set)
        for link in links:
            pair = (self.net.lanes[link.start].edge, self.net.lanes[link.end].edge)
            groups[pair].append(link)
            targets[link.start].add(pair[1])
        lane_index = {approach.lane: i for i, approach in enumerate(approaches)}
        exit_index = {lane: i for i, lane in enumerate(exits)}
        out = []
        for (start, end), mine in sorted(groups.items()):
            lanes = sorted({link.start for link in mine})
            speed = {link.start: link.turn_speed for link in mine}
            out.append(
                Movement(
                    name=f"{start}>{end}",
                    start=start,
                    end=end,
                    direction=Counter(link.direction for link in mine).most_common(1)[0][0],
                    links=tuple(sorted({link.index for link in mine})),
                    approaches=tuple(lane_index[lane] for lane in lanes),
                    exits=tuple(sorted({exit_index[link.end] for link in mine})),
                    # a lane shared by several movements gives each an equal part
                    saturation_flow=sum(
                        saturation_flow(self.net.lanes[lane].speed, speed[lane]) / len(targets[lane])
                        for lane in lanes
                    ),
                )
            )
        return tuple(out)

    def _name(self, links: Sequence[Link]) -> str:
        """The most frequent street names of these links."""
        names = Counter(
            self.net.edges[self.net.lanes[lane].edge].name
            for link in links
            for lane in (link.start, link.end)
        )
        del names[""]
        return " / ".join(name for name, _ in sorted(names.items(), key=lambda item: (-item[1], item[0]))[:2])


def timings(network: Network) -> dict[str, Timing]:
    """The program of every controlled intersection."""
    return {tl: intersection.program for tl, intersection in network.intersections.items()}


def _is_crossing(lane: str) -> bool:
    """By the name that netconvert gives: ``:NODE_cN_0``; walking areas are ``:NODE_wN_0``."""
    return re.search(r"_c\d+_\d+$", lane) is not None
