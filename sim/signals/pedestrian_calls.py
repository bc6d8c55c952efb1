"""Pedestrian calls: the push buttons of the crossings, and a limit on the wait that any strategy must keep.

A strategy that selects the best phase for vehicles has no reason to show a phase that serves pedestrians only. So a
call that has waited for the longest red of the program in force gets the next green. Strategies that show their
phases in turn take a call as a call on the phases that serve its crossing (decision 0615).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from denxanh.sim.controller import Array, Controller, Green, Observation, Policy, capabilities
from denxanh.sim.network import GREEN, Intersection, Network
from denxanh.sim.plan import Timing
from denxanh.sim.world import Pedestrian, World


class PedestrianCalls:
    """The pedestrian calls of one run. A call is kept until its crossing is green."""

    def __init__(self, world: World, pedestrians: Callable[[str], Sequence[Pedestrian]]) -> None:
        self._world = world
        self._pedestrians = pedestrians  # the pedestrians on a walking area
        self._since: dict[tuple[str, int], float] = {}  # s, by intersection and link

    def at(self, intersection: Intersection) -> Array:
        """Seconds since the call of each crossing, shape (n_links,); 0 without a call."""
        world = self._world
        now = world.begin + world.steps * world.step
        shown = world.shows(intersection.id)
        out = np.zeros(intersection.n_links)
        for link, crossing in intersection.crossings.items():
            key = intersection.id, link
            if shown[link] in GREEN:
                self._since.pop(key, None)
                continue
            waiting = (person for area in crossing.areas for person in self._pedestrians(area))
            waits = [person.wait for person in waiting if person.bound_for in crossing.edges]
            if waits and max(waits) > 0.0:
                self._since.setdefault(key, now - max(waits))
            if key in self._since:
                out[link] = max(now - self._since[key], world.step)
        return out


def serve_pedestrian_calls(
    policies: Mapping[str, Policy], network: Network, controller: Controller
) -> Mapping[str, Policy]:
    """The policies, each of which serves a late pedestrian call first where its signal has crossings.

    The policies are returned as they are for a controller that does not see vehicles, since it follows a plan, and
    for one that declares ``serves_pedestrian_calls``: it shows its phases in turn, or is a layer, for which the
    strategy below serves the calls.
    """
    if "vehicles" not in controller.sees or capabilities(controller).serves_pedestrian_calls:
        return policies
    if not isinstance(policies, Mapping):
        return policies  # the supervisor refuses it
    return {
        name: _CallsFirst(policy, network.intersections[name]) if _has_crossings(name, network) else policy
        for name, policy in policies.items()
    }


def _has_crossings(name: str, network: Network) -> bool:
    return name in network.intersections and bool(network.intersections[name].crossings)


class _CallsFirst:
    """A policy behind the calls: one that has waited too long is served first, and the policy is not asked then."""

    def __init__(self, policy: Policy, intersection: Intersection) -> None:
        self._policy = policy
        self._limit = longest_red(intersection.program)
        self._serves = np.array(
            [[phase.serves(k) for k in range(intersection.n_links)] for phase in intersection.phases]
        )

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
    """The longest red of each link in a cycle, s, shape (n_links,); inf for a link that is never green."""
    steps = program.steps()
    green = np.array([[letter in GREEN for letter in state] for state, _ in steps])
    seconds = np.array([length for _, length in steps])
    longest = np.zeros(green.shape[1])
    red = np.zeros(green.shape[1])
    for k in (*range(len(steps)), *range(len(steps))):  # twice, since a red may go on over the cycle's end
        red = np.where(green[k], 0.0, red + seconds[k])
        longest = np.maximum(longest, red)
    return np.where(green.any(axis=0), longest, np.inf)
