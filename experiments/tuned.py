"""What came out of ``denxanh optimize``: one plan or more, and the runs in SUMO that prove them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from experiments.handover import Handed
from experiments.ledger import Row
from experiments.optimize.day_search import PlannedDay
from experiments.optimize.export import Actuation
from experiments.optimize.front import JudgedFront
from experiments.optimize.trusting import Believed
from experiments.optimize.tune import Outcome
from sim.model.calibrate import Trust
from sim.network import Network
from sim.plan import Plan
from sim.scenario import Scenario

Array = NDArray[np.float64]

NEW = "optimised"
"""What the new plan is called in tables and reports; its rows' own label holds a path."""
OWN = "program"  # the controller that runs the network's own plan
OWN_NAME = "own plan"  # and what it is called where a plan stands beside another


@dataclass(frozen=True)
class Variant:
    """One plan that came out, under the name it has in tables. An empty ``plan``: the network's own was not beaten."""

    name: str
    plan: Plan
    handed: Handed
    outcome: Outcome | None = None
    believed: Believed | None = None
    in_sumo: bool = False  # searched in SUMO, because the model could not rank plans
    actuation: Actuation | None = None
    day: PlannedDay | None = None
    again: bool = False  # a day of one plan, which is another variant's

    @property
    def new(self) -> bool:
        """Whether there is anything to prove."""
        return bool(self.plan.timings) and not self.again


@dataclass(frozen=True)
class Tuned:
    """What came out: the plans, and SUMO's runs on held-out seeds and days."""

    variants: tuple[Variant, ...]
    network: Network
    rows: tuple[Row, ...]  # none if the proof was stopped
    scenarios: tuple[Scenario, ...]  # the place, then other days of it
    folder: Path
    front: JudgedFront | None = None
    values: Array | None = (
        None  # (own and new variants, cases, terms) held out, where more than delay is asked for
    )
    interrupted: bool = False

    @property
    def unproved(self) -> list[str]:
        """Names of new plans of which no held-out run came to its end, though nobody stopped them."""
        proved = {row.controller for row in self.rows if row.state == "done"}
        return [v.name for v in self.variants if v.new and not self.interrupted and v.name not in proved]

    @property
    def trust(self) -> Trust | None:
        """How far the model was believed, if that was measured."""
        return next((v.believed.trust for v in self.variants if v.believed is not None), None)
