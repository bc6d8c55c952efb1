"""Commands on the results of an experiment: ``query``, ``table``, ``verify``, ``export``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from denxanh.experiments.cli.arguments import WALL_LIMIT, LimitOption, OutOption

FolderArgument = Annotated[Path, typer.Argument(metavar="DIR", help="The folder of an experiment.")]


def install(app: typer.Typer) -> None:
    """Add these commands to the program."""
    for command in (query, table, verify, export):
        app.command()(command)


def query(
    folder: FolderArgument,
    sql: Annotated[
        str, typer.Argument(metavar="SQL", help="Over runs, vehicles, intervals, signals, edges.")
    ],
) -> None:
    """Ask an experiment's results in SQL."""
    from denxanh.experiments.cli import printing
    from denxanh.experiments.results.query import query as ask

    printing.print_table(*ask(folder, sql))


def table(
    folder: FolderArgument,
    metric: Annotated[str, typer.Option(help="A metric of docs/metrics.md.")] = "delay_s",
    csv: Annotated[bool, typer.Option("--csv", help="CSV instead of Markdown.")] = False,
) -> None:
    """Print controllers against places for one metric, and mark those not distinguishable from the best."""
    from denxanh.experiments.results.pivot import as_csv, markdown, pivot
    from denxanh.experiments.results.run_tables import read_rows

    found = pivot(read_rows(folder), metric)
    typer.echo(as_csv(found) if csv else markdown(found), nl=not csv)


def verify(
    folder: FolderArgument,
    sample: Annotated[int, typer.Option(min=0, help="How many runs to do again.")] = 3,
    seed: Annotated[int, typer.Option(min=0, help="Which ones.")] = 1,
    limit: LimitOption = WALL_LIMIT,
) -> None:
    """Verify the files of every run, and repeat a sample of runs to compare their hashes."""
    from denxanh.experiments.cli import printing
    from denxanh.experiments.results.verify import verify as check_again
    from denxanh.experiments.specification.run_options import Limits

    found = check_again(
        folder, sample=sample, seed=seed, limits=Limits(limit), on_verdict=printing.print_verdict
    )
    printing.print_verification(found)
    if any(verdict.state != "same" for verdict in found):
        raise typer.Exit(1)


def export(
    folder: FolderArgument,
    csv: Annotated[bool, typer.Option("--csv", help="Every table as CSV.")] = False,
    netcdf: Annotated[bool, typer.Option("--netcdf", help="The runs as NetCDF.")] = False,
    out: OutOption = None,
) -> None:
    """Write an experiment's results for other programs."""
    from denxanh.experiments.results.export import export_csv, export_netcdf
    from denxanh.sim.errors import InputError

    if not csv and not netcdf:
        raise InputError("no format is named", remedy="give --csv or --netcdf")
    target = out or folder / "export"
    written = [
        *(export_csv(folder, target) if csv else []),
        *([export_netcdf(folder, target)] if netcdf else []),
    ]
    for path in written:
        typer.echo(path)
