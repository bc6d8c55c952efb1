"""Conformance check of controllers, for users too: ``check_controller(MyController())`` names a fault and its cause.

The worlds without SUMO that it runs on are public as well: ``corridor`` and ``PointQueueWorld``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import is_dataclass
from typing import Any

import numpy as np

from denxanh.sim.controller import SENSES, Controller, capabilities, parameters
from denxanh.sim.errors import ControlError, DenxanhError
from denxanh.sim.frozen import Snapshot
from denxanh.sim.network import Network
from denxanh.sim.sensing import Camera, Loops, Sensing
from denxanh.sim.signals.planned_network import with_plan
from denxanh.sim.simulation import Simulation
from denxanh.sim.testing.point_queue import PointQueueWorld, corridor, steady
from denxanh.sim.world import HALTED_SPEED, QUEUE_SPACING, OnLane, PriorityVehicle, World

__all__ = ["NoiseWorld", "PointQueueWorld", "check_controller", "corridor", "play", "steady"]

Shown = list[tuple[float, str, str]]


class NoiseWorld:
    """A world with up to ``most`` random vehicles on each lane, new ones at every step (a World)."""

    def __init__(
        self,
        network: Network,
        rng: np.random.Generator,
        *,
        most: int = 12,
        begin: float = 0.0,
        step: float = 1.0,
    ) -> None:
        self.network = network
        self.begin = begin
        self.step = step
        self.steps = 0
        self.shown: Shown = []
        self._rng = rng
        self._most = most
        self._lanes: dict[str, Sequence[OnLane]] = {}
        self._state: dict[str, str] = {}
        self._ends = {
            (network.lanes[x.start].edge, network.lanes[x.end].edge)
            for x in network.links
            if x.start in network.lanes and x.end in network.lanes
        }

    def advance(self, steps: int) -> None:
        """Replace all vehicles by new ones."""
        self.steps = steps
        self._lanes.clear()

    def show(self, intersection: str, state: str) -> None:
        """Record the state."""
        self.shown.append((self.begin + self.steps * self.step, intersection, state))
        self._state[intersection] = state

    def shows(self, intersection: str) -> str:
        """The state that was shown last."""
        return self._state[intersection]

    def on_lane(self, lane: str) -> Sequence[OnLane]:
        """Random vehicles, half of them standing; on half of the lanes none."""
        if lane not in self._lanes:
            rng, road = self._rng, self.network.lanes[lane]
            count = int(rng.integers(0, self._most + 1) * rng.integers(0, 2))
            at = np.sort(rng.uniform(0, road.length, count))
            speed = rng.uniform(0, road.speed, count) * rng.integers(0, 2, count)
            wait = np.where(speed < HALTED_SPEED, rng.uniform(0, 600, count), 0.0)
            self._lanes[lane] = [
                OnLane(
                    f"{lane}.{self.steps}.{i}", float(at[i]), float(speed[i]), float(wait[i]), QUEUE_SPACING
                )
                for i in range(count)
            ]
        return self._lanes[lane]

    def next_edge(self, vehicle: str, edge: str) -> str:
        """Any edge that can follow, the same for the same vehicle; sometimes none."""
        after = sorted(end for start, end in self._ends if start == edge)
        pick = sum(map(ord, vehicle)) % (len(after) + 1)
        return after[pick] if pick < len(after) else ""

    def priority_vehicles(self) -> Sequence[PriorityVehicle]:
        """The first vehicle of some lanes, an ambulance or a bus, on its way to the next edge."""
        out = []
        for lane in sorted(self.network.lanes):
            for vehicle in self.on_lane(lane)[:1]:
                kind = sum(map(ord, vehicle.id)) % 9
                edge = self.network.lanes[lane].edge
                onward = self.next_edge(vehicle.id, edge)
                if kind < 2 and onward:
                    vclass = ("bus", "emergency")[kind]
                    out.append(
                        PriorityVehicle(vehicle.id, vclass, vehicle.position, vehicle.speed, (edge, onward))
                    )
        return sorted(out)

    def vehicle_class(self, vehicle: str) -> str:
        """A third of them are motorcycles, the same vehicle always."""
        return "passenger" if sum(map(ord, vehicle)) % 3 else "motorcycle"

    def halted(self, lane: str) -> int:
        """Vehicles that stand on a lane."""
        return sum(vehicle.speed < HALTED_SPEED for vehicle in self.on_lane(lane))


def play(world: World, controller: Controller, seconds: float) -> None:
    """Run a controller on a world for ``seconds``; its plan becomes the network's program."""
    world.network = _network_for(controller, world.network)
    given = Snapshot(world.network).copy()
    policies = controller.start(given)
    for question in Simulation(world, world.begin + seconds, policies, sees=controller.sees, given=given):
        question.answer(policies[question.intersection.id](question.seen))


def check_controller(
    controller: Controller,
    network: Network | None = None,
    world: Callable[[], World] | None = None,
    *,
    seconds: float = 600.0,
    seed: int = 0,
) -> None:
    """Check a controller; a ControlError names the first fault and its likely cause.

    It must be a frozen dataclass that declares ``name`` and ``sees``, start with fresh memory each time,
    give the same answers to the same questions, leave its observations as they were, and answer legally on
    a corridor with traffic (seen as it is, by loops and by cameras), on an empty network and on random
    observations. ``network`` (default: a corridor of three signals) is used for the last two; ``world`` makes
    a further world to drive.
    """
    _check_description(controller)
    place = network or corridor(3)
    _check_start(controller, place)
    street = corridor(3)
    end = seconds / 2
    traffic = steady("W_0", 0.2, end) | steady("S0_0", 0.1, end) | steady("S1_0", 0.05, end)
    if network is None:
        _twice(controller, lambda: PointQueueWorld(street, traffic), seconds, "a corridor with traffic")
        _twice(controller, lambda: PointQueueWorld(street, {}), seconds, "an empty corridor")
        for sensing in (Loops(missed=0.2), Camera(missed=0.2)):
            setting = f"a corridor seen by {sensing.name}"
            _drive(controller, PointQueueWorld(street, traffic), end, setting, sensing)
    _twice(
        controller,
        lambda: NoiseWorld(place, np.random.default_rng(seed), most=0),
        seconds,
        "an empty network",
    )
    _twice(controller, lambda: NoiseWorld(place, np.random.default_rng(seed)), seconds, "random observations")
    if world is not None:
        _twice(controller, world, seconds, "the world given")


