"""Check a synthetic demand by a run of SUMO: few teleports, no growth of queues, no blocked edges."""

from __future__ import annotations

import tempfile
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

from denxanh.networks.scenarios import read_config
from denxanh.sim.language.text import Text, number
from denxanh.sim.sumo import wheel
from denxanh.sim.sumo.run_input import write_input

TELEPORTS = 0.001  # accepted, of the vehicles
GROWTH = 1.15  # accepted: running vehicles in the last quarter of the time over the third quarter
WAITING = 0.01  # accepted: waiting for insertion at the end, of the vehicles
FULL = 50.0  # per cent mean occupancy of an edge over the second half: blocked
SHORT = 25.0  # m; the queue of one red fills a shorter edge
_MEASURES = '<additional><edgeData id="e" file="edges.xml" begin="{half}" excludeEmpty="true"/></additional>'


@dataclass(frozen=True, slots=True)
class DemandCheck:
    """Result of the run."""

    vehicles: int
    arrived: int
    teleports: int
    waiting: int  # never inserted
    growth: float  # running vehicles, last quarter over third
    blocked: tuple[str, ...]  # edges filled by queues or with teleports

    @property
    def acceptable(self) -> bool:
        """Whether teleports, growth and waiting vehicles are within the accepted limits."""
        few = max(TELEPORTS * self.vehicles, 1)
        return self.teleports <= few and self.growth <= GROWTH and self.waiting <= WAITING * self.vehicles

    def sentence(self) -> Text:
        """Return the result as a sentence."""
        growth = number(self.growth, 2)
        return Text(
            f"Simulated in SUMO: {self.arrived} of {self.vehicles} vehicles arrived in time,"
            f" {self.teleports} teleports, {self.waiting} never inserted; running vehicles in the last quarter"
            f" of the time over those in the third: {growth.en}.",
            f"Chạy thử trong SUMO: {self.arrived}/{self.vehicles} xe đến nơi kịp giờ, {self.teleports} lần dịch chuyển"
            f" (teleport), {self.waiting} xe chưa vào được mạng; số xe trên đường trong một phần tư thời gian cuối so"
            f" với một phần tư thứ ba: {growth.vi}.",
        )


def run(config: Path, duration: int, lengths: dict[str, float]) -> DemandCheck:
    """Simulate a place for ``duration`` (s) with seed 1; ``lengths`` of the edges in m.

    Raises:
        WorldError: SUMO fails.
    """
    with tempfile.TemporaryDirectory(prefix="denxanh-demand-check-") as name:
        out = Path(name)
        (out / "m.add.xml").write_text(_MEASURES.format(half=duration // 2), encoding="utf-8")
        outputs = ["--statistic-output", "stat.xml", "--summary-output", "sum.xml"]
        quiet = ["--no-step-log", "--no-warnings", "--duration-log.disable"]
        given = write_input(read_config(config), out, seed=1, signals=())  # the network may be a user's
        files = [*given.arguments, "--additional-files", "m.add.xml"]
        wheel.run_program("sumo", [*files, *outputs, *quiet], folder=out, timeout=3600)
        statistic = {g.tag: g.attrib for g in ET.parse(out / "stat.xml").getroot()}
        steps = ET.parse(out / "sum.xml").getroot().findall("step")
        edges = ET.parse(out / "edges.xml").getroot().iter("edge")
        blocked = [
            e.get("id", "")
            for e in edges
            if int(e.get("teleported", "0"))
            or (float(e.get("occupancy", "0")) > FULL and lengths.get(e.get("id", ""), 0.0) > SHORT)
        ]
    running = [float(s.get("running", "0")) for s in steps]
    quarter = max(len(running) // 4, 1)
    third, last = sum(running[-2 * quarter : -quarter]), sum(running[-quarter:])
    return DemandCheck(
        vehicles=int(statistic["vehicles"]["loaded"]),
        arrived=int(steps[-1].get("ended", "0")) if steps else 0,
        teleports=int(statistic["teleports"]["total"]),
        waiting=int(statistic["vehicles"]["waiting"]),
        growth=last / third if third else 1.0,
        blocked=tuple(sorted(e for e in blocked if not e.startswith(":"))),
    )
