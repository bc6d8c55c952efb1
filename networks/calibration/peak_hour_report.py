"""Table of peak hours: built-in places in both fidelities, and the differences between the fidelities."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from denxanh.networks.calibration.peak_hour import Hour, run
from denxanh.networks.calibration.saturation_flow import Interval
from denxanh.networks.scenarios import open_scenario
from denxanh.sim.text_values import Moment

HEAD = (
    "| place | vehicles | entered | teleports | collisions | delay, s/veh | throughput, veh/h | shares off by |"
    " sim. s per CPU s | updates per CPU s |\n|---|---|---|---|---|---|---|---|---|---|"
)


def hours(
    places: Iterable[str],
    fidelities: Sequence[str],
    seeds: Sequence[int],
    *,
    end: float | Moment | None = None,
    on_progress: Callable[[str], None] = lambda line: None,
) -> tuple[Hour, ...]:
    """Run every place in every fidelity with every seed; report each row and then the differences to ``on_progress``.

    Teleports (because a vehicle was stuck) and collisions are shares of the vehicles that entered.
    """
    on_progress(HEAD)
    found: dict[tuple[str, str], list[Hour]] = {}
    for place in places:
        for fidelity in fidelities:
            scenario = open_scenario(f"{place}:{fidelity}", end=end)
            found[place, fidelity] = [run(scenario, seed) for seed in seeds]
            on_progress(_row(f"{place}:{fidelity}", found[place, fidelity]))
        if set(fidelities) >= {"lane", "sublane"}:
            on_progress(_difference(place, found[place, "lane"], found[place, "sublane"]))
    return tuple(hour for group in found.values() for hour in group)


def _row(label: str, runs: Sequence[Hour]) -> str:
    """Return a row of the table: sums of counts, means of the other measures."""
    entered = sum(h.entered for h in runs)
    stuck, collisions = sum(h.stuck for h in runs), sum(h.collisions for h in runs)
    cells = (
        label,
        str(sum(h.vehicles for h in runs)),
        str(entered),
        f"{stuck} ({stuck / entered:.3%})",
        f"{collisions} ({collisions / entered:.3%})",
        f"{_mean(h.delay for h in runs):.1f}",
        f"{_mean(h.throughput for h in runs):.0f}",
        f"{max(h.worst_share for h in runs):.2f}",
        f"{sum(h.duration for h in runs) / sum(h.cpu for h in runs):.1f}",
        f"{sum(h.updates for h in runs) / sum(h.cpu for h in runs):.0f}",
    )
    return f"| {' | '.join(cells)} |"


def _difference(place: str, lane: Sequence[Hour], sublane: Sequence[Hour]) -> str:
    """Return the mean differences `sublane` minus `lane`, paired by seed, with their intervals."""
    delay = Interval.of(s.delay - ln.delay for s, ln in zip(sublane, lane, strict=True))
    through = Interval.of(s.throughput - ln.throughput for s, ln in zip(sublane, lane, strict=True))
    return (
        f"{place}: sublane − lane: delay {delay.mean:+.1f}{_half(delay)} s/veh,"
        f" throughput {through.mean:+.0f}{_half(through)} veh/h"
    )


def _half(value: Interval) -> str:
    return f" ± {value.half:.1f}" if value.n > 1 else ""


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return sum(found) / len(found)
