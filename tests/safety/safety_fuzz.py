"""Answers that no controller should give, drawn from a generator; and policies that give them."""

import time
from fractions import Fraction

import numpy as np

from denxanh.sim.controller import Green
from denxanh.sim.errors import ControlError, WorldError


class LyingGreen(Green):
    """Another phase each time it is looked at."""

    reads = 0

    @property
    def phase(self):
        LyingGreen.reads += 1
        return LyingGreen.reads % 2

    @phase.setter
    def phase(self, value):
        pass


class LyingInt(int):
    """A number that is everything to everyone."""

    def __index__(self):
        return 10**6

    def __int__(self):
        return 10**6

    def __eq__(self, other):
        return True

    def __lt__(self, other):
        return True

    __le__ = __gt__ = __ge__ = __lt__
    __hash__ = int.__hash__


class LyingFloat(float):
    def __float__(self):
        return float("nan")

    def __abs__(self):
        return 1.0

    def __lt__(self, other):
        return True

    __le__ = __gt__ = __ge__ = __lt__


class NoWords:
    def __repr__(self):
        raise RuntimeError("no words")

    __str__ = __format__ = __repr__


class NoGreen(Green):
    def __getattribute__(self, name):
        raise OSError(f"no {name}")


class Escape(BaseException):
    """Not an Exception: it passes by ``except Exception``."""


ERRORS = (
    ValueError("đèn đỏ \ud800"),
    KeyError("J1"),
    ControlError("an error of ours"),
    WorldError("SUMO did not stop"),
    SystemExit(0),
    Escape(),
    GeneratorExit(),
    StopIteration(),
    MemoryError(),
    RecursionError(),
    UnicodeDecodeError("utf-8", b"\xff", 0, 1, "no"),
    ZeroDivisionError(),
    np.linalg.LinAlgError("singular"),
)

PHASES = (
    None, -1, -(2**70), 2**70, 99, 0.0, 1.5, float("nan"), float("inf"), "0", "NS", "đỏ", b"0", True, False,
    np.int64(-1), np.int8(127), np.uint64(2**64 - 1), np.float64(1.0), np.array(0), np.array([0, 1]), [0], (0,),
    {}, 1j, Fraction(1, 2), object(), NoWords(), LyingInt(7), LyingInt(1), slice(0), int, lambda: 0, "\ud800",
)  # fmt: skip
SECONDS = (
    None, -1, -5.0, 0, 0.0, -0.0, 1e-7, 1e-12, 0.5, 1.25, float("nan"), float("inf"), -float("inf"), 1e6, 1e300,
    10**400, "5", "năm", b"5", True, np.float64("nan"), np.float32("inf"), np.int64(-(2**63)), np.array(5.0), [5],
    {}, 1j, Fraction(5), object(), NoWords(), LyingFloat(3.0), LyingInt(-3), np.timedelta64(5, "s"),
)  # fmt: skip
WHOLE = (
    None, 0, 1, -1, 3.5, "G", "Grr", "\ud800", b"rG", (0, 5.0), [0, 5.0], {"phase": 0, "seconds": 5}, object(),
    Green, NoWords(), NoGreen(0, 5.0), LyingGreen(0, 5.0), np.nan, np.array([0, 5]), NotImplemented, ..., {},
)  # fmt: skip
KINDS = ("whole", "phase", "seconds", "raise", "early", "both")


def nonsense(rng, seen):
    """One answer; raises in every sixth case. All are illegal but a few, which are rare luck."""
    kind = KINDS[int(rng.integers(len(KINDS)))]
    if kind == "raise":
        raise ERRORS[int(rng.integers(len(ERRORS)))]
    if kind == "whole":
        return WHOLE[int(rng.integers(len(WHOLE)))]
    phase = PHASES[int(rng.integers(len(PHASES)))]
    seconds = SECONDS[int(rng.integers(len(SECONDS)))]
    if kind == "phase":
        return Green(phase, 5.0)
    if kind == "seconds":
        return Green(seen.phase, seconds)
    if kind == "early":  # a legal phase, but perhaps before the minimum green
        return Green(int(rng.integers(len(seen.intersection.phases))), float(rng.integers(1, 4)) * seen.step)
    return Green(phase, seconds)


def fuzzing(rng, legal=0.5, sleep=0.0):
    """A policy that mostly behaves, then gives nonsense, or sleeps for ``sleep`` s in one case of fifty."""

    def policy(seen):
        if rng.random() >= legal:
            if sleep and rng.random() < 0.02:
                time.sleep(sleep)
            return nonsense(rng, seen)
        if seen.minimum_left > 0:
            return Green(seen.phase, seen.minimum_left)
        return Green(int(rng.integers(len(seen.intersection.phases))), float(rng.integers(1, 15)) * seen.step)

    return policy
