"""Detector outage: the detectors of some signals fail, to a constant call on every lane (sim.sensing.faults)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sim.errors import InputError
from sim.events.base import Plain, Scene, Stage, ids


@dataclass(frozen=True)
class DetectorOutage(Plain):
    """The loops or the camera of ``signals`` are out."""

    kind: ClassVar[str] = "detector-outage"

    begin: float
    end: float
    signals: tuple[str, ...]

    def check(self, scene: Scene) -> None:
        """It needs detectors."""
        super().check(scene)
        ids(self.signals, scene.network.intersections, "signal")
        if not scene.detectors:
            raise InputError("ideal sensing has no detectors that could fail", remedy="give loops or camera")

    def start(self, stage: Stage) -> None:
        """Detectors fail."""
        for signal in self.signals:
            stage.fail_detectors(signal, True)

    def stop(self, stage: Stage) -> None:
        """They work again."""
        for signal in self.signals:
            stage.fail_detectors(signal, False)

    def describe(self) -> str:
        """In words."""
        return f"detectors of {', '.join(self.signals)} are out"
