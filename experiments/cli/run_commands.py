"""Commands that run controllers on one place: ``run`` and ``compare``."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from denxanh.experiments.cli.arguments import (
    DaysOption,
    EndOption,
    JobsOption,
    OutOption,
    PlaceArgument,
    SensingOption,
    command_line,
    default_out,
    parse_seeds,
    read_days,
    read_end,
)
from denxanh.experiments.cli.option_groups import declared_options, with_options
from denxanh.experiments.specification.run_options import RunOptions
from denxanh.sim.input.limits import SEED

_RUN_OPTIONS = declared_options(RunOptions)


def install(app: typer.Typer) -> None:
    """Add these commands to the program."""
    for command in (run, compare):
        app.command()(command)


@with_options(written=_RUN_OPTIONS)
def run(
    place: PlaceArgument,
    controller: Annotated[str, typer.Option("-c", "--controller", metavar="NAME[:key=value,…]")],
    seed: Annotated[int, typer.Option(min=0, max=SEED, help="Seed of SUMO's random numbers.")] = 1,
    sensing: SensingOption = None,
    out: OutOption = None,
    end: EndOption = None,
    *,
    written: Any,
) -> None:
    """Run one controller on one place and print its results."""
    from denxanh.experiments.cli import printing
    from denxanh.experiments.compare import specify_runs
    from denxanh.experiments.interface import with_plans
    from denxanh.experiments.runs.launcher import command_launcher
    from denxanh.experiments.runs.local import run_one
    from denxanh.experiments.specification.run_options import read_options
    from denxanh.networks.scenarios import open_scenario
    from denxanh.sim.errors import InputError

    scenario = open_scenario(place, end=read_end(end))
    sensings = sensing or ["ideal"]
    options = read_options(vars(written), scenario, sensings)
    runs = specify_runs(scenario, [controller], [seed], sensing=sensings, options=options)
    if len(runs) > 1:
        raise InputError("a run has one sensing", remedy="name one, or compare them")
    target = out or default_out(f"{scenario.name}-{runs[0].label}-{seed}")
    printing.print_notes(runs[0].scenario)
    (planned,) = with_plans(runs, on_message=printing.print_message)
    printing.print_run(run_one(planned, target, starter=command_launcher()), target)


@with_options(written=_RUN_OPTIONS)
def compare(
    place: PlaceArgument,
    controllers: Annotated[
        list[str],
        typer.Option(
            "-c",
            "--controller",
            metavar="NAME[:key=value,…]",
            help="The first is the baseline of the others.",
        ),
    ],
    seeds: Annotated[str, typer.Option(help="N for seeds 1…N, or a list as 3,5,8.")] = "10",
    days: DaysOption = "each",
    sensing: SensingOption = None,
    jobs: JobsOption = 0,
    out: OutOption = None,
    end: EndOption = None,
    *,
    written: Any,
) -> None:
    """Compare controllers on the same demand and seeds: CSV tables and a report."""
    from denxanh.experiments.cli import printing
    from denxanh.experiments.compare import specify_runs, with_days
    from denxanh.experiments.interface import compare_runs, with_plans
    from denxanh.experiments.specification.run_options import read_options
    from denxanh.networks.scenarios import open_scenario

    scenario = open_scenario(place, end=read_end(end))
    sensings = sensing or ["ideal"]
    options = read_options(vars(written), scenario, sensings)
    runs = specify_runs(scenario, controllers, parse_seeds(seeds), sensing=sensings, options=options)
    target = out or default_out(f"compare-{scenario.name}")
    printing.print_notes(runs[0].scenario)
    resampled = read_days(days) == "each"
    runs = list(with_plans(runs, jobs=jobs, on_message=printing.print_message))
    if resampled:
        runs = with_days(runs, target / "demand")
    with printing.Progress(len(runs)) as progress:
        study = compare_runs(
            scenario,
            runs,
            target,
            jobs=jobs,
            on_progress=progress,
            command=command_line(),
            on_message=printing.print_message,
        )
    rows = study.rows
    printing.print_comparison(runs[0].scenario, rows, target, study.report)
    if any(not row.done for row in rows):
        raise typer.Exit(1)
