"""Exports of a plan: static or actuated SUMO programs, and the timing sheet."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from denxanh.sim.input.text_files import csv_row
from denxanh.sim.network import GREEN, Intersection, Network
from denxanh.sim.plan import Plan, Stage
from denxanh.sim.sumo.xmlfile import xml_text

PROGRAM = "denxanh"
"""The programID of exported programs, unless the network already has a program of this name."""


def free_program(network: Network) -> str:
    """PROGRAM, with a number appended where the network already has it: SUMO refuses two programs of one name."""
    known = {intersection.program_id for intersection in network.intersections.values()}
    taken = {name.partition("-")[0] for name in known}
    return next(
        name
        for name in itertools.chain([PROGRAM], (f"{PROGRAM}{k}" for k in itertools.count(2)))
        if name not in taken
    )


@dataclass(frozen=True)
class Actuation:
    """Settings by which an actuated program extends a green: SUMO's parameters of the same names; times in s."""

    min_green: float = 5.0  # a longer minimum of the phase itself takes precedence
    stretch: float = 1.5  # ratio of maximum green to planned green
    max_green: float | None = None  # one maximum green for every stage instead
    max_gap: float = 3.0  # SUMO's default: a gap of 3 s ends the green
    detector_gap: float = 2.0  # SUMO's default: loops lie 2 s of travel before the stop line
    passing_time: float = 1.9  # SUMO's default headway of a vehicle over the loop


def plan_xml(plan: Plan, network: Network, *, actuation: Actuation | None = None) -> str:
    """An additional file for bare SUMO: one tlLogic for each signal of the plan.

    Static programs that show exactly the plan; with ``actuation`` actuated programs with its stages.
    """
    root = Element("additional")
    root.extend(logics(plan, network, actuation=actuation, program=free_program(network)))
    return xml_text(root)


def logics(
    plan: Plan,
    network: Network,
    *,
    actuation: Actuation | None = None,
    program: str,
    parameters: Mapping[str, str] = MappingProxyType({}),
) -> list[Element]:
    """The tlLogic elements of a plan, one per signal; ``parameters`` are further SUMO parameters of each."""
    params = dict(parameters)
    if actuation is not None:
        params |= {
            "max-gap": _seconds(actuation.max_gap),
            "detector-gap": _seconds(actuation.detector_gap),
            "passing-time": _seconds(actuation.passing_time),
        }
    kind = "static" if actuation is None else "actuated"
    out = []
    for name, timing in sorted(plan.timings.items()):
        logic = Element("tlLogic", id=name, type=kind, programID=program, offset=_seconds(timing.offset))
        for key, value in params.items():
            ElementTree.SubElement(logic, "param", key=key, value=value)
        for stage in timing.stages:
            limits = {}
            if actuation is not None:
                low, high = actuated_limits(network.intersections[name], stage, actuation)
                limits = {"minDur": _seconds(low), "maxDur": _seconds(high)}
            ElementTree.SubElement(
                logic, "phase", duration=_seconds(stage.green), state=stage.state, attrib=limits
            )
            for interval in stage.change:
                ElementTree.SubElement(
                    logic, "phase", duration=_seconds(interval.duration), state=interval.state
                )
        out.append(logic)
    return out


def actuated_limits(intersection: Intersection, stage: Stage, actuation: Actuation) -> tuple[float, float]:
    """Minimum and maximum green (s) of a stage in an actuated program."""
    minima = [
        p.min_green
        for p in intersection.phases
        if any(p.serves(k) for k, letter in enumerate(stage.state) if letter in GREEN)
    ]
    low = max([actuation.min_green, *minima])
    if actuation.max_green is not None:
        return low, max(low, actuation.max_green)
    low = min(stage.green, low)
    return low, max(low, float(round(stage.green * actuation.stretch)))


def timing_sheet(plan: Plan, network: Network) -> str:
    """The plan as a CSV for an engineer: a row for each stage of each signal, times in s.

    Text that a spreadsheet would interpret as a formula is prefixed with an apostrophe.
    """
    out = io.StringIO()
    sheet = csv.writer(out, lineterminator="\n")
    sheet.writerow(
        ["signal", "name", "cycle", "offset", "stage", "start", "green", "change", "state", "movements"]
    )
    for name, timing in sorted(plan.timings.items()):
        intersection = network.intersections[name]
        for number, (stage, start) in enumerate(zip(timing.stages, timing.starts(), strict=True), 1):
            change = " + ".join(f"{_seconds(i.duration)} {_meaning(i.state)}" for i in stage.change)
            sheet.writerow(
                csv_row(
                    [
                        name,
                        intersection.name,
                        _seconds(timing.cycle),
                        _seconds(timing.offset),
                        number,
                        _seconds(start),
                        _seconds(stage.green),
                        change,
                        stage.state,
                        "; ".join(_served(intersection, stage)),
                    ]
                )
            )
    return out.getvalue()


def _served(intersection: Intersection, stage: Stage) -> list[str]:
    """Names of the movements with green; those that must give way are marked."""
    out = []
    for movement in intersection.movements:
        letters = {stage.state[k] for k in movement.links} & GREEN
        if letters:
            out.append(movement.name + (" (yields)" if letters == {"g"} else ""))
    return out


def _meaning(state: str) -> str:
    letters = set(state)
    return "yellow" if letters & set("yY") else "red-yellow" if "u" in letters else "all-red"


def _seconds(value: float) -> str:
    return f"{value:.10g}"
