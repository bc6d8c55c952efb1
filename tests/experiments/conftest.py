"""What the campaigns share: a small experiment, its runner as a process, faulty controllers, a look at /proc."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from denxanh.experiments.runs.ledger import Ledger

FAULTY = '''
import ctypes, os, time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar
from denxanh.sim.controller import Green


@dataclass(frozen=True)
class Faulty:
    """Faulty: does as told at a moment of the simulation."""

    name: ClassVar[str] = "faulty"
    sees: ClassVar[frozenset[str]] = frozenset()
    fault: str = "none"
    at: int = 3  # the question at which it happens

    def start(self, network) -> Mapping[str, object]:
        asked = [0]

        def policy(seen):
            asked[0] += 1
            if asked[0] == self.at:
                happen(self.fault)
            return Green(seen.phase, 10)

        return {name: policy for name in network.intersections}


def happen(fault):
    if fault == "raise":
        raise RuntimeError("as told")
    if fault == "sleep":
        time.sleep(3600)
    if fault == "exit":
        os._exit(0)
    if fault == "segfault":
        ctypes.string_at(0)
    if fault == "allocate":
        hoard = []
        while True:
            hoard.append(bytearray(64 << 20))
    if fault == "spin":
        while True:
            pass
    if fault == "stop":
        import signal
        os.kill(os.getpid(), signal.SIGSTOP)
'''


@pytest.fixture(scope="session")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for PYTHONPATH that holds the controller "faulty" as another package would."""
    folder = tmp_path_factory.mktemp("plugin")
    (folder / "faulty_controllers.py").write_text(FAULTY, encoding="utf-8")
    info = folder / "faulty-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: faulty\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[denxanh.controllers]\nfaulty = faulty_controllers:Faulty\n")
    return folder


def pids(mark: str) -> list[int]:
    """Processes that carry a mark in their environment, zombies left out."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                if mark.encode() in (folder / "environ").read_bytes():
                    found.append(int(folder.name))
            except OSError:  # ended, or somebody else's
                continue
    return found


@dataclass
class Started:
    """A runner as a process, and everything that it started."""

    process: subprocess.Popen[bytes]
    mark: str
    log: Path

    def others(self) -> list[int]:
        """The processes it started."""
        return [pid for pid in pids(self.mark) if pid != self.process.pid]

    def kill(self, pid: int, number: int = signal.SIGKILL) -> None:
        """Send a signal to a process that may just have ended."""
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return

    def left(self, seconds: float) -> list[int]:
        """What still runs so long after the runner's end."""
        deadline = time.monotonic() + seconds
        while (alive := pids(self.mark)) and time.monotonic() < deadline:
            time.sleep(0.05)
        return alive

    def end(self) -> None:
        """Leave nothing behind, whatever the test found."""
        for pid in pids(self.mark):
            self.kill(pid)
        self.process.wait()


@dataclass
class Campaign:
    """A folder with an experiment.toml and its results."""

    folder: Path
    env: Mapping[str, str] = field(default_factory=dict)
    started: list[Started] = field(default_factory=list)

    @property
    def out(self) -> Path:
        """Where the results are."""
        return self.folder / "out"

    def write(self, text: str) -> None:
        """The experiment."""
        (self.folder / "experiment.toml").write_text(text, encoding="utf-8")

    def start(self, *arguments: str, out: Path | None = None) -> Started:
        """Begin or resume it."""
        mark = f"DENXANH_CAMPAIGN={uuid.uuid4().hex}"
        name, value = mark.split("=")
        log = self.folder / f"log-{len(self.started)}.txt"
        command = [
            sys.executable,
            "-P",
            "-c",
            "from denxanh.experiments.cli.app import main; main()",
            "experiment",
        ]
        with log.open("wb") as stream:
            process = subprocess.Popen(
                [*command, "experiment.toml", "--out", str(out or self.out), "--jobs", "2", *arguments],
                cwd=self.folder,
                env={**os.environ, **self.env, name: value},
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
            )
        self.started.append(Started(process, mark, log))
        return self.started[-1]

    def finish(self, *arguments: str, out: Path | None = None, seconds: float = 300) -> tuple[int, str]:
        """Run to the end; gives the status and all that was printed."""
        started = self.start(*arguments, out=out)
        status = started.process.wait(seconds)
        return status, started.log.read_text("utf-8")

    def results(self, out: Path | None = None) -> dict[str, tuple[Any, ...]]:
        """State, trips' hash and tables' hash of each run."""
        with Ledger((out or self.out) / "ledger.sqlite", read_only=True) as ledger:
            return {row.id: (row.state, row.sha256, row.content) for row in ledger.rows()}


