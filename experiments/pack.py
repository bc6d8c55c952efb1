"""``denxanh pack``: results with all their inputs in one archive, to go on with elsewhere.

The archive holds the folder of results, the input files below ``inputs/``, a ledger whose paths lead there, and an
experiment file with relative paths. Inputs are copied byte by byte: runs keep their identity, and none is run again.
"""

from __future__ import annotations

import json
import sqlite3
import tarfile
import tempfile
import tomllib
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

from denxanh import networks
from denxanh.experiments.definition.expand import expand
from denxanh.experiments.definition.experiment_file import read_experiment
from denxanh.experiments.experiment import BASE, definition_folder
from denxanh.experiments.packed_inputs import PackedInputs, additional_references, parameter_references
from denxanh.experiments.results.load import LEDGER
from denxanh.experiments.results.outputs import DEFINED, DEFINITION, changed_definition
from denxanh.experiments.runs.ledger import Ledger
from denxanh.experiments.runs.ledger_checksums import change_tasks
from denxanh.experiments.runs.relocation import (
    INPUTS,
    PARAMETERS,
    change_parameters,
    change_paths,
    names_file,
)
from denxanh.experiments.runs.runner import output_lock
from denxanh.experiments.specification.controllers import make_controller, parse_controller
from denxanh.experiments.specification.run_options import RunOptions, declarations
from denxanh.experiments.specification.run_specification import RunSpecification, controller_label
from denxanh.experiments.specification.sensings import IDEAL, sensings_of
from denxanh.networks.built_in import name_of
from denxanh.sim.controller import capabilities
from denxanh.sim.errors import InputError
from denxanh.sim.run.provenance import hash_file
from denxanh.sim.scenario import Scenario

ENDINGS = (".zip", ".tar.gz", ".tgz", ".tar")
_LEFT_OUT = ("jobs", INPUTS)


@dataclass(frozen=True)
class Packed:
    """The archive, the number of its runs that are done, and whether an experiment file to go on with is in it."""

    path: Path
    done: int
    resumable: bool


def pack(folder: Path, target: Path | None = None) -> Packed:
    """Write the archive of an experiment's or a comparison's folder; the name of ``target`` says which kind.

    Raises InputError for a folder without a ledger, and for inputs that are missing.
    """
    folder = folder.resolve()
    path = target or Path(f"{folder.name}.zip")
    if not path.name.endswith(ENDINGS):
        raise InputError(
            "the kind of archive cannot be told from its name",
            location=str(path),
            remedy=f"end it in {', '.join(ENDINGS)}",
        )
    if path.resolve().is_relative_to(folder):
        raise InputError("the archive would hold itself", location=str(path), remedy="give --out elsewhere")
    with Ledger(folder / LEDGER, read_only=True):  # there is one
        pass
    with output_lock(folder), tempfile.TemporaryDirectory(prefix="denxanh-pack-") as name:
        with Ledger(folder / LEDGER) as ledger:
            ledger.require_intact()
            rows = list(ledger.rows())
            runs = [ledger.specification(row.id) for row in rows]
            if what := changed_definition(folder, ledger):
                raise InputError(
                    what,
                    location=str(folder / DEFINITION),
                    remedy="run the experiment again, or put the file back",
                )
        definition = _definition(folder, runs)
        inputs = _inputs(folder, runs, definition)
        scratch = Path(name)
        written = _write_definition(folder, scratch, definition, inputs)
        _write_ledger(folder, scratch / LEDGER, inputs)
        written.append(scratch / LEDGER)
        path.parent.mkdir(parents=True, exist_ok=True)
        with _archive(path) as add:
            for file in _results(folder):
                add(file, f"{folder.name}/{file.relative_to(folder).as_posix()}")
            for file in inputs.files:
                add(file, f"{folder.name}/{inputs.place(file)}")
            for file in written:
                add(file, f"{folder.name}/{file.relative_to(scratch).as_posix()}")
    return Packed(path, sum(row.done for row in rows), definition is not None)


# --- what is in the archive
def _results(folder: Path) -> Iterator[Path]:
    """The files of the results that are packed as they are."""
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        hidden = any(part.startswith(".") for part in parts)
        if not path.is_file() or path.is_symlink() or hidden or (parts[0] in _LEFT_OUT):
            continue
        if len(parts) == 1 and (parts[0] == DEFINITION or parts[0].startswith(LEDGER)):
            continue
        yield path


@dataclass(frozen=True)
class _Definition:
    """The experiment file as data, what its paths are relative to, and the scenario of each of its places."""

    data: dict[str, Any]
    base: Path
    scenarios: tuple[Scenario, ...]


