"""An episode as a run: its actions as a controller, simulated in SUMO, and drawn as a replay."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from denxanh.experiments.compare import specify_runs
from denxanh.experiments.learning.environment_options import Draw, EnvironmentOptions
from denxanh.experiments.learning.model_episode import scenario_of
from denxanh.experiments.replay.choice import choose_runs
from denxanh.experiments.replay.replay_page import render
from denxanh.experiments.runs.local import run_one
from denxanh.experiments.specification.run_options import RunOptions
from denxanh.sim.controller import Green, Observation, Policy
from denxanh.sim.errors import InputError
from denxanh.sim.network import Network

_DIGITS = 3  # SUMO computes in ms


@dataclass(frozen=True)
class RecordedActions:
    """Recorded: gives at each question the green that a learner gave at that time."""

    name: ClassVar[str] = "recorded"
    sees: ClassVar[frozenset[str]] = frozenset()

    greens: Mapping[
        str, tuple[tuple[float, int, float], ...]
    ]  # by signal: s of the question, phase, s of green

    def start(self, network: Network) -> Mapping[str, Policy]:
        """A policy for each signal that the learner has controlled; the others keep their program."""
        return {name: _policy(greens) for name, greens in self.greens.items()}


def _policy(greens: tuple[tuple[float, int, float], ...]) -> Policy:
    known = {round(time, _DIGITS): Green(phase, seconds) for time, phase, seconds in greens}

    def policy(seen: Observation) -> Green:
        return known.get(round(seen.time, _DIGITS)) or Green(
            seen.phase, max(seen.minimum_left, seen.whole(1.0))
        )

    return policy


def replay_of(
    options: EnvironmentOptions,
    drawn: Draw,
    greens: Mapping[str, tuple[tuple[float, int, float], ...]],
    until: float,
) -> str:
    """The replay of an episode until a time, s, as an HTML page: SUMO simulates its answers again.

    Raises InputError where there is nothing to show yet, and for an episode with events.
    """
    scenario = options.scenario
    if until <= scenario.begin:
        raise InputError("the episode has not begun", location="render", remedy="call step first")
    if options.events:
        raise InputError(
            "an episode with events has no replay",
            location="render",
            remedy="leave the events out to render it",
        )
    with tempfile.TemporaryDirectory(prefix="denxanh-render-") as name:
        folder = Path(name)
        scale = float(scenario.options.get("scale", "1")) * drawn.demand
        shown = replace(
            scenario_of(options, drawn.day, folder),
            end=until,
            options={**scenario.options, **({} if scale == 1.0 else {"scale": f"{scale:g}"})},
        )
        rules: dict[str, Any] = {
            key: value for key, value in asdict(options.rules).items() if value is not None
        }
        runs = specify_runs(
            shown,
            [RecordedActions(greens)],
            [drawn.seed],
            options=RunOptions(warm_up=0.0, flush=0.0, safety=rules),
        )
        run_one(runs[0], folder / "run")
        return render(choose_runs([folder / "run"]))
