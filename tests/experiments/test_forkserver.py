"""The process that starts runs ends when it cannot start, instead of leaving the runner to wait."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="without fork, each run is a process of its own"
)


def test_an_import_that_fails_ends_the_process() -> None:
    program = "import experiments.forkserver as f\ndef broken(): raise ImportError('no numba')\nf._import_all = broken; f.main()"
    ended = subprocess.run(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    assert "no numba" in ended.stderr
