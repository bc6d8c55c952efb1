"""`denxanh verify` names what was forged: single files, and several that were made to agree with each other."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from denxanh.experiments.reproduction import verify_outputs
from denxanh.experiments.results.outputs import OUTPUTS
from denxanh.experiments.results.verify import verify
from denxanh.experiments.runs.ledger import MEMBERS
from denxanh.experiments.runs.ledger_checksums import RECORDED, SPECIFIED, checksum
from denxanh.experiments.runs.proof import tables_hash
from denxanh.experiments.runs.run_row import run_folder
from denxanh.experiments.specification.run_options import Limits
from denxanh.sim.run.provenance import file_record
from denxanh.sim.run.store import MANIFEST, read_table, write_json, write_table


class Forger:
    """Edits results, and makes hashes and checksums agree with the edits."""

    def __init__(self, out: Path) -> None:
        self.out = out
        with self.ledger() as db:
            self.ids: list[str] = [id for (id,) in db.execute("SELECT id FROM runs ORDER BY number")]

    @contextmanager
    def ledger(self) -> Iterator[sqlite3.Connection]:
        db = sqlite3.connect(self.out / "ledger.sqlite")
        try:
            with db:
                yield db
        finally:
            db.close()

    def sql(self, text: str, *values: Any) -> None:
        with self.ledger() as db:
            db.execute(text, values)

    def folder(self, number: int = 0) -> Path:
        return run_folder(self.out, self.ids[number])

    def manifest(self, change: Callable[[dict[str, Any]], Any], number: int = 0) -> None:
        path = self.folder(number) / MANIFEST
        data = json.loads(path.read_text("utf-8"))
        change(data)
        write_json(path, data)

    def table(self, name: str, column: str, change: Callable[[Any], Any], number: int = 0) -> None:
        path = self.folder(number) / f"{name}.parquet"
        columns = read_table(path)
        columns[column] = change(columns[column].copy())
        write_table(path, {k: list(v) if v.dtype == object else v for k, v in columns.items()})

    def metric(self, name: str, value: float, number: int = 0) -> None:
        """In the manifest; ``agree`` carries it into the ledger."""
        self.manifest(lambda m: m["metrics"].update({name: value}), number)

    def agree(self, number: int = 0, *, id: str | None = None) -> None:
        """Hashes of files in the manifest, and the ledger's row of the run, as the files are now."""
        folder = self.folder(number)
        files = {
            path.name: file_record(path)
            for path in folder.iterdir()
            if path.name not in (MANIFEST, "sumo.log")
        }
        self.manifest(lambda m: m.update(files=files), number)
        content = (folder / MANIFEST).read_bytes()
        manifest = json.loads(content)
        self.sql(
            "UPDATE runs SET sha256 = ?, metrics = ?, content = ?, manifest = ? WHERE id = ?",
            manifest["tripinfo_sha256"],
            json.dumps(manifest["metrics"]),
            tables_hash(folder),
            hashlib.sha256(content).hexdigest(),
            id or self.ids[number],
        )
        self.seal()

    def seal(self) -> None:
        """Checksums of the ledger."""
        with self.ledger() as db:
            for name, columns in (("specified", SPECIFIED), ("recorded", RECORDED)):
                for row in list(db.execute(f"SELECT {columns} FROM runs")):
                    db.execute(f"UPDATE runs SET {name} = ? WHERE id = ?", (checksum(row), row[0]))
            ids = [id for (id,) in db.execute("SELECT id FROM runs WHERE number >= 0 ORDER BY id")]
            db.execute("UPDATE meta SET value = ? WHERE key = ?", (json.dumps(checksum(ids)), MEMBERS))

    def output(self, name: str, old: bytes, new: bytes, *, agree: bool = False) -> None:
        """Replace bytes of a table or the report."""
        path = self.out / name
        content = path.read_bytes()
        assert old in content
        path.write_bytes(content.replace(old, new, 1))
        if agree:
            with self.ledger() as db:
                (text,) = db.execute("SELECT value FROM meta WHERE key = ?", (OUTPUTS,)).fetchone()
                data = json.loads(text)
                data["files"][name] = file_record(path)
                db.execute("UPDATE meta SET value = ? WHERE key = ?", (json.dumps(data), OUTPUTS))

    def swap(self, a: int = 0, b: int = 1) -> None:
        """The folders of two runs change places."""
        self.folder(a).rename(self.out / "kept")
        self.folder(b).rename(self.folder(a))
        (self.out / "kept").rename(self.folder(b))

    def remove(self, *numbers: int) -> None:
        """Runs with their folders, so that nothing in the ledger tells of them."""
        for number in numbers:
            shutil.rmtree(self.folder(number))
            if not any(self.folder(number).parent.iterdir()):  # shared where the ids of runs begin alike
                self.folder(number).parent.rmdir()
            self.sql("DELETE FROM runs WHERE id = ?", self.ids[number])
        self.seal()


