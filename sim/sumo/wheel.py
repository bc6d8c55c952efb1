"""The eclipse-sumo wheel: its folder, and the one place where its programs and scripts are started."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any

from denxanh.sim.errors import WorldError


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
    own = {"SUMO_HOME": str(home), "PROJ_DATA": proj, "PROJ_LIB": proj}
    if sys.platform != "win32":
        own |= {"LC_ALL": "C.UTF-8"}  # under C, SUMO reads a path's bytes as Latin-1
    return {**os.environ, **own}


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
    The caller limits its time.
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


def run_program(name: str, arguments: Sequence[str], *, folder: Path, timeout: float = 600.0) -> str:
    """Run a program in ``folder`` to its end and return what it printed to its error stream.

    Raises ProgramError where it fails, WorldError where it exceeds ``timeout`` s.
    """
    return _run(name, [str(sumo_binary(name)), *arguments], folder, timeout)


def run_script(name: str, arguments: Sequence[str], *, folder: Path, timeout: float = 600.0) -> str:
    """Run one of SUMO's Python scripts (``tools/NAME``) as ``run_program`` does."""
    return _run(name, [sys.executable, str(sumo_home() / "tools" / name), *arguments], folder, timeout)


def error_lines(text: str) -> list[str]:
    """The lines of a log in which SUMO reports an error."""
    return [line.strip() for line in text.splitlines() if line.strip().startswith("Error")]


def _run(name: str, command: list[str], folder: Path, timeout: float) -> str:
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=sumo_environment(),
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise WorldError(f"{name} did not finish within {timeout:g} s.") from error
    if done.returncode != 0:
        raise ProgramError(name, done.returncode, _reason(done.stderr or done.stdout))
    return done.stderr


def _reason(text: str) -> str:
    """The first errors of a log, or its last line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return " ".join(error_lines(text)[:3] or lines[-1:]) or "it printed nothing"
