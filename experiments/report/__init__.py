"""The report of a comparison: one HTML page, English and Vietnamese, that needs nothing else."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from denxanh.experiments.report.contents import Comparison, Panel, ScenarioResults
    from denxanh.experiments.report.page import render, write_report
    from denxanh.sim.language.text import Text

__all__ = ["Comparison", "Panel", "ScenarioResults", "Text", "render", "write_report"]

_HOME = {
    "Comparison": "denxanh.experiments.report.contents",
    "Panel": "denxanh.experiments.report.contents",
    "ScenarioResults": "denxanh.experiments.report.contents",
    "Text": "denxanh.sim.language.text",
    "render": "denxanh.experiments.report.page",
    "write_report": "denxanh.experiments.report.page",
}
"""Each name is imported when it is asked for: ``denxanh check`` uses a sentence of this room and draws no page."""


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
