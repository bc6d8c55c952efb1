"""The table of movements once more, from trajectories alone: docs/research/movements-recomputed.md.

    python benchmarks/movements_from_trajectories.py PLACE [--end S] [--warm-up S] [--seed N]

The place is run with its own program, and once more by bare SUMO with --fcd-output; the trips of both have to be the
same. From the trajectories, the network file, the route file and the recorded signal states the measures of each
movement are computed again, with nothing of ``denxanh.sim.measures``. What a vehicle would have needed without delay
is simulated: each vehicle once more, alone on the road, with its own speed factor, all signals green.
"""

from __future__ import annotations

import argparse
import itertools
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from denxanh.networks.scenarios import open_scenario
from denxanh.sim.run.store import read_table
from denxanh.sim.sumo.wheel import sumo_binary, sumo_environment

STANDING = 0.1  # m/s
SAMPLED = 5  # s between the samples of queues and halts in the table
ALONE = 20.0  # s between the end of a vehicle's way and the departure of the next one that drives alone


@dataclass(frozen=True)
class Frame:
    """A vehicle at a second: its front at ``position`` m of ``lane``, after a step at ``speed`` m/s."""

    time: float
    lane: str
    position: float
    speed: float


@dataclass(frozen=True)
class Road:
    """What is read of a network file."""

    lengths: Mapping[str, float]  # m by lane
    limits: Mapping[str, float]  # m/s by lane
    links: Mapping[str, Sequence[tuple[str, int]]]  # (stop-line lane, position in the state) by movement
    signals: Mapping[str, str]  # signal by movement
    letters: Mapping[str, int]  # number of letters by signal


@dataclass(frozen=True)
class Kind:
    """What is read of a vType."""

    length: float  # m
    gap: float  # m
    accel: float  # m/s²
    max_speed: float  # m/s
    represents: float
    pcu: float


@dataclass
class Passage:
    """A way from a departure, or from past the last signal, to past the junction of the next one. Times s."""

    vehicle: str
    movement: str
    begin: float
    lane: str = ""  # stop-line lane
    stop_line: float = np.inf
    end: float = np.inf
    speed: float = 0.0  # m/s at the end
    halts: int = 0
    halts_sampled: int = 0
    arrival: float = np.inf  # at the stop line without delay
    delay: float = 0.0  # s
    last: Frame | None = None  # where it is at the end, if it is unfinished
    after: float = 0.0  # m/s on the second half of the road after the junction, of a vehicle alone
    track: Sequence[tuple[float, float]] = ()  # (m, s) on the stop line's road, of a vehicle alone


def read_road(net: Path) -> Road:
    root = ElementTree.parse(net).getroot()
    lanes = {lane.get("id", ""): lane for lane in root.iter("lane")}
    links: dict[str, list[tuple[str, int]]] = defaultdict(list)
    signals: dict[str, str] = {}
    for row in root.iter("connection"):
        if row.get("tl"):
            movement = f"{row.get('from')}>{row.get('to')}"
            links[movement].append(
                (f"{row.get('from')}_{row.get('fromLane')}", int(row.get("linkIndex", "")))
            )
            signals[movement] = row.get("tl", "")
    return Road(
        {name: float(lane.get("length", "")) for name, lane in lanes.items()},
        {name: float(lane.get("speed", "")) for name, lane in lanes.items()},
        links,
        signals,
        {logic.get("id", ""): len(logic[0].get("state", "")) for logic in root.iter("tlLogic")},
    )


def read_kinds(routes: ElementTree.Element) -> dict[str, Kind]:
    """The vTypes of the built-in places, which give every value that is read here."""
    kinds = {}
    for row in routes.iter("vType"):
        own = {param.get("key"): float(param.get("value", "")) for param in row.iter("param")}
        values = [float(row.get(name, "")) for name in ("length", "minGap", "accel", "maxSpeed")]
        kinds[row.get("id", "")] = Kind(*values, represents=own["represents"], pcu=own["pcu"])
    return kinds


