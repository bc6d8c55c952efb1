"""Batched hill-climbing by ask and tell: it proposes neighbours, is told their values, and keeps the best.

It knows no traffic: what a neighbour is comes from a Neighbourhood, what it is worth from whoever tells. In
each round the improving moves that touch different signals are also tried together, so that many signals
advance at once (Robertson (1969) moves one signal at a time).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from experiments.optimize.moves import Move
from experiments.optimize.space import Candidate

Array = NDArray[np.float64]

_DRAWS = 6  # draws for one unseen neighbour before the neighbourhood counts as exhausted
_FLOOR = 0.3  # a kind of move that never helped is still drawn this often, relative to the mean


class Neighbours(Protocol):
    """What a climb needs of a neighbourhood."""

    kinds: tuple[str, ...]

    def draw(self, candidate: Candidate, kind: str, rng: np.random.Generator) -> Move | None:
        """One random move of ``kind``, or None."""
        ...


class Climb:
    """One hill-climb from ``start``, whose value is told first. Lower is better."""

    def __init__(self, neighbours: Neighbours, start: Candidate, rng: np.random.Generator) -> None:
        self._neighbours = neighbours
        self._rng = rng
        self.best = start
        self.value = float("inf")
        self.told = 0  # candidates evaluated
        self.stale = 0  # of these, since the last improvement
        self._asked: list[Move] = []
        self._seen: set[Candidate] = set()
        self._together: list[Move] = [Move("start", (), start)]
        self._gain = dict.fromkeys(neighbours.kinds, 1.0)
        self._tried = dict.fromkeys(neighbours.kinds, 1.0)

    @property
    def rising(self) -> bool:
        """Whether the last batch brought an improvement."""
        return self.stale == 0

    def ask(self, n: int) -> list[Candidate]:
        """At most ``n`` unseen candidates; fewer, or none, where the neighbourhood is exhausted."""
        self._asked = []
        for together in self._together[:n]:
            self._keep(together)
        self._together = []
        if not self.told:
            return [
                move.candidate for move in self._asked
            ]  # neighbours of a start of unknown value say nothing
        kinds = list(self._neighbours.kinds)
        for k in self._rng.choice(len(kinds), size=n * _DRAWS, p=self._odds(kinds)).tolist():
            if len(self._asked) >= n:
                break
            move = self._neighbours.draw(self.best, kinds[k], self._rng)
            if move is not None:
                self._keep(move)
        return [move.candidate for move in self._asked]

    def tell(self, values: Sequence[float] | Array) -> None:
        """The values of the candidates that were asked last, in their order; nan counts as worst."""
        before = self.value
        ranked = sorted(
            ((float(v), k) for k, v in enumerate(values) if v < before), key=lambda pair: (pair[0], pair[1])
        )
        self.told += len(self._asked)
        for move in self._asked:
            if move.kind in self._tried:
                self._tried[move.kind] += 1
        for value, k in ranked:
            kind = self._asked[k].kind
            if kind in self._gain and before < float("inf"):
                self._gain[kind] += min(1.0, (before - value) / max(abs(before), 1e-9) * 100)
        if not ranked:
            self.stale += len(self._asked)
            return
        base = self.best
        self.value, winner = ranked[0][0], ranked[0][1]
        self.best, self.stale = self._asked[winner].candidate, 0
        self._together = self._combined(base, [self._asked[k] for _, k in ranked])

    def _keep(self, move: Move) -> None:
        if move.candidate not in self._seen:
            self._seen.add(move.candidate)
            self._asked.append(move)

    def _odds(self, kinds: Sequence[str]) -> Array:
        rate = np.array([self._gain[k] / self._tried[k] for k in kinds])
        rate = np.maximum(rate, _FLOOR * rate.mean())
        return np.asarray(rate / rate.sum(), dtype=np.float64)

    def _combined(self, base: Candidate, better: Sequence[Move]) -> list[Move]:
        """The best two, four, … improving moves that touch different signals, all on top of ``base``."""
        chosen: list[Move] = []
        busy: set[int] = set()
        for move in better:
            if not busy & set(move.touched):
                chosen.append(move)
                busy |= set(move.touched)
        out, count = [], 2
        while len(chosen) > 1:
            mixed = list(base)
            for move in chosen[:count]:
                for s in move.touched:
                    mixed[s] = move.candidate[s]
            touched = tuple(sorted(s for move in chosen[:count] for s in move.touched))
            out.append(Move("together", touched, tuple(mixed)))
            if count >= len(chosen):
                break
            count *= 2
        return out


def kicked(
    neighbours: Neighbours, candidate: Candidate, strength: int, rng: np.random.Generator
) -> Candidate:
    """``strength`` random moves away from ``candidate``: where another climb may start."""
    for _ in range(strength * _DRAWS):
        move = neighbours.draw(candidate, str(rng.choice(neighbours.kinds)), rng)
        if move is not None:
            candidate, strength = move.candidate, strength - 1
        if strength == 0:
            break
    return candidate
