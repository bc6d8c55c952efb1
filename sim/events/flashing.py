"""Signal failure: a signal flashes yellow, and its junction is left to the rules of right of way.

A cabinet starts to flash at once and returns through all-red (denxanh.sim.simulation); no policy is asked meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from denxanh.sim.events.event import EventBase, EventContext, EventControls, check_ids


@dataclass(frozen=True)
class Flashing(EventBase):
    """``signals`` flash yellow."""

    kind: ClassVar[str] = "flashing"

    begin: float
    end: float
    signals: tuple[str, ...]

    def check(self, context: EventContext) -> None:
        """Raise InputError unless the signals can be controlled."""
        super().check(context)
        check_ids(self.signals, context.network.intersections, "signal")

    def start(self, controls: EventControls) -> None:
        """Start to flash."""
        for signal in self.signals:
            controls.flash(signal, True)

    def stop(self, controls: EventControls) -> None:
        """End flashing."""
        for signal in self.signals:
            controls.flash(signal, False)

    def describe(self) -> str:
        """A description without the time."""
        return f"{', '.join(self.signals)} flash yellow"
