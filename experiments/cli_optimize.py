"""The command that tunes: ``denxanh optimize``."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from experiments.cli_options import (
    WALL_LIMIT,
    EndOption,
    JobsOption,
    LimitOption,
    OutOption,
    PlaceArgument,
    command_line,
    default_out,
    parse_seeds,
)


def install(app: typer.Typer) -> None:
    """Add this command to the program."""
    app.command("optimize")(optimize)


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
    target = out or default_out(f"optimize-{scenario.name}")
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
    report = write_tuning(tuned, wish, command=command_line())
    show.tuning(tuned, report)
