"""The command line. Heavy imports wait inside the commands: ``denxanh --help`` must answer at once."""

from __future__ import annotations

import sqlite3
import sys
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
from denxanh.sim.errors import DenxanhError

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
        name = f" {error.filename}" if error.filename else ""
        echo(f"denxanh: the system refuses{name}: {error.strerror or error}", err=True)
        sys.exit(2)
