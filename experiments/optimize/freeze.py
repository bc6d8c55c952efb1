"""What a search must leave as the network's own program has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from experiments.optimize.stages import StageSet
from sim.errors import InputError


@dataclass(frozen=True)
class Freeze:
    """The parts of the network's own program that stay, and limits on greens that the user adds."""

    signals: frozenset[str] = frozenset()  # these keep everything
    stages: bool = False  # stage set and order are kept
    greens: bool = False  # splits are kept (and with them stages and cycle): offsets only
    cycle: bool = False  # each signal's cycle is kept
    offsets: bool = False
    own_stages: bool = False  # stages may be dropped and reordered, but none that the program does not have
    green_limits: Mapping[tuple[str, str], tuple[float, float]] = field(default_factory=dict)
    """Minimum and maximum green (s) by (signal, state)."""

    @property
    def keeps_stages(self) -> bool:
        """Whether no stage may be added that the program does not have."""
        return self.stages or self.greens or self.own_stages

    def limited(self, signal: str, stages: StageSet) -> StageSet:
        """A stage set with the green limits that were asked for."""
        asked = {state: limit for (name, state), limit in self.green_limits.items() if name == signal}
        low, high = list(stages.min_green), list(stages.max_green)
        for state, (least, most) in asked.items():
            if state not in stages.states:
                raise InputError(
                    f"signal {signal!r} has no stage {state!r} to limit",
                    remedy=f"name one of its stages, such as {stages.states[0]!r}",
                )
            k = stages.states.index(state)
            if not stages.min_green[k] <= least <= most:
                raise InputError(
                    f"signal {signal!r}, stage {state!r}: greens from {least:g} to {most:g} s are not "
                    f"possible; the minimum green is {stages.min_green[k]:g} s",
                    remedy="give a minimum not below it and a maximum not below the minimum",
                )
            low[k], high[k] = least, most
        return replace(stages, min_green=tuple(low), max_green=tuple(high))


NOTHING_FROZEN = Freeze()
