"""The contract of a controller: what a run reads of it, and that a run and a layer read all of it."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, ClassVar

import pytest

from denxanh import sim
from denxanh.controllers.layers.layer import Layer
from denxanh.controllers.layers.priority import Priority
from denxanh.controllers.native.program import Program
from denxanh.controllers.predictive.predictive import Predictive
from denxanh.controllers.registry import controllers, load
from denxanh.sim.controller import Capabilities, Green, Policy, capabilities
from denxanh.sim.errors import ControlError, InputError
from denxanh.sim.network import Network
from denxanh.sim.plan import Plan
from denxanh.sim.run.preparation import prepare_run
from denxanh.sim.run.run_description import Run
from denxanh.sim.scenario import Scenario
from denxanh.sim.signals.rules import Rules
from denxanh.sim.testing.check_controller import corridor

ROOT = Path(sim.__file__).parent.parent


@dataclass(frozen=True)
class Counting:
    """Stays in phase 0; ``started`` takes the network of each start."""

    name: ClassVar[str] = "counting"
    sees: ClassVar[frozenset[str]] = frozenset()

    started: list[Network] = field(default_factory=list)

    def start(self, network: Network) -> Mapping[str, Policy]:
        self.started.append(network)
        return dict.fromkeys(network.intersections, lambda seen: Green(0, seen.step))


@dataclass(frozen=True)
class Wider(Counting):
    """The same with a phase more, all red but link 0."""

    def more_phases(self, network: Network) -> Mapping[str, Sequence[str]]:
        return {name: ("G" + "r" * (i.n_links - 1),) for name, i in network.intersections.items()}


@dataclass(frozen=True)
class Undecided(Counting):
    """Declares that SUMO runs the signals, and starts policies."""

    leaves_signals_to_sumo: ClassVar[bool] = True


@pytest.fixture
def run(tiny_place: Any) -> Run:
    return Run(Scenario("tiny", tiny_place.net, (tiny_place.routes,), end=60.0), rules=Rules(min_green=7.0))


def test_a_controller_without_capabilities_has_the_defaults():
    network, able = corridor(1), capabilities(Counting())
    assert able == Capabilities()
    assert (able.make_plan(network), able.more_phases(network), able.programs(network)) == (None, {}, "")
    assert (able.files(), able.additional_files()) == ((), ())
    assert not able.runs_in_sumo


def test_a_capability_is_declared_by_its_name_alone():
    network = corridor(1)
    assert capabilities(Wider()).more_phases(network) == Wider().more_phases(network)
    assert capabilities(Program()).leaves_signals_to_sumo


@pytest.mark.parametrize("kind", [Counting, Wider])
def test_a_run_starts_a_controller_once_on_the_network_under_the_rules(
    kind: type[Counting], run: Run, tmp_path: Path
):
    controller = kind()
    prepared = prepare_run(run, controller, tmp_path)
    (network,) = controller.started
    assert network is prepared.given
    assert network == prepared.network
    assert network is not prepared.network
    assert all(phase.min_green >= 7.0 for i in network.intersections.values() for phase in i.phases)


def test_rules_leave_the_signals_that_sumo_runs_as_they_are(run: Run, tmp_path: Path):
    kept = prepare_run(run, Program(), tmp_path).network
    assert any(phase.min_green < 7.0 for i in kept.intersections.values() for phase in i.phases)


def test_policies_for_signals_that_are_left_to_sumo_are_refused(run: Run, tmp_path: Path):
    with pytest.raises(ControlError, match="declares leaves_signals_to_sumo, but its start returns policies"):
        prepare_run(run, Undecided(), tmp_path)


@pytest.mark.parametrize("over", ["sumo:actuated", "sumo:delay_based", "sumo:NEMA"])
def test_a_layer_over_a_strategy_that_sumo_runs_is_refused(over: str):
    """It used to run the network's own plan by the clock in its place, without a word."""
    with pytest.raises(InputError, match="is run by SUMO itself"):
        Priority(over=over)


def test_a_layer_over_a_strategy_without_policies_is_refused(monkeypatch: pytest.MonkeyPatch):
    """One of another package that leaves its signals to SUMO, without a program of its own."""
    monkeypatch.setattr("denxanh.controllers.layers.layer.make_controller", lambda name, given: Undecided())
    with pytest.raises(InputError, match="is run by SUMO itself"):
        Priority(over="undecided")


def test_a_layer_forwards_every_capability_that_a_strategy_below_may_have():
    refused = {"additional_files", "programs"}  # of strategies that SUMO runs
    # a layer has a policy for every signal; below a layer a plan is given, not computed from the scenario
    own = {"leaves_signals_to_sumo", "plan_from_scenario"}
    declared = {name.name for name in fields(Capabilities) if hasattr(Layer, name.name)}
    assert declared == {name.name for name in fields(Capabilities)} - refused - own


def test_a_layer_has_the_plan_and_the_phases_of_the_strategy_below():
    network = corridor(2)
    assert capabilities(Priority(over="max-pressure")).make_plan(network) is None
    assert isinstance(capabilities(Priority(over="nema")).make_plan(network), Plan)
    below, above = (
        Predictive().more_phases(network),
        capabilities(Priority(over="predictive")).more_phases(network),
    )
    assert above == below


def test_what_runs_in_sumo_leaves_its_signals_to_sumo():
    kinds = [load(name) for name in controllers()]
    in_sumo = {kind.name for kind in kinds if {"programs", "additional_files"} & set(dir(kind))}
    left = {kind.name for kind in kinds if getattr(kind, "leaves_signals_to_sumo", False)}
    assert left == in_sumo | {"program"}


def test_the_halted_speed_and_the_queue_spacing_stand_in_one_place():
    """No module compares a speed with 0.1 m/s or writes 7.5 m itself."""
    found = []
    for folder in ("sim", "controllers", "networks", "experiments"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Constant) and node.value == 7.5:
                    found.append(path.relative_to(ROOT).as_posix())
                if isinstance(node, ast.Compare) and "speed" in ast.unparse(node.left):
                    values = [c.value for c in node.comparators if isinstance(c, ast.Constant)]
                    found += [path.relative_to(ROOT).as_posix() for value in values if value == 0.1]
    assert found == ["sim/world.py"]
