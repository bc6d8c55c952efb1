"""What happens inside a run's own process: build the controller, simulate, publish the folder.

A job is a folder with ``job.json``. The run leaves its result folder at the job's ``target``, or
``error.json`` in the job's folder; whatever is printed goes to the run's log.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import sys
import threading
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sim.errors import DenxanhError, InputError
from sim.scenario import Scenario

OK, FAILED, REFUSED, FULL = 0, 1, 2, 3
"""Exit statuses: done; failed and may be tried again; the input is at fault, so trying again is useless; the
disk is full, so nothing else will work either."""

ROOM = 4 << 20  # bytes; with less room at a failure the disk is the cause: SUMO cuts its files without a word


def job(
    *,
    scenario: Scenario,
    controller: str,
    parameters: Mapping[str, Any],
    seed: int,
    backend: str,
    warm_up: float,
    keep_sumo_output: bool,
    target: Path,
    memory_mb: int | None = None,
    disk_mb: int | None = None,
    sensing: str = "ideal",
    events: Sequence[Mapping[str, Any]] = (),
    safety: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The content of a job.json."""
    return {
        "scenario": scenario.to_json(),
        "controller": controller,
        "parameters": dict(parameters),
        "seed": seed,
        "backend": backend,
        "warm_up": warm_up,
        "sensing": sensing,
        "events": list(events),
        "safety": dict(safety or {}),
        "keep_sumo_output": keep_sumo_output,
        "target": str(target),
        "memory_mb": memory_mb,
        "disk_mb": disk_mb,
    }


def run_job(folder: Path) -> int:
    """Carry out the job in ``folder``; returns the process's exit status."""
    die_with_parent()
    data = json.loads((folder / "job.json").read_text("utf-8"))
    target = Path(data["target"])
    _limit(data["memory_mb"], data["disk_mb"])
    try:
        _execute(data, target)
    except InputError as error:
        return _report(folder, "input", str(error), REFUSED)
    except DenxanhError as error:
        return _report(folder, type(error).__name__, str(error), FAILED)
    except OSError as error:
        name = f" {error.filename}" if error.filename else ""
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        message = f"the run could not write{name}: {error.strerror or error}"
        return _report(folder, "OSError", message, FULL if full else FAILED)
    except MemoryError:
        return _report(folder, "MemoryError", f"the run needs more than {data['memory_mb']} MB", FAILED)
    except Exception as error:  # a controller may raise anything
        kind = type(error).__name__
        return _report(folder, kind, f"controller {data['controller']!r} raised {kind}: {error}", FAILED)
    return OK


def _execute(data: Mapping[str, Any], target: Path) -> None:
    from experiments.catalog import make_controller
    from experiments.happenings import make_events
    from experiments.sensings import make_sensing
    from sim.rules import Rules
    from sim.run import LOG, Run, execute
    from sim.store import folder_beside, publish, sync
    from sim.sumo_world import sumo_environment

    folder, target = folder_beside(target), target.resolve()
    here = Path.cwd()
    try:
        _redirect(folder / LOG)
        os.environ.update(sumo_environment())
        scenario = Scenario.from_json(data["scenario"])
        run = Run(
            scenario,
            data["seed"],
            data["backend"],
            data["warm_up"],
            data["keep_sumo_output"],
            sensing=make_sensing(data["sensing"]),
            events=make_events(data["events"]),
            rules=Rules(**data["safety"]),
        )
        execute(run, make_controller(data["controller"], data["parameters"]), folder)
        for path in (*folder.iterdir(), folder):
            sync(path)
        os.chdir(here)
        _redirect(Path(os.devnull))  # Windows renames no folder in which a file is open
        publish(folder, target)
    except BaseException as error:
        if not isinstance(error, (DenxanhError, OSError, MemoryError)):
            traceback.print_exc()  # the log keeps the details
        os.chdir(here)
        room = shutil.disk_usage(target.parent).free
        _keep_log(folder, target)
        if room < ROOM:
            raise OSError(errno.ENOSPC, f"the disk is full ({error})", str(target)) from error
        raise


def _keep_log(folder: Path, target: Path) -> None:
    """Remove an unfinished folder; its log goes to where the failure is explained."""
    from sim.run import LOG

    sys.stdout.flush()
    sys.stderr.flush()
    log = folder / LOG
    with contextlib.suppress(OSError):  # a full disk, or no log yet
        shutil.copyfile(log, target.parent / f"{target.name}.log")
    with contextlib.suppress(OSError):
        _redirect(Path(os.devnull))  # Windows removes no file that is open
    shutil.rmtree(folder, ignore_errors=True)


def _redirect(log: Path) -> None:
    """Send everything printed, by SUMO's C++ too, into the run's log."""
    sys.stdout.flush()
    sys.stderr.flush()
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    os.close(handle)


def _limit(memory_mb: int | None, disk_mb: int | None) -> None:
    """Bounds that the operating system keeps; Windows has none of these calls, there the wall limit remains."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if memory_mb is not None:
        resource.setrlimit(resource.RLIMIT_AS, (memory_mb << 20, memory_mb << 20))
    if disk_mb is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (disk_mb << 20, disk_mb << 20))


def _report(folder: Path, kind: str, message: str, status: int) -> int:
    with contextlib.suppress(OSError):  # on a full disk the status alone tells
        (folder / "error.json").write_text(json.dumps({"kind": kind, "message": message}), encoding="utf-8")
    return status


def die_with_parent() -> None:
    """Ask Linux to kill this process when its parent dies; elsewhere the launcher's pipe tells it."""
    if sys.platform == "linux":
        import ctypes
        import signal

        ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def _leave_with_parent() -> None:
    """End when standard input does: the runner holds its other end and has died."""
    while os.read(0, 1):
        pass
    os._exit(FAILED)


def main() -> None:
    """Run the job named on the command line: the way where processes cannot be forked."""
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    sys.exit(run_job(Path(sys.argv[1])))
