"""``denxanh counts``: a form for counts of a place, and a place whose demand meets a filled form."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from denxanh.experiments.cli.arguments import PlaceArgument
from denxanh.experiments.cli.streams import echo
from denxanh.sim.input.limits import SEED


def counts(
    place: PlaceArgument,
    filled: Annotated[
        Path | None, typer.Option("--from", metavar="CSV", help="A filled form: make a place of it.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="The form to write, or the folder of the new place.")
    ] = None,
    every: Annotated[
        str, typer.Option(metavar="DURATION", help="Form: a row for each interval of this length, as 15min.")
    ] = "",
    semicolons: Annotated[
        bool,
        typer.Option(
            "--semicolons", help="Form: cells separated by ; as spreadsheets in Vietnamese read it."
        ),
    ] = False,
    seed: Annotated[int, typer.Option(min=0, max=SEED, help="Seed of the sampled routes.")] = 1,
) -> None:
    """Write a form for counts (turns and approaches by vehicle type), or make a place from a filled one.

    With --out FILE.xlsx the form is a workbook; both kinds are read.
    """
    from denxanh.networks.counts import count_form as form
    from denxanh.networks.counts import counted_demand
    from denxanh.networks.place.hours import time_text
    from denxanh.networks.scenarios import open_scenario
    from denxanh.sim.errors import InputError
    from denxanh.sim.movements import bound_of, comes_from
    from denxanh.sim.network_reader import network_of
    from denxanh.sim.text_values import read_duration

    scenario = open_scenario(place)
    network = network_of(scenario)
    types = counted_demand.vehicle_types(scenario)
    if filled is None:
        path = out or Path("counts.csv")
        if path.exists():
            raise InputError("it exists already", location=str(path), remedy="name another file with --out")
        length = read_duration(every, "--every", minimum=60.0) if every else None
        rows = form.form_rows(network, types, scenario.begin, scenario.end, length)
        form.write_form(path, rows, ";" if semicolons else ",")
        echo(
            f"{path}: {len(rows) - 1} rows; fill in what was counted, delete no column, then"
            f"\ndenxanh counts {place} --from {path} --out my-place"
        )
        return
    folder = out or filled.with_suffix("")
    found = form.read(filled, network, types)
    fits = counted_demand.build(scenario, found, folder, seed=seed)
    echo(f"{'from':<32} {'side':<4} {'to':<32} {'time':<11} {'counted':>8} {'modelled':>8} {'GEH':>5}")
    for fit in fits:
        count = fit.count
        side = comes_from(bound_of(network, count.start_edge))
        times = f"{time_text(count.begin)}-{time_text(count.end)}"
        echo(
            f"{count.start_edge:<32} {side:<4} {count.end_edge or '(approach)':<32} {times:<11} {count.total:>8}"
            f" {fit.modelled:>8.0f} {fit.geh:>5.1f}"
        )
    good = sum(fit.geh < counted_demand.GEH_GOOD for fit in fits)
    echo(f"GEH below {counted_demand.GEH_GOOD:g} in {good} of {len(fits)} rows ({good / len(fits):.0%})")
    echo(f"place: {folder}")
