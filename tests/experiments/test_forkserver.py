"""The process that starts runs ends when it cannot start, instead of leaving the runner to wait."""

import subprocess
import sys

BROKEN = """
import denxanh.experiments.runs.forkserver as f
def broken():
    raise ImportError("no numba")
f._import_all = broken
f.main()
"""


def test_an_import_that_fails_ends_the_process() -> None:
    command = [sys.executable, "-c", BROKEN]
    ended = subprocess.run(
        command, stdin=subprocess.PIPE, capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.returncode == 1
    assert "no numba" in ended.stderr
