"""Read a validated place file into a place in metres: edges, turns, stages."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise

from denxanh.networks.place import (
    buses,
    lanes,
    names,
    pockets,
    schema,
    speed_limits,
    targets,
    timetable,
)
from denxanh.networks.place.geometry import Point, bearing, deflection, length, project, travel
from denxanh.networks.place.place import Direction, Edge, Node, Place, Plan, Signal, Switch, Turn
from denxanh.networks.place.schema import PlaceFile, Ray, Street
from denxanh.networks.place.selectors import Approaches
from denxanh.sim.errors import InputError
from denxanh.sim.movements import compass

MIN_EDGE = 15.0  # m; a shorter street between two junctions lies within their areas
STRAIGHT = 45.0  # degrees; a larger change of direction is a left or right turn


def read(
    file: PlaceFile,
    *,
    location: str,
    period: str = "peak",
    hours: tuple[int, int] | None = None,
    year: int | None = None,
) -> Place:
    """Return the place described by ``file`` with the plan and the demand of one part of the day.

    With ``hours``, in seconds since midnight, the place has the plans of these hours instead, and the demand of
    ``period`` scaled by the city's traffic relative to its busiest hour. ``year`` selects another mix of vehicles.

    Raises:
        InputError: the file is inconsistent, or has no such period.

    """
    if period not in file.demand:
        raise InputError(f"it has no demand '{period}'", location=location, remedy=_choices(file.demand))
    nodes = {
        id: Node(id, project(*junction.at, file.origin), names.normalise(junction.name) or id)
        for id, junction in file.junctions.items()
    }
    edges: dict[str, Edge] = {}
    for street in file.streets:
        _add_street(street, nodes, edges, file.origin, location)
    turns = _turns(file, nodes, edges, location)
    plan_name = file.demand[period].plan
    if plan_name not in file.plans:
        raise InputError(
            f"demand.{period}: there is no plan '{plan_name}'", location=location, remedy=_choices(file.plans)
        )
    plan = _plan(file, plan_name)

    def signals(plan: Plan) -> tuple[Signal, ...]:
        return tuple(_signal(id, file, nodes, edges, turns, plan, location) for id in file.signals)

    bus_lines, bus_stops = buses.read(file, edges, turns, location)
    return Place(
        name=file.name,
        title=file.title,
        title_vi=file.title_vi,
        credit=file.credit,
        nodes=nodes,
        edges=edges,
        turns=turns,
        signals=signals(plan),
        plan=plan,
        demand=timetable.demand(
            file, period, hours, year, targets.saturation(file, period, nodes, edges, location), location
        ),
        switches=tuple(
            Switch(at, _plan(file, name), signals(_plan(file, name)))
            for at, name in timetable.plans(file, hours, location)
        ),
        pockets=_pockets(file, nodes, edges, turns, location),
        bus_lines=bus_lines,
        bus_stops=bus_stops,
    )


def _pockets(
    file: PlaceFile, nodes: dict[str, Node], edges: dict[str, Edge], turns: tuple[Turn, ...], location: str
) -> frozenset[str]:
    """Return the approaches on which two-wheelers turn right on red."""
    found: set[str] = set()
    for id, junction in file.junctions.items():
        place = f"{location}: junctions.{id}.right_on_red"
        arriving = [e for e in edges.values() if e.end == id]
        mine = [t for t in turns if edges[t.start].end == id]
        for text in junction.right_on_red:
            chosen = Approaches(nodes[id], arriving, place).select(f"{text}: right", mine)
            for edge in {t.start for t in chosen}:
                if length(edges[edge].line) < 2 * pockets.LENGTH:
                    raise InputError(f"{edge} is too short for a lane of two-wheelers", location=place)
                found.add(edge)
    return frozenset(found)


def _plan(file: PlaceFile, name: str) -> Plan:
    return Plan(
        name,
        **file.plans[name].model_dump(include={"cycle", "yellow", "all_red", "source", "cycle_source"}),
    )


def _choices(known: Iterable[str]) -> str:
    return "choose from " + ", ".join(sorted(known))


def _add_street(
    street: Street, nodes: dict[str, Node], edges: dict[str, Edge], origin: tuple[float, float], location: str
) -> None:
    """Add the edges of one street, and the gates at its open ends, to ``nodes`` and ``edges``."""
    name = names.normalise(street.name)
    place = f"{location}: street '{name}'"
    for id in (p for p in street.path if isinstance(p, str)):
        if id not in nodes:
            raise InputError(
                f"its path names the junction '{id}', which is not under [junctions]", location=place
            )
    points = _points(street, nodes, origin, place)
    ends = [i for i, p in enumerate(street.path) if isinstance(p, str) or i in (0, len(points) - 1)]
    forward, backward = street.lanes if isinstance(street.lanes, tuple) else (street.lanes, street.lanes)
    along, against = street.turn_lanes if isinstance(street.turn_lanes, tuple) else (street.turn_lanes, "")
    stem = names.slug(name)
    for first, last in pairwise(ends):
        line = tuple(points[first : last + 1])
        ids = [_node_at(street, i, nodes, points, stem, place) for i in (first, last)]
        if length(line) < MIN_EDGE:
            raise InputError(
                f"only {length(line):.0f} m from '{ids[0]}' to '{ids[1]}'",
                location=place,
                remedy=f"at least {MIN_EDGE:.0f} m are needed: join the two or correct the coordinates",
            )
        number = 1 + sum(1 for e in edges.values() if e.id.rsplit("_", 1)[0] == stem)
        for id, line_, ends_, count, arrows in (
            (f"{stem}_{number}", line, ids, forward, along),
            (f"-{stem}_{number}", line[::-1], ids[::-1], backward, against),
        ):
            if street.oneway and id.startswith("-"):
                continue
            speed = (
                speed_limits.speed_limit(lanes=count, oneway=street.oneway, divided=street.divided)
                if street.speed_kmh is None
                else street.speed_kmh * speed_limits.KMH
            )
            edges[id] = Edge(
                id,
                name,
                ends_[0],
                ends_[1],
                count,
                street.lane_width,
                speed,
                line_,
                arrows,
            )


def _points(street: Street, nodes: dict[str, Node], origin: tuple[float, float], place: str) -> list[Point]:
    """Return every point of a street's path in metres; a ray starts at its neighbour."""
    path = street.path
    found: list[Point | None] = []
    for p in path:
        if isinstance(p, str):
            found.append(nodes[p].at)
        elif isinstance(p, Ray):
            found.append(None)
        else:
            found.append(project(*p.at, origin))
    for i, p in enumerate(path):
        if not isinstance(p, Ray):
            continue
        neighbour = {0: 1, len(path) - 1: len(path) - 2}.get(i)
        if neighbour is None or (start := found[neighbour]) is None:
            raise InputError(
                "{ bearing, length } is only allowed at an end of the path, next to a known point",
                location=place,
            )
        found[i] = travel(start, p.bearing, p.length)
    return [p for p in found if p is not None]


