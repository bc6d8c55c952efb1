"""Plots over all runs of a place: delay, differences, queue over time, cumulative curves, MFD."""

from __future__ import annotations

import itertools

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from denxanh.experiments.plots.canvas import MARKERS, Canvas, Language, canvas
from denxanh.experiments.plots.plot_source import PlotSource
from denxanh.experiments.report import figures
from denxanh.experiments.report.charts import MOST_BANDS, Estimate
from denxanh.experiments.report.drawing.colour import INK, SHADE
from denxanh.experiments.report.series import interval_length
from denxanh.sim.errors import InputError
from denxanh.sim.language.text import Text, unit
from denxanh.sim.sumo.tripinfo import wanted_departure

Array = NDArray[np.float64]
_DASHES = {"": "-", "7 3": (0, (5, 2)), "2 3": (0, (1.5, 2))}
_POINTS = 400  # of a cumulative curve
_MFD_INTERVAL = 300.0  # s, at most: shorter ones show the cycle of the signals


def delay_plot(source: PlotSource, language: Language) -> Figure:
    """Mean delay by controller with its 95 % interval, and a mark for each seed."""
    rows = figures.estimates(source.inputs, "delay_s")
    drawn = _intervals(rows, language)
    drawn.title(
        _place(source)
        + figures.title("delay_s")
        + Text(": mean, 95 % interval, each seed", ": trung bình, khoảng tin cậy 95 %, từng lần mô phỏng")
    )
    drawn.label("x", figures.title("delay_s") + ", " + unit("s/veh"))
    drawn.axes.set_xlim(0, 1.04 * drawn.axes.get_xlim()[1])
    drawn.numbers("x")
    return drawn.figure


def difference_plot(source: PlotSource, language: Language) -> Figure:
    """Difference of delay to the baseline, seed by seed, with its 95 % interval."""
    rows = figures.difference_estimates(source.inputs, "delay_s")
    if not rows:
        raise InputError(
            "there is no pair of runs with the same seed",
            location=str(source.folder),
            remedy="compare at least two controllers with the same seeds",
        )
    base = source.comparison.baseline
    drawn = _intervals(rows, language)
    drawn.axes.axvline(0, color=INK, linewidth=1, linestyle=(0, (4, 3)))
    reach = max(abs(v) for v in drawn.axes.get_xlim())
    drawn.axes.set_xlim(-reach, reach)
    drawn.title(
        _place(source)
        + Text(
            f"difference of delay to {base}; left: better",
            f"chênh lệch thời gian trễ so với {base}; bên trái: tốt hơn",
        )
    )
    drawn.label("x", figures.title("delay_s") + ", " + unit("s/veh"))
    drawn.numbers("x", signed=True)
    return drawn.figure


def queue_plot(source: PlotSource, language: Language) -> Figure:
    """Halted vehicles at all signals over time, mean and range of the seeds."""
    drawn = canvas(language)
    series = source.inputs.series
    for name, found in series.items():
        style, line = source.styles[name], found.queue
        if len(series) <= MOST_BANDS:
            drawn.axes.fill_between(
                line.centre, line.low, line.high, color=style.colour, alpha=0.15, linewidth=0
            )
        drawn.axes.plot(
            line.centre,
            line.mean,
            color=style.colour,
            linestyle=_DASHES[style.dash],
            marker=MARKERS[style.marker],
            markersize=3.5,
            label=drawn.short(name),
        )
    _unmeasured(source, drawn)
    minutes = f"{interval_length(source.scenario) / 60:g}"
    drawn.title(
        _place(source)
        + Text(
            f"queue over time, mean of every {minutes} min; band: all seeds",
            f"hàng chờ theo thời gian, trung bình mỗi {minutes} phút; dải màu: mọi lần mô phỏng",
        )
    )
    drawn.times(source.scenario.begin, source.scenario.end)
    drawn.label("y", Text("standing vehicles at all signals, veh", "số xe đang dừng tại mọi nút, xe"))
    drawn.axes.set_ylim(bottom=0)
    drawn.numbers("y")
    drawn.legend()
    return drawn.figure


def cumulative_plot(source: PlotSource, language: Language) -> Figure:
    """Vehicles due to depart and arrived by time, mean over seeds: their distance is the vehicles under way."""
    drawn = canvas(language)
    begin, end = source.scenario.begin, source.scenario.end
    times = np.linspace(begin, end, _POINTS)
    for k, name in enumerate(source.inputs.series):
        due, arrived = _counts(source, name, times)
        style = source.styles[name]
        if k == 0:
            drawn.axes.plot(
                times,
                due,
                color="#8c8c8c",
                linewidth=1.2,
                label=drawn.say(Text("due to depart", "đến lúc xuất phát")),
            )
        label = drawn.short(Text(f"arrived, {name}", f"đã đến nơi, {name}"))
        drawn.axes.plot(times, arrived, color=style.colour, linestyle=_DASHES[style.dash], label=label)
    drawn.title(
        _place(source)
        + Text("cumulative curves, mean over seeds", "đường cong tích lũy, trung bình các lần mô phỏng")
    )
    drawn.times(begin, end)
    drawn.label("y", Text("vehicles since the begin, veh", "số xe tính từ đầu, xe"))
    drawn.axes.set_ylim(bottom=0)
    drawn.numbers("y")
    drawn.legend()
    return drawn.figure


