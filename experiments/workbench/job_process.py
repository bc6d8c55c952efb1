"""The process of one job: runs a denxanh command, keeps its output and its end in the job's folder.

It does not belong to the server: it goes on when the browser is closed and when the server ends. Its state is what is
in its folder: ``job.json`` (what to run), ``output.txt``, ``state.json`` (when it began, how it ended), ``cancel``
(it is asked to end), and the lock ``alive``, which the system releases with the process however it ends.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from denxanh.sim.run import store

JOB, STATE, OUTPUT, CANCEL, ALIVE, QUEUE = "job.json", "state.json", "output.txt", "cancel", "alive", "queue"
PAUSE = 0.2  # s between two looks at a command that runs, and whether it is to be cancelled
LOOK = 1.0  # s between two looks at the jobs before this one
STARTING = 60.0  # s that a job's process may take to begin
STEPS_TO_END = ((signal.SIGINT, 30.0), (signal.SIGTERM, 10.0))
"""How a command is asked to end, and how long it has for it, s; then it is ended by force."""

_PROBING = threading.Lock()  # a lock that another thread tries looks as if its job held it


def main(folder: Path) -> None:
    """Wait for a turn if the job needs one, run its command, write its state."""
    alive = FileLock(folder / ALIVE)
    try:
        alive.acquire(timeout=5.0)
    except Timeout:
        return  # another process has this job already
    with alive:
        job = json.loads((folder / JOB).read_text(encoding="utf-8"))
        state = {"began": time.time()}
        _write(folder / STATE, state)
        turn = FileLock(folder.parent / QUEUE)
        if job["waits"] and not _wait_for_turn(folder, turn):
            _write(folder / STATE, {**state, "ended": time.time(), "cancelled": True})
            return
        try:
            state["started"] = time.time()
            _write(folder / STATE, state)
            status, cancelled = _run(folder, job)
        finally:
            turn.release()
        _write(folder / STATE, {**state, "ended": time.time(), "status": status, "cancelled": cancelled})


def _write(file: Path, data: dict[str, Any]) -> None:
    with store.replacing(file) as new:
        store.write_json(new, data)


def _wait_for_turn(folder: Path, turn: FileLock) -> bool:
    """Wait until no other job runs and none asked for earlier waits; False where it is cancelled before."""
    while True:
        if (folder / CANCEL).exists():
            return False
        if not _earlier(folder):
            with contextlib.suppress(Timeout):
                turn.acquire(timeout=0)
                return True
        time.sleep(LOOK)


def _earlier(folder: Path) -> bool:
    """Whether a job that was asked for before this one waits or runs."""
    mine = _asked(folder)
    for other in folder.parent.iterdir():
        asked = _asked(other)
        if other != folder and asked is not None and mine is not None and asked < mine and lives(other):
            return True
    return False


def _asked(folder: Path) -> tuple[float, str] | None:
    """When a job that waits for others was asked for; None for other jobs and other folders."""
    job = store.read_json(folder / JOB)
    return (float(job["asked"]), folder.name) if job is not None and job["waits"] else None


def lives(folder: Path) -> bool:
    """Whether a job has not ended and its process lives, or is about to: it holds the job's lock."""
    known = store.read_json(folder / STATE) or {}
    if "ended" in known:
        return False
    lock = FileLock(folder / ALIVE)
    with _PROBING:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return True
        lock.release()
    job = store.read_json(folder / JOB)
    return job is not None and not known and time.time() - float(job["asked"]) < STARTING


def _run(folder: Path, job: dict[str, Any]) -> tuple[int, bool]:
    """Run the commands of a job one after the other; the status of the last one, and whether it was cancelled."""
    with (folder / OUTPUT).open("ab") as output:
        for command in job["commands"]:
            status, cancelled = _run_command(folder, command, Path(job["folder"]), output)
            if status or cancelled:
                return status, cancelled
    return 0, False


def _run_command(folder: Path, command: list[str], where: Path, output: Any) -> tuple[int, bool]:
    new_group: dict[str, Any] = (
        {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
        if os.name == "nt"
        else {"start_new_session": True}
    )
    with subprocess.Popen(
        [sys.executable, "-m", "denxanh", *command],
        cwd=where,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        env={**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8", "NO_COLOR": "1"},
        **new_group,
    ) as process:
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                return process.wait(PAUSE), False
            if (folder / CANCEL).exists():
                return _end(process), True


def _end(process: subprocess.Popen[bytes]) -> int:
    """Ask a command and its runs to end, as Ctrl-C does; at last end it by force."""
    for what, patience in STEPS_TO_END:
        if os.name == "nt":
            process.send_signal(getattr(signal, "CTRL_BREAK_EVENT", signal.SIGTERM))
        else:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, what)
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.wait(patience)
    if os.name != "nt":
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    return process.wait()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
