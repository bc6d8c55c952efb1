"""Measure what two-wheelers do at a stop line in `sublane`, with SUMO alone: filtering, order, discharge, lost time.

The approach is that of `saturation_flow`: two lanes of 3.5 m whose queue never clears. Positions are read from SUMO's
FCD output every second; each cycle after the first is observed from the end of its green to the next. The cycle is
shorter than in `saturation_flow`: its demand is that of a mix, not of motorbikes alone.
"""

from __future__ import annotations

import math
import os
import tempfile
import xml.etree.ElementTree as ET
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from denxanh.networks.calibration.saturation_flow import (
    FROM,
    GREEN,
    LANE_WIDTH,
    LANES,
    LENGTH,
    SKIPPED,
    TIMEOUT,
    UNTIL,
    Interval,
    contacts,
    write_network,
    write_run,
)
from denxanh.networks.place.vehicles import VehicleType
from denxanh.sim.sumo import wheel

Array = NDArray[np.float64]

CYCLE = 120.0  # s
FRONT = 6.0  # m from the stop line: the length of a waiting box with its margin
BEHIND = 50.0  # m behind a four-wheeler, in which the two-wheelers that may pass it are counted
ROOM = 2.2  # m; a two-wheeler that could still move forward so far leaves room unused: its length and a gap
CLEARANCE = 0.05  # m at either side of a moving two-wheeler: a channel of 0.75 m beside a car counts as room
ASIDE, SIDE_STEP = (
    1.0,
    0.05,
)  # m; how far to the side the room may begin, and the step in which it is looked for
STRIPS = 4  # of equal width in a lane, for the lateral entropy
SLICE = 4.0  # s of green
STANDING = 0.1  # m/s
TWO_WHEELED = frozenset({"motorcycle", "moped", "bicycle"})  # vehicle classes of SUMO
EXPECTED = 4500.0  # veh/h per lane, an estimate of the discharge of Hà Nội's mix


@dataclass(frozen=True, slots=True)
class Standing:
    """A vehicle at one moment: front bumper at ``x`` m before the stop line, its middle ``y`` m from the kerb."""

    id: str
    type: str
    lane: int  # 0 at the kerb
    x: float  # m, 0 at the stop line, positive before it
    y: float  # m
    speed: float  # m/s


Scene = Mapping[str, Standing]  # by vehicle id


@dataclass(frozen=True, slots=True)
class Cycle:
    """What was observed in one cycle."""

    behind: int  # two-wheelers that were behind a four-wheeler when it stopped, summed over four-wheelers
    passed: int  # of these, ahead of it at the end of red
    front: int  # two-wheelers within FRONT at the end of red
    front_all: int  # vehicles within FRONT at the end of red
    entropy: float  # nats, of the lateral positions of two-wheelers within FRONT
    held: int  # two-wheelers standing within BEHIND of the line and behind a four-wheeler of their lane
    roomy: int  # of these, with room to move forward that they do not use
    discharge: Array  # vehicles that left in each slice of green, shape (GREEN / SLICE,)
    early: int  # vehicles that left before FROM
    steady: int  # vehicles that left between FROM and UNTIL
    # whether a vehicle that stood at the end of red left after UNTIL, or not at all in this green
    lasted: bool


@dataclass(frozen=True, slots=True)
class Observation:
    """Result of one run."""

    cycles: tuple[Cycle, ...]
    contacts: int
    cpu: float  # s, of SUMO
    scene: tuple[Standing, ...]  # at the end of red of the last cycle

    @property
    def filtering(self) -> float:
        """Share of the two-wheelers behind a four-wheeler when it stopped that are ahead of it at the end of red."""
        behind = sum(c.behind for c in self.cycles)
        return sum(c.passed for c in self.cycles) / behind if behind else float("nan")

    @property
    def unused_room(self) -> float:
        """Share of the two-wheelers behind a four-wheeler at the end of red that could still move forward by ROOM."""
        held = sum(c.held for c in self.cycles)
        return sum(c.roomy for c in self.cycles) / held if held else float("nan")

    @property
    def front_share(self) -> float:
        """Share of two-wheelers of the vehicles within FRONT at the end of red."""
        total = sum(c.front_all for c in self.cycles)
        return sum(c.front for c in self.cycles) / total if total else float("nan")

    @property
    def front_count(self) -> float:
        """Mean number of two-wheelers within FRONT at the end of red."""
        return float(np.mean([c.front for c in self.cycles]))

    @property
    def entropy(self) -> float:
        """Mean entropy of the lateral positions, nats."""
        return float(np.mean([c.entropy for c in self.cycles]))

    @property
    def discharge(self) -> Array:
        """Mean discharge in each slice of green, veh/h per metre of approach."""
        mean = np.mean([c.discharge for c in self.cycles], axis=0)
        return np.asarray(mean * 3600 / SLICE / (LANES * LANE_WIDTH), dtype=np.float64)

    @property
    def saturated(self) -> tuple[Cycle, ...]:
        """The cycles whose queue lasted until UNTIL."""
        return tuple(c for c in self.cycles if c.lasted)

    @property
    def flow(self) -> float:
        """Saturation flow of the cycles whose queue lasted, veh/s; nan without one."""
        steady = [c.steady for c in self.saturated]
        return float(np.mean(steady)) / (UNTIL - FROM) if steady else float("nan")

    @property
    def lost_time(self) -> float:
        """Start-up lost time of the cycles whose queue lasted, s (Greenshields 1947); nan without one."""
        early = [c.early for c in self.saturated]
        return FROM - float(np.mean(early)) / self.flow if early else float("nan")


