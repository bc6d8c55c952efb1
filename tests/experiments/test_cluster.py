"""A real Dask cluster on this machine: scheduler and workers as processes, one killed in the middle."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("distributed", reason="the extra [cluster] is not installed")
SEEDS = [4, pytest.param(250, marks=pytest.mark.slow)]


class Dask:
    """A scheduler and its workers."""

    def __init__(self, folder: Path, env: dict[str, str]) -> None:
        self._folder = folder
        self._env = env
        self._processes: list[subprocess.Popen[bytes]] = []
        self.address = self._scheduler()

    def _start(self, module: str, name: str, *arguments: str) -> subprocess.Popen[bytes]:
        with (self._folder / f"{name}.log").open("wb") as stream:
            process = subprocess.Popen(
                [sys.executable, "-m", f"distributed.cli.{module}", *arguments, "--no-dashboard"],
                stdout=stream,
                stderr=stream,
                cwd=self._folder,
                env=self._env,
            )
        self._processes.append(process)
        return process

    def _scheduler(self) -> str:
        self._start("dask_scheduler", "scheduler", "--host", "127.0.0.1", "--port", "0")
        log = self._folder / "scheduler.log"
        for _ in range(600):
            if found := re.search(r"Scheduler at:\s*(tcp://\S+)", log.read_text()):
                return found.group(1)
            time.sleep(0.1)
        raise AssertionError(log.read_text())

    def worker(self, name: str) -> subprocess.Popen[bytes]:
        """One more, with one thread and no nanny."""
        return self._start("dask_worker", name, self.address, "--nthreads", "1", "--no-nanny", "--name", name)

    def end(self) -> None:
        """Kill them all."""
        for process in reversed(self._processes):
            process.kill()
            process.wait()


@pytest.fixture
def dask(tmp_path: Path) -> Iterator[Callable[[dict[str, str]], Dask]]:
    """Start a scheduler in this environment; workers are added by the test."""
    made: list[Dask] = []

    def make(env: dict[str, str]) -> Dask:
        made.append(Dask(tmp_path, env))
        return made[-1]

    yield make
    for one in made:
        one.end()


@pytest.mark.parametrize("seeds", SEEDS)
def test_a_lost_worker_and_a_restarted_client_cost_no_result(
    campaign: Callable[..., Any], tiny_place: Any, dask: Callable[[dict[str, str]], Dask], seeds: int
) -> None:
    import os

    text = f'places = ["{tiny_place.config}"]\ncontrollers = ["program", "max-pressure"]\nseeds = {seeds}\nend = 60\n'
    local, remote = campaign("local"), campaign("remote")
    local.write(text)
    status, printed = local.finish()
    assert status == 0, printed
    cluster = dask({**os.environ, **remote.env})
    first = cluster.worker("first")
    cluster.worker("second")
    remote.write(text)
    started = remote.start("--cluster", cluster.address)
    _wait_for(started, len(local.results()) // 4)
    first.kill()
    _wait_for(started, len(local.results()) // 2)
    started.kill(started.process.pid)  # the client
    started.process.wait()
    cluster.worker("third")
    status, printed = remote.finish("--cluster", cluster.address, seconds=900)
    assert status == 0, printed
    assert remote.results() == local.results()
    folders = [path for path in (remote.out / "runs").glob("*/*") if path.is_dir()]
    assert len(folders) == len(local.results())


def test_no_scheduler_is_told_in_a_sentence(campaign: Callable[..., Any], tiny_place: Any) -> None:
    one = campaign()
    one.write(f'places = ["{tiny_place.config}"]\ncontrollers = ["program"]\nseeds = 1\n')
    status, printed = one.finish("--cluster", "tcp://127.0.0.1:9")
    assert status == 2
    assert "no Dask scheduler answers" in printed
    assert "Traceback" not in printed


def _wait_for(started: Any, runs: int) -> None:
    """Until so many runs were told done."""
    while started.log.read_text().count("s/veh") < runs:
        assert started.process.poll() is None, started.log.read_text()
        time.sleep(0.05)