def _definition(folder: Path, runs: list[RunSpecification]) -> _Definition | None:
    """From the file beside the results, or made from the runs of a comparison; None where it cannot be made."""
    file = folder / DEFINITION
    if not file.is_file():
        return _from_runs(folder, runs)
    base = definition_folder(file, folder)
    scenarios = expand(read_experiment(file), file, base).scenarios
    return _Definition(tomllib.loads(file.read_text("utf-8")), base, scenarios)


def _from_runs(folder: Path, runs: list[RunSpecification]) -> _Definition | None:
    if not runs:
        return None
    scenarios = {run.place: run.scenario for run in runs}
    controllers = list({controller_label(run.controller, run.parameters): run for run in runs}.values())
    seeing = [run for run in runs if sensings_of(run.controller, run.parameters, ("loops",)) == ("loops",)]
    sensing = tuple(dict.fromkeys(run.sensing for run in seeing)) or (IDEAL,)
    demands, seeds = (list(dict.fromkeys(getattr(run, name) for run in runs)) for name in ("demand", "seed"))
    expected = {
        (place, demand, controller_label(run.controller, run.parameters, by), seed)
        for place, demand, run, seed in product(scenarios, demands, controllers, seeds)
        for by in sensings_of(run.controller, run.parameters, sensing)
    }
    shared = runs[0].options
    for run in runs:
        if run.options != shared or run.scenario != scenarios[run.place] or run.given:
            return None
    if {(run.place, run.demand, run.label, run.seed) for run in runs} != expected:
        return None
    data: dict[str, Any] = {
        "places": [{"place": place, "end": scenario.end} for place, scenario in scenarios.items()],
        "controllers": [{"name": run.controller, **run.parameters} for run in controllers],
        "sensing": sensing,
        "demand": demands,
        "seeds": seeds,
    }
    text = runs[0].to_json()
    for name in declarations(RunOptions):
        if getattr(shared, name) != getattr(RunOptions(), name) and name != "limits":
            data[name] = text[name]
    return _Definition(data, folder, tuple(scenarios.values()))


def _inputs(folder: Path, runs: list[RunSpecification], definition: _Definition | None) -> PackedInputs:
    """The input files of the runs and of the experiment file that are not within ``folder`` already."""
    scenarios = {
        id(s): s for s in (*(run.scenario for run in runs), *(definition.scenarios if definition else ()))
    }
    distinct = {json.dumps(s.to_json(), sort_keys=True): s for s in scenarios.values()}
    files = {path for s in distinct.values() for path in s.inputs()}
    references = [link for s in distinct.values() for link in additional_references(s)]
    controllers = {
        json.dumps([run.controller, dict(run.arguments)], sort_keys=True): run
        for run in runs
        if not run.given
    }
    for run in controllers.values():
        own: list[Path] = []

        def note(value: str, own: list[Path] = own) -> str:
            if names_file(value, folder):
                own.append((folder / value).resolve())
            return value

        change_parameters(run.arguments, note)
        files.update(own)
        if own:
            named = capabilities(make_controller(run.controller, run.arguments)).files()
            for path in own:
                references += parameter_references(
                    path, [other for other in named if other.resolve() != path]
                )
    missing = sorted(str(p) for p in {*files, *(b for _, b in references)} if not p.is_file())
    if missing:
        raise InputError(
            "this input file does not exist any more",
            location=missing[0],
            remedy="put it back and pack again",
        )
    kept = {p for p in files if not p.is_relative_to(folder) or p.relative_to(folder).parts[0] == INPUTS}
    return PackedInputs(kept, references)


# --- ledger and experiment file
def _write_ledger(folder: Path, target: Path, inputs: PackedInputs) -> None:
    """A copy of the ledger whose paths lead into the archive."""
    source, copy = sqlite3.connect(folder / LEDGER), sqlite3.connect(target, isolation_level=None)
    try:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")

        def change(path: str) -> str:
            return _changed(path, folder, inputs)

        for id, text in copy.execute("SELECT id, json FROM scenarios").fetchall():
            new = json.dumps(change_paths(json.loads(text), change), sort_keys=True)
            copy.execute("UPDATE scenarios SET json = ? WHERE id = ?", (new, id))
        change_tasks(copy, lambda task: _changed_task(task, change))
        facts = {BASE: "."}
        definition = target.with_name(DEFINITION)
        if definition.is_file() and copy.execute("SELECT 1 FROM meta WHERE key = ?", (DEFINED,)).fetchone():
            facts[DEFINED] = hash_file(definition)
        for key, value in facts.items():
            copy.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, json.dumps(value)))
    finally:
        source.close()
        copy.close()


