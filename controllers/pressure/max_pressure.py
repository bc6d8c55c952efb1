"""Max-pressure: show the phase whose movements have the most to gain (Varaiya 2013, eq. 8–10).

P. Varaiya, "Max pressure control of a network of signalized intersections", Transportation Research C 36
(2013) 177–195, doi:10.1016/j.trc.2013.08.014. Acyclic, decided every ``interval`` seconds.

What the paper presumes: vertical queues without a limit (store and forward), a queue of its own for each movement, so
no vehicle waits behind one of another movement, stationary and known turning ratios and saturation flows, and no time
lost in a change. Stability then bounds the mean queue, not the wait: an approach with little traffic can wait for
ever (H. Liu, V. V. Gayah, "A novel max pressure algorithm based on traffic delay", arXiv:2202.03290, 2022). On shared
lanes it fails altogether: the vehicles behind one at red keep up the pressure of a phase that nobody can use
(docs/research/starvation.md). So a lane is counted up to its first vehicle that the phase does not serve, and a red
has a limit; ``whole_lane=true,longest_red=0`` is the paper's form. Turning ratios are replaced by the link that each
vehicle will take, and the mean over the turns behind the junction by the exit lane's queue.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from denxanh.controllers.greens import LONGEST_RED, acyclic, count_reached, exits_of, green_worth, may_leave
from denxanh.sim.controller import Array, Observation, Policy
from denxanh.sim.network import Intersection, Network
from denxanh.sim.world import HALTED_SPEED, NEAR_LINE


@dataclass(frozen=True)
class MaxPressure:
    """Max-pressure: the phase with the largest sum of queue before less queue behind (Varaiya 2013).

    A vehicle counts as queued if it is halted or within ``near`` m of the stop line. ``near = 0`` counts halted
    vehicles only. Sees vehicles and exits.
    """

    name: ClassVar[str] = "max-pressure"
    sees: ClassVar[frozenset[str]] = frozenset({"vehicles", "exits"})

    interval: float = 10.0  # s between decisions
    near: float = NEAR_LINE  # m; docs/controllers.md has the measurements
    downstream: float = 0.5  # weight of the halted vehicles behind the junction; the paper's is 1
    permissive: float = 0.5  # weight of a yielding green: it discharges in the gaps of its foes only
    whole_lane: bool = False  # as the paper: count what is behind a vehicle that the phase does not serve
    longest_red: float = LONGEST_RED  # times the plan's longest red of the link; 0: none, as the paper

    def start(self, network: Network) -> Mapping[str, Policy]:
        """One memoryless policy per intersection."""
        return {name: self._policy(intersection) for name, intersection in network.intersections.items()}

    def _policy(self, intersection: Intersection) -> Policy:
        serves, leads_to = green_worth(intersection, self.permissive), exits_of(intersection)
        leaves = None if self.whole_lane else may_leave(intersection)

        def pressure(seen: Observation) -> Array:
            vehicles = seen.vehicles
            queued = (vehicles.speed < HALTED_SPEED) | (vehicles.distance <= self.near)
            before, behind = count_reached(seen, leaves, queued), leads_to @ seen.exit_halted
            gain: Array = (serves * (before - self.downstream * behind)).sum(
                axis=1
            )  # (phases,) Varaiya (2013), eq. 8
            return gain

        return acyclic(self.interval, pressure, intersection, self.longest_red)
