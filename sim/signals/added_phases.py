"""Phases that a controller adds to those of an intersection's program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from denxanh.sim.errors import InputError
from denxanh.sim.network import Intersection, Network, Phase
from denxanh.sim.signals.permits import permits_of
from denxanh.sim.sumo.program import MIN_GREEN, NO_MAXIMUM, RANK, steady_letters


def with_phases(network: Network, states: Mapping[str, Sequence[str]]) -> Network:
    """The network with further phases behind those of the programs, which stay as they are.

    Raises InputError for a state that is none, or that shows what the program does not permit: a letter that
    it never shows at that link, or foes or links of different junctions green together as it has not. What the
    signal falls back to stays the program.
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
                    remedy="show them together only as its program does",
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
    permits, steady = permits_of(intersection), steady_letters(intersection.program)
    for link, letter in enumerate(state):
        if (letter in "yY" and link not in steady) or not permits.letters[link, ord(letter)]:
            return f"link {link} would show {letter!r}, which its program never does"
    rank = np.array([RANK.get(letter, 0) for letter in state])
    a, b = np.indices(intersection.foes.shape)
    clash = np.argwhere(~permits.together[rank[:, None], rank[None, :], a, b])
    if not len(clash):
        return ""
    first, second = clash[0]
    how = "are foes" if intersection.foes[first, second] else "stand in different junctions"
    return f"links {first} and {second} {how}"
