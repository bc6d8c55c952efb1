"""The report of a comparison: one HTML page, English and Vietnamese, that needs nothing else."""

from denxanh.experiments.report.contents import Comparison, Panel, ScenarioResults
from denxanh.experiments.report.page import render, write_report
from denxanh.sim.language.text import Text

__all__ = ["Comparison", "Panel", "ScenarioResults", "Text", "render", "write_report"]
