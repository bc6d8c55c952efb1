"""Number formats of sentences: significant digits only, and no rounding across a decision."""

from __future__ import annotations

import math

from denxanh.experiments.statistics.intervals import Interval

MOST_DECIMALS = 12


def decimals_for(interval: Interval) -> int:
    """Decimals that show two digits of the half-width and never round an end onto, or across, zero."""
    decimals = 1
    if interval.half_width > 0:
        decimals = min(MOST_DECIMALS, max(0, 1 - math.floor(math.log10(interval.half_width))))
    ends = [end for end in (interval.low, interval.high) if end]
    while decimals < MOST_DECIMALS and any(round(end, decimals) == 0 for end in ends):
        decimals += 1
    return decimals


def three_digits(value: float) -> str:
    """``value`` with three significant digits, for numbers without an interval."""
    if value == 0:
        return "0"
    return number(value, min(MOST_DECIMALS, max(0, 2 - math.floor(math.log10(abs(value))))))


def number(value: float, decimals: int, *, signed: bool = False) -> str:
    """``value`` with a true minus sign, and no sign at zero; "+" only if asked."""
    text = f"{abs(value):.{decimals}f}"
    if float(text) == 0:
        return text
    return ("−" if value < 0 else "+" if signed else "") + text


def p_text(p: float, alpha: float) -> str:
    """The p value, as in "p = 0.032" or "p < 0.001"; more digits where rounding would cross ``alpha``."""
    if p < 0.001 <= alpha:
        return "p < 0.001"
    decimals = 2 if p >= 0.1 else 3
    while decimals < MOST_DECIMALS and (round(p, decimals) <= alpha) != (p <= alpha):
        decimals += 1
    return f"p = {p:.{decimals}f}"


def plural(n: int, noun: str) -> str:
    """A count and its noun: "1 pair", "2 pairs"."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def comma(text: str) -> str:
    """Decimal commas, as Vietnamese writes them; only between two digits."""
    return "".join(
        "," if c == "." and text[:i][-1:].isdigit() and text[i + 1 : i + 2].isdigit() else c
        for i, c in enumerate(text)
    )
