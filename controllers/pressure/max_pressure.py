"""Max-pressure: show the phase whose movements have the most to gain (Varaiya 2013, eq. 8–10).

P. Varaiya, "Max pressure control of a network of signalized intersections", Transportation Research C 36
(2013) 177–195, doi:10.1016/j.trc.2013.08.014. Acyclic, decided every ``interval`` seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from denxanh.controllers.greens import acyclic, exits_of, green_worth
from denxanh.sim.controller import Array, Observation, Policy
from denxanh.sim.network import Intersection, Network
from denxanh.sim.world import HALTED_SPEED


@dataclass(frozen=True)
class MaxPressure:
    """Max-pressure: the phase with the largest sum of queue before less queue behind (Varaiya 2013).

    A vehicle counts as queued if it is halted or within ``near`` m of the stop line. ``near = 0`` counts halted
    vehicles only. Sees vehicles and exits.
    """

    name: ClassVar[str] = "max-pressure"
    sees: ClassVar[frozenset[str]] = frozenset({"vehicles", "exits"})

    interval: float = 10.0  # s between decisions
    near: float = 60.0  # m; docs/controllers.md has the measurements
    downstream: float = 0.5  # weight of the halted vehicles behind the junction; the paper's is 1
    permissive: float = 0.5  # weight of a yielding green: it discharges in the gaps of its foes only

    def start(self, network: Network) -> Mapping[str, Policy]:
        """One memoryless policy per intersection."""
        return {name: self._policy(intersection) for name, intersection in network.intersections.items()}

    def _policy(self, intersection: Intersection) -> Policy:
        serves, leads_to = green_worth(intersection, self.permissive), exits_of(intersection)

        def pressure(seen: Observation) -> Array:
            vehicles = seen.vehicles
            queued = (vehicles.speed < HALTED_SPEED) | (vehicles.distance <= self.near)
            before, behind = seen.count_by_link(queued), leads_to @ seen.exit_halted
            gain: Array = serves @ (before - self.downstream * behind)  # (phases,) Varaiya (2013), eq. 8
            return gain

        return acyclic(self.interval, pressure)
