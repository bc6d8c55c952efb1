"""What the optimizers' table remembers: programs made and runs finished, one line of JSON each, for resuming."""

from __future__ import annotations

import hashlib
import json
import subprocess
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from denxanh.experiments.definition.resample import Resampling, another_day
from denxanh.sim.scenario import Scenario
from denxanh.sim.sumo.run_input import MEASURES, TRIPINFO, write_input
from denxanh.sim.sumo.tripinfo import read_trips
from denxanh.sim.sumo.wheel import sumo_binary, sumo_environment

LIMIT = 900.0  # s of wall time for one run
OTHER_DAYS = {
    101: (Resampling("jitter", 300.0, 4711), "0.9"),
    102: (Resampling("bootstrap", 900.0, 4711), "0.95"),
    103: (Resampling("jitter", 300.0, 4711), "1"),
    104: (Resampling("bootstrap", 900.0, 4711), "1.05"),
    105: (Resampling("jitter", 300.0, 4711), "1.1"),
}
"""The other day of each held-out seed: departures jittered by 300 s or drawn anew in quarters of an hour, scaled."""


@dataclass(frozen=True)
class Program:
    """A row's programs: the digest of their file ("" for the network's own), and how they came about."""

    digest: str
    note: str
    runs: int
    cpu: float  # s
    failed: bool


class Book:
    """The results in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "plans").mkdir(exist_ok=True)
        self.networks: dict[str, dict[str, Any]] = {}
        self._programs: dict[tuple[str, str], Program] = {}
        self.runs: dict[tuple[str, str, int, int], tuple[float, float]] = {}
        for line in self._lines():
            self._take(line)

    def describe(self, name: str, signals: int, vehicles: int, saturation: float) -> None:
        """Remember what a network is."""
        self._write(
            {"network": name, "signals": signals, "vehicles": vehicles, "saturation": round(saturation, 3)}
        )

    def program(self, network: str, row: str) -> Program | None:
        """The programs of a row, if they were made."""
        return self._programs.get((network, row))

    def keep(self, text: str) -> str:
        """Write programs into the folder; their digest. What a tool writes about its own run does not count."""
        digest = hashlib.sha256(text.encode()).hexdigest()[:16] if text else ""
        if text and not self.path(digest).is_file():
            self.path(digest).write_text(text, encoding="utf-8")
        return digest

    def path(self, digest: str) -> Path:
        """The file of some programs."""
        return self.folder / "plans" / f"{digest}.add.xml"

    def text(self, digest: str) -> str:
        """Programs by their digest; nothing for the network's own."""
        return self.path(digest).read_text(encoding="utf-8") if digest else ""

    def made(
        self, network: str, row: str, text: str, *, note: str = "", runs: int = 0, cpu: float = 0.0
    ) -> None:
        """Remember the programs of a row."""
        digest = self.keep(text)
        self._write(
            {
                "network": network,
                "row": row,
                "program": digest,
                "note": note,
                "runs": runs,
                "cpu": round(cpu, 1),
            }
        )

    def failed(self, network: str, row: str, why: str) -> None:
        """Remember that a tool could not make programs."""
        self._write({"network": network, "row": row, "program": "", "note": why, "failed": True})

    def delay(self, scenario: Scenario, digest: str, day: int, seed: int) -> float:
        """Mean delay of a run in s/veh, now or as remembered; ``day`` 0 is the demand that was seen."""
        key = (scenario.name, digest, day, seed)
        if key not in self.runs:
            delay, unfinished = self._run(self._on(scenario, day, seed), digest, seed)
            names = ("network", "program", "day", "seed")
            self._write(dict(zip(names, key, strict=True)) | {"delay": delay, "unfinished": unfinished})
        return self.runs[key][0]

    def _on(self, scenario: Scenario, day: int, seed: int) -> Scenario:
        if day == 0:
            return scenario
        how, scale = OTHER_DAYS[seed]
        other = another_day(scenario, how, seed, self.folder / "days")
        return replace(other, options={**scenario.options, "scale": scale})

    def _run(self, scenario: Scenario, digest: str, seed: int) -> tuple[float, float]:
        """Delay (s/veh) and the share of vehicles that did not finish, from SUMO on its own."""
        with tempfile.TemporaryDirectory(prefix="denxanh-table-") as name:
            folder = Path(name)
            programs = self.path(digest).resolve() if digest else None
            ours = [e.attrib["id"] for e in ElementTree.parse(programs).getroot()] if programs else []
            given = write_input(
                replace(_absolute(scenario), notes=()), folder, seed=seed, signals=(), drop_programs=ours
            )
            additional = [*(a for a in given.additional if a != MEASURES)]
            if programs:
                (folder / "programs.add.xml").write_bytes(programs.read_bytes())
                additional.append("programs.add.xml")
            own_measures = folder / MEASURES  # a file must be named in the place of the one that is left out
            own_measures.write_text("<additional/>", encoding="utf-8")
            more = ["--additional-files", ",".join(additional or [MEASURES])]
            command = [str(sumo_binary()), *given.arguments, *more]
            done = subprocess.run(
                command,
                cwd=folder,
                env=sumo_environment(),
                capture_output=True,
                text=True,
                timeout=LIMIT,
                check=False,
            )
            if done.returncode or "Error:" in done.stderr:
                raise SystemExit(f"{scenario.name}: SUMO failed: {done.stderr[-500:]}")
            trips, _ = read_trips(folder / TRIPINFO)
            return float(trips.delay.sum()) / len(trips), float(1 - trips.arrived.mean())

    def _lines(self) -> list[dict[str, Any]]:
        path = self.folder / "results.jsonl"
        if not path.is_file():
            return []
        lines = path.read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines if line.endswith("}")]

    def _write(self, line: dict[str, Any]) -> None:
        with (self.folder / "results.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        self._take(line)

    def _take(self, line: dict[str, Any]) -> None:
        if "signals" in line:
            self.networks[line["network"]] = line
        elif "row" in line:
            program = Program(
                line["program"],
                line["note"],
                line.get("runs", 0),
                line.get("cpu", 0.0),
                line.get("failed", False),
            )
            self._programs[line["network"], line["row"]] = program
        else:
            key = (line["network"], line["program"], line["day"], line["seed"])
            self.runs[key] = (line["delay"], line["unfinished"])


def _absolute(scenario: Scenario) -> Scenario:
    return replace(
        scenario,
        net=scenario.net.resolve(),
        routes=tuple(p.resolve() for p in scenario.routes),
        additional=tuple(p.resolve() for p in scenario.additional),
    )
