"""The short form of an experiment: controllers side by side on one place, same demand, same seeds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from experiments.attempt import Limits, Outcome
from experiments.catalog import make_controller, parse_controller
from experiments.happenings import Table, check_events, events_at, read_events
from experiments.ledger import Ledger, Row
from experiments.loading import LEDGER, TABLED
from experiments.local import Local
from experiments.records import write_runs, write_summary
from experiments.rules import parse_rules
from experiments.runner import enter, run_missing, writing
from experiments.sensings import IDEAL, check_sensings, sensings_of
from experiments.summary import summarise_rows
from experiments.task import Task, absolute
from sim.errors import InputError
from sim.scenario import Scenario


def tasks_for(
    scenario: Scenario,
    controllers: Sequence[str],
    seeds: Sequence[int],
    *,
    backend: str = "libsumo",
    warm_up: float = 0.0,
    sensing: Sequence[str] = (IDEAL,),
    events: Path | None = None,
    safety: str = "",
) -> list[Task]:
    """Every controller with every sensing and seed, seed by seed so that pairs are complete early.

    Raises InputError.
    """
    chosen = [parse_controller(text) for text in controllers]
    doubled = [text for i, text in enumerate(controllers) if text in controllers[:i]]
    if doubled:
        raise InputError(f"controller {doubled[0]!r} is named twice", remedy="name each once")
    for name, values in chosen:
        make_controller(name, values)  # every parameter is checked before anything runs
    check_sensings(sensing)
    rules = parse_rules(safety)
    tables: tuple[Table, ...] = ()
    if events is not None:
        tables, source = read_events(events)
        check_events(tables, [scenario], sensing, source)
        tables = events_at(tables, scenario.name)
    scenario = absolute(scenario)
    return [
        Task(
            scenario.name,
            scenario,
            name,
            values,
            seed,
            backend=backend,
            warm_up=warm_up,
            sensing=by,
            events=tables,
            safety=rules,
        )
        for seed in seeds
        for name, values in chosen
        for by in sensings_of(name, values, sensing)
    ]


def run_tasks(
    out: Path,
    tasks: Sequence[Task],
    *,
    jobs: int,
    limits: Limits,
    keep_sumo_output: bool = False,
    progress: Callable[[str, Outcome], None],
) -> list[Row]:
    """Run what is missing of ``tasks`` in ``out`` and write the tables; returns the rows of these tasks."""
    with writing(out), Ledger(out / LEDGER) as ledger:
        enter(ledger, tasks)
        executor = Local(out, jobs=jobs, limits=limits, keep_sumo_output=keep_sumo_output)
        try:
            run_missing(out, ledger, executor, progress=progress)
        finally:
            rows = list(ledger.rows())
            write_runs(out, rows)
            ledger.note(TABLED, ledger.fingerprint())
    write_summary(out, summarise_rows(rows))
    return rows
