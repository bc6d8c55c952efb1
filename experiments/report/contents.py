"""Contents of a report: rows of runs, their summary, and the scenarios they were simulated in. Plain frozen data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from markupsafe import Markup

from denxanh.experiments.results.summary_row import SummaryRow
from denxanh.experiments.runs.run_row import RunRow
from denxanh.sim.errors import InputError
from denxanh.sim.language.text import Clock, Text, clock_kind
from denxanh.sim.network import Network

Pictures = Literal["none", "tables", "recorded"]
"""Which pictures of traffic and signals a section has: those that the tables of its runs give, or also those for which
two runs are simulated again."""


@dataclass(frozen=True)
class ScenarioResults:
    """One place under one demand: a section of the report. Times are s.

    ``place`` is the key of its runs; ``notes`` say what was ignored, left to SUMO or assumed. ``verdicts``
    are its headline, for instance corrected for the number of comparisons; without them it is made of the
    verdicts on delay_s in the summary.
    """

    place: str
    title: Text
    begin: float
    end: float
    warm_up: float = 0.0  # s at the begin that are not measured
    network: Network | None = None
    # the existing plan is one of the controllers, and nobody has seen it in the street
    assumed_plan: bool = False
    verdicts: tuple[Text, ...] = ()
    notes: tuple[Text, ...] = ()
    credit: str = ""
    panels: tuple[Panel, ...] = ()
    flush: float = 0.0  # s at the end that are not measured
    pictures: Pictures = "none"
    findings: tuple[Text, ...] = ()  # what else the first screen says, sentence by sentence

    @property
    def clock(self) -> Clock:
        """What its times count from."""
        return clock_kind(self.begin, self.end)

    @property
    def measured(self) -> tuple[float, float]:
        """Begin and end of the measured window, s."""
        return self.begin + self.warm_up, self.end - self.flush


@dataclass(frozen=True)
class Panel:
    """A part of a scenario that only some reports have: drawings or tables with captions, under a heading."""

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
    scenarios: tuple[ScenarioResults, ...]
    runs: tuple[RunRow, ...]
    summary: tuple[SummaryRow, ...]
    command: str
    versions: Mapping[str, str]
    notes: tuple[Text, ...] = ()
    made: str = ""
    others_folded: bool = False  # the first scenario is the subject, the others are days that confirm it

    def __post_init__(self) -> None:
        places = [scenario.place for scenario in self.scenarios]
        if not places:
            raise InputError("a report needs at least one place")
        if len(set(places)) != len(places):
            raise InputError(f"duplicate place: {', '.join(places)}")
        known = {run.place_label for run in self.runs} | {row.place_label for row in self.summary}
        unknown = sorted(known - set(places))
        if unknown:
            raise InputError(
                f"there are results of the unknown place '{unknown[0]}'; the places are {', '.join(places)}"
            )
        if self.baseline not in self.controllers:
            raise InputError(
                f"the baseline '{self.baseline}' has no run",
                remedy=f"choose from {', '.join(self.controllers)}",
            )

    @cached_property
    def controllers(self) -> tuple[str, ...]:
        """Labels in order of appearance, the baseline first."""
        seen = dict.fromkeys(run.controller for run in self.runs)
        return tuple(sorted(seen, key=lambda name: name != self.baseline))

    def runs_of(self, place: str, controller: str) -> tuple[RunRow, ...]:
        """The done runs of one controller at one place, by seed."""
        return self._runs.get((place, controller), ())

    @cached_property
    def _runs(self) -> dict[tuple[str, str], tuple[RunRow, ...]]:
        found: dict[tuple[str, str], list[RunRow]] = {}
        for run in sorted(self.runs, key=lambda run: run.seed):
            if run.done:
                found.setdefault((run.place_label, run.controller), []).append(run)
        return {key: tuple(runs) for key, runs in found.items()}

    def row(self, place: str, controller: str, metric: str) -> SummaryRow | None:
        """The summary of one controller and metric, or None."""
        return self._rows.get((place, controller, metric))

    @cached_property
    def _rows(self) -> dict[tuple[str, str, str], SummaryRow]:
        return {(row.place_label, row.controller, row.metric): row for row in self.summary}
