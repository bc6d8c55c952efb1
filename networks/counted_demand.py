"""Demand from counts: routes sampled by SUMO's routeSampler so that turns and approaches carry what was counted."""

from __future__ import annotations

import math
import shutil
import xml.etree.ElementTree as ET
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from xml.sax.saxutils import quoteattr

from networks import sumo_tools
from networks.counts import Count
from networks.importing.folder import new_folder, put, write_config
from sim.demand_reader import read_demand
from sim.errors import InputError
from sim.network import Network
from sim.scenario import Scenario
from sim.sumonet import network_of
from sim.xmlfile import parse

_TRAFFIC = ("vehicle", "trip", "flow")
GEH_GOOD = 5.0  # per hour; the value below which guidelines call a flow well reproduced


@dataclass(frozen=True, slots=True)
class Fit:
    """How well a counted row is met, in vehicles of the street (a simulated one may stand for several)."""

    count: Count
    modelled: float
    geh: float  # of the flows per hour


def vehicle_types(scenario: Scenario) -> dict[str, tuple[str, float]]:
    """Return the vTypes of a scenario as XML, and how many vehicles of the street each simulated one stands for."""
    return _types((*scenario.additional, *scenario.routes))


def _types(paths: Iterable[Path]) -> dict[str, tuple[str, float]]:
    found: dict[str, tuple[str, float]] = {}
    for path in paths:
        for element in parse(path, kind="route file").iter("vType"):
            weights = [p.get("value", "1") for p in element.iter("param") if p.get("key") == "represents"]
            found[element.get("id", "")] = (
                ET.tostring(element, encoding="unicode").strip(),
                float(weights[0] if weights else 1),
            )
    return found


def build(scenario: Scenario, counts: Sequence[Count], folder: Path, *, seed: int = 1) -> tuple[Fit, ...]:
    """Write a place whose demand meets ``counts`` into the new folder ``folder``; return how well it does.

    Network, signals and vehicle types are those of ``scenario``, the possible routes those of its demand and, for
    counted turns that none of them takes, the shortest way through. Raises InputError.
    """
    network = network_of(scenario)
    types = vehicle_types(scenario)
    for path in scenario.additional:
        if any(element.tag in _TRAFFIC for element in parse(path, kind="additional file")):
            raise InputError(
                "this additional file holds vehicles, which would be added to those counted",
                where=str(path),
                remedy="put them into a route file",
            )
    own = _types(scenario.additional)  # the new place has these files too, and SUMO takes a type only once
    with new_folder(folder) as draft:
        put(draft / "candidates.rou.xml", _routes(_candidates(scenario, network, counts)))
        vehicles: list[tuple[float, str, str]] = []
        for kind in sorted({k for c in counts for k in c.vehicles}):
            vehicles += _sample(draft, kind, types[kind][1], counts, seed)
        vehicles.sort()
        if not vehicles:
            raise InputError("the counts leave no vehicle to simulate", where=str(folder))
        fits = tuple(_fit(c, vehicles, types) for c in counts)
        for path in draft.iterdir():
            path.unlink()
        _write(scenario, draft, [xml for id, (xml, _) in types.items() if id not in own], vehicles, counts)
    return fits


def geh(modelled: float, counted: float) -> float:
    """Return the GEH statistic of two flows in veh/h: sqrt(2 (m − c)² / (m + c)), zero where both are."""
    total = modelled + counted
    return math.sqrt(2 * (modelled - counted) ** 2 / total) if total else 0.0


def _candidates(scenario: Scenario, network: Network, counts: Iterable[Count]) -> list[tuple[str, ...]]:
    """Return the routes of the scenario's demand, and one for every counted turn or approach that none takes."""
    demand = read_demand(
        scenario.routes, network, scenario.begin, scenario.end,
        net_file=scenario.net, type_files=scenario.additional,
    )  # fmt: skip
    found = dict.fromkeys(demand.routes)
    ahead: dict[str, list[str]] = defaultdict(list)
    back: dict[str, list[str]] = defaultdict(list)
    edge_of = {lane: edge.id for edge in network.edges.values() for lane in edge.lanes}
    for link in network.links:
        pair = edge_of.get(link.start), edge_of.get(link.end)
        if pair[0] and pair[1] and not link.crossing:
            ahead[pair[0]].append(pair[1])
            back[pair[1]].append(pair[0])
    taken = {part for route in found for part in (*pairwise(route), *((edge, "") for edge in route))}
    for count in counts:
        if (count.start_edge, count.end_edge) in taken:
            continue
        before = _to_an_end(count.start_edge, back)
        after = _to_an_end(count.end_edge or count.start_edge, ahead)
        route = (*reversed(before), *(after if count.end_edge else after[1:]))
        found[route] = None
        taken |= {*pairwise(route), *((edge, "") for edge in route)}
    return list(found)


