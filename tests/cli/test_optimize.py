"""``denxanh optimize`` from the shell: a plan in every form, proven, and the same in bare SUMO."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Call = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def tuned(tiny_place: Any, cli: Call, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("tuned") / "out"
    done = cli("optimize", tiny_place.config, "--budget", "2", "--seeds", "2", "--out", out)
    assert done.returncode == 0, done.stderr
    assert "report:" in done.stdout
    return out


def test_the_plan_comes_in_every_form(tuned: Path) -> None:
    plan = json.loads((tuned / "plan.json").read_text("utf-8"))
    assert plan["schema"] == "denxanh-plan/1"
    assert (tuned / "plan.add.xml").read_text("utf-8").count("<tlLogic") == len(plan["intersections"])
    assert "signal,name,cycle" in (tuned / "timing-sheet.csv").read_text("utf-8")


def test_the_report_shows_the_plan_on_seeds_the_search_has_not_seen(tuned: Path) -> None:
    page = (tuned / "report.html").read_text("utf-8")
    assert "101, 102, 103, 104, 105" in page
    assert "optimised" in page
    rows = (tuned / "held-out" / "runs.csv").read_text("utf-8").splitlines()
    assert len(rows) == 1 + 3 * 2 * 5  # the place and two other days, two plans, five seeds
    assert all(",done," in row for row in rows[1:])


def test_bare_sumo_with_the_exported_program_repeats_the_plan_byte_for_byte(
    tuned: Path, tiny_place: Any, cli: Call, bare_sumo: Callable[..., str], tmp_path: Path
) -> None:
    plan = tuned / "plan.json"
    done = cli(
        "run", tiny_place.config, "-c", f"fixed-time:plan={plan}", "--seed", "7", "--out", tmp_path / "run"
    )
    assert done.returncode == 0, done.stderr
    ours = json.loads((tmp_path / "run" / "manifest.json").read_text("utf-8"))["tripinfo_sha256"]
    program = ("--additional-files", str(tuned / "plan.add.xml"), "--seed", "7")
    trips = ("--tripinfo-output", "tripinfo.xml", "--tripinfo-output.write-unfinished", "true")
    undeparted = ("--tripinfo-output.write-undeparted", "true")
    theirs = bare_sumo(tmp_path, ["-c", str(tiny_place.config), *program, *trips, *undeparted])
    assert ours == theirs


def test_an_unknown_objective_is_refused_in_words(tiny_place: Any, cli: Call, tmp_path: Path) -> None:
    done = cli("optimize", tiny_place.config, "--objective", "joy", "--out", tmp_path / "out")
    assert done.returncode == 2
    assert "'joy' is not an objective" in done.stderr
    assert "Traceback" not in done.stderr
