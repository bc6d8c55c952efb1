"""Closure: lanes that nobody may enter for a time: works, a broken-down lorry, an accident.

Who is on the lane drives on; who comes changes lanes before it, or waits where no other lane leads on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from sim.events.base import Plain, Scene, Stage, ids


@dataclass(frozen=True)
class Closure(Plain):
    """``lanes`` are closed to all vehicles."""

    kind: ClassVar[str] = "closure"
    replayable: ClassVar[bool] = False
    options: ClassVar[Mapping[str, str]] = {"ignore-route-errors": "true"}
    """Without it SUMO ends when a vehicle departs whose way leads over a road that is closed for now."""

    begin: float
    end: float
    lanes: tuple[str, ...]

    def check(self, scene: Scene) -> None:
        """The lanes must exist."""
        super().check(scene)
        ids(self.lanes, scene.network.lanes, "lane")

    def start(self, stage: Stage) -> None:
        """Close them."""
        for lane in self.lanes:
            stage.roads.close(lane)

    def stop(self, stage: Stage) -> None:
        """Open them."""
        for lane in self.lanes:
            stage.roads.open(lane)

    def describe(self) -> str:
        """In words."""
        return f"closed: {', '.join(self.lanes)}"