def _fault(controller: object, what: str, guess: str) -> ControlError:
    name = getattr(controller, "name", None) or getattr(controller, "__name__", type(controller).__name__)
    return ControlError(f"controller {name!r}: {what}; {guess}")


def _check_description(controller: Controller) -> None:
    if isinstance(controller, type):
        raise _fault(
            controller,
            "this is a class, not a controller",
            f"did you forget the (): {controller.__name__}()?",
        )
    if not is_dataclass(controller):
        raise _fault(controller, "it is not a dataclass", "write @dataclass(frozen=True) above its class")
    if not type(controller).__dataclass_params__.frozen:
        raise _fault(
            controller,
            "its dataclass is not frozen",
            "write @dataclass(frozen=True); memory belongs in start()",
        )
    if not isinstance(getattr(controller, "name", None), str) or not controller.name:
        raise _fault(controller, "it has no name", 'write name: ClassVar[str] = "…" in its class')
    sees = getattr(controller, "sees", None)
    if not isinstance(sees, frozenset):
        raise _fault(
            controller,
            "it does not say what it sees",
            'write sees: ClassVar[frozenset[str]] = frozenset({"vehicles"})',
        )
    if sees - SENSES:
        raise _fault(
            controller, f"it wants to see {min(sees - SENSES)!r}", f"there are: {', '.join(sorted(SENSES))}"
        )
    try:
        json.dumps(parameters(controller), allow_nan=False)
    except (TypeError, ValueError):
        raise _fault(
            controller,
            "its parameters are not plain values",
            "a run's manifest notes them: use numbers, text, lists",
        ) from None


def _check_start(controller: Controller, network: Network) -> None:
    try:
        policies = controller.start(_network_for(controller, network))
    except DenxanhError:
        raise
    except Exception as error:
        raise _fault(
            controller, f"start() raised {error!r}", "it gets the network and returns policies"
        ) from error
    if not isinstance(policies, Mapping):
        raise _fault(
            controller, f"start() gave {type(policies).__name__}", "return a dict: intersection id → policy"
        )
    for name, policy in policies.items():
        if name not in network.intersections:
            raise _fault(controller, f"it answers for {name!r}", "take the ids from network.intersections")
        if not callable(policy):
            raise _fault(
                controller,
                f"its policy for {name!r} cannot be called",
                "a policy takes an Observation and returns Green",
            )


def _network_for(controller: Controller, network: Network) -> Network:
    plan = capabilities(controller).make_plan(network)
    return network if plan is None else with_plan(network, plan)


def _twice(controller: Controller, make: Callable[[], World], seconds: float, setting: str) -> None:
    first, second = _drive(controller, make(), seconds, setting), _drive(controller, make(), seconds, setting)
    if first != second:
        different = next((a for a, b in zip(first, second, strict=False) if a != b), "their number")
        raise _fault(
            controller,
            f"on {setting} two runs of the same traffic differ (first at {different})",
            "does it keep memory outside start(), draw unseeded random numbers, or go through a set?",
        )


def _drive(
    controller: Controller, world: World, seconds: float, setting: str, sensing: Sensing | None = None
) -> Shown:
    world.network = _network_for(controller, world.network)
    given = Snapshot(world.network).copy()
    policies = controller.start(given)
    answers: Shown = []
    for question in Simulation(
        world, world.begin + seconds, policies, sees=controller.sees, sensing=sensing, given=given
    ):
        seen = question.seen
        before = [array.copy() for array in _arrays(seen)]
        spot = f"on {setting}, at {seen.intersection.id}, t={seen.time:g} s"
        try:
            answer = policies[seen.intersection.id](seen)
        except DenxanhError:
            raise
        except Exception as error:
            if "read-only" in str(error):
                raise _fault(
                    controller,
                    f"{spot} it changed its observation or its network ({error})",
                    "copy an array before writing to it",
                ) from error
            raise _fault(
                controller,
                f"{spot} it raised {error!r}",
                "does it expect a vehicle, a neighbour or a sense that is not there?",
            ) from error
        if any(not np.array_equal(a, b) for a, b in zip(before, _arrays(seen), strict=True)):
            raise _fault(
                controller, f"{spot} it changed its observation", "copy an array before writing to it"
            )
        try:
            question.answer(answer)
        except ControlError as error:
            guess = (
                "ask seen.minimum_left before leaving a phase"
                if "minimum" in str(error)
                else "see denxanh.sim.controller.Green"
            )
            raise _fault(controller, f"on {setting}: {error}", guess) from None
        answers.append((seen.time, seen.intersection.id, repr((int(answer.phase), float(answer.seconds)))))
    return answers


def _arrays(seen: Any) -> list[Any]:
    vehicles = seen.vehicles
    return [
        vehicles.approach,
        vehicles.link,
        vehicles.distance,
        vehicles.speed,
        vehicles.wait,
        vehicles.length,
        seen.exit_count,
        seen.exit_halted,
        seen.exit_room,
        seen.red,
    ]
