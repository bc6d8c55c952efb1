"""Names of the plans that gains refer to: the conventional plan first, the existing one second."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from denxanh.sim.language.text import Text
from denxanh.sim.scenario import Scenario

CONVENTIONAL: Final = "conventional"
"""The controller whose plan an engineer would have set: gains over it are reported before those over the baseline."""
EXISTING: Final = "program"
"""The controller that runs the existing plan."""
EXISTING_NAME: Final = "existing plan"
"""Its name in an optimisation where somebody has confirmed that the plan runs in the street."""
ASSUMED_NAME: Final = "assumed plan"
"""Its name in an optimisation where nobody has."""
EXISTING_NAMES: Final = (EXISTING, EXISTING_NAME, ASSUMED_NAME)


def existing_name(scenario: Scenario) -> str:
    """The name of the existing plan in the results of an optimisation."""
    return ASSUMED_NAME if scenario.plan_is_assumed else EXISTING_NAME


def existing_adjective(*, assumed_plan: bool) -> Text:
    """The word for a place's own plan: existing only where somebody has seen it in the street, else assumed."""
    return Text("assumed", "giả định") if assumed_plan else Text("existing", "hiện trạng")


def references(controllers: Collection[str]) -> list[str]:
    """The names among ``controllers`` that gains refer to: the conventional plan, then the existing one."""
    existing = [name for name in controllers if name in EXISTING_NAMES]
    return [name for name in controllers if name == CONVENTIONAL] + existing[:1]
