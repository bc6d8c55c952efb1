"""Phases that a controller adds to those of an intersection's program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from denxanh.sim.errors import InputError
from denxanh.sim.network import Intersection, Network, Phase
from denxanh.sim.signals.clearance import RANK
from denxanh.sim.signals.permits import permits_of
from denxanh.sim.sumo.program import MIN_GREEN, NO_MAXIMUM


def with_phases(network: Network, states: Mapping[str, Sequence[str]]) -> Network:
    """The network with further phases behind those of the programs, which stay as they are.

    Raises InputError for an invalid state, and for one that the program does not permit: a letter that it never
    shows at that link, or foes green together. The fixed-time fallback of the signal remains the program.
    """
    changed = dict(network.intersections)
    for name, more in states.items():
        if name not in changed:
            raise InputError(
                f"a controller adds phases to {name!r}", location=network.name, remedy="no such signal"
            )
        intersection = changed[name]
        for state in more:
            if fault := _fault(intersection, state):
                raise InputError(
                    f"the phase {state!r} for signal {name!r} is not safe: {fault}",
                    location=network.name,
                    remedy="show foes together only as its program does",
                )
        shortest = min((phase.min_green for phase in intersection.phases), default=MIN_GREEN)
        first = len(intersection.phases)
        added = tuple(
            Phase(first + i, state, f"+{i + 1}", max(shortest, MIN_GREEN), NO_MAXIMUM)
            for i, state in enumerate(more)
        )
        changed[name] = replace(intersection, phases=intersection.phases + added)
    return replace(network, intersections=changed)


def _fault(intersection: Intersection, state: str) -> str:
    """The fault of showing ``state``; "" if there is none."""
    if len(state) != intersection.n_links or not state.isascii():
        return f"it is not a state of {intersection.n_links} letters"
    permits = permits_of(intersection)
    for link, letter in enumerate(state):
        if letter in "yY" or not permits.letters[link, ord(letter)]:
            return f"link {link} would show {letter!r}, which its program never does"
    rank = np.array([RANK.get(letter, 0) for letter in state])
    a, b = np.indices(intersection.foes.shape)
    clash = np.argwhere(~permits.together[rank[:, None], rank[None, :], a, b])
    return f"links {clash[0][0]} and {clash[0][1]} are foes" if len(clash) else ""
