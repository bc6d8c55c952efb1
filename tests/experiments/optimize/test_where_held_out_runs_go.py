"""Held-out runs go to the executor that is asked for: this machine, or the workers of a cluster."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from denxanh.experiments import executors
from denxanh.experiments.compare import specify_runs
from denxanh.experiments.optimize.evaluation.deadline import OutOfTime
from denxanh.experiments.optimize.job.progress_listener import ProgressListener
from denxanh.experiments.optimize.job.validation import execute_until_late
from denxanh.experiments.runs import cluster
from denxanh.experiments.runs.local import Local
from denxanh.sim.scenario import Scenario


@pytest.fixture
def scenario(tiny_place: Any) -> Scenario:
    return Scenario("tiny", tiny_place.net, (tiny_place.routes,), end=60.0)


def test_the_address_of_a_scheduler_sends_them_to_its_workers(
    scenario: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, Path]] = []

    def workers(address: str, out: Path) -> Local:
        asked.append((address, out))
        return Local(out, jobs=1)

    monkeypatch.setattr(cluster, "Cluster", workers)
    runs = specify_runs(scenario, ["program"], [1])
    rows = execute_until_late(
        tmp_path, runs, jobs=1, listener=ProgressListener(), cluster="tcp://127.0.0.1:1"
    )
    assert [row.state for row in rows] == ["done"]
    assert asked == [("tcp://127.0.0.1:1", tmp_path / "held-out")]
    assert executors.executor_for(tmp_path, jobs=1, cluster=None)  # this machine needs no address


def test_when_the_time_is_over_the_complete_runs_count(scenario: Scenario, tmp_path: Path) -> None:
    said: list[str] = []
    done = 0

    def count(id: str, outcome: Any) -> None:
        nonlocal done
        done += 1

    def over() -> None:
        if done:
            raise OutOfTime

    listener = ProgressListener(on_message=said.append, on_run=count, on_wait=over)
    # the second run is under way when the time is over, and cannot be through in the seconds that ending it takes
    runs = [
        *specify_runs(scenario, ["program"], [1]),
        *specify_runs(replace(scenario, end=1e7), ["program"], [2, 3]),
    ]
    rows = execute_until_late(tmp_path, runs, jobs=1, listener=listener)
    assert [(row.state, row.seed) for row in rows] == [("done", 1)]
    assert said == ["the time is over: 1 runs are done"]
