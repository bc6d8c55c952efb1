"""SUMO as a World, over libsumo (in this process) or TraCI (SUMO's own program); no other module imports them.

One process runs one simulation: a second one in the same process may give another result, and a crash of libsumo
ends the interpreter.
"""

from __future__ import annotations

import itertools
import os
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from denxanh.sim.errors import ControlError, DenxanhError, InputError, LimitError, WorldError
from denxanh.sim.network import Network
from denxanh.sim.sumo.backend.command_lock import CommandLock
from denxanh.sim.sumo.backend.requesters import PriorityVehicles
from denxanh.sim.sumo.backend.road_changes import SumoRoads
from denxanh.sim.sumo.outputs import Incidents
from denxanh.sim.sumo.wheel import start_program, wait_program
from denxanh.sim.time_limit import Countdown
from denxanh.sim.world import HALTED_SPEED, Delay, OnLane, Pedestrian, PriorityVehicle

_SAME_TIME = 1e-3  # s: SUMO counts whole milliseconds
_STOPPED = 1  # bit of SUMO's stop state: at a stop of its own, whatever the others say of it
_SLICE = 0.5  # s of a wait for SUMO
NONCE_OPTION = "save-state.prefix"  # has no effect, since no state is saved
CONNECT_LIMIT = 60.0  # s to load a network and open the port
CALL_LIMIT = 120.0  # s for one call; a jammed city takes well under 1 s a step
END_LIMIT = 5.0  # s for its end after an error


class Engine(Protocol):
    """The calls that both backends, libsumo and TraCI, offer."""

    def step_to(self, time: float) -> None:
        """Simulate up to ``time`` (s). Raises ControlError if anything but the loop has given SUMO a command."""
        ...

    def time(self) -> float:
        """SUMO's clock, s."""
        ...

    def set_state(self, signal: str, state: str) -> None:
        """Show a state."""
        ...

    def state(self, signal: str) -> str:
        """The state that is shown."""
        ...

    def on_lane(self, lane: str) -> Sequence[OnLane]:
        """Vehicles on a lane, the rearmost first."""
        ...

    def halted(self, lane: str) -> int:
        """Halted vehicles on a lane."""
        ...

    def vehicle_class(self, vehicle: str) -> str:
        """A vehicle's class."""
        ...

    def vehicle_type(self, vehicle: str) -> str:
        """The id of a vehicle's type."""
        ...

    def route(self, vehicle: str) -> tuple[str, ...]:
        """The edges of a vehicle's route."""
        ...

    def route_index(self, vehicle: str) -> int:
        """How far along its route a vehicle is."""
        ...

    def priority_vehicles(self) -> Sequence[PriorityVehicle]:
        """The vehicles of PRIORITY_CLASSES, by id."""
        ...

    def pedestrians(self, area: str) -> Sequence[Pedestrian]:
        """The pedestrians on a walking area."""
        ...

    def roads(self) -> SumoRoads:
        """The changes that events may make."""
        ...

    def incidents(self) -> Incidents:
        """What SUMO has counted since its start."""
        ...

    def delay(self) -> Delay:
        """The delay of all vehicles until now."""
        ...

    def close(self) -> None:
        """End the simulation and let SUMO finish its files."""
        ...


def preload() -> None:
    """Import libsumo, so that processes forked from this one need not."""
    import libsumo  # noqa: F401


def open_libsumo(arguments: Sequence[str], *, log: Path | None = None) -> Engine:
    """Start SUMO inside this process, the faster backend. Raises WorldError, or InputError.

    ``log`` is the file that this process prints to: SUMO's messages there explain an error without a text.
    """
    return _Libsumo(arguments, log)


def open_traci(arguments: Sequence[str], *, log: Path, watch: Sequence[str]) -> Engine:
    """Start SUMO's own program and connect to it over TraCI. Raises WorldError, or InputError.

    ``log`` takes what SUMO prints; the numbers of halted vehicles on the lanes ``watch`` come with every step.
    """
    return _Traci(arguments, log=log, watch=watch)


