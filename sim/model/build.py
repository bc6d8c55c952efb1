"""From a network and its demand to the arrays of the kernel, and the Model that evaluates plans on them."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from denxanh.sim.demand.demand import Demand
from denxanh.sim.errors import InputError
from denxanh.sim.model.arrays import Constants, Plans, Static, memory
from denxanh.sim.model.drivers import draw_drivers, yellow_use
from denxanh.sim.model.kernel import run
from denxanh.sim.model.lane_choice import joined, lane_choice
from denxanh.sim.model.parameters import Parameters
from denxanh.sim.model.plan_arrays import PlanArrays
from denxanh.sim.model.right_of_way import RightOfWay
from denxanh.sim.network import Link, Network
from denxanh.sim.world import QUEUE_SPACING

COLUMNS = (
    "delay",  # s/veh: lost time of all inserted and waiting of all before insertion, over all vehicles
    "delay_pcu",  # s/PCU: the same, each vehicle weighted with its PCU
    "delay_person",  # s/person: the same, weighted with the persons aboard
    "stops",  # per vehicle
    "finished",  # vehicles that arrive before the end: throughput
    "unfinished",  # vehicles in the network at the end
    "never_inserted",  # vehicles that could not enter
)
"""Columns of ``Model.evaluate``."""

QUEUE_COLUMNS = (
    "delay",  # s, of all vehicles at the lane's end
    "max_queue",  # m that vehicles on the lane take when one leaves after waiting: its longest queue
    "blocked",  # times its head found no room on the next road: spillback
)
"""Last axis of ``Model.queues``."""

_OWN_WAYS = (
    "bicycle", "scooter", "tram", "rail", "rail_urban", "rail_electric", "rail_fast", "subway", "cable_car", "ship",
)  # fmt: skip
"""Classes that may have lanes without any other traffic."""

_FIRST = 12.0  # m: start-up of the first vehicle, measured for accelerations of 1.2–5 m/s²
_PIECES = 4  # of a batch for each thread: plans cost unequal times
BRAKING = 4.5  # m/s², SUMO's default deceleration
_CLEAR = 10.0  # m: a shorter way over an uncontrolled junction crosses no other
_LANE_WIDTH = 3.2  # m, SUMO's default
_EVERYONE = 1000  # vehicles: more than wait within any junction
_BAY = 8.0  # m: a turn that long has room for one vehicle to wait within the junction
_CAR, _ACCEL = 5.0, 2.6  # SUMO's default car: m, m/s²


@dataclass(frozen=True)
class Geometry:
    """Lengths (m) and speeds (m/s) that behaviour is computed from."""

    length: NDArray[np.float64]  # (L,)
    limit: NDArray[np.float64]  # (K,) of the lane a link leaves
    turn: NDArray[np.float64]  # (K,) over the junction
    rest: NDArray[np.float64]  # (K,) m from where one waits to the junction's end


@dataclass(frozen=True)
class Model:
    """A place ready to evaluate plans: see ``build``."""

    network: Network
    demand: Demand
    begin: float
    end: float
    parameters: Parameters
    lanes: tuple[str, ...]  # in the order of per-lane results
    static: Static
    geometry: Geometry
    right_of_way: RightOfWay | None
    share: NDArray[np.float64]  # (types,) of a lane's width that a vehicle takes
    weights: NDArray[np.float64]  # (3, types): real vehicles, PCU and persons of a simulated one

    def evaluate(self, plans: PlanArrays, *, threads: int | None = None) -> NDArray[np.float64]:
        """Metrics of each plan, shape (B, len(COLUMNS)). ``threads``: NUMBA_NUM_THREADS (all cores) if None.

        Raises InputError for arrays that cannot be meant.
        """
        return self.columns(self._run(plans, threads, np.zeros((1, 1, 3), dtype=np.float32), want=False))

    def columns(self, out: NDArray[np.float64]) -> NDArray[np.float64]:
        """Metrics (B, len(COLUMNS)) from the kernel's sums and counts (B, types + 2, 2)."""
        types = len(self.demand.types)
        number = np.bincount(self.demand.type, minlength=types).astype(np.float64)
        totals = np.maximum(self.weights @ number, 1e-9)
        # summed row by row: BLAS rounds a batch of one differently
        delay = (out[:, None, :types, 0] * self.weights).sum(axis=2) / totals  # (B, 3)
        inserted, finished, never = out[:, types, 0], out[:, types, 1], out[:, types + 1, 0]
        return np.column_stack(
            [
                delay,
                (out[:, :types, 1] * self.weights[0]).sum(axis=1) / totals[0],
                finished,
                inserted - finished,
                never,
            ]
        )

    @property
    def constants(self) -> Constants:
        """The parameters that the kernel reads itself."""
        p = self.parameters
        given = self.end - self.begin, p.yellow, p.clear, p.stop, p.halt, p.minor
        return Constants(*(np.float32(value) for value in given))

    def queues(self, plans: PlanArrays, *, threads: int | None = None) -> NDArray[np.float64]:
        """Figures by lane, shape (B, len(self.lanes), len(QUEUE_COLUMNS)). Slower than ``evaluate``."""
        return self.figures(plans, threads=threads)[1]

    def figures(
        self, plans: PlanArrays, *, threads: int | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """What ``evaluate`` and ``queues`` return, of one pass."""
        bays, sources = len(self.static.bay_room), len(self.static.source_first) - 1
        queue = np.zeros((len(plans), len(self.lanes) + bays + sources, 3), dtype=np.float32)
        out = self._run(plans, threads, queue, want=True)
        return self.columns(out), queue[:, : len(self.lanes)].astype(np.float64)

    def _run(
        self, plans: PlanArrays, threads: int | None, queue: NDArray[np.float32], *, want: bool
    ) -> NDArray[np.float64]:
        plans.check()
        if plans.states.intersections != tuple(self.network.intersections):
            raise InputError(
                "the plans are for other intersections",
                location=self.network.name,
                remedy="encode them for this network",
            )
        base, codes = plans.states.codes()
        out = np.zeros((len(plans), len(self.demand.types) + 2, 2))
        state = np.ascontiguousarray(plans.state, dtype=np.int16)
        duration = np.ascontiguousarray(plans.duration, dtype=np.float32)
        offset = np.ascontiguousarray(plans.offset, dtype=np.float32)
        constants = self.constants
        begin = np.float32(self.begin)

        def part(first: int, last: int) -> None:
            some = slice(first, last)
            own = memory(self.static, int(constants.horizon), state.shape[1])
            batch = Plans(state[some], duration[some], offset[some], base, codes)
            rows = queue[some] if want else queue
            run(self.static, constants, begin, batch, own, out[some], want, rows)

        workers = min(threads or numba.config.NUMBA_NUM_THREADS, len(plans))
        if workers <= 1:
            part(0, len(plans))
            return out
        pieces = min(_PIECES * workers, len(plans))
        cuts = [k * len(plans) // pieces for k in range(pieces + 1)]
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(part, cuts[:-1], cuts[1:]))
        return out

    def with_parameters(self, parameters: Parameters) -> Model:
        """The same place with other constants; cheap unless ``change`` differs, which moves the lane choice."""
        if parameters.change == self.parameters.change:
            behaviour = _behaviour(self.demand, self.geometry, parameters, self.share)
            return replace(self, parameters=parameters, static=self.static._replace(**behaviour))
        return build(
            self.network,
            self.demand,
            self.begin,
            self.end,
            right_of_way=self.right_of_way,
            parameters=parameters,
            sublane=self.sublane,
        )

    @property
    def sublane(self) -> bool:
        """Whether narrow vehicles stand and start side by side."""
        return bool((self.share < 1).any())


def build(
    network: Network,
    demand: Demand,
    begin: float | None = None,
    end: float | None = None,
    *,
    right_of_way: RightOfWay | None = None,
    parameters: Parameters = Parameters(),  # noqa: B008 - frozen
    sublane: bool = False,
    seed: int = 0,
) -> Model:
    """The model of a place. ``seed`` draws the drivers' speed factors. Raises InputError.

    ``begin`` and ``end`` (s) default to the demand's. ``right_of_way``
    (denxanh.sim.model.right_of_way) holds for every junction; without it vehicles yield at controlled ones only.
    ``sublane``: narrow vehicles stand and start side by side, as in SUMO with a lateral resolution.
    """
    begin = demand.begin if begin is None else begin
    end = demand.end if end is None else end
    if not end > begin:
        raise InputError(f"the end {end:g} s is not after the begin {begin:g} s", location=network.name)
    lanes = tuple(network.lanes)
    links, signal, letter = _links(network)
    demand = _driven(demand, network, links, parameters.change)
    classes = [t.vclass for t in demand.types]
    pairs: dict[tuple[int, str], int] = {}
    pair = np.array(
        [
            pairs.setdefault((int(r), classes[t]), len(pairs))
            for r, t in zip(demand.route, demand.type, strict=True)
        ],
        dtype=np.int64,
    )
    routes = [(demand.routes[r], vclass) for r, vclass in pairs]
    choice = lane_choice(network, links, routes, parameters.change)
    number = {name: i for i, name in enumerate(lanes)}
    p = parameters

    length = np.array([network.lanes[name].length for name in lanes], dtype=np.float32)
    limit = np.array([network.lanes[name].speed for name in lanes], dtype=np.float32)
    share = _share(demand, sublane)
    space = (share * [t.length + t.min_gap for t in demand.types]).astype(np.float32)
    turn = np.array([max(link.turn_speed, 1.0) for link in links], dtype=np.float32)
    start = np.array([number[link.start] for link in links], dtype=np.int32)
    over = np.array([link.length for link in links], dtype=np.float32)
    smallest = float(space.min()) if len(space) else QUEUE_SPACING
    rings = np.ceil(length / smallest).astype(np.int64) + 6
    foe_first, foe = _foes(network, links, signal, letter, right_of_way)
    ahead = _waiting(links, signal, right_of_way, network.opposed_turns)  # (K,) m
    waits = np.flatnonzero((ahead > 0.0) & (np.diff(foe_first) > 0))
    bay = np.full(len(links), -1, dtype=np.int32)
    bay[waits] = np.arange(len(waits))
    geometry = Geometry(
        length.astype(np.float64), limit[start].astype(np.float64), turn.astype(np.float64), over - ahead
    )
    last = np.array([route[-1] for route, _ in routes], dtype=object)
    final_length = np.zeros(len(choice.block), dtype=np.float32)
    final_time = np.zeros(len(choice.block), dtype=np.float32)
    for r, edge in enumerate(last):
        road = network.edges[edge]
        final_length[choice.start[r + 1] - 1] = road.length
        final_time[choice.start[r + 1] - 1] = road.length / road.speed
    source_first, source_vehicle, depart_lane = _sources(
        network, demand, choice.start[pair], choice.block, number, pair, routes
    )
    factors, along = draw_drivers(demand, seed)
    static = Static(
        lane_length=length,
        lane_time=(length / np.maximum(limit, 0.1)).astype(np.float32),
        lane_limit=np.maximum(limit, np.float32(0.1)),
        lane_change=(p.change / np.maximum(length, 1.0)).astype(np.float32),
        ring_first=np.concatenate([[0], np.cumsum(rings)]).astype(np.int32),
        link_start=start,
        link_end=np.array([number[link.end] for link in links], dtype=np.int32),
        link_signal=signal,
        link_letter=letter,
        link_time=over / turn,
        link_speed=turn,
        link_brake=(
            np.maximum(limit[start] - turn, 0.0) ** 2 / (2 * BRAKING * np.maximum(limit[start], 0.1))
        ).astype(np.float32),
        link_bay=bay,
        link_clear=((signal >= 0) | (over > _CLEAR)).astype(np.uint8),
        bay_room=(ahead[waits] / QUEUE_SPACING).astype(np.int32) + 1,
        bay_aside=_aside(links, ahead, right_of_way)[waits],
        foe_first=foe_first,
        foe=foe,
        depart=(demand.depart - begin).astype(np.float32),
        type=demand.type.astype(np.int32),
        first_step=choice.start[pair].astype(np.int32),
        slow=(1.0 / factors).astype(np.float32),
        factor=factors.astype(np.float32),
        nerve=yellow_use(demand, seed),
        depart_lane=depart_lane,
        along=along,
        standing=demand.standing.astype(np.uint8),
        space=space,
        accel=np.array([t.accel for t in demand.types], dtype=np.float32),
        pace=np.array([1.0 / t.max_speed for t in demand.types], dtype=np.float32),
        top=np.array([t.max_speed for t in demand.types], dtype=np.float32),
        block=choice.block,
        choice_first=choice.first,
        choice_lane=choice.lane,
        choice_link=choice.link,
        choice_bias=choice.bias,
        final_length=final_length,
        final_time=final_time,
        final_speed=(final_length / np.maximum(final_time, 1e-6)).astype(np.float32),
        source_first=source_first,
        source_vehicle=source_vehicle,
        **_behaviour(demand, geometry, p, share),
    )
    weights = np.array(
        [
            [t.represents for t in demand.types],
            [t.pcu for t in demand.types],
            [t.persons for t in demand.types],
        ]
    )
    return Model(
        network, demand, begin, end, parameters, lanes, static, geometry, right_of_way, share, weights
    )


def _driven(demand: Demand, network: Network, links: Sequence[Link], change: float) -> Demand:
    """The demand without bicycles and trains on ways of their own, which are not in the model; they are counted."""
    apart = {
        (int(r), demand.types[t].vclass)
        for r, t in zip(demand.route, demand.type, strict=True)
        if demand.types[t].vclass in _OWN_WAYS
    }
    ways = [(demand.routes[r], vclass) for r, vclass in sorted(apart)]
    out = set(itertools.compress(sorted(apart), np.logical_not(joined(network, links, ways, change))))
    if not out:
        return demand
    stays = np.array(
        [(int(r), demand.types[t].vclass) not in out for r, t in zip(demand.route, demand.type, strict=True)],
        dtype=np.bool_,
    )
    ignored = dict(demand.ignored)
    for t in demand.type[~stays]:
        name = f"{demand.types[t].vclass} on ways of its own"
        ignored[name] = ignored.get(name, 0) + 1
    return replace(
        demand,
        **{
            name: getattr(demand, name)[stays]
            for name in ("depart", "type", "route", "depart_lane", "standing", "spread")
        },
        id=tuple(itertools.compress(demand.id, stays)) if demand.id else (),
        ignored=ignored,
    )


def _links(network: Network) -> tuple[list[Link], NDArray[np.int32], NDArray[np.int32]]:
    """Links for vehicles, and the signal and letter of each (−1 where there is none)."""
    links: list[Link] = []
    signal: list[int] = []
    letter: list[int] = []
    driven = set()
    for number, intersection in enumerate(network.intersections.values()):
        for link in intersection.links:
            if not link.crossing and _motor(network, link.start) and _motor(network, link.end):
                links.append(link)
                signal.append(number)
                letter.append(link.index)
                driven.add((link.start, link.end))
    plain = [
        link
        for link in network.links
        if not link.crossing and _motor(network, link.start) and _motor(network, link.end)
    ]
    for link in plain:
        if (link.start, link.end) not in driven:
            driven.add((link.start, link.end))
            links.append(link)
    # signals left to SUMO have no links of their own in the network: taken as free
    links += [
        Link(-1, name, end, "", "s", 10.0, lane.speed, crossing=False)
        for name, lane in network.lanes.items()
        for end in lane.next
        if (name, end) not in driven and _motor(network, name) and _motor(network, end)
    ]
    missing = len(links) - len(signal)
    return (
        links,
        np.array(signal + [-1] * missing, dtype=np.int32),
        np.array(letter + [-1] * missing, dtype=np.int32),
    )


def _behaviour(
    demand: Demand, geometry: Geometry, p: Parameters, share: NDArray[np.float64]
) -> dict[str, Any]:
    """The arrays of Static that depend on the parameters."""
    tau = np.array([t.tau for t in demand.types])
    accel = np.array([t.accel for t in demand.types])
    dawdle = np.array([0.5 * t.sigma * t.accel for t in demand.types])  # m/s: SUMO's Krauss model draws 0…σa
    turning = np.minimum(geometry.limit, geometry.turn)[:, None]  # (K, 1)
    moving = np.maximum(turning - dawdle, 1.0)  # (K, T)
    # from standing, over what is left of the junction; gap holds SUMO's second of looking ahead
    crossing = np.sqrt(2.0 * (geometry.rest + _CAR) / _ACCEL)
    found = {
        "lane_lag": geometry.length / p.wave,
        "link_gap": p.gap + crossing,
        "pace_out": p.headway / moving,
        "react": p.headway * (tau + p.hesitate) * share,
        "dawdle": dawdle,
        "lost": p.lost + np.sqrt(_FIRST / accel),
        "minor_pace": p.headway / np.maximum(p.minor - dawdle, 1.0),
    }
    return {name: array.astype(np.float32) for name, array in found.items()}


def _share(demand: Demand, sublane: bool) -> NDArray[np.float64]:
    """Part of a lane's width that a vehicle of each type takes; 1 where one follows the other."""
    wide = np.array([t.width + t.min_gap_lat for t in demand.types]) / _LANE_WIDTH
    return np.minimum(wide, 1.0) if sublane else np.ones(len(demand.types))


def _waiting(
    links: Sequence[Link],
    signal: NDArray[np.int32],
    right_of_way: RightOfWay | None,
    opposed: frozenset[str],
) -> NDArray[np.float64]:
    """Way from each stop line to the waiting point within the junction, m; 0 where there is none.

    ``opposed``: the directions of turns across oncoming traffic, which wait where no right of way is known.
    """
    if right_of_way is not None:
        return np.array([right_of_way.waiting.get((link.start, link.end), 0.0) for link in links])
    return np.array(
        [
            link.length / 3 if signal[k] >= 0 and link.direction in opposed and link.length >= _BAY else 0.0
            for k, link in enumerate(links)
        ]
    )


def _aside(
    links: Sequence[Link], ahead: NDArray[np.float64], right_of_way: RightOfWay | None
) -> NDArray[np.int32]:
    """How many vehicles that wait within the junction let others from their lane pass, by link."""
    parting = {} if right_of_way is None else right_of_way.parting
    free = (
        ahead - _CAR - [parting.get((link.start, link.end), 0.0) for link in links]
    )  # of the first one's back
    several = np.maximum(np.floor(free / QUEUE_SPACING) + 1, 0.0)
    alone = np.array([(link.start, link.end) not in parting for link in links])
    return np.where(alone, _EVERYONE, several).astype(np.int32)


def _motor(network: Network, lane: str) -> bool:
    return lane in network.lanes and network.lanes[lane].vehicles


def _foes(
    network: Network,
    links: Sequence[Link],
    signal: NDArray[np.int32],
    letter: NDArray[np.int32],
    right_of_way: RightOfWay | None,
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Links that each link yields to, as first (K + 1,) and a flat list."""
    by_letter: dict[tuple[int, int], list[int]] = defaultdict(list)
    for k in range(len(links)):
        by_letter[int(signal[k]), int(letter[k])].append(k)
    places = list(network.intersections.values())
    number = {(link.start, link.end): k for k, link in enumerate(links)}
    first, flat = [0], []
    for k, link in enumerate(links):
        if right_of_way is not None:
            flat += [
                number[way] for way in right_of_way.yields.get((link.start, link.end), ()) if way in number
            ]
        elif signal[k] >= 0:
            for other in np.flatnonzero(places[signal[k]].yields[letter[k]]):
                flat += [f for f in by_letter[int(signal[k]), int(other)] if links[f].start != link.start]
        first.append(len(flat))
    return np.array(first, dtype=np.int32), np.array(flat, dtype=np.int32)


def _sources(
    network: Network,
    demand: Demand,
    first_step: NDArray[np.int32],
    block: NDArray[np.int32],
    number: dict[str, int],
    pair: NDArray[np.int64],
    routes: Sequence[tuple[tuple[str, ...], str]],
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
    """Vehicles that wait for each other to enter: those of one road that may take the same lanes."""
    groups: dict[tuple[str, int, int], list[int]] = defaultdict(list)
    depart_lane = np.full(len(demand), -1, dtype=np.int32)
    for v in range(len(demand)):
        edge = network.edges[routes[pair[v]][0][0]]
        lane = int(demand.depart_lane[v])
        usable = [name for name in edge.lanes if network.lanes[name].vehicles]
        if lane >= 0 and usable:
            depart_lane[v] = number[usable[min(lane, len(usable) - 1)]]
        groups[edge.id, int(block[first_step[v]]), lane].append(v)
    first = np.cumsum([0, *(len(group) for group in groups.values())]).astype(np.int32)
    flat = np.array([v for group in groups.values() for v in group], dtype=np.int32)
    return first, flat, depart_lane
