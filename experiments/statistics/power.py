"""Power analysis: the seeds that show a difference, and the difference that a number of seeds shows."""

from __future__ import annotations

import math
from dataclasses import dataclass

from denxanh.experiments.statistics._checks import Values, finite, fraction, positive
from denxanh.experiments.statistics._scale import scale_points
from denxanh.experiments.statistics.intervals import t_quantile
from denxanh.sim.errors import InputError

PILOT_CONFIDENCE = 0.8  # Browne (1995): an 80 % upper limit of the variance meets the requested power
MOST_SEEDS = 1_000_000


@dataclass(frozen=True, slots=True)
class SeedsNeeded:
    """Seeds for the requested power: ``n`` if the pilot's sd is correct, ``cautious`` if it is an underestimate."""

    n: int
    cautious: int
    sd: float
    sd_cautious: float
    power: float


def paired_power(n: int, difference: float, sd: float, *, alpha: float = 0.05) -> float:
    """Chance that a two-sided paired t test over ``n`` pairs finds a true ``difference``.

    Noncentral t with n − 1 degrees and noncentrality difference·√n / sd (Cohen 1988, Statistical Power
    Analysis, section 2.3.4). ``sd`` is that of the differences.
    """
    from scipy.special import ndtr

    if n < 2:
        raise InputError(f"power needs at least 2 pairs, not {n}")
    shift = abs(difference) * math.sqrt(n) / positive(sd, "sd")
    limit = float(t_quantile(1.0 - fraction(alpha, "alpha"), float(n - 1)))
    # P(|T| > limit) = E[Φ(shift − limit·s) + Φ(−shift − limit·s)]: significant, also with the wrong sign.
    # By quadrature, because scipy.special.nctdtr answers NaN for some large shifts.
    s, probability = scale_points(n - 1)
    return min(1.0, float(probability @ (ndtr(shift - limit * s) + ndtr(-shift - limit * s))))


def seeds_needed(pilot: Values, difference: float, *, power: float = 0.8, alpha: float = 0.05) -> SeedsNeeded:
    """Seeds (pairs) that show a true ``difference`` with ``power``, from the differences of a pilot (n,).

    The sd of a pilot is an estimate: ``cautious`` uses its upper 80 % limit (Browne 1995, Statistics in
    Medicine 14, 1933-1940, doi:10.1002/sim.4780141709). InputError if the pilot has fewer than 2 pairs, NaN,
    or no spread at all, or if the answer exceeds a million.
    """
    from scipy.special import gammaincinv

    sample = finite(pilot, "the pilot's differences", at_least=2)
    positive(abs(difference), "the difference to detect")
    fraction(power, "power")
    sd = float(sample.std(ddof=1))
    if sd == 0.0:
        raise InputError("all pilot differences are the same, so one pair already shows the difference")
    degrees = sample.size - 1
    # (n − 1) s² / σ² is χ²: its lower 20 % point gives σ's upper 80 % limit.
    chi2 = 2.0 * float(gammaincinv(degrees / 2, 1.0 - PILOT_CONFIDENCE))
    cautious = sd * math.sqrt(degrees / chi2)
    return SeedsNeeded(
        n=_smallest(difference, sd, power, alpha),
        cautious=_smallest(difference, cautious, power, alpha),
        sd=sd,
        sd_cautious=cautious,
        power=power,
    )


def detectable_difference(n: int, sd: float, *, power: float = 0.8, alpha: float = 0.05) -> float:
    """The smallest true difference that ``n`` pairs show with ``power``, in the unit of ``sd``."""
    from scipy.optimize import brentq

    fraction(power, "power")
    paired_power(n, 0.0, sd, alpha=alpha)  # checks the arguments
    if power <= alpha:
        raise InputError(f"power {power} does not exceed alpha {alpha}: no difference is needed for it")
    top = 1.0
    while paired_power(n, top, 1.0, alpha=alpha) < power:
        top *= 2.0
    return sd * float(brentq(lambda d: paired_power(n, d, 1.0, alpha=alpha) - power, 0.0, top, xtol=1e-12))


def _smallest(difference: float, sd: float, power: float, alpha: float) -> int:
    """Bisection over n; power grows with n."""
    low, high = 1, 2
    while paired_power(high, difference, sd, alpha=alpha) < power:
        low, high = high, 2 * high
        if high > MOST_SEEDS:
            raise InputError(
                f"a difference of {difference:g} with a standard deviation of {sd:g} needs over a million seeds",
                remedy="ask for a larger difference",
            )
    while high - low > 1:
        middle = (low + high) // 2
        if paired_power(middle, difference, sd, alpha=alpha) < power:
            low = middle
        else:
            high = middle
    return high
