"""Runs on other machines, through any Dask scheduler (and so through dask-jobqueue on Slurm, or Kubernetes).

A worker gets a run as JSON and its inputs as bytes, once per worker and content; it starts the run as a child
process, so that a crashing SUMO takes no worker with it, and sends the result back as bytes. Only the client
writes results, after checking them. No shared file system is needed, and a lost worker costs no result.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import threading
import zlib
from collections.abc import Mapping
from concurrent.futures import CancelledError, Future
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from denxanh.controllers.registry import make_controller
from denxanh.experiments.runs.cluster_job import cluster_job, local_run
from denxanh.experiments.runs.execution import (
    Outcome,
    completed_outcome,
    execute_run,
)
from denxanh.experiments.runs.launcher import Launcher, launcher
from denxanh.experiments.runs.proof import Fault, Record, run_fault, tables_hash
from denxanh.experiments.runs.run_row import run_folder
from denxanh.experiments.specification.run_specification import RunSpecification
from denxanh.experiments.specification.sources import content_hash
from denxanh.sim.controller import capabilities, recorded_parameters
from denxanh.sim.errors import InputError
from denxanh.sim.run import store
from denxanh.sim.run.provenance import file_record
from denxanh.sim.run.store import MANIFEST, read_manifest
from denxanh.sim.sumo.run_input import CONFIG

CONNECT = 10.0  # s to reach the scheduler
AHEAD = 2  # runs submitted per thread, so that no worker waits for the client


class Cluster:
    """An executor whose runs happen on the workers of a Dask scheduler."""

    def __init__(self, address: str, out: Path) -> None:
        try:
            import distributed
        except ImportError:
            raise InputError(
                "a cluster needs the package distributed", remedy="install denxanh with the extra [cluster]"
            ) from None
        try:
            client: Any = distributed.Client
            self._client = client(address, timeout=CONNECT, name="denxanh", set_as_default=False)
        except (OSError, ValueError) as error:
            raise InputError(
                f"no Dask scheduler answers ({error})",
                location=address,
                remedy="start one, or correct --cluster",
            ) from None
        self._out = out
        self._inputs: dict[str, Any] = {}  # content hash → the future that holds it
        self._submitted = 0
        self._lock = threading.Lock()
        self._running: set[Any] = set()

    def slots(self) -> int:
        """Some more than the threads of all workers there are now."""
        return AHEAD * int(sum(self._client.nthreads().values()))

    def submit(self, id: str, run: RunSpecification) -> Future[Outcome]:
        """Send a run; its result is written when it comes back."""
        future: Future[Outcome] = Future()
        try:
            job, files = cluster_job(id, run)
        except InputError as error:
            future.set_result(Outcome("refused", reason=str(error)))
            return future
        inputs = {digest: self._input(path) for digest, path in files.items()}
        self._submitted += 1
        remote = self._client.submit(
            run_remote,
            json.dumps(job),
            inputs,
            key=f"denxanh-run-{id[:16]}-{os.getpid()}-{self._submitted}",
            pure=False,
        )
        self._running.add(remote)
        remote.add_done_callback(lambda done: self._on_done(id, run, done, future))
        return future

    def completed(self, id: str) -> Outcome | None:
        """From the folder on this machine."""
        return completed_outcome(self._out, id)

    def fault(self, record: Record) -> Fault | None:
        """From the folder on this machine."""
        return run_fault(run_folder(self._out, record.id), record)

    def close(self) -> None:
        """Release the running futures; the scheduler drops runs not yet begun, and workers discard the rest."""
        for remote in list(self._running):
            remote.release()
        self._inputs.clear()
        self._client.close(timeout=3.0)

    def _input(self, path: Path) -> Any:
        """An input as a future of the scheduler: any worker can fetch it, and the loss of one does not matter."""
        key = content_hash(path)
        if key not in self._inputs:
            data = zlib.compress(path.read_bytes(), 6)
            self._inputs[key] = self._client.submit(send_input, data, key=f"denxanh-input-{key}", pure=True)
        return self._inputs[key]

    def _on_done(self, id: str, run: RunSpecification, remote: Any, future: Future[Outcome]) -> None:
        """Called by Dask in a thread of its own when a run has ended somewhere."""
        try:
            outcome = self._outcome(id, run, remote)
        except BaseException as error:
            future.set_exception(error)
            return
        finally:
            self._running.discard(remote)
        future.set_result(outcome)

    def _outcome(self, id: str, run: RunSpecification, remote: Any) -> Outcome:
        try:
            answer: dict[str, Any] = remote.result()
        except CancelledError:
            return Outcome("stopped")
        except Exception as error:  # KilledWorker, a lost connection, a worker without denxanh
            return Outcome("lost", reason=f"no worker could do it: {type(error).__name__}: {error}")
        finally:
            remote.release()
        if answer["state"] != "done":
            return Outcome(answer["state"], reason=answer["reason"], attempts=answer.get("attempts", 1))
        with self._lock:  # one writer at a time
            outcome = receive(run_folder(self._out, id), run, answer["files"], answer["content"])
            return replace(outcome, attempts=answer.get("attempts", 1))


def send_input(data: bytes) -> bytes:
    """Return the input: a future on the scheduler whose result is the data."""
    return data


def receive(target: Path, run: RunSpecification, files: Mapping[str, bytes], content: str) -> Outcome:
    """Write a result received as bytes, verify it and move it into place; returns its outcome."""
    folder = store.folder_beside(target)
    try:
        for name, data in files.items():
            if name != Path(name).name or name in ("", ".", ".."):
                return Outcome("lost", reason=f"a worker sent a file with the name {name!r}")
            (folder / name).write_bytes(zlib.decompress(data))
        manifest = read_manifest(folder)
        if manifest is None or tables_hash(folder) != content:
            return Outcome("lost", reason="the result arrived incomplete")
        _replace_paths(folder, target, run, manifest)
        for path in (*folder.iterdir(), folder):
            store.sync(path)
        store.publish(folder, target)
    except OSError as error:
        return Outcome("full", reason=f"a result could not be written: {error.strerror}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return Outcome("done", manifest, content=content)


def _replace_paths(folder: Path, target: Path, run: RunSpecification, manifest: dict[str, Any]) -> None:
    """Replace the worker's paths by those of this machine, so that bare SUMO can repeat the run here."""
    scenario = run.simulated()
    controller = make_controller(run.controller, run.arguments)
    brought = tuple(path.resolve() for path in capabilities(controller).additional_files())
    scenario = replace(scenario, additional=(*scenario.additional, *brought))
    known = manifest["inputs_sha256"].values()
    manifest["parameters"] = recorded_parameters(controller)
    manifest["inputs_sha256"] = {
        str(path): content_hash(path) for path in scenario.inputs() if content_hash(path) in known
    }
    manifest["scenario"] = scenario.to_json()
    tree = ElementTree.parse(folder / CONFIG)  # our own file
    paths = {"net-file": [scenario.net], "route-files": list(scenario.routes)}
    for element in tree.getroot().iter():
        if element.tag in paths and "value" in element.attrib:
            parts = element.attrib["value"].split(",")  # a copy in the run's folder keeps its name
            relative = [
                Path(os.path.relpath(path, target.resolve())).as_posix() if ".." in part else part
                for part, path in zip(parts, paths[element.tag], strict=True)
            ]
            element.set("value", ",".join(relative))
    tree.write(folder / CONFIG, encoding="UTF-8", xml_declaration=True)
    manifest["files"][CONFIG] = file_record(folder / CONFIG)
    store.write_json(folder / MANIFEST, manifest)


