"""Demand from counts: routes sampled by SUMO's routeSampler to match the counts of turns and approaches."""

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

from denxanh.networks.build.place_folder import config_name, new_folder, write_config, write_text
from denxanh.networks.counts.count_form import Count
from denxanh.networks.place.names import slug
from denxanh.sim.demand.demand_reader import scenario_demand
from denxanh.sim.errors import InputError
from denxanh.sim.network import Network
from denxanh.sim.network_reader import network_of
from denxanh.sim.scenario import Scenario
from denxanh.sim.sumo import wheel
from denxanh.sim.sumo.xmlfile import parse

_TRAFFIC = ("vehicle", "trip", "flow")
GEH_GOOD = 5.0  # guidelines call a flow well reproduced below this GEH


@dataclass(frozen=True, slots=True)
class Fit:
    """Modelled flow of a counted row, in real vehicles (a simulated vehicle may represent several)."""

    count: Count
    modelled: float
    geh: float  # GEH statistic of the flows per hour


def vehicle_types(scenario: Scenario) -> dict[str, tuple[str, float]]:
    """Return the vTypes of a scenario as XML, and the number of real vehicles that each simulated one represents."""
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
    """Write a place whose demand reproduces ``counts`` into the new folder ``folder``; return the fit of each row.

    Network, signals and vehicle types are those of ``scenario``. Candidate routes are those of its demand and, for
    counted turns that none of them takes, the shortest route over the turn.

    Raises:
        InputError: the counts leave no vehicle, or an additional file defines vehicles.
    """
    network = network_of(scenario)
    types = vehicle_types(scenario)
    for path in scenario.additional:
        if any(element.tag in _TRAFFIC for element in parse(path, kind="additional file")):
            raise InputError(
                "this additional file defines vehicles, which would be added to the counted ones",
                location=str(path),
                remedy="move them to a route file",
            )
    additional_types = _types(
        scenario.additional
    )  # defined in files that the new place has too; SUMO wants each once
    with new_folder(folder) as draft:
        write_text(draft / "candidates.rou.xml", _routes(_candidates(scenario, network, counts)))
        vehicles: list[tuple[float, str, str]] = []
        for kind in sorted({k for c in counts for k in c.vehicles}):
            vehicles += _sample(draft, kind, types[kind][1], counts, seed)
        vehicles.sort()
        if not vehicles:
            raise InputError("the counts leave no vehicle to simulate", location=str(folder))
        fits = tuple(_fit(c, vehicles, types) for c in counts)
        for path in draft.iterdir():
            path.unlink()
        _write(
            scenario,
            draft,
            _config_name(folder),
            [xml for id, (xml, _) in types.items() if id not in additional_types],
            vehicles,
            counts,
        )
    return fits


def _config_name(folder: Path) -> str:
    """The configuration is named after the folder, so that results of two studies do not share a name."""
    name = folder.resolve().name
    return config_name(name) if slug(name) else "place.sumocfg"


def geh(modelled: float, counted: float) -> float:
    """Return the GEH statistic of two flows in veh/h: sqrt(2 (m − c)² / (m + c)); 0 if both are 0."""
    total = modelled + counted
    return math.sqrt(2 * (modelled - counted) ** 2 / total) if total else 0.0


def _candidates(scenario: Scenario, network: Network, counts: Iterable[Count]) -> list[tuple[str, ...]]:
    """Return the routes of the scenario's demand, and one for every counted turn or approach that no route has."""
    demand = scenario_demand(scenario, network)
    found = dict.fromkeys(demand.routes)
    successors: dict[str, list[str]] = defaultdict(list)
    predecessors: dict[str, list[str]] = defaultdict(list)
    edge_of = {lane: edge.id for edge in network.edges.values() for lane in edge.lanes}
    for link in network.all_links:
        pair = edge_of.get(link.start), edge_of.get(link.end)
        if pair[0] and pair[1] and not link.crossing:
            successors[pair[0]].append(pair[1])
            predecessors[pair[1]].append(pair[0])
    covered = {part for route in found for part in (*pairwise(route), *((edge, "") for edge in route))}
    for count in counts:
        if (count.start_edge, count.end_edge) in covered:
            continue
        before = _path_to_boundary(count.start_edge, predecessors)
        after = _path_to_boundary(count.end_edge or count.start_edge, successors)
        route = (*reversed(before), *(after if count.end_edge else after[1:]))
        found[route] = None
        covered |= {*pairwise(route), *((edge, "") for edge in route)}
    return list(found)


