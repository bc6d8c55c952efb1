"""Exports of a plan: static or actuated SUMO programs, and the timing sheet."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Mapping
from types import MappingProxyType
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from denxanh.experiments.optimize.problem.actuation import Actuation, SignalActuation, signal_settings
from denxanh.sim.input.text_files import csv_row
from denxanh.sim.network import GREEN, Intersection, Network
from denxanh.sim.plan import Plan, Stage, Timing
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
    out = []
    for name, timing in sorted(plan.timings.items()):
        params = dict(parameters)
        shown = timing
        limits: list[dict[str, str]] = [{} for _ in timing.stages]
        if actuation is not None:
            settings = signal_settings(network.intersections[name], timing, actuation)
            shown, limits = _actuated_logic(timing, settings)
            params |= {
                "max-gap": _seconds(settings.max_gap),
                "detector-gap": _seconds(actuation.detector_gap),
                "passing-time": _seconds(actuation.passing_time),
            }
            if settings.coordinated is not None:
                params |= {"coordinated": "true", "cycleTime": _seconds(timing.cycle)}
        kind = "static" if actuation is None else "actuated"
        logic = Element("tlLogic", id=name, type=kind, programID=program, offset=_seconds(shown.offset))
        for key, value in params.items():
            ElementTree.SubElement(logic, "param", key=key, value=value)
        for stage, limit in zip(shown.stages, limits, strict=True):
            ElementTree.SubElement(
                logic, "phase", duration=_seconds(stage.green), state=stage.state, attrib=limit
            )
            for interval in stage.change:
                ElementTree.SubElement(
                    logic, "phase", duration=_seconds(interval.duration), state=interval.state
                )
        out.append(logic)
    return out


def _actuated_logic(timing: Timing, settings: SignalActuation) -> tuple[Timing, list[dict[str, str]]]:
    """The timing as its program begins, and SUMO's limits on the green of each of its stages.

    A coordinated program begins after its coordinated stage: that one ends with the cycle, so none of the stages
    before it, which may begin earlier than planned, has its latest end in another cycle than its begin. Its offset is
    below zero: SUMO takes the remainder of (time - offset) by the cycle, which is negative before a positive offset.
    """
    greens, main = settings.greens, settings.coordinated
    if main is None:
        return timing, [{"minDur": _seconds(low), "maxDur": _seconds(high)} for low, high in greens]
    first = (main + 1) % len(timing.stages)
    begun = Timing(
        (*timing.stages[first:], *timing.stages[:first]),
        (timing.offset + timing.starts()[first]) % timing.cycle - timing.cycle,
    )
    limits = []
    for k, (start, stage) in enumerate(zip(begun.starts(), begun.stages, strict=True)):
        low, high = greens[(first + k) % len(greens)]
        end = _seconds(start + stage.green)
        last = k + 1 == len(greens)
        limits.append({"minDur": _seconds(low), "maxDur": _seconds(timing.cycle if last else high)})
        limits[-1] |= {"earliestEnd": end, "latestEnd": end} if last else {"latestEnd": end}
    return begun, limits


def timing_sheet(plan: Plan, network: Network, *, actuation: Actuation | None = None) -> str:
    """The plan as a CSV for an engineer: a row for each stage of each signal, times in s.

    With ``actuation`` also minimum and maximum green, gap and the coordinated stage; a signal without one has no cycle,
    offset, start or planned green, and the coordinated stage, which ends as planned, no maximum. Text that a
    spreadsheet would interpret as a formula is prefixed with an apostrophe.
    """
    out = io.StringIO()
    sheet = csv.writer(out, lineterminator="\n")
    limits = [] if actuation is None else ["minimum", "maximum", "gap", "coordinated"]
    sheet.writerow(
        [
            "signal",
            "name",
            "cycle",
            "offset",
            "stage",
            "start",
            "green",
            *limits,
            "change",
            "state",
            "movements",
        ]
    )
    for name, timing in sorted(plan.timings.items()):
        intersection = network.intersections[name]
        own = None if actuation is None else signal_settings(intersection, timing, actuation)
        clocked = own is None or own.coordinated is not None
        for number, (stage, start) in enumerate(zip(timing.stages, timing.starts(), strict=True), 1):
            change = " + ".join(f"{_seconds(i.duration)} {_meaning(i.state)}" for i in stage.change)
            planned = [
                _seconds(s) if clocked else "" for s in (timing.cycle, timing.offset, start, stage.green)
            ]
            sheet.writerow(
                csv_row(
                    [
                        name,
                        intersection.name,
                        *planned[:2],
                        number,
                        *planned[2:],
                        *([] if own is None else _actuated_cells(own, number - 1)),
                        change,
                        stage.state,
                        "; ".join(_served(intersection, stage)),
                    ]
                )
            )
    return out.getvalue()


def _actuated_cells(own: SignalActuation, stage: int) -> list[str]:
    """Minimum, maximum, gap and whether the stage is the coordinated one."""
    (low, high), main = own.greens[stage], own.coordinated == stage
    return [_seconds(low), "" if main else _seconds(high), _seconds(own.max_gap), "yes" if main else ""]


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
