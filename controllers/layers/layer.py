"""The base of a layer: it stands between the signals and another strategy, which it asks where it does not act itself.

A layer is asked every step, the strategy below only when its own answer has run out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from denxanh.controllers.registry import make_controller, parse_controller
from denxanh.sim.controller import Capabilities, Controller, Green, Observation, Policy, capabilities
from denxanh.sim.errors import InputError
from denxanh.sim.network import Network, Operation
from denxanh.sim.plan import Plan
from denxanh.sim.signals.fixed_time import fixed_time_policy
from denxanh.sim.signals.pedestrian_calls import serve_pedestrian_calls

# the existing plan: under a layer fixed-time control shows it, where it runs by the clock
PROGRAM = "program"

_OPERATED: Mapping[Operation, str] = {
    "fixed-time": "",
    "actuated": "SUMO runs that as an actuated one",
    "delay_based": "SUMO runs that as a delay-based one",
    "switched": "switching times (WAUT) change that during the run",
}


class Layer:
    """Forwards the capabilities of the strategy named ``over``; signals without a policy of its own run fixed-time.

    Of the capabilities, only those of strategies that SUMO runs are not forwarded: such a strategy is refused.
    """

    over: str
    serves_pedestrian_calls: ClassVar[bool] = True  # ``policies`` has the strategy below serve them

    def below(self) -> Controller:
        """The strategy below, made from its name. Raises InputError, also for one that SUMO runs."""
        below = make_controller(*parse_controller(self.over))
        able = capabilities(below)
        if able.runs_in_sumo or (able.leaves_signals_to_sumo and below.name != PROGRAM):
            raise InputError(
                f"{self.over!r} is run by SUMO itself",
                location=f"over={self.over}",
                remedy="put the layer over a strategy that denxanh runs, or over 'program'",
            )
        return below

    def make_plan(self, network: Network) -> Plan | None:
        """The plan of the strategy below, or None."""
        return self._forwarded().make_plan(network)

    def more_phases(self, network: Network) -> Mapping[str, Sequence[str]]:
        """The phases that the strategy below adds to the program's, by intersection."""
        return self._forwarded().more_phases(network)

    def files(self) -> tuple[Path, ...]:
        """The files that the parameter files of the strategy below name."""
        return self._forwarded().files()

    def policies(self, network: Network) -> Mapping[str, Policy]:
        """Fresh policies of the strategy below, and fixed time at the signals that it leaves to their program.

        Raises InputError where such a program does not run by the clock: a layer cannot show what SUMO decides.
        """
        below = self.below()
        own = serve_pedestrian_calls(below.start(network), network, below)
        for name, intersection in network.intersections.items():
            reason = "" if name in own or intersection.planned else _OPERATED[intersection.operation]
            if reason:
                raise InputError(
                    f"{self.over!r} leaves signal {name!r} to its program, and {reason}: no layer can go over it",
                    location=f"over={self.over}",
                    remedy="put the layer over a strategy of denxanh, such as over=actuated, or over a plan of all "
                    "signals (denxanh plan, then over=fixed-time:plan=FILE)",
                )
        return {
            name: own[name] if name in own else fixed_time_policy(intersection)
            for name, intersection in network.intersections.items()
        }

    def _forwarded(self) -> Capabilities:
        return capabilities(self.below())


class Remembered:
    """The policy of the strategy below at one signal, asked only when its last answer has run out."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._answer: Green | None = None
        self._left = 0.0  # s of the answer, once its phase is green
        self._seen_at = 0.0

    def request(self, seen: Observation) -> Green:
        """Its present answer: the same until it has been carried out."""
        answer = self._answer
        if answer is not None and answer.phase == seen.phase:
            self._left -= min(seen.time - self._seen_at, seen.elapsed)
        if answer is None or (answer.phase == seen.phase and self._left <= 1e-6):
            answer = self._answer = self._policy(seen)
            self._left = answer.seconds
        self._seen_at = seen.time
        return answer

    def forget(self) -> None:
        """Discard the answer, after something else was shown: the policy is asked anew next time."""
        self._answer = None
