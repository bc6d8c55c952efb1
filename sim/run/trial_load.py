"""Whether SUMO itself takes a scenario: it loads all of it, and is stopped before it simulates.

Some of what SUMO refuses only SUMO can judge: types and routes that nobody defines, roads that do not meet, names that
stand twice, rows of a junction. In a run it says so when it comes to the vehicle, perhaps an hour later.
"""

from __future__ import annotations

import subprocess
import tempfile
import threading
from pathlib import Path

from denxanh.sim.errors import InputError
from denxanh.sim.scenario import Scenario
from denxanh.sim.sumo import run_input
from denxanh.sim.sumo.wheel import child_program, sumo_binary, sumo_environment

LIMIT = 120.0  # s to load a scenario; a city with 100 000 vehicles takes 10 s
_LOADED = "Simulation version"
_ALL = ("--route-steps", "0", "--verbose", "true")  # all routes at once, and a word when they are read


def check_loads(scenario: Scenario) -> None:
    """Raise InputError with SUMO's own words if SUMO refuses what is to be simulated."""
    with tempfile.TemporaryDirectory(prefix="denxanh-") as name:
        folder = Path(name)
        given = run_input.write_input(scenario, folder, seed=1, signals=())
        said = _output([str(sumo_binary()), *given.arguments, *_ALL], folder)
    errors = [line.removeprefix("Error: ") for line in said if line.startswith("Error")]
    if errors:
        raise InputError(
            f"SUMO refuses it: {' '.join(dict.fromkeys(errors[:2])).rstrip('.')}",
            location=scenario.name,
            remedy="correct the input that it names",
        )
    if not any(line.startswith(_LOADED) for line in said):
        raise InputError(
            f"SUMO did not load it within {LIMIT:g} s, or ended without a word", location=scenario.name
        )


def _output(command: list[str], folder: Path) -> list[str]:
    """What SUMO prints until it has loaded its input."""
    said: list[str] = []
    with child_program(
        command,
        cwd=folder,
        env=sumo_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    ) as process:
        clock = threading.Timer(LIMIT, process.kill)
        clock.daemon = True
        try:
            clock.start()
            assert process.stdout is not None
            for line in process.stdout:
                said.append(line.rstrip())
                if line.startswith(_LOADED):
                    break
        finally:
            clock.cancel()
    return said
