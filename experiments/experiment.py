"""An experiment from start to end: expand the file, run what is missing until precise enough, write the results."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from denxanh.experiments.definition.expand import Experiment, Stopping, expand
from denxanh.experiments.definition.experiment_file import read_experiment
from denxanh.experiments.report.result_folder import write_results
from denxanh.experiments.results.load import LEDGER, TABLED
from denxanh.experiments.results.outputs import (
    COMMAND,
    DEFINED,
    DEFINITION,
    FILES,
    SHARD_FILES,
    Making,
    record_outputs,
)
from denxanh.experiments.results.summary import Group, groups
from denxanh.experiments.runs.execution import Outcome
from denxanh.experiments.runs.ledger import Ledger
from denxanh.experiments.runs.ledger_file import DamagedLedger
from denxanh.experiments.runs.run_row import RunRow, run_folder
from denxanh.experiments.runs.runner import (
    Executor,
    enter,
    open_ledger,
    output_lock,
    reset_unproven,
    run_missing,
)
from denxanh.experiments.specification.run_specification import RunSpecification
from denxanh.experiments.statistics import apply_stopping_rule, mser5
from denxanh.sim.errors import InputError
from denxanh.sim.run import store
from denxanh.sim.run.provenance import hash_file
from denxanh.sim.run.results import INTERVAL

BASE = "definition_folder"  # fact in the ledger: the original folder of the experiment file, relative to the ledger's
PILOTS = 5  # seeds whose mean shows the warm-up: Hoad, Robinson & Davies (2010) average five runs
Progress = Callable[[int], AbstractContextManager[Callable[[str, Outcome], None]]]


@dataclass(frozen=True)
class Session:
    """How this start of an experiment is executed, and its callbacks."""

    executor: Callable[[], Executor]
    jobs: int
    on_message: Callable[[str], None]
    progress: Progress
    shard: tuple[int, int] = (1, 1)
    retry_failed: bool = False
    command: str = ""


def run_experiment(file: Path, out: Path, session: Session) -> list[RunRow]:
    """Run what is missing of the experiment in ``file`` into ``out`` and write its tables; returns its runs.

    May be interrupted and called again at any time. Raises InputError, RunError or KeyboardInterrupt.
    """
    written = read_experiment(file)
    experiment = expand(written, file, definition_folder(file, out))
    if experiment.stopping is not None and session.shard != (1, 1):
        raise InputError(
            "a stopping rule needs all runs, a shard sees only its own",
            location=str(file),
            remedy="give seeds",
        )
    with output_lock(out), open_ledger(out / LEDGER, session.on_message) as ledger:
        _store_definition(file, out, ledger)
        ledger.set_fact(COMMAND, session.command)
        warm_up = experiment.options.warm_up
        if experiment.find_warm_up:
            warm_up = _find_warm_up(experiment, out, ledger, session)
        plans = _plans(experiment, session)
        required: SeedCounts = {}
        while True:
            runs = _required_runs(experiment, out, warm_up, required, plans)
            enter(ledger, runs, shard=session.shard)
            _run(out, ledger, session)
            rows = list(ledger.rows())
            more = _seeds_required(experiment.stopping, rows)
            if more == required or all(n <= required.get(key, _first(experiment)) for key, n in more.items()):
                break
            required = more
        whole = session.shard == (1, 1)
        write_results(out, rows, written, experiment.scenarios, command=session.command, whole=whole)
        ledger.set_fact(TABLED, ledger.fingerprint())
        names = FILES if whole else SHARD_FILES
        record_outputs(out, ledger, Making("experiment", session.command, whole), names)
    return rows


def _plans(experiment: Experiment, session: Session) -> dict[tuple[str, float], Path]:
    """The plans of the controllers that have one computed, by place and demand level, one for all days."""
    if not experiment.planned:
        return {}
    from denxanh.experiments.optimize.job.conventional import conventional_plan_file

    name = experiment.planned[0].name
    return {
        (scenario.name, demand): conventional_plan_file(
            RunSpecification(scenario.name, scenario, name, demand=demand).simulated(),
            jobs=session.jobs,
            on_message=session.on_message,
        )
        for scenario in experiment.scenarios
        for demand in experiment.demand
    }


def _store_definition(file: Path, out: Path, ledger: Ledger) -> None:
    """Copy the file beside its results, and note where its paths are relative to."""
    kept = out / DEFINITION
    if file.resolve() != kept.resolve():
        new = kept.with_suffix(".new")
        new.unlink(missing_ok=True)
        shutil.copyfile(file, new)
        store.sync(new)
        new.replace(kept)
        ledger.set_fact(BASE, _relative(file.resolve().parent, out.resolve()))
    ledger.set_fact(DEFINED, hash_file(file))


def _relative(path: Path, folder: Path) -> str:
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # another drive
        return path.as_posix()


def definition_folder(file: Path, out: Path) -> Path:
    """The folder that paths in an experiment file are relative to: its own, for the copy in ``out`` the original's."""
    if file.resolve() == (out / DEFINITION).resolve() and (out / LEDGER).is_file():
        with suppress(DamagedLedger), Ledger(out / LEDGER, read_only=True) as ledger:
            if (base := ledger.fact(BASE)) is not None:
                return out / str(base)
    return file.resolve().parent


