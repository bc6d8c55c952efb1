"""The page docs/python.md runs as printed."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

PAGE = Path(__file__).resolve().parents[1] / "docs" / "python.md"


def test_the_blocks_of_the_page_run_one_after_the_other(tmp_path: Path, run_page: Callable[..., str]) -> None:
    printed = run_page(PAGE, lambda text: text.replace("end=900", "end=120"))
    lines = printed.splitlines()
    assert re.fullmatch(r"\d+\.\d+ s/veh", lines[0])
    assert [line.split(":")[0] for line in lines[1:]] == ["max-pressure", "my-longest-queue"]
    assert [path.name for path in tmp_path.iterdir()] == ["page.py"]
