"""From a checked place file to a place in metres: edges, turns, stages; every mistake is named."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise

from networks import buses, lanes, law, names, pockets, schema, timetable
from networks.geometry import Point, bearing, compass, deflection, length, project, travel
from networks.place import Direction, Edge, Node, Place, Plan, Signal, Switch, Turn
from networks.schema import PlaceFile, Ray, Street
from networks.selectors import Approaches
from sim.errors import InputError

MIN_EDGE = 15.0  # m; a shorter street between two junctions is eaten by their areas
STRAIGHT = 45.0  # degrees; a larger change of direction is a turn


def read(
    file: PlaceFile,
    *,
    where: str,
    period: str = "peak",
    hours: tuple[int, int] | None = None,
    year: int | None = None,
) -> Place:
    """Return the place described by ``file`` with the plan and the demand of one part of the day.

    With ``hours``, seconds since midnight, it has instead the plans that run in these hours, and the demand of
    ``period`` times what the city's day has of the busiest hour. ``year`` chooses another mix of vehicles.
    """
    if period not in file.demand:
        raise InputError(f"it has no demand '{period}'", where=where, remedy=_offer(file.demand))
    nodes = {
        id: Node(id, project(*junction.at, file.origin), names.normalise(junction.name) or id)
        for id, junction in file.junctions.items()
    }
    edges: dict[str, Edge] = {}
    for street in file.streets:
        _lay(street, nodes, edges, file.origin, where)
    turns = _turns(file, nodes, edges, where)
    plan_name = file.demand[period].plan
    if plan_name not in file.plans:
        raise InputError(
            f"demand.{period}: there is no plan '{plan_name}'", where=where, remedy=_offer(file.plans)
        )
    plan = _plan(file, plan_name)

    def signals(plan: Plan) -> tuple[Signal, ...]:
        return tuple(_signal(id, file, nodes, edges, turns, plan, where) for id in file.signals)

    bus_lines, bus_stops = buses.read(file, edges, turns, where)
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
        demand=timetable.demand(file, period, hours, year, where),
        switches=tuple(
            Switch(at, _plan(file, name), signals(_plan(file, name)))
            for at, name in timetable.plans(file, hours, where)
        ),
        pockets=_pockets(file, nodes, edges, turns, where),
        bus_lines=bus_lines,
        bus_stops=bus_stops,
    )


def _pockets(
    file: PlaceFile, nodes: dict[str, Node], edges: dict[str, Edge], turns: tuple[Turn, ...], where: str
) -> frozenset[str]:
    """Return the approaches on which two-wheelers turn right on red."""
    found: set[str] = set()
    for id, junction in file.junctions.items():
        place = f"{where}: junctions.{id}.right_on_red"
        arriving = [e for e in edges.values() if e.end == id]
        mine = [t for t in turns if edges[t.start].end == id]
        for text in junction.right_on_red:
            chosen = Approaches(nodes[id], arriving, place).select(f"{text}: right", mine)
            for edge in {t.start for t in chosen}:
                if length(edges[edge].line) < 2 * pockets.LENGTH:
                    raise InputError(f"{edge} is too short for a lane of two-wheelers", where=place)
                found.add(edge)
    return frozenset(found)


def _plan(file: PlaceFile, name: str) -> Plan:
    return Plan(name, **file.plans[name].model_dump(include={"cycle", "yellow", "all_red"}))


def _offer(known: Iterable[str]) -> str:
    return "choose from " + ", ".join(sorted(known))


def _lay(
    street: Street, nodes: dict[str, Node], edges: dict[str, Edge], origin: tuple[float, float], where: str
) -> None:
    """Add the edges of one street, and the gates at its open ends, to ``nodes`` and ``edges``."""
    name = names.normalise(street.name)
    place = f"{where}: street '{name}'"
    for id in (p for p in street.path if isinstance(p, str)):
        if id not in nodes:
            raise InputError(
                f"its path names the junction '{id}', which is not under [junctions]", where=place
            )
    points = _points(street, nodes, origin, place)
    ends = [i for i, p in enumerate(street.path) if isinstance(p, str) or i in (0, len(points) - 1)]
    forward, backward = street.lanes if isinstance(street.lanes, tuple) else (street.lanes, street.lanes)
    along, against = street.turn_lanes if isinstance(street.turn_lanes, tuple) else (street.turn_lanes, "")
    stem = names.slug(name)
    for first, last in pairwise(ends):
        line = tuple(points[first : last + 1])
        ids = [_end(street, i, nodes, points, stem, place) for i in (first, last)]
        if length(line) < MIN_EDGE:
            raise InputError(
                f"only {length(line):.0f} m from '{ids[0]}' to '{ids[1]}'",
                where=place,
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
                law.speed_limit(lanes=count, oneway=street.oneway, divided=street.divided)
                if street.speed_kmh is None
                else street.speed_kmh * law.KMH
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
    """Return the metres of every point of a street's path; a ray starts at its neighbour."""
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
                "a { bearing, length } may only stand at an end of the path, next to a known point",
                where=place,
            )
        found[i] = travel(start, p.bearing, p.length)
    return [p for p in found if p is not None]


def _end(
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
            f"two open ends would both be called '{id}'", where=place, remedy="join the two streets"
        )
    nodes[id] = Node(id, points[index], f"{names.normalise(street.name)} {side}", gate=True)
    return id


