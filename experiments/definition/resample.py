"""Another day of the same demand: departures shifted, vehicles drawn anew, or more or fewer of them.

It is written as route files named by their content, so the same day is written once and a run's identity sees
which day it had.
"""

from __future__ import annotations

import copy
import hashlib
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import numpy as np

from denxanh.sim.demand.flow_departures import AT_ONCE, HOURLY, WITHOUT_TIME, read_flow
from denxanh.sim.errors import InputError
from denxanh.sim.input.limits import DEMAND
from denxanh.sim.run import store
from denxanh.sim.scenario import Scenario
from denxanh.sim.sumo.netfile import seconds
from denxanh.sim.sumo.user_files import READS_FILE
from denxanh.sim.sumo.xmlfile import parse

_DRAWN = ("vehicle", "trip")
_FLOWS = ("flow", "personFlow", "containerFlow")
_WORDS = (*WITHOUT_TIME, *AT_ONCE)
_APART = 60.0  # s, within which the copy of a vehicle follows it


@dataclass(frozen=True)
class Resampling:
    """``jitter``: each departure moves by a normal shift of ``scale`` s, reflected at begin and end.

    ``bootstrap``: within blocks of ``scale`` s as many vehicles as before are drawn with replacement (route and
    type), their departures uniform in the block: Poisson arrivals, given how many there are.
    """

    method: Literal["jitter", "bootstrap"]
    scale: float  # s
    seed: int


def another_day(
    scenario: Scenario, how: Resampling, day: int, folder: Path, *, random_flows: bool = False
) -> Scenario:
    """The scenario with its route files resampled for ``day`` into ``folder``; same seed and day, same files.

    Vehicles in additional files are resampled too. A file in which nothing could be drawn stays as it is: flows that
    are random already, vehicles that wait for a person.

    InputError for flows: their vehicles are made within SUMO and cannot be drawn from. With ``random_flows`` they
    arrive at random instead, at the same rate: SUMO then draws them from the seed of each run.
    """
    return _with_traffic(
        scenario, lambda path, number: _resampled(path, number, scenario, how, day, folder, random_flows)
    )


def scaled_demand(scenario: Scenario, factor: float, folder: Path, *, seed: int = 0) -> Scenario:
    """The scenario with ``factor`` times its vehicles, written into ``folder``; routes keep their shares.

    Every vehicle stays as often as the running sum of ``factor`` passes a whole number, as SUMO's ``--scale`` does;
    a copy leaves within a minute after its original, so that the two do not drive in a pair. Flows change their rate.
    """
    if not 0 < factor < DEMAND:
        raise InputError(
            f"the demand cannot be scaled by {factor:g}", remedy=f"give a factor above 0 and below {DEMAND:g}"
        )
    scaled = _with_traffic(
        scenario,
        lambda path, number: _scaled(path, scenario, factor, np.random.default_rng([seed, number]), folder),
    )
    if scaled == scenario:
        raise InputError(
            f"no vehicle or flow is there whose number could be multiplied by {factor:g}",
            location=scenario.name,
            remedy="give traffic with times of departure",
        )
    return scaled


def _with_traffic(scenario: Scenario, change: Callable[[Path, int], Path]) -> Scenario:
    """The scenario with ``change(path, number)`` of every file of its traffic, additional files with vehicles too."""
    routes = tuple(change(path, number) for number, path in enumerate(scenario.routes))
    additional = tuple(
        change(path, number)
        if any(e.tag in (*_DRAWN, *_FLOWS) for e in parse(path, kind="additional file"))
        else path
        for number, path in enumerate(scenario.additional, len(routes))
    )
    return replace(scenario, routes=routes, additional=additional)


def _scaled(path: Path, scenario: Scenario, factor: float, rng: np.random.Generator, folder: Path) -> Path:
    root = parse(path, kind="route file")
    rows: list[tuple[float, Element]] = []
    due, changed = 0.0, False
    for element in root:
        depart = _seconds(element, path) if element.tag in _DRAWN else math.nan
        if math.isnan(depart):
            if element.tag in _FLOWS:
                _faster(element, factor)
                changed = True
            rows.append((_begin(element, scenario, path), element))
            continue
        changed = True
        copies = math.floor(due + factor + 1e-9) - math.floor(due + 1e-9)
        due += factor
        apart = min(_APART, scenario.end - depart) if depart < scenario.end else _APART
        if copies:
            rows.append((depart, element))
        for number in range(1, copies):
            later = depart + rng.uniform(0.0, apart)
            rows.append(_at(element, later, f"{element.get('id', '')}#{number}"))
    return _sorted_file(root, rows, path, folder) if changed else path


def _faster(flow: Element, factor: float) -> None:
    """Multiply a flow's rate."""
    for name in (*HOURLY, "number", "probability", "period"):
        given = flow.get(name)
        if given is None:
            continue
        random = re.fullmatch(r"exp\(([^)]*)\)", given)
        try:
            if random:
                flow.set(name, f"exp({float(random.group(1)) * factor:.10g})")
            elif name == "period":
                flow.set(name, f"{float(given) / factor:.10g}")
            elif name == "number":
                flow.set(name, str(max(1, round(int(given) * factor)) if int(given) else 0))
            else:
                most = 1.0 if name == "probability" else math.inf
                flow.set(name, f"{min(float(given) * factor, most):.10g}")
        except ValueError:
            raise InputError(
                f"{name}={given!r} is not a number", location=f"flow {flow.get('id', '')!r}"
            ) from None


