"""Processes of runs: start, wait with a time limit, kill; none outlives the runner.

Where the system can fork, a fork server that has only imported starts each run without paying for the imports
again; the single run of a command is forked from the command itself. Elsewhere each run is a fresh interpreter.
Either way a crash of one run does not affect the others.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Protocol

from denxanh.sim.errors import RunError

START_LIMIT = 120.0  # s to import everything on a cold, slow disk
PRELOAD = "preload"
"""Argument of the fork server: import everything that any run may use before the first."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
LOST = -1000
"""Exit status of a run whose fork server died; no signal has this number, and the run is not at fault."""


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Treat SIGTERM as Ctrl-C; of no effect outside the main thread, which alone may set signal handlers."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


class Process(Protocol):
    """The process of a run."""

    def wait(self, seconds: float) -> int | None:
        """The exit status (negative: killed by that signal), or None if it still runs after ``seconds``."""
        ...

    def kill(self) -> None:
        """Kill the process."""
        ...


class Launcher(Protocol):
    """Starts the processes of runs; ``close`` leaves none."""

    def start(self, folder: Path) -> Process:
        """Run the job in ``folder``."""
        ...

    def close(self) -> None:
        """Kill the running processes."""
        ...


def launcher(*, preload: bool = True) -> Launcher:
    """The launcher for this system. ``preload=False`` is for a single run: it imports only what it uses."""
    return ForkLauncher(preload=preload) if _can_fork() else SpawnLauncher()


def command_launcher() -> Launcher:
    """The launcher for the single run of a command.

    The run is forked from this process and so pays for no import again, unless a thread of Python runs here, as in a
    notebook: it may hold a lock that the run would wait for.
    """
    alone = sys.platform == "linux" and threading.active_count() == 1
    return HereLauncher() if alone else launcher(preload=False)


def _can_fork() -> bool:
    return hasattr(os, "fork") and sys.platform != "darwin"


def _python(module: str, *arguments: str) -> list[str]:
    # -P: a folder in the working directory must not shadow our packages
    return [sys.executable, "-P", "-c", f"from {module} import main; main()", *arguments]


