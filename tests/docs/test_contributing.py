"""The worked examples of CONTRIBUTING.md run as printed; pictures are drawn from results and small."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_blocks_of_the_page_run_one_after_the_other(run_page: Callable[..., str]) -> None:
    printed = run_page(ROOT / "CONTRIBUTING.md")
    share, place = printed.splitlines()
    assert 0.0 <= float(share) <= 1.0
    assert place == "ha-noi/hoang-dao-thuy 120.0"


def test_a_picture_is_drawn_from_results(
    tmp_path: Path, tiny_place: object, cli: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    place = tiny_place.config  # type: ignore[attr-defined]
    done = cli(
        "compare", place, "-c", "program", "-c", "actuated", "--seeds", "2", "--out", "out", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    picture = tmp_path / "picture.png"
    command = [sys.executable, ROOT / "benchmarks" / "gallery.py", tmp_path / "out", picture]
    drawn = subprocess.run(
        command, cwd=tmp_path, capture_output=True, encoding="utf-8", timeout=300, check=False
    )
    assert drawn.returncode == 0, drawn.stderr
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_pictures_of_the_readme_are_small() -> None:
    for picture in (ROOT / "docs" / "gallery").iterdir():
        assert picture.stat().st_size <= 150_000, picture.name


def test_the_vietnamese_readme_has_the_command_of_the_english_one() -> None:
    english, vietnamese = ((ROOT / name).read_text("utf-8") for name in ("README.md", "README.vi.md"))
    run = english.partition("<!-- run -->\n```\n")[2].partition("\n")[0]
    assert run.startswith("python -m pip install -q -c constraints.txt . && denxanh compare ")
    assert run in vietnamese
    assert len(re.findall(r"^## ", vietnamese, re.MULTILINE)) >= 3
