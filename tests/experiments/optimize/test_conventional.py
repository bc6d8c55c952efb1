"""The conventional plan: own stages, splits by flow ratios, a swept cycle; computed once and part of the identity."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import denxanh as dx
from denxanh.experiments.compare import specify_runs
from denxanh.experiments.interface import with_plans
from denxanh.experiments.optimize.job.conventional import (
    TRAINING_SEEDS,
    NotRaced,
    conventional_plan,
    conventional_plan_file,
)
from denxanh.experiments.results.summary import group_verdicts, groups
from denxanh.experiments.runs.run_row import RunRow
from denxanh.sim.demand.movement_flows import with_flows
from denxanh.sim.errors import InputError
from denxanh.sim.network_reader import network_of
from denxanh.sim.timing.critical_flow import critical_ratios, flows_of
from denxanh.sim.timing.webster import START_LOSS, YELLOW_USED, lost_time


@pytest.fixture
def scenario(tiny_place: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dx.Scenario:
    """A street with two signals for five minutes, with an empty cache of plans."""
    monkeypatch.setenv("DENXANH_CACHE", str(tmp_path / "cache"))
    return dx.open_scenario(tiny_place.config, end=300)


def test_it_keeps_the_stages_and_splits_by_critical_flow_ratios(scenario: dx.Scenario) -> None:
    found = conventional_plan(scenario)
    network = with_flows(network_of(scenario), scenario)
    assert {timing.cycle for timing in found.plan.timings.values()} == {found.cycle}
    for name, timing in found.plan.timings.items():
        intersection = network.intersections[name]
        own = [stage.state for stage in intersection.program.stages]
        assert sorted(stage.state for stage in timing.stages) == sorted(own)
        ratios = dict(zip(own, critical_ratios(intersection, own, flows_of(intersection)), strict=True))
        total = sum(ratios.values())
        spare = found.cycle - lost_time(timing)
        for stage in timing.stages:
            # Webster: effective greens in proportion to y; whole seconds, not below the minimum greens
            least = min(phase.min_green for phase in intersection.phases if phase.state == stage.state)
            wanted = ratios[stage.state] / total * spare + START_LOSS - YELLOW_USED
            assert stage.green >= least
            assert stage.green <= max(wanted, least) + 1.5
    ran = [sumo for _, _, sumo in found.tried if np.isfinite(sumo)]
    assert len(ran) >= 1
    chosen = [sumo for cycle, _, sumo in found.tried if cycle == found.cycle]
    assert min(chosen) == min(ran)
    assert not set(TRAINING_SEEDS) & set(range(1, 1001))


def test_it_is_computed_once_by_its_name_and_counts_in_the_identity(scenario: dx.Scenario) -> None:
    runs = specify_runs(scenario, ["program", "conventional"], [1, 2])
    said: list[str] = []
    planned = with_plans(runs, on_message=said.append)
    assert said == [f"{scenario.name}: computing the conventional plan"]
    assert {run.label for run in planned} == {"program", "conventional"}
    files = {run.computed["plan"] for run in planned if run.controller == "conventional"}
    assert len(files) == 1
    record = json.loads((Path(files.pop()).parent / "conventional.json").read_text("utf-8"))
    assert record["training_seeds"] == list(TRAINING_SEEDS)
    assert record["tried"]
    again = with_plans(runs, on_message=said.append)
    assert len(said) == 1  # from the cache
    assert [run.identity() for run in again] == [run.identity() for run in planned]
    other = dx.run(scenario, "conventional", seed=2)
    assert other.manifest["controller"] == "conventional"
    given = specify_runs(scenario, [f"conventional:plan={planned[1].computed['plan']}"], [1])
    assert with_plans(given) == given  # a plan that is given is not computed


def test_without_a_plan_it_says_what_to_do(scenario: dx.Scenario) -> None:
    from denxanh.controllers.fixed.conventional import Conventional

    with pytest.raises(InputError, match="conventional has no plan"):
        Conventional().make_plan(network_of(scenario))


def row(controller: str, seed: int, delay: float) -> RunRow:
    return RunRow(
        "x", controller, seed, metrics={"delay_s": delay, "loaded": 100, "waiting": 0, "teleports": 0}
    )


def test_the_gain_over_conventional_comes_first() -> None:
    delays = {"program": 100.0, "predictive": 60.0, "conventional": 70.0}
    rows = [
        row(name, seed, delay + 0.1 * seed * len(name))
        for name, delay in delays.items()
        for seed in range(1, 6)
    ]
    said = [english for english, _ in group_verdicts(groups(rows)[0])]
    assert [line.split(":")[0] for line in said] == ["predictive", "predictive", "conventional"]
    assert "than conventional" in said[0]
    assert "than program" in said[1]


def test_without_time_for_sumo_the_queue_model_chooses_and_nothing_is_cached(scenario: dx.Scenario) -> None:
    with pytest.raises(NotRaced) as late:
        conventional_plan_file(scenario, until=time.monotonic() - 1)
    plan = late.value.plan
    assert plan.note.endswith("chosen by the queue model alone")
    own = network_of(scenario).intersections
    assert set(plan.timings) == set(own)
    known = conventional_plan_file(scenario)  # made anew, with SUMO
    assert "alone" not in json.loads(known.read_text("utf-8"))["note"]
