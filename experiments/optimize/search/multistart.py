"""Search from several starts: parallel climbs, successive halving of their number, then kicks out of local optima.

An ask-and-tell interface as in ``climb``, so that the search never calls the simulator. The best candidate so far
has always been evaluated, so the search can be stopped at any time.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from denxanh.experiments.optimize.problem.space import Candidate
from denxanh.experiments.optimize.search.climb import Climb, Neighbours, kicked

Array = NDArray[np.float64]

ROUNDS = 6  # batches for each climb between two halvings
STALE = 400  # evaluations without improvement after which a climb counts as at its local optimum
SPARSE = 0.25  # share of unseen candidates in a batch below which the neighbourhood counts as exhausted
# random moves of a kick: enough to leave the basin of an optimum, few enough to keep most of its plan
KICK = 4

_KICKS = 5  # attempts at a kick that leads to another candidate


class MultistartSearch:
    """Minimise over candidates; ``batch`` of them are proposed at a time, shared between the live climbs.

    ``keep`` climbs survive the halvings. A climb at its local optimum continues from a kick away from it.
    """

    def __init__(
        self,
        neighbours: Neighbours,
        starts: Sequence[Candidate],
        rng: np.random.Generator,
        *,
        batch: int = 128,
        keep: int = 1,
    ) -> None:
        self._neighbours = neighbours
        self._rng = rng
        self._batch = batch
        self._keep = keep
        self._live = [Climb(neighbours, start, rng) for start in dict.fromkeys(starts)]
        self._home = [(climb.best, float("inf")) for climb in self._live]  # best of each climb and its kicks
        self._asked: list[int] = []
        self._dropped: list[tuple[Candidate, float]] = []
        self._round = 0
        self.evaluations = 0

    @property
    def best(self) -> tuple[Candidate, float]:
        """The best candidate evaluated so far and its value."""
        return min(self._home + self._dropped, key=lambda pair: pair[1])

    def ask(self) -> list[Candidate]:
        """The next batch to evaluate; empty only if every neighbourhood is exhausted."""
        share = max(4, self._batch // len(self._live))
        batches = []
        for k, climb in enumerate(self._live):
            batch = climb.ask(share)
            if climb.stale >= STALE or (climb.evaluated and len(batch) < SPARSE * share and not climb.rising):
                away = self._away(self._home[k][0])
                if away is not None:
                    self._live[k] = Climb(self._neighbours, away, self._rng)
                    batch = self._live[k].ask(share)
            batches.append(batch)
        self._asked = [len(batch) for batch in batches]
        return [candidate for batch in batches for candidate in batch]

    def tell(self, values: Sequence[float] | Array) -> None:
        """Values of the last batch, in its order."""
        start = 0
        for k, (climb, count) in enumerate(zip(self._live, self._asked, strict=True)):
            climb.tell(values[start : start + count])
            start += count
            if climb.value < self._home[k][1]:
                self._home[k] = (climb.best, climb.value)
        self.evaluations += start
        self._round += 1
        if len(self._live) > self._keep and self._round % ROUNDS == 0:
            self._halve()

    def leaders(self, n: int, kind: Callable[[Candidate], Hashable] = lambda c: c) -> list[Candidate]:
        """The best ``n`` candidates of different ``kind`` among the best of each climb."""
        out: dict[Hashable, Candidate] = {}
        for candidate, value in sorted(self._home + self._dropped, key=lambda pair: pair[1]):
            if value < float("inf"):
                out.setdefault(kind(candidate), candidate)
        return list(out.values())[:n]

    def _away(self, home: Candidate) -> Candidate | None:
        """A kick from ``home``; None where no move leads to another candidate."""
        for _ in range(_KICKS):
            away = kicked(self._neighbours, home, KICK, self._rng)
            if away != home:
                return away
        return None

    def _halve(self) -> None:
        ranked = sorted(range(len(self._live)), key=lambda k: (self._home[k][1], k))
        stay = sorted(ranked[: max(self._keep, (len(ranked) + 1) // 2)])
        self._dropped += [self._home[k] for k in ranked if k not in stay]
        self._live = [self._live[k] for k in stay]
        self._home = [self._home[k] for k in stay]
        self._asked = [self._asked[k] for k in stay]
