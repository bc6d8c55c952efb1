"""The process that starts runs ends when it cannot start, instead of leaving the runner to wait."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

BROKEN = """
import sys
import denxanh.experiments.runs.forkserver as f
def broken():
    raise ImportError("no numba")
f._import_all = broken
sys.argv = ["forkserver", f.PRELOAD]
f.main()
"""

SHORT = """
import resource, sys
sys.argv = ["denxanh", "run", sys.argv[1], "-c", "program", "--end", "10", "--out", sys.argv[2]]
from denxanh.experiments.cli.app import main
resource.setrlimit(resource.RLIMIT_AS, (500 << 20, resource.RLIM_INFINITY))
main()
"""


def test_an_import_that_fails_ends_the_process() -> None:
    command = [sys.executable, "-c", BROKEN]
    ended = subprocess.run(
        command, stdin=subprocess.PIPE, capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.returncode == 1
    assert ended.stdout == (
        "failed a part of the installation cannot be loaded (no numba); install denxanh again\n"
    )
    assert ended.stderr == ""


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory are those of Linux")
def test_an_import_without_memory_is_one_sentence(tiny_place: Any, tmp_path: Path) -> None:
    """The libraries of SUMO and numba do not fit into the address space; it was the traceback of an ImportError."""
    command = [sys.executable, "-c", SHORT, str(tiny_place.config), str(tmp_path / "out")]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 2, ended.stderr
    assert ended.stderr.splitlines()[-1].startswith(
        "denxanh: the memory that this process may use is not enough"
    )
    assert "Traceback" not in ended.stderr
