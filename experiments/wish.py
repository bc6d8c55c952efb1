"""What is asked of one tuning: the options of ``denxanh optimize``, checked as far as that needs no place."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from experiments.optimize.day_search import PERIOD
from experiments.optimize.freeze import Freeze, Only, freeze_for
from experiments.optimize.judge import DELAY
from experiments.optimize.objective import Objective
from sim.errors import InputError
from sim.network import Network
from sim.scenario import Scenario

Kind = Literal["static", "actuated"]
Lefts = Literal["keep", "drop", "both"]
KINDS: tuple[str, ...] = get_args(Kind)
LEFTS: tuple[str, ...] = get_args(Lefts)


@dataclass(frozen=True)
class Wish:
    """One tuning. Raises InputError for wishes that exclude each other."""

    objective: Objective = DELAY
    pareto: tuple[Objective, Objective] | None = None  # a front of two instead
    seconds: float = 15.0  # CPU of search
    only: Only = "all"
    freeze: tuple[str, ...] = ()  # signals that keep everything
    signals: tuple[str, ...] = ()  # only these may change, all if empty
    keep_cycle: bool = False
    greens: tuple[str, ...] = ()  # limits as J1:2=15-40
    greens_file: Path | None = None
    lefts: Lefts = "keep"  # may protected lefts become permitted
    kind: Kind = "static"
    seeds: tuple[int, ...] = (1, 2, 3)  # to judge on
    held_out: tuple[int, ...] = (101, 102, 103, 104, 105)
    demand_samples: int = 0  # other days of the demand to tune for, beside the one given
    scales: tuple[float, ...] = (1.0,)  # levels of demand to tune for
    also: tuple[Scenario, ...] = ()  # other traffic on the same network to tune for
    day: int = 0  # at most so many plans by time of day; 0: one plan
    day_period: float = PERIOD  # s
    trust: bool = True  # measure first how far the model can be believed
    search_seed: int = 1

    def __post_init__(self) -> None:
        several = self.pareto is not None, bool(self.day), self.lefts == "both", self.kind == "actuated"
        names = ("--pareto", "--day", "--lefts both", "--kind actuated")
        asked = [name for name, wanted in zip(names, several, strict=True) if wanted]
        allowed = ({"--lefts both", "--kind actuated"},)
        if len(asked) > 1 and set(asked) not in allowed:
            raise InputError(
                f"{asked[0]} and {asked[1]} cannot be had in one go", remedy="ask for one after the other"
            )
        if self.kind == "actuated" and (self.greens or self.greens_file):
            raise InputError(
                "limits on greens hold for fixed plans, an actuated program has its own minimum and maximum",
                remedy="leave --green and --greens out, or --kind actuated",
            )
        if self.day == 1:
            raise InputError("a day of one plan is no day of plans", remedy="give --day 2 or more")
        if self.day and self.objective != DELAY:
            raise InputError("plans by time of day are chosen by delay", remedy="leave --objective out")
        if self.day and not self.day_period > 0:
            raise InputError(
                f"a period of {self.day_period:g} s cannot be meant", remedy="give --day-period 900"
            )
        if 1.0 not in self.scales:
            raise InputError(
                "the demand as given is not among --demand-scale, but it is what the plan is proven on",
                remedy="write 1 among them, as 0.8,1,1.2",
            )
        demands = len(set(self.scales)) + self.demand_samples + len(self.also)
        if max(len(set(self.seeds)), demands) < 2:
            raise InputError(
                "a plan cannot be accepted on one run", remedy="give at least two seeds, as --seeds 2"
            )
        seen = sorted(set(self.seeds) & set(self.held_out))
        if seen:
            raise InputError(
                f"seed {seen[0]} is kept for the proof", remedy=f"leave {seen[0]} out of --seeds"
            )

    def freezing(self, network: Network) -> Freeze:
        """What stays, checked against the network. Raises InputError."""
        return freeze_for(
            network,
            only=self.only,
            keep_cycle=self.keep_cycle,
            freeze=self.freeze,
            signals=self.signals,
            greens=self.greens,
            greens_file=self.greens_file,
        )
