"""Run seeds until the mean is known well enough, and say honestly how well that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from experiments.statistics._checks import Array, Values, finite, fraction, positive
from experiments.statistics.intervals import Interval, t_half_width
from sim.errors import InputError


@dataclass(frozen=True, slots=True)
class StoppingRule:
    """Stop when the interval's half-width is at most ``relative`` of the mean, between two seed counts.

    The rule looks after ``minimum`` seeds and then after each ``every`` more, never between. Few looks, ten
    seeds first: the measured worst coverage (tests/statistics/test_sequential.py) is why; see decision 0201.
    """

    relative: float = 0.05
    minimum: int = 10
    maximum: int = 50
    every: int = 5
    confidence: float = 0.95

    def __post_init__(self) -> None:
        positive(self.relative, "relative half-width")
        fraction(self.confidence, "confidence")
        if not 2 <= self.minimum <= self.maximum:
            raise InputError(
                f"the rule runs from {self.minimum} to {self.maximum} seeds, and needs 2 ≤ minimum ≤ maximum"
            )
        if self.every < 1:
            raise InputError(f"the rule looks every {self.every} seeds, and needs at least 1")

    @property
    def looks(self) -> tuple[int, ...]:
        """The seed counts at which the rule looks; the last is ``maximum``."""
        return (*range(self.minimum, self.maximum, self.every), self.maximum)


@dataclass(frozen=True, slots=True)
class Stopping:
    """What the rule says: ``reason`` "precise", "maximum" (stop, not precise) or "more" (run up to ``n``).

    When it says stop, ``n`` is how many seeds count and ``mean`` and ``interval`` are theirs. ``half_width``
    and ``target`` are those of the last look taken (None before the first), in the unit of the values.
    """

    reason: Literal["precise", "maximum", "more"]
    n: int
    mean: float | None
    interval: Interval | None
    half_width: float | None
    target: float | None

    @property
    def stop(self) -> bool:
        """Whether no further seed is needed."""
        return self.reason != "more"


def judge(values: Values, rule: StoppingRule, *, reference: float | None = None) -> Stopping:
    """Apply ``rule`` to ``values`` (n,), one per seed **in seed order**, all seeds up to n present.

    Seeds beyond the first look that satisfies the rule are ignored, so that the answer is the same with any
    number of workers; giving values in the order of finishing would favour the short, uncongested runs.
    ``reference`` replaces the mean in the target: for paired differences give the baseline's mean, because
    a difference near zero can never be known to a few per cent of itself.

    Stopping when the interval happens to be narrow makes plain t intervals too narrow (Chow & Robbins 1965,
    doi:10.1214/aoms/1177700156; Singham & Schruben 2012, doi:10.1287/ijoc.1110.0471), so the interval of a
    precise stop is mean ± target, as wide as what was asked for and never narrower than the t interval.
    InputError for NaN.
    """
    sample = finite(values, "the values by seed", at_least=0)
    if reference is not None:
        positive(abs(reference), "the reference of the target")
    half = target = None
    for n in rule.looks:
        if n > sample.size:
            break
        look = _look(sample[:n], rule, reference)
        if look.reason == "precise" or n == rule.maximum:
            return look
        half, target = look.half_width, look.target
    return Stopping("more", n, None, None, half, target)


def _look(seen: Array, rule: StoppingRule, reference: float | None) -> Stopping:
    """The answer if these were all the seeds there will be."""
    mean, half = float(seen.mean()), float(t_half_width(seen, rule.confidence))
    target = rule.relative * abs(mean if reference is None else reference)
    if half <= target:
        interval = Interval(mean - target, mean + target, rule.confidence, "sequential, mean ± target")
        return Stopping("precise", seen.size, mean, interval, half, target)
    interval = Interval(mean - half, mean + half, rule.confidence, "t")
    return Stopping("maximum", seen.size, mean, interval, half, target)
