"""The runs that a replay plays: run folders, or runs chosen from the folder of an experiment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from denxanh.experiments.results.load import LEDGER
from denxanh.experiments.runs.ledger import Ledger
from denxanh.experiments.runs.run_row import RunRow, run_folder
from denxanh.sim.errors import InputError
from denxanh.sim.language.text import Text
from denxanh.sim.run.repetition import StoredRun, open_run
from denxanh.sim.run.store import MANIFEST
from denxanh.sim.text_values import did_you_mean

MOST = 2  # runs side by side


@dataclass(frozen=True)
class ChosenRun:
    """A stored run and its label: the controller as a user wrote it, or its name in both languages."""

    run: StoredRun
    label: str | Text


def choose_runs(
    paths: Sequence[Path],
    *,
    controllers: Sequence[str] = (),
    seed: int | None = None,
    place: str | None = None,
) -> list[ChosenRun]:
    """One or two runs to play.

    Of an experiment's folder: the runs of ``controllers`` with ``seed`` at ``place``; by default its first two
    controllers (only the first where two paths are given), the first seed that both have, and the first place.
    Raises InputError for too many runs, and for a folder without such a run.
    """
    if len(paths) > MOST or len(controllers) > MOST:
        raise InputError("a replay shows one or two runs", remedy="name at most two")
    found: list[ChosenRun] = []
    for path in paths:
        if (path / LEDGER).is_file():
            found += _of_experiment(path, controllers, seed, place, MOST if len(paths) == 1 else 1)
        elif (path / MANIFEST).is_file():
            found.append(_of_folder(path))
        else:
            raise InputError(
                f"there is neither {MANIFEST} of a run nor {LEDGER} of an experiment",
                location=str(path),
                remedy="give a folder that 'denxanh run', 'compare', 'experiment' or 'optimize' wrote",
            )
    return found[:MOST]


def _of_folder(path: Path) -> ChosenRun:
    run = open_run(path)
    return ChosenRun(run, str(run.manifest.get("controller", "")))


def _of_experiment(
    path: Path, controllers: Sequence[str], seed: int | None, place: str | None, most: int
) -> list[ChosenRun]:
    with Ledger(path / LEDGER, read_only=True) as ledger:
        rows = [row for row in ledger.rows() if row.done]
        if not rows:
            raise InputError("no run is done", location=str(path), remedy="run the experiment first")
        place = place or rows[0].place_label
        rows = _with(rows, "place", [row.place_label for row in rows], place, path)
        names = list(dict.fromkeys(row.controller for row in rows))
        wanted = list(controllers) or names[:most]
        for name in wanted:
            if name not in names:
                raise InputError(
                    f"there is no run of controller {name!r}",
                    location=str(path),
                    remedy=did_you_mean(name, names),
                )
        if seed is None:
            common = [row.seed for row in rows if _seeds(rows, wanted, row.seed)]
            seed = common[0] if common else rows[0].seed
        picks = [row for name in wanted for row in rows if (row.controller, row.seed) == (name, seed)]
        if len(picks) < len(wanted):
            raise InputError(
                f"not every controller has a finished run with seed {seed}",
                location=str(path),
                remedy="choose another --seed or one controller",
            )
        return [
            ChosenRun(
                open_run(run_folder(path, row.id), ledger.specification(row.id).scenario), row.controller
            )
            for row in picks
        ]


def _with(rows: Sequence[RunRow], what: str, values: Sequence[str], wanted: str, path: Path) -> list[RunRow]:
    if wanted not in values:
        known = list(dict.fromkeys(values))
        raise InputError(
            f"there is no finished run of {what} {wanted!r}",
            location=str(path),
            remedy=did_you_mean(wanted, known),
        )
    return [row for row, value in zip(rows, values, strict=True) if value == wanted]


def _seeds(rows: Sequence[RunRow], controllers: Sequence[str], seed: int) -> bool:
    return {row.controller for row in rows if row.seed == seed} >= set(controllers)
