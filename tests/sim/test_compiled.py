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


@pytest.mark.skipif(os.name != "posix", reason="the C library is found by this name on POSIX systems only")
def test_what_a_compiled_library_prints_is_suppressed() -> None:
    """Also what C's buffer holds when the output goes to a file or pipe; what is printed before and after stays."""
    program = """
import ctypes
from denxanh.sim.compiled import silenced
puts = ctypes.CDLL(None).puts
puts(b"a library, before")
try:
    with silenced():
        puts(b"noise")
        with silenced():
            puts(b"more noise")
        raise ValueError
except ValueError:
    print("after", flush=True)
"""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment
    )
    assert done.stdout == "a library, before\nafter\n"


@pytest.mark.skipif(os.name != "posix", reason="the C library is found by this name on POSIX systems only")
def test_two_threads_that_suppress_at_once_leave_standard_output_as_it_was() -> None:
    program = """
import threading
from denxanh.sim.compiled import silenced
inside, go = threading.Event(), threading.Event()

def first():
    with silenced():
        inside.set()
        go.wait(10)

def second():
    inside.wait(10)
    go.set()
    with silenced():
        pass

threads = [threading.Thread(target=work) for work in (first, second)]
for one in threads: one.start()
for one in threads: one.join()
print("after")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "after\n"
