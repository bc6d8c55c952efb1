"""Push buttons: people on foot call for the green of a crossing, and no strategy may keep them from it.

A strategy that picks the best phase for vehicles has no reason to show one that serves people on foot only. So who has
called and waited for the longest red of the program in force gets the next green; strategies that show their phases in
turn take a call as one on its phases (decision 0615).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from sim.network import GREEN, Intersection, Network
from sim.plan import Timing
from sim.protocol import Array, Controller, Green, Observation, Policy
from sim.world import OnFoot, World


class WalkCalls:
    """The buttons of one run. A call stands until its crossing is green."""

    def __init__(self, world: World, on_foot: Callable[[str], Sequence[OnFoot]]) -> None:
        self._world = world
        self._on_foot = on_foot  # the people on a walking area
        self._since: dict[tuple[str, int], float] = {}  # s, by intersection and link

    def at(self, where: Intersection) -> Array:
        """(n_links,) s since the call of each crossing; 0 where nobody has called."""
        world = self._world
        now = world.begin + world.steps * world.step
        shown = world.shows(where.id)
        out = np.zeros(where.n_links)
        for link, walk in where.walks.items():
            key = where.id, link
            if shown[link] in GREEN:
                self._since.pop(key, None)
                continue
            people = (someone for area in walk.areas for someone in self._on_foot(area))
            waits = [someone.wait for someone in people if someone.bound_for in walk.edges]
            if waits and max(waits) > 0.0:
                self._since.setdefault(key, now - max(waits))
            if key in self._since:
                out[link] = max(now - self._since[key], world.step)
        return out


def with_walk_calls(
    policies: Mapping[str, Policy], network: Network, controller: Controller
) -> Mapping[str, Policy]:
    """The policies, each of which lets people on foot walk in time where its signal has crossings.

    Not those of a controller that does not look at vehicles, which follows its plan, nor of one that says by
    ``lets_walk`` that it serves the calls itself: whoever shows its phases in turn, and a layer, which leaves it
    to the strategy below.
    """
    if "vehicles" not in controller.sees or getattr(controller, "lets_walk", False):
        return policies
    if not isinstance(policies, Mapping):
        return policies  # the supervisor says what is wrong with it
    return {
        name: _WalksInTime(policy, network.intersections[name]) if _has_crossings(name, network) else policy
        for name, policy in policies.items()
    }


def _has_crossings(name: str, network: Network) -> bool:
    return name in network.intersections and bool(network.intersections[name].walks)


class _WalksInTime:
    """A policy, except that a call that has waited too long is served first; the policy is not asked then."""

    def __init__(self, policy: Policy, where: Intersection) -> None:
        self._policy = policy
        self._limit = longest_red(where.program)
        self._serves = np.array([[phase.serves(k) for k in range(where.n_links)] for phase in where.phases])

    def __call__(self, seen: Observation) -> Green:
        late = seen.calls - self._limit if len(seen.calls) else np.zeros(0)
        if not (late > 0).any() or seen.minimum_left > 0:
            return self._policy(seen)
        serving = self._serves[:, int(np.argmax(late))]
        if serving[seen.phase] or not serving.any():
            return self._policy(seen)
        following = (seen.phase + 1 + np.arange(len(serving))) % len(serving)
        phase = int(following[serving[following]][0])
        return Green(phase, seen.least_green(phase))


def longest_red(program: Timing) -> Array:
    """(n_links,) the longest time in a cycle between two greens of a link, s; inf for a link that is never green."""
    steps = program.steps()
    green = np.array([[letter in GREEN for letter in state] for state, _ in steps])
    seconds = np.array([length for _, length in steps])
    longest = np.zeros(green.shape[1])
    red = np.zeros(green.shape[1])
    for k in (*range(len(steps)), *range(len(steps))):  # twice, since a red may go on over the cycle's end
        red = np.where(green[k], 0.0, red + seconds[k])
        longest = np.maximum(longest, red)
    return np.where(green.any(axis=0), longest, np.inf)
