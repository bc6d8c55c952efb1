"""The command line. Heavy imports wait inside the commands: ``denxanh --help`` must answer at once."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from experiments import cli_optimize, cli_places
from experiments.cli_options import (
    WALL_LIMIT,
    BackendOption,
    EndOption,
    EventsOption,
    JobsOption,
    KeepOption,
    LimitOption,
    OutOption,
    PlaceArgument,
    SafetyOption,
    SensingOption,
    WarmUpOption,
    command_line,
    default_out,
    parse_seeds,
)
from sim.errors import DenxanhError

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    help="Simulate, control, compare and explain traffic signals on any SUMO scenario.",
)


@app.command("list")
def list_() -> None:
    """List the built-in places, the controllers and the sensings, a line each."""
    from experiments import show

    show.catalogue()


@app.command()
def check(place: PlaceArgument) -> None:
    """Say what is in a place, what is wrong with it, and what we will do."""
    from experiments import show
    from networks.scenarios import open_place

    show.place(open_place(place))


@app.command()
def run(
    place: PlaceArgument,
    controller: Annotated[str, typer.Option("-c", "--controller", metavar="NAME[:key=value,…]")],
    seed: Annotated[int, typer.Option(min=0, help="Seed of SUMO's random numbers.")] = 1,
    sensing: SensingOption = None,
    events: EventsOption = None,
    safety: SafetyOption = "",
    backend: BackendOption = "libsumo",
    out: OutOption = None,
    end: EndOption = None,
    warm_up: WarmUpOption = 0.0,
    limit: LimitOption = WALL_LIMIT,
    keep_sumo_output: KeepOption = False,
) -> None:
    """Run one controller on one place and print what came out."""
    from experiments import show
    from experiments.attempt import Limits
    from experiments.compare import tasks_for
    from experiments.local import run_one
    from networks.scenarios import open_place
    from sim.errors import InputError

    _check_backend(backend)
    scenario = open_place(place, end=end)
    _check_warm_up(warm_up, scenario.end - scenario.begin)
    tasks = tasks_for(
        scenario,
        [controller],
        [seed],
        backend=backend,
        warm_up=warm_up,
        sensing=sensing or ["ideal"],
        events=events,
        safety=safety,
    )
    if len(tasks) > 1:
        raise InputError("a run has one sensing", remedy="name one, or compare them")
    target = out or default_out(f"{scenario.name}-{tasks[0].label}-{seed}")
    show.notes(scenario)
    manifest = run_one(tasks[0], target, limits=Limits(limit), keep_sumo_output=keep_sumo_output)
    show.run(manifest, target)


@app.command()
def compare(
    place: PlaceArgument,
    controllers: Annotated[
        list[str],
        typer.Option(
            "-c",
            "--controller",
            metavar="NAME[:key=value,…]",
            help="At least two; the first is the baseline.",
        ),
    ],
    seeds: Annotated[str, typer.Option(help="N for seeds 1…N, or a list as 3,5,8.")] = "5",
    sensing: SensingOption = None,
    events: EventsOption = None,
    safety: SafetyOption = "",
    jobs: JobsOption = 0,
    end: EndOption = None,
    warm_up: WarmUpOption = 0.0,
    limit: LimitOption = WALL_LIMIT,
    out: OutOption = None,
    backend: BackendOption = "libsumo",
    keep_sumo_output: KeepOption = False,
) -> None:
    """Compare controllers on the same demand and seeds: CSV tables and a report to look at."""
    from experiments import show
    from experiments.attempt import Limits
    from experiments.compare import run_tasks, tasks_for
    from experiments.reporting import write_comparison
    from networks.scenarios import open_place
    from sim.errors import InputError

    _check_backend(backend)
    scenario = open_place(place, end=end)
    _check_warm_up(warm_up, scenario.end - scenario.begin)
    tasks = tasks_for(
        scenario,
        controllers,
        parse_seeds(seeds),
        backend=backend,
        warm_up=warm_up,
        sensing=sensing or ["ideal"],
        events=events,
        safety=safety,
    )
    if len({task.label for task in tasks}) < 2:
        raise InputError(
            "one controller cannot be compared", remedy="name at least two with -c, or two sensings"
        )
    target = out or default_out(f"compare-{scenario.name}")
    show.notes(scenario)
    with show.Progress(len(tasks)) as progress:
        rows = run_tasks(
            target,
            tasks,
            jobs=jobs or os.cpu_count() or 1,
            limits=Limits(limit),
            keep_sumo_output=keep_sumo_output,
            progress=progress,
        )
    report = write_comparison(target, [scenario], rows, command=command_line(), warm_up=warm_up)
    show.comparison(rows, target, report)
    if any(row.state != "done" for row in rows):
        raise typer.Exit(1)


@app.command()
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
    from experiments import show
    from experiments.experiment import Session, run_experiment
    from experiments.starting import executor_for

    target = out or default_out(file.stem)
    side_by_side = jobs or os.cpu_count() or 1
    session = Session(
        executor=executor_for(target, jobs=side_by_side, cluster=cluster),
        jobs=side_by_side,
        tell=show.say,
        progress=show.Progress,
        shard=parse_shard(shard),
        retry_failed=retry_failed,
        command=command_line(),
    )
    rows = run_experiment(file, target, session)
    show.experiment(rows, target)
    if any(row.state != "done" for row in rows):
        raise typer.Exit(1)


@app.command()
def new(
    what: Annotated[str, typer.Argument(metavar="experiment", help="What to begin: experiment.")],
    path: Annotated[Path, typer.Argument(help="The file to write.")] = Path("experiment.toml"),
) -> None:
    """Write a commented experiment.toml to change."""
    from experiments.catalog import did_you_mean
    from experiments.scaffold import write_example
    from sim.errors import InputError

    if what != "experiment":
        raise InputError(f"there is no new {what!r}", remedy=did_you_mean(what, ("experiment",)))
    write_example(path)
    typer.echo(f"{path} is written: change it, then  denxanh experiment {path}")


FolderArgument = Annotated[Path, typer.Argument(metavar="DIR", help="The folder of an experiment.")]


@app.command()
def merge(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Where the whole shall be.")],
    parts: Annotated[list[Path], typer.Argument(metavar="DIR…", help="The parts, made with --shard.")],
) -> None:
    """Put the parts of an experiment together; every result is checked before it is believed."""
    from experiments import show
    from experiments.merge import merge as merge_parts

    rows = merge_parts(out, parts, tell=show.say, command=command_line())
    show.experiment(rows, out)


@app.command()
def query(
    folder: FolderArgument,
    sql: Annotated[
        str, typer.Argument(metavar="SQL", help="Over runs, vehicles, intervals, signals, edges.")
    ],
) -> None:
    """Ask an experiment's results in SQL."""
    from experiments import show
    from experiments.query import query as ask

    show.table(*ask(folder, sql))


