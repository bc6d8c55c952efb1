"""The calibration table: what our shipped vehicle types discharge at a stop line, against the targets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from networks import sumo_tools, vehicles
from networks.calibrate import LANE_WIDTH, Interval, Saturation, measure
from networks.vehicles import Fidelity

# Shares by vehicles of the mixed stream in which shares and the equivalent of a car are measured.
MIX = {"motorbike": 0.85, "car": 0.13, "bus": 0.02}


@dataclass(frozen=True, slots=True)
class Row:
    """One stream that was measured."""

    title: str
    fidelity: Fidelity
    mix: Mapping[str, float]
    expected: float  # veh/h per lane, a first guess


ROWS = (
    Row("cars", "sublane", {"car": 1.0}, 1875),
    Row("motorbikes", "sublane", {"motorbike": 1.0}, 1850 * LANE_WIDTH),
    Row("85 % motorbikes, 13 % cars, 2 % buses", "sublane", MIX, 4800),
    Row("cars", "lane", {"car": 1.0}, 1875),
    Row("motorbikes", "lane", {"motorbike": 1.0}, 2200),
    Row("e-bikes", "lane", {"ebike": 1.0}, 2000),
    Row("bicycles", "lane", {"bicycle": 1.0}, 1800),
    Row("buses", "lane", {"bus": 1.0}, 1000),
    Row("85 % motorbikes, 13 % cars, 2 % buses", "lane", MIX, 2100),
)


def saturation(
    seeds: Iterable[int] = range(1, 11), *, jobs: int = 1, tell: Callable[[str], None] = lambda line: None
) -> str:
    """Measure every row with every seed and return the calibration table as Markdown.

    ``tell`` is called with each line as it is known. Means over the seeds with 95 % intervals (Student's t).
    """
    seeds = tuple(seeds)
    types = vehicles.types()
    found: dict[tuple[str, Fidelity], Saturation] = {}
    lines = [
        f"SUMO {sumo_tools.sumo_version()}, {len(seeds)} seeds, mean and 95 % interval.",
        "",
        "| fidelity | stream | veh/h per lane | veh/h per metre | start-up lost time, s | gaps below minGap"
        " | contacts |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in ROWS:
        result = measure(types, row.mix, fidelity=row.fidelity, seeds=seeds, expected=row.expected, jobs=jobs)
        found[row.title, row.fidelity] = result
        lines.append(
            f"| {row.fidelity} | {row.title} | {_whole(result.per_lane)} | {_whole(result.per_metre)} |"
            f" {result.lost_time.mean:.2f} ± {result.lost_time.half:.2f} | {result.collisions} | {result.contacts} |"
        )
        tell(lines[-1])
    cars, bikes = found["cars", "sublane"].per_lane, found["motorbikes", "sublane"].per_lane
    lines += ["", f"One car equals {_ratio(bikes, cars)} motorbikes (`sublane`, pure streams)."]
    inside = equivalent_in_mix(bikes.mean, found[ROWS[2].title, "sublane"], types["bus"].mcu)
    lines.append(
        f"Inside the mixed stream it equals {inside:.2f} where a bus equals {types['bus'].mcu:g} (`sublane`)."
    )
    lane_cars, lane_bikes = found["cars", "lane"].per_lane, found["motorbikes", "lane"].per_lane
    lines.append(
        f"A motorbike in `lane` takes {_ratio(lane_cars, lane_bikes)} of a car's headway (`lane_pcu`)."
    )
    for row in (ROWS[2], ROWS[-1]):
        shares = found[row.title, row.fidelity].shares
        text = ", ".join(f"{t} {100 * s.mean:.1f} ± {100 * s.half:.1f} %" for t, s in shares.items())
        lines.append(f"Realised shares, `{row.fidelity}`: {text}.")
    return "\n".join([*lines, ""])


def equivalent_in_mix(motorbikes: float, mixed: Saturation, bus: float) -> float:
    """Return the motorbikes that a car takes the place of in a stream of motorbikes, cars and buses.

    ``motorbikes`` is the flow of motorbikes alone and ``bus`` the equivalent of a bus; the flow of the mix in
    motorbikes is taken to be the same: q (p_motorbike + e p_car + bus p_bus) = motorbikes, flows in veh/h/lane.
    """
    share = {type_: value.mean for type_, value in mixed.shares.items()}
    all_but_cars = share["motorbike"] + bus * share["bus"]
    return (motorbikes / mixed.per_lane.mean - all_but_cars) / share["car"]


def _whole(value: Interval) -> str:
    return f"{value.mean:.0f} ± {value.half:.0f}"


def _ratio(a: Interval, b: Interval) -> str:
    """Return a quotient with its 95 % interval, the relative errors added in quadrature."""
    ratio = a.mean / b.mean
    half = ratio * ((a.half / a.mean) ** 2 + (b.half / b.mean) ** 2) ** 0.5
    return f"{ratio:.2f} ± {half:.2f}"
