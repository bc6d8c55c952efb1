"""Fit vehicle types to observations in Vietnam: one SUMO attribute to one measured value at the stop line.

The drivers' time gap `tau` determines the saturation flow of a stream. The width of a car (`sublane`) does not
change the flow of cars alone, as they queue one behind another, but it determines how many motorbikes ride beside
them, and so the equivalent of a car in motorbikes in a mixed stream.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from denxanh.networks.calibration.equivalents import equivalent_in_mixture
from denxanh.networks.calibration.saturation_flow import LANE_WIDTH, Interval, Saturation, measure
from denxanh.networks.place.vehicles import Fidelity, VehicleType
from denxanh.sim.errors import InputError

SHARES = {"car": 0.13, "bus": 0.03}  # by vehicles, among motorbikes, in the streams of two types


@dataclass(frozen=True, slots=True)
class Target:
    """A measured value to be reached, and the attribute that is fitted to reach it.

    For `tau` the value is the flow of the stream in veh/h per lane of ``LANE_WIDTH``; for `width` the
    equivalent of the type in motorbikes, in a mixed stream.
    """

    type: str
    fidelity: Fidelity
    attribute: Literal["tau", "width"]
    value: float
    low: float  # of the accepted range
    high: float
    bounds: tuple[float, float]  # s or m, the range of the search; tau never below the step length
    source: str
    stream: Mapping[str, float] | None = None  # shares of the stream for `tau`; the type alone where None

    @property
    def unit(self) -> str:
        """The unit of the attribute."""
        return "s" if self.attribute == "tau" else "m"

    @property
    def mix(self) -> dict[str, float]:
        """The shares of the stream in which the value is measured."""
        if self.attribute == "tau":
            return dict(self.stream or {self.type: 1.0})
        return {"motorbike": 1 - SHARES[self.type], self.type: SHARES[self.type]}


# Middle of 1 800–1 950 /h/lane: a lane's 1 800–1 900 pcu/h in Vietnamese practice, base headway 1.8–1.9 s. In
# motorcycles 1 800–2 000 /h per metre of approach: mid-block 13 358 MC/h on two lanes (ASCE J. Transp. Eng. 138(6)
# 2012) and Webster's 525 pcu/h/m times 3.4; a car equals 3.4 ± 0.3 of them (same paper). In sublane the time gap of
# motorbikes goes by the flow of their mix with cars that follows from both, not by that of motorbikes alone: at the
# places they ride among cars, and the equivalent cannot be fitted by the width of the car (decision 0890).
WITH_CARS = {"motorbike": 1 - SHARES["car"], "car": SHARES["car"]}


def _mixed(motorbikes: float, equivalent: float) -> float:
    """Flow of the mix in veh/h per lane from that of motorbikes alone (/h per metre) and a car's equivalent."""
    return motorbikes * LANE_WIDTH / (WITH_CARS["motorbike"] + WITH_CARS["car"] * equivalent)


TARGETS = (
    Target("car", "sublane", "tau", 1875, 1800, 1950, (0.7, 1.8), "1 800–1 950 /h/lane"),
    Target(
        "motorbike", "sublane", "tau", _mixed(1850, 3.4), _mixed(1800, 3.7), _mixed(2000, 3.1), (0.7, 2.6),
        "1 800–2 000 /h per metre, a car 3.4", WITH_CARS,
    ),
    Target("car", "lane", "tau", 1875, 1800, 1950, (1.0, 1.8), "1 800–1 950 /h/lane"),
)  # fmt: skip


def changed(vehicle_type: VehicleType, fidelity: Fidelity, attribute: str, value: float) -> VehicleType:
    """Return the vehicle type with another value of a SUMO attribute in one fidelity."""
    if fidelity == "lane":
        return replace(vehicle_type, lane={**vehicle_type.lane, attribute: value})
    return replace(vehicle_type, sublane={**vehicle_type.sublane, attribute: value})


def measured_value(
    target: Target,
    types: Mapping[str, VehicleType],
    *,
    motorbikes: Interval | None,
    seeds: Iterable[int],
    jobs: int = 1,
) -> Interval:
    """Return the measured value of a target; ``motorbikes`` is the flow of `motorbikes_alone`, needed for a mix."""
    if target.attribute == "tau":
        return _stream(target, types, target.value, seeds, jobs).per_lane
    if motorbikes is None:
        raise ValueError("an equivalent needs the flow of motorbikes alone")
    return equivalent_in_mixture(
        motorbikes, _stream(target, types, 0.8 * motorbikes.mean, seeds, jobs), target.type
    )


def motorbikes_alone(types: Mapping[str, VehicleType], *, seeds: Iterable[int], jobs: int = 1) -> Interval:
    """Return the flow of motorbikes alone in `sublane`, veh/h per lane: the reference of equivalents."""
    found = measure(types, {"motorbike": 1.0}, seeds=seeds, expected=1850 * LANE_WIDTH, jobs=jobs)
    return found.per_lane


def _stream(
    target: Target, types: Mapping[str, VehicleType], expected: float, seeds: Iterable[int], jobs: int
) -> Saturation:
    return measure(types, target.mix, fidelity=target.fidelity, seeds=seeds, expected=expected, jobs=jobs)


def fit(
    target: Target,
    types: Mapping[str, VehicleType],
    *,
    motorbikes: Interval | None = None,
    seeds: Iterable[int] = range(1, 5),
    jobs: int = 1,
    rounds: int = 6,
) -> float:
    """Return the value of the target's attribute, rounded to 0.01, at which the measured value is reached.

    The root is bracketed by the bounds; the same seeds in every round exclude random differences from the comparison.

    Raises:
        InputError: the target is not reached within the bounds.
    """
    seeds = tuple(seeds)

    def excess(value: float) -> float:
        moved = changed(types[target.type], target.fidelity, target.attribute, value)
        found = measured_value(
            target, {**types, target.type: moved}, motorbikes=motorbikes, seeds=seeds, jobs=jobs
        )
        return found.mean - target.value

    low, high = target.bounds
    at_low, at_high = excess(low), excess(high)
    if at_low * at_high > 0:
        value, off = min((low, at_low), (high, at_high), key=lambda end: abs(end[1]))
        raise InputError(
            f"no {target.attribute} in {target.bounds} {target.unit} brings '{target.type}' to"
            f" {target.value:g}",
            location=f"fidelity {target.fidelity}",
            remedy=f"at {value:g} {target.unit} it is {target.value + off:.4g}",
        )
    for _ in range(rounds):
        # Regula falsi, bounded away from the ends so that it cannot stall on noise.
        share = min(max(at_low / (at_low - at_high), 0.1), 0.9)
        middle = low + (high - low) * share
        off = excess(middle)
        if abs(off) < 0.005 * target.value:
            return round(middle, 2)
        if off * at_low > 0:
            low, at_low = middle, off
        else:
            high, at_high = middle, off
    return round(low + (high - low) * at_low / (at_low - at_high), 2)