def _to_an_end(edge: str, following: Mapping[str, list[str]]) -> tuple[str, ...]:
    """Return the way of fewest edges from ``edge`` to one that nothing follows, both included."""
    queue: deque[tuple[str, ...]] = deque([(edge,)])
    seen = {edge}
    while queue:
        way = queue.popleft()
        if not following.get(way[-1]):
            return way
        for id in following[way[-1]]:
            if id not in seen:
                seen.add(id)
                queue.append((*way, id))
    return (edge,)  # a net without open ends: the route begins and ends here


def _routes(routes: Iterable[tuple[str, ...]]) -> str:
    lines = [
        f'    <route id="r{i}" edges={quoteattr(" ".join(r))} probability="1"/>\n'
        for i, r in enumerate(routes)
    ]
    return f"<routes>\n{''.join(lines)}</routes>\n"


def _sample(
    folder: Path, kind: str, represents: float, counts: Iterable[Count], seed: int
) -> list[tuple[float, str, str]]:
    """Return (departure, type, edges) of the simulated vehicles of one type that meet its counts."""
    turns: dict[tuple[int, int], list[str]] = defaultdict(list)
    approaches: dict[tuple[int, int], list[str]] = defaultdict(list)
    for count in counts:
        if kind not in count.vehicles:
            continue
        number = round(count.vehicles[kind] / represents)
        start = quoteattr(count.start_edge)
        if count.end_edge:
            line = f'<edgeRelation from={start} to={quoteattr(count.end_edge)} count="{number}"/>'
            turns[count.begin, count.end].append(line)
        else:
            approaches[count.begin, count.end].append(f'<edge id={start} entered="{number}"/>')
    arguments = [
        "-r",
        "candidates.rou.xml",
        "-o",
        "sampled.rou.xml",
        "--optimize",
        "full",
        "--seed",
        str(seed),
    ]
    for option, name, rows in (("-t", "turns.xml", turns), ("-d", "approaches.xml", approaches)):
        if rows:
            put(folder / name, _data(rows))
            arguments += [option, name]
    spans = [*turns, *approaches]
    begin, end = min(b for b, _ in spans), max(e for _, e in spans)
    sumo_tools.script("routeSampler.py", [*arguments, "-b", str(begin), "-e", str(end)], folder=folder)
    found = []
    for vehicle in ET.parse(folder / "sampled.rou.xml").getroot().iter("vehicle"):
        route = vehicle.find("route")
        edges = "" if route is None else route.get("edges", "")
        found.append((float(vehicle.get("depart", "nan")), kind, edges))
    return found


def _data(rows: Mapping[tuple[int, int], list[str]]) -> str:
    parts = [
        f'<interval id="i{b}" begin="{b}" end="{e}">{"".join(lines)}</interval>\n'
        for (b, e), lines in sorted(rows.items())
    ]
    return f"<data>\n{''.join(parts)}</data>\n"


def _fit(
    count: Count, vehicles: Iterable[tuple[float, str, str]], types: Mapping[str, tuple[str, float]]
) -> Fit:
    """Return what the sampled vehicles give on a counted row; they count in the interval they depart in."""
    passing: Counter[str] = Counter()
    for depart, kind, edges in vehicles:
        if kind in count.vehicles and count.begin <= depart < count.end:
            way = edges.split()
            wanted = (
                (count.start_edge, count.end_edge) in pairwise(way)
                if count.end_edge
                else count.start_edge in way
            )
            passing[kind] += wanted
    modelled = sum(n * types[kind][1] for kind, n in passing.items())
    per_hour = 3600 / (count.end - count.begin)
    return Fit(count, modelled, geh(modelled * per_hour, count.total * per_hour))


def _write(
    scenario: Scenario,
    folder: Path,
    types: Iterable[str],
    vehicles: Iterable[tuple[float, str, str]],
    counts: Sequence[Count],
) -> None:
    """Write the folder of the place."""
    comment = f"Demand from counts through SUMO's routeSampler; network of {scenario.name}"
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f"<!-- {comment} -->", "<routes>", *types]
    lines += [
        f'    <vehicle id="{kind}.{i}" type={quoteattr(kind)} depart="{depart:.2f}" departLane="best"'
        f' departSpeed="max"><route edges={quoteattr(edges)}/></vehicle>'
        for i, (depart, kind, edges) in enumerate(vehicles)
    ]
    put(folder / "demand.rou.xml", "\n".join([*lines, "</routes>", ""]))
    values = {"net-file": scenario.net.name, "route-files": "demand.rou.xml"}
    shutil.copyfile(scenario.net, folder / scenario.net.name)
    for path in scenario.additional:
        shutil.copyfile(path, folder / path.name)
    if scenario.additional:
        values["additional-files"] = ",".join(p.name for p in scenario.additional)
    values |= {"begin": str(min(c.begin for c in counts)), "end": str(max(c.end for c in counts))}
    values |= {"step-length": f"{scenario.step:g}", **scenario.options}
    write_config(folder / "place.sumocfg", comment, values)
