"""The command ``denxanh study``: a retiming study from counts to the timing sheet."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from denxanh.experiments.cli.arguments import JobsOption, OutOption, PlaceArgument, command_line, default_out
from denxanh.experiments.cli.streams import echo


def install(app: typer.Typer) -> None:
    """Add this command to the program."""
    app.command()(study)


def study(
    place: PlaceArgument,
    counts: Annotated[
        Path | None, typer.Option("--counts", metavar="CSV", help="A filled form of 'denxanh counts'.")
    ] = None,
    plan: Annotated[
        Path | None, typer.Option("--plan", metavar="FILE", help="The plan.json that runs in the street.")
    ] = None,
    day: Annotated[
        str, typer.Option("--day", metavar="06:00-22:00", help="The hours to study, of a built-in place.")
    ] = "",
    time: Annotated[
        str, typer.Option("--time", metavar="TIME", help="Wall-clock time it may take: seconds, or 20min.")
    ] = "20min",
    jobs: JobsOption = 0,
    out: OutOption = None,
) -> None:
    """Do a retiming study: counts, plans, held-out days, and a folder to decide on. Goes on when repeated."""
    from denxanh.experiments.cli import printing
    from denxanh.experiments.runs.usable_cores import usable_cores
    from denxanh.experiments.study.study import run_study
    from denxanh.experiments.study.study_folder import summary_lines, write_study
    from denxanh.experiments.study.study_options import StudyOptions
    from denxanh.sim.text_values import read_duration

    options = StudyOptions(counts, plan, day, read_duration(time, "--time", minimum=1.0))
    target = out or default_out(f"study-{place}")
    found = run_study(
        place,
        options,
        target,
        jobs=jobs or usable_cores(),
        command=command_line(),
        on_message=printing.print_message,
    )
    screen = write_study(found, command=command_line(), on_message=printing.print_message)
    for line in summary_lines(found, screen):
        echo(line)
