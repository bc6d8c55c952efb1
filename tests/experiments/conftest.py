"""What the campaigns share: a small experiment, its runner as a process, faulty controllers, a look at /proc."""

from __future__ import annotations

import os
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
