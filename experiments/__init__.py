"""Many runs and one answer: plan, run, store, tune, compare, draw, tell; the command line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from denxanh.experiments.results.load import Results

__all__ = ["load"]


def load(folder: str | Path) -> Results:
    """The results in an experiment's folder: ``load(DIR).runs["delay_s"]``. See docs/results.md."""
    from denxanh.experiments.results import load  # the command line must start without numpy

    return load.load(folder)
