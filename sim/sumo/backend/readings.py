"""Readings that libsumo and a connection to TraCI offer under the same names."""

from __future__ import annotations

from collections.abc import Sequence
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


def read_delay(sumo: Any) -> Delay:
    """The delay of all vehicles until now; ``sumo`` is libsumo or a connection to TraCI.

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


def read_pedestrians(sumo: Any, area: str) -> list[Pedestrian]:
    """The pedestrians on a walking area; ``sumo`` is libsumo or a connection to TraCI."""
    person = sumo.person
    return [
        Pedestrian(person.getNextEdge(name), person.getWaitingTime(name))
        for name in sumo.edge.getLastStepPersonIDs(area)
    ]
