"""The queue model as a World: any controller can drive it, in the loop that drives SUMO, without SUMO.

Signals run the network's own program until they are shown something. Vehicles are where their queue has them:
on the way at their own speed, then one behind the other from the stop line; a vehicle on a junction is on no
lane, and one that has passed the last stop line of its route has left. A vehicle that moves up with its queue is
drawn standing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from denxanh.sim.errors import InputError
from denxanh.sim.model.arrays import Signals, memory
from denxanh.sim.model.build import Model
from denxanh.sim.model.kernel import PARKED, count, reset, seconds
from denxanh.sim.model.plan_arrays import GREENS, RED, encode, meanings
from denxanh.sim.model.stop_line import NEVER
from denxanh.sim.plan import Plan
from denxanh.sim.sumo.program import steady_letters
from denxanh.sim.world import HALTED_SPEED, PRIORITY_CLASSES, Delay, OnLane, PriorityVehicle


class ModelWorld:
    """One run of ``model`` from its begin to its end, in steps of 1 s (a World)."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.network = model.network
        self.begin = model.begin
        self.step = 1.0
        self.steps = 0
        plans = encode(model.network, [Plan({})])
        base, codes = plans.states.codes()
        self._own_row = len(codes) + np.arange(len(base))  # where each signal's shown state is written
        own = np.zeros((len(base), codes.shape[1]), dtype=np.uint8)
        self._signals = Signals(
            np.ascontiguousarray(plans.state[0], dtype=np.int16),
            np.ascontiguousarray(plans.duration[0], dtype=np.float32),
            base,
            np.concatenate([codes, own]),
        )
        self._letters = [letters for row in plans.states.letters for letters in row]
        self._number = {name: i for i, name in enumerate(model.network.intersections)}
        self._shown: dict[str, str] = {}
        self._codes: dict[tuple[int, str], list[int]] = {}  # meanings of states shown
        self._links: dict[int, list[tuple[int, int, int]]] = {}  # link, its lane and its letter, by signal
        self._lane = {name: i for i, name in enumerate(model.lanes)}
        self._vehicle = {name: v for v, name in enumerate(model.demand.id)}
        self._memory = memory(model.static, int(model.constants.horizon), len(base))
        self._out = np.zeros((len(model.demand.types) + 2, 2))
        self._want = np.zeros((1, 3), dtype=np.float32)
        offset = np.ascontiguousarray(plans.offset[0], dtype=np.float32)
        reset(model.static, np.float32(model.begin), offset, self._signals, self._memory)

    def advance(self, steps: int) -> None:
        """Run until ``steps`` steps since begin are done. Raises InputError beyond the model's end."""
        if steps > len(self._memory.calendar):
            raise InputError(
                f"the model ends at {self.model.end:g} s",
                location=self.network.name,
                remedy="build it for longer",
            )
        place = self.model.static, self.model.constants, self._signals, self._memory
        seconds(self.steps, steps, *place, self._out, self._want)
        self.steps = max(steps, self.steps)

    def show(self, intersection: str, state: str) -> None:
        """Let a signal show a state until further notice."""
        if self.shows(intersection) == state and intersection in self._shown:
            return
        i, w, now = self._number[intersection], self._memory, np.float32(self.steps)
        self._shown[intersection] = state
        row = self._own_row[i]
        codes = self._codes_of(i, intersection, state)
        self._signals.codes[row, : len(codes)] = codes
        self._signals.duration[i] = 0.0  # its program shows nothing more
        w.row[i], w.begun[i], w.until[i] = row, now, NEVER
        n = self.model.static
        for link, lane, letter in self._links_of(i):
            head = int(w.head[lane])
            if head >= 0 and codes[letter] in GREENS and w.chosen[head] == link and w.idle[lane] == PARKED:
                start = now + n.lost[n.type[head]] if w.arrive[head] < now else now
                w.ready[lane] = max(w.ready[lane], start)
                w.idle[lane] = 0.0
                second = int(w.ready[lane])
                if second < len(w.calendar):
                    w.later[lane], w.calendar[second] = w.calendar[second], lane

    def _codes_of(self, i: int, intersection: str, state: str) -> list[int]:
        """The meaning of each letter of a state; a yellow that never ends lets nobody go."""
        if (i, state) not in self._codes:
            codes = meanings(state)
            for k, letter in steady_letters(self.network.intersections[intersection].program).items():
                if letter in "yY":
                    codes[k] = RED
            self._codes[i, state] = codes
        return self._codes[i, state]

    def _links_of(self, i: int) -> list[tuple[int, int, int]]:
        if i not in self._links:
            n = self.model.static
            own = np.flatnonzero(n.link_signal == i)
            columns = own.tolist(), n.link_start[own].tolist(), n.link_letter[own].tolist()
            self._links[i] = list(zip(*columns, strict=True))
        return self._links[i]

    def shows(self, intersection: str) -> str:
        """The state that a signal shows now."""
        if intersection in self._shown:
            return self._shown[intersection]
        i, x = self._number[intersection], self._signals
        position = (
            self.begin + self.steps - self.network.intersections[intersection].program.offset
        ) % float(x.duration[i].sum())
        step = int(np.searchsorted(np.cumsum(x.duration[i]), position, side="right"))
        return self._letters[int(x.base[i]) + int(x.state[i, step])]

    def on_lane(self, lane: str) -> Sequence[OnLane]:
        """The vehicles on a lane, the rearmost first."""
        n, w, q, now = self.model.static, self._memory, self._lane[lane], float(self.steps)
        out, end = [], float(n.lane_length[q])
        for v in self._queue(q):
            kind = n.type[v]
            speed = float(min(n.lane_limit[q] * n.factor[v], n.top[kind]))
            at = float(n.lane_length[q]) - (float(w.arrive[v]) - now) * speed
            if at < 0.0:
                break  # it and those behind it are still on the junction
            standing = at >= end
            wait = max(now - float(w.arrive[v]), 0.0)
            space = float(n.space[kind])
            out.append(
                OnLane(
                    self.model.demand.id[v], max(min(at, end), 0.0), 0.0 if standing else speed, wait, space
                )
            )
            end -= space
        return out[::-1]

    def _queue(self, q: int) -> Iterator[int]:
        v = int(self._memory.head[q])
        while v >= 0:
            yield v
            v = int(self._memory.follower[v])

    def _way(self, v: int) -> tuple[str, ...]:
        demand = self.model.demand
        return demand.routes[demand.route[v]]

    def next_edge(self, vehicle: str, edge: str) -> str:
        """The edge that a vehicle takes after ``edge``, "" if its route ends there."""
        v = self._vehicle[vehicle]
        route, done = self._way(v), int(self._memory.at[v] - self.model.static.first_step[v])
        for k in range(done, len(route) - 1):
            if route[k] == edge:
                return route[k + 1]
        return ""

    def priority_vehicles(self) -> Sequence[PriorityVehicle]:
        """The vehicles of PRIORITY_CLASSES on their way."""
        found = []
        for lane, q in self._lane.items():
            special = {v for v in self._queue(q) if self._class(v) in PRIORITY_CLASSES}
            if special:
                places = {vehicle.id: vehicle for vehicle in self.on_lane(lane)}
                for v in special:
                    name, done = (
                        self.model.demand.id[v],
                        int(self._memory.at[v] - self.model.static.first_step[v]),
                    )
                    at = places.get(name, OnLane(name, 0.0, self.network.lanes[lane].speed, 0.0, 0.0))
                    found.append(
                        PriorityVehicle(name, self._class(v), at.position, at.speed, self._way(v)[done:])
                    )
        return sorted(found)

    def _class(self, v: int) -> str:
        return str(self.model.demand.types[self.model.demand.type[v]].vclass)

    def vehicle_class(self, vehicle: str) -> str:
        """SUMO's class of a vehicle."""
        return self._class(self._vehicle[vehicle])

    def halted(self, lane: str) -> int:
        """Vehicles that stand on a lane."""
        return sum(vehicle.speed < HALTED_SPEED for vehicle in self.on_lane(lane))

    def delay(self) -> Delay:
        """The delay of all vehicles until now."""
        out, types = self._out.copy(), len(self.model.demand.types)
        now = self.model.constants._replace(horizon=np.float32(self.steps))
        count(self.model.static, now, self._memory, out, self._want)
        return Delay(float(out[:types, 0].sum()), round(float(out[types, 0] + out[types + 1, 0])))

    def metrics(self) -> NDArray[np.float64]:
        """What ``Model.evaluate`` gives for one plan, shape (len(COLUMNS),), once the end is reached."""
        if self.steps < len(self._memory.calendar):
            raise InputError(
                f"the run is at {self.begin + self.steps:g} s of {self.model.end:g} s",
                location=self.network.name,
                remedy="run it to the end before asking for its metrics",
            )
        out = self._out.copy()
        count(self.model.static, self.model.constants, self._memory, out, self._want)
        metrics: NDArray[np.float64] = self.model.columns(out[None])[0]
        return metrics