def ways(name: str, frames: Sequence[Frame], road: Road) -> Iterator[Passage]:
    """The passages of one vehicle; the last one is unfinished, and has no movement.

    Between two frames a vehicle drives at the speed of the later one, as in SUMO's Euler step.
    """
    way, last = Passage(name, "", frames[0].time), frames[0]
    edge = last.lane.rpartition("_")[0]
    standing = standing_sampled = False
    for now in frames[1:]:
        after, inside = now.lane.rpartition("_")[0], now.lane.startswith(":")
        if after != edge and not last.lane.startswith(":"):
            way.stop_line = last.time + (road.lengths[last.lane] - last.position) / now.speed
            way.lane = last.lane
        if after != edge and not inside:
            if f"{edge}>{after}" in road.links:
                way.movement = f"{edge}>{after}"
                way.end, way.speed = now.time - now.position / now.speed, now.speed
                yield way
                way = Passage(name, "", way.end)
            else:
                way.stop_line, way.lane = np.inf, ""
            edge = after
        halted = now.speed < STANDING
        way.halts += halted and not standing
        standing = halted
        if (now.time + 1) % SAMPLED == 0:  # SUMO's clock shows the end of the step
            way.halts_sampled += halted and not inside and not standing_sampled
            standing_sampled = halted and not inside
        last = now
    way.last = last
    yield way


def read_frames(path: Path) -> dict[str, list[Frame]]:
    """The frames of each vehicle in SUMO's --fcd-output, in order."""
    found: dict[str, list[Frame]] = defaultdict(list)
    time = 0.0
    for event, element in ElementTree.iterparse(path, events=("start", "end")):
        if event == "end":
            element.clear()
        elif element.tag == "timestep":
            time = float(element.get("time", ""))
        elif element.tag == "vehicle":
            lane, position, speed = (element.get(name, "") for name in ("lane", "pos", "speed"))
            found[element.get("id", "")].append(Frame(time, lane, float(position), float(speed)))
    return found


def simulate(
    folder: Path, net: Path, routes: Path, end: float, seed: int, *more: str
) -> dict[str, list[Frame]]:
    """Run bare SUMO from 0 to ``end`` s; the frames of each vehicle. Trips are then in ``trips.xml``."""
    command = [str(sumo_binary()), "-n", str(net), "-r", str(routes), "--begin", "0", "--end", f"{end:g}"]
    command += [
        "--seed",
        str(seed),
        "--time-to-teleport",
        "300",
        "--no-step-log",
        "--xml-validation",
        "never",
    ]
    command += ["--fcd-output", "fcd.xml", "--fcd-output.attributes", "lane,pos,speed", "--precision", "4"]
    command += ["--tripinfo-output", "trips.xml", "--tripinfo-output.write-unfinished", *more]
    subprocess.run(command, cwd=folder, env=sumo_environment(), check=True, capture_output=True)
    return read_frames(folder / "fcd.xml")


def alone(
    folder: Path, net: Path, routes: ElementTree.Element, factors: Mapping[str, float], road: Road
) -> dict[str, list[Passage]]:
    """The passages of each vehicle with nobody else on the road and all signals green; a departure is at 0 s."""
    root = ElementTree.Element("routes")
    root.extend(routes.findall("vType"))
    kinds = read_kinds(routes)
    time = 0.0
    departed = {}
    for row in routes.iter("vehicle"):
        name = row.get("id", "")
        if name not in factors:
            continue
        edges = row.find("route").get("edges", "").split()  # type: ignore[union-attr]
        copy = ElementTree.SubElement(root, "vehicle", {**row.attrib, "speedFactor": f"{factors[name]:g}"})
        copy.set("depart", f"{time:g}")
        ElementTree.SubElement(copy, "route", edges=" ".join(edges))
        departed[name] = time
        speed = min(kinds[row.get("type", "")].max_speed, road.limits[f"{edges[0]}_0"] * factors[name])
        time += sum(road.lengths[f"{edge}_0"] for edge in edges) / speed * 1.1 // 1 + ALONE
    ElementTree.ElementTree(root).write(folder / "alone.rou.xml")
    green = ElementTree.Element("additional")
    for signal, letters in road.letters.items():
        logic = ElementTree.SubElement(green, "tlLogic", id=signal, type="static", programID="on", offset="0")
        ElementTree.SubElement(logic, "phase", duration="9999", state="G" * letters)
    ElementTree.ElementTree(green).write(folder / "green.add.xml")
    frames = simulate(folder, net, folder / "alone.rou.xml", time, 1, "-a", "green.add.xml")
    found = {}
    for name, begin in departed.items():
        found[name] = [way for way in ways(name, frames[name], road) if way.movement]
        for way in found[name]:
            far = [
                f.speed for f in frames[name] if f.time > way.end and f.position > road.lengths[f.lane] / 2
            ]
            way.begin, way.stop_line, way.end = way.begin - begin, way.stop_line - begin, way.end - begin
            way.after = float(np.mean(far)) if far else way.speed
            edge = way.movement.partition(">")[0]
            way.track = [
                (f.position, f.time - begin) for f in frames[name] if f.lane.rpartition("_")[0] == edge
            ]
    return found


