"""Plots of results as matplotlib figures, for papers and slides: the data and colours of the report."""

__all__ = [
    "canvas",
    "picture_figure",
    "plot",
    "plot_source",
    "plots_of_runs",
    "plots_of_space",
]
