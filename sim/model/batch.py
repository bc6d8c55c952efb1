"""A batch of episodes of the queue model: arrays of signals, vehicles and figures around the compiled kernel."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from denxanh.sim.errors import InputError
from denxanh.sim.model.arrays import Memory, memory
from denxanh.sim.model.batch_kernel import (
    FIGURES,
    GREEN,
    MOST_PHASES,
    SignalState,
    Tables,
    Vehicles,
    Views,
    drive_batch,
)
from denxanh.sim.model.build import Model
from denxanh.sim.model.drivers import draw_drivers, yellow_use
from denxanh.sim.model.plan_arrays import RED, meanings
from denxanh.sim.model.stop_line import NEVER
from denxanh.sim.network import Intersection, Network
from denxanh.sim.signals.change import change_intervals
from denxanh.sim.signals.monitor import unsafe_changes
from denxanh.sim.sumo.program import steady_letters

_CLOSE = 1e-6
_I32, _F32 = np.int32, np.float32
Kept = NDArray[np.bool_]


@dataclass
class BatchWorld:
    """``count`` episodes of a model, advanced together in steps of ``step`` whole s.

    ``reach`` is how far from the stop line vehicles are seen, m. The monitor's waits for vehicles of an earlier phase
    are not in it: they prolong a change in the loop where a phase was shorter than its clearance.
    """

    model: Model
    count: int
    step: int
    reach: float
    threads: int = 0  # 0: NUMBA_NUM_THREADS
    by_phase: bool = False  # whether figures of phases are kept
    second: int = 0  # s since begin
    figures: NDArray[np.float32] = field(init=False)  # (B, A, 8), see batch_kernel
    exits: NDArray[np.float32] = field(init=False)  # (B, X, 2)
    served: NDArray[np.float32] = field(init=False)  # (B, I, P, 6) where by_phase, else (0, 0, 0, 6)
    permitted: NDArray[np.uint8] = field(init=False)  # (B, I, P)
    asks: NDArray[np.bool_] = field(init=False)  # (B, I)
    delay: NDArray[np.float64] = field(init=False)  # (B, 2) s and vehicles

    def __post_init__(self) -> None:
        model, batch = self.model, self.count
        network = model.network
        if (
            self.by_phase
            and (most := max(len(x.phases) for x in network.intersections.values())) > MOST_PHASES
        ):
            raise InputError(
                f"a signal has {most} phases, more than {MOST_PHASES}",
                location=network.name,
                remedy="leave out the features by phase, or use parallel_env(backend='model')",
            )
        self._tables = _tables(network, model)
        self._views, approaches, exits = _views(network, model, self.reach)
        signals, phases = self._tables.green_row.shape
        slots = int(model.constants.horizon)
        one = memory(model.static, slots, signals)
        self._memory = Memory._make([np.zeros((batch, *a.shape), dtype=a.dtype) for a in one])
        self._state = SignalState(*(np.zeros((batch, signals), dtype=_I32) for _ in SignalState._fields))
        self._out = np.zeros((batch, len(model.demand.types) + 2, 2))
        self._want = np.zeros((1, 3), dtype=_F32)
        vehicles = len(model.demand)
        kinds: dict[str, Any] = dict.fromkeys(Vehicles._fields, _F32) | {"source_vehicle": _I32}
        made: Any = (np.zeros((batch, vehicles), dtype=kind) for kind in kinds.values())
        self._vehicles = Vehicles(*made)
        self.figures = np.zeros((batch, approaches, FIGURES), dtype=_F32)
        self.exits = np.zeros((batch, exits, 2), dtype=_F32)
        self.served = np.zeros((batch, signals, phases, 6) if self.by_phase else (0, 0, 0, 6), dtype=_F32)
        self.permitted = np.zeros((batch, signals, phases), dtype=np.uint8)
        self.asks = np.zeros((batch, signals), dtype=np.bool_)
        self.delay = np.zeros((batch, 2))
        self._none = np.full((batch, signals), -1, dtype=_I32)

    @property
    def phase(self) -> NDArray[np.int32]:
        """The phase that each signal shows, or has shown last, (B, I)."""
        return self._state.phase

    @property
    def elapsed(self) -> NDArray[np.int32]:
        """s since the phase turned green, (B, I)."""
        elapsed: NDArray[np.int32] = self.second - self._state.since
        return elapsed

    @property
    def least(self) -> NDArray[np.int32]:
        """s of minimum green of the phase that each signal shows, (B, I)."""
        signals = np.arange(self._tables.least.shape[0])
        return np.asarray(self._tables.least[signals, self._state.phase])

    @property
    def change_time(self) -> NDArray[np.int32]:
        """s of the change from the phase that each signal shows to each phase, 0 for itself, (B, I, P)."""
        signals = np.arange(self._tables.least.shape[0])
        seconds = self._tables.change_seconds.sum(axis=3)
        return np.asarray(seconds[signals, self._state.phase])

    @property
    def over(self) -> bool:
        """Whether the episodes are at their end."""
        return self.second >= int(self.model.constants.horizon)

    def reset(self, seeds: Sequence[int], kept: Sequence[Kept] | None = None) -> None:
        """Start all episodes anew, with drivers by seed and the vehicles of the masks ``kept``."""
        for b, seed in enumerate(seeds):
            self._draw(b, seed, None if kept is None else kept[b])
        self._out[:] = 0.0
        self.second = 0
        for i, intersection in enumerate(self.model.network.intersections.values()):
            self._begin(i, intersection)
        self._drive(fresh=True)

    def advance(self, actions: NDArray[np.int32]) -> None:
        """Carry out phases as actions (B, I) and advance by a step; −1 keeps the phase, as a refused one does."""
        step = min(self.step, int(self.model.constants.horizon) - self.second)
        self._drive(step, actions=actions)

    def look(self, *, delay: bool = False) -> None:
        """Bring figures and masks up to date, and the delay if it is asked for."""
        self._drive(delay=delay)

    def _drive(
        self,
        step: int = 0,
        *,
        fresh: bool = False,
        actions: NDArray[np.int32] | None = None,
        delay: bool = False,
    ) -> None:
        m, second = self.model, self.second
        given = np.ascontiguousarray(self._none if actions is None else actions, dtype=_I32)
        now = m.constants._replace(horizon=_F32(second + step))
        begin, reach = _F32(m.begin), _F32(self.reach)
        more = (
            m.static,
            m.constants,
            now,
            self._vehicles,
            self._memory,
            self._tables,
            self._state,
            self._views,
        )
        seen = self.figures, self.exits, self.served, self.permitted, self.asks
        into = (*seen, self.delay if delay else self.delay[:0])
        self._spread(
            lambda a, b: drive_batch(
                a, b, fresh, begin, second, step, self.step, reach, given, *more, self._out, self._want, *into
            )
        )
        self.second += step
        if self.over:  # no signal asks at the end of a run
            state = self._state
            shown = np.where(state.part == GREEN, state.phase, state.target)
            self.asks[:] = False
            self.permitted[:] = shown[:, :, None] == np.arange(self.permitted.shape[2])

    def copy(self) -> BatchWorld:
        """An independent copy with the same future."""
        other = copy.copy(self)
        for name in ("figures", "exits", "served", "permitted", "asks", "delay", "_out"):
            setattr(other, name, getattr(self, name).copy())
        other._memory = Memory._make([a.copy() for a in self._memory])
        other._state = SignalState._make([a.copy() for a in self._state])
        other._vehicles = Vehicles._make([a.copy() for a in self._vehicles])
        return other

    def _spread(self, work: Callable[[int, int], None]) -> None:
        """Do ``work(first, last)`` on all episodes, in threads."""
        threads = min(self.threads or numba.config.NUMBA_NUM_THREADS, self.count)
        if threads <= 1:
            work(0, self.count)
            return
        cuts = [k * self.count // threads for k in range(threads + 1)]
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(work, cuts[:-1], cuts[1:]))

    def _draw(self, b: int, seed: int, kept: Kept | None) -> None:
        demand, static, v = self.model.demand, self.model.static, self._vehicles
        factors, along = draw_drivers(demand, seed)
        v.slow[b], v.factor[b], v.along[b] = 1.0 / factors, factors, along
        v.nerve[b] = yellow_use(demand, seed)
        v.depart[b], v.source_vehicle[b] = static.depart, static.source_vehicle
        if kept is not None and not kept.all():
            v.depart[b, ~kept] = NEVER
            source = np.repeat(np.arange(len(static.source_first) - 1), np.diff(static.source_first))
            order = np.lexsort((~kept[static.source_vehicle], source))  # stable: left out ones last
            v.source_vehicle[b] = static.source_vehicle[order]

    def _begin(self, i: int, intersection: Intersection) -> None:
        """Signals start from the position of the network's own program at begin, as in the loop."""
        s, timing = self._state, intersection.program
        moment = timing.at(self.model.begin)
        stage = timing.stages[moment.stage]
        following = (moment.stage + 1) % len(timing.stages)
        s.phase[:, i] = moment.stage
        if moment.step == 0:
            elapsed = math.floor(stage.green - moment.left + _CLOSE)
            s.target[:, i], s.part[:, i] = moment.stage, GREEN
            s.since[:, i] = -elapsed
            s.due[:, i] = max(int(self._tables.least[i, moment.stage]) - elapsed, 0)
            s.row[:, i] = self._tables.green_row[i, moment.stage]
            return
        part = moment.step - 1
        s.target[:, i], s.part[:, i], s.since[:, i] = following, part, 0
        s.due[:, i] = math.ceil(moment.left - _CLOSE)
        s.hold[:, i] = max(int(self._tables.least[i, following]), 1)
        s.row[:, i] = self._tables.change_row[i, moment.stage, following, part]


