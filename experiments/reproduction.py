"""Tables and report of an experiment made again from its runs and compared with the files in its folder."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from denxanh.experiments.definition.experiment_file import ExperimentFile, read_experiment
from denxanh.experiments.results.load import LEDGER
from denxanh.experiments.results.outputs import (
    DEFINITION,
    FILES,
    OUTPUTS,
    Making,
    changed_output,
    scenarios_of,
)
from denxanh.experiments.results.verify import Verdict
from denxanh.experiments.rewrite import write_outputs
from denxanh.experiments.runs.ledger import Ledger
from denxanh.experiments.runs.run_row import RunRow, place_label
from denxanh.sim.errors import DenxanhError
from denxanh.sim.run.provenance import versions


def verify_outputs(
    folder: Path, earlier: Sequence[Verdict], *, on_verdict: Callable[[Verdict], None]
) -> list[Verdict]:
    """Verdicts on the tables and the report: against their recorded hashes, then made again from the runs.

    They are made again only if no run differs by the verdicts ``earlier``. ``on_verdict`` gets every verdict.
    """
    with Ledger(folder / LEDGER, read_only=True) as ledger:
        found = [
            Verdict(str(folder / name), "differs", what)
            for name in FILES
            if (what := changed_output(folder, ledger, name))
        ]
        if ledger.fact(OUTPUTS) is not None and not any(v.state == "differs" for v in (*earlier, *found)):
            found += _made_again(folder, ledger)
    for verdict in found:
        on_verdict(verdict)
    return found


def _made_again(folder: Path, ledger: Ledger) -> Iterator[Verdict]:
    recorded = ledger.fact(OUTPUTS)
    present = [name for name in FILES if (folder / name).is_file()]
    try:
        making = Making(**recorded["making"])
        if recorded["versions"] != versions():
            reason = "tables and report cannot be made again: they were made by other versions"
            yield Verdict(str(folder), "cannot", reason)
            return
        rows = list(ledger.rows())
        scenarios = scenarios_of(ledger, rows)
    except DenxanhError as error:
        yield Verdict(str(folder / LEDGER), "differs", str(error))
        return
    except (KeyError, TypeError, AttributeError) as error:
        reason = f"its record of tables and report cannot be read ({error})"
        yield Verdict(str(folder / LEDGER), "differs", reason)
        return
    if making.maker == "experiment" and making.whole:
        try:
            for what in _missing_runs(rows, read_experiment(folder / DEFINITION)):
                yield Verdict(str(folder / LEDGER), "differs", what)
        except DenxanhError as error:
            yield Verdict(str(folder / DEFINITION), "cannot", str(error))
            return
    with tempfile.TemporaryDirectory(prefix="denxanh-verify-") as name:
        try:
            write_outputs(folder, Path(name), making, rows, scenarios, present)
        except (DenxanhError, OSError, ValueError, KeyError, TypeError) as error:
            reason = f"tables and report cannot be made again: {error}"
            yield Verdict(str(folder), "cannot", reason)
            return
        for file in present:
            again = Path(name) / file
            if not again.is_file():
                yield Verdict(str(folder / file), "differs", "the runs give no such file")
            elif again.read_bytes() != (folder / file).read_bytes():
                yield Verdict(str(folder / file), "differs", "made again from the runs, it is another file")


def _missing_runs(rows: Sequence[RunRow], file: ExperimentFile) -> Iterator[str]:
    """What the experiment file asks for and the rows do not have; the places need not be on this machine."""
    levels = {(row.place, row.demand) for row in rows}
    labels = {row.controller for row in rows}
    if len({place for place, _ in levels}) < len(file.places):
        yield f"{DEFINITION} asks for {len(file.places)} places, the ledger has fewer"
    if {float(demand) for demand in file.demand} != {demand for _, demand in levels}:
        yield f"the demand levels are not those of {DEFINITION}"
    if len(labels) < len(file.controllers):
        yield f"{DEFINITION} asks for {len(file.controllers)} controllers, the ledger has {len(labels)}"
    seeds = {level: {row.seed for row in rows if (row.place, row.demand) == level} for level in levels}
    for (place, demand), used in sorted(seeds.items()):
        where = place_label(place, demand)
        asked = set(range(1, file.seeds + 1)) if isinstance(file.seeds, int) else set(file.seeds)
        if file.stop is not None:
            asked = set(range(1, max(len(used), file.stop.min) + 1))
        if used != asked:
            yield f"{where}: the seeds are not those that {DEFINITION} asks for"
        have = {(row.controller, row.seed) for row in rows if (row.place, row.demand) == (place, demand)}
        missing = sorted((label, seed) for label in labels for seed in asked if (label, seed) not in have)
        if missing and used == asked:
            yield "{}: the ledger lacks {}, seed {}".format(where, *missing[0])
