"""The one launcher of SUMO's programs: environment, errors and the time limit."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from denxanh import sim
from denxanh.sim.errors import WorldError
from denxanh.sim.sumo import wheel

ROOT = Path(sim.__file__).parent.parent


def test_a_program_that_fails_gives_its_error_lines(tmp_path: Path):
    with pytest.raises(
        wheel.ProgramError, match=r"netconvert failed with code 1: Error: .*none\.net\.xml"
    ) as caught:
        wheel.run_program("netconvert", ["-s", "none.net.xml"], folder=tmp_path)
    assert caught.value.reason.startswith("Error: ")


def test_a_script_that_fails_gives_its_last_line(tmp_path: Path):
    with pytest.raises(wheel.ProgramError, match=r"randomTrips\.py failed with code"):
        wheel.run_script("randomTrips.py", ["--no-such-option"], folder=tmp_path)


def test_a_program_that_takes_too_long_is_ended(tmp_path: Path):
    with pytest.raises(WorldError, match=r"netgenerate did not finish within 0\.001 s"):
        wheel.run_program("netgenerate", ["--grid", "--grid.number", "30"], folder=tmp_path, timeout=0.001)


def test_every_program_runs_with_sumo_s_own_data(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SUMO_HOME", "/nowhere")
    environment = wheel.sumo_environment()
    assert environment["SUMO_HOME"] == str(wheel.sumo_home())
    assert (Path(environment["PROJ_DATA"]) / "proj.db").is_file()


def test_no_other_module_finds_the_wheel():
    """``import sumo`` outside the launcher would be a second one."""
    importing = [
        path.relative_to(ROOT).as_posix()
        for folder in ("sim", "controllers", "networks", "experiments")
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Import) and any(name.name == "sumo" for name in node.names)
    ]
    assert importing == ["sim/sumo/wheel.py"]
