"""Another day of the same demand: departures shifted, or vehicles drawn anew, written as a route file.

The file is named by its content, so the same day is written once and a run's identity sees which day it had.
"""

from __future__ import annotations

import copy
import hashlib
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import numpy as np

from sim import store
from sim.errors import InputError
from sim.scenario import Scenario
from sim.xmlfile import parse

_DRAWN = ("vehicle", "trip")
_FLOWS = ("flow", "personFlow", "containerFlow")


@dataclass(frozen=True)
class Resampling:
    """``jitter``: each departure moves by a normal shift of ``scale`` s, reflected at begin and end.

    ``bootstrap``: within blocks of ``scale`` s as many vehicles as before are drawn with replacement (route and
    type), their departures uniform in the block: Poisson arrivals, given how many there are.
    """

    method: Literal["jitter", "bootstrap"]
    scale: float  # s
    seed: int


def another_day(scenario: Scenario, how: Resampling, day: int, folder: Path) -> Scenario:
    """The scenario with its route files resampled for ``day`` into ``folder``; same seed and day, same files.

    InputError for flows: their vehicles are made within SUMO and cannot be drawn from.
    """
    routes = tuple(
        _resampled(path, number, scenario, how, day, folder) for number, path in enumerate(scenario.routes)
    )
    return replace(scenario, routes=routes)


def _resampled(path: Path, number: int, scenario: Scenario, how: Resampling, day: int, folder: Path) -> Path:
    root = parse(path, kind="route file")
    rng = np.random.default_rng([how.seed, day, number])
    vehicles, others = [], []
    for element in root:
        if element.tag in _FLOWS:
            raise InputError(
                f"<{element.tag} id={element.get('id', '')!r}> cannot be resampled: SUMO makes its vehicles",
                where=str(path),
                remedy='write the vehicles out with duarouter, or give period="exp(…)", which differs with the seed',
            )
        depart = _seconds(element) if element.tag in _DRAWN else math.nan
        if scenario.begin <= depart < scenario.end:
            vehicles.append((depart, element))
        else:
            others.append(element)
    if how.method == "jitter":
        moved = _jitter(vehicles, scenario, how.scale, rng)
    else:
        moved = _bootstrap(vehicles, scenario, how.scale, rng)
    timed = [(_seconds(e), e) for e in others if e.get("depart") is not None]
    new = Element(root.tag, root.attrib)
    new.extend(element for element in others if element.get("depart") is None)
    new.extend(element for _, element in sorted([*timed, *moved], key=lambda row: _order(row[0])))
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


def _seconds(element: Element) -> float:
    try:
        return float(element.get("depart", "nan"))
    except ValueError:  # triggered, or a time as h:m:s: left where it stands
        return math.nan


def _order(depart: float) -> float:
    return -math.inf if math.isnan(depart) else depart


def _write(content: bytes, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{hashlib.sha256(content).hexdigest()[:16]}.rou.xml"
    if not path.exists():
        new = path.with_suffix(".new")
        new.write_bytes(content)
        store.sync(new)
        new.replace(path)
    return path.resolve()
