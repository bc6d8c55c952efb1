"""What goes to a worker of a cluster: a run comes back as if it had run here, or is refused in a sentence."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from denxanh.controllers.fixed.fixed_time import FixedTime
from denxanh.experiments.compare import specify_runs
from denxanh.experiments.formats.existing_plan import existing_plan
from denxanh.experiments.runs import cluster, cluster_job
from denxanh.experiments.runs.local import run_one
from denxanh.experiments.specification.run_specification import RunSpecification
from denxanh.networks.scenarios import open_scenario
from denxanh.sim.controller import Controller
from denxanh.sim.errors import InputError
from denxanh.sim.network_reader import network_of


@pytest.fixture
def worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which a worker in this process keeps its files."""
    folder = tmp_path / "worker"
    folder.mkdir()
    monkeypatch.setattr(cluster_job.tempfile, "gettempdir", lambda: str(folder))
    return folder


@pytest.fixture
def plan(tiny_place: Any, tmp_path: Path) -> Path:
    file = tmp_path / "plan.json"
    network = network_of(open_scenario(str(tiny_place.config)))
    file.write_text(json.dumps(existing_plan(network).to_json()), "utf-8")
    return file


def specified(tiny_place: Any, controller: str | Controller) -> RunSpecification:
    return specify_runs(open_scenario(str(tiny_place.config), end=60), [controller], [1])[0]


def sent(run: RunSpecification) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The job and the bytes that go with it."""
    job, files = cluster_job.cluster_job(run.identity(), run)
    return json.loads(json.dumps(job)), {key: zlib.compress(path.read_bytes()) for key, path in files.items()}


@pytest.mark.parametrize("form", ["fixed-time:plan={}", "police:over=police:over=fixed-time:plan={}"])
def test_the_files_that_parameters_name_go_along(
    form: str, plan: Path, worker: Path, tiny_place: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Relative ones too; on the worker the file is the worker's own, and the run has the same identity."""
    monkeypatch.chdir(plan.parent)
    run = specified(tiny_place, form.format(plan.name))
    job, inputs = sent(run)
    monkeypatch.chdir(worker)
    plan.unlink()
    there = cluster_job.local_run(job, inputs)
    assert there.identity() == job["id"]
    assert str(worker) in json.dumps(dict(there.parameters))
    assert there.scenario.net.is_relative_to(worker)


def test_a_result_from_a_worker_is_that_of_this_machine(
    plan: Path, worker: Path, tiny_place: Any, tmp_path: Path
) -> None:
    run = specified(tiny_place, f"fixed-time:plan={plan}")
    job, inputs = sent(run)
    answer = cluster.run_remote(json.dumps(job), inputs)
    assert answer["state"] == "done", answer
    received = cluster.receive(tmp_path / "received", run, answer["files"], answer["content"]).manifest
    here = run_one(run, tmp_path / "here")
    assert received is not None
    machine = {"wall_s", "cpu_s", "files", "sumo_command"}
    assert {k: v for k, v in received.items() if k not in machine} == {
        k: v for k, v in here.items() if k not in machine
    }
    assert str(worker) not in json.dumps(received["parameters"])


@pytest.mark.parametrize("name", ["denxanh", "sumo", "libsumo", "numpy", "python"])
def test_a_worker_with_another_version_refuses(name: str, worker: Path, tiny_place: Any) -> None:
    job, inputs = sent(specified(tiny_place, "program"))
    job["versions"][name] = "0.0"
    with pytest.raises(InputError, match=rf"the worker has {name} .*, not 0\.0"):
        cluster_job.local_run(job, inputs)


def test_a_worker_with_other_code_refuses(
    worker: Path, tiny_place: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a plug-in, for instance: its digest is part of the identity."""
    job, inputs = sent(specified(tiny_place, "max-pressure"))
    monkeypatch.setattr("denxanh.experiments.specification.identity._plugin_hash", lambda name: "other")
    with pytest.raises(InputError, match="another code of denxanh or of controller 'max-pressure'"):
        cluster_job.local_run(job, inputs)
    answer = cluster.run_remote(json.dumps(job), inputs)
    assert answer["state"] == "refused"


def day(plan: Path) -> str:
    schedule = plan.with_name("day.json")
    schedule.write_text(json.dumps([{"from": "07:00", "plan": plan.name}]), "utf-8")
    return f"time-of-day:schedule={schedule}"


def folder(plan: Path) -> str:
    (plan.parent / "orders").mkdir()
    return f"police:orders={plan.parent / 'orders'}"


class Mine(FixedTime):
    """A class without a name of its own."""


CANNOT_GO: Mapping[str, tuple[Callable[[Path], str | Controller], str]] = {
    "plans of a schedule": (day, "reads files that no parameter names"),
    "below a layer": (lambda plan: f"police:over={day(plan)}", "reads files that no parameter names"),
    "a folder": (folder, "reads a folder"),
    "an object": (lambda plan: Mine(str(plan)), "was given as an object"),
}


@pytest.mark.parametrize("name", CANNOT_GO)
def test_what_a_cluster_does_not_carry_is_refused(name: str, plan: Path, tiny_place: Any) -> None:
    make, said = CANNOT_GO[name]
    run = specified(tiny_place, make(plan))
    with pytest.raises(InputError, match=said) as refusal:
        cluster_job.cluster_job("0" * 64, run)
    assert "\n" not in str(refusal.value)


def test_an_object_of_a_class_with_a_name_goes_as_its_name(plan: Path, tiny_place: Any) -> None:
    run = specified(tiny_place, FixedTime(str(plan)))
    job, _ = sent(run)
    assert list(job["parameters"]) == [str(plan)]