def _tables(network: Network, model: Model) -> Tables:
    """The tables of all signals."""
    places = list(network.intersections.values())
    rows: dict[tuple[int, str], int] = {}
    phases = max(len(place.phases) for place in places)
    changes = {
        (i, a, b): change_intervals(place, a, b)
        for i, place in enumerate(places)
        for a in range(len(place.phases))
        for b in range(len(place.phases))
    }
    longest = max(map(len, changes.values()))
    shape = len(places), phases
    green, least = np.zeros(shape, dtype=_I32), np.zeros(shape, dtype=_I32)
    row, seconds = (np.zeros((*shape, phases, max(longest, 1)), dtype=_I32) for _ in range(2))
    safe = np.zeros((*shape, phases), dtype=np.uint8)
    for i, place in enumerate(places):
        unsafe = unsafe_changes(place)
        for a, phase in enumerate(place.phases):
            green[i, a] = rows.setdefault((i, phase.state), len(rows))
            least[i, a] = math.ceil(phase.min_green - _CLOSE)
            for b in range(len(place.phases)):
                safe[i, a, b] = a == b or (a, b) not in unsafe
                for k, interval in enumerate(changes[i, a, b]):
                    row[i, a, b, k] = rows.setdefault((i, interval.state), len(rows))
                    seconds[i, a, b, k] = math.ceil(interval.duration - _CLOSE)
    width = max(len(state) for _, state in rows)
    codes = np.full((len(rows), width), RED, dtype=np.uint8)
    for (i, state), number in rows.items():
        codes[number, : len(state)] = meanings(state)
        steady = steady_letters(places[i].program)
        codes[number, [k for k, letter in steady.items() if letter in "yY"]] = RED
    order = np.argsort(model.static.link_signal, kind="stable")
    signal = model.static.link_signal[order]
    links = order[signal >= 0].astype(_I32)
    first = np.searchsorted(signal[signal >= 0], np.arange(len(places) + 1)).astype(_I32)
    counts = np.array([len(place.phases) for place in places], dtype=_I32)
    return Tables(codes, green, row, seconds, least, safe, counts, first, links)


