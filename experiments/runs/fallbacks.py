"""Runs in which signals fell back to their plan: a part of such a run is the plan's, not the controller's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from denxanh.experiments.runs.run_row import RunRow
from denxanh.sim.language.text import Text, same
from denxanh.sim.run.store import read_manifest


def fell_back(row: RunRow) -> bool:
    """Whether a signal of a complete run fell back to its plan."""
    return row.done and bool(row.metrics.get("fallbacks"))


def fallback_causes(rows: Sequence[RunRow]) -> dict[str, Text]:
    """For each controller with such runs a clause: in how many of its complete runs, and the first cause.

    ``rows`` are of one place and demand. "bad fell back to its plan in 1 of 3 runs: C at t=5 s: the controller asked
    for phase 17; there are 0…3".
    """
    runs: dict[str, list[RunRow]] = {}
    for row in rows:
        if row.done:
            runs.setdefault(row.controller, []).append(row)
    return {
        name: _clause(name, fallen, len(mine))
        for name, mine in runs.items()
        if (fallen := [row for row in mine if fell_back(row)])
    }


def fallback_flags(rows: Sequence[RunRow]) -> list[Text]:
    """A sentence for each place and controller with runs in which signals fell back to their plan."""
    places: dict[str, list[RunRow]] = {}
    for row in rows:
        places.setdefault(row.place_label, []).append(row)
    several = len(places) > 1
    return [
        (same(f"{place}, ") if several else same("")) + clause
        for place, mine in places.items()
        for clause in fallback_causes(mine).values()
    ]


def cause_of(event: Mapping[str, Any]) -> str:
    """Where, when and why, of a fallback in a manifest."""
    detail = f"{'raised ' if event['cause'] == 'raised' else ''}{event['detail']}"
    spot = f"{event['intersection']} at t="
    return detail if detail.startswith(spot) else f"{spot}{event['time_s']:g} s: {detail}"


def _clause(name: str, fallen: Sequence[RunRow], runs: int) -> Text:
    counted = Text(
        f"{name} fell back to its plan in {len(fallen)} of {runs} runs",
        f"{name} phải về phương án cố định ở {len(fallen)} trên {runs} lượt chạy",
    )
    cause = next(filter(None, map(_first_cause, fallen)), "")
    return counted + same(f": {cause}") if cause else counted


def _first_cause(row: RunRow) -> str:
    manifest = None if row.folder is None else read_manifest(row.folder)
    events = [] if manifest is None else manifest.get("events", [])
    return next((cause_of(event) for event in events if event.get("kind") == "fallback"), "")
