"""Compiled code that is kept on disk follows the sources of its folder."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

KERNEL = """
from denxanh.sim.compiled import kernel
from other import inner, CONSTANT

@kernel()
def outer(x):
    return inner(x) + CONSTANT
"""
OTHER = """
from denxanh.sim.compiled import kernel
CONSTANT = {constant}

@kernel()
def inner(x):
    return {factor} * x
"""


def outcome(folder: Path, **environment: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", "import outer; print(outer.outer(10))"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(folder), str(Path.cwd()))), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_kernel_follows_what_it_uses_from_another_file(tmp_path: Path, elsewhere: bool) -> None:
    folder = tmp_path / "code"
    folder.mkdir()
    environment = {"NUMBA_CACHE_DIR": str(tmp_path / "kept")} if elsewhere else {}
    (folder / "outer.py").write_text(KERNEL)
    (folder / "other.py").write_text(OTHER.format(constant=1, factor=2))
    assert outcome(folder, **environment) == 21
    base = tmp_path / "kept" if elsewhere else folder / "__pycache__"
    kept = {path: path.stat().st_mtime_ns for path in base.rglob("*.nbi")}
    assert len({path.parent for path in kept}) == 1
    assert outcome(folder, **environment) == 21
    assert kept == {path: path.stat().st_mtime_ns for path in base.rglob("*.nbi")}  # found, not made again
    (folder / "other.py").write_text(OTHER.format(constant=1, factor=3))
    assert outcome(folder, **environment) == 31
    (folder / "other.py").write_text(OTHER.format(constant=5, factor=3))
    assert outcome(folder, **environment) == 35


def test_the_user_s_own_kernels_stay_where_numba_puts_them() -> None:
    import numba

    from denxanh.sim.compiled import kernel

    def same(x: float) -> float:
        return x

    before = numba.config.CACHE_DIR
    assert kernel()(same)(2.0) == 2.0
    assert before == numba.config.CACHE_DIR
