"""Commands on places: ``list``, ``check``, ``import``, ``calibrate``, ``counts``, ``places``, ``warmup``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from denxanh.experiments.cli import import_commands
from denxanh.experiments.cli.arguments import EndOption, PlaceArgument, parse_seeds, read_end
from denxanh.experiments.cli.counts_command import counts
from denxanh.experiments.cli.streams import echo
from denxanh.sim.input.limits import JOBS, STEPS

calibrate_app = typer.Typer(no_args_is_help=True, help="Measure what the traffic does in SUMO.")


def install(app: typer.Typer) -> None:
    """Add these commands to the program."""
    app.command("list")(list_)
    app.command("check")(check)
    app.add_typer(import_commands.app, name="import")
    app.add_typer(calibrate_app, name="calibrate")
    app.command("counts")(counts)
    app.command("places")(places)
    app.command("warmup")(warmup)


def list_() -> None:
    """List the built-in places, the controllers and the sensings, a line each."""
    from denxanh.experiments.cli import printing

    printing.print_catalogue()


def check(
    place: PlaceArgument,
    controllers: Annotated[
        list[str] | None,
        typer.Option(
            "-c",
            "--controller",
            metavar="NAME[:key=value,…]",
            help="Also whether this controller can run here, with its files of plans, schedules or orders.",
        ),
    ] = None,
) -> None:
    """Report the content of a place, its faults, and how denxanh treats them."""
    from denxanh.experiments.cli import printing
    from denxanh.networks.scenarios import open_scenario

    printing.print_place(open_scenario(place), controllers or ())


@calibrate_app.command("saturation")
def calibrate_saturation(
    seeds: Annotated[int, typer.Option(min=1, max=STEPS, help="Seeds 1…N of each measurement.")] = 10,
    jobs: Annotated[int, typer.Option(min=1, max=JOBS, help="Measurements side by side.")] = 1,
    fit: Annotated[
        bool, typer.Option("--fit", help="Fit the vehicle types to their targets instead of measuring them.")
    ] = False,
) -> None:
    """Measure saturation flow, start-up lost time and equivalents of the shipped vehicle types, or fit them."""
    from denxanh.networks.calibration.saturation_report import fitted, saturation

    (fitted if fit else saturation)(range(1, seeds + 1), jobs=jobs, on_progress=echo)


@calibrate_app.command("stopline")
def calibrate_stopline(
    seeds: Annotated[int, typer.Option(min=1, max=STEPS, help="Seeds 1…N.")] = 10,
    cycles: Annotated[int, typer.Option(min=1, max=100, help="Cycles observed with each seed.")] = 2,
    picture: Annotated[
        Path | None,
        typer.Option(metavar="FILE.svg", help="Write the stop line at the end of red to this file."),
    ] = None,
) -> None:
    """Observe what two-wheelers do at a stop line in sublane: filtering, order, discharge, lost time."""
    from denxanh.networks.calibration.stop_line_report import stop_line
    from denxanh.sim.errors import InputError

    if picture is not None and (picture.suffix != ".svg" or not picture.absolute().parent.is_dir()):
        raise InputError(
            "the picture cannot be written",
            location=str(picture),
            remedy="name a .svg file in an existing folder",
        )
    stop_line(range(1, seeds + 1), cycles=cycles, picture_file=picture, on_progress=echo)


def places(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[PLACE…]", help="Built-in places; default: all.")
    ] = None,
    fidelity: Annotated[str, typer.Option(help="lane, sublane or both.")] = "both",
    seeds: Annotated[str, typer.Option(help="N for seeds 1…N, or a list as 3,5,8.")] = "1",
    end: EndOption = None,
) -> None:
    """Run the peak hour of built-in places in bare SUMO: teleports, collisions, delay, speed, lane against sublane."""
    from denxanh import networks
    from denxanh.networks.built_in import name_of
    from denxanh.networks.calibration.peak_hour_report import hours
    from denxanh.sim.errors import InputError
    from denxanh.sim.text_values import did_you_mean

    kinds = {"both": ("lane", "sublane"), "lane": ("lane",), "sublane": ("sublane",)}
    if fidelity not in kinds:
        raise InputError(f"there is no fidelity {fidelity!r}", remedy="choose lane, sublane or both")
    known = [place.name for place in networks.list_places()]
    for name in names or ():
        if name_of(name) not in known:
            raise InputError(f"there is no built-in place {name!r}", remedy=did_you_mean(name, known))
    chosen = names or known
    hours(chosen, kinds[fidelity], parse_seeds(seeds), end=read_end(end), on_progress=echo)


def warmup() -> None:
    """Compile the queue model now (once per machine), so that the first 'optimize' need not."""
    from denxanh.sim.model.warmup import warmup as compile_model

    echo(f"the queue model is ready ({compile_model():.1f} s)")
