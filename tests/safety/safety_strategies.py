"""Runs of SUMO under many strategies, each in a fork: ``python safety_strategies.py PLACE FOLDER END NAME…``.

Each leaves its results in FOLDER/number; what a strategy refuses stands in FOLDER/number.txt. ``labels`` names every
strategy of the registry with the files that it needs, and every layer over each of them.
"""

import json
import os
import sys
import traceback
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

from denxanh.controllers.layers.layer import Layer
from denxanh.controllers.learned.policy import Policy
from denxanh.controllers.registry import controllers, load, make_controller, parse_controller
from denxanh.experiments.specification.controllers import preload
from denxanh.networks.scenarios import open_scenario
from denxanh.sim.controller import capabilities
from denxanh.sim.errors import DenxanhError
from denxanh.sim.network_reader import load_network
from denxanh.sim.plan import Plan
from denxanh.sim.run.run import Run, execute


def labels(net, folder, begin=0.0):
    """(strategies, layers over them) on the signals of ``net``; the files that they name are written to ``folder``.

    In a run from ``begin`` (s) on, the plan of the day changes, and the police hold a phase for 90 s.
    """
    network = load_network(net)
    timings = {name: intersection.program for name, intersection in network.intersections.items()}
    later = {name: replace(timing, offset=timing.offset + 17.0) for name, timing in timings.items()}
    for name, plan in (("morning", timings), ("evening", later)):
        (folder / f"{name}.json").write_text(json.dumps(Plan(plan).to_json()), encoding="utf-8")
    switch = int(begin + 60.0) // 60  # min: the second plan begins a minute or two after the run
    day = [
        {"from": "00:00", "plan": "morning.json"},
        {"from": f"{switch // 60:02d}:{switch % 60:02d}", "plan": "evening.json"},
    ]
    (folder / "day.json").write_text(json.dumps(day), encoding="utf-8")
    programs = ElementTree.Element("additional")
    for logic in ElementTree.parse(net).iter("tlLogic"):
        logic.set("programID", "of-a-file")
        programs.append(logic)
    ElementTree.ElementTree(programs).write(folder / "programs.add.xml")
    chosen = folder / "policy.safetensors"
    layers_of = {
        "phi.0.weight": [[1.0]],
        "rho.0.weight": [[1.0, 0.0, -0.5, 0.0]],
    }  # the longest queue, with inertia
    Policy.save(chosen, layers_of, observe="queue", kind="equivariant")
    needed = {
        "conventional": f"conventional:plan={folder / 'morning.json'}",
        "policy": f"policy:file={chosen}",
        "fixed-time": f"fixed-time:plan={folder / 'morning.json'}",
        "time-of-day": f"time-of-day:schedule={folder / 'day.json'}",
        "sumo-program": f"sumo-program:file={folder / 'programs.add.xml'}",
    }
    held = min(network.intersections)
    options = {"police": f"hold={held}@1@{begin + 60:g}-{begin + 150:g},"}
    names = [name for name in sorted(controllers()) if not issubclass(load(name), Layer)]
    strategies = [needed.get(name, name) for name in names]
    below = [
        label
        for label in strategies
        if not capabilities(make_controller(*parse_controller(label))).runs_in_sumo
    ]
    layers = [name for name in sorted(controllers()) if issubclass(load(name), Layer)]
    return strategies, [f"{name}:{options.get(name, '')}over={label}" for name in layers for label in below]


def one_of_each_family(layers):
    """Of the labels of ``layers`` the first over each family of strategies, a folder of ``denxanh.controllers``."""
    chosen = {}
    for label in layers:
        name, values = parse_controller(label)
        below, _ = parse_controller(values["over"])
        chosen.setdefault((name, load(below).__module__.split(".")[2]), label)
    return list(chosen.values())


def main(place: str, folder: str, end: str, *names: str) -> None:
    """All runs, one after the other; what is imported is imported once."""
    preload()
    scenario = open_scenario(place, end=float(end))
    for number, name in enumerate(names):
        if (child := os.fork()) == 0:
            _one(scenario, name, Path(folder) / str(number))
        os.waitpid(child, 0)


def _one(scenario, name, folder):
    folder.mkdir()
    try:
        execute(Run(scenario, 1), make_controller(*parse_controller(name)), folder.resolve())
    except DenxanhError as error:
        folder.with_suffix(".txt").write_text(str(error), "utf-8")
    except BaseException:
        folder.with_suffix(".txt").write_text(traceback.format_exc(), "utf-8")
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