def _run(out: Path, ledger: Ledger, session: Session) -> None:
    """Run the pending runs, after a message with an estimate of the time."""
    ledger.reset_running()
    if session.retry_failed:
        ledger.retry_failed()
    executor = session.executor()
    try:
        reset_unproven(ledger, executor, session.on_message)
        counts = ledger.counts()
        missing = counts.get("pending", 0)
        session.on_message(announcement(counts, ledger.seconds_left(), session.jobs))
    except BaseException:
        executor.close()
        raise
    with session.progress(missing) as progress:
        run_missing(out, ledger, executor, on_progress=progress)


def announcement(counts: Mapping[str, int], seconds: float | None, jobs: int) -> str:
    """Numbers of runs in all, done, failed and missing, and the time they will take, as one sentence."""
    missing = counts.get("pending", 0)
    parts = [f"{sum(counts.values())} runs", f"{counts.get('done', 0)} done"]
    if limited := counts.get("limited", 0):
        parts.append(f"{limited} limited by time (--retry-failed tries them again)")
    bad = sum(n for state, n in counts.items() if state in ("failed", "timeout", "refused"))
    if bad:
        parts.append(f"{bad} failed (--retry-failed tries them again)")
    parts.append(f"{missing} to do")
    if missing:
        parts.append(
            "time unknown before the first is done"
            if seconds is None
            else f"about {_duration(seconds / jobs)} with {jobs} side by side"
        )
    return ", ".join(parts)


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


# --- the stopping rule
SeedCounts = dict[tuple[str, float], int]
"""Seeds that a place and demand level requires."""


def _first(experiment: Experiment) -> int:
    return len(experiment.seeds) if experiment.stopping is None else experiment.stopping.rule.checks[0]


def _required_runs(
    experiment: Experiment,
    out: Path,
    warm_up: float | Literal["auto"],
    required: SeedCounts,
    plans: Mapping[tuple[str, float], Path],
) -> Iterable[RunSpecification]:
    most = max(required.values(), default=_first(experiment))
    runs = experiment.runs(warm_up=warm_up, days=out / "demand", seeds=experiment.seeds[:most], plans=plans)
    allowed = {key: frozenset(experiment.seeds[:n]) for key, n in required.items()}
    return (
        run
        for run in runs
        if (run.place, run.demand) not in allowed or run.seed in allowed[run.place, run.demand]
    )


def _seeds_required(stopping: Stopping | None, rows: Sequence[RunRow]) -> SeedCounts:
    """Seeds most after what is there, for each place and demand level."""
    if stopping is None:
        return {}
    return {(group.place, group.demand): _group_seeds(stopping, group) for group in groups(rows)}


def _group_seeds(stopping: Stopping, group: Group) -> int:
    """The largest number of seeds that any controller of a group requires.

    Seeds count in their order: a failed one ends the sample, and no further seed is required.
    """
    runs = group.values(stopping.metric)
    baseline = next(iter(runs))
    most = stopping.rule.minimum
    for name, values in runs.items():
        compared = stopping.differences and name != baseline
        if stopping.differences and len(runs) > 1 and not compared:
            continue  # the baseline is judged within every difference
        by_seed = {seed: value for (seed, _), value in values.items()}
        against = {seed: value for (seed, _), value in runs[baseline].items()}
        sample = []
        for seed in range(1, stopping.rule.maximum + 1):
            if seed not in by_seed or (compared and seed not in against):
                break
            sample.append(by_seed[seed] - against[seed] if compared else by_seed[seed])
        reference = float(np.mean(list(against.values()))) if compared and against else None
        found = apply_stopping_rule(sample, stopping.rule, reference=reference)
        most = max(most, found.n)
    return most


# --- the warm-up
def _find_warm_up(experiment: Experiment, out: Path, ledger: Ledger, session: Session) -> float:
    """The longest warm-up that MSER-5 finds in the queues of the baseline, over places and demand levels.

    One warm-up for all: controllers must be measured over the same time. Raises InputError where there is
    no steady state.
    """
    session.on_message("looking for the warm-up (MSER-5) in runs of the baseline")
    baseline = experiment.controllers[0]
    runs = [
        run
        for run in experiment.runs(
            warm_up=0.0,
            days=out / "demand",
            seeds=experiment.seeds[:PILOTS],
            plans=_plans(experiment, session),
        )
        if (run.controller, dict(run.parameters)) == (baseline.name, dict(baseline.parameters))
    ]
    enter(ledger, runs)
    _run(out, ledger, session)
    series: dict[tuple[str, float], list[np.ndarray[tuple[int], np.dtype[np.float64]]]] = {}
    for row in ledger.rows():
        if row.done:
            series.setdefault((row.place, row.demand), []).append(_queue(run_folder(out, row.id)))
    longest = 0.0
    for (place, demand), queues in series.items():
        found = mser5(np.array(queues), interval=INTERVAL)
        if not found.steady:
            raise InputError(
                f"MSER-5 finds no steady state at {place} with demand {demand:g}",
                location="warm_up",
                remedy="give the warm-up in seconds: a rush hour has none to be found",
            )
        session.on_message(f"{place}, demand {demand:g}: warm-up {found.seconds:g} s")
        longest = max(longest, found.seconds)
    ledger.set_fact("warm_up_s", longest)
    return longest


def _queue(folder: Path) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Vehicles queued at all signals, (intervals,)."""
    table = store.read_table(folder / "intervals.parquet", ["begin_s", "queue_mean_veh"])
    _, index = np.unique(table["begin_s"], return_inverse=True)
    return np.bincount(index, weights=table["queue_mean_veh"]).astype(np.float64)
