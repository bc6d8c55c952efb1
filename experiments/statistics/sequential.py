"""Sequential stopping: run seeds until the interval of the mean is narrow enough, with valid coverage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from denxanh.experiments.statistics._checks import Array, Values, finite, fraction, positive
from denxanh.experiments.statistics.intervals import Interval, t_half_width
from denxanh.sim.errors import InputError


@dataclass(frozen=True, slots=True)
class StoppingRule:
    """Stop when the interval's half-width is at most ``relative`` of the mean, between two seed counts.

    The rule is checked after ``minimum`` seeds and then after each ``every`` more, never between. Ten seeds first and
    few checks keep the coverage (test_sequential.py, decision 0201).
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
                f"invalid seeds of the rule: minimum {self.minimum}, maximum {self.maximum}; "
                "required: 2 ≤ minimum ≤ maximum"
            )
        if self.every < 1:
            raise InputError(f"the rule is checked every {self.every} seeds; required: at least 1")

    @property
    def checks(self) -> tuple[int, ...]:
        """The numbers of seeds at which the rule is checked; the last is ``maximum``."""
        return (*range(self.minimum, self.maximum, self.every), self.maximum)


@dataclass(frozen=True, slots=True)
class Stopping:
    """The decision of a rule: ``reason`` is "precise", "maximum" (stop, not precise) or "more" (run up to ``n``).

    At a stop ``n`` is the number of seeds used, and ``mean`` and ``interval`` are theirs. ``half_width``
    and ``target`` are those of the last check (None before the first), in the unit of the values.
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


def apply_stopping_rule(values: Values, rule: StoppingRule, *, reference: float | None = None) -> Stopping:
    """Apply ``rule`` to ``values`` (n,), one per seed **in seed order**, all seeds up to n present.

    Seeds beyond the first check that satisfies the rule are ignored, so that the decision is the same with any
    number of workers; values in the order of completion would favour the short, uncongested runs.
    ``reference`` replaces the mean in the target: for paired differences give the baseline's mean, because
    a difference near zero can never be known to a few per cent of itself.

    Stopping when the interval happens to be narrow makes plain t intervals too narrow (Chow & Robbins 1965,
    doi:10.1214/aoms/1177700156; Singham & Schruben 2012, doi:10.1287/ijoc.1110.0471), so the interval of a
    precise stop is mean ± target, as wide as the target and never narrower than the t interval.
    InputError for NaN.
    """
    sample = finite(values, "the values by seed", at_least=0)
    if reference is not None:
        positive(abs(reference), "the reference of the target")
    half = target = None
    for n in rule.checks:
        if n > sample.size:
            break
        found = _check(sample[:n], rule, reference)
        if found.reason == "precise" or n == rule.maximum:
            return found
        half, target = found.half_width, found.target
    return Stopping("more", n, None, None, half, target)


def _check(seen: Array, rule: StoppingRule, reference: float | None) -> Stopping:
    """The decision if no further seed is run."""
    mean, half = float(seen.mean()), float(t_half_width(seen, rule.confidence))
    target = rule.relative * abs(mean if reference is None else reference)
    if half <= target:
        interval = Interval(mean - target, mean + target, rule.confidence, "sequential, mean ± target")
        return Stopping("precise", seen.size, mean, interval, half, target)
    interval = Interval(mean - half, mean + half, rule.confidence, "t")
    return Stopping("maximum", seen.size, mean, interval, half, target)
