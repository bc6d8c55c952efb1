"""Plots over all runs of a place: delay, differences, queues, cumulative curves, MFD, failures, plans."""

from __future__ import annotations

from dataclasses import replace

from matplotlib.figure import Figure

from denxanh.experiments.plots.canvas import MARKERS, Canvas, Language, canvas
from denxanh.experiments.plots.picture_figure import DASHES, figure_of
from denxanh.experiments.plots.plot_source import PlotSource
from denxanh.experiments.report import figures
from denxanh.experiments.report.charts import MOST_BANDS, Estimate
from denxanh.experiments.report.drawing.colour import INK, SHADE
from denxanh.experiments.report.pictures.picture import Picture
from denxanh.experiments.report.pictures.queue_pictures import failure_pictures
from denxanh.experiments.report.pictures.run_curves import cumulative_picture, mfd_picture
from denxanh.experiments.report.pictures.shown_timing import shown_timings
from denxanh.experiments.report.pictures.signal_pictures import plans_picture
from denxanh.experiments.report.series import interval_length
from denxanh.sim.errors import InputError
from denxanh.sim.language.text import Text, unit
from denxanh.sim.run.recording import read_history


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
    base = source.inputs.label(source.comparison.baseline)
    drawn = _intervals(rows, language)
    drawn.axes.axvline(0, color=INK, linewidth=1, linestyle=(0, (4, 3)))
    reach = max(abs(v) for v in drawn.axes.get_xlim())
    drawn.axes.set_xlim(-reach, reach)
    drawn.title(
        _place(source)
        + Text(
            f"difference of delay to {base.en}; left: better",
            f"chênh lệch thời gian trễ so với {base.vi}; bên trái: tốt hơn",
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
            linestyle=DASHES[style.dash],
            marker=MARKERS[style.marker],
            markersize=3.5,
            label=drawn.short(source.inputs.label(name)),
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
    return placed(cumulative_picture(source.inputs), source, language)


def mfd_plot(source: PlotSource, language: Language) -> Figure:
    """Macroscopic fundamental diagram: trips completed an hour against vehicles in the network, mean over seeds."""
    return placed(mfd_picture(source.inputs), source, language)


def failure_plot(source: PlotSource, language: Language) -> Figure:
    """Share of greens that left a waiting vehicle, of the worst lane groups, under every controller."""
    return _failures(source, language, 0)


def spillback_plot(source: PlotSource, language: Language) -> Figure:
    """95 % queue over the road in front of the stop line, of the worst lane groups, under every controller."""
    return _failures(source, language, 1)


def plans_plot(source: PlotSource, language: Language) -> Figure:
    """The plans that the signals repeated in the first run of each controller, one bar a signal and controller."""
    network = source.scenario.network
    sides = []
    for name in source.inputs.series:
        folder = source.runs(name)[0].folder
        if network is not None and folder is not None:
            history = read_history(folder / "signals.parquet")
            windows = source.scenario.measured, (source.scenario.begin, source.scenario.end)
            timings = shown_timings(network, history, *windows)
            sides.append((source.inputs.label(name), timings))
    found = plans_picture(network, sides) if network is not None else None
    if found is None:
        raise InputError(
            "no signal followed a fixed plan",
            location=str(source.folder),
            remedy="choose another kind of plot",
        )
    return placed(found, source, language)


def _failures(source: PlotSource, language: Language, which: int) -> Figure:
    found = failure_pictures(source.inputs, list(source.inputs.series), zeros=True)
    if not found:
        raise InputError(
            "the runs have no tables of movements",
            location=str(source.folder),
            remedy="run without --movements off, or choose another kind of plot",
        )
    return placed(found[which], source, language)


def placed(picture: Picture, source: PlotSource, language: Language) -> Figure:
    """The figure of a picture, with the name of the place in front of its title."""
    return figure_of(replace(picture, title=source.scenario.title + ": " + picture.title), language)


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
