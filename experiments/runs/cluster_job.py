"""A run as data for another machine: its specification, its inputs and its controller's files, by content.

On the worker the files stand under names of its own, and the run must have the identity that it had on the client:
so the code, the plug-ins, the versions and the content of every file are the same there.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import tempfile
import zlib
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from denxanh.controllers.registry import make_controller
from denxanh.experiments.runs.relocation import PARAMETERS, change_parameters, names_file
from denxanh.experiments.specification.object_state import named_content
from denxanh.experiments.specification.objects import read_files
from denxanh.experiments.specification.run_specification import RunSpecification, pack, unpack
from denxanh.experiments.specification.sources import content_hash
from denxanh.sim.errors import InputError
from denxanh.sim.run.provenance import versions

_DIGEST = re.compile(r"[0-9a-f]{64}")  # SHA-256: it becomes the name of a file
_kept: dict[str, Any] = {}
_ANYWHERE = "platform"
"""The one of ``versions`` that workers may have otherwise: operating systems and processors differ in a cluster."""


def cluster_job(id: str, run: RunSpecification) -> tuple[dict[str, Any], dict[str, Path]]:
    """The job as JSON data, and the files that go with it by content hash.

    Raises InputError for a controller that cannot go: an object, or one that reads more than its parameters name.
    """
    if run.given:
        raise InputError(
            f"controller {run.controller!r} was given as an object, and a cluster carries those with a name only",
            remedy="make it a plug-in that every worker has installed, or run it on this machine",
        )
    named = _files_of(run.controller, json.dumps(dict(run.arguments), sort_keys=True), Path.cwd())
    text, _, scenario = pack(run)
    inputs = [(content_hash(path), path) for path in run.scenario.inputs()]
    job = {
        "id": id,
        "run": text,
        "scenario": scenario,
        "hashes": [digest for digest, _ in inputs],
        "names": {digest: path.name for digest, path in inputs},
        "parameters": {value: [content_hash(path), path.name] for value, path in named.items()},
        "versions": _compared(),
    }
    return job, dict(inputs) | {content_hash(path): path for path in named.values()}


def local_run(job: Mapping[str, Any], inputs: Mapping[str, bytes]) -> RunSpecification:
    """The run of a job on this worker, its files written. Raises InputError where it would be another run here."""
    ours = _compared()
    wanted = job["versions"]
    if other := [
        f"{name} {ours[name]}, not {wanted[name]}" for name in ours if ours[name] != wanted.get(name)
    ]:
        raise InputError(
            f"the worker has {', '.join(other)}", remedy="install the same versions on every machine"
        )
    data = json.loads(job["run"])
    known: Mapping[str, tuple[str, str]] = job["parameters"]
    files = {value: str(_local_file(digest, name, inputs)) for value, (digest, name) in known.items()}
    for name in PARAMETERS:
        data[name] = change_parameters(data.get(name, {}), lambda value: files.get(value, value))
    scenario = _local_scenario(job, inputs)
    run = unpack(json.dumps(data), scenario)
    run = replace(  # identities are kept by object: a worker has few scenarios and options, and many runs
        run,
        scenario=_kept.setdefault(scenario, run.scenario),
        options=_kept.setdefault(repr(run.options), run.options),
    )
    if run.identity() != job["id"]:
        raise InputError(
            f"the worker has another code of denxanh or of controller {run.controller!r}",
            remedy="install the same denxanh and plug-ins on every machine",
        )
    return run


def _compared() -> dict[str, str]:
    """The versions that must be the same on every machine, of Python without the last number."""
    known = {name: value for name, value in versions().items() if name != _ANYWHERE}
    return known | {"python": ".".join(platform.python_version_tuple()[:2])}


@lru_cache(maxsize=10_000)
def _files_of(controller: str, arguments: str, folder: Path) -> Mapping[str, Path]:
    """The files that the parameters of a controller name, by the parameter's text. Raises InputError."""
    given = json.loads(arguments)
    found: dict[str, Path] = {}

    def note(value: str) -> str:
        if names_file(value, folder):
            found[value] = (folder / value).resolve()
        elif named_content(value):
            raise InputError(
                f"controller {controller!r} reads a folder, and a cluster carries files only",
                location=value,
                remedy="run it on this machine, or by --shard on machines that have the folder",
            )
        return value

    change_parameters(given, note)
    known = set(found.values())
    others = [path for path in read_files(make_controller(controller, given)) if path.resolve() not in known]
    if others:
        raise InputError(
            f"controller {controller!r} reads files that no parameter names, and a cluster carries those of parameters "
            "only",
            location=str(others[0]),
            remedy="run it on this machine, or by --shard on machines that have its files",
        )
    return found


def _local_file(digest: str, name: str, inputs: Mapping[str, bytes]) -> Path:
    """A file on this machine, written once by content hash and checked."""
    if not _DIGEST.fullmatch(digest):
        raise ValueError(f"{digest!r} is no hash of an input")
    cache = Path(tempfile.gettempdir()) / f"denxanh-inputs-{os.getuid() if hasattr(os, 'getuid') else 0}"
    cache.mkdir(mode=0o700, exist_ok=True)
    path = cache / f"{digest[:32]}-{Path(name).name}"
    if not path.is_file() or content_hash(path) != digest:
        data = zlib.decompress(inputs[digest])
        if hashlib.sha256(data).hexdigest() != digest:
            raise ValueError(f"input {path.name} arrived incomplete")
        handle, new = tempfile.mkstemp(dir=cache)
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
        Path(new).replace(path)
    return path


def _local_scenario(job: Mapping[str, Any], inputs: Mapping[str, bytes]) -> str:
    """The scenario as JSON with its inputs on this machine."""
    net, *others = [str(_local_file(digest, job["names"][digest], inputs)) for digest in job["hashes"]]
    scenario = json.loads(job["scenario"])
    routes = len(scenario["routes"])
    return json.dumps({**scenario, "net": net, "routes": others[:routes], "additional": others[routes:]})
