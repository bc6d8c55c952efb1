"""The command line. Heavy imports wait inside the commands: ``denxanh --help`` must answer at once."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from experiments import cli_places
from sim.errors import DenxanhError

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    help="Simulate, control, compare and explain traffic signals on any SUMO scenario.",
)

PlaceArgument = Annotated[
    str,
    typer.Argument(metavar="PLACE", help="A built-in place, a .sumocfg, a folder with one, or NET+ROUTES."),
]
OutOption = Annotated[Path | None, typer.Option("--out", help="Folder for the results.")]
EndOption = Annotated[float | None, typer.Option("--end", help="Simulate until this time, s.")]
JobsOption = Annotated[int, typer.Option("--jobs", min=0, help="Runs side by side; 0: one per core.")]
LimitOption = Annotated[float, typer.Option("--limit", min=1, help="Wall-clock seconds a run may take.")]
WarmUpOption = Annotated[
    float, typer.Option("--warm-up", min=0, help="Seconds cut off the begin of all averages.")
]
BackendOption = Annotated[
    str, typer.Option("--backend", help="libsumo (fastest) or traci (SUMO's own binary).")
]
KeepOption = Annotated[bool, typer.Option("--keep-sumo-output", help="Keep SUMO's XML files.")]
WALL_LIMIT = 3600.0


@app.command("list")
def list_() -> None:
    """List the built-in places and the controllers, a line each."""
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

    _check_backend(backend)
    scenario = open_place(place, end=end)
    _check_warm_up(warm_up, scenario.end - scenario.begin)
    (task,) = tasks_for(scenario, [controller], [seed], backend=backend, warm_up=warm_up)
    target = out or _default_out(f"{scenario.name}-{controller}-{seed}")
    show.notes(scenario)
    manifest = run_one(task, target, limits=Limits(limit), keep_sumo_output=keep_sumo_output)
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
    if len(controllers) < 2:
        raise InputError("one controller cannot be compared", remedy="name at least two with -c")
    scenario = open_place(place, end=end)
    _check_warm_up(warm_up, scenario.end - scenario.begin)
    tasks = tasks_for(scenario, controllers, parse_seeds(seeds), backend=backend, warm_up=warm_up)
    target = out or _default_out(f"compare-{scenario.name}")
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
    report = write_comparison(target, [scenario], rows, command=_command(), warm_up=warm_up)
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

    target = out or _default_out(file.stem)
    side_by_side = jobs or os.cpu_count() or 1
    session = Session(
        executor=executor_for(target, jobs=side_by_side, cluster=cluster),
        jobs=side_by_side,
        tell=show.say,
        progress=show.Progress,
        shard=parse_shard(shard),
        retry_failed=retry_failed,
        command=_command(),
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

    rows = merge_parts(out, parts, tell=show.say, command=_command())
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


@app.command()
def optimize(
    place: PlaceArgument,
    objective: Annotated[
        str,
        typer.Option(
            help="delay, delay-pcu, delay-person, stops, throughput, or a sum as 'delay + 10*stops'."
        ),
    ] = "delay",
    budget: Annotated[
        float, typer.Option(min=1, help="CPU seconds of search; SUMO's runs come on top.")
    ] = 15.0,
    only: Annotated[str, typer.Option(help="all, offsets, or splits.")] = "all",
    freeze: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="A signal that keeps its plan.")
    ] = None,
    keep_cycle: Annotated[
        bool, typer.Option("--keep-cycle", help="Keep each signal's cycle length.")
    ] = False,
    drop_protected: Annotated[
        bool, typer.Option("--drop-protected-lefts", help="Protected lefts may become permitted ones.")
    ] = False,
    kind: Annotated[
        str, typer.Option(help="static, or actuated: SUMO's actuated logic on the chosen stages.")
    ] = "static",
    demand_samples: Annotated[
        int, typer.Option(min=0, help="Other days of the demand to tune for as well.")
    ] = 0,
    seeds: Annotated[str, typer.Option(help="Seeds to judge on: N for 1…N, or a list.")] = "3",
    end: EndOption = None,
    jobs: JobsOption = 0,
    limit: LimitOption = WALL_LIMIT,
    out: OutOption = None,
) -> None:
    """Tune the signal timings and prove them in SUMO on seeds and days that the search has not seen."""
    from experiments import show
    from experiments.attempt import Limits
    from experiments.catalog import did_you_mean
    from experiments.optimize.objective import parse_objective
    from experiments.optimizing import Wish, optimize
    from experiments.tuning_report import write_tuning
    from networks.scenarios import open_place
    from sim.errors import InputError

    for value, known, option in (
        (only, ("all", "offsets", "splits"), "only"),
        (kind, ("static", "actuated"), "kind"),
    ):
        if value not in known:
            raise InputError(f"--{option} {value!r} is not known", remedy=did_you_mean(value, known))
    scenario = open_place(place, end=end)
    wish = Wish(
        objective=parse_objective(objective),
        seconds=budget,
        only=only,  # type: ignore[arg-type]  # checked above
        freeze=tuple(freeze or ()),
        keep_cycle=keep_cycle,
        drop_protected=drop_protected,
        kind=kind,  # type: ignore[arg-type]
        seeds=tuple(parse_seeds(seeds)),
        demand_samples=demand_samples,
    )
    target = out or _default_out(f"optimize-{scenario.name}")
    show.notes(scenario)
    with show.Search() as search:
        tuned = optimize(
            scenario,
            wish,
            target,
            jobs=jobs or os.cpu_count() or 1,
            limits=Limits(limit),
            searching=search,
            proving=search.proving,
        )
    report = write_tuning(tuned, wish, command=_command())
    show.tuning(tuned, report)


cli_places.install(app)


def parse_seeds(text: str) -> list[int]:
    """``N`` is 1…N; ``3,5,8`` is a list. Raises InputError."""
    from sim.errors import InputError

    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() for part in parts):
        raise InputError(f"--seeds {text!r} is neither a number nor a list", remedy="write 5, or 3,5,8")
    numbers = [int(part) for part in parts]
    if "," not in text:
        if not 1 <= numbers[0] <= 100_000:
            raise InputError(
                f"--seeds {text} is not between 1 and 100000", remedy="write a number of seeds, as 5"
            )
        return list(range(1, numbers[0] + 1))
    if len(set(numbers)) != len(numbers):
        raise InputError(f"--seeds {text} names a seed twice", remedy="name each once")
    return numbers


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


def _default_out(stem: str) -> Path:
    safe = "".join(c if c.isalnum() or c in "-_.=" else "-" for c in stem)
    return Path("denxanh-results") / safe


def _command() -> str:
    import shlex

    return shlex.join(["denxanh", *sys.argv[1:]])


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
