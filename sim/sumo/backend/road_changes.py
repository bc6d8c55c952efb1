"""Changes of SUMO's roads by events: closed lanes, rain, signals switched off; the same code for libsumo and TraCI."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

_FREE = 50 / 3.6  # m/s at which vehicles of a queue pass the stop line


class SumoRoads:
    """Changes one running simulation; ``sumo`` is libsumo, or a TraCI connection, which has the same domains.

    ``lock`` is opened for its own commands.
    """

    def __init__(self, sumo: Any, lock: AbstractContextManager[None]) -> None:
        self._sumo = sumo
        self._lock = lock
        self._allowed: dict[str, tuple[str, ...]] = {}  # of the closed lanes
        self._limits: dict[str, float] = {}  # m/s, of every lane on a dry road
        self._tau: dict[str, float] = {}  # s, of every vehicle type on a dry road
        self._programs: dict[str, str] = {}  # of the signals that were switched off

    def close(self, lane: str) -> None:
        """Close a lane: no vehicle may enter it."""
        self._allowed.setdefault(lane, tuple(self._sumo.lane.getAllowed(lane)))
        with self._lock:
            self._sumo.lane.setDisallowed(lane, ["all"])

    def open(self, lane: str) -> None:
        """Open a closed lane to the classes that it had."""
        with self._lock:
            self._sumo.lane.setAllowed(lane, list(self._allowed.pop(lane)) or ["all"])

    def weather(self, speed: float, headway: float) -> None:
        """Speed limits times ``speed``, saturation headways times ``headway``; 1 and 1 is a dry road.

        A vehicle follows at τ + (length + gap) / v in a queue that discharges: τ grows so that this is ``headway``
        times what it was. A type that SUMO reads later drives as on a dry road.
        """
        lane, vtype = self._sumo.lane, self._sumo.vehicletype
        self._limits = self._limits or {name: lane.getMaxSpeed(name) for name in lane.getIDList()}
        with self._lock:
            for name, limit in self._limits.items():
                lane.setMaxSpeed(name, limit * speed)
            for name in vtype.getIDList():
                tau = self._tau.setdefault(name, vtype.getTau(name))
                space = vtype.getLength(name) + vtype.getMinGap(name)
                vtype.setTau(name, headway * (tau + space / _FREE) - space / (_FREE * speed))

    def switch_off(self, signal: str, state: str) -> None:
        """Show ``state`` at a signal that SUMO runs."""
        self._programs[signal] = self._sumo.trafficlight.getProgram(signal)
        with self._lock:
            self._sumo.trafficlight.setRedYellowGreenState(signal, state)

    def switch_on(self, signal: str) -> None:
        """Return a signal to its program."""
        with self._lock:
            self._sumo.trafficlight.setProgram(signal, self._programs.pop(signal))
