"""One answer from the same run: fresh processes, both doors to SUMO, any number of jobs, any order, odd paths."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from denxanh.experiments.compare import specify_runs
from denxanh.experiments.runs.launcher import SpawnLauncher
from denxanh.experiments.runs.ledger import Ledger
from denxanh.experiments.runs.local import Local
from denxanh.experiments.runs.runner import enter, output_lock, run_missing
from denxanh.experiments.runs.worker import FAILED
from denxanh.experiments.specification.run_options import RunOptions
from denxanh.experiments.specification.run_specification import RunSpecification
from denxanh.networks.scenarios import open_scenario

REPEATS = [3, pytest.param(20, marks=pytest.mark.slow)]
ODD = ["Ngã tư Sở – đường Láng", "a,b it's 50% done", "${HOME}", "x" * 200]


def hashes(
    out: Path, tasks: list[RunSpecification], *, jobs: int, order: int
) -> dict[tuple[str, int], tuple[str | None, ...]]:
    """Trips' and tables' hash by controller and seed, run in a shuffled order."""
    shuffled = random.Random(order).sample(tasks, len(tasks))
    with output_lock(out), Ledger(out / "ledger.sqlite") as ledger:
        enter(ledger, shuffled)
        run_missing(out, ledger, Local(out, jobs=jobs))
        rows = list(ledger.rows())
    assert {row.state for row in rows} == {"done"}, [row.reason for row in rows]
    return {(row.controller, row.seed): (row.sha256, row.content) for row in rows}


@pytest.mark.parametrize("repeats", REPEATS)
def test_jobs_order_and_back_end_change_nothing(tiny_place: Any, tmp_path: Path, repeats: int) -> None:
    tasks = specify_runs(
        open_scenario(str(tiny_place.config), end=90), ["program", "max-pressure"], [1, 2, 3]
    )
    first = hashes(tmp_path / "first", tasks, jobs=1, order=0)
    assert len(set(first.values())) == len(first)
    for k in range(1, repeats):
        assert hashes(tmp_path / str(k), tasks, jobs=(2, 8, 1)[k % 3], order=k) == first
    by_traci = [replace(task, options=RunOptions(backend="traci")) for task in tasks]
    assert hashes(tmp_path / "traci", by_traci, jobs=2, order=99) == first


def test_where_there_is_no_fork_the_results_are_the_same(
    tiny_place: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks = specify_runs(open_scenario(str(tiny_place.config), end=60), ["max-pressure"], [1, 2])
    forked = hashes(tmp_path / "forked", tasks, jobs=2, order=0)
    monkeypatch.setattr("denxanh.experiments.runs.local.launcher", SpawnLauncher)
    assert hashes(tmp_path / "spawned", tasks, jobs=2, order=0) == forked


def test_a_spawned_run_ends_when_its_starter_is_gone(
    tmp_path: Path,
) -> None:
    code = (
        "import time; from denxanh.experiments.runs import worker; "
        "worker.run_job = lambda f: time.sleep(600); worker.main()"
    )
    run = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE)
    time.sleep(0.5)
    assert run.poll() is None
    assert run.stdin is not None
    run.stdin.close()  # as the system does for a runner that was killed
    assert run.wait(20) == FAILED


def test_cologne1_seed_5_has_one_answer_among_other_runs(
    resco: Callable[[str], Path], tmp_path: Path
) -> None:
    place = open_scenario(str(resco("cologne1")))
    tasks = specify_runs(open_scenario(str(resco("cologne1")), end=place.begin + 900), ["program"], [5, 1, 2])
    found = {hashes(tmp_path / str(k), tasks, jobs=1 + k % 2, order=k)["program", 5] for k in range(3)}
    assert len(found) == 1


@pytest.mark.parametrize("name", ODD)
def test_a_folder_of_any_name_works(campaign: Callable[..., Any], tiny_place: Any, name: str) -> None:
    one = campaign(name)
    for path in (tiny_place.net, tiny_place.routes, tiny_place.config):
        shutil.copy(path, one.folder)
    one.write(f'places = ["{tiny_place.config.name}"]\ncontrollers = ["program"]\nseeds = 1\nend = 30\n')
    status, printed = one.finish()
    assert status == 0, printed
    assert [state for state, _, _ in one.results().values()] == ["done"]


@pytest.mark.parametrize("env", [{"LC_ALL": "C", "LANG": "C"}, {"SUMO_HOME": "/nowhere"}])
def test_an_odd_environment_works(campaign: Callable[..., Any], tiny_place: Any, env: dict[str, str]) -> None:
    one = campaign("Ngã tư", **env)
    for path in (tiny_place.net, tiny_place.routes, tiny_place.config):
        shutil.copy(path, one.folder)
    one.write(f'places = ["{tiny_place.config.name}"]\ncontrollers = ["program"]\nseeds = 1\nend = 30\n')
    status, printed = one.finish()
    assert status == 0, printed
