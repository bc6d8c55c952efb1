"""SUMO's own program behind a socket, by TraCI, which no other module imports."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from denxanh.sim.errors import ControlError, DenxanhError, LimitError, WorldError
from denxanh.sim.sumo.backend.command_lock import CommandLock
from denxanh.sim.sumo.backend.engine import Engine
from denxanh.sim.sumo.backend.last_words import last_error, refusal
from denxanh.sim.sumo.backend.readings import (
    STOPPED,
    halted_of,
    read_delay,
    read_incidents,
    read_pedestrians,
    read_upcoming,
    speed_mode,
)
from denxanh.sim.sumo.backend.requesters import PriorityVehicles
from denxanh.sim.sumo.backend.road_changes import SumoRoads
from denxanh.sim.sumo.outputs import Incidents
from denxanh.sim.sumo.wheel import start_program, wait_program
from denxanh.sim.time_limit import Countdown
from denxanh.sim.world import Delay, OnLane, Pedestrian, PriorityVehicle, Standing

NONCE_OPTION = "save-state.prefix"  # has no effect, since no state is saved
CONNECT_LIMIT = 60.0  # s to load a network and open the port
CALL_LIMIT = 120.0  # s for one call; a jammed city takes well under 1 s a step
END_LIMIT = 5.0  # s for its end after an error
_SLICE = 0.5  # s of a wait for SUMO


def open_traci(arguments: Sequence[str], *, log: Path, watch: Sequence[str]) -> Engine:
    """Start SUMO's own program and connect to it over TraCI. Raises WorldError, or InputError.

    ``log`` takes what SUMO prints; the numbers of halted vehicles on the lanes ``watch`` come with every step.
    """
    return _Traci(arguments, log=log, watch=watch)


class _Traci:
    """SUMO's own program behind a socket: own Popen, a nonce against cross-talk, subscriptions, time limits."""

    def __init__(self, arguments: Sequence[str], *, log: Path, watch: Sequence[str]) -> None:
        import traci
        from traci import constants

        self._traci: Any = traci
        self._tc: Any = constants
        self._space: dict[str, float] = {}
        self._log = log
        nonce = f"{os.getpid()}-{time.monotonic_ns()}"
        with log.open("ab") as stream:
            port = _free_port()
            self._process = start_program(
                "sumo",
                [*arguments, "--remote-port", str(port), f"--{NONCE_OPTION}", nonce],
                errors=stream,
                output=stream,
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # no thread runs yet
            )
        self._connection = self._connect(port)
        self._connection._socket = _Socket(
            self._connection._socket
        )  # traci offers no other way to a time limit
        if self._call(lambda: self._connection.simulation.getOption(NONCE_OPTION)) != nonce:
            self._process.kill()
            raise WorldError("another SUMO answered on the port: this run must be repeated")
        self._lock = CommandLock()
        self._lock.lock_connection(self._connection)
        self._priority = PriorityVehicles(self._connection.vehicle)
        self._set: set[str] = set()  # signals that were set since the last step
        self._watched: set[str] = set()  # signals whose state comes with every step
        self._fresh: dict[str, bool] = {}
        for lane in watch:
            self._subscribe_lane(lane, halted_only=True)

    def _connect(self, port: int) -> Any:
        countdown = Countdown(CONNECT_LIMIT)
        while True:
            if self._process.poll() is not None:
                raise self._ended("at its start")
            try:
                return self._traci.connect(port, numRetries=0, proc=self._process, waitBetweenRetries=0.02)
            except (self._traci.TraCIException, self._traci.FatalTraCIError, OSError):
                if countdown.expired():
                    self._process.kill()
                    raise LimitError(f"SUMO did not open its port within {CONNECT_LIMIT:g} s") from None
                time.sleep(0.02)

    def _call(self, action: Any) -> Any:
        try:
            return action()
        except TimeoutError:
            self._process.kill()
            raise LimitError(f"SUMO did not answer within {CALL_LIMIT:g} s") from None
        except (self._traci.TraCIException, self._traci.FatalTraCIError, OSError) as error:
            try:  # it closed the connection, so it ends
                wait_program(self._process, END_LIMIT)
            except subprocess.TimeoutExpired:
                self._process.kill()
                raise WorldError(f"SUMO refused a call and runs on: {error}") from None
            raise self._ended("on the way") from error

    def _ended(self, when: str) -> DenxanhError:
        status = self._process.returncode
        if status == 1:  # it quits so on an error in its input
            return refusal(last_error(self._log), when)
        return WorldError(f"SUMO ended with status {status}: {last_error(self._log)}.")

    def _subscribe_lane(self, lane: str, *, halted_only: bool) -> None:
        tc = self._tc
        variables = [tc.LAST_STEP_VEHICLE_HALTING_NUMBER]
        if not halted_only:
            variables.append(tc.LAST_STEP_VEHICLE_ID_LIST)
        self._call(lambda: self._connection.lane.subscribe(lane, variables))
        self._fresh[lane] = not halted_only

    def step_to(self, time: float) -> None:
        self._lock.check()
        if self._connection._stepListeners:
            raise ControlError("the controller added a step listener to the connection to SUMO")
        with self._lock:
            self._call(lambda: self._connection.simulationStep(time))
        self._set.clear()

    def time(self) -> float:
        return float(self._call(self._connection.simulation.getTime))

    def set_state(self, signal: str, state: str) -> None:
        self._set.add(signal)
        with self._lock:
            self._call(lambda: self._connection.trafficlight.setRedYellowGreenState(signal, state))

    def state(self, signal: str) -> str:
        lights = self._connection.trafficlight
        if signal in self._set:  # what came with the last step is older
            return str(self._call(lambda: lights.getRedYellowGreenState(signal)))
        variable = self._tc.TL_RED_YELLOW_GREEN_STATE
        if signal not in self._watched:
            self._call(lambda: lights.subscribe(signal, [variable]))
            self._watched.add(signal)
        return str(lights.getSubscriptionResults(signal)[variable])

    def on_lane(self, lane: str, *, stops: bool) -> Sequence[OnLane]:
        tc, connection = self._tc, self._connection
        if not self._fresh.get(lane):
            self._subscribe_lane(lane, halted_only=False)
        names = connection.lane.getSubscriptionResults(lane)[tc.LAST_STEP_VEHICLE_ID_LIST]
        out = []
        for name in names:
            row = connection.vehicle.getSubscriptionResults(name)
            if not row:
                self._call(lambda name=name: self._subscribe_vehicle(name))
                row = connection.vehicle.getSubscriptionResults(name)
            out.append(
                OnLane(
                    name,
                    row[tc.VAR_LANEPOSITION],
                    row[tc.VAR_SPEED],
                    row[tc.VAR_WAITING_TIME],
                    self._space[name],
                    stops and bool(row[tc.VAR_STOPSTATE] & STOPPED),
                )
            )
        return out

    def standing(self, lane: str, *, stops: bool) -> Sequence[Standing]:
        return halted_of(self.on_lane(lane, stops=stops), stops=stops)

    def _subscribe_vehicle(self, name: str) -> None:
        tc, vehicle = self._tc, self._connection.vehicle
        vehicle.subscribe(name, [tc.VAR_LANEPOSITION, tc.VAR_SPEED, tc.VAR_WAITING_TIME, tc.VAR_STOPSTATE])
        self._space[name] = vehicle.getLength(name) + vehicle.getMinGap(name)

    def halted(self, lane: str) -> int:
        if lane not in self._fresh:
            self._subscribe_lane(lane, halted_only=True)
        row = self._connection.lane.getSubscriptionResults(lane)
        return int(row[self._tc.LAST_STEP_VEHICLE_HALTING_NUMBER])

    def vehicle_class(self, vehicle: str) -> str:
        return str(self._call(lambda: self._connection.vehicle.getVehicleClass(vehicle)))

    def vehicle_type(self, vehicle: str) -> str:
        return str(self._call(lambda: self._connection.vehicle.getTypeID(vehicle)))

    def route(self, vehicle: str) -> tuple[str, ...]:
        return tuple(self._call(lambda: self._connection.vehicle.getRoute(vehicle)))

    def route_index(self, vehicle: str) -> int:
        return int(self._call(lambda: self._connection.vehicle.getRouteIndex(vehicle)))

    def priority_vehicles(self) -> Sequence[PriorityVehicle]:
        found: list[PriorityVehicle] = self._call(self._priority.now)
        return found

    def pedestrians(self, area: str) -> Sequence[Pedestrian]:
        found: list[Pedestrian] = self._call(lambda: read_pedestrians(self._connection, area))
        return found

    def ignore_red(self, vehicles: Collection[str], ignore: bool) -> None:
        domain = self._connection.vehicle
        present = set(self._call(domain.getIDList))
        with self._lock:
            for name in vehicles:
                if name in present:
                    self._call(lambda name=name: domain.setSpeedMode(name, speed_mode(ignore)))

    def upcoming(self, signal: str) -> tuple[float, str]:
        found: tuple[float, str] = self._call(lambda: read_upcoming(self._connection, signal))
        return found

    def roads(self) -> SumoRoads:
        return SumoRoads(self._connection, self._lock)

    def incidents(self) -> Incidents:
        found: Incidents = self._call(lambda: read_incidents(self._connection))
        return found

    def delay(self) -> Delay:
        vehicle = self._connection.vehicle
        found: Delay = self._call(
            lambda: read_delay(self._connection, vehicle.getTimeLoss, vehicle.getDepartDelay)
        )
        return found

    def close(self) -> None:
        self._lock.check()
        with self._lock:
            self._connection.close(wait=False)
        try:
            status = wait_program(self._process, CALL_LIMIT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise LimitError(f"SUMO did not end within {CALL_LIMIT:g} s of being asked") from None
        if status != 0:
            raise WorldError(f"SUMO ended with status {status}: {last_error(self._log)}")


class _Socket:
    """SUMO's end of a connection, waited for in slices, so that a pause of this process is not SUMO's silence."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        connected.settimeout(_SLICE)

    def recv(self, size: int) -> bytes:
        countdown = Countdown(CALL_LIMIT)
        while True:
            try:
                return self._socket.recv(size)
            except TimeoutError:
                if countdown.expired():
                    raise

    def send(self, data: bytes) -> int:
        countdown = Countdown(CALL_LIMIT)
        while True:
            try:
                return self._socket.send(data)
            except TimeoutError:  # nothing was sent
                if countdown.expired():
                    raise

    def close(self) -> None:
        self._socket.close()


def _die_with_parent() -> None:
    """Have Linux end SUMO, even one that hangs, when this process is killed; elsewhere SUMO sees its socket close."""
    import ctypes
    import signal

    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
