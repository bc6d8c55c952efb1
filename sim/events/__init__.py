"""What happens during a run beside traffic and control: outages, closures, surges, rain, failures, motorcades."""

from sim.events.base import Event, Scene, Stage, ids
from sim.events.closure import Closure
from sim.events.flashing import Flashing
from sim.events.motorcade import Motorcade
from sim.events.outage import DetectorOutage
from sim.events.rain import Rain
from sim.events.surge import Surge

KINDS: tuple[type[Event], ...] = (DetectorOutage, Closure, Surge, Rain, Flashing, Motorcade)

__all__ = [
    "KINDS",
    "Closure",
    "DetectorOutage",
    "Event",
    "Flashing",
    "Motorcade",
    "Rain",
    "Scene",
    "Stage",
    "Surge",
    "ids",
]
