"""Commands on whole experiments: ``experiment``, ``new``, ``merge``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from denxanh.experiments.cli.arguments import JobsOption, OutOption, command_line, default_out
from denxanh.experiments.cli.streams import echo
from denxanh.sim.input.limits import whole_number


def install(app: typer.Typer) -> None:
    """Add these commands to the program."""
    for command in (experiment, new, merge):
        app.command()(command)


def experiment(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="An experiment.toml ('denxanh new experiment').")
    ],
    out: OutOption = None,
    jobs: JobsOption = 0,
    shard: Annotated[str, typer.Option(help="i/n: only the i-th of n parts; see 'denxanh merge'.")] = "1/1",
    cluster: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="A Dask scheduler, as tcp://…:8786.")
    ] = None,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Try failed runs once more.")] = False,
) -> None:
    """Run what is missing of an experiment: places × demand × controllers × seeds, from one file."""
    from denxanh.experiments.cli import printing
    from denxanh.experiments.executors import executor_for
    from denxanh.experiments.experiment import Session, run_experiment
    from denxanh.experiments.runs.usable_cores import usable_cores

    target = out or default_out(file.stem)
    side_by_side = jobs or usable_cores()
    session = Session(
        executor=executor_for(target, jobs=side_by_side, cluster=cluster),
        jobs=side_by_side,
        on_message=printing.print_message,
        progress=printing.Progress,
        shard=parse_shard(shard),
        retry_failed=retry_failed,
        command=command_line(),
    )
    rows = run_experiment(file, target, session)
    printing.print_experiment(rows, target)
    if any(not row.done for row in rows):
        raise typer.Exit(1)


def new(
    what: Annotated[str, typer.Argument(metavar="experiment", help="What to begin: experiment.")],
    path: Annotated[Path, typer.Argument(help="The file to write.")] = Path("experiment.toml"),
) -> None:
    """Write a commented experiment.toml to change."""
    from denxanh.experiments.definition.scaffold import write_example
    from denxanh.sim.errors import InputError
    from denxanh.sim.text_values import did_you_mean

    if what != "experiment":
        raise InputError(f"there is no new {what!r}", remedy=did_you_mean(what, ("experiment",)))
    write_example(path)
    echo(f"{path} is written: change it, then  denxanh experiment {path}")


def merge(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Where the whole shall be.")],
    parts: Annotated[list[Path], typer.Argument(metavar="DIR…", help="The parts, made with --shard.")],
) -> None:
    """Put the parts of an experiment together; every result is verified first."""
    from denxanh.experiments.cli import printing
    from denxanh.experiments.merge import merge as merge_parts

    rows = merge_parts(out, parts, on_message=printing.print_message, command=command_line())
    printing.print_experiment(rows, out)


def parse_shard(text: str) -> tuple[int, int]:
    """``i/n`` with 1 ≤ i ≤ n. Raises InputError."""
    from denxanh.sim.errors import InputError

    part, slash, parts = text.partition("/")
    if not (slash and part.isascii() and part.isdigit() and parts.isascii() and parts.isdigit()):
        raise InputError(f"--shard {text!r} is not i/n", remedy="write 1/4 for the first of four parts")
    i, n = (whole_number(number, "--shard") for number in (part, parts))
    if not 1 <= i <= n:
        raise InputError(f"--shard {text} is no part", remedy=f"write 1/{parts} … {parts}/{parts}")
    return i, n
