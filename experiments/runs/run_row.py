"""RunRow: the result of one run, as its ledger keeps it and as tables, statistics and reports read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

State = Literal["pending", "running", "done", "failed", "timeout", "refused"]


@dataclass(frozen=True)
class RunRow:
    """One run: what it simulated, how it ended and what it measured."""

    place: str
    controller: str  # its label: with its parameters, and its sensing unless that is ideal
    seed: int
    state: State = "done"
    reason: str = ""  # why it failed
    metrics: Mapping[str, float | int | None] = field(
        default_factory=dict
    )  # by the names of denxanh.sim.metrics
    folder: Path | None = None  # manifest.json and the Parquet tables; None where the run is not done
    demand: float = 1.0  # scale of the place's demand
    sensing: str = "ideal"
    id: str = ""  # RunSpecification.identity()
    number: int = 0  # order in the experiment
    attempts: int = 1
    wall_s: float | None = None
    cpu_s: float | None = None
    sha256: str | None = None  # of the tripinfo
    content: str | None = None  # SHA-256 over the tables

    @property
    def done(self) -> bool:
        """Whether the run is complete, so that its metrics count."""
        return self.state == "done"

    @property
    def place_label(self) -> str:
        """The place under its demand level."""
        return place_label(self.place, self.demand)


def place_label(place: str, demand: float) -> str:
    """A place under a demand level as tables and reports name it."""
    return place if demand == 1.0 else f"{place} × {demand:g}"


def run_folder(out: Path, id: str) -> Path:
    """The folder of a run's result below an experiment's folder."""
    return out / "runs" / id[:2] / id[:16]
