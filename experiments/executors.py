"""Where an experiment's runs go: to this machine or to a cluster."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from denxanh.experiments.runs.local import Local
from denxanh.experiments.runs.runner import Executor


def executor_for(out: Path, *, jobs: int, cluster: str | None) -> Callable[[], Executor]:
    """A function that makes the executor; ``cluster`` is a Dask scheduler's address."""

    def local() -> Executor:
        return Local(out, jobs=jobs)

    def remote() -> Executor:
        from denxanh.experiments.runs.cluster import Cluster

        return Cluster(cluster or "", out)

    return local if cluster is None else remote
