"""Arguments and options that several commands share, and how their texts are read."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

PlaceArgument = Annotated[
    str,
    typer.Argument(metavar="PLACE", help="A built-in place, a .sumocfg, a folder with one, or NET+ROUTES."),
]
OutOption = Annotated[Path | None, typer.Option("--out", help="Folder for the results.")]
EndOption = Annotated[float | None, typer.Option("--end", help="Simulate until this time, s.")]
JobsOption = Annotated[int, typer.Option("--jobs", min=0, help="Runs side by side; 0: one per core.")]
LimitOption = Annotated[float, typer.Option("--limit", min=1, help="Wall-clock seconds a run may take.")]
SensingOption = Annotated[
    list[str] | None,
    typer.Option("--sensing", metavar="NAME[:key=value,…]", help="What controllers see by (denxanh list)."),
]
WALL_LIMIT = 3600.0


def parse_seeds(text: str) -> list[int]:
    """``N`` is 1…N; ``3,5,8`` is a list. Raises InputError."""
    from denxanh.sim.errors import InputError

    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() for part in parts):
        raise InputError(f"--seeds {text!r} is neither a number nor a list", remedy="write 5, or 3,5,8")
    numbers = [int(part) for part in parts]
    if "," not in text:
        if not 1 <= numbers[0] <= 100_000:
            raise InputError(
                f"--seeds {text} is not between 1 and 100000", remedy="write a number of seeds, as 5"
            )
        return list(range(1, numbers[0] + 1))
    if len(set(numbers)) != len(numbers):
        raise InputError(f"--seeds {text} names a seed twice", remedy="name each once")
    return numbers


def default_out(stem: str) -> Path:
    """The folder of results where --out is not given."""
    safe = "".join(c if c.isalnum() or c in "-_.=" else "-" for c in stem)
    return Path("denxanh-results") / safe


def command_line() -> str:
    """The command as it was typed."""
    return shlex.join(["denxanh", *sys.argv[1:]])
