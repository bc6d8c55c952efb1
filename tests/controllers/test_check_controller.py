"""The examiner finds each fault and guesses its cause."""

import itertools
from dataclasses import dataclass, field
from typing import ClassVar

import pytest

from denxanh.controllers.actuated.actuated import Actuated
from denxanh.controllers.native.program import Program
from denxanh.controllers.pressure.max_pressure import MaxPressure
from denxanh.sim.controller import Green
from denxanh.sim.errors import ControlError
from denxanh.sim.testing.check_controller import check_controller, corridor


@dataclass(frozen=True)
class Alternate:
    """Change phase every ten seconds: legal and dull."""

    name: ClassVar[str] = "alternate"
    sees: ClassVar[frozenset[str]] = frozenset({"vehicles"})

    def start(self, network):
        return dict.fromkeys(network.intersections, self.policy)

    def policy(self, seen):
        if seen.minimum_left:
            return Green(seen.phase, seen.minimum_left)
        return Green((seen.phase + 1) % len(seen.intersection.phases), 10.0)


def faulty(policy):
    """An Alternate with another policy."""

    @dataclass(frozen=True)
    class Faulty(Alternate):
        def start(self, network):
            return dict.fromkeys(network.intersections, policy)

    return Faulty()


@pytest.mark.parametrize("controller", [Alternate(), MaxPressure(), Actuated(), Program()])
def test_a_sound_controller_passes(controller):
    check_controller(controller, seconds=200.0)


def test_the_class_instead_of_an_object():
    with pytest.raises(ControlError, match=r"did you forget the \(\)"):
        check_controller(Alternate)


def test_a_dataclass_that_is_not_frozen():
    @dataclass
    class Loose:
        name: ClassVar[str] = "loose"

    with pytest.raises(ControlError, match="not frozen"):
        check_controller(Loose())


def test_an_unknown_sense():
    @dataclass(frozen=True)
    class Psychic(Alternate):
        sees: ClassVar[frozenset[str]] = frozenset({"future"})

    with pytest.raises(ControlError, match="'future'; there are: exits, flow, requests, vehicles"):
        check_controller(Psychic())


def test_parameters_that_a_manifest_cannot_note():
    @dataclass(frozen=True)
    class Odd(Alternate):
        odd: object = field(default_factory=object)

    with pytest.raises(ControlError, match="plain values"):
        check_controller(Odd())


def test_memory_outside_start():
    answers = itertools.count()

    def policy(seen):
        return Green(seen.phase, 1.0 + next(answers) % 7)

    with pytest.raises(ControlError, match="memory outside start"):
        check_controller(faulty(policy), seconds=60.0)


def test_leaving_before_the_minimum():
    with pytest.raises(ControlError, match=r"minimum 5 s.*seen\.minimum_left"):
        check_controller(faulty(lambda seen: Green(1 - seen.phase, 2.0)), seconds=60.0)


def test_a_phase_that_does_not_exist():
    with pytest.raises(ControlError, match="asked for phase 7"):
        check_controller(faulty(lambda seen: Green(7, 2.0)), seconds=60.0)


def test_an_answer_that_is_no_green():
    with pytest.raises(ControlError, match="answered None"):
        check_controller(faulty(lambda seen: None), seconds=60.0)


def test_a_policy_that_needs_a_vehicle():
    def policy(seen):
        return Green(seen.phase, 1.0 + 0 * seen.vehicles.distance[0])

    with pytest.raises(ControlError, match=r"IndexError.*a vehicle, a neighbour or a sense"):
        check_controller(faulty(policy), seconds=60.0)


def test_a_policy_that_writes_into_its_observation():
    def policy(seen):
        seen.red[:] = 1.0
        return Green(seen.phase, 5.0)

    with pytest.raises(ControlError, match="changed its observation"):
        check_controller(faulty(policy), seconds=60.0)


def test_an_unknown_intersection():
    @dataclass(frozen=True)
    class Elsewhere(Alternate):
        def start(self, network):
            return {"Atlantis": self.policy}

    with pytest.raises(ControlError, match="Atlantis"):
        check_controller(Elsewhere(), corridor(1))