class SumoWorld:
    """A World over one of the backends. ``reroutes``: vehicles may change their routes on the way; ``stops``: they may
    stand at stops of their own."""

    def __init__(
        self,
        engine: Engine,
        network: Network,
        begin: float,
        step: float,
        *,
        reroutes: bool = False,
        stops: bool = True,
    ) -> None:
        self.network = network
        self.begin = begin
        self.step = step
        self.steps = 0
        self._engine = engine
        self._reroutes = reroutes
        self._stops = stops
        self._next: dict[str, dict[str, str]] = {}
        self._class: dict[str, str] = {}
        self._type: dict[str, str] = {}
        self._lanes: dict[str, Sequence[OnLane]] = {}

    def advance(self, steps: int) -> None:
        """Run until ``steps`` steps since begin are done; SUMO makes several steps in one call."""
        if steps <= self.steps:
            return
        self._lanes.clear()
        self._compare_clocks(self.begin + self.steps * self.step)
        time = self.begin + steps * self.step
        self._engine.step_to(time)
        self._compare_clocks(time)
        self.steps = steps

    def _compare_clocks(self, time: float) -> None:
        """Raise WorldError if SUMO's clock is not at ``time`` (s)."""
        clock = self._engine.time()
        if abs(clock - time) > _SAME_TIME:
            raise WorldError(
                f"SUMO's clock is at {clock:g} s where the run's is at {time:g} s: something beside the run has "
                "advanced it; a controller must not call SUMO"
            )

    def show(self, intersection: str, state: str) -> None:
        """Let a signal show a state until further notice."""
        self._engine.set_state(intersection, state)

    def shows(self, intersection: str) -> str:
        """The state that a signal shows now, as SUMO has it."""
        return self._engine.state(intersection)

    def on_lane(self, lane: str) -> Sequence[OnLane]:
        """The vehicles on a lane, the rearmost first; read once an instant."""
        if lane not in self._lanes:
            self._lanes[lane] = self._engine.on_lane(lane)
        return self._lanes[lane]

    def halted(self, lane: str) -> int:
        """Vehicles slower than 0.1 m/s on a lane, except those at a stop of their own, which SUMO counts too."""
        count = self._engine.halted(lane)
        if count and self._stops:
            count -= sum(vehicle.stopped and vehicle.speed < HALTED_SPEED for vehicle in self.on_lane(lane))
        return count

    def vehicle_class(self, vehicle: str) -> str:
        """A vehicle's class, asked for once."""
        if vehicle not in self._class:
            self._class[vehicle] = self._engine.vehicle_class(vehicle)
        return self._class[vehicle]

    def vehicle_type(self, vehicle: str) -> str:
        """The id of a vehicle's type, asked for once."""
        if vehicle not in self._type:
            self._type[vehicle] = self._engine.vehicle_type(vehicle)
        return self._type[vehicle]

    def next_edge(self, vehicle: str, edge: str) -> str:
        """The edge after ``edge`` on a vehicle's route."""
        after = self._next.get(vehicle)
        if after is None or self._reroutes:
            route = self._engine.route(vehicle)
            after = dict(zip(route, (*route[1:], ""), strict=True))
            if len(after) < len(route):  # it passes an edge twice: only what lies ahead counts
                ahead = route[max(self._engine.route_index(vehicle), 0) :]
                return dict(zip(reversed(ahead), ("", *reversed(ahead[1:])), strict=True)).get(edge, "")
            self._next[vehicle] = after
        return after.get(edge, "")

    def priority_vehicles(self) -> Sequence[PriorityVehicle]:
        """The vehicles of PRIORITY_CLASSES that are on their way, by id."""
        return self._engine.priority_vehicles()

    def pedestrians(self, area: str) -> Sequence[Pedestrian]:
        """The pedestrians on a walking area (SUMO's edge)."""
        return self._engine.pedestrians(area)

    def roads(self) -> SumoRoads:
        """The changes that events may make."""
        return self._engine.roads()

    def incidents(self) -> Incidents:
        """What SUMO has counted since its start."""
        return self._engine.incidents()

    def delay(self) -> Delay:
        """The delay of all vehicles until now; takes two calls for each vehicle in the network."""
        return self._engine.delay()

    def close(self) -> None:
        """End the simulation; SUMO finishes its files."""
        self._engine.close()


