"""Fitting the drivers' time gap (tau) so that a stop line discharges what was observed in Vietnam."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from networks import vehicles
from networks.calibrate import LANE_WIDTH, measure
from networks.vehicles import Fidelity, VehicleType
from sim.errors import InputError


@dataclass(frozen=True, slots=True)
class Target:
    """A saturation flow to be reached by one type alone, in veh/h per lane of ``LANE_WIDTH``."""

    type: str
    fidelity: Fidelity
    per_lane: float
    low: float  # of the accepted range
    high: float
    tau: tuple[float, float]  # s, the range searched; never below the step length
    source: str


# Middle of 1 800–1 950 /h/lane: a lane's 1 800–1 900 pcu/h in Vietnamese practice, base headway 1.8–1.9 s. In
# motorcycles 1 800–2 000 /h per metre of approach: mid-block 13 358 MC/h on two lanes (ASCE J. Transp. Eng. 138(6)
# 2012) and Webster's 525 pcu/h/m times 3.4. The first is fitted so that the ratio to the car's is near 3.4.
TARGETS = (
    Target("car", "sublane", 1875, 1800, 1950, (0.7, 1.8), "1 800–1 950 /h/lane"),
    Target(
        "motorbike", "sublane", 1850 * LANE_WIDTH, 1800 * LANE_WIDTH, 2000 * LANE_WIDTH, (0.7, 1.8),
        "1 800–2 000 /h per metre",
    ),
    Target("car", "lane", 1875, 1800, 1950, (1.0, 1.8), "1 800–1 950 /h/lane"),
)  # fmt: skip


def with_tau(vehicle_type: VehicleType, fidelity: Fidelity, tau: float) -> VehicleType:
    """Return the type with another time gap in one fidelity."""
    changed = {**(vehicle_type.lane if fidelity == "lane" else vehicle_type.sublane), "tau": tau}
    return (
        replace(vehicle_type, lane=changed) if fidelity == "lane" else replace(vehicle_type, sublane=changed)
    )


def fit_tau(
    target: Target,
    types: Mapping[str, VehicleType] | None = None,
    *,
    seeds: Iterable[int] = range(1, 5),
    jobs: int = 1,
    rounds: int = 6,
) -> float:
    """Return the tau in s, rounded to 0.01, with which one type alone discharges the target's flow.

    A longer gap discharges less, so the root is bracketed; the same seeds in every round keep the noise
    out of the comparison. Raises InputError when the range of tau does not hold the target.
    """
    types = vehicles.types() if types is None else types
    seeds = tuple(seeds)

    def excess(tau: float) -> float:
        changed = {**types, target.type: with_tau(types[target.type], target.fidelity, tau)}
        found = measure(
            changed,
            {target.type: 1.0},
            fidelity=target.fidelity,
            seeds=seeds,
            expected=target.per_lane,
            jobs=jobs,
        )
        return found.per_lane.mean - target.per_lane

    (low, high), above, below = target.tau, excess(target.tau[0]), excess(target.tau[1])
    if above < 0 or below > 0:
        nearest = low if above < 0 else high
        raise InputError(
            f"no tau in {target.tau} s lets '{target.type}' discharge {target.per_lane:g} veh/h/lane",
            where=f"fidelity {target.fidelity}",
            remedy=f"at {nearest:g} s it is {target.per_lane + (above if above < 0 else below):.0f}",
        )
    for _ in range(rounds):
        # Regula falsi, kept away from the ends so that noise cannot stall it.
        share = min(max(above / (above - below), 0.1), 0.9)
        middle = low + (high - low) * share
        value = excess(middle)
        if abs(value) < 0.005 * target.per_lane:
            return round(middle, 2)
        if value > 0:
            low, above = middle, value
        else:
            high, below = middle, value
    return round(low + (high - low) * above / (above - below), 2)
