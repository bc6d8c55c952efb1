"""The process that simulates a stored run again up to one decision, with its own strategy, and notes that decision."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np

from denxanh.experiments.explain.explanation import REFUSED
from denxanh.experiments.specification.controllers import make_controller
from denxanh.sim.controller import Controller, Green, Observation, Policy
from denxanh.sim.errors import DenxanhError, InputError, RunError
from denxanh.sim.network import Network
from denxanh.sim.run.preparation import prepare_run
from denxanh.sim.run.run import Run, open_simulation, open_world
from denxanh.sim.run.store import read_manifest, read_table
from denxanh.sim.scenario import Scenario
from denxanh.sim.sensing import SENSINGS
from denxanh.sim.signals.rules import Rules
from denxanh.sim.sumo import run_input
from denxanh.sim.sumo.outputs import read_signals
from denxanh.sim.world import HALTED_SPEED


class Noted:
    """The strategy ``inner``, with all that it declares; the last decision at one signal up to a time is kept."""

    def __init__(self, inner: Controller, signal: str, time: float) -> None:
        self._inner, self._signal, self._time = inner, signal, time
        self.decision: dict[str, Any] = {}
        self.passed = False  # the signal was asked after the time

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def start(self, network: Network) -> Mapping[str, Policy]:
        """Its policies, that of the signal noted."""
        policies = dict(self._inner.start(network))
        if self._signal in policies:
            policies[self._signal] = self._noted(policies[self._signal])
        return policies

    def _noted(self, policy: Policy) -> Policy:
        def decide(seen: Observation) -> Green:
            answer = policy(seen)
            if seen.time <= self._time:
                explain = getattr(policy, "explain", None)
                self.decision = _described(seen, answer) | {"reasons": explain() if explain else None}
            else:
                self.passed = True
            return answer

        return decide


def main() -> None:
    """Carry out the job that the command line names."""
    job = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    try:
        answer = decision(job)
    except InputError as error:
        print(error, file=sys.stderr)
        sys.exit(REFUSED)
    except DenxanhError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    Path(job["answer"]).write_text(json.dumps(answer), encoding="utf-8")


def decision(job: Mapping[str, Any]) -> dict[str, Any]:
    """The last decision at the job's signal up to its time, as JSON data."""
    folder, signal = Path(job["folder"]), job["signal"]
    manifest = read_manifest(folder)
    if manifest is None:
        raise InputError("there is no complete run here", location=str(folder))
    kinds = {kind.name: kind for kind in SENSINGS}
    sensing = dict(manifest["sensing"])
    run = Run(
        Scenario.from_json(job["scenario"]),
        manifest["seed"],
        manifest["backend"],
        manifest["warm_up_s"],
        manifest["flush_s"],
        movements=manifest["movements"],
        sensing=kinds[sensing.pop("name")](**sensing),
        rules=Rules(**manifest["safety"]),
    )
    noted = Noted(make_controller(manifest["controller"], manifest["parameters"]), signal, job["time"])
    prepared = prepare_run(run, cast(Controller, noted), Path(job["work"]))
    if signal not in prepared.policies:
        raise InputError(
            f"{manifest['controller']!r} does not control {signal!r}, which runs its program",
            location=str(folder),
            remedy="choose a run whose strategy controls it",
        )
    os.chdir(job["work"])
    world = open_world(prepared)
    for question in open_simulation(prepared, world):
        prepared.supervisor.answer(question)
        if noted.passed:
            break
    world.close()
    if not noted.decision:
        raise InputError(
            f"{signal!r} was not asked up to {job['time']:g} s",
            location=str(folder),
            remedy="give a later time",
        )
    _check_same(folder, float(noted.decision["time_s"]))
    named = {name: manifest[name] for name in ("place", "controller", "seed")}
    return {**named, "signal": signal, "wanted_s": job["time"], **noted.decision}


def _described(seen: Observation, answer: Green) -> dict[str, Any]:
    """What was seen and answered: the phases, and of each lane before the stop line its vehicles."""
    vehicles, phases = seen.vehicles, seen.intersection.phases
    lanes = []
    for i, approach in enumerate(seen.intersection.approaches):
        here = vehicles.approach == i
        standing = here & (vehicles.speed < HALTED_SPEED)
        lanes.append(
            {
                "lane": approach.lane,
                "standing": int(standing.sum()),
                "moving": int((here & ~standing).sum()),
                "longest_wait_s": float(vehicles.wait[here].max()) if here.any() else 0.0,
                "green": any(phases[seen.phase].serves(link) for link in approach.links),
            }
        )
    return {
        "time_s": seen.time,
        "phase": seen.phase,
        "green_s": seen.elapsed,
        "minimum_left_s": seen.minimum_left,
        "phases": [phase.state for phase in phases],
        "lanes": lanes,
        "answer": {"phase": int(answer.phase), "seconds": float(answer.seconds)},
    }


def _check_same(folder: Path, until: float) -> None:
    """Raise RunError unless all signals showed until then what they showed in the stored run."""
    tables: tuple[Mapping[str, Any], ...] = (
        read_table(folder / "signals.parquet"),
        read_signals(Path(run_input.SIGNALS)),
    )
    stored, again = (
        sorted(
            (float(table["time_s"][k]), str(table["signal"][k]), str(table["state"][k]))
            for k in np.flatnonzero(np.asarray(table["time_s"]) <= until)
        )
        for table in tables
    )
    if stored != again:
        raise RunError(
            f"the repetition of the run in {folder} differs from it before {until:g} s: it was made with another "
            "version of denxanh or SUMO, or with input that has changed; run it again"
        )


if __name__ == "__main__":
    main()
