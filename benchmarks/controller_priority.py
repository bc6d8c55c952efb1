"""What priority gives: ambulances and buses along the Hà Nội corridors, with and without it, and what others pay.

    python benchmarks/controller_priority.py [--over max-pressure,…] [--seeds 1,2,3] [--place …] [--out results.json]

Ten ambulances an hour follow the corridor from end to end (vClass emergency, at the speed limit, without
blue-light device: they wait at red and behind others), and a bus every three minutes with three stops of
15 s. Each seed shifts their departures. Runs with and without priority see the same traffic. *Speed* is 1 − time lost /
travel time, against the speed limit; *of free flow* sets it beside what the ambulances make when they drive the same
streets alone and every signal serves them.
"""

from __future__ import annotations

import argparse
import itertools
import json
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from denxanh.controllers.registry import make_controller, parse_controller
from denxanh.networks.scenarios import open_scenario
from denxanh.sim.network import Network
from denxanh.sim.network_reader import network_of
from denxanh.sim.run.run import Run, execute
from denxanh.sim.run.store import read_table

PLACES = ("ha-noi/pho-hue", "ha-noi/tran-duy-hung")
AMBULANCES = 10  # an hour: far enough apart that the traffic recovers between them
BUSES = 20  # an hour
STOPS = 3
DWELL = 15.0  # s
FIRST = 300.0  # s: the streets have filled
TYPES = """    <vType id="ambulance" vClass="emergency" speedFactor="1" speedDev="0"/>
    <vType id="line" vClass="bus"/>
"""


def corridor(network: Network) -> tuple[str, ...]:
    """Of the shortest ways from gate to gate the one that passes most signals, then with fewest turns."""
    lanes, names = network.lanes, sorted(network.edges)
    number = {edge: i for i, edge in enumerate(names)}
    ways = {
        (lanes[link.start].edge, lanes[link.end].edge): link
        for link in network.links
        if link.start in lanes and link.end in lanes
    }
    length = np.array([network.edges[b].length for _, b in ways])
    ends = np.array([[number[a] for a, _ in ways], [number[b] for _, b in ways]])
    graph = csr_matrix((length, (ends[0], ends[1])), shape=(len(names), len(names)))
    distance, before = dijkstra(graph, return_predecessors=True)
    gates = [sorted(set(names) - {way[k] for way in ways}) for k in (1, 0)]
    found = []
    for a in gates[0]:
        for b in gates[1]:
            if a == b or not np.isfinite(distance[number[a], number[b]]):
                continue
            way = [number[b]]
            while way[-1] != number[a]:
                way.append(int(before[number[a], way[-1]]))
            edges = tuple(names[i] for i in reversed(way))
            links = [ways[pair] for pair in itertools.pairwise(edges)]
            signals = sum(link.index >= 0 for link in links)
            found.append((signals, -sum(link.direction != "s" for link in links), edges))
    return max(found)[2]


def traffic(way: tuple[str, ...], network: Network, end: float, seed: int, buses: bool) -> str:
    """The route file of the ambulances, and of the buses."""
    spots = [way[round((k + 1) * (len(way) - 1) / (STOPS + 1))] for k in range(STOPS)]
    stops = "".join(
        f'<stop lane="{network.edges[edge].lanes[0]}" startPos="10" endPos="30" duration="{DWELL:g}" '
        'friendlyPos="true"/>'
        for edge in dict.fromkeys(spots)
    )
    rows = []
    kinds = [("ambulance", AMBULANCES, ""), *([("line", BUSES, stops)] if buses else [])]
    for kind, an_hour, inside in kinds:
        pause = 3600.0 / an_hour
        departs = np.arange(FIRST + (37.0 * seed) % pause, end - 450.0, pause)
        rows += [
            (
                depart,
                f'    <vehicle id="{kind}.{i}" type="{kind}" route="way" depart="{depart:g}" '
                f'departLane="{"best" if kind == "ambulance" else "0"}" departSpeed="max">{inside}</vehicle>',
            )
            for i, depart in enumerate(departs)
        ]
    body = "\n".join(text for _, text in sorted(rows))
    return f'<routes>\n{TYPES}    <route id="way" edges="{" ".join(way)}"/>\n{body}\n</routes>\n'


