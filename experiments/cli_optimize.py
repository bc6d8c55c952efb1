"""The command that tunes: ``denxanh optimize``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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

if TYPE_CHECKING:
    from sim.scenario import Scenario

_KEEP, _DEMAND, _RESULT = "What must stay", "Traffic to tune for", "What comes out"


def install(app: typer.Typer) -> None:
    """Add this command to the program."""
    app.command("optimize")(optimize)


def optimize(
    place: PlaceArgument,
    objective: Annotated[
        str,
        typer.Option(
            metavar="WHAT",
            help="delay, delay-pcu, delay-person, stops, throughput, emissions, queue:EDGE,EDGE, "
            "spillback:EDGE, or a sum as 'delay + 10*stops'.",
        ),
    ] = "delay",
    pareto: Annotated[
        str, typer.Option(metavar="A,B", help="Plans between two objectives instead, as delay,stops.")
    ] = "",
    budget: Annotated[
        float, typer.Option(min=1, help="CPU seconds of search; SUMO's runs come on top.")
    ] = 15.0,
    kind: Annotated[
        str,
        typer.Option(
            help="static, or actuated: SUMO's actuated logic on the stages found or the network's own.",
            rich_help_panel=_RESULT,
        ),
    ] = "static",
    lefts: Annotated[
        str,
        typer.Option(
            help="Protected left turns: keep them, drop (they may become permitted), or both, side by side.",
            rich_help_panel=_RESULT,
        ),
    ] = "keep",
    day: Annotated[
        int, typer.Option(min=0, help="At most N plans by time of day.", metavar="N", rich_help_panel=_RESULT)
    ] = 0,
    day_period: Annotated[
        float, typer.Option(min=1, help="Plans change at multiples of this, s.", rich_help_panel=_RESULT)
    ] = 900.0,
    only: Annotated[
        str,
        typer.Option(
            help="May change: all, offsets, splits, timing (not the stages), own-stages (no new ones).",
            rich_help_panel=_KEEP,
        ),
    ] = "all",
    keep_cycle: Annotated[
        bool,
        typer.Option("--keep-cycle", help="Keep each signal's cycle length.", rich_help_panel=_KEEP),
    ] = False,
    freeze: Annotated[
        list[str] | None,
        typer.Option(metavar="ID", help="Signals that keep their plan.", rich_help_panel=_KEEP),
    ] = None,
    signals: Annotated[
        list[str] | None,
        typer.Option(metavar="ID", help="Only these signals may change.", rich_help_panel=_KEEP),
    ] = None,
    green: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ID:STAGE=MIN-MAX",
            help="Limits of a stage's green, s: J1:2=15-40.",
            rich_help_panel=_KEEP,
        ),
    ] = None,
    greens: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A CSV of such limits: signal,stage,min_green,max_green.",
            rich_help_panel=_KEEP,
        ),
    ] = None,
    demand_samples: Annotated[
        int, typer.Option(min=0, help="Other days drawn from the demand.", rich_help_panel=_DEMAND)
    ] = 0,
    demand_scale: Annotated[
        str, typer.Option(metavar="F,F…", help="Levels of demand, as 0.8,1,1.2.", rich_help_panel=_DEMAND)
    ] = "1",
    also: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PLACE",
            help="Other traffic on the same network: a route file or a .sumocfg.",
            rich_help_panel=_DEMAND,
        ),
    ] = None,
    seeds: Annotated[str, typer.Option(help="Seeds to judge on: N for 1…N, or a list.")] = "3",
    trust: Annotated[
        bool,
        typer.Option("--trust/--no-trust", help="Measure first how far the model can be believed here."),
    ] = True,
    end: EndOption = None,
    jobs: JobsOption = 0,
    limit: LimitOption = WALL_LIMIT,
    out: OutOption = None,
) -> None:
    """Tune the signal timings and prove them in SUMO on seeds and days that the search has not seen."""
    from experiments import show, show_tuning
    from experiments.attempt import Limits
    from experiments.optimize.freeze import ONLY
    from experiments.optimize.objective import parse_objective, parse_pair
    from experiments.optimizing import Telling
    from experiments.optimizing import optimize as tune
    from experiments.tuning_report import write_tuning
    from experiments.wish import KINDS, LEFTS, Wish
    from networks.scenarios import open_place
    from sim.errors import RunError

    for value, known, option in ((only, ONLY, "only"), (kind, KINDS, "kind"), (lefts, LEFTS, "lefts")):
        _choose(value, known, option)
    scenario = open_place(place, end=end)
    wish = Wish(
        objective=parse_objective(objective),
        pareto=parse_pair(pareto) if pareto else None,
        seconds=budget,
        only=only,  # type: ignore[arg-type]  # checked above
        freeze=_names(freeze),
        signals=_names(signals),
        keep_cycle=keep_cycle,
        greens=tuple(green or ()),
        greens_file=greens,
        lefts=lefts,  # type: ignore[arg-type]
        kind=kind,  # type: ignore[arg-type]
        seeds=tuple(parse_seeds(seeds)),
        demand_samples=demand_samples,
        scales=parse_scales(demand_scale),
        also=tuple(_other(text, scenario, end) for text in also or ()),
        day=day,
        day_period=day_period,
        trust=trust,
    )
    target = out or default_out(f"optimize-{scenario.name}")
    show.notes(scenario)
    with show_tuning.Search() as search:
        tuned = tune(
            scenario,
            wish,
            target,
            jobs=jobs or os.cpu_count() or 1,
            limits=Limits(limit),
            telling=Telling(search.searching, search.say, search.proving),
        )
    report = write_tuning(tuned, wish, command=command_line()) if tuned.rows else None
    show_tuning.tuning(tuned, wish, report)
    if tuned.unproved:
        raise RunError(
            f"no held-out run of {', '.join(tuned.unproved)} came to its end, so nothing is known of it; see {target}"
        )


def parse_scales(text: str) -> tuple[float, ...]:
    """``0.8,1,1.2``: levels of demand. Raises InputError."""
    from sim.errors import InputError

    try:
        found = tuple(float(part) for part in text.split(","))
    except ValueError:
        found = ()
    if not found or not all(0 < factor < 100 for factor in found):
        raise InputError(f"--demand-scale {text!r} is no list of factors", remedy="write 0.8,1,1.2")
    return tuple(dict.fromkeys(found))


def _names(given: list[str] | None) -> tuple[str, ...]:
    """Names given one by one or with commas."""
    return tuple(name for text in given or () for name in text.split(",") if name)


def _choose(value: str, known: tuple[str, ...], option: str) -> None:
    from experiments.optimize.naming import near
    from sim.errors import InputError

    if value not in known:
        raise InputError(f"--{option} {value!r} is not known", remedy=near(value, known))


def _other(text: str, scenario: Scenario, end: float | None) -> Scenario:
    """Other traffic: a route file on the scenario's network, or a place of its own."""
    from dataclasses import replace

    from networks.scenarios import open_place
    from sim.errors import InputError

    path = Path(text)
    if text.endswith((".rou.xml", ".rou.xml.gz")):
        if not path.is_file():
            raise InputError("this route file is not there", where=text, remedy="check the path of --also")
        return replace(scenario, name=path.name.partition(".")[0], routes=(path,))
    return open_place(text, end=end)
