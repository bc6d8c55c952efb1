"""The example of docs/experiments.md: two places, five controllers, three demand levels, ten seeds."""

from __future__ import annotations

import re
import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from denxanh.experiments.definition.expand import expand
from denxanh.experiments.definition.experiment_file import read_experiment

DOCS = Path(__file__).resolve().parents[2] / "docs"
EXAMPLE = DOCS / "examples" / "two-places.toml"
SHORT = ["seeds = 1\nend = {end}\n", "seeds = 10\nend = {end}\n"]


def test_it_expands_to_300_runs_as_the_page_says(tmp_path: Path) -> None:
    experiment = expand(read_experiment(EXAMPLE), EXAMPLE)
    assert len(experiment) == 300
    ids = {run.identity() for run in experiment.runs(warm_up=0.0, days=tmp_path)}
    assert len(ids) == 300
    page = (DOCS / "experiments.md").read_text("utf-8")
    blocks = [tomllib.loads(block) for block in re.findall(r"```toml\n(.*?)```", page, re.DOTALL)]
    assert tomllib.loads(EXAMPLE.read_text("utf-8")) in blocks


@pytest.mark.slow  # test_kill has a sample of kills, test_interrupt of signals
@pytest.mark.parametrize("short", SHORT)
def test_it_is_killed_resumed_and_ends_in_a_report(campaign: Callable[..., Any], short: str) -> None:
    experiment = expand(read_experiment(EXAMPLE), EXAMPLE)
    end = max(scenario.begin for scenario in experiment.scenarios) + 40
    one = campaign()
    one.write(EXAMPLE.read_text("utf-8").replace("seeds = 10\n", short.format(end=end)))
    runs = 30 if "seeds = 1\n" in short else 300
    started = one.start()
    while started.log.read_text().count("s/veh") < runs // 6:
        assert started.process.poll() is None, started.log.read_text()
        time.sleep(0.05)
    started.kill(started.process.pid)
    started.process.wait()
    assert started.left(5.0) == []
    status, printed = one.finish(seconds=3000)
    assert status == 0, printed
    assert f"{runs} runs" in printed
    assert " 0 done" not in printed.splitlines()[0]
    assert (one.out / "report.html").stat().st_size > 10_000
