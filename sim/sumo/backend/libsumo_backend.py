"""SUMO inside this process, by libsumo, which no other module imports.

One process runs one simulation: a second one in the same process may give another result, and a crash of libsumo
ends the interpreter.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from denxanh.sim.compiled import silenced
from denxanh.sim.sumo.backend.command_lock import CommandLock
from denxanh.sim.sumo.backend.engine import Engine
from denxanh.sim.sumo.backend.last_words import WITHOUT_REASON, printed_errors, refusal
from denxanh.sim.sumo.backend.readings import (
    STOPPED,
    read_delay,
    read_incidents,
    read_pedestrians,
    read_upcoming,
    speed_mode,
)
from denxanh.sim.sumo.backend.requesters import PriorityVehicles
from denxanh.sim.sumo.backend.road_changes import SumoRoads
from denxanh.sim.sumo.outputs import Incidents
from denxanh.sim.world import HALTED_SPEED, Delay, OnLane, Pedestrian, PriorityVehicle, Standing


def preload() -> None:
    """Import libsumo, so that processes forked from this one need not; the warning that it prints is suppressed."""
    if "libsumo" in sys.modules:
        return
    with silenced():
        import libsumo  # noqa: F401


def open_libsumo(arguments: Sequence[str], *, log: Path | None = None) -> Engine:
    """Start SUMO inside this process, the faster backend. Raises WorldError, or InputError.

    ``log`` is the file that this process prints to: SUMO's messages there explain an error without a text.
    """
    return _Libsumo(arguments, log)


class _Libsumo:
    """SUMO inside this process. Plain getters: here they are faster than subscriptions."""

    def __init__(self, arguments: Sequence[str], log: Path | None = None) -> None:
        preload()
        import libsumo

        self._sumo: Any = libsumo
        # the functions themselves: the Python wrappers around them cost as much again as a call
        self._raw: Any = libsumo.libsumo._libsumo
        self._space: dict[str, float] = {}
        self._priority = PriorityVehicles(libsumo.vehicle)
        try:
            libsumo.start(["sumo", *arguments])
        except (libsumo.TraCIException, libsumo.FatalTraCIError) as error:
            said = str(error)
            if log is not None and log.is_file():  # what it threw may be the last of several sentences
                printed = printed_errors(log)
                said = printed if said == WITHOUT_REASON or said in printed else f"{printed} {said}".strip()
            raise refusal(said, "at its start") from None
        self._lock = CommandLock()
        self._lock.lock_libsumo(self._raw)

    def step_to(self, time: float) -> None:
        self._lock.check()
        try:
            with self._lock:
                self._raw.simulation_step(time)  # without the step listeners of libsumo's Python module
        except (self._sumo.TraCIException, self._sumo.FatalTraCIError) as error:
            raise refusal(str(error), f"before t={time:g} s") from None

    def time(self) -> float:
        now: float = self._raw.simulation_getTime()
        return now

    def set_state(self, signal: str, state: str) -> None:
        with self._lock:
            self._raw.trafficlight_setRedYellowGreenState(signal, state)

    def state(self, signal: str) -> str:
        shown: str = self._raw.trafficlight_getRedYellowGreenState(signal)
        return shown

    def on_lane(self, lane: str, *, stops: bool) -> Sequence[OnLane]:
        raw = self._raw
        names = raw.lane_getLastStepVehicleIDs(lane)
        if not names:
            return ()
        position, speeds, spaces = raw.vehicle_getLanePosition, raw.vehicle_getSpeed, self._space
        out = []
        for name in names:  # every vehicle at every decision: no call more than needed
            speed = speeds(name)
            wait, stopped = 0.0, False
            if speed <= HALTED_SPEED:  # SUMO counts waiting only below its halting speed
                wait = raw.vehicle_getWaitingTime(name)
                stopped = stops and bool(raw.vehicle_getStopState(name) & STOPPED)
            space = spaces.get(name)
            if space is None:
                space = self._space_of(name)
            out.append(OnLane(name, position(name), speed, wait, space, stopped))
        return out

    def standing(self, lane: str, *, stops: bool) -> Sequence[Standing]:
        raw, out = self._raw, []
        for name in raw.lane_getLastStepVehicleIDs(lane):  # in a jam most of a run's calls: as few as can be
            if raw.vehicle_getSpeed(name) >= HALTED_SPEED:
                continue
            if not (stops and raw.vehicle_getStopState(name) & STOPPED):
                out.append(Standing(name, raw.vehicle_getLanePosition(name), self._space_of(name)))
        return out

    def _space_of(self, name: str) -> float:
        space = self._space.get(name)
        if space is None:
            raw = self._raw
            space = self._space[name] = raw.vehicle_getLength(name) + raw.vehicle_getMinGap(name)
        return space

    def halted(self, lane: str) -> int:
        count: int = self._raw.lane_getLastStepHaltingNumber(lane)
        return count

    def vehicle_class(self, vehicle: str) -> str:
        kind: str = self._raw.vehicle_getVehicleClass(vehicle)
        return kind

    def vehicle_type(self, vehicle: str) -> str:
        kind: str = self._raw.vehicle_getTypeID(vehicle)
        return kind

    def route(self, vehicle: str) -> tuple[str, ...]:
        return tuple(self._sumo.vehicle.getRoute(vehicle))

    def route_index(self, vehicle: str) -> int:
        index: int = self._sumo.vehicle.getRouteIndex(vehicle)
        return index

    def priority_vehicles(self) -> Sequence[PriorityVehicle]:
        return self._priority.now()

    def pedestrians(self, area: str) -> Sequence[Pedestrian]:
        return read_pedestrians(self._sumo, area)

    def ignore_red(self, vehicles: Collection[str], ignore: bool) -> None:
        present = set(self._raw.vehicle_getIDList())
        with self._lock:
            for name in vehicles:
                if name in present:
                    self._raw.vehicle_setSpeedMode(name, speed_mode(ignore))

    def upcoming(self, signal: str) -> tuple[float, str]:
        return read_upcoming(self._sumo, signal)

    def roads(self) -> SumoRoads:
        return SumoRoads(self._sumo, self._lock)

    def incidents(self) -> Incidents:
        return read_incidents(self._sumo)

    def delay(self) -> Delay:
        return read_delay(self._sumo, self._raw.vehicle_getTimeLoss, self._raw.vehicle_getDepartDelay)

    def close(self) -> None:
        self._lock.check()
        with self._lock:
            self._sumo.close()
