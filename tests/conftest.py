"""What the tests share: lent networks, a tiny place of their own, the command line, bare SUMO."""

from __future__ import annotations

import hashlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import pytest
from hypothesis import HealthCheck, settings

from denxanh.sim.sumo.wheel import sumo_binary, sumo_environment, sumo_home

if TYPE_CHECKING:
    from denxanh.experiments.runs.launcher import Launcher, Process

# a busy machine is no failure: no example has a limit of time
settings.register_profile("denxanh", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("denxanh")

ROOT = Path(__file__).resolve().parents[1]
RESCO = ROOT.parent / "shared" / "data" / "resco"

if (
    signal.getsignal(signal.SIGINT) is signal.SIG_IGN
):  # as in a shell's background: what tests start must hear Ctrl-C
    signal.signal(signal.SIGINT, signal.default_int_handler)

TINY_ROUTES = """<routes>
    <vType id="car" sigma="0.5"/>
    <route id="we" edges="left0A0 A0B0 B0right0"/>
    <route id="ew" edges="right0B0 B0A0 A0left0"/>
    <route id="ns" edges="top0A0 A0bottom0"/>
    <route id="sn" edges="bottom1B0 B0top1"/>
    <route id="turn" edges="bottom0A0 A0B0 B0top1"/>
{vehicles}
</routes>
"""


@dataclass(frozen=True)
class Tiny:
    """A street with two signals, 300 s of traffic: small enough that a run takes a fraction of a second."""

    folder: Path
    net: Path
    routes: Path
    config: Path


def tiny_vehicles(seconds: int = 300) -> str:
    """A vehicle every third second, route after route: the same for everyone, no random number."""
    routes = ("we", "ns", "ew", "sn", "turn")
    return "\n".join(
        f'    <vehicle id="v{k}" type="car" route="{routes[k % len(routes)]}" depart="{3 * k}"/>'
        for k in range(seconds // 3)
    )


def config_text(
    net: str, routes: str, *, begin: str = "0", end: str = "300", step: str = "1", more: str = ""
) -> str:
    """A .sumocfg with these values."""
    return (
        f'<configuration>\n    <net-file value="{net}"/>\n    <route-files value="{routes}"/>\n'
        f'    <begin value="{begin}"/>\n    <end value="{end}"/>\n    <step-length value="{step}"/>\n'
        f"    {more}\n</configuration>\n"
    )


@pytest.fixture(scope="session")
def resco() -> Callable[[str], Path]:
    """The configuration of a lent benchmark network by name; the test is skipped where it was not lent."""

    def find(name: str) -> Path:
        path = RESCO / name / f"{name}.sumocfg"
        if not path.is_file():
            pytest.skip(f"the lent network {name} is not here ({path})")
        return path

    return find


@pytest.fixture(scope="session")
def sumo_tool() -> Callable[..., Path]:
    """Run netconvert or netgenerate of the wheel; gives the network it wrote."""

    def call(name: str, output: Path, *arguments: str) -> Path:
        done = subprocess.run(
            [str(sumo_binary(name)), *arguments, "--output-file", output.name],
            cwd=output.parent,
            env=sumo_environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return output

    return call


@pytest.fixture(scope="session")
def tiny_place(tmp_path_factory: pytest.TempPathFactory, sumo_tool: Callable[..., Path]) -> Tiny:
    """Two signals in a street, made once."""
    folder = tmp_path_factory.mktemp("tiny")
    net = sumo_tool(
        "netgenerate",
        folder / "tiny.net.xml",
        *("--grid", "--grid.x-number", "2", "--grid.y-number", "1", "--grid.length", "200"),
        *(
            "--grid.attach-length",
            "150",
            "--default.lanenumber",
            "2",
            "--default-junction-type",
            "traffic_light",
        ),
        *("--no-turnarounds", "--seed", "1"),
    )
    routes = folder / "tiny.rou.xml"
    routes.write_text(TINY_ROUTES.format(vehicles=tiny_vehicles()), encoding="utf-8")
    config = folder / "tiny.sumocfg"
    config.write_text(config_text(net.name, routes.name), encoding="utf-8")
    return Tiny(folder, net, routes, config)


@pytest.fixture(scope="session")
def cli() -> Callable[..., subprocess.CompletedProcess[str]]:
    """The command line as a user's shell starts it: ``cli("run", …, cwd=…, env={…})``."""

    def call(
        *arguments: str | Path, cwd: Path | None = None, env: Mapping[str, str | None] = {}
    ) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, **{k: v for k, v in env.items() if v is not None}}
        for name in [k for k, v in env.items() if v is None]:
            environment.pop(name, None)
        return subprocess.run(
            [
                sys.executable,
                "-P",
                "-c",
                "from denxanh.experiments.cli.app import main; main()",
                *map(str, arguments),
            ],
            cwd=cwd,
            env=environment,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=300,
            check=False,
        )

    return call


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    status: int
    stdout: str
    stderr: str


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    """The command line within this process: the same entry point without a second of imports."""

    def call(*arguments: str | Path) -> Ended:
        from denxanh.experiments.cli.app import main

        monkeypatch.setattr(sys, "argv", ["denxanh", *map(str, arguments)])
        capsys.readouterr()
        status = 0
        try:
            main()
        except SystemExit as ended:
            status = ended.code if isinstance(ended.code, int) else 0 if ended.code is None else 1
        printed = capsys.readouterr()
        return Ended(status, printed.out, printed.err)

    return call


class Lent:
    """A launcher of runs whose process serves later launchers too: each of its own costs a second of imports."""

    kept: ClassVar[dict[object, Launcher]] = {}  # by what a process inherits

    def __init__(self, *, preload: bool = True) -> None:
        from denxanh.experiments.runs.launcher import launcher

        inherited = {**os.environ, "PYTEST_CURRENT_TEST": ""}
        key = (str(Path.cwd()), tuple(sorted(inherited.items())))
        if key not in self.kept:
            self.kept[key] = launcher()
        self._launcher = self.kept[key]
        self._started: list[Process] = []

    def start(self, folder: Path) -> Process:
        """Run the job in ``folder``."""
        self._started.append(self._launcher.start(folder))
        return self._started[-1]

    def close(self) -> None:
        """Kill what this launcher has started and still runs."""
        for process in self._started:
            if process.wait(0.0) is None:
                process.kill()


@pytest.fixture(scope="session", autouse=True)
def lent_launchers() -> Iterator[None]:
    """Runs that tests start in this process share the process that starts them, as long as they inherit the same."""
    from denxanh.experiments.results import verify
    from denxanh.experiments.runs import local

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(local, "launcher", Lent)
        patch.setattr(verify, "launcher", Lent)
        yield
    for kept in Lent.kept.values():
        kept.close()


@pytest.fixture
def run_page(tmp_path: Path) -> Callable[..., str]:
    """Run the Python blocks of a page one after the other, ``edit``ed first; gives what they print."""

    def call(page: Path, edit: Callable[[str], str] = str, timeout: float = 300) -> str:
        blocks = re.findall(r"```python\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
        script = tmp_path / "page.py"
        script.write_text(edit("\n".join(blocks)), encoding="utf-8")
        done = subprocess.run(
            [sys.executable, script],
            cwd=tmp_path,
            env={**os.environ, "PYTHONIOENCODING": "utf-8"},
            capture_output=True,
            encoding="utf-8",
            timeout=timeout,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return call


def body_sha256(tripinfo: Path) -> str:
    """SHA-256 of a tripinfo file from ``<tripinfos`` on: what stands before holds the time of day."""
    content = tripinfo.read_bytes()
    return hashlib.sha256(content[content.index(b"<tripinfos") :]).hexdigest()


@pytest.fixture(scope="session")
def bare_sumo() -> Callable[..., str]:
    """Run the wheel's own sumo in ``folder``; gives the SHA-256 of the trips in ``tripinfo`` there."""

    def call(folder: Path, arguments: Sequence[str], tripinfo: str = "tripinfo.xml") -> str:
        done = subprocess.run(
            [str(sumo_binary()), *arguments],
            cwd=folder,
            env=sumo_environment(),
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return body_sha256(folder / tripinfo)

    return call


@pytest.fixture(scope="session")
def wheel_networks() -> list[Path]:
    """Every network that comes with the eclipse-sumo and sumolib wheels."""
    import sumolib

    folders = (sumo_home(), Path(sumolib.__file__).parent)
    return sorted({path for folder in folders for path in folder.rglob("*.net.xml*")})
