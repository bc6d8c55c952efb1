"""Runs side by side by default: the cores that the process may use, not those that the machine has."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from denxanh.experiments.runs.usable_cores import usable_cores

MINE = 64


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that may be scheduled on many cores."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(MINE)), raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 2 * MINE)


def group(root: Path, line: str, **files: str) -> Path:
    """A machine on which this process is in one control group; ``files`` below /sys/fs/cgroup by path."""
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text(line + "\n")
    for name, content in files.items():
        path = root / "sys/fs/cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content + "\n")
    return root


@pytest.mark.usefixtures("many")
@pytest.mark.parametrize(
    ("line", "files", "cores"),
    [
        ("0::/", {}, MINE),
        ("0::/", {"cpu.max": "300000 100000"}, 3),
        ("0::/", {"cpu.max": "max 100000"}, MINE),
        ("0::/", {"cpu.max": "50000 100000"}, 1),
        ("0::/", {"cpu.max": "390000 100000"}, 3),
        ("0::/a/b", {"a/b/cpu.max": "max 100000", "a/cpu.max": "500000 100000"}, 5),
        ("0::/a/b", {"a/b/cpu.max": "200000 100000", "a/cpu.max": "500000 100000"}, 2),
        ("0::/a", {"a/cpu.max": "nonsense"}, MINE),
        (
            "4:cpu,cpuacct:/d",
            {"cpu,cpuacct/d/cpu.cfs_quota_us": "400000", "cpu,cpuacct/d/cpu.cfs_period_us": "100000"},
            4,
        ),
        ("4:cpu,cpuacct:/docker/x", {"cpu/cpu.cfs_quota_us": "200000", "cpu/cpu.cfs_period_us": "100000"}, 2),
        ("4:cpu:/d", {"cpu/d/cpu.cfs_quota_us": "-1", "cpu/d/cpu.cfs_period_us": "100000"}, MINE),
        ("5:cpuset:/d", {"cpuset/d/cpu.cfs_quota_us": "100000", "cpuset/d/cpu.cfs_period_us": "100000"}, MINE),
    ],
)  # fmt: skip
def test_quotas_of_control_groups_count(line: str, files: dict[str, str], cores: int, tmp_path: Path) -> None:
    assert usable_cores(group(tmp_path, line, **files)) == cores


@pytest.mark.usefixtures("many")
def test_without_control_groups_the_affinity_counts(tmp_path: Path) -> None:
    assert usable_cores(tmp_path) == MINE


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no affinity")
def test_a_process_bound_to_one_core_uses_one() -> None:
    core = min(os.sched_getaffinity(0))
    script = (
        f"import os; os.sched_setaffinity(0, {{{core}}});"
        "from denxanh.experiments.runs.usable_cores import usable_cores; print(usable_cores())"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "1"
