"""Run a scenario with SUMO alone: teleports, collisions, delay, realised vehicle shares, computing speed."""

from __future__ import annotations

import os
import tempfile
import time
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from denxanh.networks.counts.counted_demand import vehicle_types
from denxanh.sim.scenario import Scenario
from denxanh.sim.sumo import wheel
from denxanh.sim.sumo.run_input import STATISTIC, TRIPINFO, write_input


@dataclass(frozen=True, slots=True)
class Hour:
    """Result of one run. In delay, throughput and shares a vehicle is weighted by the number it represents."""

    place: str
    seed: int
    vehicles: int  # simulated, with a departure time before the end
    entered: int
    stuck: int  # teleports because of waiting, blocking or a wrong lane
    collisions: int
    delay: float  # s per vehicle: time loss plus departure delay, of all vehicles, arrived or not
    throughput: float  # veh/h arrived
    shares: Mapping[str, tuple[float, float]]  # by type: offered, entered
    duration: float  # s simulated
    updates: float  # vehicle updates, summed over all steps
    cpu: float  # s, of SUMO; wall time where the system does not report CPU time

    @property
    def worst_share(self) -> float:
        """The largest difference between a type's offered and realised share, in percentage points."""
        return 100 * max(abs(offered - realised) for offered, realised in self.shares.values())


def run(scenario: Scenario, seed: int, *, timeout: float = 7200) -> Hour:
    """Run a scenario with its own signal programs in SUMO alone; ``timeout`` in s."""
    with tempfile.TemporaryDirectory(prefix="denxanh-hour-") as name:
        folder = Path(name)
        given = write_input(scenario, folder, seed=seed, signals=())
        cpu, wall = _children(), time.perf_counter()
        timed = ["--duration-log.disable", "false"]  # SUMO's own times are read
        wheel.run_program("sumo", [*given.arguments, *timed], folder=folder, timeout=timeout)
        wall = time.perf_counter() - wall
        return _read(scenario, folder, seed, _children() - cpu or wall)


def _children() -> float:
    """Return the CPU seconds of ended child processes; 0 on systems that do not report them."""
    times = os.times()
    return times.children_user + times.children_system


def _read(scenario: Scenario, folder: Path, seed: int, cpu: float) -> Hour:
    """Return the result from SUMO's output files."""
    weight = {type_: represents for type_, (_, represents) in vehicle_types(scenario).items()}
    offered: Counter[str] = Counter()
    entered: Counter[str] = Counter()
    delay = arrived = 0.0
    trips = 0
    for trip in ET.parse(folder / TRIPINFO).getroot().iter("tripinfo"):
        type_ = trip.get("vType", "")
        w = weight.get(type_, 1.0)
        trips += 1
        offered[type_] += 1
        delay += w * float(trip.get("departDelay", "nan"))
        if float(trip.get("depart", "-1")) >= 0:
            entered[type_] += 1
            delay += w * float(trip.get("timeLoss", "nan"))
            arrived += w * (float(trip.get("arrival", "-1")) >= 0)
    groups = {g.tag: g for g in ET.parse(folder / STATISTIC).getroot()}
    teleports, performance = groups["teleports"], groups["performance"]
    duration = scenario.end - scenario.begin
    # SUMO reports updates per second of wall time.
    updates = float(performance.get("vehicleUpdatesPerSecond", "nan"))
    updates *= float(performance.get("clockDuration", "nan"))
    return Hour(
        place=scenario.name,
        seed=seed,
        vehicles=trips,
        entered=entered.total(),
        stuck=sum(int(teleports.get(key, "0")) for key in ("jam", "yield", "wrongLane")),
        collisions=int(groups["safety"].get("collisions", "0")),
        delay=delay / sum(weight.get(t, 1.0) * n for t, n in offered.items()),
        throughput=arrived / duration * 3600,
        shares=_shares(offered, entered, weight),
        duration=duration,
        updates=updates,
        cpu=cpu,
    )


def _shares(
    offered: Mapping[str, int], entered: Mapping[str, int], weight: Mapping[str, float]
) -> dict[str, tuple[float, float]]:
    """Return each type's share of the offered vehicles and of those that entered."""

    def share(counts: Mapping[str, int], type_: str) -> float:
        total = sum(weight.get(t, 1.0) * n for t, n in counts.items())
        return weight.get(type_, 1.0) * counts.get(type_, 0) / total if total else 0.0

    return {type_: (share(offered, type_), share(entered, type_)) for type_ in offered}
