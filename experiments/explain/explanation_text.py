"""The text of an explanation: what the strategy saw, the plans it weighed, their costs, and why it chose."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def text(explanation: Mapping[str, Any]) -> str:
    """The explanation for the terminal, lines of plain text."""
    return "\n".join(_lines(explanation))


def _lines(given: Mapping[str, Any]) -> Iterator[str]:
    yield f"{given['signal']} at {given['time_s']:g} s, {given['controller']}, seed {given['seed']}, {given['place']}"
    yield f"green: phase {given['phase']} ({given['phases'][given['phase']]}) for {given['green_s']:g} s"
    yield ""
    yield "seen:"
    yield f"  {'lane':<24} {'standing':>8} {'moving':>7} {'longest wait':>13}"
    for lane in given["lanes"]:
        if lane["standing"] + lane["moving"]:
            row = f"  {lane['lane']:<24} {lane['standing']:>8} {lane['moving']:>7} {lane['longest_wait_s']:>11.0f} s"
            yield row + ("  green" if lane["green"] else "")
    if not any(lane["standing"] + lane["moving"] for lane in given["lanes"]):
        yield "  no vehicle"
    reasons = given["reasons"]
    if given["minimum_left_s"] > 0:
        yield ""
        yield f"why: the minimum green lasts {given['minimum_left_s']:g} s more"
    elif reasons is None:
        yield ""
        yield f"why: {given['controller']} does not record its reasons"
    else:
        yield ""
        yield "plans, the cheapest of each first step:"
        for plan in reasons["plans"]:
            yield f"  {_first(plan):<22} {plan['cost_veh_s']:>9.1f} veh·s   {_changes(plan)}"
        yield ""
        yield f"why: {reasons['why']}"
    answer = given["answer"]
    verb = "keep" if answer["phase"] == given["phase"] else "change to"
    yield f"answer: {verb} phase {answer['phase']}, asked again after {answer['seconds']:g} s of it"


def _first(plan: Mapping[str, Any]) -> str:
    return "keep the present phase" if plan["keeps"] else f"change to phase {plan['phase']}"


def _changes(plan: Mapping[str, Any]) -> str:
    """The changes that the plan names; after them it goes on as ``actuated``."""
    named = [f"phase {change['phase']} after {change['after_s']:g} s" for change in plan["changes"]]
    return ", ".join([*named, "then as actuated"])
