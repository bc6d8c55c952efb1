"""The command line. Heavy imports wait inside the commands: ``denxanh --help`` must answer at once."""

from __future__ import annotations

import os
import sqlite3
import sys
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import typer

from denxanh.experiments.cli.streams import echo, open_streams
from denxanh.experiments.runs.worker import shortage
from denxanh.sim.errors import DenxanhError, InputError

COMMANDS = {
    "place_commands": ("list", "check", "import", "calibrate", "counts", "places", "warmup"),
    "plan_commands": ("plan", "analyse", "sheet", "export-plan"),
    "run_commands": ("run", "compare"),
    "study_command": ("study",),
    "experiment_commands": ("experiment", "benchmark", "new", "merge"),
    "result_commands": ("query", "table", "report", "explain", "verify", "export", "pack", "event-log"),
    "picture_commands": ("serve", "replay", "plot"),
    "optimize_command": ("optimize",),
}
"""The commands of each module, in the order of the help."""


def program(name: str | None = None) -> typer.Typer:
    """The program with all its commands, or with those of the module of the command ``name`` alone.

    Reading the options of all commands takes a tenth of a second.
    """
    made = typer.Typer(
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
        help="Simulate, control, compare and explain traffic signals on any SUMO scenario.",
    )
    made.callback()(options)
    homes = [module for module, names in COMMANDS.items() if name in names] or list(COMMANDS)
    for module in homes:
        import_module(f"denxanh.experiments.cli.{module}").install(made)
    return made


def __getattr__(name: str) -> typer.Typer:
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return program()


def _print_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        echo(f"denxanh {version('denxanh')} (SUMO {version('eclipse-sumo')})")
        raise typer.Exit


VersionOption = Annotated[
    bool,
    typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version, and exit."),
]


def options(version: VersionOption = False) -> None:
    """Options of the program itself."""


def main() -> None:
    """Entry point: errors are one sentence, and the exit status tells."""
    open_streams()
    try:
        _check_out(sys.argv)
        program(sys.argv[1] if len(sys.argv) > 1 else None)()
    except DenxanhError as error:
        echo(f"denxanh: {error}", err=True)
        sys.exit(2)
    except KeyboardInterrupt:
        echo("denxanh: stopped; start it again to go on", err=True)
        sys.exit(130)
    except (MemoryError, ImportError) as error:
        echo(f"denxanh: {shortage(error)}", err=True)
        sys.exit(2)
    except sqlite3.OperationalError as error:
        from denxanh.experiments.runs.ledger_file import write_error

        echo(f"denxanh: {write_error(error, 'the experiment')}", err=True)
        sys.exit(2)
    except OSError as error:
        echo(f"denxanh: {_refusal(error)}", err=True)
        sys.exit(2)


def _check_out(arguments: list[str]) -> None:
    """Raise InputError for an empty ``--out``, which would be the current folder."""
    if "--out=" in arguments or ("--out", "") in pairwise(arguments):
        raise InputError("--out is empty", remedy="name a folder or file, or leave --out out")


def _refusal(error: OSError) -> str:
    """What the system refused, in a sentence."""
    if isinstance(error, FileNotFoundError) and error.filename:
        folder = Path(os.fsdecode(error.filename)).parent
        if not folder.exists():
            return f"{error.filename}: the folder {folder} does not exist; make it, or name another"
    name = f" {error.filename}" if error.filename else ""
    return f"the system refuses{name}: {error.strerror or error}"
