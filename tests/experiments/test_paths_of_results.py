"""Ids, names and links in a folder of results lead nowhere else: nothing outside it is read in, replaced or removed."""

from __future__ import annotations

import json
import shutil
import sqlite3
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from denxanh.experiments.results.load import Results, load
from denxanh.experiments.runs import cluster, cluster_job
from denxanh.experiments.runs.ledger import Ledger
from denxanh.experiments.runs.local import Local
from denxanh.experiments.runs.run_row import check_id, run_folder
from denxanh.experiments.runs.runner import output_lock
from denxanh.sim.errors import InputError
from denxanh.sim.run import store

V1 = Path(__file__).parent / "results_v1"
IDS: dict[str, Any] = {
    "above": "../../Documents",
    "far above": "../" * 21 + "x",
    "dots": "..",
    "dot": ".",
    "empty": "",
    "absolute": "/{root}/Documents",
    "above, of the right length": "../../Documents".ljust(64, "0"),
    "above within": "ab" + "/.." * 20 + "00",
    "Windows": "..\\..\\Documents",
    "drive": "C:" + "0" * 62,
    "upper case": "A" * 64,
    "digits that are no ASCII": "\N{FULLWIDTH DIGIT ZERO}" * 64,
    "too short": "a" * 63,
    "too long": "a" * 65,
    "line break": "a" * 63 + "\n",
    "line break after": "a" * 64 + "\n",
    "bytes": b"a" * 64,
    "null": "a" * 15 + "\0" + "a" * 48,
    "hidden": "." + "a" * 63,
    "glob": "*" * 64,
    "formula": "=cmd|' /C calc'!A0".ljust(64, "0"),
}
COMMANDS: dict[str, tuple[str, ...]] = {
    "verify": ("verify", "{part}", "--sample", "0"),
    "merge": ("merge", "{new}", "{part}"),
    "merge into it": ("merge", "{part}", "{good}"),
    "query": ("query", "{part}", "SELECT count(*) FROM vehicles"),
    "table": ("table", "{part}"),
    "export": ("export", "{part}", "--csv"),
}


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Results, a good copy of them, and the folders of a person whose files are nobody's business."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for name in ("part", "good"):
        shutil.copytree(V1, tmp_path / name)
    run = next((V1 / "runs").glob("*/*"))
    shutil.copytree(
        run, tmp_path / "Documents"
    )  # with a manifest: the paths, not the manifest, must be wrong
    (tmp_path / "Documents" / "letter.txt").write_text("dear")
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "id").write_text("secret")
    return tmp_path


def private(world: Path) -> dict[str, bytes]:
    """The files that are not of the results."""
    folders = [world / "Documents", world / ".ssh"]
    return {str(p): p.read_bytes() for f in folders for p in sorted(f.rglob("*")) if p.is_file()}


def forge(folder: Path, id: Any) -> None:
    """Give one run of a ledger another id."""
    db = sqlite3.connect(folder / "ledger.sqlite")
    with db:
        db.execute("UPDATE runs SET id = ? WHERE number = (SELECT min(number) FROM runs)", (id,))
    db.close()


@pytest.mark.parametrize("name", IDS)
def test_no_reader_of_a_ledger_takes_such_an_id(name: str, world: Path, here: Callable[..., Any]) -> None:
    id = IDS[name]
    forge(world / "part", id.replace("{root}", str(world)) if isinstance(id, str) else id)
    before = private(world)
    for read_only in (True, False):
        with (
            pytest.raises(InputError, match="is no id of a run"),
            Ledger(world / "part" / "ledger.sqlite", read_only=read_only),
        ):
            pass
    with pytest.raises(InputError, match="is no id of a run"):
        run_folder(world, id)
    if name in ("above", "bytes", "line break after"):
        for command in COMMANDS.values():
            places = {key: str(world / key) for key in ("part", "new", "good")}
            ended = here(*(word.format(**places) for word in command))
            assert ended.status == 2, (command, ended.stdout, ended.stderr)
            said = " ".join(ended.stderr.split())
            assert "is no id of a run" in said
            assert "Traceback" not in said
    assert private(world) == before
    assert not list((world / "new").glob("runs/*/*"))


