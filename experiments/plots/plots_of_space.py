"""Plots of one run or plan: time-space diagram, queues in metres, Purdue diagram, stages, rings and barriers."""

from __future__ import annotations

from matplotlib.figure import Figure

from denxanh.experiments.plots.canvas import SMALL, Language, canvas
from denxanh.experiments.plots.plot_source import PlotSource
from denxanh.experiments.plots.plots_of_runs import placed
from denxanh.experiments.report.drawing.colour import GREY, ink_on
from denxanh.experiments.report.drawing.stage_diagram import COLOUR, RED, THICK, THIN, groups, spans
from denxanh.experiments.report.pictures.purdue import busiest, purdue_picture
from denxanh.experiments.report.pictures.queue_pictures import queue_heat_pictures
from denxanh.experiments.report.pictures.signal_pictures import ring_picture
from denxanh.experiments.report.pictures.street_picture import street_picture
from denxanh.sim.errors import InputError
from denxanh.sim.language.text import Text, number
from denxanh.sim.network import GREEN as LETS_GO
from denxanh.sim.network import Intersection, Network
from denxanh.sim.text_values import did_you_mean
from denxanh.sim.timing.arterials import arterials


def time_space_plot(source: PlotSource, language: Language) -> Figure:
    """The longest street of signals in the middle of the first run: signals, vehicles, queues, bands of a fixed plan.

    Raises InputError where no two signals follow each other along a street.
    """
    recording = source.recording
    streets = arterials(recording.network)
    if not streets:
        raise InputError(
            "no two signals follow each other along a street",
            location=source.scenario.place,
            remedy="choose another kind of plot",
        )
    return placed(
        street_picture(recording, streets[0], source.scenario.clock, source.label), source, language
    )


def queue_heat_plot(source: PlotSource, language: Language) -> Figure:
    """Longest back of queue on each approach in each interval of the first run, m; intervals are at least a cycle."""
    found = queue_heat_pictures([source.recording], [source.label], source.scenario.clock)
    return placed(found[0], source, language)


def purdue_plot(source: PlotSource, language: Language, intersection: str | None = None) -> Figure:
    """Purdue coordination diagram of the busiest through movement of an intersection, by default of all.

    Raises InputError for an unknown intersection, and where nobody arrives.
    """
    recording = source.recording
    signals = [_intersection(recording.network, intersection).id]
    if intersection is None:
        signals = list(recording.network.intersections)
    found = [one for signal in signals if (one := busiest(recording, signal)) is not None]
    most = max(found, key=lambda one: one.vehicles, default=None)
    if most is None or most.vehicles <= 0:
        raise InputError(
            "no vehicle arrives in the measured window",
            location=intersection or source.scenario.place,
            remedy="choose another intersection",
        )
    picture = purdue_picture(recording, most, source.scenario.clock, source.label)
    return placed(picture, source, language)


def ring_plot(source: PlotSource, language: Language, intersection: str | None = None) -> Figure:
    """The ring-and-barrier diagram of one intersection, by default the first, under the plan of the controller.

    Raises InputError for an unknown intersection.
    """
    one = _intersection(source.network, intersection)
    return placed(ring_picture(one, one.program, source.network, source.label), source, language)


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
                    color=ink_on(COLOUR[letter]),
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
    drawn.title(Text(f"Stages at {one.name}, ", f"Các pha tại {one.name}, ") + source.label)
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