def _at_random(flow: Element, scenario: Scenario) -> bool:
    """Let a flow's vehicles arrive at random, at the rate that it has; False where nothing is to be changed."""
    read = read_flow(flow.attrib, scenario.begin, scenario.end, f"flow {flow.get('id', '')!r}")
    if read.waits or not read.period > 0:
        return False  # it waits, is random already, or makes no vehicle
    rate = 1.0 / read.period
    for name in ("number", *HOURLY):
        flow.attrib.pop(name, None)
    flow.set("period", f"exp({rate:.10g})")
    if not flow.get("end") and read.number is not None:
        flow.set("end", f"{min(read.begin + read.number / rate, scenario.end):g}")
    return True


def _resampled(
    path: Path,
    number: int,
    scenario: Scenario,
    how: Resampling,
    day: int,
    folder: Path,
    random_flows: bool,
) -> Path:
    root = parse(path, kind="route file")
    rng = np.random.default_rng([how.seed, day, number])
    vehicles, others, changed = [], [], False
    for element in root:
        if element.tag in _FLOWS and random_flows:
            if element.tag == "flow":
                changed |= _at_random(element, scenario)
        elif element.tag in _FLOWS:
            raise InputError(
                f"<{element.tag} id={element.get('id', '')!r}> cannot be resampled: SUMO makes its vehicles",
                location=str(path),
                remedy='write the vehicles out with duarouter, or give period="exp(…)", which differs with the seed',
            )
        depart = _seconds(element, path) if element.tag in _DRAWN else math.nan
        if scenario.begin <= depart < scenario.end:
            vehicles.append((depart, element))
        else:
            others.append(element)
    if not (vehicles or changed):
        return path
    if how.method == "jitter":
        moved = _jitter(vehicles, scenario, how.scale, rng)
    else:
        moved = _bootstrap(vehicles, scenario, how.scale, rng)
    return _sorted_file(root, [*((_begin(e, scenario, path), e) for e in others), *moved], path, folder)


def _sorted_file(root: Element, rows: list[tuple[float, Element]], old: Path, folder: Path) -> Path:
    """Elements in the order of their times, as SUMO wants them; those without a time stand before all others."""
    for element in root.iter():
        if element.tag in READS_FILE and element.get("file"):  # relative to the file that it is in
            element.set("file", str((old.parent / element.attrib["file"]).resolve()))
    new = Element(root.tag, root.attrib)
    new.extend(element for _, element in sorted(rows, key=lambda row: _order(row[0])))
    ElementTree.indent(new, "    ")
    content = ElementTree.tostring(new, encoding="UTF-8", xml_declaration=True)
    return _write(content, folder)


def _jitter(
    vehicles: list[tuple[float, Element]], scenario: Scenario, sd: float, rng: np.random.Generator
) -> list[tuple[float, Element]]:
    length = scenario.end - scenario.begin
    out = []
    for (depart, element), shift in zip(vehicles, rng.normal(0.0, sd, len(vehicles)), strict=True):
        x = (depart - scenario.begin + shift) % (2.0 * length)  # a reflection has this period
        x = 2.0 * length - x if x >= length else x
        out.append(_at(element, scenario.begin + min(x, math.nextafter(length, 0.0)), element.get("id", "")))
    return out


def _bootstrap(
    vehicles: list[tuple[float, Element]], scenario: Scenario, block: float, rng: np.random.Generator
) -> list[tuple[float, Element]]:
    blocks: dict[int, list[Element]] = {}
    for depart, element in vehicles:
        blocks.setdefault(int((depart - scenario.begin) // block), []).append(element)
    out: list[tuple[float, Element]] = []
    for index, members in sorted(blocks.items()):
        start = scenario.begin + index * block
        stop = min(start + block, scenario.end)
        times = np.sort(rng.uniform(start, stop, len(members)))
        for time, pick in zip(times, rng.integers(len(members), size=len(members)), strict=True):
            drawn = members[pick]  # perhaps not for the first time: its name gets a number
            out.append(_at(drawn, float(time), f"{drawn.get('id', '')}#{len(out)}"))
    return out


def _at(element: Element, depart: float, id: str) -> tuple[float, Element]:
    moved = copy.deepcopy(element)
    text = f"{math.floor(depart * 100.0) / 100.0:.2f}"  # down, so that it stays before the end
    moved.set("depart", text)
    moved.set("id", id)
    return float(text), moved


def _begin(element: Element, scenario: Scenario, path: Path) -> float:
    """When an element is due: a flow by its begin, if not given the simulation's; NaN where nothing says so."""
    begin = element.get("begin", "begin")
    if element.tag in _FLOWS:
        return _time(None if begin in _WORDS else begin, scenario.begin)
    return _seconds(element, path)


def _time(text: str | None, default: float) -> float:
    return default if text is None else seconds(text, "begin or end of a flow")


def _seconds(element: Element, path: Path) -> float:
    """When an element departs, s; NaN where it has no time of its own."""
    text = element.get("depart")
    if text is None or text in _WORDS:
        return math.nan
    return seconds(text, f"{path}: depart of {element.get('id', '')!r}")


def _order(depart: float) -> float:
    return -math.inf if math.isnan(depart) else depart


def _write(content: bytes, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{hashlib.sha256(content).hexdigest()[:16]}.rou.xml"
    if not path.exists():
        new = path.with_suffix(".new")
        new.unlink(missing_ok=True)
        new.write_bytes(content)
        store.sync(new)
        new.replace(path)
    return path.resolve()
