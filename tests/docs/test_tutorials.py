"""The tutorials and how-to pages run as printed.

A page's blocks run one after the other in a folder with docs/examples: ``sh`` in a shell; ``python`` and ``toml``
blocks are saved under the name in their first line. A block after ``<!-- slow: reason -->`` runs with ``-m slow`` only,
one after ``<!-- not run: reason -->`` never; NOT_RUN lists those.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"
BLOCK = re.compile(
    r"(?:^ *<!-- (slow|not run): [^\n]* -->\n)?^( *)```(sh|bash|python|toml)\n(.*?)^\2```",
    re.MULTILINE | re.DOTALL,
)
FENCE = re.compile(r"^ *```(\w*)[^\n]*\n.*?^ *```$", re.MULTILINE | re.DOTALL)
PAGES = sorted(
    path for room in ("tutorials", "how-to") for path in (DOCS / room).glob("*.md") if path.stem != "index"
)
ELSEWHERE = ("from-sumo-rl",)  # tests/experiments/learning/test_learning_page.py runs it
NOT_RUN = {  # the first line of each
    "first-comparison": ["python -m pip install -q -c constraints.txt ."],
    "first-comparison.vi": ["python -m pip install -q -c constraints.txt ."],
    "own-controller": ["python -m pip install -q -e ."],
    "slurm-kubernetes": [
        "#!/bin/bash",
        "denxanh experiment experiment.toml --out results --cluster tcp://10.0.0.1:8786",
    ],
    "train-an-agent": [
        "denxanh compare ha-noi/hoang-dao-thuy -c program -c max-pressure -c policy:file=evolved.safetensors --seeds 10"
    ],
    "workbench": ['python -m pip install -e ".[serve]"'],
    "study": ["denxanh study ha-noi/hoang-dao-thuy --counts docs/examples/counts.csv --time 10min"],
}


@dataclass(frozen=True)
class Block:
    """A block of a page: when it runs, its language, its text."""

    mark: str
    language: str
    text: str


def blocks(page: str) -> list[Block]:
    (path,) = (path for path in PAGES if path.stem == page)
    return [
        Block(mark, language, textwrap.dedent(text))
        for mark, _, language, text in BLOCK.findall(path.read_text("utf-8"))
    ]


def play(page: str, folder: Path, *, slow: bool) -> str:
    """Run the blocks of a page in ``folder``; what they printed. Packages are also looked for in ``folder/site``."""
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environment.get("PATH", "")])
    shutil.copytree(DOCS / "examples", folder / "docs" / "examples")
    shutil.copy(DOCS / "examples" / "small-town.osm", folder)
    environment["PYTHONPATH"] = str(folder / "site")
    printed = ""
    for block in blocks(page):
        if block.mark == "not run" or (block.mark == "slow" and not slow):
            continue
        if block.language != "sh":
            name = re.match(r"# (\S+\.\w+)\n", block.text)
            if name:
                (folder / name[1]).write_text(block.text, encoding="utf-8")
            continue
        done = subprocess.run(
            ["bash", "-e", "-c", block.text],
            cwd=folder,
            env=environment,
            capture_output=True,
            encoding="utf-8",
            timeout=14400,  # s; for what hangs: on a busy machine the longest block took over half an hour
            check=False,
        )
        assert done.returncode == 0, f"{block.text}\n{done.stdout}\n{done.stderr}"
        printed += done.stdout
    return printed


needs_bash = pytest.mark.skipif(shutil.which("bash") is None, reason="the shell blocks are run by bash")


@needs_bash
def test_the_first_comparison_runs_as_printed(tmp_path: Path) -> None:
    printed = play("first-comparison", tmp_path, slow=False)
    verdict = re.search(
        r"^actuated: \d+.* s/veh less delay than program .*: better\.$", printed, re.MULTILINE
    )
    assert verdict, printed
    assert "assumed plan:" in printed
    assert (tmp_path / "first" / "report.html").is_file()


@needs_bash
def test_the_first_own_controller_passes_the_examiner_as_printed(tmp_path: Path) -> None:
    assert play("own-controller", tmp_path, slow=False) == "passed\n"


@needs_bash
@pytest.mark.slow
def test_the_first_own_controller_is_compared_as_printed(tmp_path: Path) -> None:
    for block in blocks("own-controller"):  # the package of the page, in a folder of its own
        if found := re.match(r"# (my_controller.py|pyproject.toml)\n", block.text):
            (tmp_path / found[1]).write_text(block.text, encoding="utf-8")
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--target"]
    subprocess.run([*command, "site", "."], cwd=tmp_path, check=True)
    printed = play("own-controller", tmp_path, slow=True)
    assert re.search("^most-vehicles: ", printed, re.MULTILINE)
    assert "| most-vehicles |" in (tmp_path / "my-benchmark" / "benchmark.md").read_text("utf-8")


@needs_bash
@pytest.mark.slow
def test_the_map_becomes_a_timing_plan_as_printed(tmp_path: Path) -> None:
    printed = play("map-to-plan", tmp_path, slow=True)
    assert "GS_3 (Phố Sông / Phố Núi): 12 movements, 2 phases, cycle 90 s" in printed
    assert "optimised:" in printed
    sheet = (tmp_path / "plan" / "timing-sheet.csv").read_text("utf-8")
    assert sheet.startswith("signal,name,cycle,offset,stage,start,green,change")


@needs_bash
@pytest.mark.slow
def test_the_first_experiment_runs_as_printed(tmp_path: Path) -> None:
    printed = play("first-experiment", tmp_path, slow=True)
    assert "24 runs" in printed
    assert "3 runs" in printed
    assert (tmp_path / "results.zip").is_file()


def place_files(place: Any, folder: Path, name: str = "my.sumocfg") -> None:
    """The scenario of a reader, in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in (place.net, place.routes):
        shutil.copy(path, folder)
    shutil.copy(place.config, folder / name)


