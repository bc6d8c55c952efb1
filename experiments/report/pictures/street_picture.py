"""The time-space diagram of a street in a run: what its signals showed, vehicles, queues, and the bands of a plan."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from denxanh.experiments.report.drawing.colour import BLUE, GREEN, ORANGE, PURPLE, VERMILLION
from denxanh.experiments.report.drawing.green_bands import Band, Stop, band
from denxanh.experiments.report.drawing.svg import Axis
from denxanh.experiments.report.pictures.picture import Area, Bar, Entry, Layer, Line, Picture
from denxanh.experiments.report.pictures.shown_timing import shown_timings
from denxanh.sim.errors import InputError
from denxanh.sim.language.text import Clock, Text, number, same
from denxanh.sim.network import GREEN as LETS_GO
from denxanh.sim.plan import Timing
from denxanh.sim.run.recording import Recording
from denxanh.sim.timing.arterials import Arterial

Array = NDArray[np.float64]
_CYCLES = 4.0  # shown
_WINDOW = 360.0  # s shown where there is no common cycle
_BESIDE = 25.0  # m from the line of a street that still is on it
_BAR = {"G": (GREEN, 7.0), "y": (ORANGE, 4.5), "r": (VERMILLION, 1.6)}  # colour, px: legible without colour
_BEND = 0.7  # m: a trajectory is straight up to that
_QUEUE_OPACITY = 0.28
_UP, _DOWN = Text("up", "đi lên"), Text("down", "đi xuống")


def street_picture(recording: Recording, street: Arterial, clock: Clock, label: Text) -> Picture:
    """The street in the middle of the measured window, under the controller ``label``."""
    network = recording.network
    timings = shown_timings(network, recording.signals, recording.measured, (recording.begin, recording.end))
    stops = _stops(recording, street, timings)
    begin, end = _window(recording, street, timings)
    reach = stops[-1].distance
    apart = 4.0 if street.two_way else 0.0  # px
    layers: list[Layer] = []
    fixed = [signal in timings for signal in street.signals]
    said = Text(
        " No band: the signals follow no fixed plan.",
        " Không có dải xanh: đèn không chạy theo chu kỳ cố định.",
    )
    if all(fixed):
        said, bands = _bands(stops, street, (begin, end))
        layers += bands
    layers += _queues(recording, street, stops, (begin, end))
    for up in (True, False) if street.two_way else (True,):
        x, y = _tracks(recording, street, stops, (begin, end), up=up)
        layers.append(Line(x, y, BLUE if up else PURPLE, 0.6, opacity=0.6))
        for k, stop in enumerate(stops):
            links = street.links[k] if up else street.back_links[k]
            for start, until, letter in _spans(recording, street.signals[k], links, begin, end):
                colour, thick = _BAR[letter]
                layers.append(Bar(start, until, stop.distance, colour, thick, shift=apart if up else -apart))
    legend = [Entry(Text("vehicle up", "xe đi lên"), BLUE, "none")]
    if street.two_way:
        legend.append(Entry(Text("vehicle down", "xe đi xuống"), PURPLE, "none"))
    legend.append(Entry(Text("standing queue (pale)", "hàng chờ (nhạt)"), VERMILLION))
    return Picture(
        Text("Time-space diagram", "Biểu đồ thời gian – khoảng cách"),
        Axis.time(begin, end, clock),
        Axis(-0.06 * reach, 1.06 * reach, same(""), ()),
        tuple(layers),
        label + ", " + same(f"{stops[0].name} → {stops[-1].name}")
        + Text(", one run.", ", một lần mô phỏng.") + said,
        tuple(legend),
        tuple((s.distance, number(s.distance, 0) + f" m  {s.name}") for s in stops),
        height=min(90 + 56.0 * len(stops), 620.0),
    )  # fmt: skip


def _stops(recording: Recording, street: Arterial, timings: Mapping[str, Timing]) -> list[Stop]:
    out, distance = [], 0.0
    for k, signal in enumerate(street.signals):
        one = recording.network.intersections[signal]
        timing = timings.get(signal, one.program)
        back = street.back_links[k] if street.two_way else ()
        out.append(Stop(one.name, distance, timing, street.links[k], back))
        distance += street.hops[k].length if k < len(street.hops) else 0.0
    return out


def _window(recording: Recording, street: Arterial, timings: Mapping[str, Timing]) -> tuple[float, float]:
    """Some cycles in the middle of the measured window."""
    first, last = recording.measured
    cycles = [timings[signal].cycle for signal in street.signals if signal in timings]
    span = _CYCLES * max(cycles) if len(cycles) == len(street.signals) else _WINDOW
    begin = max(first, (first + last) / 2 - span / 2)
    return begin, min(last, begin + span)


def _spans(
    recording: Recording, signal: str, links: Sequence[int], begin: float, end: float
) -> Iterator[tuple[float, float, str]]:
    """G (all links green), y or r of ``links`` within a window: start, end, letter."""
    times, states = recording.signals.get(signal, ((), ()))
    for start, stop, state in zip(times, [*times[1:], recording.end], states, strict=True):
        if stop > begin and start < end and links:
            letters = {state[link] for link in links}
            letter = "G" if letters <= LETS_GO else "r" if letters & {"r", "s"} else "y"
            yield max(start, begin), min(stop, end), letter


def _queues(
    recording: Recording, street: Arterial, stops: Sequence[Stop], window: tuple[float, float]
) -> Iterator[Layer]:
    """The standing queue in front of each stop line over time."""
    found = recording.trajectories
    first, last = (int((time - recording.begin) / found.step) for time in window)
    lanes, metres = recording.queues()
    times = recording.begin + np.arange(first, min(last + 1, found.frames)) * found.step
    for up in (True, False) if street.two_way else (True,):
        for k, stop in enumerate(stops):
            links = street.links[k] if up else street.back_links[k]
            one = recording.network.intersections[street.signals[k]]
            mine = {approach.lane for approach in one.approaches if set(approach.links) & set(links)}
            columns = [n for n, lane in enumerate(lanes) if lane in mine]
            if not columns:
                continue
            back = metres[first : first + len(times)][:, columns].max(axis=1)
            for run in _runs(back > 0):
                sign = -1.0 if up else 1.0
                x = times[run].tolist()
                y = (stop.distance + sign * back[run]).tolist()
                yield Area([x[0], *x, x[-1]], [stop.distance, *y, stop.distance], VERMILLION, _QUEUE_OPACITY)


def _runs(on: NDArray[np.bool_]) -> list[slice]:
    """The stretches in which ``on`` is true."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], on, [False]])))
    return [slice(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _line(recording: Recording, street: Arterial) -> list[tuple[float, float]]:
    """The stop lines of a street in its direction, m."""
    points = []
    for signal, links in zip(street.signals, street.links, strict=True):
        one = recording.network.intersections[signal]
        start = next(link.start for link in one.links if link.index in links)
        points.append(recording.network.lanes[start].shape[-1])
    return points


def _tracks(
    recording: Recording,
    street: Arterial,
    stops: Sequence[Stop],
    window: tuple[float, float],
    *,
    up: bool,
) -> tuple[list[float], list[float]]:
    """Times and distances of the vehicles along a street in one direction, NaN between two vehicles."""
    found = recording.trajectories
    time = found.begin + found.frame * found.step
    rows = np.flatnonzero((time >= window[0]) & (time <= window[1]))
    x, y = found.x[rows], found.y[rows]
    heading = np.radians(found.angle[rows])
    distance, nearest = np.full(len(rows), np.nan), np.full(len(rows), _BESIDE)
    for (a, b), (low, high) in zip(pairwise(_line(recording, street)), pairwise(stops), strict=True):
        length = math.dist(a, b)
        if length <= 0:
            continue
        ux, uy = (b[0] - a[0]) / length, (b[1] - a[1]) / length
        along = (x - a[0]) * ux + (y - a[1]) * uy
        off = np.abs((y - a[1]) * ux - (x - a[0]) * uy)
        same_way = (np.sin(heading) * ux + np.cos(heading) * uy) * (1 if up else -1) > math.cos(math.pi / 5)
        closer = same_way & (off < nearest) & (along >= 0) & (along <= length)
        distance[closer] = (low.distance + along / length * (high.distance - low.distance))[closer]
        nearest[closer] = off[closer]
    kept = ~np.isnan(distance)
    vehicle, when, where = found.vehicle[rows][kept], time[rows][kept], distance[kept]
    cuts = np.flatnonzero((np.diff(vehicle) != 0) | (np.diff(when) > 1.5 * found.step)) + 1
    out_x: list[float] = []
    out_y: list[float] = []
    for t, d in zip(np.split(when, cuts), np.split(where, cuts), strict=True):
        if len(t) > 1:
            bend = np.ones(len(t), dtype=np.bool_)
            bend[1:-1] = np.abs(d[2:] - 2 * d[1:-1] + d[:-2]) > _BEND
            out_x += [*np.round(t[bend], 1).tolist(), math.nan]
            out_y += [*np.round(d[bend], 1).tolist(), math.nan]
    return out_x, out_y


def _bands(stops: Sequence[Stop], street: Arterial, window: tuple[float, float]) -> tuple[Text, list[Layer]]:
    """What to say of the bands of the plan, and the bands."""
    said, layers = Text("", ""), list[Layer]()
    directions = [(False, BLUE, [hop.length / hop.time for hop in street.hops])]
    if street.two_way:
        directions.append((True, PURPLE, [hop.length / hop.time for hop in street.back]))
    for back, colour, speeds in directions:
        name = _DOWN if back else _UP
        try:
            found = band(stops, speeds, back=back)
        except InputError:
            return Text(" No band: no common cycle.", " Không có dải xanh: không có chu kỳ chung."), []
        part: Sequence[Stop] = stops
        if found is not None:
            said += Text(" Band ", " Dải xanh ") + name + ": "
        else:
            longest = longest_part(stops, speeds, back=back)
            if longest is None:
                said += Text(" No band ", " Không có dải xanh ") + name + "."
                continue
            found, part, breaks = longest
            ends = f"{part[0].name} – {part[-1].name}"
            said += Text(
                f" No band {name.en} through all signals: it breaks at {breaks}; longest ({ends}): ",
                f" Không có dải xanh {name.vi} qua mọi nút: đứt tại {breaks}; dài nhất ({ends}): ",
            )
        said += number(found.window.width, 0) + " s, " + number(100 * found.share, 0)
        said += Text(" % of the cycle.", " % chu kỳ.")
        layers += _strips(found, part[::-1] if back else part, colour, window, pale=part is not stops)
    return said, layers


def longest_part(
    stops: Sequence[Stop], speeds: Sequence[float], *, back: bool
) -> tuple[Band, Sequence[Stop], str] | None:
    """The band through the most signals in a row, the widest of these, the signals, and the signal that breaks it.

    None where no two neighbours have a band. The signal that breaks it is the next one that a vehicle in it meets, or,
    where the part reaches to the end of the street, the one before it.
    """
    for size in range(len(stops) - 1, 1, -1):
        found = [
            (one, first)
            for first in range(len(stops) - size + 1)
            if (one := band(stops[first : first + size], speeds[first : first + size - 1], back=back))
            is not None
        ]
        if found:
            widest, first = max(found, key=lambda item: item[0].window.width)
            beyond = [k for k in ((first - 1, first + size) if back else (first + size, first - 1))
                      if 0 <= k < len(stops)]  # fmt: skip
            return widest, stops[first : first + size], stops[beyond[0]].name
    return None


def _strips(
    found: Band, order: Sequence[Stop], colour: str, window: tuple[float, float], *, pale: bool
) -> Iterator[Layer]:
    """A band as a strip in each cycle of the window."""
    begin, end = window
    first = math.floor((begin - found.window.start - found.arrivals[-1]) / found.cycle)
    for k in range(first, math.ceil((end - found.window.start) / found.cycle) + 1):
        start = found.window.start + k * found.cycle
        early = [start + arrival for arrival in found.arrivals]
        late = [time + found.window.width for time in early]
        y = [stop.distance for stop in order]
        yield Area([*early, *late[::-1]], [*y, *y[::-1]], colour, 0.12 if pale else 0.2)
