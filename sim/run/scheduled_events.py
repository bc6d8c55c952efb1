"""The events of a run: the traffic that they add, their processes on the agenda, and their records in the manifest."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from denxanh.sim.events import Event, EventContext, EventControls, Flashing
from denxanh.sim.network import Network
from denxanh.sim.scenario import Scenario
from denxanh.sim.signals.monitor import FLASHING
from denxanh.sim.simulation import Simulation
from denxanh.sim.sumo.backend.sumo_world import SumoWorld

FLASHING_RULE = "flashing"


def add_event_traffic(
    scenario: Scenario, network: Network, events: Sequence[Event], folder: Path
) -> Scenario:
    """The scenario with the traffic and the SUMO options of events; each writes a route file into ``folder``.

    Raises InputError for an event that does not fit the scenario.
    """
    context = EventContext(scenario, network, detectors=True)
    added, options = [], dict(scenario.options)
    for number, event in enumerate(events):
        options.update(event.options)
        event.check(context)
        path = folder / f"event-{number + 1}.rou.xml"
        if event.traffic(context, path, str(number + 1)):
            added.append(path)
    return replace(scenario, routes=(*scenario.routes, *added), options=options)


def schedule_events(events: Sequence[Event], simulation: Simulation, world: SumoWorld) -> None:
    """Put the start and the end of every event on the agenda of a simulation."""
    if not events:
        return
    roads = world.roads()

    def flash(signal: str, failed: bool) -> None:
        if signal in simulation.signals:
            simulation.flash(signal, failed)
        elif failed:
            roads.switch_off(signal, FLASHING * world.network.intersections[signal].n_links)
        else:
            roads.switch_on(signal)

    controls = EventControls(roads, simulation.sensor.fail, flash)
    simulation.agenda(
        (event.begin, event.end, partial(event.start, controls), partial(event.stop, controls))
        for event in events
    )


def event_records(events: Sequence[Event], end: float) -> list[dict[str, Any]]:
    """The events as records of a manifest; ``end`` is the end of the run, s."""
    return [
        {
            "kind": event.kind,
            "time_s": event.begin,
            "until_s": min(event.end, end),
            "detail": event.describe(),
        }
        for event in events
    ]


def flashing_waivers(events: Sequence[Event]) -> list[dict[str, Any]]:
    """Flashing yellow, which is not in any plan, as a waiver for each signal that failed."""
    return [
        {
            "intersection": signal,
            "rule": FLASHING_RULE,
            "what": f"it flashes yellow from {event.begin:g} s to {event.end:g} s",
            "count": 1,
            "plan": "",
            "example": "",
        }
        for event in events
        if isinstance(event, Flashing)
        for signal in event.signals
    ]


def replayable(events: Sequence[Event], controlled: Collection[str]) -> bool:
    """Whether SUMO alone repeats the run from its folder; ``controlled`` are the signals that policies control."""
    return all(
        event.replayable and (not isinstance(event, Flashing) or set(event.signals) <= set(controlled))
        for event in events
    )
