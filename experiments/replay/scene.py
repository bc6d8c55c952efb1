"""What a replay shows of a run beside its vehicles: roads, stop lines, signals, names, and the kinds of vehicles."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from denxanh.experiments.report.decision.controller_labels import controller_label
from denxanh.experiments.report.drawing.colour import (
    BLACK,
    BLUE,
    BROWN,
    GREY,
    PURPLE,
    SKY,
    YELLOW,
)
from denxanh.sim.demand.vehicle_class import DEFAULT_TYPES, VehicleClass, read_vtype
from denxanh.sim.language.text import Text, number
from denxanh.sim.network import Network
from denxanh.sim.run.repetition import StoredRun
from denxanh.sim.run.store import read_table
from denxanh.sim.sumo.net_geometry import read_geometry

UNIT = 0.1  # m, of the coordinates of roads
_SHORT = 15.0  # m, of a piece of a street that bears no name
# none has a colour of a signal: green, yellow and red stand at the stop lines
_CLASS_KINDS = {
    "motorcycle": (Text("motorcycles", "xe máy"), SKY),
    "moped": (Text("motorcycles", "xe máy"), SKY),
    "bicycle": (Text("bicycles", "xe đạp"), BROWN),
    "scooter": (Text("bicycles", "xe đạp"), BROWN),
    "bus": (Text("buses", "xe buýt, xe khách"), PURPLE),
    "coach": (Text("buses", "xe buýt, xe khách"), PURPLE),
    "tram": (Text("buses", "xe buýt, xe khách"), PURPLE),
    "truck": (Text("trucks", "xe tải"), BLACK),
    "trailer": (Text("trucks", "xe tải"), BLACK),
    "delivery": (Text("trucks", "xe tải"), BLACK),
    "emergency": (Text("priority vehicles", "xe ưu tiên"), YELLOW),
    "authority": (Text("priority vehicles", "xe ưu tiên"), YELLOW),
    "army": (Text("priority vehicles", "xe ưu tiên"), YELLOW),
    "passenger": (Text("cars", "ô tô con"), BLUE),
    "taxi": (Text("cars", "ô tô con"), BLUE),
}
_OTHER = (Text("other vehicles", "xe khác"), GREY)


@dataclass(frozen=True)
class Kind:
    """Vehicles that are drawn alike."""

    name: Text
    colour: str
    length: float  # m
    width: float  # m


def kinds_of(types: Sequence[str], known: Mapping[str, VehicleClass]) -> tuple[Kind, ...]:
    """The kind of each vehicle type."""
    return tuple(_kind(vehicle_type(name, known)) for name in types)


def vehicle_type(name: str, known: Mapping[str, VehicleClass]) -> VehicleClass:
    """A vehicle type by its id; one that SUMO made of a distribution or has itself as its class' default."""
    found = known.get(name)
    return found or read_vtype({"id": name, "vClass": DEFAULT_TYPES.get(name, "passenger")})


def _kind(type: VehicleClass) -> Kind:
    name, colour = _CLASS_KINDS.get(type.vclass, _OTHER)
    return Kind(name, colour, type.length, type.width)


def road_scene(run: StoredRun, network: Network, origin: tuple[float, float]) -> dict[str, Any]:
    """Roads, junctions, stop lines and names as JSON data; coordinates in UNIT relative to ``origin``, y upwards."""
    geometry = read_geometry(run.scenario.net)

    def flat(points: Sequence[tuple[float, float]]) -> list[int]:
        return [
            round((value - start) / UNIT)
            for point in points
            for value, start in zip(point, origin, strict=True)
        ]

    width = {lane.id: lane.width for lane in geometry.lanes}
    shape = {lane.id: lane.shape for lane in geometry.lanes}
    numbers = {signal: k for k, signal in enumerate(network.intersections)}
    lines = []
    for signal, intersection in network.intersections.items():
        for approach in intersection.approaches:
            if approach.lane not in shape:
                continue
            points = shape[approach.lane]
            (x0, y0), (x1, y1) = points[-2:]
            reach = math.hypot(x1 - x0, y1 - y0) or 1.0
            lines.append(
                {
                    "lane": approach.lane,
                    "signal": numbers[signal],
                    "links": list(approach.links),
                    "at": flat([(x1, y1)]),
                    "along": [round((x1 - x0) / reach, 4), round((y1 - y0) / reach, 4)],
                    "width": round(width[approach.lane] / UNIT),
                    "path": flat(_upstream(network, shape, approach.lane)),
                }
            )
    return {
        "roads": [
            [lane.surface, round(lane.width / UNIT), *flat(lane.shape)]
            for lane in sorted(geometry.lanes, key=lambda one: one.surface != "pavement")
        ],
        "marks": [flat(points) for points in _lane_lines(network, shape, width)],
        "junctions": [flat(points) for points in geometry.junctions],
        "lines": lines,
        "streets": _street_names(network, flat),
        "signals": [{"name": one.name, "at": flat([one.position])} for one in network.intersections.values()],
    }


