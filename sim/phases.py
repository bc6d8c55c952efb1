"""Green states beside those of the program: what a controller may add to an intersection's phases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from sim.clearance import RANK
from sim.errors import InputError
from sim.network import Intersection, Network, Phase
from sim.permits import permits_of
from sim.program import MIN_GREEN, NO_MAXIMUM


def with_phases(network: Network, states: Mapping[str, Sequence[str]]) -> Network:
    """The network with further phases behind those of the programs, which stay as they are.

    Raises InputError for a state that is none, or that shows what the program does not permit: a letter that
    it never shows at that link, or foes green together as it has not. What the signal falls back to stays the
    program.
    """
    changed = dict(network.intersections)
    for name, more in states.items():
        if name not in changed:
            raise InputError(
                f"a controller adds phases to {name!r}", where=network.name, remedy="no such signal"
            )
        where = changed[name]
        for state in more:
            if fault := _fault(where, state):
                raise InputError(
                    f"the phase {state!r} for signal {name!r} is not safe: {fault}",
                    where=network.name,
                    remedy="show foes together only as its program does",
                )
        shortest = min((phase.min_green for phase in where.phases), default=MIN_GREEN)
        first = len(where.phases)
        added = tuple(
            Phase(first + i, state, f"+{i + 1}", max(shortest, MIN_GREEN), NO_MAXIMUM)
            for i, state in enumerate(more)
        )
        changed[name] = replace(where, phases=where.phases + added)
    return replace(network, intersections=changed)


def _fault(where: Intersection, state: str) -> str:
    """What is wrong with showing ``state``; empty if nothing is."""
    if len(state) != where.n_links or not state.isascii():
        return f"it is not a state of {where.n_links} letters"
    permits = permits_of(where)
    for link, letter in enumerate(state):
        if letter in "yY" or not permits.letters[link, ord(letter)]:
            return f"link {link} would show {letter!r}, which its program never does"
    rank = np.array([RANK.get(letter, 0) for letter in state])
    a, b = np.indices(where.foes.shape)
    clash = np.argwhere(~permits.together[rank[:, None], rank[None, :], a, b])
    return f"links {clash[0][0]} and {clash[0][1]} are foes" if len(clash) else ""
