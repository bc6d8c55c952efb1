"""An experiment, start to end: expand the file, run what is missing, stop when it is precise enough, write it up."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from experiments.attempt import Outcome, run_folder
from experiments.expand import Experiment, Stopping, expand
from experiments.experiment_file import read_experiment
from experiments.ledger import Ledger, Row
from experiments.loading import DEFINITION, LEDGER, TABLED
from experiments.results import write_results
from experiments.runner import Executor, enter, run_missing, writing
from experiments.statistics import judge, mser5
from experiments.summary import Group, groups
from experiments.task import Task
from sim import store
from sim.errors import InputError
from sim.run import INTERVAL, hash_file

PILOTS = 5  # seeds whose mean shows the warm-up: Hoad, Robinson & Davies (2010) average five runs
Progress = Callable[[int], AbstractContextManager[Callable[[str, Outcome], None]]]


@dataclass(frozen=True)
class Session:
    """How this start of an experiment is done, and who is told about it."""

    executor: Callable[[Experiment], Executor]
    jobs: int
    tell: Callable[[str], None]
    progress: Progress
    shard: tuple[int, int] = (1, 1)
    retry_failed: bool = False
    command: str = ""


def run_experiment(file: Path, out: Path, session: Session) -> list[Row]:
    """Run what is missing of the experiment in ``file`` into ``out`` and write its tables; returns its runs.

    May be interrupted and called again at any time. Raises InputError, RunError or KeyboardInterrupt.
    """
    written = read_experiment(file)
    experiment = expand(written, file)
    if experiment.stopping is not None and session.shard != (1, 1):
        raise InputError(
            "a stopping rule needs all runs, a shard sees only its own", where=str(file), remedy="give seeds"
        )
    with writing(out), Ledger(out / LEDGER) as ledger:
        _keep_definition(file, out, ledger)
        warm_up = experiment.warm_up
        if warm_up is None:
            warm_up = _find_warm_up(experiment, out, ledger, session)
        needed: Needed = {}
        while True:
            tasks = _tasks(experiment, out, warm_up, needed)
            enter(ledger, tasks, shard=session.shard)
            _run(experiment, out, ledger, session)
            rows = list(ledger.rows())
            more = _needed(experiment.stopping, rows)
            if more == needed or all(n <= needed.get(key, _first(experiment)) for key, n in more.items()):
                break
            needed = more
        whole = session.shard == (1, 1)
        write_results(out, rows, written, experiment.scenarios, command=session.command, whole=whole)
        ledger.note(TABLED, ledger.fingerprint())
    return rows


def _keep_definition(file: Path, out: Path, ledger: Ledger) -> None:
    """A copy of the file stands with its results."""
    kept = out / DEFINITION
    if file.resolve() != kept.resolve():
        new = kept.with_suffix(".new")
        shutil.copyfile(file, new)
        store.sync(new)
        new.replace(kept)
    ledger.note("definition", hash_file(file))


def _run(experiment: Experiment, out: Path, ledger: Ledger, session: Session) -> None:
    """What is missing of the runs entered, with an estimate before."""
    ledger.reopen()
    if session.retry_failed:
        ledger.retry_failed()
    counts = ledger.counts()
    missing = counts.get("pending", 0)
    session.tell(announcement(counts, ledger.seconds_left(), session.jobs))
    with session.progress(missing) as progress:
        run_missing(out, ledger, session.executor(experiment), progress=progress)


def announcement(counts: Mapping[str, int], seconds: float | None, jobs: int) -> str:
    """How many runs there are, how many are missing and how long they will take, in a sentence."""
    missing = counts.get("pending", 0)
    parts = [f"{sum(counts.values())} runs", f"{counts.get('done', 0)} done"]
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
Needed = dict[tuple[str, float], int]
"""How many seeds a place and demand level needs."""


def _first(experiment: Experiment) -> int:
    return len(experiment.seeds) if experiment.stopping is None else experiment.stopping.rule.looks[0]


def _tasks(experiment: Experiment, out: Path, warm_up: float, needed: Needed) -> Iterable[Task]:
    most = max(needed.values(), default=_first(experiment))
    tasks = experiment.tasks(warm_up=warm_up, days=out / "demand", seeds=experiment.seeds[:most])
    allowed = {key: frozenset(experiment.seeds[:n]) for key, n in needed.items()}
    return (
        task
        for task in tasks
        if (task.place, task.demand) not in allowed or task.seed in allowed[task.place, task.demand]
    )


def _needed(stopping: Stopping | None, rows: Sequence[Row]) -> Needed:
    """Seeds wanted after what is there, for each place and demand level."""
    if stopping is None:
        return {}
    return {(group.place, group.demand): _wanted(stopping, group) for group in groups(rows)}


def _wanted(stopping: Stopping, group: Group) -> int:
    """The largest number of seeds that any controller of a group still wants.

    Seeds count in their order: a failed one ends what can be judged, and no further is asked for.
    """
    runs = group.values(stopping.metric)
    baseline = next(iter(runs))
    wanted = stopping.rule.minimum
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
        found = judge(sample, stopping.rule, reference=reference)
        wanted = max(wanted, found.n)
    return wanted


# --- the warm-up
def _find_warm_up(experiment: Experiment, out: Path, ledger: Ledger, session: Session) -> float:
    """The longest warm-up that MSER-5 finds in the queues of the baseline, over places and demand levels.

    One warm-up for all: controllers must be measured over the same time. Raises InputError where there is
    no steady state.
    """
    session.tell("looking for the warm-up (MSER-5) in runs of the baseline")
    baseline = experiment.controllers[0]
    tasks = [
        task
        for task in experiment.tasks(warm_up=0.0, days=out / "demand", seeds=experiment.seeds[:PILOTS])
        if (task.controller, dict(task.parameters)) == (baseline.name, dict(baseline.parameters))
    ]
    enter(ledger, tasks)
    _run(experiment, out, ledger, session)
    series: dict[tuple[str, float], list[np.ndarray[tuple[int], np.dtype[np.float64]]]] = {}
    for row in ledger.rows():
        if row.state == "done":
            series.setdefault((row.place, row.demand), []).append(_queue(run_folder(out, row.id)))
    longest = 0.0
    for (place, demand), runs in series.items():
        found = mser5(np.array(runs), interval=INTERVAL)
        if not found.steady:
            raise InputError(
                f"MSER-5 finds no steady state at {place} with demand {demand:g}",
                where="warm_up",
                remedy="give the warm-up in seconds: a rush hour has none to be found",
            )
        session.tell(f"{place}, demand {demand:g}: warm-up {found.seconds:g} s")
        longest = max(longest, found.seconds)
    ledger.note("warm_up_s", longest)
    return longest


def _queue(folder: Path) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Vehicles queued at all signals, (intervals,)."""
    table = store.read_table(folder / "intervals.parquet", ["begin_s", "queue_mean_veh"])
    _, index = np.unique(table["begin_s"], return_inverse=True)
    return np.bincount(index, weights=table["queue_mean_veh"]).astype(np.float64)