class SpawnLauncher:
    """A fresh interpreter for each run."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[bytes]] = set()

    def start(self, folder: Path) -> Process:
        """Start an interpreter for the job."""
        # the pipe stays open as long as we live: the run ends when it sees it close
        process = subprocess.Popen(
            _python("denxanh.experiments.runs.worker", str(folder)), stdin=subprocess.PIPE
        )
        self._running.add(process)
        return _Spawned(process, self._running)

    def close(self) -> None:
        """Kill the running processes."""
        for process in list(self._running):
            _Spawned(process, self._running).kill()


class _Spawned:
    def __init__(self, process: subprocess.Popen[bytes], running: set[subprocess.Popen[bytes]]) -> None:
        self._process = process
        self._running = running

    def wait(self, seconds: float) -> int | None:
        try:
            status = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        self._forget()
        return status

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        self._forget()

    def _forget(self) -> None:
        """Close the pipe to a process that has ended: thousands of runs would use up the handles of this one."""
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        self._running.discard(self._process)


class HereLauncher:
    """Each run is a fork of this process, which has no other thread of Python."""

    def __init__(self) -> None:
        self._running: set[_ForkedHere] = set()

    def start(self, folder: Path) -> Process:
        """Fork a run for the job."""
        from denxanh.experiments.runs.worker import run_forked

        sys.stdout.flush()
        sys.stderr.flush()
        ended, held = os.pipe()  # the run holds one end until it ends, however it ends
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        try:
            pid = os.fork()
            if not pid:
                status = 1
                try:
                    os.setsid()  # Ctrl-C reaches the runner, which then ends its run in order
                    signal.signal(signal.SIGINT, signal.SIG_IGN)
                    signal.signal(signal.SIGTERM, signal.SIG_DFL)
                    signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
                    status = run_forked(folder)
                finally:
                    os._exit(status)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
            os.close(held)
        process = _ForkedHere(pid, ended, self._running)
        self._running.add(process)
        return process

    def close(self) -> None:
        """Kill the running processes."""
        for process in list(self._running):
            process.kill()


class _ForkedHere:
    def __init__(self, pid: int, ended: int, running: set[_ForkedHere]) -> None:
        self._pid = pid
        self._ended = ended
        self._running = running
        self._status: int | None = None

    def wait(self, seconds: float) -> int | None:
        if self._status is None and select.select([self._ended], [], [], seconds)[0]:
            self._reap()
        return self._status

    def kill(self) -> None:
        if self._status is None:
            os.kill(self._pid, signal.SIGKILL)
            self._reap()

    def _reap(self) -> None:
        self._status = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
        os.close(self._ended)
        self._running.discard(self)


class ForkLauncher:
    """One fork server for all runs of this runner; it is replaced if it dies."""

    def __init__(self, *, preload: bool = True) -> None:
        self._arguments = (PRELOAD,) if preload else ()
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self._server: subprocess.Popen[bytes] | None = None
        self._ready = False
        self._closed = False
        self._running: dict[int, _Forked] = {}  # by this server, not by one that died before it

    def start(self, folder: Path) -> Process:
        """Fork a run for the job."""
        with self._lock:
            if self._closed:
                raise RunError("no run is started any more")
            if self._server is None or self._server.poll() is not None:
                self._serve()
            number = next(self._numbers)
            process = self._running[number] = _Forked(self, number)
            self._send(f"start {number} {folder}")
        return process

    def close(self) -> None:
        """End the server; it kills what still runs. One that still imports is killed: nobody waits for it."""
        self._closed = True
        server = self._server  # without the lock: a start may hold it until the server is ready
        if server is not None and not self._ready:
            server.kill()
        with self._lock:
            server, self._server = self._server, None
        if server is not None:
            assert server.stdin is not None
            server.stdin.close()
            try:
                server.wait(5.0)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()

    def kill(self, number: int) -> None:
        """Kill one run."""
        with self._lock:
            if self._server is not None and self._server.poll() is None:
                self._send(f"kill {number}")

    def _serve(self) -> None:
        self._ready = False
        self._server = server = subprocess.Popen(
            _python("denxanh.experiments.runs.forkserver", *self._arguments),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C reaches the runner, which then ends its runs in order
        )
        assert server.stdout is not None
        answer, _, reason = server.stdout.readline().decode("utf-8", "replace").strip().partition(" ")
        if answer != "ready":
            status = server.wait(START_LIMIT)
            raise RunError(reason or f"the process that starts runs ended with status {status}")
        self._ready = True
        self._running = {}
        threading.Thread(target=self._listen, args=(server, self._running), daemon=True).start()

    def _send(self, line: str) -> None:
        assert self._server is not None
        assert self._server.stdin is not None
        try:
            self._server.stdin.write(os.fsencode(f"{line}\n"))
            self._server.stdin.flush()
        except BrokenPipeError:
            pass  # the listener tells every run that its server died

    def _listen(self, server: subprocess.Popen[bytes], running: dict[int, _Forked]) -> None:
        assert server.stdout is not None
        for line in server.stdout:
            word, number, status = line.split()
            process = running.pop(int(number), None)
            if word == b"done" and process is not None:
                process.end(int(status))
        server.wait()
        with self._lock:
            orphans = list(running.values())
            running.clear()
        for process in orphans:  # they died with it
            process.end(LOST)


class _Forked:
    def __init__(self, owner: ForkLauncher, number: int) -> None:
        self._owner = owner
        self._number = number
        self._ended = threading.Event()
        self._status = 0

    def end(self, status: int) -> None:
        self._status = status
        self._ended.set()

    def wait(self, seconds: float) -> int | None:
        return self._status if self._ended.wait(seconds) else None

    def kill(self) -> None:
        self._owner.kill(self._number)
        self._ended.wait(5.0)
