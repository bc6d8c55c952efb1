"""The tables and the report of an experiment as they were written: their sizes and hashes, kept in the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from denxanh.experiments.runs.ledger import Ledger
from denxanh.experiments.runs.run_row import RunRow
from denxanh.sim.errors import InputError
from denxanh.sim.run.provenance import file_record, hash_file, versions
from denxanh.sim.scenario import Scenario

DEFINITION = "experiment.toml"
COMMAND = "command"  # fact in the ledger: the command that ran it last
OUTPUTS = "outputs"  # fact in the ledger: Outputs
DEFINED = "definition"  # fact in the ledger: SHA-256 of the experiment file
FILES = ("README.md", "runs.csv", "runs.parquet", "summary.csv", "statistics.json", "report.html")
SHARD_FILES = ("README.md", "runs.csv", "runs.parquet")
RUNS_FILES: tuple[str, ...] = ("runs.csv", "runs.parquet")
Maker = Literal["experiment", "comparison"]


@dataclass(frozen=True)
class Making:
    """How tables and report were made, so that they can be made again."""

    maker: Maker
    command: str = ""
    whole: bool = True  # False: of a shard


def making_of(folder: Path, ledger: Ledger) -> Making:
    """How the tables and the report of a folder are to be made now."""
    recorded = ledger.fact(OUTPUTS)
    made = recorded.get("making") if isinstance(recorded, dict) else None
    defined = ledger.fact(DEFINED) is not None and (folder / DEFINITION).is_file()
    return Making(
        "experiment" if defined else "comparison",
        str(ledger.fact(COMMAND) or ""),
        whole=not isinstance(made, dict) or bool(made.get("whole", True)),
    )


def scenarios_of(ledger: Ledger, rows: Sequence[RunRow]) -> list[Scenario]:
    """The scenario of each place, in the order of the runs."""
    found: dict[str, Scenario] = {}
    for row in rows:
        if row.place not in found:
            found[row.place] = ledger.specification(row.id).scenario
    return list(found.values())


def changed_definition(folder: Path, ledger: Ledger) -> str:
    """What was done to the experiment file since the experiment was run from it, or an empty text."""
    defined, path = ledger.fact(DEFINED), folder / DEFINITION
    if defined is None:
        return ""
    if not path.is_file():
        return "the file is missing"
    return "" if hash_file(path) == defined else "this is not the file that the experiment was run from"


def record_outputs(out: Path, ledger: Ledger, making: Making, names: Sequence[str] = FILES) -> None:
    """Record the hashes of the files ``names`` that were just written into ``out``."""
    files = {name: file_record(out / name) for name in names if (out / name).is_file()}
    ledger.set_fact(OUTPUTS, {"files": files, "versions": versions(), "making": asdict(making)})


def changed_output(out: Path, ledger: Ledger, name: str) -> str:
    """What was done to a table or report since it was written, or an empty text."""
    known = _files(ledger).get(name)
    path = out / name
    if known is None:
        return ""
    if not path.is_file():
        return "the file is missing"
    found = file_record(path)
    if found == known:
        return ""
    return "the file was changed after it was written" if found["bytes"] else "the file is empty"


def require_output(out: Path, ledger: Ledger, name: str) -> None:
    """Raise InputError if a table or report was changed since it was written."""
    what = changed_output(out, ledger, name)
    if what:
        raise InputError(
            what, location=str(out / name), remedy="run the experiment again, which writes its tables again"
        )


def _files(ledger: Ledger) -> dict[str, Any]:
    known = ledger.fact(OUTPUTS)
    return known["files"] if isinstance(known, dict) and isinstance(known.get("files"), dict) else {}
