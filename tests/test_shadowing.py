"""Other folders and wheels with the names of our rooms, in a user's project or installed, do no harm."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
NAMES = ("sim", "controllers", "networks", "experiments")

SCRIPT = """
import os
from dataclasses import dataclass
from typing import ClassVar

import denxanh as dx


@dataclass(frozen=True)
class EveryTwentySeconds:
    '''The next phase, every 20 s.'''

    name: ClassVar[str] = "every-twenty-seconds"
    sees: ClassVar[frozenset[str]] = frozenset()
    seconds: float = 20.0

    def start(self, network):
        return {id: self.decide for id in network.intersections}

    def decide(self, seen):
        return dx.Green((seen.phase + 1) % len(seen.intersection.phases), self.seconds)


if __name__ == "__main__":
    before = os.getcwd()
    scenario = dx.open_scenario(PLACE)
    one = dx.run(scenario, EveryTwentySeconds())
    study = dx.compare(scenario, ["program", EveryTwentySeconds(30.0)], seeds=2)
    print(one.metrics["arrived"], sorted({row.controller for row in study.rows}), os.getcwd() == before)
"""


def packages_that_raise(folder: Path) -> None:
    """Packages of our rooms' names that end whoever imports them."""
    for name in NAMES:
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text(
            f"raise RuntimeError('the wrong {name}')\n", encoding="utf-8"
        )


def call(*command: str | Path, cwd: Path, env: Mapping[str, str] | None = None) -> str:
    """What a command prints; it must end well."""
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**os.environ, **(env or {})},
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def project(tmp_path: Path, tiny_place: Any) -> Path:
    """A user's project with a script and packages of our rooms' names."""
    folder = tmp_path / "project"
    packages_that_raise(folder)
    script = SCRIPT.replace("PLACE", repr(str(tiny_place.config)))
    (folder / "script.py").write_text(script, encoding="utf-8")
    return folder


def test_a_project_with_packages_of_our_names_runs(project: Path, tiny_place: Any) -> None:
    printed = call(sys.executable, "script.py", cwd=project)
    arrived, rest = printed.split(None, 1)
    assert int(arrived) > 0
    assert rest == "['every-twenty-seconds:seconds=30', 'program'] True\n"
    command = Path(sys.executable).with_name("denxanh")
    call(command, "run", tiny_place.config, "-c", "max-pressure", "--out", project / "out", cwd=project)
    assert (project / "out" / "manifest.json").is_file()


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Our wheel, as it would be published."""
    folder = tmp_path_factory.mktemp("wheel")
    options = ("--no-deps", "--no-build-isolation", "--disable-pip-version-check", "-q")
    call(sys.executable, "-m", "pip", "wheel", ROOT, *options, "-w", folder, cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_holds_one_package(wheel: Path) -> None:
    names = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {name for name in names if not name.endswith(".dist-info")} == {"denxanh"}


def test_another_wheel_with_our_rooms_names_is_no_harm(
    wheel: Path, project: Path, tiny_place: Any, tmp_path: Path
) -> None:
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    packages_that_raise(site)
    for name in NAMES:  # ours are still whole
        assert (site / "denxanh" / name / "__init__.py").stat().st_size > 0
    env = {"PYTHONPATH": str(site)}
    where = call(sys.executable, "-c", "import denxanh; print(denxanh.__file__)", cwd=tmp_path, env=env)
    assert Path(where.strip()).is_relative_to(site)
    assert call(sys.executable, project / "script.py", cwd=tmp_path, env=env).endswith(" True\n")
    code = "from denxanh.experiments.cli.app import main; main()"
    out = tmp_path / "out"
    call(
        sys.executable,
        "-c",
        code,
        "run",
        tiny_place.config,
        "-c",
        "actuated",
        "--out",
        out,
        cwd=tmp_path,
        env=env,
    )
    assert (out / "manifest.json").is_file()
