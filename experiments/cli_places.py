"""Commands that make places and measure traffic: ``import``, ``calibrate saturation``, ``counts``, ``warmup``."""

from __future__ import annotations

from typing import Annotated

import typer

from experiments import cli_import
from experiments.cli_counts import counts

calibrate_app = typer.Typer(no_args_is_help=True, help="Measure what the traffic does in SUMO.")


def install(app: typer.Typer) -> None:
    """Add these commands to the program."""
    app.add_typer(cli_import.app, name="import")
    app.add_typer(calibrate_app, name="calibrate")
    app.command("counts")(counts)
    app.command("warmup")(warmup)


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
