"""Seeds until it is precise, a warm-up that is found, estimates before the start."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from denxanh.experiments.experiment import Session, announcement, run_experiment
from denxanh.experiments.runs.execution import Outcome
from denxanh.experiments.runs.ledger import Ledger
from denxanh.experiments.runs.proof import Fault, Record
from denxanh.experiments.specification.run_specification import RunSpecification
from denxanh.sim.errors import InputError
from denxanh.sim.metrics import NAMES


class Invented:
    """An executor whose delays are drawn: for the baseline 60, for others 50, with this spread over seeds."""

    def __init__(self, spread: float, fails: tuple[int, ...] = ()) -> None:
        self._spread = spread
        self._fails = fails

    def slots(self) -> int:
        return 4

    def submit(self, id: str, task: RunSpecification) -> Future[Outcome]:
        future: Future[Outcome] = Future()
        rng = np.random.default_rng([task.seed, len(task.controller)])
        delay = (60.0 if task.controller == "program" else 50.0) + self._spread * rng.normal()
        metrics = dict.fromkeys(NAMES, 1.0) | {
            "delay_s": float(delay),
            "loaded": 100,
            "waiting": 0,
            "teleports": 0,
        }
        manifest = {"wall_s": 2.0, "cpu_s": 1.0, "tripinfo_sha256": id, "metrics": metrics}
        bad = task.seed in self._fails
        future.set_result(
            Outcome("refused", reason="as told") if bad else Outcome("done", manifest, content=id)
        )
        return future

    def completed(self, id: str) -> Outcome | None:
        return None

    def fault(self, record: Record) -> Fault | None:
        return None

    def close(self) -> None:
        pass


@pytest.fixture
def no_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """Invented runs leave no tables to draw."""
    import denxanh.experiments.report.comparison_report

    monkeypatch.setattr(
        denxanh.experiments.report.comparison_report, "write_comparison", lambda *_, **__: None
    )


@contextlib.contextmanager
def silent(total: int) -> Iterator[Any]:
    yield lambda id, outcome: None


def run(folder: Path, tiny_place: Any, executor: Any, stop: str) -> tuple[list[int], list[str]]:
    """Seeds used by the baseline, and what was told."""
    file = folder / "experiment.toml"
    file.write_text(f'places = ["{tiny_place.config}"]\ncontrollers = ["program", "max-pressure"]\n{stop}\n')
    told: list[str] = []
    rows = run_experiment(file, folder / "out", Session(lambda: executor, 2, told.append, silent))
    return [row.seed for row in rows if row.controller == "program"], told


@pytest.mark.usefixtures("no_report")
def test_a_quiet_difference_needs_the_fewest_seeds(tiny_place: Any, tmp_path: Path) -> None:
    seeds, _ = run(tmp_path, tiny_place, Invented(0.5), "stop = {half_width = 0.05, min = 5, max = 30}")
    assert seeds == list(range(1, 6))


@pytest.mark.usefixtures("no_report")
def test_a_loud_one_needs_more_and_a_hopeless_one_all(tiny_place: Any, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    loud, told = run(
        tmp_path / "a", tiny_place, Invented(6.0), "stop = {half_width = 0.05, min = 5, max = 60}"
    )
    assert 5 < len(loud) < 60
    assert len(told) == (len(loud) - 5) // 5 + 1  # looked at every fifth seed
    hopeless, _ = run(
        tmp_path / "b", tiny_place, Invented(500.0), "stop = {half_width = 0.05, min = 5, max = 12}"
    )
    assert len(hopeless) == 12


@pytest.mark.usefixtures("no_report")
def test_a_failed_seed_ends_the_asking(tiny_place: Any, tmp_path: Path) -> None:
    seeds, _ = run(
        tmp_path, tiny_place, Invented(500.0, fails=(3,)), "stop = {half_width = 0.01, min = 5, max = 50}"
    )
    assert seeds == list(range(1, 6))


@pytest.mark.usefixtures("no_report")
def test_what_is_done_tells_how_long_the_rest_takes(tiny_place: Any, tmp_path: Path) -> None:
    run(tmp_path, tiny_place, Invented(1.0), "seeds = 3")
    with Ledger(tmp_path / "out" / "ledger.sqlite") as ledger:
        assert ledger.seconds_left() == 0.0
        ledger.reset_lost(ledger.ids("done")[:2])
        assert ledger.seconds_left() == pytest.approx(4.0)
        said = announcement(ledger.counts(), ledger.seconds_left(), 2)
    assert said == "6 runs, 4 done, 2 to do, about 2 s with 2 side by side"
    assert "time unknown" in announcement({"pending": 3}, None, 2)


def test_a_warm_up_is_found_where_there_is_a_steady_state(tiny_place: Any, tmp_path: Path, here: Any) -> None:
    rows = "\n".join(
        f'<vehicle id="{k}" depart="{k * 5}"><route edges="left0A0 A0B0 B0right0"/></vehicle>'
        for k in range(720)
    )
    routes = tmp_path / "steady.rou.xml"
    routes.write_text(f"<routes>{rows}</routes>")
    file = tmp_path / "experiment.toml"
    text = f'places = ["{tiny_place.net}+steady.rou.xml"]\ncontrollers = ["program"]\nseeds = 2\nwarm_up = "mser-5"\n'
    file.write_text(text + "end = 3600\n")
    ended = here("experiment", file, "--out", tmp_path / "out", "--jobs", "1")
    assert ended.status == 0, ended.stderr
    assert "warm-up" in ended.stderr
    file.write_text(text + "end = 600\n")  # too short to tell
    ended = here("experiment", file, "--out", tmp_path / "short", "--jobs", "1")
    assert ended.status == 2
    assert "observations" in ended.stderr


def test_a_shard_cannot_know_when_to_stop(tiny_place: Any, tmp_path: Path) -> None:
    file = tmp_path / "experiment.toml"
    file.write_text(
        f'places = ["{tiny_place.config}"]\ncontrollers = ["program"]\nstop = {{half_width = 0.05}}\n'
    )
    with pytest.raises(InputError, match="a stopping rule needs all runs"):
        run_experiment(file, tmp_path / "out", Session(lambda: Invented(1.0), 1, print, silent, shard=(1, 2)))