@dataclass(frozen=True)
class SmallExperiment:
    """A finished experiment of two controllers and two seeds, 40 s long: ``folder`` holds its file and ``out``."""

    folder: Path

    def copy(self, target: Path) -> Path:
        """A copy of the results to spoil; returns the folder of the results."""
        shutil.copytree(self.folder / "out", target / "out")
        return target / "out"

    def resume(self, out: Path) -> list[str]:
        """Run what is missing in ``out``; returns the messages."""
        from denxanh.experiments.experiment import Session, run_experiment
        from denxanh.experiments.runs.local import Local

        told: list[str] = []
        run_experiment(
            self.folder / "experiment.toml", out, Session(lambda: Local(out, jobs=1), 1, told.append, _silent)
        )
        return told


@contextlib.contextmanager
def _silent(total: int) -> Iterator[Any]:
    yield lambda id, outcome: None


@pytest.fixture(scope="session")
def one_launcher() -> Iterator[None]:
    """One fork server for all runs that a session's tests start in this process: each costs a second of imports."""
    from denxanh.experiments.results import verify
    from denxanh.experiments.runs import local
    from denxanh.experiments.runs.launcher import ForkLauncher

    shared = ForkLauncher()

    class Lent:
        start = shared.start

        def close(self) -> None:
            pass

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(local, "launcher", Lent)
        patch.setattr(verify, "launcher", Lent)
        yield
    shared.close()


@pytest.fixture(scope="session")
def small_experiment(
    tmp_path_factory: pytest.TempPathFactory, tiny_place: Any, one_launcher: None
) -> SmallExperiment:
    """Made once; tests spoil copies of it."""
    small = SmallExperiment(tmp_path_factory.mktemp("small"))
    (small.folder / "experiment.toml").write_text(
        f'places = ["{tiny_place.config}"]\ncontrollers = ["program", "max-pressure"]\nseeds = 2\nend = 40\n'
        'metrics = ["delay_s"]\n',
        encoding="utf-8",
    )
    small.resume(small.folder / "out")
    return small


@pytest.fixture
def campaign(tmp_path: Path, plugin: Path) -> Iterator[Callable[..., Campaign]]:
    """Make a campaign; at the end of the test none of its processes is left."""
    made: list[Campaign] = []

    def make(name: str = "campaign", **env: str) -> Campaign:
        folder = tmp_path / name
        folder.mkdir()
        path = os.pathsep.join(filter(None, [str(plugin), os.environ.get("PYTHONPATH", "")]))
        made.append(Campaign(folder, {"PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1", **env}))
        return made[-1]

    yield make
    for one in made:
        for started in one.started:
            started.end()


@pytest.fixture(scope="session")
def street(tiny_place: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The tiny street with a plan whose greens and offsets differ from the program's."""
    from dataclasses import replace

    from denxanh.experiments.formats.existing_plan import existing_plan
    from denxanh.experiments.formats.plan_source import PlanSource
    from denxanh.networks.scenarios import open_scenario
    from denxanh.sim.network_reader import network_of
    from denxanh.sim.plan import Plan
    from denxanh.sim.run import store

    scenario = open_scenario(str(tiny_place.config))
    network = network_of(scenario)
    timings = {
        name: replace(
            timing,
            stages=tuple(replace(s, green=s.green + k + 0.5) for k, s in enumerate(timing.stages)),
            offset=7.25,
        )
        for name, timing in existing_plan(network).timings.items()
    }
    file = tmp_path_factory.mktemp("street") / "plan.json"
    plan = Plan(timings)
    store.write_json(file, plan.to_json())
    return PlanSource(scenario, network, (plan,), (), (file,))


@pytest.fixture(scope="session")
def walked(sumo_tool: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A crossroads with crossings, and its existing plan."""
    from denxanh.experiments.formats.existing_plan import existing_plan
    from denxanh.experiments.formats.plan_source import PlanSource
    from denxanh.networks.scenarios import open_scenario
    from denxanh.sim.network_reader import network_of

    folder = tmp_path_factory.mktemp("walked")
    net = sumo_tool(
        "netgenerate",
        folder / "walked.net.xml",
        *("--grid", "--grid.number", "1", "--grid.attach-length", "120", "--default.lanenumber", "2"),
        *("--default-junction-type", "traffic_light", "--no-turnarounds", "--seed", "1"),
        *("--sidewalks.guess", "--crossings.guess"),
    )
    routes = folder / "walked.rou.xml"
    routes.write_text("<routes/>", encoding="utf-8")
    scenario = open_scenario(f"{net}+{routes}", end=60)
    network = network_of(scenario)
    return PlanSource(scenario, network, (existing_plan(network),), (), (folder / "plan.json",))
