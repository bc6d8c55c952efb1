"""The calibration table: what our shipped vehicle types discharge at a stop line, against the targets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from networks import sumo_tools, vehicles
from networks.calibrate import LANE_WIDTH, Interval, Saturation, measure
from networks.calibrate_fit import SHARES, TARGETS, changed, fit, motorbikes_alone
from networks.equivalents import alone, inside
from networks.vehicles import Fidelity

# Shares by vehicles of the mixed stream in which the realised shares are measured.
MIX = {"motorbike": 0.85, "car": 0.13, "bus": 0.02}


@dataclass(frozen=True, slots=True)
class Row:
    """One stream that was measured."""

    title: str
    fidelity: Fidelity
    mix: Mapping[str, float]
    expected: float  # veh/h per lane, a first guess


BESIDE = {id: {"motorbike": 1 - share, id: share} for id, share in SHARES.items()}

ROWS = (
    Row("cars", "sublane", {"car": 1.0}, 1875),
    Row("motorbikes", "sublane", {"motorbike": 1.0}, 1850 * LANE_WIDTH),
    Row("87 % motorbikes, 13 % cars", "sublane", BESIDE["car"], 5000),
    Row("97 % motorbikes, 3 % buses", "sublane", BESIDE["bus"], 5400),
    Row("85 % motorbikes, 13 % cars, 2 % buses", "sublane", MIX, 4500),
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
    lines: list[str] = []

    def say(*new: str) -> None:
        for line in new:
            lines.append(line)
            tell(line)

    say(
        f"SUMO {sumo_tools.sumo_version()}, {len(seeds)} seeds, mean and 95 % interval.",
        "",
        "| fidelity | stream | veh/h per lane | veh/h per metre | start-up lost time, s | gaps below minGap"
        " | contacts |",
        "|---|---|---|---|---|---|---|",
    )
    for row in ROWS:
        result = measure(types, row.mix, fidelity=row.fidelity, seeds=seeds, expected=row.expected, jobs=jobs)
        found[row.title, row.fidelity] = result
        say(
            f"| {row.fidelity} | {row.title} | {_whole(result.per_lane)} | {_whole(result.per_metre)} |"
            f" {result.lost_time.mean:.2f} ± {result.lost_time.half:.2f} | {result.collisions} | {result.contacts} |"
        )
    bikes = found["motorbikes", "sublane"].per_lane
    say(
        "",
        f"One car equals {_two(alone(bikes, found['cars', 'sublane'].per_lane))} motorbikes"
        " (`sublane`, pure streams).",
    )
    for row in ROWS[2:4]:
        type_ = next(id for id in row.mix if id != "motorbike")
        value = inside(bikes, found[row.title, row.fidelity], type_)
        say(f"One {type_} takes the place of {_two(value)} motorbikes among them (`sublane`, {row.title}).")
    lane = alone(found["cars", "lane"].per_lane, found["motorbikes", "lane"].per_lane)
    say(f"A motorbike in `lane` takes {_two(lane)} of a car's headway (`lane_pcu`).")
    for row in (ROWS[4], ROWS[-1]):
        shares = found[row.title, row.fidelity].shares
        text = ", ".join(f"{t} {100 * s.mean:.1f} ± {100 * s.half:.1f} %" for t, s in shares.items())
        say(f"Realised shares, `{row.fidelity}`: {text}.")
    return "\n".join([*lines, ""])


def fitted(
    seeds: Iterable[int] = range(1, 5), *, jobs: int = 1, tell: Callable[[str], None] = lambda line: None
) -> str:
    """Fit every target with the same seeds, each on top of those before, and return a table beside what is shipped."""
    seeds = tuple(seeds)
    types = dict(vehicles.types())
    motorbikes: Interval | None = None
    lines: list[str] = []

    def say(line: str) -> None:
        lines.append(line)
        tell(line)

    say("| type | fidelity | target | attribute | fitted | shipped |")
    say("|---|---|---|---|---|---|")
    for target in TARGETS:  # the time gaps come first
        if target.attribute == "width" and motorbikes is None:
            motorbikes = motorbikes_alone(types, seeds=seeds, jobs=jobs)
        shipped = types[target.type].attributes(target.fidelity)[target.attribute]
        value = fit(target, types, motorbikes=motorbikes, seeds=seeds, jobs=jobs)
        types[target.type] = changed(types[target.type], target.fidelity, target.attribute, value)
        say(
            f"| {target.type} | {target.fidelity} | {target.source} | {target.attribute}, {target.unit} |"
            f" {value:.2f} | {shipped:.2f} |"
        )
    return "\n".join([*lines, ""])


def _whole(value: Interval) -> str:
    return f"{value.mean:.0f} ± {value.half:.0f}"


def _two(value: Interval) -> str:
    return f"{value.mean:.2f} ± {value.half:.2f}"
