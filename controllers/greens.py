"""Which links a phase serves, as arrays: what every acyclic strategy starts from."""

from __future__ import annotations

import numpy as np

from sim.network import Bools, Intersection
from sim.protocol import Array


def green_links(where: Intersection) -> Bools:
    """Shape (phases, n_links): whether the link is green, with or without priority."""
    return np.array([[phase.serves(k) for k in range(where.n_links)] for phase in where.phases])


def green_worth(where: Intersection, permissive: float) -> Array:
    """Shape (phases, n_links): 1 for ``G``, ``permissive`` for ``g`` (it yields), 0 for the others."""
    worth = {"G": 1.0, "g": permissive}
    return np.array([[worth.get(letter, 0.0) for letter in phase.state] for phase in where.phases])


def green_approaches(where: Intersection) -> Bools:
    """Shape (phases, approaches): whether any link of the stop-line lane is green."""
    greens = green_links(where)
    return np.stack([greens[:, list(approach.links)].any(axis=1) for approach in where.approaches], axis=1)
