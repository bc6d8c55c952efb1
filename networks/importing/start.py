"""From a net without traffic to a place that runs: plans mended, a synthetic demand, the files of the folder."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

from networks import routes_xml
from networks.importing import folder as files
from networks.importing import plans, trial, trips
from networks.importing.report import Guesses, ImportReport
from sim.errors import InputError
from sim.text import Text, same

SATURATION = 0.5  # of nearly every approach: moderate, so that nothing grows for an hour under a guessed plan
TRIALS = 6  # of a demand in SUMO
THINNER = 0.5  # what an edge that stood in a trial is thought to take in the next
ELSEWHERE = 0.85  # what the others are: where it stands is not always where it is too much
SIGNALS = [
    "--tls.default-type", "static",
    "--tls.cycle.time", "90",
    "--tls.yellow.time", "3",
    "--tls.allred.time", "2",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Demand:
    """A synthetic demand that is asked for."""

    saturation: float  # degree of saturation that nearly every approach stays below
    duration: int  # s
    seed: int
    trial: bool = True  # simulate it, and thin it where traffic stands

    def __post_init__(self) -> None:
        """Refuse what is no degree of saturation."""
        if not 0 < self.saturation <= 1:
            raise InputError(
                f"the degree of saturation is {self.saturation:g}", remedy="give one above 0, at most 1"
            )


@dataclass(frozen=True, slots=True)
class Outline:
    """What was written to the folder of a place."""

    net: ET.Element
    demand: Text  # one sentence: where the vehicles come from
    vehicles: int
    guesses: Guesses

    def report(self, name: str, source: str, licence: Text) -> ImportReport:
        """Return the report of an import."""
        edges = [e for e in self.net.iterfind("edge") if e.get("function") is None]
        return ImportReport(
            name=name,
            source=source,
            licence=licence,
            signals=len({t.get("id") for t in self.net.iterfind("tlLogic")}),
            edges=len(edges),
            length_km=sum(float(lane.get("length", "0")) for e in edges for lane in e.findall("lane")[:1])
            / 1000,
            demand=self.demand,
            vehicles=self.vehicles,
            guesses=self.guesses,
        )


def write_place(
    net: ET.Element,
    folder: Path,
    config: str,
    *,
    comment: str,
    demand: Demand,
    guesses: Guesses,
    mend: bool = True,
) -> Outline:
    """Write ``net`` with a synthetic demand and a configuration into ``folder``.

    ``mend`` repairs plans that netconvert guessed; plans that somebody made stay as they are.
    """
    path = folder / files.NET
    if mend:
        plans.mend(net, guesses)
    files.write_net(net, path, comment)
    if mend and plans.yield_in_greens(net, path, guesses):
        files.write_net(net, path, comment)
    times = {"begin": "0", "end": str(demand.duration), "step-length": "1", "time-to-teleport": "300"}
    values = {"net-file": files.NET, "route-files": files.ROUTES, **times}
    files.write_config(folder / config, comment, values)
    sentence, vehicles = add_demand(net, folder, config, demand, guesses, comment=comment)
    if mend and net.find("tlLogic") is not None:
        sentence += Text(" The plans are guessed.", " Các phương án tín hiệu là phỏng đoán.")
    return Outline(net, sentence, vehicles, guesses)


def add_demand(
    net: ET.Element, folder: Path, config: str, demand: Demand, guesses: Guesses, *, comment: str
) -> tuple[Text, int]:
    """Write a synthetic demand into ``folder``, try it in SUMO, thin it where it stands, and try again.

    ``config`` is the folder's configuration, written before. Returns a sentence about the demand and the number of
    its vehicles.
    """
    pool = trips.pool(net, saturation=demand.saturation, duration=demand.duration, seed=demand.seed)
    lengths = {
        e.get("id", ""): float(lane.get("length", "0"))
        for e in net.iterfind("edge")
        for lane in e.iterfind("lane")
    }
    origin = (
        f"SYNTHETIC demand, not counted: trips between the ends of streets, seed {demand.seed}. {comment}"
    )
    less: dict[str, float] = {}
    tried = same("")
    for attempt in range(1, TRIALS + 1):
        vehicles = pool.moderate(less)
        files.put(folder / files.ROUTES, routes_xml.document(vehicles, "lane", files.safe(origin)))
        if not demand.trial:
            break
        found = trial.run(folder / config, demand.duration, lengths)
        tried = " " + found.sentence()
        if found.moderate:
            break
        if attempt == TRIALS:
            guesses.find(
                Text(
                    "The synthetic demand is still too much for the guessed plans: ",
                    "Lưu lượng giả lập vẫn quá lớn đối với các phương án tín hiệu phỏng đoán: ",
                )
                + found.sentence()
            )
            break
        standing = set(found.standing)
        less = {e: less.get(e, 1.0) * (THINNER if e in standing else ELSEWHERE) for e in pool.capacity}
        guesses.count(
            Text(
                "times the demand was thinned after a trial in SUMO",
                "số lần giảm lưu lượng sau khi chạy thử trong SUMO",
            )
        )
    share, hours = f"{demand.saturation:g}", demand.duration / 3600
    sentence = Text(
        f"The demand is synthetic, not counted: {len(vehicles)} simulated vehicles in {hours:g} h"
        " between the ends of the streets, on shortest ways, so that every approach is expected to stay below a"
        f" degree of saturation of {share}.",
        f"Lưu lượng là giả lập, không phải số liệu đếm xe: {len(vehicles)} xe mô phỏng trong {hours:g} h đi giữa các"
        " điểm ra vào của mạng lưới, theo đường ngắn nhất, sao cho độ bão hòa của mỗi nhánh vào nút dự kiến dưới"
        f" {share.replace('.', ',')}.",
    )
    return sentence + tried, len(vehicles)


def count_warnings(words: str, guesses: Guesses) -> None:
    """Note how often netconvert warned."""
    guesses.count(
        Text("warnings of netconvert", "cảnh báo của netconvert"),
        sum(line.startswith("Warning") for line in words.splitlines()),
    )
