"""Callbacks by which an optimisation reports its progress."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from denxanh.experiments.optimize.search.outcome import Progress
from denxanh.experiments.runs.execution import Outcome


@dataclass(frozen=True)
class ProgressListener:
    """Functions called during an optimisation; by default they do nothing."""

    on_search: Callable[[Progress], None] = lambda progress: None  # after each step of a search
    on_message: Callable[[str], None] = lambda text: None  # when a phase of the optimisation begins
    on_run: Callable[[str, Outcome], None] = lambda id, outcome: None  # after each held-out run
    on_wait: Callable[[], None] = lambda: (
        None
    )  # at least every second of these runs; what it raises ends them
