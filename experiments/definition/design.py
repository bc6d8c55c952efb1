"""Designs of experiments: which parameter values to try, by grid, Latin hypercube or Sobol points."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np

from denxanh.experiments.statistics._checks import Array
from denxanh.sim.errors import InputError

Value = int | float | str | bool
Point = dict[str, Value]


@dataclass(frozen=True, slots=True)
class FloatRange:
    """Real numbers from ``low`` to ``high``, evenly spread, or evenly in the logarithm."""

    low: float
    high: float
    log: bool = False

    def __post_init__(self) -> None:
        _check_range(self.low, self.high, self.log)

    def at(self, unit: float) -> float:
        """The value at ``unit`` in [0, 1] of the range."""
        if self.log:
            value = math.exp(math.log(self.low) + unit * (math.log(self.high) - math.log(self.low)))
        else:
            value = self.low + unit * (self.high - self.low)
        return min(max(value, self.low), self.high)  # rounding must not leave the range by one ulp

    def levels(self, count: int | None) -> tuple[float, ...]:
        """``count`` values with both ends (the geometric or arithmetic middle for one)."""
        if count is None or count < 1:
            raise InputError("a range of real numbers needs a number of levels of 1 or more for a grid")
        return (self.at(0.5),) if count == 1 else tuple(self.at(i / (count - 1)) for i in range(count))


@dataclass(frozen=True, slots=True)
class IntRange:
    """Whole numbers from ``low`` to ``high``, both included; evenly, or evenly in the logarithm."""

    low: int
    high: int
    log: bool = False

    def __post_init__(self) -> None:
        _check_range(self.low, self.high, self.log)
        if self.low != int(self.low) or self.high != int(self.high):
            raise InputError(
                f"the range {self.low}…{self.high} of whole numbers has an end that is not whole"
            )

    def at(self, unit: float) -> int:
        """The value at ``unit`` in [0, 1): each number owns an equal share of the unit interval."""
        if self.log:
            value = math.floor(self.low * math.exp(unit * math.log((self.high + 1) / self.low)))
        else:
            value = math.floor(self.low + unit * (self.high + 1 - self.low))
        return min(max(value, self.low), self.high)

    def levels(self, count: int | None) -> tuple[int, ...]:
        """All numbers, or ``count`` of them as evenly as rounding allows (fewer if they coincide)."""
        size = self.high - self.low + 1
        if count is None or (count >= size and not self.log):
            return tuple(range(self.low, self.high + 1))
        exact = FloatRange(float(self.low), float(self.high), self.log).levels(count)
        return tuple(dict.fromkeys(math.floor(value + 0.5) for value in exact))


@dataclass(frozen=True, slots=True)
class Choice:
    """One of ``options``, each as likely."""

    options: tuple[Value, ...]

    def __post_init__(self) -> None:
        if not self.options:
            raise InputError("a choice needs at least one option")

    def at(self, unit: float) -> Value:
        """The option that owns ``unit`` in [0, 1)."""
        return self.options[min(int(unit * len(self.options)), len(self.options) - 1)]

    def levels(self, count: int | None) -> tuple[Value, ...]:
        """All options; how many levels the ranges get does not concern a choice."""
        return self.options


Parameter = FloatRange | IntRange | Choice


def grid(parameters: Mapping[str, Parameter], levels: int | None = None) -> tuple[Point, ...]:
    """Every combination, the last parameter changing fastest; ``levels`` for each range."""
    _check_parameters(parameters)
    columns = [parameter.levels(levels) for parameter in parameters.values()]
    return tuple(dict(zip(parameters, values, strict=True)) for values in product(*columns))


def latin_hypercube(parameters: Mapping[str, Parameter], n: int, *, seed: int) -> tuple[Point, ...]:
    """``n`` points, one in each n-th of every range (McKay, Beckman & Conover 1979, doi:10.2307/1268522).

    Same seed, same points. Whole numbers and choices with fewer than ``n`` values repeat evenly.
    """

    def units(dimensions: int) -> Array:
        from scipy.stats import qmc

        return np.asarray(qmc.LatinHypercube(dimensions, rng=np.random.default_rng(seed)).random(n))

    return _points(parameters, n, units)


def sobol(parameters: Mapping[str, Parameter], n: int, *, seed: int) -> tuple[Point, ...]:
    """``n`` scrambled Sobol points, a power of two, else the sequence loses its balance.

    Owen (1998, doi:10.1006/jcom.1998.0487) for the scrambling, Owen (2020, arXiv:2008.08051) for the power
    of two and for keeping the first point. A design for 2n points with the same seed begins with these n.
    """
    if n >= 1 and n & (n - 1):
        below = 1 << (n.bit_length() - 1)
        raise InputError(
            f"a Sobol design of {n} points is unbalanced", remedy=f"take {below} or {2 * below} points"
        )

    def units(dimensions: int) -> Array:
        from scipy.stats import qmc

        points = qmc.Sobol(dimensions, rng=np.random.default_rng(seed))
        return np.asarray(points.random_base2(n.bit_length() - 1))

    return _points(parameters, n, units)


def _points(parameters: Mapping[str, Parameter], n: int, units: Callable[[int], Array]) -> tuple[Point, ...]:
    _check_parameters(parameters)
    if n < 1:
        raise InputError(f"a design of {n} points is empty", remedy="ask for 1 point or more")
    ranges = tuple(parameters.values())
    return tuple(
        dict(zip(parameters, (p.at(float(u)) for p, u in zip(ranges, row, strict=True)), strict=True))
        for row in units(len(ranges))
    )


def _check_parameters(parameters: Mapping[str, Parameter]) -> None:
    if not parameters:
        raise InputError("a design needs at least one parameter")


def _check_range(low: float, high: float, log: bool) -> None:
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise InputError(
            f"the range {low}…{high} is empty or not finite",
            remedy="give low < high, or a choice of one",
        )
    if log and low <= 0:
        raise InputError(f"the range {low}…{high} cannot be logarithmic", remedy="begin above 0")
