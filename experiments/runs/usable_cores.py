"""The number of cores that this process may use: by its affinity and by the CPU quotas of its control groups."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path("/")


def usable_cores(root: Path = ROOT) -> int:
    """Cores for runs side by side, at least 1; a quota is rounded down, since a run beyond it only waits.

    The least of the cores that the process may be scheduled on (``taskset``, ``cpuset``, a batch system) and the quotas
    of its control group and all groups above it, of version 2 (``cpu.max``) or 1 (``cpu.cfs_quota_us``), as containers
    set them. ``root`` is where ``proc`` and ``sys`` are.
    """
    affinity = getattr(os, "sched_getaffinity", None)  # macOS and Windows have none
    cores = len(affinity(0)) if affinity is not None else os.cpu_count() or 1
    quotas = [quota for quota in _quotas(root) if quota > 0]
    return max(1, min([cores, *(int(quota + 1e-9) for quota in quotas)]))


def _quotas(root: Path) -> list[float]:
    """Cores that each control group of this process allows; groups without a quota are left out."""
    try:
        lines = (root / "proc/self/cgroup").read_text("utf-8").splitlines()
    except OSError:
        return []
    found: list[float] = []
    for line in lines:
        _, controllers, group = line.split(":", 2) if line.count(":") >= 2 else ("", "-", "")
        if controllers == "":
            for folder in _with_parents(root / "sys/fs/cgroup", group):
                found += _ratio(*[*_words(folder / "cpu.max"), "", ""][:2])
        elif "cpu" in controllers.split(","):
            for name in dict.fromkeys((controllers, "cpu", "cpu,cpuacct")):
                for folder in _with_parents(root / "sys/fs/cgroup" / name, group):
                    quota, period = (_words(folder / f"cpu.cfs_{part}_us") for part in ("quota", "period"))
                    found += _ratio("".join(quota), "".join(period))
    return found


def _with_parents(mount: Path, group: str) -> list[Path]:
    """The folder of a group and those above it; in a container the group may be the mount itself."""
    parts = [part for part in group.split("/") if part not in ("", "..", ".")]
    return [mount.joinpath(*parts[:count]) for count in range(len(parts), -1, -1)]


def _words(path: Path) -> list[str]:
    try:
        return path.read_text("utf-8").split()
    except OSError:
        return []


def _ratio(quota: str, period: str) -> list[float]:
    """Cores of a quota and its period, both in µs; none for "max", -1 and what is no number."""
    if quota.isascii() and quota.isdigit() and period.isascii() and period.isdigit() and int(period) > 0:
        return [int(quota) / int(period)]
    return []
