"""The calibration tables: saturation flows of the built-in vehicle types, and the types fitted to the targets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from denxanh.networks.calibration.equivalents import equivalent_in_mixture, equivalent_in_pure_streams
from denxanh.networks.calibration.saturation_flow import LANE_WIDTH, Interval, Saturation, measure
from denxanh.networks.calibration.type_fitting import SHARES, TARGETS, changed, fit, motorbikes_alone
from denxanh.networks.place import vehicles
from denxanh.networks.place.vehicles import Fidelity
from denxanh.sim.sumo import wheel

# Shares of the mixed stream in which the realised shares are measured.
MIX = {"motorbike": 0.85, "car": 0.13, "bus": 0.02}


@dataclass(frozen=True, slots=True)
class Row:
    """One stream to measure."""

    title: str
    fidelity: Fidelity
    mix: Mapping[str, float]
    expected: float  # veh/h per lane, an initial estimate


WITH_MOTORBIKES = {id: {"motorbike": 1 - share, id: share} for id, share in SHARES.items()}

ROWS = (
    Row("cars", "sublane", {"car": 1.0}, 1875),
    Row("motorbikes", "sublane", {"motorbike": 1.0}, 1850 * LANE_WIDTH),
    Row("87 % motorbikes, 13 % cars", "sublane", WITH_MOTORBIKES["car"], 5000),
    Row("97 % motorbikes, 3 % buses", "sublane", WITH_MOTORBIKES["bus"], 5400),
    Row("85 % motorbikes, 13 % cars, 2 % buses", "sublane", MIX, 4500),
    Row("cars", "lane", {"car": 1.0}, 1875),
    Row("motorbikes", "lane", {"motorbike": 1.0}, 2200),
    Row("e-bikes", "lane", {"ebike": 1.0}, 2000),
    Row("bicycles", "lane", {"bicycle": 1.0}, 1800),
    Row("buses", "lane", {"bus": 1.0}, 1000),
    Row("85 % motorbikes, 13 % cars, 2 % buses", "lane", MIX, 2100),
)


def saturation(
    seeds: Iterable[int] = range(1, 11),
    *,
    jobs: int = 1,
    on_progress: Callable[[str], None] = lambda line: None,
) -> str:
    """Measure every stream with every seed and return the calibration table as Markdown.

    ``on_progress`` is called with each line when it is complete. Means over the seeds with 95 % intervals
    (Student's t).
    """
    seeds = tuple(seeds)
    types = vehicles.types()
    found: dict[tuple[str, Fidelity], Saturation] = {}
    lines: list[str] = []

    def add(*new: str) -> None:
        for line in new:
            lines.append(line)
            on_progress(line)

    add(
        f"SUMO {wheel.sumo_version()}, {len(seeds)} seeds, mean and 95 % interval.",
        "",
        "| fidelity | stream | veh/h per lane | veh/h per metre | start-up lost time, s | gaps below minGap"
        " | contacts |",
        "|---|---|---|---|---|---|---|",
    )
    for row in ROWS:
        result = measure(types, row.mix, fidelity=row.fidelity, seeds=seeds, expected=row.expected, jobs=jobs)
        found[row.title, row.fidelity] = result
        add(
            f"| {row.fidelity} | {row.title} | {_whole(result.per_lane)} | {_whole(result.per_metre)} |"
            f" {result.lost_time.mean:.2f} ± {result.lost_time.half:.2f} | {result.collisions} | {result.contacts} |"
        )
    bikes = found["motorbikes", "sublane"].per_lane
    add(
        "",
        f"One car equals {_two(equivalent_in_pure_streams(bikes, found['cars', 'sublane'].per_lane))} motorbikes"
        " (`sublane`, pure streams).",
    )
    for row in ROWS[2:4]:
        type_ = next(id for id in row.mix if id != "motorbike")
        value = equivalent_in_mixture(bikes, found[row.title, row.fidelity], type_)
        add(f"One {type_} equals {_two(value)} motorbikes in a mixed stream (`sublane`, {row.title}).")
    lane = equivalent_in_pure_streams(found["cars", "lane"].per_lane, found["motorbikes", "lane"].per_lane)
    add(f"A motorbike in `lane` takes {_two(lane)} of a car's headway (`lane_pcu`).")
    for row in (ROWS[4], ROWS[-1]):
        shares = found[row.title, row.fidelity].shares
        text = ", ".join(f"{t} {100 * s.mean:.1f} ± {100 * s.half:.1f} %" for t, s in shares.items())
        add(f"Realised shares, `{row.fidelity}`: {text}.")
    return "\n".join([*lines, ""])


def fitted(
    seeds: Iterable[int] = range(1, 5),
    *,
    jobs: int = 1,
    on_progress: Callable[[str], None] = lambda line: None,
) -> str:
    """Fit every target with the same seeds and return a table of the fitted and the built-in values.

    Each fit uses the fitted values of the targets before.
    """
    seeds = tuple(seeds)
    types = dict(vehicles.types())
    motorbikes: Interval | None = None
    lines: list[str] = []

    def add(line: str) -> None:
        lines.append(line)
        on_progress(line)

    add("| type | fidelity | target | attribute | fitted | built-in |")
    add("|---|---|---|---|---|---|")
    for target in TARGETS:  # the time gaps come first
        if target.attribute == "width" and motorbikes is None:
            motorbikes = motorbikes_alone(types, seeds=seeds, jobs=jobs)
        built_in = types[target.type].attributes(target.fidelity)[target.attribute]
        value = fit(target, types, motorbikes=motorbikes, seeds=seeds, jobs=jobs)
        types[target.type] = changed(types[target.type], target.fidelity, target.attribute, value)
        add(
            f"| {target.type} | {target.fidelity} | {target.source} | {target.attribute}, {target.unit} |"
            f" {value:.2f} | {built_in:.2f} |"
        )
    return "\n".join([*lines, ""])


def _whole(value: Interval) -> str:
    return f"{value.mean:.0f} ± {value.half:.0f}"


def _two(value: Interval) -> str:
    return f"{value.mean:.2f} ± {value.half:.2f}"