# --- on the worker
_starter: Launcher | None = None
_starting = threading.Lock()


def run_remote(text: str, inputs: Mapping[str, bytes]) -> dict[str, Any]:
    """Execute a run on this worker in a child process; returns its state and its files as compressed bytes."""
    job = json.loads(text)
    try:
        run = local_run(job, inputs)
    except InputError as error:
        return {"state": "refused", "reason": str(error)}
    with tempfile.TemporaryDirectory(prefix="denxanh-run-") as name:
        target = Path(name) / "result"
        outcome = execute_run(
            _launcher(),
            Path(name) / "job",
            target,
            run,
            stop=threading.Event(),
            id=job["id"],
        )
        if outcome.state != "done":
            state = "lost" if outcome.state == "full" else outcome.state
            return {"state": state, "reason": outcome.reason, "attempts": outcome.attempts}
        files = {path.name: zlib.compress(path.read_bytes(), 1) for path in sorted(target.iterdir())}
        return {
            "state": "done",
            "files": files,
            "content": outcome.content,
            "attempts": outcome.attempts,
        }


def _launcher() -> Launcher:
    """The launcher of all runs of this worker; it ends with the worker, and so do its runs."""
    global _starter
    with _starting:
        if _starter is None:
            _starter = launcher()
        return _starter
