"""Detector outage: the detectors of signals fail to a constant call on every lane (denxanh.sim.sensing.faults)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from denxanh.sim.errors import InputError
from denxanh.sim.events.event import EventBase, EventContext, EventControls, check_ids


@dataclass(frozen=True)
class DetectorOutage(EventBase):
    """The loops or the camera of ``signals`` are out."""

    kind: ClassVar[str] = "detector-outage"

    begin: float
    end: float
    signals: tuple[str, ...]

    def check(self, context: EventContext) -> None:
        """Raise InputError unless the sensing has detectors at the signals."""
        super().check(context)
        check_ids(self.signals, context.network.intersections, "signal")
        if not context.detectors:
            raise InputError("ideal sensing has no detectors that could fail", remedy="give loops or camera")

    def start(self, controls: EventControls) -> None:
        """Let the detectors fail."""
        for signal in self.signals:
            controls.fail_detectors(signal, True)

    def stop(self, controls: EventControls) -> None:
        """Let the detectors work again."""
        for signal in self.signals:
            controls.fail_detectors(signal, False)

    def describe(self) -> str:
        """A description without the time."""
        return f"detectors of {', '.join(self.signals)} are out"
