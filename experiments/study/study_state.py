"""What the steps of a study share: its folder, its clock, its record, and the controller of the existing plan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from denxanh.experiments.results.references import EXISTING, existing_name
from denxanh.experiments.specification.run_specification import controller_label
from denxanh.experiments.study.study_clock import StudyClock
from denxanh.experiments.study.study_options import StudyOptions
from denxanh.sim.language.text import Text
from denxanh.sim.run import store
from denxanh.sim.scenario import Scenario

RECORD, PLACE, SEARCH, RUNS = "study.json", "place", "plan", "comparison"
FIDELITY = "other-fidelity"  # folder of the runs in the other fidelity, and of the place under its counts
ACTUATED = "actuated"
# shares of the time by which these steps end
UNTIL = {"conventional": 0.45, "search": 0.65, "days": 0.78, "other fidelity": 0.9}

Named = tuple[str, dict[str, str]]  # a controller and its parameters


@dataclass
class Study:
    """State shared by the steps."""

    out: Path
    options: StudyOptions
    clock: StudyClock
    jobs: int
    command: str
    on_message: Callable[[str], None]
    record: dict[str, Any] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)  # of plans, by the labels of their controllers
    skipped: list[Text] = field(default_factory=list)
    partial: Text | None = None

    def say(self, step: str) -> None:
        """Tell the user the step, with the time that has passed."""
        self.on_message(f"{step} ({self.clock.text()})")

    def keep(self, **facts: Any) -> None:
        """Remember facts for the next call."""
        self.record |= facts
        store.write_json(self.out / RECORD, self.record)


def existing_controller(study: Study, scenario: Scenario) -> tuple[list[Named], dict[str, str]]:
    """The controller of the existing plan, and its name by its label."""
    if study.options.plan is None:
        return [(EXISTING, {})], {EXISTING: existing_name(scenario)}
    parameters = {"plan": str(study.options.plan.resolve())}
    return [("fixed-time", parameters)], {controller_label("fixed-time", parameters): existing_name(scenario)}