def _lane_lines(
    network: Network, shape: Mapping[str, Sequence[tuple[float, float]]], width: Mapping[str, float]
) -> list[list[tuple[float, float]]]:
    """The lines between neighbouring lanes of a road: halfway between the points of both, m."""
    lines = []
    for edge in network.edges.values():
        lanes = [lane for lane in edge.lanes if lane in shape and network.lanes[lane].vehicles]
        for right, left in pairwise(lanes):
            a, b = shape[right], shape[left]
            if len(a) == len(b):
                share = width[right] / (width[right] + width[left])
                lines.append(
                    [
                        (x0 + (x1 - x0) * share, y0 + (y1 - y0) * share)
                        for (x0, y0), (x1, y1) in zip(a, b, strict=True)
                    ]
                )
    return lines


def _upstream(
    network: Network, shape: Mapping[str, Sequence[tuple[float, float]]], lane: str
) -> list[tuple[float, float]]:
    """The way of a queue from a stop line backwards: its approach's lanes, the nearest first, as one line."""
    for intersection in network.intersections.values():
        for approach in intersection.approaches:
            if approach.lane == lane:
                points: list[tuple[float, float]] = []
                reached = -1.0
                for segment in sorted(approach.segments, key=lambda one: one.beyond):
                    if segment.beyond > reached and segment.lane in shape:  # of lanes side by side the first
                        points += list(shape[segment.lane])[::-1]
                        reached = segment.beyond
                return points or list(shape[lane])[::-1]
    return []


def _street_names(network: Network, flat: Any) -> list[list[Any]]:
    """Each named street, the longest first: its name, then the ends of its straight pieces, x, y, x, y."""
    pieces: dict[str, list[int]] = {}
    total: dict[str, float] = {}
    for edge in network.edges.values():
        if not edge.name or not any(network.lanes[lane].vehicles for lane in edge.lanes):
            continue
        total[edge.name] = total.get(edge.name, 0.0) + edge.length
        for a, b in pairwise(edge.shape):
            if math.dist(a, b) > _SHORT:
                pieces.setdefault(edge.name, []).extend(flat([a, b]))
    return [[name, *pieces[name]] for name in sorted(pieces, key=lambda name: (-total[name], name))]


def signal_changes(run: StoredRun, network: Network) -> list[dict[str, Any]]:
    """The states that each signal of the network showed: times, s, and states, in the order of the network."""
    table = read_table(run.folder / "signals.parquet", ["time_s", "signal", "state"])
    out = []
    for signal in network.intersections:
        chosen = np.flatnonzero(table["signal"] == signal)
        states = [str(state) for state in table["state"][chosen]]
        names = list(dict.fromkeys(states))
        code = {state: k for k, state in enumerate(names)}
        out.append(
            {
                "times": [round(float(time), 1) for time in table["time_s"][chosen]],
                "shown": [code[state] for state in states],
                "states": names,
            }
        )
    return out


def shown_label(label: str | Text) -> Text:
    """The label of a run in both languages."""
    return label if isinstance(label, Text) else controller_label(label)


def run_title(label: str | Text, run: StoredRun) -> Text:
    """Controller, seed and mean delay of a run."""
    delay, seed = number(run.manifest["metrics"].get("delay_s"), 1), run.manifest.get("seed")
    name = shown_label(label) + Text(f", seed {seed}: ", f", lần mô phỏng {seed}: ")
    return name + Text("mean delay ", "trễ trung bình ") + delay + Text(" s/veh", " s/xe")
