"""Jobs on disk: start, list, cancel, start again. The server keeps nothing of them in memory."""

from __future__ import annotations

import os
import re
import secrets
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from denxanh.experiments.workbench.job_process import CANCEL, JOB, OUTPUT, STATE, lives
from denxanh.sim.errors import InputError
from denxanh.sim.run import store

MOST_JOBS = 200  # shown, the newest
TAIL = 6000  # bytes of the output that are shown
_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}")
_PROGRESS = re.compile(r"^\s*(\d{1,6})/(\d{1,6})\b", re.MULTILINE)


@dataclass(frozen=True)
class JobRequest:
    """What a job runs: denxanh commands, in ``folder``. ``result`` is the folder or file that it makes."""

    kind: str  # compare, check, optimize, study, import, replay, sheet
    title: str
    commands: tuple[tuple[str, ...], ...]
    folder: Path
    result: str = ""  # relative to ``folder``
    waits: bool = True  # for other jobs to end first: they need all cores


class JobStore:
    """The jobs of one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def start(self, request: JobRequest) -> str:
        """Start a job in a process of its own; returns its id."""
        id = f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(3)}"
        folder = self.folder / id
        folder.mkdir(parents=True)
        store.write_json(
            folder / JOB,
            {
                "kind": request.kind,
                "title": request.title,
                "commands": [list(command) for command in request.commands],
                "folder": str(request.folder.resolve()),
                "result": request.result,
                "waits": request.waits,
                "asked": time.time(),
            },
        )
        _launch(folder)
        return id

    def again(self, id: str) -> None:
        """Start a job that has ended once more, which goes on where it stopped. Raises InputError."""
        folder = self._folder(id)
        if _state(folder)["state"] in ("waiting", "running"):
            raise InputError("the job is not over yet", location=id)
        (folder / CANCEL).unlink(missing_ok=True)
        (folder / STATE).unlink(missing_ok=True)
        job = store.read_json(folder / JOB)
        store.write_json(folder / JOB, {**(job or {}), "asked": time.time()})
        _launch(folder)

    def cancel(self, id: str) -> None:
        """Ask a job to end. Raises InputError for an unknown one."""
        (self._folder(id) / CANCEL).touch()

    def remove(self, id: str) -> None:
        """Take a job that is over off the list; its results stay. Raises InputError."""
        folder = self._folder(id)
        if _state(folder)["state"] in ("waiting", "running"):
            raise InputError("the job is not over yet", location=id)
        for name in (JOB, STATE, OUTPUT, CANCEL):
            (folder / name).unlink(missing_ok=True)

    def list(self) -> list[dict[str, Any]]:
        """Every job as JSON data, the newest first."""
        if not self.folder.is_dir():
            return []
        folders = sorted((f for f in self.folder.iterdir() if _ID.fullmatch(f.name)), reverse=True)
        found = [one for folder in folders[:MOST_JOBS] if (one := _described(folder))]
        return sorted(found, key=lambda one: -float(one["asked"]))

    def _folder(self, id: str) -> Path:
        if not _ID.fullmatch(id) or not (self.folder / id / JOB).is_file():
            raise InputError("there is no such job", location=id[:40])
        return self.folder / id


def _launch(folder: Path) -> None:
    """Start the process of a job, which outlives this one."""
    detached: dict[str, Any] = (
        {
            "creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
            | getattr(subprocess, "CREATE_NO_WINDOW", 0)
        }
        if os.name == "nt"
        else {"start_new_session": True}
    )
    subprocess.Popen(
        [sys.executable, "-m", "denxanh.experiments.workbench.job_process", str(folder.resolve())],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **detached,
    )


def _described(folder: Path) -> dict[str, Any] | None:
    job = store.read_json(folder / JOB)
    if job is None:
        return None
    tail = _tail(folder / OUTPUT)
    steps = _PROGRESS.findall(tail)
    return {
        "id": folder.name,
        "kind": job["kind"],
        "title": job["title"],
        "asked": job["asked"],
        "command": [" ".join(["denxanh", *command]) for command in job["commands"]],
        "folder": job["folder"],
        "result": job["result"],
        **_state(folder),
        "output": tail,
        "progress": [int(steps[-1][0]), int(steps[-1][1])] if steps else None,
    }


def _state(folder: Path) -> dict[str, Any]:
    """State of a job: waiting, running, done, failed, cancelled or interrupted, and its times."""
    known = store.read_json(folder / STATE) or {}
    times: dict[str, Any] = {name: known[name] for name in ("began", "started", "ended") if name in known}
    if "ended" in known:
        state = "cancelled" if known.get("cancelled") else "failed" if known.get("status") else "done"
    elif lives(folder):
        state = "running" if "started" in known else "waiting"
    else:
        state = "interrupted"
    return {"state": state, **times, "cancelling": (folder / CANCEL).exists() and "ended" not in known}


def _tail(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            stream.seek(0, os.SEEK_END)
            stream.seek(max(stream.tell() - TAIL, 0))
            return stream.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return ""
