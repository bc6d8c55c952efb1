"""The page of a replay in a browser: what it shows is what was recorded, and it can be used."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from denxanh.experiments.interface import compare
from denxanh.experiments.replay.choice import choose_runs
from denxanh.experiments.replay.replay_page import render, write_replay
from denxanh.sim.errors import InputError, RunError
from denxanh.sim.network_reader import network_of
from denxanh.sim.run.repetition import open_run, record_trajectories
from denxanh.sim.run.store import read_table
from denxanh.sim.run.trajectories import back_of_queue

HOSTILE = "</script><script>alert(1)</script><b onmouseover=x>&'\" \u202egnp.exe \u2028" + "n" * 10_000


@pytest.fixture(scope="module")
def folders(
    tiny_place: Any, tmp_path_factory: pytest.TempPathFactory, run_once: Callable[..., Path]
) -> list[Path]:
    """The same traffic under two controllers."""
    folder = tmp_path_factory.mktemp("replayed")
    return [run_once(tiny_place.config, folder / name, name) for name in ("program", "longest-queue")]


@pytest.fixture(scope="module")
def page(folders: list[Path]) -> Path:
    target = folders[0].parent / "replay.html"
    write_replay(target, choose_runs(folders))
    return target


def test_the_recording_is_the_run(folders: list[Path]) -> None:
    for folder in folders:
        before = {path.name: path.read_bytes() for path in folder.iterdir()}
        run = open_run(folder)
        found = record_trajectories(run)
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
        vehicles = read_table(folder / "vehicles.parquet", ["depart_s"])
        assert len(set(found.vehicle.tolist())) == (vehicles["depart_s"] >= 0).sum()
        assert found.frames == 300
        network = network_of(run.scenario)
        lanes = [a.lane for i in network.intersections.values() for a in i.approaches]
        queues = back_of_queue(found, network, {}, lanes)
        standing = found.halted() > 0
        assert queues.max() > 5.0
        assert not queues[~standing].any()


def test_a_repetition_that_differs_is_no_replay(folders: list[Path], tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    for path in folders[1].iterdir():
        (other / path.name).write_bytes(path.read_bytes())
    signals = other / "signals.add.xml"
    text = signals.read_text("utf-8")
    signals.write_text(re.sub(r'duration="(\d+)"', lambda m: f'duration="{int(m[1]) + 7}"', text), "utf-8")
    with pytest.raises(RunError, match="differs from it"):
        record_trajectories(open_run(other))


def test_a_run_with_events_that_only_commands_make_is_refused(folders: list[Path], tmp_path: Path) -> None:
    manifest = json.loads((folders[0] / "manifest.json").read_text("utf-8")) | {"sumo_repeats": False}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    with pytest.raises(InputError, match="cannot repeat"):
        record_trajectories(open_run(tmp_path))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({}, "no complete run"),
        ({"scenario": {"name": "x"}}, "does not describe a scenario"),
        ({"inputs_sha256": {}}, "was changed after the run"),
    ],
    ids=["no manifest", "half a scenario", "changed inputs"],
)
def test_what_is_no_run_is_one_sentence(
    folders: list[Path], tmp_path: Path, change: dict[str, Any], sentence: str
) -> None:
    if change:
        manifest = json.loads((folders[0] / "manifest.json").read_text("utf-8")) | change
        (tmp_path / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    with pytest.raises(InputError, match=sentence):
        open_run(tmp_path)


def test_the_command_refuses_what_it_cannot_play(
    cli: Callable[..., subprocess.CompletedProcess[str]], folders: list[Path], tmp_path: Path
) -> None:
    for arguments, sentence in (
        ([tmp_path], "neither manifest.json"),
        ([folders[0], folders[0], folders[0]], "one or two runs"),
        ([folders[0], "--lang", "fr"], "there is no language 'fr'"),
    ):
        done = cli("replay", *arguments)
        assert done.returncode == 2
        assert sentence in done.stderr
        assert "Traceback" not in done.stderr


def test_runs_are_chosen_from_an_experiment(tiny_place: Any, tmp_path: Path) -> None:
    study = tmp_path / "study"
    compare(tiny_place.config, ["program", "longest-queue"], seeds=[4], jobs=1, out=study)
    both = choose_runs([study])
    assert [one.label for one in both] == ["program", "longest-queue"]
    assert {one.run.manifest["seed"] for one in both} == {4}
    assert [one.label for one in choose_runs([study], controllers=["longest-queue"])] == ["longest-queue"]
    assert [one.label for one in choose_runs([study, study])] == ["program", "program"]
    for wrong, sentence in (
        ({"controllers": ["progam"]}, "no run of controller 'progam'"),
        ({"seed": 5}, "with seed 5"),
        ({"place": "x"}, "run of place 'x'"),
    ):
        with pytest.raises(InputError, match=sentence):
            choose_runs([study], **wrong)


def test_hostile_names_stay_text(folders: list[Path], browser: Any, tmp_path: Path) -> None:
    chosen = choose_runs(folders[:1])[0]
    hostile = type(chosen)(chosen.run, HOSTILE)
    target = tmp_path / "hostile.html"
    target.write_text(render([hostile]), encoding="utf-8")
    browser.problems.clear()
    browser.open(target)
    assert browser.problems == []
    assert browser.value("document.querySelectorAll('script').length") == 2  # data, and the page's own
    assert browser.value("document.querySelector('h2').textContent").startswith("</script><script>alert(1)")
    assert browser.value("document.documentElement.scrollWidth <= innerWidth")


def test_the_page_shows_the_recorded_positions(page: Path, folders: list[Path], browser: Any) -> None:
    browser.problems.clear()
    browser.open(page)
    for number, folder in enumerate(folders):
        found = record_trajectories(open_run(folder))
        network = network_of(open_run(folder).scenario)
        points = [point for edge in network.edges.values() for point in edge.shape]
        x0, y0 = (np.floor(min(values)) for values in zip(*points, strict=True))
        for time in (20, 150, 299):
            rows = found.frame == time
            shown = browser.value(f"denxanhReplay.vehicles({number}, {time})")
            want = sorted(zip(found.x[rows] - x0, found.y[rows] - y0, strict=True))
            got = sorted((row[1], row[2]) for row in shown)
            assert len(got) == len(want) > 0
            unmatched = [
                p for p in want if min(abs(p[0] - q[0]) + abs(p[1] - q[1]) for q in got) > 0.25 + 1e-4
            ]
            assert unmatched == []
    assert browser.problems == []


def test_the_page_is_used_with_the_keyboard(page: Path, browser: Any) -> None:
    browser.problems.clear()
    browser.open(page)
    time = "denxanhReplay.state.time"
    browser.press("ArrowRight")
    assert browser.value(time) == 5
    browser.press("End")
    assert browser.value(time) == 299
    browser.press("Home")
    browser.press(" ", "Space", " ")
    assert browser.value("denxanhReplay.state.playing") is True
    assert browser.value(
        f"new Promise((done) => {{ const look = () => {time} > 1 ? done(true) : setTimeout(look, 20); look(); }})"
    )
    browser.press(" ", "Space", " ")
    assert browser.value("denxanhReplay.state.playing") is False
    assert browser.problems == []


@pytest.mark.parametrize("width", [1280, 390])
def test_both_languages_fit_the_window(page: Path, browser: Any, width: int) -> None:
    browser.problems.clear()
    for anchor, word, title in (("#en", "Play", "Replay: "), ("#vi", "Phát", "Phát lại mô phỏng: ")):
        browser.open(page, width=width, anchor=anchor)
        assert browser.value("document.getElementById('play').textContent") == word
        assert browser.value("document.title").startswith(title)
        assert browser.value("document.documentElement.lang") == anchor[1:]
        assert browser.value("document.documentElement.scrollWidth <= innerWidth")
        assert browser.value("document.querySelectorAll('canvas').length") == 3
    assert browser.problems == []
