"""Events of a run: detector outages, closures, surges, rain, signal failures, motorcades."""

from denxanh.sim.events.closure import Closure
from denxanh.sim.events.event import Event, EventContext, EventControls, check_ids
from denxanh.sim.events.flashing import Flashing
from denxanh.sim.events.motorcade import Motorcade
from denxanh.sim.events.outage import DetectorOutage
from denxanh.sim.events.rain import Rain
from denxanh.sim.events.surge import Surge

KINDS: tuple[type[Event], ...] = (DetectorOutage, Closure, Surge, Rain, Flashing, Motorcade)

__all__ = [
    "KINDS",
    "Closure",
    "DetectorOutage",
    "Event",
    "EventContext",
    "EventControls",
    "Flashing",
    "Motorcade",
    "Rain",
    "Surge",
    "check_ids",
]