def one(
    place: str, way: tuple[str, ...], controller: str, seed: int, seconds: float, alone: bool = False
) -> dict[str, Any]:
    """One run: how ambulances, buses and the others fared; ``alone`` without the others."""
    scenario = open_scenario(place)
    scenario = replace(scenario, end=scenario.begin + seconds)
    with tempfile.TemporaryDirectory() as name:
        extra = Path(name) / "priority.rou.xml"
        rou = traffic(way, network_of(scenario), scenario.end, seed, buses=not alone)
        extra.write_text(rou, encoding="utf-8")
        scenario = replace(scenario, routes=(extra,) if alone else (*scenario.routes, extra))
        folder = Path(name) / "run"
        folder.mkdir()
        manifest = execute(Run(scenario, seed), make_controller(*parse_controller(controller)), folder)
        trips = read_table(folder / "vehicles.parquet")
    kind = np.array([str(v).partition(".")[0] for v in trips["id"]])
    inside = np.isfinite(trips["duration_s"]) & (trips["duration_s"] > 0)
    speed = 1.0 - trips["time_loss_s"] / np.where(inside, trips["duration_s"], 1.0)
    delay = np.nan_to_num(trips["time_loss_s"]) + np.nan_to_num(trips["depart_delay_s"])
    ambulances, buses = kind == "ambulance", kind == "line"
    arrived = trips["fate"] == "arrived"
    return {
        "place": place,
        "controller": controller,
        "seed": seed,
        "ambulance_speed": [float(v) for v in speed[ambulances & arrived]],
        "ambulances_lost": int(np.sum(ambulances & ~arrived)),
        "bus_delay": [float(v) for v in delay[buses]],
        "others": int(np.sum(~ambulances & ~buses)),
        "others_delay": float("nan") if alone else float(delay[~ambulances & ~buses].mean()),
        "fallbacks": manifest["metrics"]["fallbacks"],
        "teleports": manifest["metrics"]["teleports"],
    }


HEAD = """\
| place | strategy | ambulance: speed | of free flow | slowest | not through | bus delay, s | others, s/veh | veh·s |
|---|---|---|---|---|---|---|---|---|"""


def line(rows: list[dict[str, Any]], base: list[dict[str, Any]], free: float) -> str:
    """One strategy on one place over all seeds; ``base`` is the same without priority, ``free`` the speed alone."""
    speed = np.concatenate([row["ambulance_speed"] for row in rows])
    lost = sum(row["ambulances_lost"] for row in rows)
    bus = np.mean(np.concatenate([row["bus_delay"] for row in rows]))
    others, before = (float(np.mean([row["others_delay"] for row in some])) for some in (rows, base))
    paid = (others - before) * sum(row["others"] for row in rows) / max(len(speed), 1)
    return (
        f"| {rows[0]['place']} | {rows[0]['controller']} | {speed.mean():.1%} | "
        f"{speed.mean() / free:.1%} | {speed.min() / free:.1%} | "
        f"{lost} of {lost + len(speed)} | {bus:.1f} | {others:.1f} | {paid:+.0f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--over", default="program,max-pressure,actuated")
    parser.add_argument("--layers", default="emergency;bus;bus+emergency", help="classes served, joined by ;")
    parser.add_argument("--options", default="", help="further parameters of the layer, as ,key=value")
    parser.add_argument("--seconds", type=float, default=3600.0)
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--place", action="append")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    rows: list[dict[str, Any]] = []
    print(HEAD)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        for place in given.place or PLACES:
            scenario = open_scenario(place)
            way = corridor(network_of(scenario))
            empty = "priority:classes=emergency,over=program"
            alone = pool.submit(one, place, way, empty, 1, given.seconds, True).result()
            free = float(np.mean(alone["ambulance_speed"]))
            print(f"| {place} | alone on the street | {free:.1%} | 100.0% | | | | | |", flush=True)
            for over in given.over.split(","):
                strategies = [
                    over,
                    *(
                        f"priority:classes={c}{given.options},over={over}"
                        for c in given.layers.split(";")
                        if c
                    ),
                ]
                base: list[dict[str, Any]] = []
                for controller in strategies:
                    seeds = [int(seed) for seed in given.seeds.split(",")]
                    mine = [
                        pool.submit(one, place, way, controller, seed, given.seconds).result()
                        for seed in seeds
                    ]
                    base = base or mine
                    rows += mine
                    print(line(mine, base, free), flush=True)
    if given.out:
        given.out.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