def test_an_id_of_denxanh_is_one(world: Path) -> None:
    check_id("0123456789abcdef" * 4, world)
    with Ledger(world / "part" / "ledger.sqlite", read_only=True) as ledger:
        assert all(row.folder is not None and row.folder.is_dir() for row in ledger.rows())


# --- symbolic links
def _to_elsewhere(link: Path, target: Path) -> None:
    if link.is_dir():
        shutil.rmtree(link)
    else:
        link.unlink(missing_ok=True)
    link.symlink_to(target, target_is_directory=target.is_dir())


LINKS = (
    "runs", "runs/{xx}", "demand", "jobs", ".lock", "ledger.sqlite", "ledger.sqlite-wal", "experiment.toml",
    "experiment.new",
)  # fmt: skip


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("role", ["target", "part"])
def test_a_link_in_a_folder_of_results_is_refused(
    link: str, role: str, world: Path, here: Callable[..., Any]
) -> None:
    xx = next((world / "part" / "runs").iterdir()).name
    leads_to = world / ".ssh" / "id" if "." in link and "{" not in link else world / "Documents"
    _to_elsewhere(world / "part" / link.format(xx=xx), leads_to)
    before = private(world)
    arguments = ("part", "good") if role == "target" else ("new", "part")
    ended = here("merge", *(world / name for name in arguments))
    assert ended.status == 2, ended.stderr
    assert "a folder of results holds no symbolic links" in " ".join(ended.stderr.split())
    assert private(world) == before


@pytest.mark.parametrize("what", ["the folder of a run", "a table", "one more file", "a folder"])
def test_a_link_in_a_run_is_not_merged(what: str, world: Path, here: Callable[..., Any]) -> None:
    run = next((world / "part" / "runs").glob("*/*"))
    if what == "the folder of a run":
        shutil.move(run, world / "elsewhere")
        run.symlink_to(world / "elsewhere")
    elif what == "a table":
        shutil.move(run / "vehicles.parquet", world / "vehicles.parquet")
        (run / "vehicles.parquet").symlink_to(world / "vehicles.parquet")
    elif what == "one more file":
        (run / "more").symlink_to(world / ".ssh" / "id")
    else:
        (run / "more").mkdir()
    before = private(world)
    ended = here("merge", world / "new", world / "part")
    assert ended.status == 0, ended.stderr
    assert "left out: it will be run again" in " ".join(ended.stderr.split())
    assert "3 runs taken over" in " ".join(ended.stderr.split())
    assert "secret" not in [p.read_text("latin-1") for p in (world / "new").rglob("*") if p.is_file()]
    assert private(world) == before


def test_a_left_over_that_is_a_link_is_not_written_through(world: Path, here: Callable[..., Any]) -> None:
    for name in ("runs.csv", "README.md", "summary.csv", "runs.parquet"):
        (world / "part" / f".{name}.new").symlink_to(world / ".ssh" / "id")
    before = private(world)
    assert here("merge", world / "part", world / "good").status == 0
    assert private(world) == before


# --- what is removed and replaced
def test_only_left_overs_of_denxanh_are_removed(world: Path) -> None:
    out = world / "out"
    kept = [
        "runs/mine/.git/config",
        "runs/ab/.git/config",
        "runs/ab/.notes-12345678/x",
        "jobs/mine/x",
        "jobs/y",
    ]
    gone = ["runs/ab/.0123456789abcdef-a1b2c3_4/x", "runs/ab/.0123456789abcdef-old-a1b2c3_4/was/x"]
    job = "jobs/0123456789abcdef/job.json"
    for name in (*kept, *gone, job):
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_text("x")
    with output_lock(out):
        Local(out, jobs=1).close()
    found = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()} - {".lock"}
    assert found == set(kept)


