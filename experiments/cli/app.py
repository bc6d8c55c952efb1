"""The command line. Heavy imports wait inside the commands: ``denxanh --help`` must answer at once."""

from __future__ import annotations

import sys

import typer

from denxanh.experiments.cli import (
    experiment_commands,
    optimize_command,
    place_commands,
    result_commands,
    run_commands,
)
from denxanh.sim.errors import DenxanhError

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    help="Simulate, control, compare and explain traffic signals on any SUMO scenario.",
)


for commands in (place_commands, run_commands, experiment_commands, result_commands, optimize_command):
    commands.install(app)


def main() -> None:
    """Entry point: errors are one sentence, and the exit status tells."""
    try:
        app()
    except DenxanhError as error:
        typer.echo(f"denxanh: {error}", err=True)
        sys.exit(2)
    except KeyboardInterrupt:
        typer.echo("denxanh: stopped; start it again to go on", err=True)
        sys.exit(130)
    except OSError as error:
        name = f" {error.filename}" if error.filename else ""
        typer.echo(f"denxanh: the system refuses{name}: {error.strerror or error}", err=True)
        sys.exit(2)
