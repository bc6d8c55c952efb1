"""A run of SUMO under policies that misbehave: ``python safety_sumo.py SCENARIO FOLDER SEED BACKEND LEGAL``.

A process of its own, since a process simulates once. LEGAL is the share of legal answers: 1 for random but
legal ones to the end, less for policies that fail sooner or later, each in its way.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from safety_fuzz import fuzzing

from denxanh.networks.scenarios import open_scenario
from denxanh.sim.controller import Policy
from denxanh.sim.network import Network
from denxanh.sim.run.run import Run, execute


@dataclass(frozen=True)
class Misbehaving:
    """Random answers, ``legal`` of them legal."""

    name: ClassVar[str] = "misbehaving"
    sees: ClassVar[frozenset[str]] = frozenset({"vehicles", "exits"})

    seed: int
    legal: float

    def start(self, network: Network) -> Mapping[str, Policy]:
        """Each intersection has random numbers of its own."""
        return {
            name: fuzzing(np.random.default_rng([self.seed, i]), self.legal)
            for i, name in enumerate(network.intersections)
        }


def main(place: str, folder: str, seed: str, backend: str, legal: str) -> None:
    """One run."""
    controller = Misbehaving(int(seed), float(legal))
    execute(Run(open_scenario(place), int(seed), backend), controller, Path(folder))


if __name__ == "__main__":
    main(*sys.argv[1:])
