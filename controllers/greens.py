"""The links that each phase serves, as arrays, and the policy of all rules that select the best phase."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from denxanh.sim.controller import Array, Green, Ints, Observation, Policy
from denxanh.sim.network import Bools, Intersection
from denxanh.sim.signals.pedestrian_calls import longest_red
from denxanh.sim.world import HALTED_SPEED

LONGEST_RED = 1.5
"""The default of ``longest_red`` of the acyclic strategies (docs/research/starvation.md)."""


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


def may_leave(intersection: Intersection) -> Bools:
    """Shape (phases, n_links): whether the first vehicle of the lane may leave by the link: green, or ``s``.

    ``s`` is a turn on red after a stop: it is not served, but the vehicle does not block its lane either.
    """
    return np.array([[letter in "Ggs" for letter in phase.state] for phase in intersection.phases])


def reached(seen: Observation, leaves: Bools) -> Bools:
    """Shape (phases, n): whether the phase lets every vehicle leave that is before this one in its lane.

    ``leaves`` is ``may_leave`` or ``green_links``. A lane counts up to its first vehicle that the phase does not let
    leave; that vehicle has itself reached the stop line, its link decides whether it is served. A vehicle whose link
    is not known holds nobody back.
    """
    vehicles = seen.vehicles
    if len(vehicles.link) == 0:
        return np.zeros((len(leaves), 0), dtype=np.bool_)
    held: Ints = (~leaves[:, vehicles.link] & (vehicles.link >= 0)).astype(np.int64)
    before = (
        np.cumsum(held, axis=1) - held
    )  # vehicles held at red before this one, of all lanes up to its own
    first = np.searchsorted(vehicles.approach, vehicles.approach)  # the first vehicle of its lane
    free: Bools = before == before[:, first]
    return free


def head_links(seen: Observation) -> Ints:
    """The link of the first vehicle of each vehicle's lane, shape (n,); −1 where that one's link is not known."""
    vehicles = seen.vehicles
    heads: Ints = vehicles.link[np.searchsorted(vehicles.approach, vehicles.approach)]
    return heads


def count_reached(
    seen: Observation, leaves: Bools | None, among: Bools, weight: Array | None = None
) -> Array:
    """Vehicles of ``among`` (n,) that a phase reaches, by phase and link, shape (phases, n_links).

    ``leaves`` is ``may_leave``; None counts whole lanes, whatever is before a vehicle, in shape (1, n_links).
    ``weight`` (n,) is the weight of each vehicle, 1 without it.
    """
    vehicles, links = seen.vehicles, seen.intersection.n_links
    known: Ints = np.flatnonzero(among & (vehicles.link >= 0))
    each = np.ones(len(known)) if weight is None else weight[known]
    if leaves is None:
        return np.asarray(np.bincount(vehicles.link[known], each, minlength=links)[None, :], dtype=np.float64)
    counted = reached(seen, leaves)[:, known] * each
    phases = np.arange(len(leaves))[:, None]
    at = (phases * links + vehicles.link[known]).ravel()
    total = np.bincount(at, counted.ravel(), minlength=len(leaves) * links)
    return np.asarray(total.reshape(len(leaves), links), dtype=np.float64)


def dominated(intersection: Intersection) -> Bools:
    """Shape (phases,): whether another phase gives every link at least the same right of way, and one link more.

    Such a phase, often a few seconds at the edge of a stage, serves nobody that the other does not serve as well.
    """
    rank = green_worth(intersection, 0.5)
    least = np.all(rank[:, None, :] <= rank[None, :, :], axis=2)  # (phases, phases) the second gives as much
    less = np.any(rank[:, None, :] < rank[None, :, :], axis=2)
    out: Bools = np.any(least & less, axis=1)
    return out


def green_approaches(intersection: Intersection) -> Bools:
    """Shape (phases, approaches): whether any link of the stop-line lane is green."""
    greens = green_links(intersection)
    return np.stack(
        [greens[:, list(approach.links)].any(axis=1) for approach in intersection.approaches], axis=1
    )


def acyclic(
    interval: float, score: Callable[[Observation], Array], intersection: Intersection, red: float
) -> Policy:
    """The policy that shows the phase of highest ``score`` (phases,) for ``interval`` s; ties go to the first.

    ``red`` is the longest red as in ``bounded_red``.
    """

    def policy(seen: Observation) -> Green:
        if seen.minimum_left > 0:
            return Green(seen.phase, seen.minimum_left)
        return Green(int(np.argmax(score(seen))), seen.whole(interval))

    return bounded_red(policy, intersection, red)


def bounded_red(policy: Policy, intersection: Intersection, red: float) -> Policy:
    """The policy behind a longest red: a link whose vehicles have waited too long gets the next green.

    The limit of a link is ``red`` times its longest red in a cycle of the plan in force, so it grows with the cycle
    and with the number of phases as the plan does; 0 sets no limit. A link is late when it has been red for that long
    and a vehicle has stood at that red for that long. The next green is that of the phase that reaches most of the
    late links; a late link behind a vehicle that no phase serves together with it waits for that vehicle. It is shown
    for its minimum green, then ``policy`` is asked again. What can be late at once is bounded by the phases, whose
    minimum greens fit in the cycle; so a red ends after the limit, the greens under way, and at most one minimum green
    of each other phase.
    """
    if red == 0.0:
        return policy
    greens, leaves = green_links(intersection), may_leave(intersection)
    limit = red * longest_red(intersection.program)
    since = np.full(intersection.n_links, np.inf)  # s, since when a vehicle has stood at the red of the link
    count = len(intersection.phases)

    def late(seen: Observation) -> Ints:
        """The late links, after ``since`` was brought up to date."""
        vehicles = seen.vehicles
        standing = np.flatnonzero((vehicles.link >= 0) & (vehicles.speed < HALTED_SPEED))
        np.minimum.at(since, vehicles.link[standing], seen.time - vehicles.wait[standing])
        since[greens[seen.phase]] = np.inf
        present = np.zeros(len(since), dtype=np.bool_)
        present[vehicles.link[vehicles.link >= 0]] = True
        since[~present] = np.inf
        return np.flatnonzero(np.minimum(seen.red, seen.time - since) > limit)

    def bounded(seen: Observation) -> Green:
        overdue = late(seen) if len(seen.red) else np.zeros(0, dtype=np.int64)
        if len(overdue) == 0 or seen.minimum_left > 0:
            return policy(seen)
        at_hand = count_reached(seen, leaves, np.ones(len(seen.vehicles.link), dtype=np.bool_)) > 0
        served = np.sum((greens & at_hand)[:, overdue], axis=1)
        order = (seen.phase + 1 + np.arange(count)) % count
        phase = int(order[np.argmax(served[order])])
        if served[phase] == 0 or phase == seen.phase:
            return policy(seen)
        return Green(phase, seen.least_green(phase))

    return bounded


def exits_of(intersection: Intersection) -> Array:
    """Shape (n_links, exits): 1 where the link enters the exit lane."""
    leads_to = np.zeros((intersection.n_links, len(intersection.exits)))
    for link in intersection.links:
        if link.end in intersection.exits:
            leads_to[link.index, intersection.exits.index(link.end)] = 1.0
    return leads_to
