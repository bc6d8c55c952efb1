"""The report of a comparison: one HTML page, English and Vietnamese, that needs nothing else."""

from experiments.report.model import Comparison, Panel, RunRecord, Scene, SummaryRow
from experiments.report.page import render, write_report
from sim.text import Text

__all__ = ["Comparison", "Panel", "RunRecord", "Scene", "SummaryRow", "Text", "render", "write_report"]
