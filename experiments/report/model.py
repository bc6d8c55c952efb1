"""What a report tells: runs, their summary, and the scenes they were made in. Plain frozen data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from markupsafe import Markup

from sim.errors import InputError
from sim.network import Network
from sim.text import Text

Value = float | int | None
OK = "ok"


@dataclass(frozen=True)
class RunRecord:
    """One run. ``metrics`` by the names of sim.metrics, empty unless ``status`` is "ok".

    ``folder`` holds manifest.json and the Parquet tables of sim.run; None if they were not kept.
    """

    place: str
    controller: str
    seed: int
    status: str = OK
    reason: str = ""
    metrics: Mapping[str, Value] = field(default_factory=dict)
    folder: Path | None = None

    @property
    def ok(self) -> bool:
        """Whether the run can be believed."""
        return self.status == OK


@dataclass(frozen=True)
class SummaryRow:
    """One controller and metric over its runs at one place; intervals of 95 %, in the metric's unit.

    ``diff`` is the mean paired difference to the baseline. None where there is nothing to tell: one run
    has no interval, the baseline no difference.
    """

    place: str
    controller: str
    metric: str
    mean: float | None
    ci_low: float | None
    ci_high: float | None
    n: int
    diff: float | None = None
    diff_ci_low: float | None = None
    diff_ci_high: float | None = None
    verdict: Text | None = None


@dataclass(frozen=True)
class Scene:
    """One place under one demand: a section of the report. Times are s.

    ``place`` is the key of its runs; ``notes`` say what was ignored, left to SUMO or assumed. ``verdicts``
    are its headline, for instance corrected for the number of comparisons; without them it is made of the
    verdicts on delay_s in the summary.
    """

    place: str
    title: Text
    begin: float
    end: float
    warm_up: float = 0.0
    network: Network | None = None
    verdicts: tuple[Text, ...] = ()
    notes: tuple[Text, ...] = ()
    credit: str = ""
    panels: tuple[Panel, ...] = ()


@dataclass(frozen=True)
class Panel:
    """A part of a scene that only some reports have: drawings or tables with captions, under a heading."""

    heading: Text
    items: tuple[tuple[Markup, Text], ...]  # drawing or table, caption
    note: Text | None = None
    wide: bool = False  # one item a row


@dataclass(frozen=True)
class Comparison:
    """Everything the report says.

    ``made`` is printed as it is; leave it empty and equal input gives equal bytes.
    """

    title: Text
    baseline: str
    scenes: tuple[Scene, ...]
    runs: tuple[RunRecord, ...]
    summary: tuple[SummaryRow, ...]
    command: str
    versions: Mapping[str, str]
    notes: tuple[Text, ...] = ()
    made: str = ""

    def __post_init__(self) -> None:
        places = [scene.place for scene in self.scenes]
        if not places:
            raise InputError("a report needs at least one place")
        if len(set(places)) != len(places):
            raise InputError(f"a place is given twice: {', '.join(places)}")
        known = {run.place for run in self.runs} | {row.place for row in self.summary}
        strangers = sorted(known - set(places))
        if strangers:
            raise InputError(
                f"there are results of '{strangers[0]}', which is not among the places {', '.join(places)}"
            )
        if self.baseline not in self.controllers:
            raise InputError(
                f"the baseline '{self.baseline}' has no run", remedy=f"there is {', '.join(self.controllers)}"
            )

    @cached_property
    def controllers(self) -> tuple[str, ...]:
        """Labels in order of appearance, the baseline first."""
        seen = dict.fromkeys(run.controller for run in self.runs)
        return tuple(sorted(seen, key=lambda name: name != self.baseline))

    def runs_of(self, place: str, controller: str) -> tuple[RunRecord, ...]:
        """The believable runs of one controller at one place, by seed."""
        return self._runs.get((place, controller), ())

    @cached_property
    def _runs(self) -> dict[tuple[str, str], tuple[RunRecord, ...]]:
        found: dict[tuple[str, str], list[RunRecord]] = {}
        for run in sorted(self.runs, key=lambda run: run.seed):
            if run.ok:
                found.setdefault((run.place, run.controller), []).append(run)
        return {key: tuple(runs) for key, runs in found.items()}

    def row(self, place: str, controller: str, metric: str) -> SummaryRow | None:
        """The summary of one controller and metric, or None."""
        return self._rows.get((place, controller, metric))

    @cached_property
    def _rows(self) -> dict[tuple[str, str, str], SummaryRow]:
        return {(row.place, row.controller, row.metric): row for row in self.summary}
