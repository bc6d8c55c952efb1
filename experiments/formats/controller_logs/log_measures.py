"""Measures of each phase of an event log: cycle, green, arrivals on green and split failures.

After the automated traffic signal performance measures (Day et al., "Performance measures for traffic signal systems",
Purdue, 2014, doi:10.5703/1288284315333), with the thresholds and the treatment of lost events of the package ``atspm``:

- an arrival is an on-event of an advance detector; it is on green from the begin of green to the begin of yellow;
- a green fails where the presence detectors of its phase were occupied for four fifths of it, and for four fifths of
  the first 5 s of red; cycles without a yellow or 5 s of red, or before the first event of a detector, do not count;
- of two on-events (or off-events) in a row one event between them is lost: it is put half-way, or, of on-events no
  further than 2 s apart, at the second one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from denxanh.experiments.formats.controller_logs.log_reader import EventLog, LoggedDetector
from denxanh.experiments.formats.detections import OFF, ON

Array = NDArray[np.float64]
GREEN, YELLOW, RED = 1, 8, 10  # begin of green, begin of yellow, begin of red clearance
RED_TIME = 5.0  # s
OCCUPIED = 0.8
_RAPID = 2.0  # s
ADVANCE, PRESENCE = "advance", "presence"


@dataclass(frozen=True)
class PhaseMeasures:
    """What the log tells of one phase; None where it has no detector of that kind or no complete cycle."""

    device: str
    phase: int
    greens: int
    cycle: float | None  # s from green to green, mean
    green: float | None  # s from the begin of green to the begin of yellow, mean
    arrivals: int | None
    on_green: float | None  # share of the arrivals, 0…1
    judged: int | None  # greens whose occupancy is known
    split_failures: int | None


TABLE_HEADS = (
    "device", "phase", "greens", "cycle_s", "green_s", "arrivals", "on_green", "judged", "split_failures",
)  # fmt: skip


def table_row(one: PhaseMeasures) -> list[object]:
    """The measures as a row under TABLE_HEADS: seconds to a tenth, shares to four digits, "" where not known."""
    values = (
        one.device, one.phase, one.greens, _rounded(one.cycle, 1), _rounded(one.green, 1), one.arrivals,
        _rounded(one.on_green, 4), one.judged, one.split_failures,
    )  # fmt: skip
    return ["" if value is None else value for value in values]


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def phase_measures(log: EventLog, detectors: Sequence[LoggedDetector] = ()) -> list[PhaseMeasures]:
    """The measures of every phase that showed green, by device and phase."""
    device = np.array(log.device)
    out = []
    for name in sorted(set(log.device)):
        own = device == name
        time, event, parameter = log.time[own], log.event[own], log.parameter[own]
        mine = [one for one in detectors if one.device == name]
        for phase in sorted(set(parameter[event == GREEN].tolist())):
            shown = (parameter == phase) & np.isin(event, (GREEN, YELLOW, RED))
            advance = [one.number for one in mine if one.phase == phase and one.function == ADVANCE]
            presence = [one.number for one in mine if one.phase == phase and one.function == PRESENCE]
            arrivals = on_green = judged = failures = None
            if advance:
                on = time[(event == ON) & np.isin(parameter, advance)]
                arrivals = len(on)
                on_green = _share_on_green(time[shown], event[shown], on)
            if presence:
                seen = np.isin(event, (ON, OFF))
                zones = [
                    _occupied(time[seen & (parameter == one)], event[seen & (parameter == one)] == ON)
                    for one in presence
                ]
                judged, failures = _failures(
                    time[shown], event[shown], [zone for zone in zones if len(zone[0])]
                )
            greens = time[shown][event[shown] == GREEN]
            out.append(
                PhaseMeasures(
                    name,
                    phase,
                    len(greens),
                    float(np.diff(greens).mean()) if len(greens) > 1 else None,
                    _mean_green(time[shown], event[shown]),
                    arrivals,
                    on_green,
                    judged,
                    failures,
                )
            )
    return out


def _mean_green(time: Array, event: NDArray[np.int64]) -> float | None:
    spans = [b - a for (a, x), (b, y) in pairwise(zip(time, event, strict=True)) if (x, y) == (GREEN, YELLOW)]
    return float(np.mean(spans)) if spans else None


def _share_on_green(time: Array, event: NDArray[np.int64], arrivals: Array) -> float | None:
    """The share of arrivals at which the last event of the phase was the begin of green; None without arrivals."""
    if not len(arrivals):
        return None
    last = np.searchsorted(time, arrivals, side="right") - 1
    return float(np.mean((last >= 0) & (event[np.maximum(last, 0)] == GREEN)))


def _occupied(time: Array, on: NDArray[np.bool_]) -> tuple[Array, NDArray[np.bool_]]:
    """When a detector changed, and to what: on and off by turns, lost events put in."""
    times: list[float] = []
    states: list[bool] = []
    for now, state in zip(time.tolist(), on.tolist(), strict=True):
        if not states and not state:
            times.append(now - 1e-3)  # it was occupied before its first event
            states.append(True)
        elif states and states[-1] == state:
            apart = now - times[-1]
            times.append(now if state and apart <= _RAPID else now - apart / 2)
            states.append(not state)
        times.append(now)
        states.append(state)
    return np.array(times), np.array(states, dtype=np.bool_)


def _failures(
    time: Array, event: NDArray[np.int64], zones: Sequence[tuple[Array, NDArray[np.bool_]]]
) -> tuple[int, int]:
    """Greens that can be judged, and those that failed."""
    judged = failed = 0
    if not zones:
        return 0, 0
    starts = np.flatnonzero(event == GREEN)
    known = min(float(times[0]) for times, _ in zones)
    last = max(float(time[-1]), max(float(times[-1]) for times, _ in zones))
    for a, b in pairwise([*starts.tolist(), len(event)]):
        cycle = event[a:b].tolist()
        end = float(time[b]) if b < len(event) else last
        if cycle != [GREEN, YELLOW, RED] or time[a] < known or float(time[a + 2]) + RED_TIME > end:
            continue
        green, yellow, red = (float(t) for t in time[a:b])
        judged += 1
        failed += _share(zones, green, yellow) >= OCCUPIED and _share(zones, red, red + RED_TIME) >= OCCUPIED
    return judged, failed


def _share(zones: Sequence[tuple[Array, NDArray[np.bool_]]], begin: float, end: float) -> float:
    """The share of a time in which at least one detector is occupied, 0…1."""
    cuts = np.unique(
        np.concatenate([[begin, end], *(times[(times > begin) & (times < end)] for times, _ in zones)])
    )
    busy = 0.0
    for a, b in pairwise(cuts.tolist()):
        middle = (a + b) / 2
        for times, states in zones:
            k = int(np.searchsorted(times, middle, side="right")) - 1
            if k >= 0 and states[k]:
                busy += b - a
                break
    return busy / (end - begin) if end > begin else 0.0
