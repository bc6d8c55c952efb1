"""Readings that libsumo and a connection to TraCI offer under the same names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from denxanh.sim.sumo.outputs import Incidents
from denxanh.sim.world import HALTED_SPEED, Delay, OnLane, Pedestrian, Standing

STOPPED = 1  # bit of SUMO's stop state: at a stop of its own, whatever the others say of it


def halted_of(vehicles: Sequence[OnLane], *, stops: bool) -> list[Standing]:
    """The halted vehicles among those on a lane; ``stops``: without those at a stop of their own."""
    return [
        Standing(one.id, one.position, one.space)
        for one in vehicles
        if one.speed < HALTED_SPEED and not (stops and one.stopped)
    ]


def read_incidents(sumo: Any) -> Incidents:
    """What SUMO has counted since its start; ``sumo`` is libsumo or a connection to TraCI."""
    counted = (
        sumo.simulation.getParameter("", f"stats.{name}")
        for name in ("teleports.total", "safety.collisions", "safety.emergencyBraking")
    )
    return Incidents(*map(int, counted))


def read_delay(sumo: Any, loss: Callable[[str], float], late: Callable[[str], float]) -> Delay:
    """The delay of all vehicles until now; ``sumo`` is libsumo or a connection to TraCI.

    ``loss`` and ``late`` read a vehicle's lost time and its delay before insertion, s. SUMO keeps the mean over the
    vehicles that have arrived, to two decimals.
    """
    arrived = int(sumo.simulation.getParameter("", "device.tripinfo.count"))
    seconds = 0.0
    if arrived:
        means = (
            float(sumo.simulation.getParameter("", f"device.tripinfo.vehicleTripStatistics.{name}"))
            for name in ("timeLoss", "departDelay")
        )
        seconds = arrived * sum(means)
    running, waiting = sumo.vehicle.getIDList(), sumo.simulation.getPendingVehicles()
    seconds += sum(loss(name) + late(name) for name in running)
    seconds += sum(late(name) for name in waiting)
    return Delay(seconds, arrived + len(running) + len(waiting))


def speed_mode(ignore_red: bool) -> int:
    """SUMO's speed mode of a vehicle: its default, or the default without stopping at red lights (bit 4)."""
    return 31 - 16 if ignore_red else 31


def read_upcoming(sumo: Any, signal: str) -> tuple[float, str]:
    """The s until SUMO's own program switches a signal, and the state that follows."""
    lights = sumo.trafficlight
    phase, program = lights.getPhase(signal), lights.getProgram(signal)
    (phases,) = (one.phases for one in lights.getAllProgramLogics(signal) if one.programID == program)
    following = phases[phase].next
    state: str = phases[following[0] if following else (phase + 1) % len(phases)].state
    return lights.getNextSwitch(signal) - sumo.simulation.getTime(), state


def read_pedestrians(sumo: Any, area: str) -> list[Pedestrian]:
    """The pedestrians on a walking area; ``sumo`` is libsumo or a connection to TraCI."""
    person = sumo.person
    return [
        Pedestrian(person.getNextEdge(name), person.getWaitingTime(name))
        for name in sumo.edge.getLastStepPersonIDs(area)
    ]
