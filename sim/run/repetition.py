"""A stored run simulated again by SUMO alone, from the files in its folder, to record what ordinary runs do not keep.

The trips of the repetition have to be those of the run, byte for byte: what is recorded is the run itself.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from denxanh.sim.errors import InputError, RunError
from denxanh.sim.run.provenance import hash_file, versions
from denxanh.sim.run.store import MANIFEST, read_manifest
from denxanh.sim.run.trajectories import COLUMNS, Trajectories, read_trajectories
from denxanh.sim.scenario import Scenario, is_simulation_option
from denxanh.sim.sumo import run_input
from denxanh.sim.sumo.riders import type_changes
from denxanh.sim.sumo.wheel import run_program
from denxanh.sim.sumo.xmlfile import parse

PERIOD = 1.0  # s between the frames of a recording; a longer step of the simulation is kept
_FILE = "fcd.parquet"
_KEPT = ("begin", "end", "step-length", "seed", "threads", "xml-validation", "xml-validation.net",
         "xml-validation.routes", "tripinfo-output.write-unfinished", "tripinfo-output.write-undeparted",
         "no-step-log", "duration-log.disable")  # fmt: skip
# the device that records stands among the devices of each trip
_DEVICE = re.compile(rb'(<tripinfo id="([^"]*)"[^>]* devices="[^"]*?) ?fcd_\2(?=[ "])')


@dataclass(frozen=True)
class StoredRun:
    """A run in its folder: what its manifest says, and its scenario."""

    folder: Path
    manifest: Mapping[str, Any]
    scenario: Scenario


def open_run(folder: Path, inputs: Scenario | None = None) -> StoredRun:
    """The run in a folder; ``inputs`` says where its input files are now, if results were moved.

    Raises InputError where there is none, or where its inputs are gone or changed.
    """
    manifest = read_manifest(folder)
    if manifest is None:
        raise InputError(
            f"there is no complete run here: {MANIFEST} is missing or damaged",
            location=str(folder),
            remedy="give the folder of a run, as 'denxanh run --out' writes it",
        )
    try:
        scenario = Scenario.from_json(manifest["scenario"])
        known = set(dict(manifest["inputs_sha256"]).values())
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(
            f"{MANIFEST} does not describe a scenario ({error})",
            location=str(folder),
            remedy="run it again with this version of denxanh",
        ) from None
    if inputs is not None:
        scenario = replace(scenario, net=inputs.net, routes=inputs.routes, additional=inputs.additional)
    for path in scenario.inputs():
        if not path.is_file():
            raise InputError(
                f"the input file {str(path)!r} is not on this machine",
                location=str(folder),
                remedy="use 'denxanh pack' where it is, to bring results and inputs here",
            )
        if hash_file(path) not in known:
            raise InputError(
                f"the input file {str(path)!r} was changed after the run",
                location=str(folder),
                remedy="run it again",
            )
    return StoredRun(folder, manifest, scenario)


def record_trajectories(run: StoredRun, *, timeout: float = 3600.0) -> Trajectories:
    """Simulate a stored run again and return the trajectories of its vehicles; the stored files stay as they are.

    Raises InputError for a run that SUMO alone cannot repeat, RunError where the repetition is not the same run.
    """
    with repeated_with_trajectories(run, timeout=timeout) as folder:
        return trajectories_of(run, folder)


@contextmanager
def repeated_with_trajectories(
    run: StoredRun, measures: Element | None = None, *, timeout: float = 3600.0
) -> Iterator[Path]:
    """Simulate a stored run again; yields the folder with its trips, trajectories and what ``measures`` wrote.

    ``measures`` are additional detectors that write into the folder. It is removed at the end.
    Raises InputError for a run that SUMO alone cannot repeat, RunError where the repetition is not the same run.
    """
    if not run.manifest.get("sumo_repeats", False):
        raise InputError(
            "this run has what SUMO alone cannot repeat (closures, flashing signals, riders who start before green)",
            location=str(run.folder),
            remedy="choose a run without them",
        )
    step = _period(run)
    with tempfile.TemporaryDirectory(prefix="denxanh-replay-") as name:
        scratch = Path(name).resolve()
        _write_input(run, scratch, measures)
        arguments = ["-c", run_input.CONFIG, "--tripinfo-output", run_input.TRIPINFO, "--fcd-output", _FILE,
                     "--fcd-output.attributes", ",".join(COLUMNS)]  # fmt: skip
        if step > run.scenario.step:
            arguments += ["--device.fcd.period", run_input.exact(step)]
        run_program("sumo", arguments, folder=scratch, timeout=timeout)
        _check_same(run, scratch / run_input.TRIPINFO)
        yield scratch


def trajectories_of(run: StoredRun, folder: Path) -> Trajectories:
    """The trajectories in the folder of a repetition."""
    return read_trajectories(folder / _FILE, run.scenario.begin, run.scenario.end, _period(run))


def _period(run: StoredRun) -> float:
    return max(PERIOD, run.scenario.step)


def _write_input(run: StoredRun, scratch: Path, measures: Element | None) -> None:
    """Write the input of a run into ``scratch``: its traffic, its signals, ``measures``, and none of its outputs."""
    folder = run.folder.resolve()
    config = parse(folder / run_input.CONFIG, kind="configuration of the run")
    values = {element.tag: element.get("value", "") for element in config}
    root = Element("configuration")
    net = run_input.given_path(run.scenario.net, scratch, "net.net.xml", "network file")
    SubElement(root, "net-file", value=net)
    events = values.get("route-files", "").split(",")[len(run.scenario.routes) :]  # they stand in the folder
    routes = [*run.scenario.routes, *(folder / name for name in events if name)]
    change = type_changes(run.scenario.riders)
    if routes:
        given = [
            run_input.given_path(path, scratch, f"routes-{k}.rou.xml", "route file", change=change)
            for k, path in enumerate(routes)
        ]
        SubElement(root, "route-files", value=",".join(given))
    names = [name for name in values.get("additional-files", "").split(",") if name]
    if (folder / run_input.REPLAY).is_file():
        names.append(run_input.REPLAY)
    additional = [
        run_input.write_additional(folder / name, scratch, k, set())
        for k, name in enumerate(names)
        if name != run_input.MEASURES  # outputs of the run
    ]
    if measures is not None:
        run_input.write_xml(measures, scratch / run_input.MEASURES)
        additional.append(run_input.MEASURES)
    if additional:
        SubElement(root, "additional-files", value=",".join(additional))
    for name, value in values.items():
        if name in _KEPT or is_simulation_option(name):
            SubElement(root, name, value=value)
    run_input.write_xml(root, scratch / run_input.CONFIG)


def _check_same(run: StoredRun, tripinfo: Path) -> None:
    """Raise RunError unless the trips are those of the stored run."""
    try:
        content = tripinfo.read_bytes()
    except OSError as error:
        raise RunError(f"SUMO left no {tripinfo.name} ({error.strerror})") from None
    trips = _DEVICE.sub(rb"\1", content[max(content.find(b"<tripinfos"), 0) :])
    if hashlib.sha256(trips).hexdigest() == run.manifest["tripinfo_sha256"]:
        return
    now, then = versions(), run.manifest.get("versions", {})
    changed = ", ".join(
        f"{name} was {then.get(name)} and is {now[name]}"
        for name in ("sumo", "libsumo")
        if then.get(name) != now[name]
    )
    raise RunError(
        f"the repetition of the run in {run.folder} differs from it"
        + (f" ({changed})" if changed else "")
        + "; its trajectories would not be those of the results"
    )
