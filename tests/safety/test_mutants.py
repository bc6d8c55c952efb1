"""The tests of safety are themselves tested: they must find faults that were put into the code on purpose."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from safety_mutants import MUTANTS

ROOT = Path(__file__).resolve().parents[2]
CAUGHT = 0.9  # share of the mutants that must be found
SAMPLED = (2, 12, 33, 36, 49)  # a rule of the monitor, walkers, clearance, the latch, the second barrier
TESTS = (
    "test_monitor.py",
    "test_supervisor.py",
    "test_permits.py",
    "test_clearance_by_pair.py",
    "test_time_limit.py",
    "test_fuzz.py",
    "test_walks.py",
)
LEFT_OUT = "not real_networks and not comes_with_sumo and not audit"  # slow for what they would add here


def copy_code(folder):
    """What the tests need, without what they do not."""
    unused = shutil.ignore_patterns("__pycache__", "model")
    shutil.copytree(ROOT / "denxanh", folder / "denxanh", ignore=unused)
    shutil.copytree(ROOT / "sim", folder / "sim", ignore=unused)
    shutil.copytree(ROOT / "tests" / "safety", folder / "tests" / "safety", ignore=unused)
    shutil.copy(ROOT / "tests" / "conftest.py", folder / "tests")
    shutil.copy(ROOT / "pyproject.toml", folder)


def finds(folder, mutant):
    """Whether the tests fail on a copy of the code with this fault in it, or never come to an end."""
    copy_code(folder)
    if mutant:
        name, old, new = mutant
        text = (folder / name).read_text("utf-8")
        assert text.count(old) == 1, f"{name} has no longer one {old!r}"
        (folder / name).write_text(text.replace(old, new), "utf-8")
    options = (
        "--hypothesis-profile=found-or-not",
        "-x",
        "-q",
        "-p",
        "no:cacheprovider",
        "-m",
        "not slow",
        "-k",
        LEFT_OUT,
    )
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *options, *(f"tests/safety/{name}" for name in TESTS)],
            cwd=folder,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return True
    assert done.returncode in (0, 1), done.stdout[-2000:] + done.stderr[-2000:]
    return done.returncode == 1


@pytest.mark.parametrize("number", SAMPLED)
def test_a_sample_is_found(tmp_path, number):
    assert finds(tmp_path, MUTANTS[number])


def test_every_fault_still_has_its_place():
    for name, old, _ in MUTANTS:
        assert (ROOT / name).read_text("utf-8").count(old) == 1, (name, old)


@pytest.mark.slow
def test_nine_of_ten_are_found(tmp_path):
    assert not finds(tmp_path / "none", None)
    survivors = [m for i, m in enumerate(MUTANTS) if not finds(tmp_path / str(i), m)]
    assert len(MUTANTS) >= 30
    assert len(survivors) <= (1 - CAUGHT) * len(MUTANTS), survivors
