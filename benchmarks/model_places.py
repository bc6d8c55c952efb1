"""Places that nothing was fitted on, made by SUMO's netgenerate and randomTrips, for the benchmarks of the model."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from denxanh.sim.sumo.wheel import run_program, sumo_environment, sumo_home

RESCO = Path(__file__).resolve().parents[2] / "shared" / "data" / "resco"
LENT = ("grid4x4", "cologne1", "cologne3", "ingolstadt1", "arterial4x4")


@dataclass(frozen=True)
class Recipe:
    """How to make a place: netgenerate's own options, and the mean time between two departures, s."""

    options: str
    period: float
    seed: int = 42


RECIPES = {
    "grid3": Recipe("--grid --grid.number 3 --grid.length 180 --grid.attach-length 180 -L 2", 1.5),
    "pockets": Recipe(
        "--grid --grid.x-number 4 --grid.y-number 2 --grid.length 220 --grid.attach-length 220 -L 2 "
        "--turn-lanes 1 --turn-lanes.length 60",
        1.2,
    ),
    "spider": Recipe("--spider --spider.arm-number 5 --spider.circle-number 2 --spider.space-radius 150 -L 2", 1.9),
    "random": Recipe("--rand --rand.iterations 40 --seed 11 -L 2", 2.4),
    "street": Recipe("--grid --grid.x-number 5 --grid.y-number 1 --grid.length 250 --grid.attach-length 200 -L 1", 2.4),
}  # fmt: skip


def folder_of(name: str, into: Path) -> Path:
    """The folder of a lent place, or of a generated one, which is made in ``into`` if it is not there."""
    if name in LENT:
        return RESCO / name
    return generate(name, RECIPES[name], into / name)


def generate(name: str, recipe: Recipe, folder: Path, *, end: float = 3600.0) -> Path:
    """Make a place; the same every time. ``end``: s of departures."""
    config = folder / f"{name}.sumocfg"
    if config.exists():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    net, routes = f"{name}.net.xml", f"{name}.rou.xml"
    fixed = ["-j", "traffic_light", "--tls.yellow.time", "3", "--no-turnarounds", "-o", net]
    run_program("netgenerate", [*recipe.options.split(), *fixed], folder=folder)
    tool = sumo_home() / "tools" / "randomTrips.py"
    subprocess.run(
        [
            *(
                sys.executable,
                str(tool),
                "-n",
                net,
                "-o",
                "trips.xml",
                "-r",
                routes,
                "-b",
                "0",
                "-e",
                str(end),
            ),
            *("-p", str(recipe.period), "--fringe-factor", "10", "--seed", str(recipe.seed), "--validate"),
        ],
        cwd=folder,
        env=sumo_environment(),
        check=True,
        capture_output=True,
    )
    config.write_text(
        f'<configuration><input><net-file value="{net}"/><route-files value="{routes}"/></input>'
        f'<time><begin value="0"/><end value="{end:g}"/></time></configuration>\n',
        encoding="utf-8",
    )
    return folder
