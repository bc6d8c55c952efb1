"""Checks of the arguments of the statistics functions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from denxanh.sim.errors import InputError

Array = npt.NDArray[np.float64]
Values = Sequence[float] | Array


def finite(values: Values, name: str, *, at_least: int = 1) -> Array:
    """``values`` as a float array (n,), or InputError if too few, not one-dimensional, or NaN or infinite.

    A run without a value must be reported by the caller: dropping it silently would bias the mean.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise InputError(f"{name} must be one list of numbers, not an array of shape {array.shape}")
    bad = np.flatnonzero(~np.isfinite(array))
    if bad.size:
        raise InputError(
            f"{name} holds {array[bad[0]]} at position {bad[0]} ({bad.size} of {array.size} are not numbers)",
            remedy="exclude the run explicitly, and report that it has no result",
        )
    if array.size < at_least:
        raise InputError(
            f"{name} holds {array.size} value{'' if array.size == 1 else 's'}, needed: at least {at_least}"
        )
    return array


def fraction(value: float, name: str) -> float:
    """``value`` if it lies strictly between 0 and 1, else InputError."""
    if not 0.0 < value < 1.0:
        raise InputError(
            f"{name} is {value}, and must lie between 0 and 1", remedy="write 95 % as 0.95, 5 % as 0.05"
        )
    return float(value)


def positive(value: float, name: str) -> float:
    """``value`` if it is finite and above zero, else InputError."""
    if not 0.0 < value < float("inf"):
        raise InputError(f"{name} is {value}, and must be a number above 0")
    return float(value)
