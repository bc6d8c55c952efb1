"""The short form of an experiment: controllers side by side on one place, same demand, same seeds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from denxanh.experiments.specification.controllers import make_controller, parse_controller
from denxanh.experiments.specification.objects import name_of
from denxanh.experiments.specification.run_options import RunOptions
from denxanh.experiments.specification.run_specification import (
    RunSpecification,
    absolute,
    controller_label,
    with_plan_source,
    with_window,
)
from denxanh.experiments.specification.sensings import IDEAL, check_sensings, sensings_of
from denxanh.sim.controller import Controller
from denxanh.sim.errors import InputError
from denxanh.sim.scenario import Scenario

if TYPE_CHECKING:  # a single run is specified here too, so what many runs need is imported where it is used
    from denxanh.experiments.runs.execution import Outcome
    from denxanh.experiments.runs.run_row import RunRow
    from denxanh.experiments.runs.runner import Executor


def specify_runs(
    scenario: Scenario,
    controllers: Sequence[str | Controller],
    seeds: Sequence[int],
    *,
    sensing: Sequence[str] = (IDEAL,),
    options: RunOptions | None = None,
) -> list[RunSpecification]:
    """Every controller with every sensing and seed, seed by seed so that pairs are complete early.

    Raises InputError.
    """
    options = options or RunOptions()
    chosen = [_chosen(controller) for controller in controllers]
    labels = [controller_label(name, values) for name, values, _ in chosen]
    doubled = [label for i, label in enumerate(labels) if label in labels[:i]]
    if doubled:
        raise InputError(f"controller {doubled[0]!r} is named twice", remedy="name each once")
    check_sensings(sensing)
    if options.events:
        from denxanh.experiments.specification.events import events_at

        options = replace(options, events=events_at(options.events, scenario.name))
    scenario, options = with_window(with_plan_source(absolute(scenario), options), options)
    return [
        RunSpecification(
            scenario.name, scenario, name, values, seed, sensing=by, options=options, given=digest
        )
        for seed in seeds
        for name, values, digest in chosen
        for by in (sensing if digest else sensings_of(name, values, sensing))
    ]


def with_days(runs: Sequence[RunSpecification], folder: Path) -> list[RunSpecification]:
    """The runs, each seed on a day of its own (``day_of_seed``); route files go into ``folder``. Raises InputError."""
    from denxanh.experiments.definition.days import day_of_seed

    known: dict[tuple[str, int], Scenario] = {}
    out = []
    for run in runs:
        key = run.place, run.seed
        if key not in known:
            known[key] = absolute(day_of_seed(run.scenario, run.seed, folder))
        out.append(replace(run, scenario=known[key]))
    return out


def _chosen(controller: str | Controller) -> tuple[str, Mapping[str, Any], str]:
    """Name, parameters and digest of a controller by its name or given as an object. Raises InputError."""
    if not isinstance(controller, str):
        return name_of(controller)
    name, values = parse_controller(controller)
    make_controller(name, values)  # every parameter is checked before anything runs
    return name, values, ""


def execute_runs(
    out: Path,
    runs: Sequence[RunSpecification],
    *,
    jobs: int,
    on_progress: Callable[[str, Outcome], None],
    command: str = "",
    on_message: Callable[[str], None] = lambda text: None,
    on_wait: Callable[[], None] = lambda: None,
    executor: Callable[[], Executor] | None = None,
) -> list[RunRow]:
    """Execute what is missing of ``runs`` in ``out`` and write the tables; returns the rows of these runs.

    Done runs whose result is damaged are run again; ``on_message`` gets a line for each kind of damage. ``on_wait``
    is called at least every second; what it raises ends the running runs. ``executor`` makes where they run; None:
    ``jobs`` processes of this machine.
    """
    from denxanh.experiments.results.load import LEDGER, TABLED
    from denxanh.experiments.results.outputs import COMMAND, RUNS_FILES, Making, record_outputs
    from denxanh.experiments.results.run_tables import write_runs, write_summary
    from denxanh.experiments.results.summary import summarise_rows
    from denxanh.experiments.runs.local import Local
    from denxanh.experiments.runs.runner import enter, open_ledger, output_lock, run_missing

    with output_lock(out), open_ledger(out / LEDGER, on_message) as ledger:
        enter(ledger, runs)
        ledger.set_fact(COMMAND, command)
        chosen = Local(out, jobs=jobs) if executor is None else executor()
        try:
            run_missing(out, ledger, chosen, on_progress=on_progress, on_message=on_message, on_wait=on_wait)
        finally:
            rows = list(ledger.rows())
            write_runs(out, rows)
            ledger.set_fact(TABLED, ledger.fingerprint())
            record_outputs(out, ledger, Making("comparison", command), RUNS_FILES)
        write_summary(out, summarise_rows(rows))
        record_outputs(out, ledger, Making("comparison", command), (*RUNS_FILES, "summary.csv"))
    return rows
