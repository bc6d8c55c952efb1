"""What layers share: a layer stands between the signal and any other strategy, and lets it act where it need not.

A layer is asked every step, the strategy below only when its own answer has run out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, cast

from controllers.naming import make_controller, parse_controller
from sim.clock import by_the_clock
from sim.errors import InputError
from sim.network import Network
from sim.plan import Plan
from sim.protocol import Controller, Green, Observation, Policy
from sim.walk_calls import with_walk_calls


class Layer:
    """What a layer hands through from the strategy named ``over``; signals that it leaves alone run by the clock."""

    over: str
    lets_walk: ClassVar[bool] = True  # the strategy below does: what the layer shows comes first

    def below(self) -> Controller:
        """The strategy below, made from its name. Raises InputError."""
        below = make_controller(*parse_controller(self.over))
        if hasattr(below, "additional_files"):
            raise InputError(
                f"{self.over!r} is run by SUMO itself",
                where=f"over={self.over}",
                remedy="put the layer over a strategy that denxanh runs, or over 'program'",
            )
        return below

    def make_plan(self, network: Network) -> Plan:
        """The plan of the strategy below; none where it brings none."""
        make = getattr(self.below(), "make_plan", None)
        return cast(Plan, make(network)) if make else Plan({})

    def more_phases(self, network: Network) -> Mapping[str, Sequence[str]]:
        """The greens that the strategy below shows beside the program's, by intersection."""
        more = getattr(self.below(), "more_phases", None)
        return cast(Mapping[str, Sequence[str]], more(network)) if more else {}

    def policies(self, network: Network) -> Mapping[str, Policy]:
        """Fresh policies of the strategy below, and the plan by the clock where it has none."""
        below = self.below()
        own = with_walk_calls(below.start(network), network, below)
        return {name: own.get(name) or by_the_clock(where) for name, where in network.intersections.items()}


class Remembered:
    """The strategy below at one signal, asked only when its last answer has run out."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._answer: Green | None = None
        self._left = 0.0  # s of the answer, once its phase is green
        self._seen_at = 0.0

    def wish(self, seen: Observation) -> Green:
        """What it wants to be shown next, one step of it. The same until it has been carried out."""
        answer = self._answer
        if answer is not None and answer.phase == seen.phase:
            self._left -= min(seen.time - self._seen_at, seen.elapsed)
        if answer is None or (answer.phase == seen.phase and self._left <= 1e-6):
            answer = self._answer = self._policy(seen)
            self._left = answer.seconds
        self._seen_at = seen.time
        return answer

    def forget(self) -> None:
        """Something else was shown: ask anew next time."""
        self._answer = None