def observe(
    types: Mapping[str, VehicleType],
    mix: Mapping[str, float],
    *,
    seeds: Iterable[int],
    cycles: int = 2,
    expected: float = EXPECTED,
) -> tuple[Observation, ...]:
    """Return what was observed with each seed in ``cycles`` cycles.

    ``mix`` has shares of vehicles by type, ``expected`` is an estimate of its discharge in veh/h of green per lane.
    """
    two = frozenset(id for id, t in types.items() if t.sumo["vClass"] in TWO_WHEELED)
    found = []
    with tempfile.TemporaryDirectory(prefix="denxanh-stopline-") as name:
        folder = Path(name)
        write_network(folder, CYCLE)
        size = {
            id: (
                float(types[id].attributes("sublane")["length"]),
                float(types[id].attributes("sublane")["width"]),
            )
            for id in mix
        }
        for seed in seeds:
            options = write_run(
                folder, types, mix, "sublane", seed, expected, "run", SKIPPED + cycles + 1, CYCLE
            )
            options += ["--fcd-output", "fcd.xml", "--device.fcd.period", "1", "--precision", "3"]
            before = os.times().children_user
            log = wheel.run_program("sumo", options, folder=folder, timeout=TIMEOUT)
            cpu = os.times().children_user - before
            gaps = {id: float(types[id].attributes("sublane")["minGap"]) for id in mix}
            scenes = read_scenes(folder / "fcd.xml")
            left = _times_of_leaving(folder / "run.out.xml")
            begins = [k * CYCLE for k in range(SKIPPED, SKIPPED + cycles)]
            observed = [observe_cycle(scenes, left, two, begin, size) for begin in begins]
            last = scenes[int((SKIPPED + cycles) * CYCLE) - 1]
            found.append(Observation(tuple(observed), contacts(log, gaps), cpu, tuple(last.values())))
    return tuple(found)


def observe_cycle(
    scenes: Mapping[int, Scene],
    left: Mapping[str, float],
    two_wheeled: frozenset[str],
    begin: float,
    size: Mapping[str, tuple[float, float]],
) -> Cycle:
    """Return the observation of the red that ends at the end of the cycle from ``begin`` (s), and the green after it.

    ``scenes`` has the vehicles on the approach by second, ``left`` the times (s) at which vehicles left it by id,
    ``size`` the length and width (m) of each type.
    """
    red, green = int(begin + GREEN + 3), int(begin + CYCLE)
    end = scenes[green - 1]
    behind = passed = 0
    for four in end.values():
        if four.type in two_wheeled or four.speed > STANDING:
            continue
        stop = _stopped(scenes, four.id, red, green)
        if stop is None:
            continue
        at_stop = scenes[stop][four.id]
        for other in scenes[stop].values():
            now = end.get(other.id)
            if (
                other.type in two_wheeled
                and other.lane == four.lane
                and 0 < other.x - at_stop.x <= BEHIND
                and now is not None
            ):
                behind += 1
                passed += now.x < four.x
    front = [v for v in end.values() if v.x <= FRONT]
    two = [v for v in front if v.type in two_wheeled]
    held = [v for v in end.values() if v.type in two_wheeled and _is_held(v, end, two_wheeled)]
    times = np.array([*left.values()])
    phase = times[(times >= green) & (times < green + GREEN)] - green
    return Cycle(
        behind=behind,
        passed=passed,
        front=len(two),
        front_all=len(front),
        entropy=lateral_entropy([v.y for v in two]),
        held=len(held),
        roomy=sum(has_room(v, end.values(), size) for v in held),
        discharge=np.histogram(phase, np.arange(0, GREEN + SLICE / 2, SLICE))[0].astype(np.float64),
        early=int(np.count_nonzero(phase < FROM)),
        steady=int(np.count_nonzero((phase >= FROM) & (phase < UNTIL))),
        lasted=any(left.get(v.id, math.inf) >= green + UNTIL for v in end.values() if v.speed <= STANDING),
    )


