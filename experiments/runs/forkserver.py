"""A process that does nothing but fork: each fork becomes one run. For several runs it imports everything first.

It reads lines ``start NUMBER FOLDER`` and ``kill NUMBER`` from standard input and writes ``ready`` or
``failed REASON``, then ``done NUMBER STATUS``, to standard output. When its input ends, because the runner died, it
kills every run and ends. SUMO never runs here, so each run starts from the same clean state, without paying for the
imports.
"""

from __future__ import annotations

import os
import selectors
import signal
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from denxanh.experiments.runs.launcher import PRELOAD
from denxanh.experiments.runs.worker import run_forked, shortage


def main() -> None:
    """Serve until standard input ends."""
    ready = _leave_with_parent()
    try:
        (_import_all if PRELOAD in sys.argv[1:] else _import_sumo)()
    except (ImportError, MemoryError) as error:
        os.write(1, f"failed {' '.join(shortage(error).split())}\n".encode())
        os._exit(1)
    ready()
    children: dict[int, int] = {}  # pid → number
    wake, woken = socket.socketpair()
    wake.setblocking(False)
    woken.setblocking(False)
    signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    for number in (signal.SIGINT, signal.SIGTERM):  # the runner decides; its pipe tells
        signal.signal(number, signal.SIG_IGN)
    os.write(1, b"ready\n")
    selector = selectors.DefaultSelector()
    selector.register(0, selectors.EVENT_READ)
    selector.register(woken, selectors.EVENT_READ)
    pending = b""
    while True:
        for key, _ in selector.select():
            if key.fd == 0:
                chunk = os.read(0, 65536)
                if not chunk:
                    _kill_all(children)
                    return
                *lines, pending = (pending + chunk).split(b"\n")
                for line in lines:
                    _obey(os.fsdecode(line), children)
            else:
                woken.recv(4096)
        _reap(children)


def _leave_with_parent() -> Callable[[], None]:
    """End this process when the runner dies during the imports; returns the function that ends this watch."""
    parent, done = os.getppid(), threading.Event()

    def watch() -> None:
        while not done.wait(0.2):
            if os.getppid() != parent:
                os._exit(1)

    watcher = threading.Thread(target=watch, daemon=True)  # an import that fails must end us
    watcher.start()

    def ready() -> None:
        done.set()
        watcher.join()  # no thread may be alive where we fork

    return ready


def _import_all() -> None:
    """Import all that any run may use."""
    _import_sumo()
    import pyarrow.parquet  # noqa: F401

    import denxanh.experiments.specification.controllers
    import denxanh.experiments.specification.run_specification
    import denxanh.sim.run.run

    denxanh.experiments.specification.controllers.preload()


def _import_sumo() -> None:
    """Import SUMO."""
    import denxanh.sim.sumo.backend.libsumo_backend

    denxanh.sim.sumo.backend.libsumo_backend.preload()


def _obey(line: str, children: dict[int, int]) -> None:
    word, number, *rest = line.split(" ", 2)
    if word == "kill":
        for pid, owner in children.items():
            if owner == int(number):
                os.kill(pid, signal.SIGKILL)
        return
    pid = os.fork()
    if pid:
        children[pid] = int(number)
        return
    status = 1
    try:
        signal.set_wakeup_fd(-1)
        for one in (signal.SIGCHLD, signal.SIGTERM):
            signal.signal(one, signal.SIG_DFL)
        status = run_forked(Path(rest[0]))
    finally:
        os._exit(status)


def _reap(children: dict[int, int]) -> None:
    while children:
        pid, raw = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        status = os.waitstatus_to_exitcode(raw)
        if pid in children:
            os.write(1, f"done {children.pop(pid)} {status}\n".encode())


def _kill_all(children: dict[int, int]) -> None:
    for pid in children:
        os.kill(pid, signal.SIGKILL)
    for pid in children:
        os.waitpid(pid, 0)
