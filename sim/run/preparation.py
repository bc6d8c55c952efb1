"""Preparation of a run: the network and the traffic under a controller, its policies, and SUMO's input files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from denxanh.sim.controller import Capabilities, Controller, Policy, capabilities
from denxanh.sim.demand.departures import Traffic, read_traffic
from denxanh.sim.demand.equivalents import OF_SUMO, weighted_types
from denxanh.sim.errors import ControlError, InputError
from denxanh.sim.frozen import Snapshot
from denxanh.sim.network import Network
from denxanh.sim.network_reader import network_of
from denxanh.sim.run.provenance import hash_file
from denxanh.sim.run.run_description import Run
from denxanh.sim.run.scheduled_events import add_event_traffic
from denxanh.sim.scenario import Scenario
from denxanh.sim.signals.added_phases import with_phases
from denxanh.sim.signals.pedestrian_calls import serve_pedestrian_calls
from denxanh.sim.signals.plan_check import checked_plan
from denxanh.sim.signals.planned_network import with_plan
from denxanh.sim.signals.rules import Rules
from denxanh.sim.sumo import run_input
from denxanh.sim.sumo.run_input import SumoInput
from denxanh.sim.supervisor import Limits, Supervisor
from denxanh.sim.text_values import TRUE

PROGRAMS = "programs.add.xml"
_T = TypeVar("_T")


@dataclass(frozen=True)
class PreparedRun:
    """A run whose input is written: all that the simulation and the results need."""

    run: Run
    controller: Controller
    scenario: Scenario  # the run's, with the files and options that events and the controller add
    network: Network  # under the controller's plan and phases; no code of the controller has ever held it
    given: Network  # the copy of it that the controller has
    traffic: Traffic  # what the route files ask for
    policies: Mapping[str, Policy]  # by intersection id
    supervisor: Supervisor  # of these policies
    sumo_input: SumoInput
    input_hashes: Mapping[str, str]  # SHA-256 by path of the run's input files
    controller_files: tuple[Path, ...]  # SUMO additional files of the controller

    @property
    def controlled(self) -> list[str]:
        """The intersections that policies control, sorted."""
        return sorted(self.policies)

    @property
    def queue_lanes(self) -> dict[str, tuple[str, ...]]:
        """The approach lanes of each intersection, on which its queue is measured."""
        return {
            name: tuple(dict.fromkeys(s.lane for a in intersection.approaches for s in a.segments))
            for name, intersection in self.network.intersections.items()
        }


def prepare_run(run: Run, controller: Controller, folder: Path) -> PreparedRun:
    """Make the network, start the policies, and write SUMO's input into ``folder``.

    Raises InputError for input that cannot be used, ControlError for a controller without policies by intersection.
    """
    able = capabilities(controller)
    files = tuple(path.resolve() for path in able.additional_files())
    run = replace(run, scenario=replace(run.scenario, additional=(*run.scenario.additional, *files)))
    network = prepare_network(run.scenario, controller, run.rules)
    scenario, network, written = _with_programs(run.scenario, able, network, folder)
    scenario = add_event_traffic(scenario, network, run.events, folder)
    traffic = check_demand(scenario, network)
    network, given, policies = start_policies(controller, network, run.rules)
    supervisor = Supervisor(network, policies, limits_of(run), stop_when_late=run.stop_at_limit)
    sumo_input = run_input.write_input(
        scenario,
        folder,
        seed=run.seed,
        signals=sorted(set(network.intersections) | _driving_a_connection(network)),
        drop_programs=policies,
        brought=(*files, *written),
        measured=(run.measured_from, run.measured_until),
        loops=loop_lanes(network) if run.movements else ((), ()),
        weighted=weighted_types(traffic.equivalents).values(),
    )
    return PreparedRun(
        run=run,
        controller=controller,
        scenario=scenario,
        network=network,
        given=given,
        traffic=traffic,
        policies=policies,
        supervisor=supervisor,
        sumo_input=sumo_input,
        input_hashes={str(path): hash_file(path) for path in run.scenario.inputs()},
        controller_files=files,
    )


def loop_lanes(network: Network) -> tuple[list[str], list[str]]:
    """The lanes before the stop lines and past the junctions of all signals."""
    intersections = network.intersections.values()
    before = {approach.lane for intersection in intersections for approach in intersection.approaches}
    return sorted(before), sorted({lane for intersection in intersections for lane in intersection.exits})


def prepare_network(scenario: Scenario, controller: Controller, rules: Rules | None = None) -> Network:
    """The network with the programs, the flows and the plan that a controller asks for.

    A controller makes its plan from the network under ``rules``, or from the network as it is where its own programs
    cannot follow them: the plan takes their place, and the rules are applied to it later.
    """
    network = network_of(scenario)
    if "flow" in controller.sees:
        from denxanh.sim.demand.movement_flows import (
            with_flows,  # reads all routes: only where they are needed
        )

        network = with_flows(network, scenario)
    try:
        ruled = (rules or Rules()).apply(network)
    except InputError:
        ruled = network
    able = capabilities(controller)
    if not able.declares("make_plan"):
        return network
    plan, _, network = _shielded(able.make_plan, network, ruled)
    return network if plan is None else checked_plan(network, with_plan(network, plan))


def check_demand(scenario: Scenario, network: Network) -> Traffic:
    """What the route files ask for. Raises InputError for what SUMO would drop or refuse, and for no demand."""
    begin, end, edges = scenario.begin, scenario.end, network.edges
    junctions = scenario.options.get("junction-taz", "").lower() in TRUE
    traffic = Traffic(equivalents=dict(OF_SUMO))
    for additional, paths in ((True, scenario.additional), (False, scenario.routes)):  # in SUMO's order
        for path in paths:
            traffic += read_traffic(path, begin, end, edges, additional=additional, junctions=junctions)
    found = traffic.departures
    if found.due + found.flows + found.triggered == 0:
        outside = (
            f" ({found.before} before the begin, {found.after} after the end)"
            if found.before + found.after
            else ""
        )
        raise InputError(
            f"no vehicle departs between {scenario.begin:g} s and {scenario.end:g} s{outside}",
            location=", ".join(map(str, scenario.routes or scenario.additional)),
            remedy="check begin and end, or give routes with vehicles",
        )
    return traffic


def _with_programs(
    scenario: Scenario, able: Capabilities, network: Network, folder: Path
) -> tuple[Scenario, Network, tuple[Path, ...]]:
    """The scenario and network with the programs that the controller writes, which SUMO loads last and so runs."""
    if not able.declares("programs"):
        return scenario, network, ()
    text, _, network = _shielded(able.programs, network)
    if not text:
        return scenario, network, ()
    file = folder / PROGRAMS
    file.write_text(text, encoding="utf-8")
    scenario = replace(scenario, additional=(*scenario.additional, file))
    return scenario, network_of(scenario), (file,)


def _shielded(
    call: Callable[[Network], _T], network: Network, argument: Network | None = None
) -> tuple[_T, Network, Network]:
    """What a controller's method answers, the copy of the network that it got, and the network as it was before.

    The loop and the monitor go on with a copy that did not exist while the method ran. ``argument`` is given in place
    of the network.
    """
    kept = Snapshot(network)
    given = kept.copy() if argument is None else Snapshot(argument).copy()
    answer = call(given)
    return answer, given, kept.copy()


def limits_of(run: Run) -> Limits:
    """The limits on the answers of a run's policies, with those of its safety rules."""
    return replace(run.limits, max_green=run.rules.max_green, max_red=run.rules.max_red)


def start_policies(
    controller: Controller, network: Network, rules: Rules
) -> tuple[Network, Network, Mapping[str, Policy]]:
    """The network under the rules and with the controller's phases, its copy for the controller, and the policies."""
    able = capabilities(controller)
    if not able.leaves_signals_to_sumo:  # signals that SUMO runs keep what the network's programs show
        network = rules.apply(network)
        if able.declares("more_phases"):
            states, _, network = _shielded(able.more_phases, network)
            network = with_phases(network, states)
    started, given, network = _shielded(controller.start, network)
    if isinstance(started, Mapping):
        started = dict(started)  # the controller's own may change later
    policies = serve_pedestrian_calls(started, network, controller)
    if policies and able.leaves_signals_to_sumo:
        raise ControlError(
            f"controller {controller.name!r} declares leaves_signals_to_sumo, but its start returns policies"
        )
    return network, given, policies


def _driving_a_connection(network: Network) -> set[str]:
    """Signals left to SUMO that drive a connection."""
    return {
        tl
        for tl, reason in network.left_to_sumo.items()
        if "rail" not in reason and "no connection" not in reason
    }