def _is_held(two: Standing, scene: Scene, two_wheeled: frozenset[str]) -> bool:
    """Return whether a two-wheeler stands within BEHIND of the stop line behind a four-wheeler of its lane."""
    return (
        two.speed <= STANDING
        and two.x <= BEHIND
        and any(v.type not in two_wheeled and v.lane == two.lane and v.x < two.x for v in scene.values())
    )


def has_room(v: Standing, scene: Iterable[Standing], size: Mapping[str, tuple[float, float]]) -> bool:
    """Return whether a vehicle could move forward by ROOM, after at most ASIDE to one side, without touching another.

    On the way aside bodies may pass at any distance, on the way forward at CLEARANCE. ``size`` as in `observe_cycle`.
    """
    length, width = size[v.type]
    bodies = [(o.x, o.x + size[o.type][0], o.y - size[o.type][1] / 2, o.y + size[o.type][1] / 2)
              for o in scene if o.id != v.id]  # fmt: skip

    def free(low: float, high: float, front: float, margin: float) -> bool:
        """Whether no body is across [low, high] and along [front, the vehicle's own rear)."""
        return not any(
            left < high + margin and right > low - margin and nose < v.x + length and tail > front
            for nose, tail, left, right in bodies
        )

    for side in (-1, 1):
        for step in range(round(ASIDE / SIDE_STEP) + 1):
            y = v.y + side * step * SIDE_STEP
            low, high = y - width / 2, y + width / 2
            if low < 0 or high > LANES * LANE_WIDTH or not free(low, high, v.x, 0.0):
                break
            if v.x >= ROOM and free(low, high, v.x - ROOM, CLEARANCE):
                return True
    return False


def lateral_entropy(y: Sequence[float]) -> float:
    """Return the entropy in nats of positions across the lane, over ``STRIPS`` strips; at most ln(STRIPS).

    ``y`` are distances from the kerb in m; lanes are laid over each other.
    """
    if not y:
        return 0.0
    strip = np.minimum(np.mod(y, LANE_WIDTH) // (LANE_WIDTH / STRIPS), STRIPS - 1)
    share = np.bincount(strip.astype(int), minlength=STRIPS) / len(y)
    return float(-sum(p * np.log(p) for p in share if p > 0))


def lost_time_slope(runs: Sequence[Observation]) -> Interval:
    """Return the growth of the start-up lost time with a two-wheeler more within FRONT, s.

    Least squares over the cycles of all runs, with the 95 % interval of the slope. The lost time of a cycle is that of
    its own first seconds at the run's saturation flow.
    """
    count = [c.front for run in runs for c in run.saturated]
    lost = [FROM - c.early / run.flow for run in runs for c in run.saturated]
    if len(count) < 3 or len(set(count)) == 1:
        return Interval(float("nan"), float("inf"), 0)
    found = stats.linregress(count, lost)
    half = float(stats.t.ppf(0.975, len(count) - 2) * found.stderr)
    return Interval(float(found.slope), half, len(count))


def _stopped(scenes: Mapping[int, Scene], id: str, red: int, green: int) -> int | None:
    """Return the second from which a vehicle stands until the end of red; None if it stood before the red."""
    stop = None
    for second in range(green - 1, red - 1, -1):
        seen = scenes[second].get(id)
        if seen is None or seen.speed > STANDING:
            return stop
        stop = second
    return None


def read_scenes(path: Path) -> dict[int, dict[str, Standing]]:
    """Return the vehicles on the approach by second from an FCD output."""
    found: dict[int, dict[str, Standing]] = defaultdict(dict)
    for _, step in ET.iterparse(path):
        if step.tag != "timestep":
            continue
        scene = found[round(float(step.get("time", "nan")))]
        for v in step.iter("vehicle"):
            edge, _, lane = v.get("lane", "").rpartition("_")
            if edge == "approach":
                scene[v.get("id", "")] = Standing(
                    id=v.get("id", ""),
                    type=v.get("type", ""),
                    lane=int(lane),
                    x=LENGTH - float(v.get("pos", "nan")),
                    y=LANES * LANE_WIDTH + float(v.get("y", "nan")),  # SUMO's y is 0 at the centre line
                    speed=float(v.get("speed", "nan")),
                )
        step.clear()
    return found


def _times_of_leaving(path: Path) -> dict[str, float]:
    """Return the times at which vehicles left the approach, s, by id; without those that did not."""
    found: dict[str, float] = {}
    for vehicle in ET.parse(path).getroot().iter("vehicle"):
        route = vehicle.find("route")
        time = -1.0 if route is None else float(route.get("exitTimes", "-1").split()[0])
        if time >= 0:
            found[vehicle.get("id", "")] = time
    return found
