"""``denxanh check``: the content of a place, its faults, and how denxanh treats them."""

from __future__ import annotations

from dataclasses import dataclass

from denxanh.experiments.report.left_to_sumo import left_to_sumo_notes
from denxanh.sim.language.text import Text, same
from denxanh.sim.network import Intersection, Network
from denxanh.sim.run.preparation import check_demand
from denxanh.sim.scenario import Scenario
from denxanh.sim.signals.permits import Waiver, waivers
from denxanh.sim.sumo.network_reader import network_of
from denxanh.sim.sumo.run_input import read_additional


@dataclass(frozen=True)
class Report:
    """Lines for a person: facts, a line per signal, warnings, and one verdict."""

    facts: tuple[str, ...]
    plans: tuple[str, ...]
    warnings: tuple[Text, ...]  # what the files say of themselves is in English
    waivers: tuple[Waiver, ...]  # rules that the plans break themselves
    verdict: str


def check_place(scenario: Scenario) -> Report:
    """Read everything a run would read. Raises InputError for what would stop a run."""
    additional = [read_additional(path) for path in scenario.additional]
    network = network_of(scenario)
    departures = check_demand(scenario, network)
    warnings = [same(note) for note in (*scenario.notes, *(note for a in additional for note in a.notes))]
    if departures.before:
        warnings.append(
            Text(
                f"{departures.before} vehicles depart before the begin: SUMO drops them, we count them",
                f"{departures.before} xe xuất phát trước giờ bắt đầu: SUMO bỏ các xe này, denxanh vẫn đếm",
            )
        )
    if departures.after:
        warnings.append(
            Text(
                f"{departures.after} vehicles depart after the end and are not simulated",
                f"{departures.after} xe xuất phát sau giờ kết thúc và không được mô phỏng",
            )
        )
    warnings += left_to_sumo_notes(network)
    for intersection in network.intersections.values():
        warnings += _signal_warnings(intersection)
    count = len(network.intersections)
    return Report(
        facts=_facts(scenario, network, departures.due, departures.flows),
        plans=tuple(_signal(intersection) for intersection in network.intersections.values()),
        warnings=tuple(warnings),
        waivers=tuple(w for intersection in network.intersections.values() for w in waivers(intersection)),
        verdict=f"ready: {_of(count, 'signal')} can be controlled"
        if count
        else "there is no signal to control: only 'program' makes sense here",
    )


def _facts(scenario: Scenario, network: Network, due: int, flows: int) -> tuple[str, ...]:
    length = sum(edge.length for edge in network.edges.values()) / 1000.0
    demand = _of(due, "vehicle") + (f" and {_of(flows, 'flow')}" if flows else "")
    return (
        f"{scenario.name}: {len(network.edges)} edges, {length:.1f} km, {_of(len(network.intersections), 'signal')}",
        f"from {scenario.begin:.10g} s to {scenario.end:.10g} s in steps of {scenario.step:g} s: {demand}",
    )


def _of(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' if number != 1 else ''}"


def _signal(intersection: Intersection) -> str:
    greens = " + ".join(f"{stage.green:g}" for stage in intersection.program.stages)
    return (
        f"{intersection.id} ({intersection.name}): {len(intersection.movements)} movements, "
        f"{len(intersection.phases)} phases, "
        f"cycle {intersection.program.cycle:g} s, greens {greens} s, "
        f"yellow {intersection.yellow:g} s, all-red {intersection.all_red:g} s"
    )


def _signal_warnings(intersection: Intersection) -> list[Text]:
    out = []
    spare = intersection.n_links - 1 - max(link.index for link in intersection.links)
    if spare > 0:
        out.append(
            Text(
                f"signal {intersection.id}: its states are longer than its links; "
                f"the last {spare} letters drive nothing",
                f"đèn {intersection.id}: chuỗi trạng thái dài hơn số hướng; {spare} ký tự cuối không điều khiển gì",
            )
        )
    served = {k for phase in intersection.phases for k in range(intersection.n_links) if phase.serves(k)}
    dark = sorted({link.index for link in intersection.links} - served)
    if dark:
        links = ", ".join(map(str, dark))
        out.append(
            Text(
                f"signal {intersection.id}: links {links} are never green",
                f"đèn {intersection.id}: các hướng {links} không bao giờ có đèn xanh",
            )
        )
    return out
