"""The conclusions of a comparison, place by place: what its first screen says, for a terminal and for Python."""

from __future__ import annotations

from collections.abc import Sequence

from denxanh.experiments.report.decision.cautions import cautions
from denxanh.experiments.report.decision.first_screen import FirstScreen, first_screen
from denxanh.experiments.report.decision.names import place_title
from denxanh.experiments.results.references import EXISTING_NAMES
from denxanh.experiments.results.summary import groups
from denxanh.experiments.runs.run_row import RunRow, place_label
from denxanh.sim.language.text import Text
from denxanh.sim.network_reader import network_of
from denxanh.sim.scenario import Scenario


def existing_is_assumed(scenario: Scenario, rows: Sequence[RunRow]) -> bool:
    """Whether the existing plan is among the controllers and nobody has seen it in the street."""
    return scenario.plan_is_assumed and any(row.controller in EXISTING_NAMES for row in rows)


def conclusions(scenarios: Sequence[Scenario], rows: Sequence[RunRow]) -> list[tuple[Text, FirstScreen]]:
    """The first screen of each place and demand level that has something to compare, with the name of the place."""
    by_name = {scenario.name: scenario for scenario in scenarios}
    found = []
    for group in groups(rows):
        scenario = by_name[group.place]
        mine = [row for row in rows if (row.place, row.demand) == (group.place, group.demand)]
        assumed = existing_is_assumed(scenario, mine)
        screen = first_screen(
            group,
            network_of(scenario) if scenario.net.is_file() else None,
            assumed_plan=assumed,
            duration=scenario.end - scenario.begin,
            cautions=cautions(mine, assumed_plan=assumed, notes=scenario.notes),
        )
        if screen is not None:
            found.append((place_title(place_label(group.place, group.demand)), screen))
    return found
