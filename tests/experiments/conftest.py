"""What the campaigns share: a small experiment, its runner as a process, faulty controllers, a look at /proc.

And a headless browser for tests of pages: Debian's chromium, driven over the pipe of its DevTools protocol.
"""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import os
import select
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
def small_experiment(tmp_path_factory: pytest.TempPathFactory, tiny_place: Any) -> SmallExperiment:
    """Made once; tests spoil copies of it."""
    small = SmallExperiment(tmp_path_factory.mktemp("small"))
    (small.folder / "experiment.toml").write_text(
        f'places = ["{tiny_place.config}"]\ncontrollers = ["program", "max-pressure"]\nseeds = 2\nend = 40\n'
        'warm_up = 0\nmetrics = ["delay_s"]\n',
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


BROWSER_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--remote-debugging-pipe", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--mute-audio",
)  # fmt: skip
BROWSER_PATIENCE = 60.0  # s for an answer: a busy machine


class Browser:
    """One page of a headless chromium; ``problems`` are its console messages, errors and foreign requests."""

    def __init__(self, program: str, profile: Path) -> None:
        theirs_in, self._out = os.pipe()
        self._in, theirs_out = os.pipe()

        def pipes() -> None:
            spare_in, spare_out = os.dup(theirs_in), os.dup(theirs_out)  # 3 and 4 may be the other one's
            os.dup2(spare_in, 3)
            os.dup2(spare_out, 4)

        self._process = subprocess.Popen(
            [program, *BROWSER_FLAGS, f"--user-data-dir={profile}", "about:blank"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=pipes,
            pass_fds=(3, 4),
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self._numbers = itertools.count(1)
        self._rest = b""
        self.problems: list[str] = []
        targets = self._call("Target.getTargets")["targetInfos"]
        page = next(target for target in targets if target["type"] == "page")
        self._session: str | None = None
        self._session = self._call("Target.attachToTarget", targetId=page["targetId"], flatten=True)[
            "sessionId"
        ]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._call(f"{domain}.enable")

    def open(self, path: Path, *, width: int = 1280, height: int = 800, anchor: str = "") -> None:
        """Load a file and wait until its script has marked the page as ready."""
        self._call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        self._call("Page.navigate", url="about:blank")
        self._call("Page.navigate", url=path.as_uri() + anchor)
        until = time.monotonic() + BROWSER_PATIENCE
        while self.value("location.protocol + document.documentElement?.dataset.ready") != "file:yes":
            assert time.monotonic() < until, f"the page is not ready: {self.problems}"
            time.sleep(0.05)

    def value(self, expression: str) -> Any:
        """The value of a JavaScript expression in the page."""
        answer = self._call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def press(self, key: str, code: str = "", text: str = "") -> None:
        """Press and release a key."""
        self._call("Input.dispatchKeyEvent", type="keyDown", key=key, code=code or key, text=text)
        self._call("Input.dispatchKeyEvent", type="keyUp", key=key, code=code or key)

    def picture(self, path: Path) -> None:
        """Save what the window shows as PNG."""
        path.write_bytes(base64.b64decode(self._call("Page.captureScreenshot", format="png")["data"]))

    def close(self) -> None:
        """End the browser."""
        self._session = None
        with contextlib.suppress(OSError, AssertionError):
            self._call("Browser.close")
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._out)
        os.close(self._in)

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        message: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if getattr(self, "_session", None):
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == number:
                assert "error" not in answer, answer
                found: dict[str, Any] = answer["result"]
                return found
            self._note(answer)

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._in], [], [], BROWSER_PATIENCE)
            assert ready, "chromium does not answer"
            piece = os.read(self._in, 1 << 20)
            assert piece, "chromium has ended"
            self._rest += piece
        message, self._rest = self._rest.split(b"\0", 1)
        found: dict[str, Any] = json.loads(message)
        return found

    def _note(self, event: dict[str, Any]) -> None:
        method, content = event.get("method"), event.get("params", {})
        if method in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"):
            self.problems.append(json.dumps(content)[:500])
        elif method == "Network.requestWillBeSent":
            url = content["request"]["url"]
            if not url.startswith(("file:", "about:", "blob:", "data:")):
                self.problems.append(f"a request to {url[:200]}")


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A headless chromium; the test is skipped where none is installed."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None or os.name == "nt":
        pytest.skip("no chromium is installed")
    found = Browser(program, tmp_path_factory.mktemp("chromium"))
    yield found
    found.close()


@pytest.fixture(scope="session")
def run_once() -> Callable[..., Path]:
    """Run a controller on a place once in a process of its own; gives the run's folder."""
    from denxanh.experiments.interface import run

    def call(place: Path | str, folder: Path, controller: str = "program", **options: Any) -> Path:
        run(place, controller, out=folder, **options)
        return folder

    return call