@app.command()
def table(
    folder: FolderArgument,
    metric: Annotated[str, typer.Option(help="A metric of docs/metrics.md.")] = "delay_s",
    csv: Annotated[bool, typer.Option("--csv", help="CSV instead of Markdown.")] = False,
) -> None:
    """Print controllers against places for one metric, and say which are not distinguishable from the best."""
    from experiments.pivot import as_csv, markdown, pivot
    from experiments.records import read_rows

    found = pivot(read_rows(folder), metric)
    typer.echo(as_csv(found) if csv else markdown(found), nl=not csv)


@app.command()
def verify(
    folder: FolderArgument,
    sample: Annotated[int, typer.Option(min=0, help="How many runs to do again.")] = 3,
    seed: Annotated[int, typer.Option(min=0, help="Which ones.")] = 1,
    limit: LimitOption = WALL_LIMIT,
) -> None:
    """Check the files of every run, and do a sample again: are the hashes the same?"""
    from experiments import show
    from experiments.attempt import Limits
    from experiments.verify import verify as check_again

    found = check_again(folder, sample=sample, seed=seed, limits=Limits(limit), tell=show.verified)
    show.verification(found)
    if any(verdict.state != "same" for verdict in found):
        raise typer.Exit(1)


@app.command()
def export(
    folder: FolderArgument,
    csv: Annotated[bool, typer.Option("--csv", help="Every table as CSV.")] = False,
    netcdf: Annotated[bool, typer.Option("--netcdf", help="The runs as NetCDF.")] = False,
    out: OutOption = None,
) -> None:
    """Write an experiment's results for other programs."""
    from experiments.export import export_csv, export_netcdf
    from sim.errors import InputError

    if not csv and not netcdf:
        raise InputError("no format is named", remedy="give --csv or --netcdf")
    target = out or folder / "export"
    written = [
        *(export_csv(folder, target) if csv else []),
        *([export_netcdf(folder, target)] if netcdf else []),
    ]
    for path in written:
        typer.echo(path)


def parse_shard(text: str) -> tuple[int, int]:
    """``i/n`` with 1 ≤ i ≤ n. Raises InputError."""
    from sim.errors import InputError

    part, slash, parts = text.partition("/")
    if not (slash and part.isascii() and part.isdigit() and parts.isascii() and parts.isdigit()):
        raise InputError(f"--shard {text!r} is not i/n", remedy="write 1/4 for the first of four parts")
    if not 1 <= int(part) <= int(parts):
        raise InputError(f"--shard {text} is no part", remedy=f"write 1/{parts} … {parts}/{parts}")
    return int(part), int(parts)


cli_places.install(app)
cli_optimize.install(app)


def _check_backend(name: str) -> None:
    from experiments.catalog import did_you_mean
    from sim.errors import InputError

    if name not in ("libsumo", "traci"):
        raise InputError(f"there is no back end {name!r}", remedy=did_you_mean(name, ("libsumo", "traci")))


def _check_warm_up(warm_up: float, duration: float) -> None:
    from sim.errors import InputError

    if not warm_up < duration:
        raise InputError(
            f"a warm-up of {warm_up:g} s leaves nothing of the {duration:g} s simulated",
            remedy="give a shorter --warm-up",
        )


def main() -> None:
    """Entry point: errors are one sentence, and the exit status tells."""
    try:
        app()
    except DenxanhError as error:
        typer.echo(f"denxanh: {error}", err=True)
        sys.exit(2)
    except KeyboardInterrupt:
        typer.echo("denxanh: stopped; start it again to go on", err=True)
        sys.exit(130)
    except OSError as error:
        name = f" {error.filename}" if error.filename else ""
        typer.echo(f"denxanh: the system refuses{name}: {error.strerror or error}", err=True)
        sys.exit(2)