def test_folders_beside_a_run_are_not_taken_for_its_own(world: Path) -> None:
    target = world / "out"
    mine = store.folder_beside(target)
    for name in (".out-notes", ".out-of-office", ".out-old", ".outer-a1b2c3_4"):
        (world / name).mkdir()
    assert store.drafts(target) == [mine]


@pytest.mark.parametrize(
    "content",
    [
        {"letter.txt": "dear"},
        {"manifest.json": '{"name": "an app", "start_url": "/"}', "index.html": ""},
        {"manifest.json": "[]", "index.html": ""},
        {"vehicles.parquet": "", "thesis.pdf": ""},
    ],
)
def test_what_is_no_result_is_not_replaced(content: dict[str, str], world: Path) -> None:
    target = world / "results"
    target.mkdir()
    for name, text in content.items():
        (target / name).write_text(text)
    folder = store.folder_beside(target)
    with pytest.raises(InputError, match="is no run of denxanh"):
        store.publish(folder, target)
    assert {path.name: path.read_text() for path in target.iterdir()} == content
    link = world / "link"
    link.symlink_to(next((world / "good" / "runs").glob("*/*")))
    with pytest.raises(InputError, match="is no run of denxanh"):
        store.publish(store.folder_beside(link), link)


def test_a_result_is_replaced_whole_or_damaged(world: Path) -> None:
    for damage in (lambda path: None, lambda path: path.write_text("{"), lambda path: path.unlink()):
        target = world / "results"
        shutil.copytree(next((V1 / "runs").glob("*/*")), target)
        damage(target / "manifest.json")
        folder = store.folder_beside(target)
        (folder / "new").write_text("x")
        store.publish(folder, target)
        assert [path.name for path in target.iterdir()] == ["new"]
        shutil.rmtree(target)


@pytest.mark.parametrize("text", ["[]", '"x"', "{}", "3", "{", "[" * 100_000, '{"tripinfo_sha256": "x"}'])
def test_a_manifest_that_is_none_is_said_to_be_missing(
    text: str, world: Path, here: Callable[..., Any]
) -> None:
    run = next((world / "part" / "runs").glob("*/*"))
    (run / "manifest.json").write_text(text)
    ended = here("verify", world / "part", "--sample", "0")
    assert ended.status == 1
    said = " ".join(ended.stdout.split())
    assert f"differs: {run / 'manifest.json'}: " in said
    merged = here("merge", world / "new", world / "part")
    assert "3 runs taken over" in " ".join(merged.stderr.split())


@pytest.mark.parametrize("name", ["..", ".", "", "a/b", "../x", "/x"])
def test_a_result_from_a_worker_has_plain_names(name: str, world: Path) -> None:
    target = world / "out" / "runs" / "ab" / "run"
    before = private(world)
    files = {name: zlib.compress(b"x"), "manifest.json": zlib.compress(json.dumps({}).encode())}
    outcome = cluster.receive(target, None, files, "")  # type: ignore[arg-type]  # the run is not looked at
    assert outcome.state == "lost"
    assert "the name" in outcome.reason
    assert list(target.parent.iterdir()) == []
    assert private(world) == before


@pytest.mark.parametrize("digest", ["../../Documents/x", "", "A" * 64])
def test_an_input_for_a_worker_has_a_hash(digest: str, world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_job.tempfile, "gettempdir", lambda: str(world))
    before = private(world)
    with pytest.raises(ValueError, match="is no hash of an input"):
        cluster_job._local_file(digest, "../x", {digest: b""})
    assert private(world) == before


def test_an_id_of_a_table_is_checked_too(world: Path) -> None:
    """The runs are read from runs.parquet where it is as new as the ledger."""
    results = load(world / "good")
    forged = Results(
        results.folder, {**results.runs, "id": np.array(["../../Documents"] * len(results), dtype=object)}
    )
    with pytest.raises(InputError, match="is no id of a run"):
        forged.table("vehicles")
    with pytest.raises(InputError, match="is no id of a run"):
        forged.manifest("../../Documents")
