"""Candidates as the arrays that the queue model evaluates; each setting of a signal is encoded once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from denxanh.experiments.optimize.problem.space import Candidate, Setting, Space
from denxanh.sim.model.plan_arrays import PlanArrays, StateTable, steps
from denxanh.sim.plan import Timing

_ROWS = 64  # initial rows of the table, which doubles when full


class Packer:
    """Encodes candidates of one Space for ``denxanh.sim.model``; fixed signals keep their existing program."""

    def __init__(self, space: Space) -> None:
        self.space = space
        self._names = tuple(space.network.intersections)
        position = {name: i for i, name in enumerate(self._names)}
        self._position = [position[signal.id] for signal in space.signals]
        self._states: list[dict[str, int]] = [{} for _ in self._names]
        self._rows: list[dict[tuple[tuple[int, ...], tuple[int, ...]], int]] = [{} for _ in space.signals]
        self._state: NDArray[np.int16] = np.zeros((_ROWS, 1), dtype=np.int16)
        self._duration: NDArray[np.float32] = np.zeros((_ROWS, 1), dtype=np.float32)
        self._used = 0
        self._table: StateTable | None = None
        existing = [space.network.intersections[name].program for name in self._names]
        self._existing = np.array([self._add(i, program) for i, program in enumerate(existing)])
        self._existing_offset = np.array([program.offset for program in existing], dtype=np.float32)

    def __call__(self, candidates: Sequence[Candidate]) -> PlanArrays:
        """The arrays of ``candidates``, in their order."""
        rows = np.tile(self._existing, (len(candidates), 1))
        offset = np.tile(self._existing_offset, (len(candidates), 1))
        for b, candidate in enumerate(candidates):
            for s, setting in enumerate(candidate):
                rows[b, self._position[s]] = self._row(s, setting)
                offset[b, self._position[s]] = setting.offset
        if self._table is None:
            self._table = StateTable(self._names, tuple(tuple(states) for states in self._states))
        return PlanArrays(self._table, self._state[rows], self._duration[rows], offset)

    def _row(self, s: int, setting: Setting) -> int:
        key = (setting.order, setting.greens)
        row = self._rows[s].get(key)
        if row is None:
            timing = self.space.signals[s].timing(setting)
            row = self._rows[s][key] = self._add(self._position[s], timing)
        return row

    def _add(self, signal: int, timing: Timing) -> int:
        shown = steps(timing)
        if self._used == len(self._state) or len(shown) > self._state.shape[1]:
            self._grow(len(shown))
        table = self._states[signal]
        for k, (letters, seconds) in enumerate(shown):
            if letters not in table:
                table[letters] = len(table)
                self._table = None
            self._state[self._used, k] = table[letters]
            self._duration[self._used, k] = seconds
        self._used += 1
        return self._used - 1

    def _grow(self, steps_needed: int) -> None:
        rows, wide = self._state.shape
        shape = (2 * rows if self._used == rows else rows, max(wide, steps_needed))
        state, duration = np.zeros(shape, dtype=np.int16), np.zeros(shape, dtype=np.float32)
        state[:rows, :wide], duration[:rows, :wide] = self._state, self._duration
        self._state, self._duration = state, duration
