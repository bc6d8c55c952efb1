"""Days of a study: each seed with a day of its own, or the same vehicles under every seed."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from denxanh.experiments.definition.resample import Resampling, another_day
from denxanh.sim.scenario import Scenario

Days = Literal["each", "same"]
BLOCK = 900.0
"""s, the interval within which the HCM takes demand as uniform: departures are drawn anew within it."""
DAYS = Resampling("bootstrap", BLOCK, 0)
"""How the days of a study differ: Poisson arrivals about the profile of the day given."""


def day_of_seed(scenario: Scenario, seed: int, folder: Path) -> Scenario:
    """The day of a seed: departures drawn anew, random in number for flows; the same seed has the same day.

    Within blocks of BLOCK s as many vehicles as before are drawn with replacement, so that the day has the same
    profile; route files go into ``folder``. A scenario in which nothing can be drawn keeps its one day.
    Raises InputError.
    """
    return another_day(scenario, DAYS, seed, folder, random_flows=True)
