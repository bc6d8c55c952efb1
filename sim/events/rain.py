"""Rain: lower speeds and longer headways.

Headways: the loss of capacity measured at signalised intersections in "The extent of capacity loss caused by rainfall
at signalised intersections", Open Transportation Journal 14 (2020) 214, doi:10.2174/1874447802014010214 (straight on:
light rain, below 2.5 mm/h, 4.25 %; moderate 9.18 %; heavy, from 10 mm/h, 11.53 %). Speeds: the reductions of 10 % in
light and 16 % in heavy rain that the FHWA gives, quoted by P. Prevedouros and P. Kongsil, "Synthesis of the effects of
wet conditions on highway speed and capacity" (2003); moderate lies between them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from denxanh.sim.errors import InputError
from denxanh.sim.events.event import EventBase, EventContext, EventControls

INTENSITIES = {
    "light": (0.90, 1 / (1 - 0.0425)),
    "moderate": (0.87, 1 / (1 - 0.0918)),
    "heavy": (0.84, 1 / (1 - 0.1153)),
}
"""Factors of the speed limits and of the saturation headway."""


@dataclass(frozen=True)
class Rain(EventBase):
    """``intensity`` light, moderate or heavy; ``speed`` and ``headway`` are factors that take its place."""

    kind: ClassVar[str] = "rain"
    replayable: ClassVar[bool] = False

    begin: float
    end: float
    intensity: str = "moderate"
    speed: float | None = None  # of every speed limit
    headway: float | None = None  # of every saturation headway

    def check(self, context: EventContext) -> None:
        """Raise InputError for an unknown intensity or an impossible factor."""
        super().check(context)
        if self.intensity not in INTENSITIES:
            raise InputError(
                f"there is no intensity {self.intensity!r}", remedy=f"there are: {', '.join(INTENSITIES)}"
            )
        speed, headway = self.factors()
        if not 0.1 <= speed <= 1.0:
            raise InputError(f"the speed factor is {speed:g}", remedy="give one from 0.1 to 1")
        if not 1.0 <= headway <= 5.0:
            raise InputError(f"the headway factor is {headway:g}", remedy="give one from 1 to 5")

    def factors(self) -> tuple[float, float]:
        """(speed, headway)."""
        speed, headway = INTENSITIES[self.intensity]
        return speed if self.speed is None else self.speed, headway if self.headway is None else self.headway

    def start(self, controls: EventControls) -> None:
        """Set the factors."""
        controls.roads.weather(*self.factors())

    def stop(self, controls: EventControls) -> None:
        """Reset the factors: the road is dry at once."""
        controls.roads.weather(1.0, 1.0)

    def describe(self) -> str:
        """A description without the time."""
        speed, headway = self.factors()
        return f"{self.intensity} rain: speeds × {speed:.3g}, headways × {headway:.3g}"