class _Libsumo:
    """SUMO inside this process. Plain getters: here they are faster than subscriptions."""

    def __init__(self, arguments: Sequence[str], log: Path | None = None) -> None:
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
                printed = _errors(log)
                said = printed if said == _WITHOUT_REASON or said in printed else f"{printed} {said}".strip()
            raise _refusal(said, "at its start") from None
        self._lock = CommandLock()
        self._lock.lock_libsumo(self._raw)

    def step_to(self, time: float) -> None:
        self._lock.check()
        try:
            with self._lock:
                self._raw.simulation_step(time)  # without the step listeners of libsumo's Python module
        except (self._sumo.TraCIException, self._sumo.FatalTraCIError) as error:
            raise _refusal(str(error), f"before t={time:g} s") from None

    def time(self) -> float:
        now: float = self._raw.simulation_getTime()
        return now

    def set_state(self, signal: str, state: str) -> None:
        with self._lock:
            self._raw.trafficlight_setRedYellowGreenState(signal, state)

    def state(self, signal: str) -> str:
        shown: str = self._raw.trafficlight_getRedYellowGreenState(signal)
        return shown

    def on_lane(self, lane: str) -> Sequence[OnLane]:
        names = self._raw.lane_getLastStepVehicleIDs(lane)
        return [self._vehicle(name) for name in names] if names else ()

    def _vehicle(self, name: str) -> OnLane:
        raw = self._raw
        space = self._space.get(name)
        if space is None:
            space = self._space[name] = raw.vehicle_getLength(name) + raw.vehicle_getMinGap(name)
        speed = raw.vehicle_getSpeed(name)
        # SUMO counts waiting only below its halting speed
        wait, stopped = 0.0, False
        if speed <= HALTED_SPEED:
            wait, stopped = raw.vehicle_getWaitingTime(name), bool(raw.vehicle_getStopState(name) & _STOPPED)
        return OnLane(name, raw.vehicle_getLanePosition(name), speed, wait, space, stopped)

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
        return _pedestrians(self._sumo, area)

    def roads(self) -> SumoRoads:
        return SumoRoads(self._sumo, self._lock)

    def incidents(self) -> Incidents:
        return _incidents(self._sumo)

    def delay(self) -> Delay:
        return _delay(self._sumo)

    def close(self) -> None:
        self._lock.check()
        with self._lock:
            self._sumo.close()


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
            return _refusal(_last_error(self._log), when)
        return WorldError(f"SUMO ended with status {status}: {_last_error(self._log)}.")

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

    def on_lane(self, lane: str) -> Sequence[OnLane]:
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
                    bool(row[tc.VAR_STOPSTATE] & _STOPPED),
                )
            )
        return out

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
        found: list[Pedestrian] = self._call(lambda: _pedestrians(self._connection, area))
        return found

    def roads(self) -> SumoRoads:
        return SumoRoads(self._connection, self._lock)

    def incidents(self) -> Incidents:
        found: Incidents = self._call(lambda: _incidents(self._connection))
        return found

    def delay(self) -> Delay:
        found: Delay = self._call(lambda: _delay(self._connection))
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
            raise WorldError(f"SUMO ended with status {status}: {_last_error(self._log)}")


def _incidents(sumo: Any) -> Incidents:
    """``sumo`` is libsumo or a connection to TraCI."""
    counted = (
        sumo.simulation.getParameter("", f"stats.{name}")
        for name in ("teleports.total", "safety.collisions", "safety.emergencyBraking")
    )
    return Incidents(*map(int, counted))


def _delay(sumo: Any) -> Delay:
    """``sumo`` is libsumo or a connection to TraCI.

    SUMO keeps the mean over the vehicles that have arrived, to two decimals.
    """
    vehicle = sumo.vehicle
    arrived = int(sumo.simulation.getParameter("", "device.tripinfo.count"))
    seconds = 0.0
    if arrived:
        means = (
            float(sumo.simulation.getParameter("", f"device.tripinfo.vehicleTripStatistics.{name}"))
            for name in ("timeLoss", "departDelay")
        )
        seconds = arrived * sum(means)
    running, waiting = vehicle.getIDList(), sumo.simulation.getPendingVehicles()
    seconds += sum(vehicle.getTimeLoss(name) + vehicle.getDepartDelay(name) for name in running)
    seconds += sum(vehicle.getDepartDelay(name) for name in waiting)
    return Delay(seconds, arrived + len(running) + len(waiting))


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


def _pedestrians(sumo: Any, area: str) -> list[Pedestrian]:
    """``sumo`` is libsumo or a connection to TraCI."""
    person = sumo.person
    return [
        Pedestrian(person.getNextEdge(name), person.getWaitingTime(name))
        for name in sumo.edge.getLastStepPersonIDs(area)
    ]


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


_WITHOUT_REASON = "Process Error"  # libsumo's text where SUMO has printed the reason


def _refusal(message: str, when: str) -> DenxanhError:
    """SUMO's message as one sentence: an InputError, except where SUMO cannot write a file."""
    text = " ".join(message.removeprefix("Error: ").split()).rstrip(".")
    if "output file" in text:
        return WorldError(f"SUMO stopped {when}: {text}.")
    return InputError(f"SUMO stopped {when}: {text}", remedy="correct the input that it names")


def _last_error(log: Path) -> str:
    """The errors that SUMO printed, or its last line."""
    return _errors(log) or (_lines(log) or ["it printed nothing"])[-1]


def _lines(log: Path) -> list[str]:
    return [line for line in log.read_text("utf-8", errors="replace").splitlines() if line.strip()]


def _errors(log: Path) -> str:
    """The errors that SUMO printed, each once and with the lines that belong to it: the first often says why."""
    lines = _lines(log)
    found: dict[str, None] = {}
    for i, line in enumerate(lines):
        if line.startswith("Error"):
            following = itertools.takewhile(lambda text: text.startswith(" "), lines[i + 1 :])
            found["\n".join([line.removeprefix("Error: "), *following])] = None
    return " ".join(found)
