"""Measure saturation flow and start-up lost time with SUMO alone at one stop line.

The test network is a straight approach of ``LANES`` lanes whose queue never clears in green. Discharge times are the
times at which vehicles leave the approach; the first cycle, in which the queue builds up, is excluded.
"""

from __future__ import annotations

import re
import tempfile
import threading
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from denxanh.networks.build import building
from denxanh.networks.place.vehicles import Fidelity, VehicleType
from denxanh.networks.traffic import routes_xml
from denxanh.networks.traffic.synthetic_demand import Vehicle
from denxanh.sim.sumo import wheel

LANES = 2
LANE_WIDTH = 3.5  # m
LENGTH = 700.0  # m; longer than the queue, so that all types can be inserted
# s; the red is long because motorbikes are inserted one behind another, a time gap of 2 s apart in each lane
GREEN, CYCLE = 40.0, 180.0
FROM, UNTIL = 10.0, 38.0  # s of green in which the flow is saturated and steady
SKIPPED, CYCLES = 1, 6  # cycles excluded, cycles measured
TIMEOUT = 3600.0  # s; a saturated motorbike stream in the sublane model takes half a minute of CPU time
SURPLUS = 0.4  # of a cycle's discharge, added to the demand of the first cycle: a queue that never clears

NODES = (
    f'<nodes><node id="a" x="0" y="0"/><node id="b" x="{LENGTH}" y="0" type="traffic_light" tl="b"/>'
    f'<node id="c" x="{LENGTH + 400}" y="0"/></nodes>'
)
EDGES = "<edges>{}</edges>".format(
    "".join(
        f'<edge id="{id}" from="{a}" to="{b}" numLanes="{LANES}" width="{LANE_WIDTH}" speed="13.89"/>'
        for id, a, b in (("approach", "a", "b"), ("exit", "b", "c"))
    )
)

