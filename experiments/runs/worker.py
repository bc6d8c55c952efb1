"""The work of a run's own process: build the controller, simulate, publish the folder.

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
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from denxanh.sim.errors import DenxanhError, InputError, LimitError
from denxanh.sim.input.collector import collect_rarely

if TYPE_CHECKING:
    from denxanh.experiments.specification.run_specification import RunSpecification
    from denxanh.sim.run.run import Run

OK, FAILED, REFUSED, FULL, LATE = 0, 1, 2, 3, 4
"""Exit statuses: done; failed and may be tried again; the input is at fault, so trying again is useless; the
disk is full, so nothing else will work either; a limit of time was met."""

ROOM = (
    4 << 20
)  # bytes; with less room at a failure the disk is the cause: SUMO truncates its files in silence


def job(run: RunSpecification, target: Path, id: str = "", repeated_after: str = "") -> dict[str, Any]:
    """The content of a job.json: ``run`` of the identity ``id``, whose results go into the folder ``target``.

    The first attempt ends where a policy exceeds its time; the second, ``repeated_after`` a limit that the first one
    met, goes on.
    """
    from denxanh.experiments.specification.identity import code_hash

    content = {
        "id": id,
        "code": code_hash(),
        "run": run.to_json(),
        "target": str(target),
        "repeated_after": repeated_after,
    }
    if run.given:
        from denxanh.experiments.specification.objects import dumped

        content["controller"] = dumped(run.given, run.controller)
    return content


def run_job(folder: Path) -> int:
    """Carry out the job in ``folder``; returns the process's exit status."""
    die_with_parent()
    collect_rarely()
    from denxanh.experiments.specification.run_specification import RunSpecification

    data = json.loads((folder / "job.json").read_text("utf-8"))
    run = RunSpecification.from_json(data["run"])
    limits = run.options.limits
    _limit(limits.memory_mb, limits.disk_mb)
    try:
        if run.options.backend == "libsumo":
            from denxanh.sim.sumo.backend.libsumo_backend import preload

            preload()
    except (ImportError, MemoryError) as error:
        return _report(folder, type(error).__name__, shortage(error), FAILED)
    try:
        simulation = replace(_simulation(run, data["repeated_after"]), id=data["id"], code=data["code"])
        _execute(run, simulation, data.get("controller"), Path(data["target"]))
    except InputError as error:
        return _report(folder, "input", str(error), REFUSED)
    except LimitError as error:
        return _report(folder, "limit", str(error), LATE)
    except DenxanhError as error:
        return _report(folder, type(error).__name__, str(error), FAILED)
    except OSError as error:
        name = f" {error.filename}" if error.filename else ""
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        message = f"the run could not write{name}: {error.strerror or error}"
        return _report(folder, "OSError", message, FULL if full else FAILED)
    except Exception as error:  # a controller may raise anything
        if lacks_memory(error):
            most = f"{limits.memory_mb} MB" if limits.memory_mb else "the memory that it may use"
            return _report(folder, "MemoryError", f"the run needs more than {most}", FAILED)
        kind = type(error).__name__
        return _report(folder, kind, f"controller {run.controller!r} raised {kind}: {error}", FAILED)
    return OK


def run_forked(folder: Path) -> int:
    """Carry out the job in ``folder`` in a process just forked; returns its exit status."""
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(2, 1)
    status = run_job(folder)
    sys.stdout.flush()
    sys.stderr.flush()
    return status


def lacks_memory(error: BaseException) -> bool:
    """Whether an error says that memory is short; Python, C++ and the loader of libraries say it differently."""
    text = str(error)
    return isinstance(error, MemoryError) or any(
        said in text
        for said in ("failed to map segment", "cannot allocate memory", "bad_alloc", "Cannot allocate")
    )


def shortage(error: MemoryError | ImportError) -> str:
    """One sentence for a lack of memory; a library that cannot be mapped into memory is an ImportError."""
    if lacks_memory(error):
        return "the memory that this process may use is not enough; raise its limit (ulimit -v, cgroup)"
    return f"a part of the installation cannot be loaded ({error}); install denxanh again"


def _simulation(run: RunSpecification, repeated_after: str) -> Run:
    """The run as denxanh.sim executes it. Raises InputError."""
    from denxanh.experiments.specification.events import make_events
    from denxanh.experiments.specification.run_specification import with_window
    from denxanh.experiments.specification.sensings import make_sensing
    from denxanh.sim.run.run import Run
    from denxanh.sim.signals.rules import Rules

    _, options = with_window(run.scenario, run.options)
    return Run(
        run.simulated(),
        run.seed,
        options.backend,  # type: ignore[arg-type]  # one of its choices
        float(options.warm_up),
        float(options.flush),
        options.keep_sumo_output,
        options.movements == "on",
        sensing=make_sensing(run.sensing),
        events=make_events(options.events),
        rules=Rules(**options.safety),
        stop_at_limit=not repeated_after,
        repeated_after=repeated_after,
    )


def _execute(run: RunSpecification, simulation: Run, given: Mapping[str, Any] | None, target: Path) -> None:
    from denxanh.experiments.specification.controllers import make_controller
    from denxanh.experiments.specification.objects import loaded
    from denxanh.sim.run.run import execute
    from denxanh.sim.run.store import LOG, folder_beside, publish, sync
    from denxanh.sim.sumo.wheel import sumo_environment

    folder, target = folder_beside(target), target.resolve()
    here = Path.cwd()
    try:
        _redirect(folder / LOG)
        os.environ.update(sumo_environment())
        controller = make_controller(run.controller, run.arguments) if given is None else loaded(given)
        execute(simulation, controller, folder)
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
    from denxanh.sim.run.store import LOG

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
    """Set the limits that the operating system enforces; Windows has none of them, only the wall limit applies."""
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
    """End this process when standard input closes: the runner holds its other end and has died."""
    while os.read(0, 1):
        pass
    os._exit(FAILED)


def main() -> None:
    """Run the job named on the command line, where processes cannot be forked."""
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    sys.exit(run_job(Path(sys.argv[1])))
