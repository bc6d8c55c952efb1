"""Runs of SUMO under controllers that reach for what is not theirs: ``python safety_reach.py SCENARIO FOLDER``.

Each runs in a fork of its own, since a process simulates once; FOLDER/NUMBER.json has its name and what became of it:
"" for a complete run, else the kind of the error and its text.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from denxanh.networks.scenarios import open_scenario
from denxanh.sim.controller import Green, Observation, Policy
from denxanh.sim.errors import DenxanhError
from denxanh.sim.network import Intersection, Network
from denxanh.sim.network_reader import timings
from denxanh.sim.plan import Plan
from denxanh.sim.run.run import Run, execute

END = 100.0  # s
Trick = Callable[[Any], None]


def _nothing(_: Any) -> None:
    pass


@dataclass(frozen=True)
class Tricks:
    """What a controller does at points of the run beside its work."""

    at_start: Trick = _nothing  # gets the network
    at_plan: Trick | None = None  # the same
    at_question: Trick = _nothing  # gets the observation, from t = 30 s on
    seconds: float = 0.0  # of green that it asks for; 0 for the minimum
    backend: str = "libsumo"


@dataclass(frozen=True)
class Reaching:
    """Asks for the next phase as soon as it may, and plays the tricks of a case."""

    name: ClassVar[str] = "reaching"
    sees: ClassVar[frozenset[str]] = frozenset({"vehicles"})

    case: str

    def make_plan(self, network: Network) -> Plan | None:
        """The network's own plan, where a trick is played with it."""
        trick = CASES[self.case].at_plan
        if trick is None:
            return None
        plan = Plan(timings(network))
        trick(network)
        return plan

    def start(self, network: Network) -> Mapping[str, Policy]:
        """The same policy everywhere."""
        CASES[self.case].at_start(network)
        return dict.fromkeys(network.intersections, self._decide)

    def _decide(self, seen: Observation) -> Green:
        tricks = CASES[self.case]
        if seen.time >= 30.0:
            tricks.at_question(seen)
        phase = (seen.phase + 1) % len(seen.intersection.phases)
        return Green(phase, tricks.seconds or seen.least_green(phase))


def _spoil(intersection: Intersection) -> None:
    """All links may be green together, at once, in every phase."""
    n = intersection.n_links
    for name, value in (
        ("foes", np.zeros((n, n), dtype=bool)),
        ("yields", np.zeros((n, n), dtype=bool)),
        ("yellow", 0.0),
        ("all_red", 0.0),
        ("clearance", None),
        ("crossings", {}),
    ):
        object.__setattr__(intersection, name, value)
    for phase in intersection.phases:
        object.__setattr__(phase, "state", "G" * n)
        object.__setattr__(phase, "min_green", 1.0)
    for stage in intersection.program.stages:
        object.__setattr__(stage, "state", "G" * n)
        object.__setattr__(stage, "change", ())


def _all(network: Network) -> None:
    for intersection in network.intersections.values():
        _spoil(intersection)


def _found_by_gc(_: Any) -> None:
    for thing in gc.get_objects():
        if isinstance(thing, Intersection):
            _spoil(thing)


def _clear(network: Network) -> None:
    for intersection in network.intersections.values():
        intersection.foes[:] = False


def _writable(network: Network) -> None:
    for intersection in network.intersections.values():
        intersection.foes.flags.writeable = True


def _remove(network: Network) -> None:
    network.intersections.clear()  # type: ignore[attr-defined]


def _lane(network: Network) -> None:
    network.lanes["A0B0_0"] = network.lanes["B0A0_0"]  # type: ignore[index]


def _no_minimum(network: Network) -> None:
    for intersection in network.intersections.values():
        for phase in intersection.phases:
            object.__setattr__(phase, "min_green", 0.0)


def _seen(seen: Observation) -> None:
    seen.red[:] = 0.0


def _quietly(call: Callable[[Any], Any]) -> Trick:
    """The trick of a controller that hides the errors it gets."""

    def trick(argument: Any) -> None:
        with contextlib.suppress(Exception):
            call(argument)

    return trick


def _libsumo(name: str, *values: Any) -> Trick:
    def call(_: Any) -> None:
        import libsumo

        target: Any = libsumo
        for part in name.split("."):
            target = getattr(target, part)
        target(*values)

    return _quietly(call)


def _vehicle(name: str, *values: Any) -> Trick:
    def call(_: Any) -> None:
        import libsumo

        getattr(libsumo.vehicle, name)(libsumo.vehicle.getIDList()[0], *values)

    return _quietly(call)