_COLLISION = re.compile(
    r"ehicle '(?P<type>\w+)\.\d+'; (?P<side>side )?collision with vehicle .*?, gap=(?P<gap>-?[\d.]+)"
)


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean over seeds and the half width of its 95 % confidence interval (Student's t)."""

    mean: float
    half: float
    n: int

    @staticmethod
    def of(values: Iterable[float]) -> Interval:
        """Return the interval of one value per seed; a single value has an infinite half width."""
        sample = np.array(list(values))
        if len(sample) < 2:
            return Interval(float(sample.mean()), float("inf"), len(sample))
        half = stats.t.ppf(0.975, len(sample) - 1) * sample.std(ddof=1) / np.sqrt(len(sample))
        return Interval(float(sample.mean()), float(half), len(sample))

    def __str__(self) -> str:
        return f"{self.mean:.4g} ± {self.half:.2g}"


@dataclass(frozen=True, slots=True)
class Discharge:
    """Result of one run."""

    flow: float  # veh/s over all lanes, while saturated
    lost_time: float  # s, start-up lost time
    shares: Mapping[str, float]  # by type, of the vehicles discharged
    collisions: int  # as SUMO counts them: a gap below the follower's minGap
    contacts: int  # collisions in which the vehicle bodies overlap


@dataclass(frozen=True, slots=True)
class Saturation:
    """Results of all runs, one per seed."""

    runs: tuple[Discharge, ...]

    @property
    def per_lane(self) -> Interval:
        """The flow in veh/h per lane."""
        return Interval.of(run.flow * 3600 / LANES for run in self.runs)

    @property
    def per_metre(self) -> Interval:
        """The flow in veh/h per metre of approach."""
        return Interval.of(run.flow * 3600 / (LANES * LANE_WIDTH) for run in self.runs)

    @property
    def lost_time(self) -> Interval:
        """The start-up lost time in s."""
        return Interval.of(run.lost_time for run in self.runs)

    @property
    def shares(self) -> dict[str, Interval]:
        """The shares of the vehicles discharged, by type."""
        types = sorted({type_ for run in self.runs for type_ in run.shares})
        return {type_: Interval.of(run.shares.get(type_, 0.0) for run in self.runs) for type_ in types}

    @property
    def collisions(self) -> int:
        """Number of collisions of all runs, as SUMO counts them."""
        return sum(run.collisions for run in self.runs)

    @property
    def contacts(self) -> int:
        """Number of collisions in which the vehicle bodies overlap."""
        return sum(run.contacts for run in self.runs)


def measure(
    types: Mapping[str, VehicleType],
    mix: Mapping[str, float],
    *,
    fidelity: Fidelity = "sublane",
    seeds: Iterable[int] = range(1, 11),
    expected: float = 2000.0,
    jobs: int = 1,
) -> Saturation:
    """Return the measured saturation flow of a mix of vehicle types at the stop line.

    ``mix`` has shares of simulated vehicles. ``expected`` is an initial estimate of the flow in veh/h per lane; it
    is refined by runs with seed 0.
    """
    seeds = tuple(seeds)
    with tempfile.TemporaryDirectory(prefix="denxanh-calibrate-") as name:
        folder = Path(name)
        write_network(folder)
        expected = _saturated_flow(folder, types, mix, fidelity, expected)
        with wheel.program_threads(jobs) as (pool, stop):
            tasks = [
                pool.submit(_run, folder, types, mix, fidelity, seed, expected, f"s{seed}", stop)
                for seed in seeds
            ]
            runs = [task.result() for task in tasks]
    return Saturation(tuple(runs))


def _saturated_flow(
    folder: Path,
    types: Mapping[str, VehicleType],
    mix: Mapping[str, float],
    fidelity: Fidelity,
    expected: float,
) -> float:
    """Return the discharge in veh/h per lane, found by raising the demand until the discharge no longer grows.

    A demand far above it would fill the approach and prevent the insertion of long vehicles.
    """
    while True:
        flow = _run(folder, types, mix, fidelity, 0, expected, "estimate").flow * 3600 / LANES
        if flow < expected:  # where the queue clears in green, the flow equals the demand or exceeds it
            return flow
        expected = flow * 1.2


def write_network(folder: Path, cycle: float = CYCLE) -> None:
    """Write the test network and its signal with a cycle of ``cycle`` s."""
    signal = (
        '<additional><tlLogic id="b" type="static" programID="green" offset="0">'
        f'<phase duration="{GREEN}" state="{"G" * LANES}"/><phase duration="3" state="{"y" * LANES}"/>'
        f'<phase duration="{cycle - GREEN - 3}" state="{"r" * LANES}"/></tlLogic></additional>'
    )
    for name, text in (("nod", NODES), ("edg", EDGES), ("add", signal)):
        (folder / f"network.{name}.xml").write_text(text, encoding="utf-8")
    arguments = [
        "-n",
        "network.nod.xml",
        "-e",
        "network.edg.xml",
        "-o",
        "network.net.xml",
        "--no-turnarounds",
        "true",
    ]
    wheel.run_program("netconvert", arguments, folder=folder)


def _run(
    folder: Path,
    types: Mapping[str, VehicleType],
    mix: Mapping[str, float],
    fidelity: Fidelity,
    seed: int,
    per_lane: float,
    label: str,
    stop: threading.Event | None = None,
) -> Discharge:
    """Return the result of one run; ``per_lane`` is the expected discharge in veh/h."""
    options = write_run(folder, types, mix, fidelity, seed, per_lane, label)
    options += ["--statistic-output", f"{label}.statistics.xml"]
    log = wheel.run_program("sumo", options, folder=folder, timeout=TIMEOUT, stop=stop)
    found = _discharge(folder / f"{label}.out.xml", folder / f"{label}.statistics.xml")
    gaps = {id: float(types[id].attributes(fidelity)["minGap"]) for id in mix}
    return replace(found, contacts=contacts(log, gaps))


def write_run(
    folder: Path,
    types: Mapping[str, VehicleType],
    mix: Mapping[str, float],
    fidelity: Fidelity,
    seed: int,
    per_lane: float,
    label: str,
    cycles: int = SKIPPED + CYCLES,
    cycle: float = CYCLE,
) -> list[str]:
    """Write the demand of a run and return SUMO's options; ``per_lane`` is the expected discharge in veh/h of green.

    The demand of the first cycle exceeds its discharge by ``SURPLUS``, so that the queue never clears.
    """
    rng = np.random.default_rng(seed)
    end = cycles * cycle
    per_cycle = per_lane / 3600 * LANES * GREEN
    first = np.linspace(0, cycle, int((1 + SURPLUS) * per_cycle), endpoint=False)
    departures = np.concatenate([first, np.linspace(cycle, end, int(per_cycle * (cycles - 1)))])
    kinds = rng.choice(list(mix), len(departures), p=np.array(list(mix.values())) / sum(mix.values()))
    demand = [Vehicle(float(t), str(k), ("approach", "exit")) for t, k in zip(departures, kinds, strict=True)]
    text = routes_xml.document(demand, fidelity, "calibration of a stop line", types=types)
    (folder / f"{label}.rou.xml").write_text(text, encoding="utf-8")
    options = ["-n", "network.net.xml", "-r", f"{label}.rou.xml", "-a", "network.add.xml"]
    options += ["--end", f"{end:g}", "--seed", str(seed), "--no-step-log"]
    options += ["--step-length", building.STEP[fidelity]]
    options += ["--vehroute-output", f"{label}.out.xml", "--vehroute-output.exit-times"]
    options += [
        "--vehroute-output.write-unfinished",
        "--collision.action",
        "warn",
        "--time-to-teleport",
        "-1",
    ]
    if fidelity == "sublane":
        options += ["--lateral-resolution", building.LATERAL_RESOLUTION]
    return options


def contacts(log: str, min_gap: Mapping[str, float]) -> int:
    """Return the number of collisions in SUMO's log in which the vehicle bodies overlap.

    SUMO warns when the gap is below the follower's minGap, and reports the gap minus minGap (Simulation/Safety.html);
    side collisions always overlap. ``min_gap`` in m by type.
    """
    return sum(
        match["side"] is not None or float(match["gap"]) + min_gap[match["type"]] < 0
        for match in _COLLISION.finditer(log)
    )


def _discharge(routes: Path, statistics: Path) -> Discharge:
    """Return flow, lost time and shares from the times at which vehicles left the approach."""
    times: list[float] = []
    kinds: Counter[str] = Counter()
    for vehicle in ET.parse(routes).getroot().iter("vehicle"):
        route = vehicle.find("route")
        left = float("nan") if route is None else float(route.get("exitTimes", "-1").split()[0])
        if left >= SKIPPED * CYCLE:
            times.append(left)
            kinds[vehicle.get("type", "")] += 1
    safety = ET.parse(statistics).getroot().find("safety")
    flow, lost = greenshields(np.array(times) % CYCLE, CYCLES)
    total = sum(kinds.values())
    return Discharge(
        flow=flow,
        lost_time=lost,
        shares={t: n / total for t, n in kinds.items()},
        collisions=0 if safety is None else int(safety.get("collisions", "0")),
        contacts=0,
    )


def greenshields(phase: NDArray[np.float64], cycles: int) -> tuple[float, float]:
    """Return the saturation flow in veh/s and the start-up lost time in s of ``cycles`` saturated greens.

    ``phase`` has the time of each discharge since the start of its green, shape (vehicles,). The flow is
    the mean between ``FROM`` and ``UNTIL``; the lost time is the extra time of the vehicles before ``FROM``
    relative to that flow (Greenshields 1947).
    """
    early = np.count_nonzero(phase < FROM) / cycles
    steady = np.count_nonzero((phase >= FROM) & (phase < UNTIL)) / cycles
    flow = steady / (UNTIL - FROM)
    return flow, FROM - early / flow if flow else float("nan")
