"""Running a specification: its process, the ledger, executors on this machine and on a cluster."""

__all__ = [
    "cluster",
    "execution",
    "forkserver",
    "launcher",
    "ledger",
    "local",
    "proof",
    "relocation",
    "run_row",
    "runner",
    "usable_cores",
    "worker",
]
