"""The command line. Heavy imports wait inside the commands: ``denxanh --help`` must answer at once."""

from __future__ import annotations

import os
import sqlite3
import sys
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import typer

from denxanh.experiments.cli import (
    experiment_commands,
    optimize_command,
    picture_commands,
    place_commands,
    plan_commands,
    result_commands,
    run_commands,
    study_command,
)
from denxanh.experiments.cli.streams import echo, open_streams
from denxanh.experiments.runs.worker import shortage
from denxanh.sim.errors import DenxanhError, InputError

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    help="Simulate, control, compare and explain traffic signals on any SUMO scenario.",
)


def _print_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        echo(f"denxanh {version('denxanh')} (SUMO {version('eclipse-sumo')})")
        raise typer.Exit


VersionOption = Annotated[
    bool,
    typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version, and exit."),
]


@app.callback()
def options(version: VersionOption = False) -> None:
    """Options of the program itself."""


for commands in (
    place_commands,
    plan_commands,
    run_commands,
    study_command,
    experiment_commands,
    result_commands,
    picture_commands,
    optimize_command,
):
    commands.install(app)


def main() -> None:
    """Entry point: errors are one sentence, and the exit status tells."""
    open_streams()
    try:
        _check_out(sys.argv)
        app()
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
