"""The check of a place: its content, its faults, how denxanh treats them, and whether controllers can run."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from denxanh.experiments.report.left_to_sumo import left_to_sumo_notes
from denxanh.experiments.specification.controllers import make_controller, needs_plan, parse_controller
from denxanh.sim.errors import DenxanhError, InputError
from denxanh.sim.language.text import Text, same
from denxanh.sim.network import Intersection, Network
from denxanh.sim.network_reader import network_of
from denxanh.sim.run.preparation import check_demand, prepare_run
from denxanh.sim.run.run_description import Run
from denxanh.sim.run.trial_load import check_loads
from denxanh.sim.scenario import Scenario
from denxanh.sim.signals.operation import operation_notes
from denxanh.sim.signals.waivers import Waiver, waivers
from denxanh.sim.sumo.run_input import read_additional
from denxanh.sim.sumo.user_files import inspect

_NAMED = 5  # signals in a line


@dataclass(frozen=True)
class Report:
    """Lines for a person: facts, a line per signal, warnings, and one verdict."""

    facts: tuple[str, ...]
    plans: tuple[str, ...]
    warnings: tuple[Text, ...]  # what the files say of themselves is in English
    waivers: tuple[Waiver, ...]  # rules that the plans break themselves
    verdict: str


def check_place(scenario: Scenario) -> Report:
    """Read everything a run would read, and let SUMO load it. Raises InputError for what would stop a run."""
    additional = [read_additional(path) for path in scenario.additional]
    network = network_of(scenario)
    others = [inspect(scenario.net, kind="network file")]
    others += [inspect(path, kind="route file") for path in scenario.routes]
    departures = check_demand(scenario, network).departures
    check_loads(scenario)
    warnings = [
        same(note)
        for note in (
            *scenario.notes,
            *(note for a in additional for note in a.notes),
            *(note for o in others for note in o.notes),
        )
    ]
    if departures.before:
        warnings.append(
            Text(
                f"{departures.before} vehicles depart before the begin: SUMO does not simulate them; results "
                "count them as before_begin",
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
    warnings += operation_notes(network.by_operation())
    warnings += _signal_warnings(network)
    count = len(network.intersections)
    return Report(
        facts=_facts(scenario, network, departures.due, departures.flows),
        plans=tuple(
            _signal(intersection, off=scenario.signals_off) for intersection in network.intersections.values()
        ),
        warnings=tuple(warnings),
        waivers=tuple(w for intersection in network.intersections.values() for w in waivers(intersection)),
        verdict=f"ready: {_of(count, 'signal')} can be controlled"
        if count
        else "there is no signal to control: only 'program' makes sense here",
    )


def check_controller(scenario: Scenario, text: str) -> str:
    """Prepare a run of a controller as ``run`` does, files included, and say what it controls.

    SUMO loads the programs that the controller brings; nothing is simulated. Raises InputError or ControlError for
    what would stop the run.
    """
    name, given = parse_controller(text)
    if needs_plan(name, given):
        return f"{text}: its plan is computed when it runs"
    with tempfile.TemporaryDirectory(prefix="denxanh-") as folder:
        try:
            prepared = prepare_run(Run(scenario, 1), make_controller(name, given), Path(folder))
        except DenxanhError:
            raise
        except Exception as error:  # a controller may raise anything
            raise InputError(
                f"it raised {type(error).__name__}: {error}", location=text, remedy="correct the controller"
            ) from None
        if prepared.scenario.additional != scenario.additional:
            check_loads(prepared.scenario)
    controlled, all_signals = len(prepared.controlled), len(prepared.network.intersections)
    if not controlled:
        return f"{text}: SUMO runs the signals"
    return f"{text}: controls {controlled} of {_of(all_signals, 'signal')}"


def _facts(scenario: Scenario, network: Network, due: int, flows: int) -> tuple[str, ...]:
    length = sum(edge.length for edge in network.edges.values()) / 1000.0
    side = ", left-hand traffic" if network.lefthand else ""
    demand = _of(due, "vehicle") + (f" and {_of(flows, 'flow')}" if flows else "")
    signals = _of(len(network.intersections), "signal")
    return (
        f"{scenario.name}: {len(network.edges)} edges, {length:.1f} km, {signals}{side}",
        f"from {scenario.begin:.10g} s to {scenario.end:.10g} s in steps of {scenario.step:g} s: {demand}",
    )


def _of(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' if number != 1 else ''}"


def _signal(intersection: Intersection, *, off: bool) -> str:
    greens = " + ".join(f"{stage.green:g}" for stage in intersection.program.stages)
    return (
        f"{intersection.id} ({intersection.name}): {len(intersection.movements)} movements, "
        f"{len(intersection.phases)} phases, "
        f"cycle {intersection.program.cycle:g} s, greens {greens} s, "
        f"yellow {intersection.yellow:g} s, all-red {intersection.all_red:g} s"
        + (", switched off" if off else "")
    )


def _signal_warnings(network: Network) -> list[Text]:
    """A line for each kind, with the signals that it holds for."""
    signals = network.intersections.values()
    spare = {
        intersection.id: intersection.n_links - 1 - max(link.index for link in intersection.links)
        for intersection in signals
    }
    dark = {intersection.id: _never_green(intersection) for intersection in signals}
    out = []
    if longer := [f"{name}: {count}" for name, count in spare.items() if count > 0]:
        out.append(
            Text(
                f"letters at the end of a state that drive no link, at {_of(len(longer), 'signal')} ({_some(longer)})",
                f"ký tự cuối chuỗi trạng thái không điều khiển hướng nào, ở {len(longer)} đèn ({_some(longer)})",
            )
        )
    if never := [f"{name}: {', '.join(map(str, links))}" for name, links in dark.items() if links]:
        count = sum(map(len, dark.values()))
        out.append(
            Text(
                f"links that are never green: {count} at {_of(len(never), 'signal')} ({_some(never, '; ')})",
                f"các hướng không bao giờ có đèn xanh: {count} ở {len(never)} đèn ({_some(never, '; ')})",
            )
        )
    return out


def _never_green(intersection: Intersection) -> list[int]:
    served = {k for phase in intersection.phases for k in range(intersection.n_links) if phase.serves(k)}
    return sorted({link.index for link in intersection.links} - served)


def _some(names: Sequence[str], sign: str = ", ") -> str:
    return sign.join(names[:_NAMED]) + (f"{sign}…" if len(names) > _NAMED else "")