def _turns(file: PlaceFile, nodes: dict[str, Node], edges: dict[str, Edge], where: str) -> tuple[Turn, ...]:
    """Return every permitted turn with its share of the vehicles on the edge it starts from."""
    found: list[Turn] = []
    weights = file.turning.model_dump()
    for id, junction in file.junctions.items():
        place = f"{where}: junctions.{id}"
        arriving = [e for e in edges.values() if e.end == id]
        leaving = [e for e in edges.values() if e.start == id]
        if not arriving or not leaving:
            raise InputError("no street arrives there, or none leaves", where=place)
        every = [turn for edge in arriving for turn in _ways(edge, leaving)]
        approaches = Approaches(nodes[id], arriving, place)
        banned = {(t.start, t.end) for text in junction.ban for t in approaches.select(text, every)}
        kept = [t for t in every if (t.start, t.end) not in banned]
        for edge in arriving:
            mine = [t for t in kept if t.start == edge.id]
            if not mine:
                raise InputError(
                    f"no turn is left for vehicles arriving on {edge.street} ({edge.id})", where=place
                )
            # A wide street draws more than a narrow one: weight by direction times lanes of the target.
            mine = [
                replace(t, share=weights[t.direction] * edges[t.end].lanes / _alike(t, mine)) for t in mine
            ]
            fixed = {
                (t.start, t.end): share / len(chosen)
                for text, share in junction.shares.items()
                if (chosen := [t for t in approaches.select(text, kept) if t.start == edge.id])
                for t in chosen
            }
            found += _with_lanes(_shared(mine, fixed, edge, place), edge, edges, place)
    return tuple(found)


def _ways(edge: Edge, leaving: list[Edge]) -> list[Turn]:
    """Return the turns from one approach, without shares and lanes yet.

    Where two streets go on nearly straight, the straighter is through; the lanes of the other must not cross it.
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
                    f"turn_lanes '{edge.arrows}' of {edge.street} has no lane for the {d} turn", where=place
                )
    else:
        chosen = lanes.by_rule(edge.lanes, targets)
    return [replace(t, lanes=lanes.pairs(t.direction, chosen[t.direction], edges[t.end].lanes)) for t in mine]


def _alike(turn: Turn, turns: list[Turn]) -> int:
    return sum(1 for t in turns if t.direction == turn.direction)


def _shared(mine: list[Turn], fixed: dict[tuple[str, str], float], edge: Edge, place: str) -> list[Turn]:
    """Return the turns of one approach with shares that add to one: those given, the rest in proportion."""
    given = sum(fixed.values())
    free = sum(t.share for t in mine if (t.start, t.end) not in fixed)
    if given > 1 + 1e-9 or (not free and not math.isclose(given, 1)):
        raise InputError(
            f"the shares of the turns from {edge.street} ({edge.id}) add to {given:g}", where=place
        )
    return [
        replace(t, share=fixed[t.start, t.end])
        if (t.start, t.end) in fixed
        else replace(t, share=t.share * (1 - given) / free)
        for t in mine
    ]


def direction(change: float, straight: float = STRAIGHT) -> Direction:
    """Return what a change of direction in degrees (left positive) is; up to ``straight`` it is no turn."""
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
    where: str,
) -> Signal:
    """Return the signal at junction ``id`` under ``plan``; refuse one that leaves a turn without green."""
    place = f"{where}: signals.{id}"
    signal = file.signals[id]
    if id not in nodes:
        raise InputError("there is no junction of this name", where=place, remedy=_offer(file.junctions))
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
                where=place,
                remedy="add it to a stage or to the junction's bans",
            )
    timing = _timing(signal, plan, file, len(stages), place)
    if len(timing.green) != len(stages):
        raise InputError(f"{len(stages)} stages but {len(timing.green)} green times", where=place)
    change = (plan.yellow + plan.all_red) * len(stages) if len(stages) > 1 else 0
    if not math.isclose(total := sum(timing.green) + change, plan.cycle):
        raise InputError(
            f"its greens and change intervals add to {total:g} s, the cycle is {plan.cycle:g} s",
            where=place,
        )
    if timing.offset >= plan.cycle:
        raise InputError(
            f"its offset {timing.offset:g} s is not below the cycle {plan.cycle:g} s", where=place
        )
    return Signal(id, stages, timing.green, timing.offset)


def _timing(signal: schema.Signal, plan: Plan, file: PlaceFile, stages: int, place: str) -> schema.Timing:
    """Return a signal's timing in a plan: its own, or that of the plan ``like``, scaled in whole seconds."""
    if plan.name in signal.plan:
        return signal.plan[plan.name]
    like = file.plans[plan.name].like
    if like is None or like not in signal.plan:
        raise InputError(f"it has no timing for the plan '{plan.name}'", where=place)
    base = signal.plan[like]
    wanted = plan.cycle - (plan.yellow + plan.all_red) * (stages if stages > 1 else 0)
    scaled = [round(green * wanted / sum(base.green)) for green in base.green]
    scaled[base.green.index(max(base.green))] += round(wanted) - sum(scaled)
    offset = round(base.offset * plan.cycle / file.plans[like].cycle) % plan.cycle
    return schema.Timing(offset=offset, green=tuple(scaled))
