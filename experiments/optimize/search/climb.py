"""Batched hill climbing with an ask-and-tell interface: it proposes neighbours, receives their values, keeps the best.

The climb is independent of traffic: a Neighbourhood defines the moves and the caller supplies the values. In each
round the improving moves of different signals are also combined, so that many signals advance at once
(Robertson (1969) moves one signal at a time).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from denxanh.experiments.optimize.problem.neighbourhood import Move
from denxanh.experiments.optimize.problem.space import Candidate

Array = NDArray[np.float64]

_DRAWS = 6  # draws for one unseen neighbour after which the neighbourhood counts as exhausted
_FLOOR = 0.3  # a kind of move that never helped is still drawn this often, relative to the mean


class Neighbours(Protocol):
    """The part of a neighbourhood that a climb uses."""

    kinds: tuple[str, ...]

    def draw(self, candidate: Candidate, kind: str, rng: np.random.Generator) -> Move | None:
        """One random move of ``kind``, or None."""
        ...


class Climb:
    """One hill-climb from ``start``, whose value must be told first. Lower is better."""

    def __init__(self, neighbours: Neighbours, start: Candidate, rng: np.random.Generator) -> None:
        self._neighbours = neighbours
        self._rng = rng
        self.best = start
        self.value = float("inf")
        self.evaluated = 0  # candidates evaluated
        self.stale = 0  # of these, since the last improvement
        self._batch: list[Move] = []
        self._seen: set[Candidate] = set()
        self._combinations: list[Move] = [Move("start", (), start)]
        self._gain = dict.fromkeys(neighbours.kinds, 1.0)
        self._tried = dict.fromkeys(neighbours.kinds, 1.0)

    @property
    def rising(self) -> bool:
        """Whether the last batch brought an improvement."""
        return self.stale == 0

    def ask(self, n: int) -> list[Candidate]:
        """At most ``n`` unseen candidates; fewer, or none, where the neighbourhood is exhausted."""
        self._batch = []
        for combination in self._combinations[:n]:
            self._keep(combination)
        self._combinations = []
        if not self.evaluated:
            return [move.candidate for move in self._batch]  # no neighbours before the start has a value
        kinds = list(self._neighbours.kinds)
        for k in self._rng.choice(len(kinds), size=n * _DRAWS, p=self._odds(kinds)).tolist():
            if len(self._batch) >= n:
                break
            move = self._neighbours.draw(self.best, kinds[k], self._rng)
            if move is not None:
                self._keep(move)
        return [move.candidate for move in self._batch]

    def tell(self, values: Sequence[float] | Array) -> None:
        """The values of the last batch, in its order; nan counts as worst."""
        before = self.value
        ranked = sorted(
            ((float(v), k) for k, v in enumerate(values) if v < before), key=lambda pair: (pair[0], pair[1])
        )
        self.evaluated += len(self._batch)
        for move in self._batch:
            if move.kind in self._tried:
                self._tried[move.kind] += 1
        for value, k in ranked:
            kind = self._batch[k].kind
            if kind in self._gain and before < float("inf"):
                self._gain[kind] += min(1.0, (before - value) / max(abs(before), 1e-9) * 100)
        if not ranked:
            self.stale += len(self._batch)
            return
        base = self.best
        self.value, winner = ranked[0][0], ranked[0][1]
        self.best, self.stale = self._batch[winner].candidate, 0
        self._combinations = self._combined(base, [self._batch[k] for _, k in ranked])

    def _keep(self, move: Move) -> None:
        if move.candidate not in self._seen:
            self._seen.add(move.candidate)
            self._batch.append(move)

    def _odds(self, kinds: Sequence[str]) -> Array:
        rate = np.array([self._gain[k] / self._tried[k] for k in kinds])
        rate = np.maximum(rate, _FLOOR * rate.mean())
        return np.asarray(rate / rate.sum(), dtype=np.float64)

    def _combined(self, base: Candidate, better: Sequence[Move]) -> list[Move]:
        """The best two, four, … improving moves that touch different signals, all applied to ``base``."""
        chosen: list[Move] = []
        busy: set[int] = set()
        for move in better:
            if not busy & set(move.touched):
                chosen.append(move)
                busy |= set(move.touched)
        out, count = [], 2
        while len(chosen) > 1:
            merged = list(base)
            for move in chosen[:count]:
                for s in move.touched:
                    merged[s] = move.candidate[s]
            touched = tuple(sorted(s for move in chosen[:count] for s in move.touched))
            out.append(Move("together", touched, tuple(merged)))
            if count >= len(chosen):
                break
            count *= 2
        return out


def kicked(
    neighbours: Neighbours, candidate: Candidate, strength: int, rng: np.random.Generator
) -> Candidate:
    """``strength`` random moves away from ``candidate``: the start of another climb."""
    for _ in range(strength * _DRAWS):
        move = neighbours.draw(candidate, str(rng.choice(neighbours.kinds)), rng)
        if move is not None:
            candidate, strength = move.candidate, strength - 1
        if strength == 0:
            break
    return candidate
