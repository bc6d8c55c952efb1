"""The neighbourhood of a candidate: small changes of offsets, greens, stages and cycle, as in TRANSYT.

Every move of a legal candidate is legal and keeps the common cycle unless it is a move of the cycle. Moves of stages
keep the start time of the longest remaining green, so that coordination survives them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from denxanh.experiments.optimize.problem.space import Candidate, Setting, Signal, Space

T = TypeVar("T")

OFFSET_STEPS = (1, 3, 8)  # s; Robertson (1969) steps by shares of the cycle, large ones escape local optima
GREEN_STEPS = (1, 2, 4)  # s
CYCLE_STEPS = (1, 2, 4, 8)  # s
_MOST_DOUBLED = 6  # stages of a signal whose two cycles may become one: longer orders cost the model time


@dataclass(frozen=True)
class Move:
    """A neighbour with the kind of its move and the indices of the signals that changed."""

    kind: str
    touched: tuple[int, ...]
    candidate: Candidate


class Neighbourhood:
    """Draws random legal moves of a Space; ``kinds`` are the moves that its constraints permit."""

    def __init__(self, space: Space) -> None:
        self.space = space
        fixed = space.constraints
        makers: dict[str, Callable[[Candidate, np.random.Generator], Move | None]] = {}
        several = len(space.signals) > 1
        self._alike = _alike(space)
        if not fixed.offsets:
            makers["offset"] = self._offset
            if several:
                makers["wave"] = self._wave
        if not fixed.greens:
            makers["green"] = self._green
            if not fixed.stages:
                makers |= {"drop": self._drop, "add": self._add, "swap": self._swap, "replace": self._replace}
                makers["twice"] = self._twice
            if self._alike:
                makers["copy"] = self._copy
            if not fixed.cycle:
                makers["cycle"] = self._cycle
                if not fixed.stages:
                    makers["double"] = self._double
                if several:
                    makers["half"] = self._half
                    if space.free_cycles:
                        makers["own cycle"] = self._own_cycle
        self._makers = makers
        self.kinds = tuple(makers)
        self._places = np.array([s.intersection.position for s in space.signals])

    def draw(self, candidate: Candidate, kind: str, rng: np.random.Generator) -> Move | None:
        """One random move of ``kind``; None if this draw gives no legal candidate."""
        return self._makers[kind](candidate, rng)

    def _offset(self, candidate: Candidate, rng: np.random.Generator) -> Move | None:
        s = int(rng.integers(len(candidate)))
        step = _offset_step(self.space.signals[s].cycle(candidate[s]), rng)
        return self._shifted("offset", candidate, (s,), step)

    def _wave(self, candidate: Candidate, rng: np.random.Generator) -> Move | None:
        """Shift the offsets of all signals on one side of a random line through the network."""
        angle = rng.uniform(0, 2 * np.pi)
        along = self._places @ np.array([np.cos(angle), np.sin(angle)])
        count = int(rng.integers(1, len(candidate)))
        side = tuple(sorted(np.argsort(along, kind="stable")[:count].tolist()))
        step = _offset_step(self.space.signals[side[0]].cycle(candidate[side[0]]), rng)
        return self._shifted("wave", candidate, side, step)

    def _shifted(self, kind: str, candidate: Candidate, which: Sequence[int], step: int) -> Move:
        out = list(candidate)
        for s in which:
            cycle = self.space.signals[s].cycle(out[s])
            out[s] = replace(out[s], offset=(out[s].offset + step) % cycle)
        return Move(kind, tuple(which), tuple(out))

    def _green(self, candidate: Candidate, rng: np.random.Generator) -> Move | None:
        """Move green time from one stage to another."""
        s, signal, setting = self._pick(candidate, rng)
        n = len(setting.order)
        giver, taker = _two(n, rng)
        step = _any(GREEN_STEPS, rng)
        greens = list(setting.greens)
        step = min(
            step,
            greens[giver] - signal.min_green[setting.order[giver]],
            signal.max_green[setting.order[taker]] - greens[taker],
        )
        if step <= 0:
            return None
        greens[giver] -= step
        greens[taker] += step
        # neighbouring signals may be coordinated with the start or the end of the green in between
        shift = _any((0, 0, step, -step), rng) if "offset" in self._makers else 0
        offset = (setting.offset + shift) % signal.cycle(setting)
        return _one("green", candidate, s, Setting(setting.order, tuple(greens), offset))

    def _drop(self, candidate: Candidate, rng: np.random.Generator) -> Move | None:
        s, signal, setting = self._pick(candidate, rng)
        if len(setting.order) < 3:
            return None
        k = int(rng.integers(len(setting.order)))
        order = setting.order[:k] + setting.order[k + 1 :]
        weights = setting.greens[:k] + setting.greens[k + 1 :]
        return _rebuilt("drop", candidate, s, signal, order, weights)

    def _add(self, candidate: Candidate, rng: np.random.Generator) -> Move | None:
        s, signal, setting = self._pick(candidate, rng)
        new = self._stage(signal, setting, rng)
        if new is None:
            return None
        k = int(rng.integers(len(setting.order) + 1))
        order = (*setting.order[:k], new, *setting.order[k:])
        share = _any((0.0, 0.5, 1.0), rng) * sum(setting.greens) / len(order)
        weights = (*setting.greens[:k], share, *setting.greens[k:])
        return _rebuilt("add", candidate, s, signal, order, weights)

    def _swap(self, candidate: Candidate, rng: np.random.Generator) -> Move | None:
        s, signal, setting = self._pick(candidate, rng)
        if len(setting.order) < 3:  # two stages have only one cyclic order
            return None
        i, j = _two(len(setting.order), rng)
        order, greens = list(setting.order), list(setting.greens)
        order[i], order[j] = order[j], order[i]
        greens[i], greens[j] = greens[j], greens[i]
        return _rebuilt("swap", candidate, s, signal, tuple(order), greens)

    def _replace(self, candidate: Candidate, rng: np.random.Generator) -> Move | None:
        s, signal, setting = self._pick(candidate, rng)
        new = self._stage(signal, setting, rng)
        k = int(rng.integers(len(setting.order)))
        if new is None:
            return None
        order = (*setting.order[:k], new, *setting.order[k + 1 :])
        return _rebuilt("replace", candidate, s, signal, order, setting.greens)

    def _twice(self, candidate: Candidate, rng: np.random.Generator) -> Move | None:
        """Show a stage a second time in the cycle (A B A C), so that rarely needed stages come every other time."""
        s, signal, setting = self._pick(candidate, rng)
        n = len(setting.order)
        k, at = int(rng.integers(n)), int(rng.integers(n))
        if at in (k, (k + 1) % n):  # next to itself it would only be longer
            return None
        order = (*setting.order[:at], setting.order[k], *setting.order[at:])
        weights: list[float] = list(setting.greens)
        weights[k] /= 2
        return _rebuilt("twice", candidate, s, signal, order, [*weights[:at], weights[k], *weights[at:]])

    def _stage(self, signal: Signal, setting: Setting, rng: np.random.Generator) -> int | None:
        """A stage not in the setting: with equal probability an existing one or a generated one."""
        own = [i for i in dict.fromkeys(signal.stages.own) if i not in setting.order]
        generated = [i for i in range(len(signal.stages.states)) if i not in signal.stages.own]
        generated = [i for i in generated if i not in setting.order]
        pool = own if own and (not generated or rng.random() < 0.5) else generated
        return _any(pool, rng) if pool else None

    def _copy(self, candidate: Candidate, rng: np.random.Generator) -> Move | None:
        """Copy the stages and greens of one signal to another, or to all, of the same layout."""
        group = self._alike[int(rng.integers(len(self._alike)))]
        source = _any(group, rng)
        model = candidate[source]
        targets = [s for s in group if s != source and not _same(candidate[s], model)]
        if not targets:
            return None
        if rng.random() < 0.5:
            targets = [_any(targets, rng)]
        out = list(candidate)
        for s in targets:
            if self.space.signals[s].cycle(out[s]) != self.space.signals[source].cycle(model):
                return None
            out[s] = replace(model, offset=out[s].offset)
        return Move("copy", tuple(targets), tuple(out))

    def _cycle(self, candidate: Candidate, rng: np.random.Generator) -> Move | None:
        old = self.space.common_cycle(candidate)
        step = _any(CYCLE_STEPS, rng) * (1 if rng.random() < 0.5 else -1)
        scaled = self.space.rescaled(candidate, old + step)
        return None if scaled is None else Move("cycle", tuple(range(len(candidate))), scaled)

    def _double(self, candidate: Candidate, rng: np.random.Generator) -> Move | None:
        """Merge two cycles into one, in which one signal shows one of its stages only once (A B C A B)."""
        s, signal, setting = self._pick(candidate, rng)
        n, cycle = len(setting.order), signal.cycle(setting)
        k = int(rng.integers(n))
        order, greens = setting.order * 2, setting.greens * 2
        order, greens = order[:k] + order[k + 1 :], greens[:k] + greens[k + 1 :]
        if n > _MOST_DOUBLED or not _varied(order) or not self._may_double(candidate):
            return None
        # the time of the dropped stage goes to the others, or the cycle is shortened by it
        freed = 2 * cycle - sum(greens) - signal.lost(order)
        target = 2 * self.space.common_cycle(candidate) - (freed if rng.random() < 0.5 else 0)
        fitted = signal.fit(order, greens, 2 * cycle, setting.offset)
        if fitted is None:
            return None
        out = [Setting(x.order * 2, x.greens * 2, x.offset) for x in candidate]
        out[s] = fitted
        scaled = self.space.rescaled(tuple(out), target)
        return None if scaled is None else Move("double", tuple(range(len(out))), scaled)

    def _may_double(self, candidate: Candidate) -> bool:
        """Whether every signal may show its stages twice in a cycle."""
        pairs = zip(self.space.signals, candidate, strict=True)
        return all(signal.stages.complete(setting.order * 2) for signal, setting in pairs)

    def _own_cycle(self, candidate: Candidate, rng: np.random.Generator) -> Move | None:
        """Change the cycle of one signal alone, which is then not coordinated with the others."""
        s, signal, setting = self._pick(candidate, rng)
        step = _any(CYCLE_STEPS, rng) * (1 if rng.random() < 0.5 else -1)
        target = signal.cycle(setting) + step
        if not self.space.cycles[0] <= target <= self.space.cycles[1]:
            return None
        out = signal.fit(setting.order, setting.greens, target, setting.offset)
        return None if out is None else _one("own cycle", candidate, s, out)

    def _half(self, candidate: Candidate, rng: np.random.Generator) -> Move | None:
        """Let a signal run two cycles within the common one, or return to one."""
        common = self.space.common_cycle(candidate)
        s, signal, setting = self._pick(candidate, rng)
        target = common // 2 if signal.cycle(setting) == common else common
        if common % 2 or target < self.space.cycles[0] // 2:
            return None
        out = signal.fit(setting.order, setting.greens, target, setting.offset)
        moved = out and _one("half", candidate, s, out)
        # at least one signal must keep the common cycle
        return moved if moved and self.space.common_cycle(moved.candidate) == common else None

    def _pick(self, candidate: Candidate, rng: np.random.Generator) -> tuple[int, Signal, Setting]:
        s = int(rng.integers(len(candidate)))
        return s, self.space.signals[s], candidate[s]


def _alike(space: Space) -> list[list[int]]:
    """Groups of signals with the same stages, bounds and change times."""
    groups: dict[object, list[int]] = {}
    for s, signal in enumerate(space.signals):
        key = (signal.stages.states, signal.min_green, signal.max_green, signal.change.tobytes())
        groups.setdefault(key, []).append(s)
    return [group for group in groups.values() if len(group) > 1]


def _any(values: Sequence[T], rng: np.random.Generator) -> T:
    """A random element of ``values``; Generator.choice takes ten times as long for a short list."""
    return values[int(rng.integers(len(values)))]


def _two(n: int, rng: np.random.Generator) -> tuple[int, int]:
    """Two different random indices below ``n``."""
    i, j = int(rng.integers(n)), int(rng.integers(n - 1))
    return i, j + (j >= i)


def _offset_step(cycle: int, rng: np.random.Generator) -> int:
    steps = (*OFFSET_STEPS, max(1, cycle // 4), max(1, cycle // 2))
    return _any(steps, rng) * (1 if rng.random() < 0.5 else -1)


def _one(kind: str, candidate: Candidate, s: int, setting: Setting) -> Move:
    return Move(kind, (s,), (*candidate[:s], setting, *candidate[s + 1 :]))


def _same(a: Setting, b: Setting) -> bool:
    return a.order == b.order and a.greens == b.greens


def _varied(order: tuple[int, ...]) -> bool:
    """Whether no stage is followed by itself."""
    return all(a != b for a, b in zip(order, order[1:] + order[:1], strict=True))


def _rebuilt(
    kind: str, candidate: Candidate, s: int, signal: Signal, order: tuple[int, ...], weights: Sequence[float]
) -> Move | None:
    """The move to another stage order in the same cycle; the longest remaining stage keeps its start time."""
    if not signal.stages.complete(order) or not _varied(order):
        return None
    old = candidate[s]
    new = signal.fit(order, weights, signal.cycle(old))
    if new is None:
        return None
    stay = [i for i in old.order if i in order]
    anchor = max(stay, key=lambda i: (old.greens[old.order.index(i)], -i)) if stay else None
    offset = old.offset
    if anchor is not None:
        offset += signal.start(old, anchor) - signal.start(new, anchor)
    return _one(kind, candidate, s, replace(new, offset=offset % signal.cycle(new)))
