"""Arguments and options that several commands share, and how their texts are read."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from denxanh.sim.input.limits import JOBS, SEEDS, check_count, check_seeds, whole_number

if TYPE_CHECKING:
    from denxanh.experiments.definition.days import Days
    from denxanh.experiments.report.page import Language
    from denxanh.sim.text_values import Moment

PlaceArgument = Annotated[
    str,
    typer.Argument(metavar="PLACE", help="A built-in place, a .sumocfg, a folder with one, or NET+ROUTES."),
]
OutOption = Annotated[Path | None, typer.Option("--out", help="Folder for the results.")]
EndOption = Annotated[
    str | None,
    typer.Option("--end", metavar="TIME", help="Simulate until: seconds, 07:30, or +30min after the begin."),
]
JobsOption = Annotated[
    int,
    typer.Option(
        "--jobs", min=0, max=JOBS, help="Runs side by side; 0: one per core that this process may use."
    ),
]
DaysOption = Annotated[
    str,
    typer.Option(
        "--days",
        metavar="each|same",
        help="Each seed has its own day (departures drawn anew), or all the same vehicles.",
    ),
]
LimitOption = Annotated[
    str, typer.Option("--limit", metavar="TIME", help="Wall-clock time a run may take: seconds, or 30min.")
]
SensingOption = Annotated[
    list[str] | None,
    typer.Option("--sensing", metavar="NAME[:key=value,…]", help="What controllers see by (denxanh list)."),
]
WALL_LIMIT = "3600"
ClusterOption = Annotated[
    str | None, typer.Option("--cluster", metavar="ADDRESS", help="A Dask scheduler, as tcp://…:8786.")
]


def read_end(text: str | None) -> Moment | None:
    """The value of --end. Raises InputError."""
    from denxanh.sim.text_values import read_moment

    return None if text is None else read_moment(text, "--end")


def read_limit(text: str) -> float:
    """The value of --limit, s. Raises InputError."""
    from denxanh.sim.text_values import read_duration

    return read_duration(text, "--limit", minimum=1.0)


def read_language(text: str) -> Language:
    """The value of --lang. Raises InputError."""
    from denxanh.sim.errors import InputError

    if text not in ("en", "vi"):
        raise InputError(f"there is no language {text!r}", remedy="write --lang en or --lang vi")
    return "vi" if text == "vi" else "en"


def read_days(text: str) -> Days:
    """The value of --days. Raises InputError."""
    from denxanh.sim.errors import InputError

    if text not in ("each", "same"):
        raise InputError(
            f"--days: {text!r} is neither each nor same", remedy="write --days each or --days same"
        )
    return "same" if text == "same" else "each"


def parse_seeds(text: str) -> list[int]:
    """``N`` is 1…N; ``3,5,8`` is a list. Raises InputError."""
    from denxanh.sim.errors import InputError

    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() for part in parts):
        raise InputError(f"--seeds {text!r} is neither a number nor a list", remedy="write 5, or 3,5,8")
    numbers = [whole_number(part, "--seeds") for part in parts]
    if "," not in text:
        if not 1 <= numbers[0] <= SEEDS:
            raise InputError(
                f"--seeds {text} is not between 1 and {SEEDS}", remedy="write a number of seeds, as 5"
            )
        return list(range(1, numbers[0] + 1))
    check_count(len(numbers), SEEDS, "seeds", location="--seeds", remedy="name fewer")
    check_seeds(numbers, location="--seeds")
    if len(set(numbers)) != len(numbers):
        raise InputError(f"--seeds {text} names a seed twice", remedy="name each once")
    return numbers


def default_out(stem: str) -> Path:
    """The folder of results where --out is not given."""
    safe = "".join(c if c.isalnum() or c in "-_.=" else "-" for c in stem)
    return Path("denxanh-results") / (safe.lstrip(".") or "results")


def command_line() -> str:
    """The command as it was typed."""
    return shlex.join(["denxanh", *sys.argv[1:]])
