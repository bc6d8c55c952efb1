"""An hour of SUMO to see whether a starting demand is moderate: nothing teleports, nothing grows, nothing stands."""

from __future__ import annotations

import tempfile
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

from networks import sumo_tools
from sim.text import Text, number

TELEPORTS = 0.001  # of the vehicles
GROWTH = 1.15  # of the vehicles under way, last quarter over third quarter
WAITING = 0.01  # of the vehicles may wait to be inserted at the end
FULL = 50.0  # per cent of a lane covered by vehicles, over half an hour: it stands
SHORT = 25.0  # m; a shorter edge is covered by the queue of one red
_MEASURES = '<additional><edgeData id="e" file="edges.xml" begin="{half}" excludeEmpty="true"/></additional>'


@dataclass(frozen=True, slots=True)
class Trial:
    """What an hour of SUMO showed."""

    vehicles: int
    arrived: int
    teleports: int
    waiting: int  # never inserted
    growth: float  # vehicles under way, last quarter over third
    standing: tuple[str, ...]  # edges covered by queues or left by teleports

    @property
    def moderate(self) -> bool:
        """Whether nothing teleports beyond a handful and nothing grows."""
        few = max(TELEPORTS * self.vehicles, 1)
        return self.teleports <= few and self.growth <= GROWTH and self.waiting <= WAITING * self.vehicles

    def sentence(self) -> Text:
        """Return the outcome in words."""
        growth = number(self.growth, 2)
        return Text(
            f"Tried in SUMO: {self.arrived} of {self.vehicles} vehicles arrived in time,"
            f" {self.teleports} teleports, {self.waiting} never inserted; vehicles under way in the last quarter"
            f" of the time over those in the third: {growth.en}.",
            f"Chạy thử trong SUMO: {self.arrived}/{self.vehicles} xe đến nơi kịp giờ, {self.teleports} lần dịch chuyển"
            f" (teleport), {self.waiting} xe chưa vào được mạng; số xe trên đường trong một phần tư thời gian cuối so"
            f" với một phần tư thứ ba: {growth.vi}.",
        )


def run(config: Path, duration: int, lengths: dict[str, float]) -> Trial:
    """Simulate a place for ``duration`` (s) with seed 1; ``lengths`` (m) of the edges. Raises WorldError."""
    with tempfile.TemporaryDirectory(prefix="denxanh-trial-") as name:
        out = Path(name)
        (out / "m.add.xml").write_text(_MEASURES.format(half=duration // 2), encoding="utf-8")
        outputs = ["--statistic-output", str(out / "stat.xml"), "--summary-output", str(out / "sum.xml")]
        quiet = ["--no-step-log", "--no-warnings", "--duration-log.disable", "--seed", "1"]
        files = ["-c", str(config.resolve()), "--additional-files", str(out / "m.add.xml")]
        sumo_tools.run("sumo", [*files, *outputs, *quiet], folder=out, timeout=3600)
        statistic = {g.tag: g.attrib for g in ET.parse(out / "stat.xml").getroot()}
        steps = ET.parse(out / "sum.xml").getroot().findall("step")
        edges = ET.parse(out / "edges.xml").getroot().iter("edge")
        standing = [
            e.get("id", "")
            for e in edges
            if int(e.get("teleported", "0"))
            or (float(e.get("occupancy", "0")) > FULL and lengths.get(e.get("id", ""), 0.0) > SHORT)
        ]
    running = [float(s.get("running", "0")) for s in steps]
    quarter = max(len(running) // 4, 1)
    third, last = sum(running[-2 * quarter : -quarter]), sum(running[-quarter:])
    return Trial(
        vehicles=int(statistic["vehicles"]["loaded"]),
        arrived=int(steps[-1].get("ended", "0")) if steps else 0,
        teleports=int(statistic["teleports"]["total"]),
        waiting=int(statistic["vehicles"]["waiting"]),
        growth=last / third if third else 1.0,
        standing=tuple(sorted(e for e in standing if not e.startswith(":"))),
    )
