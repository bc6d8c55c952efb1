"""Seven kinds of generated networks: the seed draws the size, the lengths, the lanes, the cycle and the demand.

An arterial and one-way streets are places (denxanh.networks.build.generators) with a demand by degree of saturation;
the others are built by SUMO's netgenerate, with the demand of an imported network without traffic: cars between the
ends of the streets, tried in SUMO under the network's own programs and reduced where it jams. One version of SUMO gives
one network for a kind and a seed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from denxanh.networks.build import building, generators, place_folder
from denxanh.networks.importing import starting_demand
from denxanh.networks.importing.import_report import ImportNotes
from denxanh.networks.importing.starting_demand import Demand
from denxanh.networks.place.place import Place
from denxanh.sim.errors import InputError
from denxanh.sim.input.limits import SEED, check_seeds, whole_number
from denxanh.sim.language.text import Text
from denxanh.sim.sumo import wheel
from denxanh.sim.sumo.xmlfile import parse
from denxanh.sim.text_values import did_you_mean

PREFIX = "generated/"
DURATION = 3600  # s
# of nearly every approach, before the demand is tried: strategies differ where greens are scarce
SATURATION = 0.7
_DRAFT = "draft.net.xml"
_LICENCE = Text("Generated, free to use.", "Được tạo tự động, sử dụng tự do.")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of generated network: its title, and a place or netgenerate's options as drawn by a seed."""

    title: str
    draw: Callable[[np.random.Generator], Place | dict[str, str]]


def _grid(columns: int, rows: int, length: float, *, lanes: int) -> dict[str, str]:
    return {
        "--grid": "",
        "--grid.x-number": f"{columns}",
        "--grid.y-number": f"{rows}",
        "--grid.length": f"{length:.0f}",
        "--grid.attach-length": f"{length:.0f}",
        "--default.lanenumber": f"{lanes}",
        "--default-junction-type": "traffic_light",
    }


def _plain_grid(rng: np.random.Generator) -> dict[str, str]:
    columns, rows = rng.integers(2, 5, 2)
    return _grid(columns, rows, rng.uniform(150, 300), lanes=int(rng.integers(1, 3)))


def _arterial(rng: np.random.Generator) -> Place:
    return generators.arterial(
        int(rng.integers(3, 8)),
        spacing=float(rng.integers(18, 40) * 10),
        lanes=int(rng.integers(2, 4)),
        cycle=float(rng.integers(6, 10) * 10),
        saturation=SATURATION,
        mix=starting_demand.CARS,
        seed=int(rng.integers(SEED)),
    )


def _one_way(rng: np.random.Generator) -> Place:
    columns, rows = rng.integers(2, 5, 2)
    return generators.grid(
        int(columns),
        int(rows),
        spacing=float(rng.integers(12, 25) * 10),
        oneway=True,
        cycle=float(rng.integers(5, 9) * 10),
        saturation=SATURATION,
        mix=starting_demand.CARS,
        seed=int(rng.integers(SEED)),
    )


def _left_hand(rng: np.random.Generator) -> dict[str, str]:
    return _plain_grid(rng) | {"--lefthand": ""}


def _turn_lanes(rng: np.random.Generator) -> dict[str, str]:
    columns, rows = rng.integers(1, 4, 2)
    return _grid(columns, rows, rng.uniform(220, 350), lanes=2) | {
        "--turn-lanes": "1",
        "--turn-lanes.length": f"{rng.uniform(40, 90):.0f}",
        "--tls.left-green.time": "8",
    }


def _spider(rng: np.random.Generator) -> dict[str, str]:
    length = f"{rng.uniform(130, 220):.0f}"
    return {
        "--spider": "",
        "--spider.arm-number": f"{rng.integers(4, 8)}",
        "--spider.circle-number": f"{rng.integers(2, 4)}",
        "--spider.space-radius": length,
        "--spider.attach-length": length,
        "--spider.omit-center": "",
        "--default.lanenumber": "2",
    }


def _random(rng: np.random.Generator) -> dict[str, str]:
    return {
        "--rand": "",
        "--rand.iterations": f"{rng.integers(30, 60)}",
        "--rand.min-distance": "150",
        "--rand.max-distance": f"{rng.uniform(220, 350):.0f}",
        "--rand.neighbor-dist1": "2",
        "--rand.neighbor-dist3": "6",
        "--rand.neighbor-dist4": "10",
        "--default.lanenumber": "2",
        "--seed": f"{rng.integers(1, 10**6)}",
    }


KINDS = {
    "grid": Kind("two-way grid", _plain_grid),
    "arterial": Kind("arterial with cross streets of one lane", _arterial),
    "one-way": Kind("grid of one-way streets, alternating in direction", _one_way),
    "left-hand": Kind("two-way grid, traffic on the left", _left_hand),
    "turn-lanes": Kind("grid with left-turn lanes and stages of their own", _turn_lanes),
    "spider": Kind("rings and spokes", _spider),
    "random": Kind("random streets, junctions of three and four arms", _random),
}
"""The kinds by name."""


def read_name(text: str) -> tuple[str, int]:
    """Kind and seed of a name as ``generated/grid:3``. Raises InputError."""
    kind, colon, number = text.removeprefix(PREFIX).partition(":")
    if not (text.startswith(PREFIX) and colon and number.isascii() and number.isdigit()):
        raise InputError(
            f"{text!r} is no generated network", remedy="write generated/KIND:SEED, as generated/grid:1"
        )
    if kind not in KINDS:
        raise InputError(f"there is no kind {kind!r} of generated networks", remedy=did_you_mean(kind, KINDS))
    seed = whole_number(number, text)
    check_seeds([seed], location=text)
    return kind, seed


def build(kind: str, seed: int, folder: Path) -> None:
    """Write network, demand and configuration of a generated network into a new ``folder``.

    Raises InputError for a folder that is not empty, and ProgramError where netgenerate fails.
    """
    drawn = KINDS[kind].draw(np.random.default_rng([seed, list(KINDS).index(kind)]))
    with place_folder.new_folder(folder) as draft:
        if isinstance(drawn, Place):
            building.write_place(drawn, draft, fidelity="lane")
        else:
            _write_netgenerate(kind, seed, drawn, draft)


def _write_netgenerate(kind: str, seed: int, options: dict[str, str], folder: Path) -> None:
    arguments = [part for pair in options.items() for part in pair if part]
    whole = [*arguments, "--no-turnarounds", "true", "--tls.guess", "true", *starting_demand.SIGNALS]
    wheel.run_program("netgenerate", [*whole, "--output-file", _DRAFT], folder=folder)
    net = parse(folder / _DRAFT, kind="network file")
    (folder / _DRAFT).unlink()
    title = f"{PREFIX}{kind}:{seed}, {KINDS[kind].title}, by netgenerate of SUMO {wheel.sumo_version()}"
    demand = Demand(SATURATION, DURATION, seed, mix=starting_demand.CARS)
    config = place_folder.config_name(f"{kind}-{seed}")
    notes = ImportNotes()
    outline = starting_demand.write_place(net, folder, config, comment=title, demand=demand, notes=notes)
    outline.report(f"{kind}-{seed}", title, _LICENCE).write(folder)
