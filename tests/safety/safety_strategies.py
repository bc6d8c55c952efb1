"""Runs of SUMO under many strategies, each in a fork: ``python safety_strategies.py PLACE FOLDER END NAME…``.

Each leaves its results in FOLDER/number; what a strategy refuses stands in FOLDER/number.txt.
"""

import os
import sys
import traceback
from pathlib import Path

from denxanh.controllers.registry import make_controller, parse_controller
from denxanh.experiments.specification.controllers import preload
from denxanh.networks.scenarios import open_scenario
from denxanh.sim.errors import DenxanhError
from denxanh.sim.run.run import Run, execute


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
