"""The page docs/learning.md runs as printed, and its tables name all features and rewards."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from denxanh.controllers.learned.features import COMPOSED, FEATURES
from denxanh.experiments.learning.rewards import REWARDS

PAGE = Path(__file__).resolve().parents[3] / "docs" / "learning.md"


def test_the_blocks_of_the_page_run_one_after_the_other(tmp_path: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    script = tmp_path / "page.py"
    body = "\n".join(blocks).replace("\n", "\n    ")
    script.write_text(f"if __name__ == '__main__':\n    {body}\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, script],
        cwd=tmp_path,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert re.match(r"Delay\(seconds=\d+", done.stdout)


def test_the_tables_of_the_page_are_complete() -> None:
    named = set(re.findall(r"`([\w-]+)`", PAGE.read_text("utf-8"))) | {"sumo-rl", "default"}
    assert set(FEATURES) | set(COMPOSED) | set(REWARDS) <= named
