"""Events in a run: the traffic they add before it, their processes during it, and what its manifest says of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from sim.events import Event, Flashing, Scene, Stage
from sim.monitor import FLASHING
from sim.network import Network
from sim.scenario import Scenario
from sim.simulation import Simulation
from sim.sumo_world import SumoWorld

FLASHING_RULE = "flashing"


def with_events(scenario: Scenario, network: Network, events: Sequence[Event], folder: Path) -> Scenario:
    """The scenario with the traffic that events add, each in a route file of its own. Raises InputError."""
    scene = Scene(scenario, network, detectors=True)
    added, options = [], dict(scenario.options)
    for number, event in enumerate(events):
        options.update(event.options)
        event.check(scene)
        path = folder / f"event-{number + 1}.rou.xml"
        if event.traffic(scene, path, str(number + 1)):
            added.append(path)
    return replace(scenario, routes=(*scenario.routes, *added), options=options)


def put_on_agenda(events: Sequence[Event], simulation: Simulation, world: SumoWorld) -> None:
    """Every event begins and ends at its time."""
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

    stage = Stage(roads, simulation.sensor.fail, flash)
    simulation.agenda(
        (event.begin, event.end, partial(event.start, stage), partial(event.stop, stage)) for event in events
    )


def happened(events: Sequence[Event], end: float) -> list[dict[str, Any]]:
    """What a run's manifest says of its events."""
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
    """The one state beyond its plan that each failed signal was allowed."""
    return [
        {
            "intersection": signal,
            "rule": FLASHING_RULE,
            "what": f"it flashes yellow from {event.begin:g} s to {event.end:g} s",
            "count": 1,
        }
        for event in events
        if isinstance(event, Flashing)
        for signal in event.signals
    ]


def repeats(events: Sequence[Event], ours: Collection[str]) -> bool:
    """Whether bare SUMO repeats the run from its folder."""
    return all(
        event.replayable and (not isinstance(event, Flashing) or set(event.signals) <= set(ours))
        for event in events
    )
