"""SUMO's own command-line tools, run as child processes from the eclipse-sumo wheel."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from sim.errors import WorldError


def home() -> Path:
    """Return SUMO's folder inside the eclipse-sumo wheel."""
    import sumo

    return Path(sumo.SUMO_HOME)


def run(tool: str, arguments: list[str], *, folder: Path, timeout: float = 600) -> str:
    """Run a SUMO tool in ``folder`` and return its error stream; raise WorldError when it fails.

    ``timeout`` in seconds.
    """
    return _run(tool, [str(home() / "bin" / tool), *arguments], folder, timeout)


def script(name: str, arguments: list[str], *, folder: Path, timeout: float = 600) -> str:
    """Run one of SUMO's Python tools in ``folder`` as `run` runs the others."""
    return _run(name, [sys.executable, str(home() / "tools" / name), *arguments], folder, timeout)


def _run(tool: str, command: list[str], folder: Path, timeout: float) -> str:
    root = home()
    proj = str(root / "data" / "proj")  # where proj.db is in the wheel; the tools warn when it is not named
    environment = {**os.environ, "SUMO_HOME": str(root), "PROJ_DATA": proj, "PROJ_LIB": proj}
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise WorldError(f"{tool} did not finish within {timeout:g} s.") from error
    if done.returncode != 0:
        raise WorldError(f"{tool} failed with code {done.returncode}: {_last(done.stderr or done.stdout)}")
    return done.stderr


def sumo_version() -> str:
    """Return the version of the eclipse-sumo wheel."""
    return version("eclipse-sumo")


def _last(text: str) -> str:
    """Return the first lines of an error stream that say what went wrong."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("Error")]
    return " ".join(errors[:3] or lines[-1:]) or "it printed nothing"
