"""Commands that make places and measure traffic: ``import osm``, ``calibrate saturation``, ``warmup``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import_app = typer.Typer(no_args_is_help=True, help="Make a place from other people's data.")
calibrate_app = typer.Typer(no_args_is_help=True, help="Measure what the traffic does in SUMO.")


def install(app: typer.Typer) -> None:
    """Add these commands to the program."""
    app.add_typer(import_app, name="import")
    app.add_typer(calibrate_app, name="calibrate")
    app.command("warmup")(warmup)


@import_app.command("osm")
def import_osm(
    source: Annotated[Path, typer.Argument(metavar="FILE", help="An extract: .osm or .osm.gz.")],
    name: Annotated[str, typer.Option("--name", help="What the place is to be called.")],
    bbox: Annotated[str, typer.Option(metavar="W,S,E,N", help="Only this part, degrees.")] = "",
    saturation: Annotated[
        float, typer.Option(help="Degree of saturation that the synthetic demand stays below.")
    ] = 0.5,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the synthetic demand.")] = 1,
    out: Annotated[Path | None, typer.Option("--out", help="Folder of the place; default: its name.")] = None,
) -> None:
    """Make a place from OpenStreetMap: network, signals, a plan, a demand to start with, a report of guesses."""
    from networks.osm import import_osm as run_import

    folder = out or Path(name)
    report = run_import(
        source,
        folder,
        name=name,
        bbox=_degrees(bbox) if bbox else None,
        saturation=saturation,
        seed=seed,
    )
    typer.echo(
        f"{report.signals} signals, {report.edges} edges, {report.vehicles} vehicles (synthetic demand)"
    )
    typer.echo(f"place: {folder / 'place.sumocfg'}   what was guessed: {folder / 'about.md'}")


@calibrate_app.command("saturation")
def calibrate_saturation(
    seeds: Annotated[int, typer.Option(min=1, help="Seeds 1…N of each measurement.")] = 10,
    jobs: Annotated[int, typer.Option(min=1, help="Measurements side by side.")] = 1,
) -> None:
    """Measure saturation flow, start-up lost time and equivalents of the shipped vehicle types at a stop line."""
    from networks.calibrate_report import saturation

    saturation(range(1, seeds + 1), jobs=jobs, tell=typer.echo)


def warmup() -> None:
    """Compile the queue model now (once per machine), so that the first 'optimize' need not."""
    from sim.model.warmup import warmup as compile_model

    typer.echo(f"the queue model is ready ({compile_model():.1f} s)")


def _degrees(text: str) -> tuple[float, float, float, float]:
    from sim.errors import InputError

    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError:
        raise InputError(
            f"--bbox {text!r} is not four numbers", remedy="write west,south,east,north"
        ) from None
    return west, south, east, north
