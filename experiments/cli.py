"""The command line. Heavy imports wait inside the commands: ``denxanh --help`` must answer at once."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

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
    report = write_comparison(target, [scenario], rows, command=_command())
    show.comparison(rows, target, report)
    if any(row.state != "done" for row in rows):
        raise typer.Exit(1)


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
