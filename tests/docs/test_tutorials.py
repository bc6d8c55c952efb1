"""The tutorials run as printed.

A page's blocks run one after the other in an empty folder: ``sh`` in a shell; ``python`` and ``toml`` blocks are saved
under the name in their first line. A block after ``<!-- slow: reason -->`` runs with ``-m slow`` only, one after
``<!-- not run: reason -->`` never; NOT_RUN lists those.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"
BLOCK = re.compile(
    r"(?:<!-- (slow|not run): [^\n]* -->\n)?^```(sh|python|toml)\n(.*?)^```", re.MULTILINE | re.DOTALL
)
TUTORIALS = ("first-comparison", "own-controller", "first-experiment", "map-to-plan")
NOT_RUN = {"first-comparison": ["python -m pip install -q -c constraints.txt .\n"]}


@dataclass(frozen=True)
class Block:
    """A block of a page: when it runs, its language, its text."""

    mark: str
    language: str
    text: str


def blocks(page: str) -> list[Block]:
    text = (DOCS / "tutorials" / f"{page}.md").read_text("utf-8")
    return [Block(*found) for found in BLOCK.findall(text)]


def play(page: str, folder: Path, *, slow: bool) -> str:
    """Run the blocks of a page in ``folder``; what they printed."""
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environment.get("PATH", "")])
    shutil.copy(DOCS / "examples" / "small-town.osm", folder)
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
            timeout=1800,
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
    printed = play("own-controller", tmp_path, slow=True).splitlines()
    assert printed[-1].startswith("most-vehicles: ")


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


@pytest.mark.parametrize("page", TUTORIALS)
def test_what_is_not_run_is_listed(page: str) -> None:
    assert [b.text for b in blocks(page) if b.mark == "not run"] == NOT_RUN.get(page, [])


def test_the_vietnamese_page_has_the_commands_of_the_english_one() -> None:
    assert blocks("first-comparison.vi") == blocks("first-comparison")