def _views(network: Network, model: Model, reach: float) -> tuple[Views, int, int]:
    """Where the vehicles of the approaches are (as Ideal sensing finds them); the number of approaches and exits."""
    lanes = {name: i for i, name in enumerate(model.lanes)}
    edges = {name: i for i, name in enumerate(network.edges)}
    lane, own, length, first, candidate, beyond = [], [], [], [0], [], []
    edge: list[int] = []
    target_first, target = [0], list[int]()
    signal: list[int] = []
    sets: tuple[list[int], list[int], list[int]] = (
        [],
        [],
        [],
    )  # phases in which a target is left, served, yields
    exits = []
    for i, place in enumerate(network.intersections.values()):
        base = len(edge)
        found: dict[str, list[tuple[float, int]]] = {}
        for number, approach in enumerate(place.approaches):
            edge.append(edges[network.lanes[approach.lane].edge])
            links = [
                link for link in place.links if link.start == approach.lane and link.end in network.lanes
            ]
            first_link = {edges[network.lanes[link.end].edge]: link.index for link in reversed(links)}
            ends = dict.fromkeys(edges[network.lanes[link.end].edge] for link in links)
            target += ends
            target_first.append(len(target))
            signal.append(i)
            for bits, letters in zip(sets, ("Ggs", "G", "g"), strict=True):
                bits += [_phases(place, first_link[end], letters) for end in ends]
            for segment in approach.segments:
                if segment.beyond <= reach:
                    found.setdefault(segment.lane, []).append((segment.beyond, base + number))
        for name, rows in sorted(found.items(), key=lambda item: min(item[1])[0]):  # the nearest lanes first
            lane.append(lanes[name])
            length.append(network.lanes[name].length)
            nearest, number = rows[0]  # as Ideal sensing: the first approach that the lane belongs to
            own.append(number if nearest == 0.0 else -1)
            for distance, number in sorted(rows):
                candidate.append(number)
                beyond.append(distance)
            first.append(len(candidate))
        exits += [lanes[name] for name in place.exits]
    routes = [[edges[name] for name in route] for route in model.demand.routes]
    arrays = (
        lane, own, length, first, candidate, beyond, edge, target_first, target, signal, *sets,
        np.cumsum([0, *map(len, routes)]), [name for route in routes for name in route], model.demand.route, exits,
    )  # fmt: skip
    kinds: dict[int, Any] = (
        dict.fromkeys(range(len(arrays)), _I32) | {2: _F32, 5: _F32} | dict.fromkeys((10, 11, 12), np.uint64)
    )
    return Views._make([np.array(a, dtype=kinds[k]) for k, a in enumerate(arrays)]), len(edge), len(exits)


def _phases(place: Intersection, link: int, letters: str) -> int:
    """The phases that show one of the letters to a link, as bits."""
    return sum(1 << p for p, phase in enumerate(place.phases) if phase.state[link] in letters)
