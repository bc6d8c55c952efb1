"""The workbench: a local server for places, results, jobs and an editor of plans, for one person at one machine."""

__all__ = [
    "access",
    "desk",
    "job_commands",
    "job_process",
    "jobs",
    "library",
    "open_place",
    "page_requests",
    "plan_edits",
    "served_files",
    "server",
    "workbench_page",
]