def verdicts(out: Path, *, sample: int = 0) -> list[str]:
    """What verify prints, a line each."""
    found = verify(out, sample=sample, seed=1, limits=Limits(), on_verdict=lambda verdict: None)
    found += verify_outputs(out, found, on_verdict=lambda verdict: None)
    return [f"{v.subject}: {v.state}: {v.reason}" for v in found]


def raised(index: int, by: float) -> Callable[[Any], Any]:
    def change(column: Any) -> Any:
        column[index] += by
        return column

    return change


def half_of_bytes(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def metrics_json(f: Forger, name: str, value: float) -> str:
    with f.ledger() as db:
        (text,) = db.execute("SELECT metrics FROM runs WHERE id = ?", (f.ids[0],)).fetchone()
    return json.dumps({**json.loads(text), name: value})


def swap_results(f: Forger) -> None:
    """Two runs change their folders and what the ledger has of their results."""
    f.swap()
    columns = "wall_s, cpu_s, sha256, metrics, content, manifest"
    with f.ledger() as db:
        a, b = (db.execute(f"SELECT {columns} FROM runs WHERE id = ?", (id,)).fetchone() for id in f.ids[:2])
        names = ", ".join(f"{name} = ?" for name in columns.split(", "))
        db.execute(f"UPDATE runs SET {names} WHERE id = ?", (*b, f.ids[0]))
        db.execute(f"UPDATE runs SET {names} WHERE id = ?", (*a, f.ids[1]))
    f.seal()


def swap_seeds(f: Forger) -> None:
    """Two runs of one controller change their results, and their manifests name the other run."""
    f.swap(0, 2)
    for number in (0, 2):
        f.manifest(lambda m, id=f.ids[number]: m.update(id=id), number)  # type: ignore[misc]
        f.agree(number)


def as_of_an_earlier_version(f: Forger) -> None:
    """A forged metric in results without the hashes that earlier versions did not have."""
    f.metric("delay_s", 1.0)
    f.manifest(lambda m: [m.pop(key) for key in ("id", "files")])
    data = json.loads((f.folder() / MANIFEST).read_text("utf-8"))
    f.sql(
        "UPDATE runs SET manifest = NULL, recorded = NULL, specified = NULL, metrics = ? WHERE id = ?",
        json.dumps(data["metrics"]),
        f.ids[0],
    )


def sooner(f: Forger) -> None:
    """A vehicle loses less time in its table; the hashes agree, the metrics do not."""
    f.table("vehicles", "time_loss_s", raised(0, -1.0))
    f.agree()


def limited(f: Forger, number: int = 0) -> None:
    """The run met a limit of time, by manifest and ledger; ``agree`` completes it."""
    f.manifest(lambda m: m.update(limits_met=["late"], repeated_after="late"), number)
    f.sql("UPDATE runs SET state = 'limited', reason = 'late' WHERE id = ?", f.ids[number])


NAIVE: dict[str, tuple[Callable[[Forger], object], str]] = {
    "vehicles": (lambda f: f.table("vehicles", "time_loss_s", raised(0, -1.0)), r"vehicles\.parquet"),
    "intervals": (lambda f: f.table("intervals", "queue_mean_veh", raised(0, 1.0)), r"intervals\.parquet"),
    "signals": (lambda f: f.table("signals", "time_s", raised(0, 1.0)), r"signals\.parquet"),
    "edges": (lambda f: f.table("edges", "co2_kg", raised(0, -0.1)), r"edges\.parquet"),
    "manifest's metrics": (lambda f: f.metric("delay_s", 1.0), "manifest.json: the manifest was changed"),
    "manifest's waivers": (lambda f: f.manifest(lambda m: m.update(waivers=[1])), "manifest was changed"),
    "manifest's seed": (lambda f: f.manifest(lambda m: m.update(seed=7)), "manifest was changed"),
    "ledger's metrics": (
        lambda f: f.sql("UPDATE runs SET metrics = ? WHERE id = ?", metrics_json(f, "delay_s", 1.0), f.ids[0]),
        "tiny, program, seed 1: differs: .*ledger's row was changed",
    ),
    "ledger's trips": (lambda f: f.sql("UPDATE runs SET sha256 = id"), "ledger's row was changed"),
    "ledger's wall time": (lambda f: f.sql("UPDATE runs SET wall_s = 1"), "ledger's row was changed"),
    "ledger's seed": (lambda f: f.sql("UPDATE runs SET seed = 9 WHERE number = 0"), "description of the run"),
    "ledger's labels": (
        lambda f: f.sql("UPDATE runs SET controller = iif(controller = 'program', 'max-pressure', 'program')"),
        "description of the run",
    ),
    "ledger's task": (lambda f: f.sql("UPDATE runs SET task = replace(task, 'program', 'webster')"), "description"),
    "ledger's demand": (lambda f: f.sql("UPDATE runs SET demand = 2.0"), "description of the run"),
    "ledger's scenario": (
        lambda f: f.sql("UPDATE scenarios SET json = replace(json, '40.0', '50.0')"),
        "scenario is not that of the run's specification",
    ),
    "done called failed": (lambda f: f.sql("UPDATE runs SET state = 'failed'"), "ledger's row was changed"),
    "state of no meaning": (lambda f: f.sql("UPDATE runs SET state = 'fine'"), "unknown state 'fine'"),
    "row removed": (
        lambda f: f.sql("DELETE FROM runs WHERE number = 3"),
        r"rows of the ledger were removed(.|\n)*does not have this run \(tiny, max-pressure, seed 2\)",
    ),
    "row doubled": (
        lambda f: f.sql(
            "INSERT INTO runs SELECT iif(id LIKE 'f%', 'e', 'f') || substr(id, 2), 4, place, demand, controller, 3, "
            "task, state, attempts, reason, wall_s, cpu_s, sha256, metrics, content, scenario, manifest, specified, "
            "recorded FROM runs WHERE number = 0"
        ),
        "rows of the ledger were removed or added",
    ),
    "SUMO's configuration": (lambda f: (f.folder() / "run.sumocfg").write_text("<a/>"), r"run\.sumocfg"),
    "replay": (lambda f: half_of_bytes(f.folder(1) / "signals.add.xml"), r"signals\.add\.xml: the file is cut off"),
    "runs.csv": (lambda f: f.output("runs.csv", b"program", b"webster"), r"runs\.csv: differs"),
    "runs.parquet": (lambda f: half_of_bytes(f.out / "runs.parquet"), r"runs\.parquet: differs"),
    "summary.csv": (lambda f: f.output("summary.csv", b"delay_s", b"delay_x"), r"summary\.csv: differs"),
    "statistics.json": (lambda f: f.output("statistics.json", b'"mean": ', b'"mean": 1'), r"statistics\.json: differs"),
    "report.html": (lambda f: f.output("report.html", b"program", b"webster"), r"report\.html: differs"),
    "README.md": (lambda f: f.output("README.md", b"4 runs", b"9 runs"), r"README\.md: differs"),
    "experiment.toml": (lambda f: f.output("experiment.toml", b"seeds = 2", b"seeds = 1"), r"\.toml: differs"),
    "a report removed": (lambda f: (f.out / "report.html").unlink(), r"report\.html: differs: the file is missing"),
    "folders swapped": (lambda f: f.swap(), "this is the manifest of another run"),
    "a table more": (
        lambda f: shutil.copy(f.folder() / "edges.parquet", f.folder() / "extra.parquet"),
        r"extra\.parquet: this table was not written by the run",
    ),
}  # fmt: skip

CONSISTENT: dict[str, tuple[Callable[[Forger], object], str]] = {
    "delay in manifest and ledger": (
        lambda f: (f.metric("delay_s", 1.0), f.agree()), r"delay_s is 1, the tables give",
    ),
    "arrivals in manifest and ledger": (lambda f: (f.metric("arrived", 99), f.agree()), "arrived is 99"),
    "a vehicle's time": (sooner, "delay_s is .*, the tables give"),
    "a vehicle's fate": (
        lambda f: (f.table("vehicles", "fate", lambda c: np.array(["arrived"] * len(c), dtype=object)), f.agree()),
        "the fates are not those of the times",
    ),
    "queue": (lambda f: (f.metric("queue_mean_veh", 0.1), f.agree()), "queue_mean_veh is 0.1"),
    "queue's percentile above the maximum": (
        lambda f: (f.metric("queue_p95_veh", 1e3), f.agree()), "queue_p95_veh is 1000",
    ),
    "queues in the table": (
        lambda f: (f.table("intervals", "queue_max_veh", raised(0, 5.0)), f.agree()), "queue_max_veh is",
    ),
    "emissions": (lambda f: (f.metric("co2_kg", 0.0), f.agree()), "co2_kg is 0"),
    "fallbacks": (lambda f: (f.metric("fallbacks", 2), f.agree()), "fallbacks is 2, the tables give 0"),
    "delay per PCU": (lambda f: (f.metric("delay_pcu_s", 1.0), f.agree()), "delay_pcu_s is 1"),
    "results swapped": (swap_results, "this is the manifest of another run"),
    "seeds swapped": (swap_seeds, "manifest.json: seed is not that of the run's specification"),
    "another seed": (
        lambda f: (
            f.sql("UPDATE runs SET seed = 9, task = replace(task, '\"seed\": 1', '\"seed\": 9') WHERE number = 0"),
            f.manifest(lambda m: m.update(seed=9)),
            f.agree(),
        ),
        "specification does not give its id",
    ),
    "another label": (
        lambda f: (f.sql("UPDATE runs SET controller = 'webster' WHERE number = 0"), f.seal()),
        "controller is 'webster', its specification says 'program'",
    ),
    "called failed": (
        lambda f: (f.sql("UPDATE runs SET state = 'failed' WHERE number = 0"), f.seal()),
        "the state is failed, but .* holds a complete result",
    ),
    "called limited": (
        lambda f: (f.sql("UPDATE runs SET state = 'limited', reason = 'x' WHERE number = 0"), f.seal()),
        "the state is limited, by the manifest it is done",
    ),
    "a limit that is not told": (
        lambda f: (f.manifest(lambda m: m.update(limits_met=["late"])), f.agree()),
        "the state is done, by the manifest it is limited",
    ),
    "a repetition that is not told": (
        lambda f: (f.manifest(lambda m: m.update(repeated_after="late")), f.agree()),
        "the reason is '', by the manifest it is 'repeated after a limit: late'",
    ),
    "the delay of a limited run": (
        lambda f: (limited(f), f.metric("delay_s", 1.0), f.agree()), "delay_s is 1, the tables give",
    ),
    "a run gone without a trace": (lambda f: f.remove(3), "lacks max-pressure, seed 2"),
    "a seed gone without a trace": (lambda f: f.remove(2, 3), "seeds are not those that experiment.toml asks for"),
    "a controller gone without a trace": (lambda f: f.remove(1, 3), "asks for 2 controllers, the ledger has 1"),
    "no checksums": (
        lambda f: f.sql("UPDATE runs SET recorded = NULL, metrics = '{}' WHERE number = 0"), "row was changed",
    ),
    "as of an earlier version": (as_of_an_earlier_version, "delay_s is 1, the tables give"),
    "runs.csv": (
        lambda f: f.output("runs.csv", b"program", b"webster", agree=True), r"runs\.csv: .*made again from the runs",
    ),
    "summary.csv": (
        lambda f: f.output("summary.csv", b"delay_s", b"delay_x", agree=True), r"summary\.csv: .*made again",
    ),
    "statistics.json": (
        lambda f: f.output("statistics.json", b'"mean": ', b'"mean": 1', agree=True), r"statistics\.json: .*made again",
    ),
    "report.html": (
        lambda f: f.output("report.html", b"program", b"webster", agree=True), r"report\.html: .*made again",
    ),
}  # fmt: skip


def test_what_nobody_forged_verifies(small_experiment: Any, here: Callable[..., Any]) -> None:
    ended = here("verify", small_experiment.folder / "out", "--sample", "2")
    assert ended.status == 0, ended.stdout
    assert "2 runs done again, the same to the last byte" in ended.stdout


@pytest.mark.parametrize("kind", NAIVE)
def test_a_changed_file_is_named(kind: str, small_experiment: Any, tmp_path: Path) -> None:
    forge, expected = NAIVE[kind]
    check(forge, expected, small_experiment.copy(tmp_path))


@pytest.mark.parametrize("kind", CONSISTENT)
def test_files_forged_to_agree_are_named(kind: str, small_experiment: Any, tmp_path: Path) -> None:
    forge, expected = CONSISTENT[kind]
    check(forge, expected, small_experiment.copy(tmp_path))


def check(forge: Callable[[Forger], object], expected: str, out: Path) -> None:
    forge(Forger(out))
    lines = verdicts(out)
    assert re.search(expected, "\n".join(lines)), lines
    assert all("differs" in line for line in lines)


BY_REPETITION: list[tuple[str, Callable[[Forger, int], object], str]] = [
    ("signals", lambda f, n: f.table("signals", "time_s", raised(0, 1.0), n), r"another signals\.parquet"),
    ("collisions", lambda f, n: f.metric("collisions", 3, n), "another value of collisions"),
    ("percentile", lambda f, n: f.metric("queue_p95_veh", 0.25, n), "another value of queue_p95_veh"),
    ("waivers", lambda f, n: f.manifest(lambda m: m.update(left_to_sumo={"A0": "x"}), n), r"json \(left_to_sumo\)"),
]  # fmt: skip


def test_what_agrees_in_every_file_is_found_by_repetition(small_experiment: Any, tmp_path: Path) -> None:
    out = small_experiment.copy(tmp_path)
    forger = Forger(out)
    for number, (_, forge, _) in enumerate(BY_REPETITION):
        forge(forger, number)
        forger.agree(number)
    assert not [
        line for line in verdicts(out) if "runs" in line.partition(": differs")[0] and "/runs/" in line
    ]
    lines = "\n".join(verdicts(out, sample=4))
    for name, _, expected in BY_REPETITION:
        assert re.search(expected, lines), (name, lines)


def test_a_limited_run_that_cannot_be_repeated_is_no_forgery(small_experiment: Any, tmp_path: Path) -> None:
    out = small_experiment.copy(tmp_path)
    forger = Forger(out)
    for number in range(2):
        limited(forger, number)
        if number == 0:
            forger.metric("collisions", 3, number)
        forger.agree(number)
    found = verify(out, sample=4, seed=1, limits=Limits(), on_verdict=lambda verdict: None)
    assert [v.state for v in found] == ["cannot", "same", "same", "same"], found
    assert found[0].reason == "a limit of time was met, so the numbers depend on the machine (late)"