def mfd_plot(source: PlotSource, language: Language) -> Figure:
    """Macroscopic fundamental diagram: trips completed an hour against vehicles in the network, mean over seeds."""
    drawn = canvas(language)
    begin, end = source.scenario.begin, source.scenario.end
    length = min(interval_length(source.scenario), _MFD_INTERVAL)
    bounds = np.append(np.arange(begin, end, length), end)
    for k, name in enumerate(source.inputs.series):
        inside, flow = _network_state(source, name, bounds)
        style = source.styles[name]
        drawn.axes.plot(inside, flow, color=style.colour, linewidth=0.8, alpha=0.6)
        drawn.axes.scatter(
            inside, flow, color=style.colour, marker=MARKERS[style.marker], s=16, label=drawn.short(name)
        )
        if k == 0 and len(inside):
            drawn.axes.annotate(
                drawn.say(Text("begin", "đầu")),
                (inside[0], flow[0]),
                fontsize=8,
                xytext=(4, 4),
                textcoords="offset points",
            )
    minutes = f"{length / 60:g}"
    drawn.title(
        _place(source)
        + Text(
            f"macroscopic fundamental diagram, a mark for every {minutes} min",
            f"biểu đồ cơ bản vĩ mô (MFD), mỗi dấu là {minutes} phút",
        )
    )
    drawn.label("x", Text("vehicles in the network, veh", "số xe trong mạng, xe"))
    drawn.label("y", Text("trips completed, veh/h", "số chuyến đi hoàn thành, xe/h"))
    drawn.axes.set_xlim(left=0)
    drawn.axes.set_ylim(bottom=0)
    drawn.numbers("x")
    drawn.numbers("y")
    drawn.legend()
    return drawn.figure


def _intervals(rows: list[Estimate], language: Language) -> Canvas:
    """A row per controller: a mark for each seed, the mean, its interval."""
    drawn = canvas(language, height=1.3 + 0.45 * len(rows))
    for k, row in enumerate(rows):
        colour, marker = row.style.colour, MARKERS[row.style.marker]
        drawn.axes.scatter(
            [v for v, _ in row.points],
            [k] * len(row.points),
            color=colour,
            alpha=0.45,
            marker=marker,
            s=18,
            linewidths=0,
        )
        if row.mean is not None:
            drawn.axes.plot([row.mean] * 2, [k - 0.24, k + 0.24], color=colour, linewidth=3)
            if row.low is not None and row.high is not None:
                drawn.axes.plot(
                    [row.low, row.high], [k, k], color=colour, linewidth=1.6, marker="|", markersize=8
                )
    drawn.axes.set_yticks(range(len(rows)), [drawn.short(row.name) for row in rows])
    drawn.axes.set_ylim(len(rows) - 0.5, -0.5)
    drawn.axes.grid(visible=False, axis="y")
    return drawn


def _place(source: PlotSource) -> Text:
    return source.scenario.title + ": "


def _unmeasured(source: PlotSource, drawn: Canvas) -> None:
    scenario = source.scenario
    for first, last, name in (
        (scenario.begin, scenario.begin + scenario.warm_up, Text("warm-up", "khởi động")),
        (scenario.end - scenario.flush, scenario.end, Text("flush", "xả")),
    ):
        if last > first:
            drawn.axes.axvspan(first, last, color=SHADE, label=drawn.say(name))


def _counts(source: PlotSource, controller: str, times: Array) -> tuple[Array, Array]:
    """Vehicles due and arrived by each time, mean over the runs of a controller, shape (times,)."""
    both = []
    for table in source.tables(controller, "vehicles", ["depart_s", "depart_delay_s", "arrival_s", "fate"]):
        depart, inserted = table["depart_s"], table["depart_s"] >= 0
        due = wanted_departure(inserted, depart, table["depart_delay_s"], source.scenario.end)
        arrival = table["arrival_s"][table["fate"] == "arrived"]
        both.append([np.searchsorted(np.sort(moments), times, side="right") for moments in (due, arrival)])
    mean = np.array(both, dtype=np.float64).mean(axis=0)
    return mean[0], mean[1]


def _network_state(source: PlotSource, controller: str, bounds: Array) -> tuple[Array, Array]:
    """Mean vehicles in the network and trips completed, veh/h, in each interval, shape (intervals,)."""
    states = []
    grid = np.arange(bounds[0], bounds[-1], 5.0)
    places = np.searchsorted(bounds, grid, side="right") - 1
    hours = np.diff(bounds) / 3600.0
    for table in source.tables(controller, "vehicles", ["depart_s", "arrival_s", "fate"]):
        entered = np.sort(table["depart_s"][table["depart_s"] >= 0])
        gone = np.isin(table["fate"], ("arrived", "lost")) & (table["arrival_s"] >= 0)
        left = np.sort(table["arrival_s"][gone])
        inside = np.searchsorted(entered, grid, side="right") - np.searchsorted(left, grid, side="right")
        arrived = table["arrival_s"][table["fate"] == "arrived"]
        mean = [inside[places == k].mean() for k in range(len(hours))]
        done = [((arrived >= a) & (arrived < b)).sum() for a, b in itertools.pairwise(bounds)]
        states.append((mean, np.array(done) / hours))
    found = np.array(states, dtype=np.float64).mean(axis=0)
    return found[0], found[1]
