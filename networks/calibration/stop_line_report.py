"""The table of the stop line: what two-wheelers do there, beside values observed in streets."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from denxanh.networks.build import building
from denxanh.networks.calibration.saturation_flow import GREEN, LANE_WIDTH, LANES, Interval
from denxanh.networks.calibration.stop_line import (
    FRONT,
    ROOM,
    SLICE,
    STRIPS,
    Observation,
    lost_time_slope,
    observe,
)
from denxanh.networks.calibration.stop_line_picture import picture
from denxanh.networks.place import vehicles
from denxanh.sim.sumo import wheel

# Mixes by shares of vehicles, with an estimate of their discharge in veh/h per lane: the same demand for all types.
MIXES: Mapping[str, tuple[Mapping[str, float], float]] = {
    "ha-noi-2025-peak": (vehicles.mix("ha-noi-2025-peak"), 4500.0),
    "50 % motorbikes, 50 % cars": ({"motorbike": 0.5, "car": 0.5}, 3000.0),
}

CHIANG_MAI = "Chiang Mai, junctions with boxes: MDPI Infrastructures 10(4) 97; definition not fully known"
NAKATSUJI = "grows with the number in front (Hà Nội: Nakatsuji 2001, doi 10.2208/journalip.18.935)"


def stop_line(
    seeds: Iterable[int] = range(1, 11),
    *,
    cycles: int = 2,
    picture_file: Path | None = None,
    on_progress: Callable[[str], None] = lambda line: None,
) -> str:
    """Observe the stop line in `sublane` and return the table as Markdown; means with 95 % intervals over the seeds.

    ``picture_file`` gets the stop line at the end of red, of the first mix and the first seed, as SVG.
    ``on_progress`` is called with each line when it is complete.
    """
    seeds = tuple(seeds)
    types = vehicles.types()
    lines: list[str] = []

    def add(*new: str) -> None:
        for line in new:
            lines.append(line)
            on_progress(line)

    add(
        f"SUMO {wheel.sumo_version()}, {len(seeds)} seeds of {cycles} cycles, mean and 95 % interval;"
        f" lateral resolution {building.LATERAL_RESOLUTION} m.",
        "",
        "| mix | quantity | field | here | source of the field value |",
        "|---|---|---|---|---|",
    )
    slices: list[str] = []
    for name, (mix, expected) in MIXES.items():
        runs = observe(types, mix, seeds=seeds, cycles=cycles, expected=expected)
        add(*(f"| {name} | {' | '.join(row)} |" for row in _rows(runs)))
        slices.append(f"| {name} | {_slices(runs)} |")
        if picture_file is not None and name == next(iter(MIXES)):
            picture_file.write_text(
                picture(runs[0].scene, types, f"{name}, end of red, seed {seeds[0]}"), encoding="utf-8"
            )
    starts = " | ".join(f"{k * SLICE:g}" for k in range(round(GREEN / SLICE)))
    add(
        "",
        f"Discharge in slices of {SLICE:g} s from the second of green at the head, veh/h per metre of approach:",
        "",
        f"| mix | {starts} |",
        "|---" * (1 + round(GREEN / SLICE)) + "|",
        *slices,
    )
    return "\n".join([*lines, ""])


def _rows(runs: tuple[Observation, ...]) -> list[tuple[str, str, str, str]]:
    """Return quantity, field value, value here and source."""
    metres = LANES * LANE_WIDTH

    def mean(values: Iterable[float], digits: int = 2) -> str:
        known = [value for value in values if not math.isnan(value)]
        return _text(Interval.of(known), digits) if known else "–"

    greens = sum(len(r.saturated) for r in runs)

    return [
        ("filtering share", "0.66 to 0.75", mean(r.filtering for r in runs), CHIANG_MAI),
        (
            f"two-wheelers behind a four-wheeler with {ROOM:g} m of unused room, share",
            "–",
            mean(r.unused_room for r in runs),
            "–",
        ),
        (f"share of two-wheelers in the first {FRONT:g} m", "–", mean(r.front_share for r in runs), "–"),
        (f"two-wheelers in the first {FRONT:g} m", "–", mean((r.front_count for r in runs), 1), "–"),
        (
            f"lateral entropy, nats ({STRIPS} strips a lane, at most {math.log(STRIPS):.2f})",
            "1.01 to 1.14",
            mean(r.entropy for r in runs),
            CHIANG_MAI,
        ),
        ("greens that the queue outlasted", "–", f"{greens} of {sum(len(r.cycles) for r in runs)}", "–"),
        (
            "saturation flow in these, veh/h per metre",
            "–",
            mean((r.flow * 3600 / metres for r in runs), 0),
            "–",
        ),
        ("start-up lost time in these, s", "–", mean(r.lost_time for r in runs), "–"),
        ("lost time for each two-wheeler in front, s", "above 0", _text(lost_time_slope(runs), 3), NAKATSUJI),
        ("contacts, sum of all seeds", "–", f"{sum(r.contacts for r in runs)}", "–"),
        ("CPU seconds of SUMO for each seed", "–", mean((r.cpu for r in runs), 1), "–"),
    ]


def _slices(runs: tuple[Observation, ...]) -> str:
    columns = zip(*(r.discharge for r in runs), strict=True)
    return " | ".join(f"{Interval.of(column).mean:.0f}" for column in columns)


def _text(value: Interval, digits: int) -> str:
    if value.n == 0:
        return "–"
    half = f" ± {value.half:.{digits}f}" if math.isfinite(value.half) else ""
    return f"{value.mean:.{digits}f}{half}"
