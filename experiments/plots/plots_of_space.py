"""Plots of one run or plan: time-space diagram, queues in metres by approach, stage diagram."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from numpy.typing import NDArray

from denxanh.experiments.plots.canvas import SMALL, Canvas, Language, canvas
from denxanh.experiments.plots.plot_source import PlotSource
from denxanh.experiments.report.drawing.colour import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PURPLE,
    VERMILLION,
    sequential,
)
from denxanh.experiments.report.drawing.green_bands import Band, Stop, band, greens
from denxanh.experiments.report.drawing.stage_diagram import (
    COLOUR,
    RED,
    THICK,
    THIN,
    approach_name,
    groups,
    spans,
)
from denxanh.sim.errors import InputError
from denxanh.sim.language.text import Text, number
from denxanh.sim.network import GREEN as LETS_GO
from denxanh.sim.network import Intersection, Network
from denxanh.sim.run.repetition import record_trajectories
from denxanh.sim.run.store import read_table
from denxanh.sim.run.trajectories import Trajectories, back_of_queue
from denxanh.sim.text_values import did_you_mean
from denxanh.sim.timing.arterials import Arterial, arterials

Array = NDArray[np.float64]
_CYCLES = 4.0  # shown of a time-space diagram
_WINDOW = 360.0  # s shown where there is no common cycle
_BESIDE = 25.0  # m from the line of a street that still is on it
_AGREE = 0.97  # share of the time for which a plan has to be what the signals showed
_MOST_ROWS = 30  # approaches of a heat map, those with the longest queues
_INTERVAL = 120.0  # s, the least of a heat map where no cycle is longer
_LINE = {
    "G": (GREEN, 5.0),
    "y": (ORANGE, 3.2),
    "r": (VERMILLION, 1.2),
}  # colour, points: legible without colour


def time_space_plot(source: PlotSource, language: Language) -> Figure:
    """The longest street of signals in the middle of the first run: signals, vehicles, and bands of a fixed plan.

    Raises InputError where no two signals follow each other along a street.
    """
    network, run = source.network, source.stored
    streets = arterials(network)
    if not streets:
        raise InputError(
            "no two signals follow each other along a street",
            location=source.scenario.place,
            remedy="choose another kind of plot",
        )
    street = streets[0]
    stops = _stops(network, street)
    shown = _History.read(run.folder / "signals.parquet", run.scenario.end)
    trajectories = record_trajectories(run)
    cycle = max(stop.timing.cycle for stop in stops)
    span = _CYCLES * cycle if all(abs(cycle / s.timing.cycle % 1) < 1e-6 for s in stops) else _WINDOW
    middle = (run.scenario.begin + run.scenario.end) / 2
    begin = max(run.scenario.begin, middle - span / 2)
    end = min(run.scenario.end, begin + span)
    reach = stops[-1].distance
    drawn = canvas(language, height=min(2.4 + 0.38 * len(stops), 7.0), width=8.0)
    apart = 0.004 * reach if street.two_way else 0.0
    for up in (True, False) if street.two_way else (True,):
        colour = BLUE if up else PURPLE
        for times, distances in _tracks(trajectories, _line(network, street), stops, begin, end, up=up):
            drawn.axes.plot(times, distances, color=colour, linewidth=0.35, alpha=0.55)
        for stop in stops:
            links = stop.links if up else stop.back
            for start, stop_at, letter in shown.spans(street.signals[stops.index(stop)], links, begin, end):
                tint, width = _LINE[letter]
                height = stop.distance + (apart if up else -apart)
                drawn.axes.plot(
                    [start, stop_at],
                    [height] * 2,
                    color=tint,
                    linewidth=width,
                    solid_capstyle="butt",
                    zorder=3,
                )
    notes = _bands(drawn, stops, street, shown, (begin, end))
    drawn.axes.set_yticks(
        [s.distance for s in stops],
        [f"{drawn.short(s.name)}\n{drawn.say(number(s.distance, 0))} m" for s in stops],
        fontsize=SMALL,
    )
    drawn.axes.set_ylim(-0.05 * reach, 1.05 * reach)
    drawn.axes.grid(visible=False)
    drawn.title(
        source.scenario.title
        + f", {source.controller}: "
        + Text(
            f"time-space diagram, seed {source.first.seed}. ",
            f"biểu đồ thời gian – khoảng cách, lần mô phỏng {source.first.seed}. ",
        )
        + notes
    )
    drawn.seconds(
        begin,
        end,
        Text("time in the simulation, s (thin lines: vehicles)", "thời gian mô phỏng, s (nét mảnh: xe)"),
    )
    return drawn.figure


def queue_heat_plot(source: PlotSource, language: Language) -> Figure:
    """Longest back of queue on each approach in each interval of the first run, m; intervals are at least a cycle."""
    network, run = source.network, source.stored
    approaches = [(one, approach) for one in network.intersections.values() for approach in one.approaches]
    trajectories = record_trajectories(run)
    metres = back_of_queue(trajectories, network, {}, [approach.lane for _, approach in approaches])
    cycle = max(one.program.cycle for one in network.intersections.values())
    per = max(math.ceil(max(cycle, _INTERVAL) / trajectories.step), 1)
    starts = list(range(0, trajectories.frames, per))
    longest = np.array([metres[start : start + per].max(axis=0) for start in starts])
    rows: dict[tuple[str, str], list[int]] = {}
    for k, (one, approach) in enumerate(approaches):
        rows.setdefault((one.id, network.lanes[approach.lane].edge), []).append(k)
    values = {key: longest[:, lanes].max(axis=1) for key, lanes in rows.items()}
    kept = sorted(values, key=lambda key: -float(values[key].mean()))[:_MOST_ROWS]
    kept.sort(key=list(rows).index)
    drawn = canvas(language, height=1.5 + 0.2 * len(kept), width=8.0)
    colours = LinearSegmentedColormap.from_list("report", [sequential(k / 16) for k in range(17)])
    bounds = [trajectories.begin + start * trajectories.step for start in starts] + [run.scenario.end]
    grid = drawn.axes.pcolormesh(
        bounds, np.arange(len(kept) + 1), np.array([values[key] for key in kept]), cmap=colours, vmin=0
    )
    names = list(network.intersections)
    drawn.axes.set_yticks(
        np.arange(len(kept)) + 0.5,
        [drawn.short(f"{names.index(signal) + 1}  " + approach_name(edge, network)) for signal, edge in kept],
        fontsize=SMALL,
    )
    drawn.axes.invert_yaxis()
    drawn.axes.grid(visible=False)
    bar = drawn.figure.colorbar(grid, ax=drawn.axes, pad=0.01)
    bar.set_label(
        drawn.say(Text("longest queue, m from the stop line", "hàng chờ dài nhất, m tính từ vạch dừng")),
        fontsize=8.5,
    )
    bar.ax.tick_params(labelsize=8)
    span = per * trajectories.step / 60
    minutes = drawn.say(number(span, 0 if span.is_integer() else 1))
    drawn.title(
        source.scenario.title
        + f", {source.controller}: "
        + Text(
            f"queue by approach, every {minutes} min, seed {source.first.seed}",
            f"hàng chờ theo nhánh, mỗi {minutes} phút, lần mô phỏng {source.first.seed}",
        )
    )
    drawn.times(bounds[0], bounds[-1])
    return drawn.figure


def stage_plot(source: PlotSource, language: Language, intersection: str | None = None) -> Figure:
    """The stage diagram of one intersection, by default the first: the signal groups over the cycle of the plan.

    Raises InputError for an unknown intersection.
    """
    one = _intersection(source.network, intersection)
    timing = one.program
    rows = groups(one, timing, source.network)
    drawn = canvas(language, height=1.6 + 0.27 * len(rows), width=8.0)
    for k, row in enumerate(rows):
        for start, end, letter in spans(timing, row.links[0]):
            height = THICK.get(letter, THIN) / 18
            drawn.axes.barh(
                k, end - start, left=start, height=height, color=COLOUR.get(letter, RED), linewidth=0
            )
            if letter in LETS_GO and end - start > 0.05 * timing.cycle:
                drawn.axes.text(
                    (start + end) / 2,
                    k,
                    f"{end - start:g}",
                    ha="center",
                    va="center",
                    fontsize=SMALL,
                    color="#ffffff" if letter == "G" else INK,
                )
    for k, (stage, start) in enumerate(zip(timing.stages, timing.starts(), strict=True), start=1):
        drawn.axes.axvline(start, color=GREY, linewidth=0.7, linestyle=(0, (3, 3)))
        drawn.axes.text(
            start + stage.green / 2,
            -0.85,
            f"{k}: {stage.green:g} s" if stage.green > 0.1 * timing.cycle else str(k),
            ha="center",
            va="center",
            fontsize=8,
        )
    drawn.axes.set_yticks(range(len(rows)), [drawn.short(row.name) for row in rows], fontsize=8)
    drawn.axes.set_ylim(len(rows) - 0.4, -1.3)
    drawn.axes.grid(visible=False, axis="y")
    drawn.title(
        Text(f"Stages at {one.name}, {source.controller}", f"Các pha tại {one.name}, {source.controller}")
    )
    cycle = number(timing.cycle, 0)
    drawn.seconds(
        0.0,
        timing.cycle,
        Text("time in the cycle of ", "thời gian trong chu kỳ ")
        + cycle
        + Text(
            " s, s; thick: green with priority, thin: yielding or red",
            " s, s; dày: xanh ưu tiên, mảnh: xanh nhường hoặc đỏ",
        ),
    )
    return drawn.figure


def _intersection(network: Network, wanted: str | None) -> Intersection:
    if not network.intersections:
        raise InputError("the network has no signal under control", remedy="choose another kind of plot")
    if wanted is None:
        return next(iter(network.intersections.values()))
    if wanted not in network.intersections:
        raise InputError(
            f"there is no intersection {wanted!r}", remedy=did_you_mean(wanted, list(network.intersections))
        )
    return network.intersections[wanted]


def _stops(network: Network, street: Arterial) -> list[Stop]:
    out, distance = [], 0.0
    for k, signal in enumerate(street.signals):
        one = network.intersections[signal]
        out.append(
            Stop(
                one.name,
                distance,
                one.program,
                street.links[k],
                street.back_links[k] if street.two_way else (),
            )
        )
        distance += street.hops[k].length if k < len(street.hops) else 0.0
    return out


def _line(network: Network, street: Arterial) -> list[tuple[float, float]]:
    """The stop lines of a street in its direction, m."""
    points = []
    for signal, links in zip(street.signals, street.links, strict=True):
        start = next(link.start for link in network.intersections[signal].links if link.index in links)
        points.append(network.lanes[start].shape[-1])
    return points


def _tracks(
    found: Trajectories,
    line: Sequence[tuple[float, float]],
    stops: Sequence[Stop],
    begin: float,
    end: float,
    *,
    up: bool,
) -> list[tuple[Array, Array]]:
    """Times and distances of the vehicles that drive along a street in one direction."""
    time = found.begin + found.frame * found.step
    rows = np.flatnonzero((time >= begin) & (time <= end))
    x, y = found.x[rows], found.y[rows]
    heading = np.radians(found.angle[rows])
    distance, nearest = np.full(len(rows), np.nan), np.full(len(rows), _BESIDE)
    for (a, b), (low, high) in zip(pairwise(line), pairwise(stops), strict=True):
        length = math.dist(a, b)
        ux, uy = (b[0] - a[0]) / length, (b[1] - a[1]) / length
        along = (x - a[0]) * ux + (y - a[1]) * uy
        off = np.abs((y - a[1]) * ux - (x - a[0]) * uy)
        same = (np.sin(heading) * ux + np.cos(heading) * uy) * (1 if up else -1) > math.cos(math.pi / 5)
        closer = same & (off < nearest) & (along >= 0) & (along <= length)
        distance[closer] = (low.distance + along / length * (high.distance - low.distance))[closer]
        nearest[closer] = off[closer]
    kept = ~np.isnan(distance)
    vehicle, when, where = found.vehicle[rows][kept], time[rows][kept], distance[kept]
    cuts = np.flatnonzero((np.diff(vehicle) != 0) | (np.diff(when) > 1.5 * found.step)) + 1
    return [(t, d) for t, d in zip(np.split(when, cuts), np.split(where, cuts), strict=True) if len(t) > 1]


@dataclass(frozen=True)
class _History:
    """The states that signals showed: times, s, and states by signal."""

    rows: Mapping[str, tuple[list[float], list[str]]]
    end: float

    @staticmethod
    def read(path: Path, end: float) -> _History:
        table = read_table(path, ["time_s", "signal", "state"])
        rows: dict[str, tuple[list[float], list[str]]] = {}
        for time, name, state in zip(table["time_s"], table["signal"], table["state"], strict=True):
            times, states = rows.setdefault(str(name), ([], []))
            times.append(float(time))
            states.append(str(state))
        return _History(rows, end)

    def spans(
        self, signal: str, links: Sequence[int], begin: float, end: float
    ) -> list[tuple[float, float, str]]:
        """G (all links green), y or r of ``links`` within a window: start, end, letter."""
        times, states = self.rows.get(signal, ([], []))
        out = []
        for start, stop, state in zip(times, [*times[1:], self.end], states, strict=True):
            if stop > begin and start < end and links:
                letters = {state[link] for link in links}
                letter = "G" if letters <= LETS_GO else "r" if letters & {"r", "s"} else "y"
                out.append((max(start, begin), min(stop, end), letter))
        return out


def _bands(
    drawn: Canvas, stops: Sequence[Stop], street: Arterial, shown: _History, window: tuple[float, float]
) -> Text:
    """Draw the bands of the plan if the signals followed it; returns what to say of them."""
    begin, end = window
    for k, stop in enumerate(stops):
        if _agreement(stop, shown.spans(street.signals[k], stop.links, begin, end), window) < _AGREE:
            return Text(
                "No band: the signals follow no fixed plan.",
                "Không có dải xanh: đèn không chạy theo phương án cố định.",
            )
    said = Text("", "")
    directions = [(False, BLUE, [hop.length / hop.time for hop in street.hops])]
    if street.two_way:
        directions.append((True, PURPLE, [hop.length / hop.time for hop in street.back]))
    for back, colour, speeds in directions:
        name = Text("down", "đi xuống") if back else Text("up", "đi lên")
        try:
            found = band(stops, speeds, back=back)
        except InputError:
            return Text("No band: no common cycle.", "Không có dải xanh: không có chu kỳ chung.")
        whole = found is not None
        if found is None:
            longest = _longest(stops, speeds, back=back)
            if longest is None:
                said = said + Text("No band ", "Không có dải xanh ") + name + ". "
                continue
            found, part = longest
            ends = f"{part[0].name} – {part[-1].name}"
            said = said + Text(
                f"No band {name.en} through all signals; longest ({ends}): ",
                f"Không có dải xanh {name.vi} qua mọi nút; dài nhất ({ends}): ",
            )
        else:
            part = stops
            said = said + Text("Band ", "Dải xanh ") + name + ": "
        said = said + number(found.window.width, 0) + " s, " + number(100 * found.share, 0) + " %. "
        order = part[::-1] if back else part
        first = math.floor((begin - found.window.start - found.arrivals[-1]) / found.cycle)
        for k in range(first, math.ceil((end - found.window.start) / found.cycle) + 1):
            start = found.window.start + k * found.cycle
            early = [start + arrival for arrival in found.arrivals]
            drawn.axes.fill_betweenx(
                [s.distance for s in order],
                early,
                [t + found.window.width for t in early],
                color=colour,
                alpha=0.18 if whole else 0.12,
                linewidth=0,
            )
    return said


def _longest(
    stops: Sequence[Stop], speeds: Sequence[float], *, back: bool
) -> tuple[Band, Sequence[Stop]] | None:
    """The band through the most signals in a row, the widest of these, and the signals; None where there is none."""
    for size in range(len(stops) - 1, 1, -1):
        parts = [stops[k : k + size] for k in range(len(stops) - size + 1)]
        found = [
            (one, part)
            for k, part in enumerate(parts)
            if (one := band(part, speeds[k : k + size - 1], back=back)) is not None
        ]
        if found:
            return max(found, key=lambda item: item[0].window.width)
    return None


def _agreement(stop: Stop, spans: Sequence[tuple[float, float, str]], window: tuple[float, float]) -> float:
    """Share of a window in which the plan and the signal show green together or neither."""
    times = np.arange(window[0] + 0.5, window[1], 1.0)
    shown = np.zeros(len(times), dtype=np.bool_)
    for start, end, letter in spans:
        if letter == "G":
            shown |= (times >= start) & (times < end)
    planned = np.zeros(len(times), dtype=np.bool_)
    for one in greens(stop.timing, stop.links):
        planned |= (times - one.start) % stop.timing.cycle < one.width
    return float((shown == planned).mean()) if len(times) else 0.0
