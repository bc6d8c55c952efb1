"""A run that meets a limit of time is repeated once, and never looks like one that met none."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from denxanh.experiments.cli.printing import event_lines
from denxanh.experiments.compare import specify_runs
from denxanh.experiments.merge import merge
from denxanh.experiments.report.tables import flags
from denxanh.experiments.runs.execution import Outcome, execute_run
from denxanh.experiments.runs.ledger import Ledger
from denxanh.experiments.runs.proof import Fault, Record, tables_hash
from denxanh.experiments.runs.run_row import RunRow, run_folder
from denxanh.experiments.runs.runner import enter, output_lock, run_missing
from denxanh.experiments.runs.worker import LATE, OK
from denxanh.experiments.specification.run_options import Limits
from denxanh.experiments.specification.run_specification import RunSpecification
from denxanh.networks.scenarios import open_scenario
from denxanh.sim.run import store

MET = "J0 at t=40 s: it took more than 5 s of CPU time"
HANGS = None  # the status of a process that does not end


def manifest(limits: tuple[str, ...] = (), repeated_after: str = "", sha: str = "a") -> dict[str, Any]:
    """As much of a manifest as the ledger reads."""
    return {
        "wall_s": 1.0,
        "cpu_s": 1.0,
        "tripinfo_sha256": sha,
        "metrics": {"delay_s": 10.0},
        "limits_met": list(limits),
        "repeated_after": repeated_after,
    }


class Scripted:
    """A launcher whose processes end with the given statuses, one after the other."""

    def __init__(self, *statuses: int | None) -> None:
        self.statuses = list(statuses)
        self.jobs: list[dict[str, Any]] = []
        self.killed = 0

    def start(self, folder: Path) -> Scripted:
        self.jobs.append(json.loads((folder / "job.json").read_text("utf-8")))
        self.status = self.statuses.pop(0)
        if self.status == LATE:
            (folder / "error.json").write_text(json.dumps({"kind": "limit", "message": MET}), "utf-8")
        if self.status == OK:
            target = Path(self.jobs[-1]["target"])
            target.mkdir(parents=True)
            content = manifest(repeated_after=self.jobs[-1]["repeated_after"])
            (target / "manifest.json").write_text(json.dumps(content), "utf-8")
        return self

    def wait(self, seconds: float) -> int | None:
        return self.status

    def kill(self) -> None:
        self.killed += 1

    def close(self) -> None:
        pass


@pytest.fixture
def run(tiny_place: Any) -> RunSpecification:
    (one,) = specify_runs(open_scenario(str(tiny_place.config), end=60), ["max-pressure"], [1])
    return replace(one, options=replace(one.options, limits=Limits(wall=0.001)))


@pytest.fixture
def executed(tmp_path: Path, run: RunSpecification) -> Callable[[Scripted], Outcome]:
    return lambda launcher: execute_run(
        launcher, tmp_path / "job", tmp_path / "out", run, stop=threading.Event()
    )


def test_a_run_that_meets_no_limit_is_run_once(executed: Callable[[Scripted], Outcome]) -> None:
    launcher = Scripted(OK)
    outcome = executed(launcher)
    assert (outcome.state, outcome.attempts, outcome.limits_met) == ("done", 1, "")
    assert [job["repeated_after"] for job in launcher.jobs] == [""]


def test_a_run_whose_controller_is_late_is_repeated(executed: Callable[[Scripted], Outcome]) -> None:
    launcher = Scripted(LATE, OK)
    outcome = executed(launcher)
    assert (outcome.state, outcome.attempts) == ("done", 2)
    assert [job["repeated_after"] for job in launcher.jobs] == ["", MET]
    assert outcome.manifest is not None
    assert event_lines({"events": [], "waivers": [], **outcome.manifest}) == [
        f"this run was repeated after a limit of time: {MET}"
    ]


def test_a_run_that_takes_too_long_is_repeated(executed: Callable[[Scripted], Outcome]) -> None:
    launcher = Scripted(HANGS, OK)
    outcome = executed(launcher)
    assert (outcome.state, outcome.attempts, launcher.killed) == ("done", 2, 1)


@pytest.mark.parametrize(
    ("status", "reason"), [(LATE, MET), (HANGS, "it ran longer than 0.001 s and was ended")]
)
def test_the_second_limit_ends_it(
    executed: Callable[[Scripted], Outcome], status: int | None, reason: str
) -> None:
    outcome = executed(Scripted(status, status))
    assert (outcome.state, outcome.attempts, outcome.reason) == ("timeout", 2, f"twice: {reason}")


def test_a_run_that_was_stopped_is_not_repeated(tmp_path: Path, run: RunSpecification) -> None:
    stop = threading.Event()
    stop.set()
    launcher = Scripted(HANGS)
    assert execute_run(launcher, tmp_path / "job", tmp_path / "out", run, stop=stop).state == "stopped"


class Known:
    """An executor with one result in place and another to come."""

    def __init__(self, there: Outcome | None, new: Outcome) -> None:
        self.there, self.new = there, new
        self.submitted = 0

    def slots(self) -> int:
        return 1

    def submit(self, id: str, run: RunSpecification) -> Future[Outcome]:
        self.submitted += 1
        future: Future[Outcome] = Future()
        future.set_result(self.new)
        return future

    def completed(self, id: str) -> Outcome | None:
        return self.there

    def fault(self, record: Record) -> Fault | None:
        return None if self.there is not None else Fault("the folder of the run is missing", Path(record.id))

    def close(self) -> None:
        pass


def recorded(out: Path, run: RunSpecification, executor: Known) -> RunRow:
    """The row of the run after all pending ones were run."""
    with output_lock(out), Ledger(out / "ledger.sqlite") as ledger:
        enter(ledger, [run])
        ledger.retry_failed()
        run_missing(out, ledger, executor)
        (row,) = ledger.rows()
        return row


def test_the_ledger_and_the_report_tell_a_limited_run(tmp_path: Path, run: RunSpecification) -> None:
    limited = Outcome("done", manifest((MET,), MET), attempts=2)
    row = recorded(tmp_path, run, Known(None, limited))
    assert (row.state, row.reason, row.attempts) == ("limited", MET, 2)
    assert row.done  # its numbers are there
    (flag,) = flags([row])
    assert MET in flag.text.en
    assert "depend on the machine" in flag.text.en
    assert event_lines({"events": [], "waivers": [], **limited.manifest}) == [  # type: ignore[dict-item]
        f"a limit of time was met twice, so these numbers depend on the machine: {MET}"
    ]


def test_resuming_runs_a_limited_result_again(tmp_path: Path, run: RunSpecification) -> None:
    limited, calm = Outcome("done", manifest((MET,), MET), attempts=2), Outcome("done", manifest())
    recorded(tmp_path, run, Known(None, limited))
    executor = Known(limited, calm)
    row = recorded(tmp_path, run, executor)
    assert executor.submitted == 1
    assert (row.state, row.reason, row.attempts) == ("done", "", 1)
    executor = Known(calm, limited)
    assert recorded(tmp_path, run, executor) == row
    assert executor.submitted == 0


def test_a_repeated_run_says_why(tmp_path: Path, run: RunSpecification) -> None:
    row = recorded(tmp_path, run, Known(None, Outcome("done", manifest((), MET), attempts=2)))
    assert (row.state, row.attempts) == ("done", 2)
    assert row.reason == f"repeated after a limit: {MET}"
    assert flags([row]) == []


@pytest.mark.parametrize("order", [("calm", "busy"), ("busy", "calm")])
def test_a_merge_prefers_the_result_without_a_limit(
    tmp_path: Path, run: RunSpecification, order: tuple[str, str]
) -> None:
    for name, limits, sha in (("calm", (), "a"), ("busy", (MET,), "b")):
        content = manifest(limits, sha=sha) | {"id": run.identity(), "files": {}}
        folder = run_folder(tmp_path / name, run.identity())
        folder.mkdir(parents=True)
        store.write_json(folder / "manifest.json", content)
        outcome = Outcome("done", content, content=tables_hash(folder))
        recorded(tmp_path / name, run, Known(None, outcome))
    (row,) = merge(tmp_path / "all", [tmp_path / name for name in order], on_message=lambda text: None)
    assert (row.state, row.sha256) == ("done", "a")
    kept = json.loads((run_folder(tmp_path / "all", row.id) / "manifest.json").read_text("utf-8"))
    assert kept["tripinfo_sha256"] == "a"
