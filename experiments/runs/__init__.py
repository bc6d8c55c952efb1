"""Running a specification: its process, the ledger, executors on this machine and on a cluster."""

__all__ = [
    "cluster",
    "cluster_job",
    "execution",
    "fallbacks",
    "forkserver",
    "launcher",
    "ledger",
    "ledger_checksums",
    "ledger_file",
    "local",
    "proof",
    "relocation",
    "run_row",
    "runner",
    "usable_cores",
    "worker",
]
