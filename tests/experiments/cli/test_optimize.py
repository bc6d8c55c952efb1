"""``denxanh optimize`` from the shell: a plan in every form, validated, and the same in bare SUMO."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from denxanh.experiments.optimize.search.fidelity import FidelityAssessment
from denxanh.sim.model.calibrate import Fidelity

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
    assert "101, 102, 103, 104, 105, 106, 107, 108, 109, 110" in page
    assert "Each seed has a day of its own" in page
    assert "optimised" in page
    rows = (tuned / "held-out" / "runs.csv").read_text("utf-8").splitlines()
    assert (
        len(rows) == 1 + 3 * 10
    )  # the existing, the conventional and the new plan, ten seeds, each with its day
    assert all(",done," in row for row in rows[1:])


def test_the_gain_over_the_conventional_plan_comes_first(tuned: Path) -> None:
    data = json.loads((tuned / "optimize.json").read_text("utf-8"))
    first = data["gains"][0]
    assert (first["plan"], first["over"], first["pairs"]) == ("optimised", "conventional", 10)
    page = (tuned / "report.html").read_text("utf-8")
    said = r"optimised: [^<]*(?:than|from|to) "
    over = [re.search(said + name, page) for name in ("conventional", "assumed plan")]
    assert over[0] is not None
    assert over[1] is not None
    assert over[0].start() < over[1].start()
    assert "Assumed plan: nobody has confirmed" in page
    # the result is never above the conventional plan
    (result,) = data["plans"]
    assert result["result"] == ("found" if first["gain_s"] > 0 else "conventional")


def test_the_folder_names_its_place_for_sheets_and_formats(tuned: Path, cli: Call, tmp_path: Path) -> None:
    done = cli("sheet", tuned, "--lang", "en", "--out", tmp_path / "sheet.pdf")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "sheet.pdf").read_bytes().startswith(b"%PDF")
    written = cli("export-plan", tuned, "--utdf", "--out", tmp_path)
    assert written.returncode == 0, written.stderr


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


def test_ctrl_c_keeps_the_best_so_far_and_validates_it(tiny_place: Any, tmp_path: Path) -> None:
    """A real SIGINT once SUMO has evaluated plans: the command ends normally, says so, and its plan is labelled."""
    out = tmp_path / "out"
    command = [sys.executable, "-P", "-c", "from denxanh.experiments.cli.app import main; main()", "optimize"]
    options = ["--budget", "30", "--seeds", "3", "--jobs", "2", "--no-trust", "--out", str(out)]
    with subprocess.Popen(
        [*command, str(tiny_place.config), *options, "--lefts", "drop"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as started:
        assert started.stderr is not None
        assert started.stdout is not None
        for line in started.stderr:
            if line.startswith("evaluate:"):  # two rounds of search are still to come
                break
        started.send_signal(signal.SIGINT)
        said = started.stderr.read()
        printed = started.stdout.read()
    assert started.returncode == 0, said
    assert "interrupted: the following is the best result by then" in said
    assert "report:" in printed
    plan = json.loads((out / "plan.json").read_text("utf-8"))
    assert plan["intersections"]  # the plan found, or the conventional one where that is as good
    found = json.loads((out / "held-out" / "plans" / "optimised" / "plan.json").read_text("utf-8"))
    assert "interrupted" in found["note"]
    rows = (out / "held-out" / "runs.csv").read_text("utf-8").splitlines()
    assert len(rows) == 1 + 3 * 5  # after an interrupt the demand given is run with few seeds
    assert (out / "plan.add.xml").is_file()


def test_where_the_model_cannot_rank_the_search_runs_in_sumo_and_says_so(
    tiny_place: Any, here: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from denxanh.experiments.optimize.job import tuning_job

    def gridlocked(place: Any, seeds: Any, rng: Any) -> FidelityAssessment:
        trust = Fidelity(8, 2, 0.1, 0.0, 1.0, 0.9, 1.02, "the model cannot rank them, search in SUMO itself.")
        plans = (place.space.existing(),)
        return FidelityAssessment(place.surrogate, trust, plans, np.array([1.0]), 16)

    monkeypatch.setattr(tuning_job, "assess_fidelity", gridlocked)
    # fewer runs: other days are tested above
    monkeypatch.setattr(tuning_job, "held_out_scenarios", lambda scenario, *_: [scenario])
    options = ("--budget", "1", "--seeds", "2", "--end", "100", "--only", "offsets", "--out", tmp_path / "o")
    ended = here("optimize", tiny_place.config, *options)
    assert ended.status == 0, ended.stderr
    assert "The model here: the model cannot rank them" in ended.stdout
    assert "the search ran in SUMO itself" in ended.stdout
    assert "search in SUMO:" in ended.stderr
    assert "so the search ran in SUMO itself" in (tmp_path / "o" / "report.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--freeze", "a0"], "there is no signal 'a0'; did you mean 'A0'?"),
        (["--signals", "A0,X9"], "there is no signal 'X9'"),
        (["--green", "A0:7=5-9"], "signal 'A0' has no stage '7'; its stages are 1="),
        (["--greens", "no.csv"], "no.csv: the table of green limits cannot be read"),
        (["--only", "offset"], "--only 'offset' is not known; did you mean 'offsets'?"),
        (["--lefts", "dropped"], "--lefts 'dropped' is not known; did you mean 'drop'?"),
        (["--objective", "queue:A0B"], "there is no road 'A0B'; did you mean 'A0B0'?"),
        (["--pareto", "delay"], "'delay' is a single objective"),
        (["--kind", "actuated", "--green", "A0:1=5-9"], "limits on greens hold for fixed plans"),
        (["--pareto", "delay,stops", "--day", "2"], "--pareto and --day are mutually exclusive"),
        (["--day", "2"], "too short for plans by time of day"),
        (["--demand-scale", "0.8,1.2"], "the demand as given is not among --demand-scale"),
        (["--demand-scale", "much"], "no list of factors"),
        (["--also", "other.rou.xml"], "route file not found"),
        (["--seeds", "101,102"], "seed 101 is reserved for the validation"),
    ],
)
def test_what_cannot_be_asked_is_one_sentence(
    tiny_place: Any, here: Callable[..., Any], tmp_path: Path, options: list[str], said: str
) -> None:
    ended = here(
        "optimize", tiny_place.config, *options, "--no-trust", "--budget", "1", "--out", tmp_path / "o"
    )
    assert ended.status == 2
    assert said in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_an_unknown_objective_is_refused_in_words(tiny_place: Any, cli: Call, tmp_path: Path) -> None:
    done = cli("optimize", tiny_place.config, "--objective", "joy", "--out", tmp_path / "out")
    assert done.returncode == 2
    assert "'joy' is not an objective" in done.stderr
    assert "Traceback" not in done.stderr
