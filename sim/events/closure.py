"""Closure: lanes closed for a time, by works, a breakdown or an accident.

Vehicles on the lane drive on; those that arrive change lanes before it, or wait where no other lane leads on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from denxanh.sim.events.event import EventBase, EventContext, EventControls, check_ids


@dataclass(frozen=True)
class Closure(EventBase):
    """``lanes`` are closed to all vehicles."""

    kind: ClassVar[str] = "closure"
    replayable: ClassVar[bool] = False
    options: ClassVar[Mapping[str, str]] = {"ignore-route-errors": "true"}
    """Without it SUMO ends when a vehicle departs whose route leads over a closed road."""

    begin: float
    end: float
    lanes: tuple[str, ...]

    def check(self, context: EventContext) -> None:
        """Raise InputError unless the lanes exist."""
        super().check(context)
        check_ids(self.lanes, context.network.lanes, "lane")

    def start(self, controls: EventControls) -> None:
        """Close the lanes."""
        for lane in self.lanes:
            controls.roads.close(lane)

    def stop(self, controls: EventControls) -> None:
        """Open the lanes."""
        for lane in self.lanes:
            controls.roads.open(lane)

    def describe(self) -> str:
        """A description without the time."""
        return f"closed: {', '.join(self.lanes)}"