def _node_at(
    street: Street, index: int, nodes: dict[str, Node], points: list[Point], stem: str, place: str
) -> str:
    """Return the id of the node at a street's end or junction; an open end becomes a gate."""
    element = street.path[index]
    if isinstance(element, str):
        return element
    neighbour = points[1] if index == 0 else points[-2]
    side = compass(bearing(neighbour, points[index]))
    id = f"{stem}_{side}"
    if id in nodes and nodes[id].at != points[index]:
        raise InputError(
            f"two open ends would both be named '{id}'", location=place, remedy="join the two streets"
        )
    nodes[id] = Node(id, points[index], f"{names.normalise(street.name)} {side}", gate=True)
    return id


def _turns(
    file: PlaceFile, nodes: dict[str, Node], edges: dict[str, Edge], location: str
) -> tuple[Turn, ...]:
    """Return every permitted turn with its share of the vehicles on the edge it starts from."""
    found: list[Turn] = []
    for id, junction in file.junctions.items():
        place = f"{location}: junctions.{id}"
        weights = (junction.turning or file.turning).model_dump()
        arriving = [e for e in edges.values() if e.end == id]
        leaving = [e for e in edges.values() if e.start == id]
        if not arriving or not leaving:
            raise InputError("no street arrives there, or none leaves", location=place)
        every = [turn for edge in arriving for turn in _possible_turns(edge, leaving)]
        approaches = Approaches(nodes[id], arriving, place)
        banned = {(t.start, t.end) for text in junction.ban for t in approaches.select(text, every)}
        kept = [t for t in every if (t.start, t.end) not in banned]
        for edge in arriving:
            mine = [t for t in kept if t.start == edge.id]
            if not mine:
                raise InputError(
                    f"no turn remains for vehicles arriving on {edge.street} ({edge.id})", location=place
                )
            # Turns into wide streets have larger shares: weight by direction times lanes of the target.
            mine = [
                replace(t, share=weights[t.direction] * edges[t.end].lanes / _same_direction(t, mine))
                for t in mine
            ]
            fixed = {
                (t.start, t.end): share / len(chosen)
                for text, share in junction.shares.items()
                if (chosen := [t for t in approaches.select(text, kept) if t.start == edge.id])
                for t in chosen
            }
            found += _with_lanes(_with_shares(mine, fixed, edge, place), edge, edges, place)
    return tuple(found)


def _possible_turns(edge: Edge, leaving: list[Edge]) -> list[Turn]:
    """Return the turns from one approach, still without shares and lanes.

    Where two streets continue nearly straight, the straighter one is through; lanes of the other must not cross it.
    """
    targets = [b for b in leaving if b.end != edge.start and edge.line[-2] != b.line[1]]
    change = {b.id: deflection(edge.line[-2], edge.line[-1], b.line[1]) for b in targets}
    straightest = min((abs(c) for c in change.values()), default=0.0)
    return [
        Turn(edge.id, b.id, direction(change[b.id], min(STRAIGHT, straightest)), 0.0, ()) for b in targets
    ]