def _changed_task(task: str, change: Callable[[str], str]) -> str:
    data = json.loads(task)
    for name in PARAMETERS:
        data[name] = change_parameters(data.get(name, {}), change)
    if isinstance(data["scenario"], dict):
        data["scenario"] = change_paths(data["scenario"], change)
    return json.dumps(data, sort_keys=True)


def _changed(path: str, folder: Path, inputs: PackedInputs) -> str:
    """The place in the archive of a file; what is no packed file stays as it is."""
    if not names_file(path, folder):
        return path
    full = (folder / path).resolve()
    return inputs.place(full) if full in inputs.files else path


def _write_definition(
    folder: Path, scratch: Path, definition: _Definition | None, inputs: PackedInputs
) -> list[Path]:
    """The experiment file with relative paths, and a configuration for each place that is not built in."""
    if definition is None:
        return []
    written, places = [], []
    built_in = {place.name for place in networks.list_places()}
    for i, (entry, scenario) in enumerate(
        zip(definition.data["places"], definition.scenarios, strict=True), start=1
    ):
        text = entry["place"] if isinstance(entry, dict) else entry
        if name_of(text) in built_in and not (definition.base / text).exists():
            places.append(entry)
            continue
        config = f"{INPUTS}/place-{i}.sumocfg"
        (scratch / INPUTS).mkdir(exist_ok=True)
        (scratch / config).write_text(_config(scenario, folder, inputs), encoding="utf-8")
        written.append(scratch / config)
        places.append({"place": config, "name": scenario.name, "end": scenario.end})
    data = dict(definition.data)
    data["places"] = places
    data["controllers"] = [
        _controller(entry, definition.base, inputs) for entry in definition.data["controllers"]
    ]
    file = scratch / DEFINITION
    head = "# Written by denxanh pack: the same experiment, with paths relative to this file.\n"
    file.write_text(head + to_toml(data), encoding="utf-8")
    return [*written, file]


def _controller(entry: Any, base: Path, inputs: PackedInputs) -> Any:
    if isinstance(entry, str):
        name, given = parse_controller(entry)
    else:
        name, given = entry["name"], {key: value for key, value in entry.items() if key != "name"}
    found = change_parameters(given, lambda value: _changed(value, base, inputs))
    return entry if found == given else {"name": name, **found}


def _config(scenario: Scenario, folder: Path, inputs: PackedInputs) -> str:
    """A .sumocfg in INPUTS with which the scenario is the same, its paths relative to it."""

    def paths(files: tuple[Path, ...]) -> str:
        return ",".join(_from_inputs(path, folder, inputs) for path in files)

    values = {"net-file": paths((scenario.net,)), "route-files": paths(scenario.routes)}
    values["additional-files"] = paths(scenario.additional)
    values = {key: value for key, value in values.items() if value}
    values |= {"begin": repr(scenario.begin), "end": repr(scenario.end), "step-length": repr(scenario.step)}
    lines = [
        f"    <{key} value={quoteattr(value)}/>" for key, value in {**values, **scenario.options}.items()
    ]
    return "\n".join(["<configuration>", *lines, "</configuration>", ""])


def _from_inputs(path: Path, folder: Path, inputs: PackedInputs) -> str:
    if path in inputs.files:
        return inputs.place(path).removeprefix(f"{INPUTS}/")
    return f"../{path.relative_to(folder).as_posix()}"


def to_toml(data: Mapping[str, Any]) -> str:
    """Data of an experiment file as TOML: values first, then tables."""
    lines = [
        f"{_key(key)} = {_value(value)}" for key, value in data.items() if not isinstance(value, Mapping)
    ]
    for key, value in data.items():
        if isinstance(value, Mapping):
            lines += ["", f"[{_key(key)}]", *(f"{_key(name)} = {_value(one)}" for name, one in value.items())]
    return "\n".join([*lines, ""])


def _key(name: str) -> str:
    return name if name and all(c.isascii() and (c.isalnum() or c in "-_") for c in name) else _value(name)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(name)} = {_value(one)}" for name, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_value, value)) + "]"
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")


# --- the archive
@contextmanager
def _archive(path: Path) -> Iterator[Callable[[Path, str], None]]:
    """Write an archive beside ``path`` and put it in place once it is complete; yields what adds a file."""
    new = path.with_name(f".{path.name}.new")
    try:
        if path.name.endswith(".zip"):
            with zipfile.ZipFile(new, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as packed:
                yield lambda file, name: packed.write(file, name)
        else:
            with tarfile.open(new, "w") if path.name.endswith(".tar") else tarfile.open(new, "w:gz") as tar:
                yield lambda file, name: tar.add(file, name)
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