@needs_bash
def test_an_own_scenario_is_checked_as_printed(tmp_path: Path, tiny_place: Any) -> None:
    place_files(tiny_place, tmp_path / "path" / "to")
    assert "ready: 2 signals can be controlled" in play("own-sumocfg", tmp_path, slow=False)


@needs_bash
@pytest.mark.slow
def test_an_own_scenario_is_compared_and_optimised_as_printed(tmp_path: Path, tiny_place: Any) -> None:
    place_files(tiny_place, tmp_path / "path" / "to")
    printed = play("own-sumocfg", tmp_path, slow=True)
    assert "max-pressure: " in printed
    assert (tmp_path / "my-results" / "report.html").is_file()
    assert (tmp_path / "my-plan" / "sheet-en.pdf").is_file()
    assert (tmp_path / "my-plan" / "export" / "utdf.csv").is_file()


@needs_bash
def test_a_form_for_counts_is_written_as_printed(tmp_path: Path) -> None:
    assert "fill in what was counted" in play("from-counts", tmp_path, slow=False)
    head = (tmp_path / "form.csv").read_text("utf-8-sig").partition("\n")[0]
    assert head == (DOCS / "examples" / "counts.csv").read_text("utf-8").partition("\n")[0]


@needs_bash
@pytest.mark.slow
def test_counts_become_a_place_as_printed(tmp_path: Path) -> None:
    assert "GEH" in play("from-counts", tmp_path, slow=True)
    assert (tmp_path / "my-comparison" / "report.html").is_file()


def synchro_file(place: Any, folder: Path) -> None:
    """A UTDF file of the signals of ``place``, in ``folder``."""
    shutil.copytree(place.folder, folder / "town", ignore=shutil.ignore_patterns("*.json"))
    denxanh = [sys.executable, "-P", "-m", "denxanh"]
    for arguments in (
        ["plan", "town", "--out", "known.json"],
        ["export-plan", "known.json", "--place", "town", "--utdf", "--out", "utdf"],
    ):
        done = subprocess.run(
            [*denxanh, *arguments],
            cwd=folder,
            capture_output=True,
            encoding="utf-8",
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    shutil.copy(folder / "utdf" / "utdf.csv", folder / "synchro.csv")


@needs_bash
def test_a_plan_of_synchro_is_read_as_printed(tmp_path: Path, tiny_place: Any) -> None:
    synchro_file(tiny_place, tmp_path)
    assert "existing.json: 2 signals" in play("from-synchro", tmp_path, slow=False)


@needs_bash
@pytest.mark.slow
def test_a_plan_goes_from_synchro_and_back_as_printed(tmp_path: Path, tiny_place: Any) -> None:
    synchro_file(tiny_place, tmp_path)
    assert "fixed-time" in play("from-synchro", tmp_path, slow=True)
    assert (tmp_path / "optimised" / "export" / "utdf.csv").is_file()


@needs_bash
def test_a_jam_is_looked_for_as_printed(tmp_path: Path, tiny_place: Any) -> None:
    place_files(tiny_place, tmp_path)
    assert "Teleports" in play("debug-a-jam", tmp_path, slow=False)


@needs_bash
@pytest.mark.slow
def test_a_jam_is_found_as_printed(tmp_path: Path, tiny_place: Any) -> None:
    place_files(tiny_place, tmp_path)
    assert "storage_ratio" in play("debug-a-jam", tmp_path, slow=True)


@needs_bash
@pytest.mark.slow
def test_a_published_run_is_repeated_as_printed(tmp_path: Path) -> None:
    assert "1 runs done again, the same to the last byte" in play("repeat-a-run", tmp_path, slow=True)
    assert (tmp_path / "published.zip").is_file()


@needs_bash
@pytest.mark.slow
def test_the_parts_of_an_array_job_are_merged_as_printed(tmp_path: Path) -> None:
    play("slurm-kubernetes", tmp_path, slow=True)
    assert (tmp_path / "results" / "summary.csv").is_file()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_block_is_run_or_listed(page: Path) -> None:
    """A block without a language would not be seen; what is not run is listed, and pages with blocks have a test."""
    text = page.read_text("utf-8")
    bare = [
        found[0][:60]
        for found in FENCE.finditer(text)
        if found[1] not in ("sh", "bash", "python", "toml", "text")
    ]
    assert not [one for one in bare if "{toctree}" not in one]
    never = [one.text.partition("\n")[0] for one in blocks(page.stem) if one.mark == "not run"]
    assert never == NOT_RUN.get(page.stem, [])
    if any(one.mark != "not run" and one.language == "sh" for one in blocks(page.stem)):
        played = Path(__file__).read_text("utf-8")
        assert (
            f'play("{page.stem}", ' in played or page.stem in ELSEWHERE or page.stem == "first-comparison.vi"
        )


def test_the_vietnamese_page_has_the_commands_of_the_english_one() -> None:
    assert blocks("first-comparison.vi") == blocks("first-comparison")
