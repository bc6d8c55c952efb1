"""Where an experiment's runs go: to this machine or to a cluster."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from experiments.expand import Experiment
from experiments.local import Local
from experiments.runner import Executor


def executor_for(out: Path, *, jobs: int, cluster: str | None) -> Callable[[Experiment], Executor]:
    """What makes the executor when the experiment is known; ``cluster`` is a Dask scheduler's address."""

    def local(experiment: Experiment) -> Executor:
        return Local(out, jobs=jobs, limits=experiment.limits, keep_sumo_output=experiment.keep_sumo_output)

    def remote(experiment: Experiment) -> Executor:
        from experiments.cluster import Cluster

        return Cluster(
            cluster or "", out, limits=experiment.limits, keep_sumo_output=experiment.keep_sumo_output
        )

    return local if cluster is None else remote
