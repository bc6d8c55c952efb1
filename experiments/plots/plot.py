"""``plot``: one picture of results by its kind, as a matplotlib figure or a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from matplotlib.figure import Figure

from denxanh.experiments.plots import plots_of_runs, plots_of_space
from denxanh.experiments.plots.canvas import Language
from denxanh.experiments.plots.plot_source import PlotSource, open_source
from denxanh.sim.errors import InputError
from denxanh.sim.text_values import did_you_mean

KINDS: dict[str, Callable[[PlotSource, Language], Figure]] = {
    "delay": plots_of_runs.delay_plot,
    "differences": plots_of_runs.difference_plot,
    "queue": plots_of_runs.queue_plot,
    "cumulative": plots_of_runs.cumulative_plot,
    "mfd": plots_of_runs.mfd_plot,
    "time-space": plots_of_space.time_space_plot,
    "queue-heat": plots_of_space.queue_heat_plot,
    "purdue": plots_of_space.purdue_plot,
    "stages": plots_of_space.stage_plot,
    "rings": plots_of_space.ring_plot,
    "plans": plots_of_runs.plans_plot,
    "failures": plots_of_runs.failure_plot,
    "spillback": plots_of_runs.spillback_plot,
}
OF_INTERSECTION = {
    "purdue": plots_of_space.purdue_plot,
    "stages": plots_of_space.stage_plot,
    "rings": plots_of_space.ring_plot,
}


def check_kind(kind: str) -> None:
    """Raise InputError for an unknown kind."""
    if kind not in KINDS:
        raise InputError(f"there is no plot {kind!r}", remedy=did_you_mean(kind, list(KINDS)))


def plot(
    folder: Path,
    kind: str,
    *,
    language: Language = "en",
    place: str | None = None,
    controller: str | None = None,
    intersection: str | None = None,
) -> Figure:
    """The figure of one of KINDS from the folder of results.

    ``time-space``, ``queue-heat`` and ``purdue`` simulate the first run of ``controller`` again to record its vehicles.
    Raises InputError for an unknown kind, place, controller or intersection.
    """
    check_kind(kind)
    if intersection is not None and kind not in OF_INTERSECTION:
        raise InputError(f"the plot {kind!r} shows no single intersection", remedy="leave --intersection out")
    source = open_source(folder, place=place, controller=controller)
    if kind in OF_INTERSECTION:
        return OF_INTERSECTION[kind](source, language, intersection)
    return KINDS[kind](source, language)
