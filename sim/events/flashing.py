"""Signal failure: a signal flashes yellow, and its junction is left to the rules of right of way.

A cabinet goes to flashing at once and comes back through all-red (sim.simulation); no policy is asked meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sim.events.base import Plain, Scene, Stage, ids


@dataclass(frozen=True)
class Flashing(Plain):
    """``signals`` flash yellow."""

    kind: ClassVar[str] = "flashing"

    begin: float
    end: float
    signals: tuple[str, ...]

    def check(self, scene: Scene) -> None:
        """The signals must be ours to control."""
        super().check(scene)
        ids(self.signals, scene.network.intersections, "signal")

    def start(self, stage: Stage) -> None:
        """They fail."""
        for signal in self.signals:
            stage.flash(signal, True)

    def stop(self, stage: Stage) -> None:
        """They are mended."""
        for signal in self.signals:
            stage.flash(signal, False)

    def describe(self) -> str:
        """In words."""
        return f"{', '.join(self.signals)} flash yellow"