def _path_to_boundary(edge: str, following: Mapping[str, list[str]]) -> tuple[str, ...]:
    """Return the path with the fewest edges from ``edge`` to an edge without successor, both included."""
    queue: deque[tuple[str, ...]] = deque([(edge,)])
    seen = {edge}
    while queue:
        path = queue.popleft()
        if not following.get(path[-1]):
            return path
        for id in following[path[-1]]:
            if id not in seen:
                seen.add(id)
                queue.append((*path, id))
    return (edge,)  # a network without boundary edges: the route begins and ends here


def _routes(routes: Iterable[tuple[str, ...]]) -> str:
    lines = [
        f'    <route id="r{i}" edges={quoteattr(" ".join(r))} probability="1"/>\n'
        for i, r in enumerate(routes)
    ]
    return f"<routes>\n{''.join(lines)}</routes>\n"


def _sample(
    folder: Path, kind: str, represents: float, counts: Iterable[Count], seed: int
) -> list[tuple[float, str, str]]:
    """Return (departure, type, edges) of the simulated vehicles of one type that match its counts."""
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
            write_text(folder / name, _data(rows))
            arguments += [option, name]
    spans = [*turns, *approaches]
    begin, end = min(b for b, _ in spans), max(e for _, e in spans)
    wheel.run_script("routeSampler.py", [*arguments, "-b", str(begin), "-e", str(end)], folder=folder)
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
    """Return the fit of a counted row; a sampled vehicle counts in the interval of its departure."""
    passing: Counter[str] = Counter()
    for depart, kind, edges in vehicles:
        if kind in count.vehicles and count.begin <= depart < count.end:
            route = edges.split()
            counted = (
                (count.start_edge, count.end_edge) in pairwise(route)
                if count.end_edge
                else count.start_edge in route
            )
            passing[kind] += counted
    modelled = sum(n * types[kind][1] for kind, n in passing.items())
    per_hour = 3600 / (count.end - count.begin)
    return Fit(count, modelled, geh(modelled * per_hour, count.total * per_hour))


def _write(
    scenario: Scenario,
    folder: Path,
    config: str,
    types: Iterable[str],
    vehicles: Iterable[tuple[float, str, str]],
    counts: Sequence[Count],
) -> None:
    """Write the folder of the place, its configuration as ``config``."""
    comment = f"Demand from counts through SUMO's routeSampler; network of {scenario.name}"
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f"<!-- {comment} -->", "<routes>", *types]
    lines += [
        f'    <vehicle id="{kind}.{i}" type={quoteattr(kind)} depart="{depart:.2f}" departLane="best"'
        f' departSpeed="max"><route edges={quoteattr(edges)}/></vehicle>'
        for i, (depart, kind, edges) in enumerate(vehicles)
    ]
    write_text(folder / "demand.rou.xml", "\n".join([*lines, "</routes>", ""]))
    values = {"net-file": scenario.net.name, "route-files": "demand.rou.xml"}
    shutil.copyfile(scenario.net, folder / scenario.net.name)
    for path in scenario.additional:
        shutil.copyfile(path, folder / path.name)
    if scenario.additional:
        values["additional-files"] = ",".join(p.name for p in scenario.additional)
    values |= {"begin": str(min(c.begin for c in counts)), "end": str(max(c.end for c in counts))}
    values |= {"step-length": f"{scenario.step:g}", **scenario.options}
    write_config(folder / config, comment, values)
