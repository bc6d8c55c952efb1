"""Commands on whole experiments: ``experiment``, ``benchmark``, ``new``, ``merge``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from denxanh.experiments.cli.arguments import (
    ClusterOption,
    DaysOption,
    EndOption,
    JobsOption,
    OutOption,
    command_line,
    default_out,
    parse_seeds,
    read_days,
    read_end,
)
from denxanh.experiments.cli.option_groups import declared_options, with_options
from denxanh.experiments.cli.streams import echo
from denxanh.experiments.specification.run_options import RunOptions
from denxanh.sim.input.limits import whole_number

if TYPE_CHECKING:
    from denxanh.experiments.experiment import Session

RetryOption = Annotated[bool, typer.Option("--retry-failed", help="Try failed runs once more.")]


def install(app: typer.Typer) -> None:
    """Add these commands to the program."""
    for command in (experiment, benchmark, new, merge):
        app.command()(command)


def experiment(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="An experiment.toml ('denxanh new experiment').")
    ],
    out: OutOption = None,
    jobs: JobsOption = 0,
    shard: Annotated[str, typer.Option(help="i/n: only the i-th of n parts; see 'denxanh merge'.")] = "1/1",
    cluster: ClusterOption = None,
    retry_failed: RetryOption = False,
) -> None:
    """Run what is missing of an experiment: places × demand × controllers × seeds, from one file."""
    from denxanh.experiments.cli import printing
    from denxanh.experiments.experiment import run_experiment

    target = out or default_out(file.stem)
    session = _session(target, jobs, cluster, shard=parse_shard(shard), retry_failed=retry_failed)
    rows = run_experiment(file, target, session)
    printing.print_experiment(rows, target)
    if any(not row.done for row in rows):
        raise typer.Exit(1)


def _session(
    target: Path, jobs: int, cluster: str | None, *, shard: tuple[int, int] = (1, 1), retry_failed: bool
) -> Session:
    """How an experiment is executed here or on a cluster, with progress on the terminal."""
    from denxanh.experiments.cli import printing
    from denxanh.experiments.executors import executor_for
    from denxanh.experiments.experiment import Session
    from denxanh.experiments.runs.usable_cores import usable_cores

    side_by_side = jobs or usable_cores()
    return Session(
        executor=executor_for(target, jobs=side_by_side, cluster=cluster),
        jobs=side_by_side,
        on_message=printing.print_message,
        progress=printing.Progress,
        shard=shard,
        retry_failed=retry_failed,
        command=command_line(),
    )


@with_options(written=declared_options(RunOptions, {"warm_up": "0", "flush": "0"}))
def benchmark(
    what: Annotated[
        str,
        typer.Argument(
            metavar="NAME|FOLDER|PLACE",
            help="A suite (small, generated, vietnam), a folder with .sumocfg files, or one place.",
        ),
    ],
    controllers: Annotated[
        list[str] | None,
        typer.Option(
            "-c",
            "--controller",
            metavar="NAME[:key=value,…]",
            help="In place of the suite's; the first is the baseline.",
        ),
    ] = None,
    seeds: Annotated[str, typer.Option(help="N for seeds 1…N, or a list as 3,5,8; else the suite's.")] = "",
    duration: Annotated[
        str,
        typer.Option(metavar="TIME", help="From each scenario's begin, as 900 or 15min; else the suite's."),
    ] = "",
    days: DaysOption = "each",
    out: OutOption = None,
    jobs: JobsOption = 0,
    cluster: ClusterOption = None,
    retry_failed: RetryOption = False,
    end: EndOption = None,
    *,
    written: Any,
) -> None:
    """Run controllers on a suite of scenarios: one table as Markdown, LaTeX, CSV and HTML. The same call goes on."""
    from denxanh.experiments.benchmark.benchmark import TABLES, run_benchmark
    from denxanh.experiments.benchmark.suite import Window
    from denxanh.experiments.cli import printing
    from denxanh.experiments.specification.run_options import read_auto
    from denxanh.sim.text_values import read_duration

    read_end(end)
    window = Window(end or "", read_auto(written.warm_up, "--warm-up"), read_auto(written.flush, "--flush"))
    target = out or default_out(f"benchmark-{Path(what).name}")
    result = run_benchmark(
        what,
        target,
        _session(target, jobs, cluster, retry_failed=retry_failed),
        controllers=controllers or (),
        seeds=parse_seeds(seeds) if seeds else (),
        duration=read_duration(duration, "--duration", minimum=1.0) if duration else None,
        days=read_days(days),
        window=window,
    )
    if result.shown is not None:
        from denxanh.experiments.benchmark.table_files import window as window_of
        from denxanh.experiments.results.pivot import markdown

        echo(markdown(result.shown.table))
        echo(window_of(result.shown).en)
    printing.print_experiment(result.rows, target, advice=False)
    if result.shown is not None:
        echo(f"tables: {', '.join(TABLES)}")
    if any(not row.done for row in result.rows):
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