_kept: dict[str, Any] = {}


def _keep(_: Any) -> None:
    """Functions of libsumo as they are before SUMO starts."""
    import libsumo

    raw = libsumo.libsumo._libsumo
    _kept["step"], _kept["show"] = raw.simulation_step, raw.trafficlight_setRedYellowGreenState


def _listen(_: Any) -> None:
    import libsumo

    class Listener(libsumo.StepListener):  # type: ignore[misc]
        def step(self, t: float = 0) -> bool:
            libsumo.trafficlight.setRedYellowGreenState("A0", "G" * 20)
            return True

    libsumo.addStepListener(Listener())


def _connection(call: Callable[[Any], Any]) -> Trick:
    def trick(_: Any) -> None:
        from traci.connection import Connection

        for thing in gc.get_objects():
            if isinstance(thing, Connection):
                call(thing)

    return _quietly(trick)


CASES: dict[str, Tricks] = {
    "honest": Tricks(),
    "honest by traci": Tricks(backend="traci"),
    "clears foes": Tricks(at_start=_clear),
    "makes foes writable": Tricks(at_start=_writable),
    "clears foes in its plan": Tricks(at_plan=_clear),
    "removes intersections": Tricks(at_start=_remove),
    "replaces a lane": Tricks(at_start=_lane),
    "replaces all at the start": Tricks(at_start=_all),
    "replaces all in its plan": Tricks(at_plan=_all),
    "replaces all by gc at the start": Tricks(at_start=_found_by_gc),
    "replaces all by gc in its plan": Tricks(at_plan=_found_by_gc),
    "replaces all while it runs": Tricks(at_question=lambda seen: _spoil(seen.intersection)),
    "replaces all by gc while it runs": Tricks(at_question=_found_by_gc),
    "has no minimum green": Tricks(at_start=_no_minimum, seconds=1.0),
    "writes into what it sees": Tricks(at_question=_seen),
    "advances SUMO": Tricks(at_question=_libsumo("simulationStep")),
    "advances SUMO as a domain": Tricks(at_question=_libsumo("simulation.step")),
    "sets a signal": Tricks(at_question=_libsumo("trafficlight.setRedYellowGreenState", "A0", "G" * 20)),
    "sets a program": Tricks(at_question=_libsumo("trafficlight.setProgram", "A0", "0")),
    "stops a vehicle": Tricks(at_question=_vehicle("setSpeed", 0.0)),
    "removes a vehicle": Tricks(at_question=_vehicle("remove")),
    "closes SUMO": Tricks(at_question=_libsumo("close")),
    "keeps the step": Tricks(at_start=_keep, at_question=lambda _: _kept["step"](0.0)),
    "keeps the signal": Tricks(at_start=_keep, at_question=lambda _: _kept["show"]("B0", "r" * 8 + "G" * 8)),
    "listens to steps": Tricks(at_start=_listen),
    "advances the world": Tricks(at_question=lambda seen: seen.onward.__self__.advance(int(seen.time) + 5)),
    "shows by the world": Tricks(at_question=lambda seen: seen.onward.__self__.show("B0", "r" * 8 + "G" * 8)),
    "advances by traci": Tricks(at_question=_connection(lambda c: c.simulationStep()), backend="traci"),
    "sets a signal by traci": Tricks(
        at_question=_connection(lambda c: c.trafficlight.setPhase("A0", 0)), backend="traci"
    ),
    "removes a vehicle by traci": Tricks(
        at_question=_connection(lambda c: c.vehicle.remove(c.vehicle.getIDList()[0])), backend="traci"
    ),
}


def _outcome(place: str, folder: Path, case: str) -> str:
    folder.mkdir()
    scenario = replace(open_scenario(place), end=END)
    try:
        execute(Run(scenario, 1, CASES[case].backend), Reaching(case), folder)  # type: ignore[arg-type]
    except DenxanhError as error:
        return f"{type(error).__name__}: {error}"
    except Exception as error:
        return f"raised {type(error).__name__}: {error}"
    return ""


def main(place: str, folder: str) -> None:
    """All cases, one after another."""
    for number, case in enumerate(CASES):
        target = Path(folder) / str(number)
        pid = os.fork()
        if pid == 0:
            text = _outcome(place, target, case)
            Path(folder, f"{number}.json").write_text(json.dumps([case, text]), encoding="utf-8")
            os._exit(0)
        os.waitpid(pid, 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