def _with_lanes(mine: list[Turn], edge: Edge, edges: dict[str, Edge], place: str) -> list[Turn]:
    """Return the turns of one approach with the lanes they use."""
    targets: dict[Direction, int] = {}
    for t in mine:
        targets[t.direction] = max(edges[t.end].lanes, targets.get(t.direction, 0))
    if edge.arrows:
        chosen = lanes.from_arrows(edge.arrows, edge.lanes, f"{place}: {edge.street}")
        for d in targets:
            if not chosen[d]:
                raise InputError(
                    f"turn_lanes '{edge.arrows}' of {edge.street} has no lane for the {d} turn",
                    location=place,
                )
    else:
        chosen = lanes.by_rule(edge.lanes, targets)
    return [replace(t, lanes=lanes.pairs(t.direction, chosen[t.direction], edges[t.end].lanes)) for t in mine]


def _same_direction(turn: Turn, turns: list[Turn]) -> int:
    return sum(1 for t in turns if t.direction == turn.direction)


def _with_shares(mine: list[Turn], fixed: dict[tuple[str, str], float], edge: Edge, place: str) -> list[Turn]:
    """Return the turns of one approach with shares that add to one: given shares, the rest in proportion."""
    given = sum(fixed.values())
    free = sum(t.share for t in mine if (t.start, t.end) not in fixed)
    if given > 1 + 1e-9 or (not free and not math.isclose(given, 1)):
        raise InputError(
            f"the shares of the turns from {edge.street} ({edge.id}) add to {given:g}", location=place
        )
    return [
        replace(t, share=fixed[t.start, t.end])
        if (t.start, t.end) in fixed
        else replace(t, share=t.share * (1 - given) / free)
        for t in mine
    ]


def direction(change: float, straight: float = STRAIGHT) -> Direction:
    """Return the direction of a change of bearing in degrees, left positive; through up to ``straight``."""
    if abs(change) <= straight:
        return "through"
    return "left" if change > 0 else "right"


def _signal(
    id: str,
    file: PlaceFile,
    nodes: dict[str, Node],
    edges: dict[str, Edge],
    turns: tuple[Turn, ...],
    plan: Plan,
    location: str,
) -> Signal:
    """Return the signal at junction ``id`` under ``plan``.

    Raises:
        InputError: a turn has no green, or the timing does not fit the stages or the cycle.
    """
    place = f"{location}: signals.{id}"
    signal = file.signals[id]
    if id not in nodes:
        raise InputError("there is no junction of this name", location=place, remedy=_choices(file.junctions))
    arriving = [e for e in edges.values() if e.end == id]
    mine = [t for t in turns if edges[t.start].end == id]
    approaches = Approaches(nodes[id], arriving, place)
    stages = tuple(
        frozenset((t.start, t.end) for text in stage for t in approaches.select(text, mine))
        for stage in signal.stages
    )
    for turn in mine:
        if not any((turn.start, turn.end) in stage for stage in stages):
            raise InputError(
                f"no stage serves the {turn.direction} turn from {edges[turn.start].street}"
                f" to {edges[turn.end].street}",
                location=place,
                remedy="add it to a stage or to the junction's bans",
            )
    timing = _timing(signal, plan, file, len(stages), place)
    if len(timing.green) != len(stages):
        raise InputError(f"{len(stages)} stages but {len(timing.green)} green times", location=place)
    change = (plan.yellow + plan.all_red) * len(stages) if len(stages) > 1 else 0
    if not math.isclose(total := sum(timing.green) + change, plan.cycle):
        raise InputError(
            f"its greens and change intervals add to {total:g} s, the cycle is {plan.cycle:g} s",
            location=place,
        )
    if timing.offset >= plan.cycle:
        raise InputError(
            f"its offset {timing.offset:g} s is not below the cycle {plan.cycle:g} s", location=place
        )
    return Signal(id, stages, timing.green, timing.offset)


def _timing(signal: schema.Signal, plan: Plan, file: PlaceFile, stages: int, place: str) -> schema.Timing:
    """Return a signal's timing in a plan: its own, or that of the plan ``like``, scaled to whole seconds."""
    if plan.name in signal.plan:
        return signal.plan[plan.name]
    like = file.plans[plan.name].like
    if like is None or like not in signal.plan:
        raise InputError(f"it has no timing for the plan '{plan.name}'", location=place)
    base = signal.plan[like]
    total_green = plan.cycle - (plan.yellow + plan.all_red) * (stages if stages > 1 else 0)
    scaled = [round(green * total_green / sum(base.green)) for green in base.green]
    scaled[base.green.index(max(base.green))] += round(total_green) - sum(scaled)
    offset = round(base.offset * plan.cycle / file.plans[like].cycle) % plan.cycle
    return schema.Timing(offset=offset, green=tuple(scaled))