def measured(
    frames: Mapping[str, Sequence[Frame]],
    free: Mapping[str, Sequence[Passage]],
    wait: Mapping[str, float],
    accel: Mapping[str, float],
    road: Road,
    end: float,
) -> list[Passage]:
    """The passages of all vehicles with arrival and control delay, those before the stop line at ``end`` s too.

    ``free`` are the passages of each vehicle alone, ``wait`` the s before its departure, ``accel`` in m/s².
    """
    found = []
    for name, seen in frames.items():
        owed = 0.0  # s that the vehicle still loses after the junction, more than it does alone
        for k, (way, lone) in enumerate(zip(ways(name, seen, road), free[name], strict=False)):
            before = wait[name] if k == 0 else 0.0
            way.arrival = way.begin + owed + lone.stop_line - lone.begin
            spent = before + min(way.end, end) - way.begin - owed
            if way.movement:
                rates = (
                    2 * max(lone.after, 0.1) * accel[name]
                )  # speeding up evenly from one speed to the other
                slower = [max(lone.after - speed, 0.0) for speed in (way.speed, lone.speed)]
                owed = (slower[0] ** 2 - slower[1] ** 2) / rates
                way.delay = spent + owed - (lone.end - lone.begin)
            else:  # so far: alone it would have been there at this time
                way.movement = lone.movement
                there = lone.stop_line + min(end - way.stop_line, lone.end - lone.stop_line)
                if way.stop_line == np.inf and way.last is not None:
                    there = float(np.interp(way.last.position, *zip(*lone.track, strict=True)))
                way.delay = max(spent - (there - lone.begin), before)
            found.append(way)
    return found


def greens_of(
    history: Sequence[tuple[float, str]], links: Sequence[int], end: float
) -> list[tuple[float, float]]:
    """(begin, end) of the times in which at least one of the links is green, by a signal's (time, state)."""
    found: list[tuple[float, float]] = []
    for (time, state), (until, _) in itertools.pairwise([*history, (end, "")]):
        if any(state[link] in "gG" for link in links):
            if found and found[-1][1] == time:
                found[-1] = found[-1][0], until
            else:
                found.append((time, until))
    return found


def backs(
    frames: Mapping[str, Sequence[Frame]], space: Mapping[str, float], road: Road, lanes: frozenset[str]
) -> dict[float, float]:
    """m from the stop line to the end of the last halted vehicle's space, by s of SUMO's clock; ``space`` in m."""
    found: dict[float, float] = defaultdict(float)
    for name, seen in frames.items():
        for frame in seen:
            if frame.lane in lanes and frame.speed < STANDING:
                back = road.lengths[frame.lane] - frame.position + space[name]
                found[frame.time + 1] = max(found[frame.time + 1], back)
    return found


