"""What a signal has shown in a run: the greens of its links, and when a moment lies within one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from denxanh.sim.network import GREEN

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Greens:
    """The greens of some links, shape (n,) each, in order. Times s; the last one ends with the run at the latest."""

    start: Array
    stop: Array

    def contain(self, time: ArrayLike) -> NDArray[np.bool_]:
        """Which moments lie within a green."""
        moment = np.asarray(time, dtype=np.float64)
        if not len(self.start):
            return np.zeros(moment.shape, dtype=np.bool_)
        k = np.searchsorted(self.start, moment, side="right") - 1
        return np.asarray((k >= 0) & (moment < self.stop[np.maximum(k, 0)]), dtype=np.bool_)

    def seconds(self, begin: float, end: float) -> float:
        """Green between two moments, s."""
        return float(np.maximum(np.minimum(self.stop, end) - np.maximum(self.start, begin), 0.0).sum())

    def failures(self, arrival: Array, stop_line: Array) -> NDArray[np.bool_]:
        """Which greens but the last left someone who had come before they began for a later one (cycle failures).

        ``arrival`` and ``stop_line`` are when vehicles came and crossed, shape (vehicles,).
        """
        n = len(self.start)
        first = np.searchsorted(self.start, arrival, side="left")
        taken = np.searchsorted(self.start, stop_line, side="right") - 1
        late = taken > first
        change = np.zeros(n + 1)
        np.add.at(change, np.minimum(first[late], n), 1)
        np.add.at(change, np.maximum(taken[late], 0), -1)
        return np.asarray(np.cumsum(change)[: max(n - 1, 0)] > 0.5, dtype=np.bool_)


def greens(times: Sequence[float], states: Sequence[str], links: Sequence[int], end: float) -> Greens:
    """The greens of a signal's history in which at least one of ``links`` is green.

    ``times`` (s) and ``states`` are its changes in order; a state holds until the next one, the last until ``end``.
    """
    green_in = {state: any(state[k] in GREEN for k in links) for state in set(states)}
    shown = [green_in[state] for state in states]
    start, stop = [], []
    for k, green in enumerate(shown):
        if green and not (k and shown[k - 1]):
            start.append(times[k])
        if not green and k and shown[k - 1]:
            stop.append(times[k])
    if shown and shown[-1]:
        stop.append(end)
    return Greens(np.array(start, dtype=np.float64), np.array(stop, dtype=np.float64))
