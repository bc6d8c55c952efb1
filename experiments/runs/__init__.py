"""Running a specification: its process, the ledger, executors on this machine and on a cluster."""

__all__ = [
    "cluster",
    "execution",
    "forkserver",
    "launcher",
    "ledger",
    "local",
    "run_row",
    "runner",
    "worker",
]