def compare(
    place: str, end: float, warm_up: float, seed: int, folder: Path
) -> list[tuple[str, str, float, float]]:
    """(movement, measure, value of the table, recomputed value) of one run with the place's own program."""
    command = [sys.executable, "-P", "-c", "from denxanh.experiments.cli.app import main; main()"]
    command += ["run", place, "-c", "program", "--seed", str(seed), "--end", f"{end:g}"]
    command += ["--warm-up", f"{warm_up:g}", "--out", str(folder / "run")]
    subprocess.run(command, check=True, capture_output=True)
    scenario = open_scenario(place, end=end)
    (file,) = scenario.routes
    routes, road = ElementTree.parse(file).getroot(), read_road(scenario.net)
    frames = simulate(folder, scenario.net, file, end, seed)
    trips = {row.get("id", ""): row for row in ElementTree.parse(folder / "trips.xml").iter("tripinfo")}
    stored = read_table(folder / "run" / "vehicles.parquet")
    for name, lost in zip(stored["id"].tolist(), stored["time_loss_s"].tolist(), strict=True):
        if name in trips and abs(float(trips[name].get("timeLoss", "")) - lost) > 0.006:
            raise SystemExit(
                f"{name} loses {lost} s in the run and {trips[name].get('timeLoss')} s in its repetition"
            )
    vehicles = {row.get("id", ""): row for row in routes.iter("vehicle") if row.get("id") in frames}
    kinds = read_kinds(routes)
    kind = {name: kinds[row.get("type", "")] for name, row in vehicles.items()}
    free = alone(
        folder, scenario.net, routes, {n: float(trips[n].get("speedFactor", "")) for n in frames}, road
    )
    wait = {name: frames[name][0].time - float(row.get("depart", "")) for name, row in vehicles.items()}
    passages = measured(frames, free, wait, {name: one.accel for name, one in kind.items()}, road, end)
    table = read_table(folder / "run" / "movements.parquet")
    history: dict[str, list[tuple[float, str]]] = defaultdict(list)
    signals = read_table(folder / "run" / "signals.parquet")
    for time, signal, state in zip(signals["time_s"], signals["signal"], signals["state"], strict=True):
        history[str(signal)].append((float(time), str(state)))
    out = []
    for k in np.flatnonzero(table["level"] == "movement"):
        movement = str(table["name"][k])
        links = [link for _, link in road.links[movement]]
        green = greens_of(history[road.signals[movement]], links, end)
        lanes = frozenset(lane for lane, _ in road.links[movement])
        mine = [one for one in passages if one.movement == movement]
        spaces = {name: one.length + one.gap for name, one in kind.items()}
        values = measures(mine, kind, green, backs(frames, spaces, road, lanes), warm_up, end)
        # the saturation flow is an assumption of the table, and taken from it
        saturation = float(table["capacity_vph"][k]) / values["flow_vph"] * values["pcu"] / values["green_s"]
        values["green_utilisation"] = values["pcu crossed"] / (saturation * values["green_s"])
        for name in values:
            column = name.partition(",")[0]
            if column in table:
                out.append((movement, name, float(table[column][k]), values[name]))
    return out


def measures(
    passages: Sequence[Passage],
    kind: Mapping[str, Kind],
    green: Sequence[tuple[float, float]],
    back: Mapping[float, float],
    begin: float,
    end: float,
) -> dict[str, float]:
    """The measures of a movement between ``begin`` and ``end`` s, by the column of the table that they are for.

    What stands behind a comma is another reading of the same measure.
    """
    mine = [one for one in passages if begin <= one.arrival < end]
    real = np.array([kind[one.vehicle].represents for one in mine])
    seconds = sum(max(min(stop, end) - max(start, begin), 0.0) for start, stop in green)
    on_green = [any(start <= one.arrival < stop for start, stop in green) for one in mine]
    failed = [
        any(one.arrival <= start and one.stop_line >= following for one in mine)
        for (start, _), (following, _) in itertools.pairwise(green)
        if start >= begin
    ]
    stops = [stop for _, stop in green if begin <= stop < end]
    sampled, second = [], []
    for first, last in itertools.pairwise(stops):
        times = np.arange(np.floor(first) + 1, last + 1e-9).tolist()
        second.append(max(back.get(time, 0.0) for time in times))
        sampled.append(max(back.get(time, 0.0) for time in times if time % SAMPLED == 0))
    pcu = {name: one.pcu for name, one in kind.items()}
    values = {
        "pcu": sum(pcu[one.vehicle] for one in mine),
        "pcu crossed": sum(pcu[one.vehicle] for one in passages if begin <= one.stop_line < end),
        "arrivals": float(real.sum()),
        "served": float(real[[one.end < np.inf for one in mine]].sum()),
        "flow_vph": float(real.sum()) / (end - begin) * 3600,
        "green_s": seconds,
        "control_delay_s": float(np.average([one.delay for one in mine], weights=real)),
        "stops": float(np.average([one.halts_sampled for one in mine], weights=real)),
        "stops, each second": float(np.average([one.halts for one in mine], weights=real)),
        "on_green": float(np.average(on_green, weights=real)),
        "cycle_failures": float(np.mean(failed)),
    }
    for name, longest in (("", sampled), (", each second", second)):
        for percent in (50, 95):
            values[f"queue_p{percent}_m{name}"] = float(np.percentile(longest, percent))
    return values


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("place")
    parser.add_argument("--end", type=float, default=2400.0)
    parser.add_argument("--warm-up", type=float, default=300.0)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        rows = compare(given.place, given.end, given.warm_up, given.seed, Path(name).resolve())
    print("| movement | measure | table | recomputed |\n|---|---|---|---|")
    for movement, measure, value, again in rows:
        print(f"| {movement} | {measure} | {value:.3f} | {again:.3f} |")


if __name__ == "__main__":
    main()
