"""The eclipse-sumo wheel: its folder, and the one place where its programs and scripts are started."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from types import FrameType
from typing import IO, Any

from denxanh.sim.errors import LimitError, WorldError
from denxanh.sim.time_limit import Countdown

_SLICE = 0.5  # s of a wait for a program
_REQUESTS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
"""Requests to end this process: kill, and a closed terminal."""


class ProgramError(WorldError):
    """A program of SUMO's ended with an error; ``reason`` is what it printed."""

    def __init__(self, name: str, status: int, reason: str) -> None:
        self.reason = reason
        super().__init__(f"{name} failed with code {status}: {reason}")


def sumo_home() -> Path:
    """The folder of the wheel; its ``bin`` holds SUMO's real programs, not wrappers."""
    import sumo

    return Path(sumo.SUMO_HOME)


def sumo_version() -> str:
    """The version of the wheel."""
    return version("eclipse-sumo")


def sumo_binary(name: str = "sumo") -> Path:
    """The path of a program of the wheel."""
    return sumo_home() / "bin" / (f"{name}.exe" if sys.platform == "win32" else name)


def sumo_environment() -> dict[str, str]:
    """The user's environment with what SUMO needs: its own data, and UTF-8 paths."""
    home = sumo_home()
    proj = str(home / "data" / "proj")  # proj.db in the wheel
    emissions = str(home / "data" / "emissions" / "PHEMlight")  # SUMO would take the user's before its own
    own = {"SUMO_HOME": str(home), "PROJ_DATA": proj, "PROJ_LIB": proj, "PHEMLIGHT_PATH": emissions}
    if sys.platform != "win32":
        own |= {"LC_ALL": "C.UTF-8"}  # under C, SUMO reads a path's bytes as Latin-1
    return {**os.environ, **own}


@contextlib.contextmanager
def terminable() -> Iterator[None]:
    """Raise SystemExit in the block on a request to end this process, so that the block ends the programs it waits for.

    By default such a request ends this process alone, and its programs run on. A further request is ignored while
    the block ends. A handler of the caller's stays, and so does an ignored request (``nohup``). Of no effect outside
    the main thread, which alone may set signal handlers. Who catches SystemExit, as the workers of Python's process
    pools do, goes on.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    own = [number for number in _REQUESTS if signal.getsignal(number) is signal.SIG_DFL]
    try:
        for number in own:
            signal.signal(number, _end)
        yield
    finally:
        for number in own:
            signal.signal(number, signal.SIG_DFL)


class _Held:
    """A request to end this process that came while a program was being started."""

    open = False  # a program is being started
    request: int | None = None


def _end(number: int, frame: FrameType | None) -> None:
    """The handler of a request to end this process."""
    for one in _REQUESTS:
        if signal.getsignal(one) is _end:
            signal.signal(one, signal.SIG_IGN)
    if _Held.open:
        _Held.request = number
    else:
        raise SystemExit(128 + number)  # the status that a shell reports for it


@contextlib.contextmanager
def _held() -> Iterator[None]:
    """Hold a request to end this process until the end of the block: a half-started program cannot be ended."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _Held.open = True
    try:
        yield
    finally:
        _Held.open = False
        request, _Held.request = _Held.request, None
        if request is not None:
            raise SystemExit(128 + request)


@contextlib.contextmanager
def child_program(command: Sequence[str], **options: Any) -> Iterator[subprocess.Popen[Any]]:
    """A program for the length of a block: where it has not ended with the block, it is killed.

    A request to end this process ends the block. ``options`` are those of Popen.
    """
    process: subprocess.Popen[Any] | None = None
    with terminable():
        try:
            with _held():
                process = subprocess.Popen(command, **options)
            yield process
        finally:
            if process is not None:
                with _held(), process:
                    process.kill()


@contextlib.contextmanager
def program_threads(workers: int) -> Iterator[tuple[ThreadPoolExecutor, threading.Event]]:
    """Threads that wait for programs, for the length of a block, and the event that tells them to end these.

    It is set where the block fails, and where this process is asked to end.
    """
    stop, pool = threading.Event(), ThreadPoolExecutor(workers)
    with terminable():
        try:
            yield pool, stop
        except BaseException:
            stop.set()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def start_program(
    name: str,
    arguments: Sequence[str],
    *,
    errors: IO[bytes],
    output: IO[bytes] | None = None,
    folder: Path | None = None,
    **options: Any,
) -> subprocess.Popen[bytes]:
    """Start a program in ``folder`` and return at once.

    ``errors`` and ``output`` take its two streams; None discards its output. ``options`` are further ones of Popen.
    The caller limits its time, and ends it where this process ends before it.
    """
    return subprocess.Popen(
        [str(sumo_binary(name)), *arguments],
        cwd=folder,
        env=sumo_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL if output is None else output,
        stderr=errors,
        **options,
    )


def run_program(
    name: str,
    arguments: Sequence[str],
    *,
    folder: Path,
    timeout: float = 600.0,
    stop: threading.Event | None = None,
) -> str:
    """Run a program in ``folder`` to its end and return what it printed to its error stream.

    ``stop`` ends it from another thread. Raises ProgramError where it fails or is stopped, LimitError where it
    exceeds ``timeout`` s, pauses of this process not counted.
    """
    return _run(name, [str(sumo_binary(name)), *arguments], folder, timeout, stop)


def run_script(name: str, arguments: Sequence[str], *, folder: Path, timeout: float = 600.0) -> str:
    """Run one of SUMO's Python scripts (``tools/NAME``) as ``run_program`` does."""
    return _run(name, [sys.executable, str(sumo_home() / "tools" / name), *arguments], folder, timeout)


def wait_program(process: subprocess.Popen[Any], seconds: float) -> int:
    """The exit status of a program. Raises TimeoutExpired after ``seconds``, counted as in a Countdown."""
    countdown = Countdown(seconds)
    while True:
        try:
            return process.wait(min(_SLICE, seconds))
        except subprocess.TimeoutExpired:
            if countdown.expired():
                raise


def error_lines(text: str) -> list[str]:
    """The lines of a log in which SUMO reports an error."""
    return [line.strip() for line in text.splitlines() if line.strip().startswith("Error")]


def _run(
    name: str, command: list[str], folder: Path, timeout: float, stop: threading.Event | None = None
) -> str:
    with child_program(
        command,
        cwd=folder,
        env=sumo_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
    ) as process:
        try:
            output, errors = _communicate(process, timeout, stop)
        except subprocess.TimeoutExpired as error:
            raise LimitError(f"{name} did not finish within {timeout:g} s.") from error
    if process.returncode != 0:
        raise ProgramError(name, process.returncode, _reason(errors or output))
    return errors


def _communicate(
    process: subprocess.Popen[str], seconds: float, stop: threading.Event | None
) -> tuple[str, str]:
    """What a program prints until its end. Raises TimeoutExpired after ``seconds``, counted as in a Countdown."""
    countdown = Countdown(seconds)
    while True:
        try:
            return process.communicate(timeout=min(_SLICE, seconds))
        except subprocess.TimeoutExpired:
            if stop is not None and stop.is_set():
                process.kill()
            elif countdown.expired():
                raise


def _reason(text: str) -> str:
    """The first errors of a log, or its last line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return " ".join(error_lines(text)[:3] or lines[-1:]) or "it printed nothing"
