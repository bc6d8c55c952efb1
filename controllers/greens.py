"""The links that each phase serves, as arrays, and the policy of all rules that select the best phase."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from denxanh.sim.controller import Array, Green, Ints, Observation, Policy
from denxanh.sim.network import Bools, Intersection


def green_links(intersection: Intersection) -> Bools:
    """Shape (phases, n_links): whether the link is green, with or without priority."""
    return np.array([[phase.serves(k) for k in range(intersection.n_links)] for phase in intersection.phases])


def called_on_red(seen: Observation, greens: Bools) -> Ints:
    """The links of crossings with a pedestrian call that ``seen.phase`` does not serve."""
    called: Ints = np.flatnonzero(seen.calls)
    on_red: Ints = called[~greens[seen.phase, called]]
    return on_red


def green_worth(intersection: Intersection, permissive: float) -> Array:
    """Shape (phases, n_links): 1 for ``G``, ``permissive`` for ``g`` (it yields), 0 for the others."""
    worth = {"G": 1.0, "g": permissive}
    return np.array([[worth.get(letter, 0.0) for letter in phase.state] for phase in intersection.phases])


def green_approaches(intersection: Intersection) -> Bools:
    """Shape (phases, approaches): whether any link of the stop-line lane is green."""
    greens = green_links(intersection)
    return np.stack(
        [greens[:, list(approach.links)].any(axis=1) for approach in intersection.approaches], axis=1
    )


def acyclic(interval: float, score: Callable[[Observation], Array]) -> Policy:
    """The policy that shows the phase of highest ``score`` (phases,) for ``interval`` s; ties go to the first."""

    def policy(seen: Observation) -> Green:
        if seen.minimum_left > 0:
            return Green(seen.phase, seen.minimum_left)
        return Green(int(np.argmax(score(seen))), seen.whole(interval))

    return policy


def exits_of(intersection: Intersection) -> Array:
    """Shape (n_links, exits): 1 where the link enters the exit lane."""
    leads_to = np.zeros((intersection.n_links, len(intersection.exits)))
    for link in intersection.links:
        if link.end in intersection.exits:
            leads_to[link.index, intersection.exits.index(link.end)] = 1.0
    return leads_to
