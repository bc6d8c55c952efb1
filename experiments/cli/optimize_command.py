"""The command ``denxanh optimize``: its options follow from the fields of TuningOptions."""

from __future__ import annotations

import inspect
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from denxanh.experiments.cli.arguments import (
    WALL_LIMIT,
    ClusterOption,
    EndOption,
    JobsOption,
    LimitOption,
    OutOption,
    PlaceArgument,
    command_line,
    default_out,
    parse_seeds,
    read_end,
    read_limit,
)
from denxanh.experiments.optimize.job.tuning_options import CommandOption, command_options

if TYPE_CHECKING:
    from denxanh.sim.scenario import Scenario
    from denxanh.sim.text_values import Moment


def install(app: typer.Typer) -> None:
    """Add this command to the program."""
    app.command("optimize")(_with_options(optimize))


def optimize(
    place: PlaceArgument,
    end: EndOption = None,
    jobs: JobsOption = 0,
    limit: LimitOption = WALL_LIMIT,
    out: OutOption = None,
    cluster: ClusterOption = None,
    **given: Any,
) -> None:
    """Search signal timings and validate them in SUMO on seeds and days that the search never used."""
    from denxanh.experiments.cli import printing, tuning_printing
    from denxanh.experiments.optimize.job.optimization import optimize as tune
    from denxanh.experiments.optimize.job.progress_listener import ProgressListener
    from denxanh.experiments.optimize.job.tuning_options import TuningOptions
    from denxanh.experiments.report.optimization.tuning_report import write_tuning
    from denxanh.experiments.runs.usable_cores import usable_cores
    from denxanh.experiments.specification.run_options import Limits
    from denxanh.networks.scenarios import open_scenario
    from denxanh.sim.errors import RunError

    for name, (known, _) in command_options().items():
        _check_choice(given[name], known.choices, name)
    until = read_end(end)
    scenario = open_scenario(place, end=until)
    values = {name: known.read(given[name]) for name, (known, _) in command_options().items()}
    values["seeds"] = tuple(parse_seeds(given["seeds"]))
    values["also"] = tuple(_other(text, scenario, until) for text in given["also"] or ())
    options = TuningOptions(**values)
    target = out or default_out(f"optimize-{scenario.name}")
    printing.print_notes(scenario)
    with tuning_printing.ProgressLine(options.time) as line:
        result = tune(
            scenario,
            options,
            target,
            jobs=jobs or usable_cores(),
            limits=Limits(read_limit(limit)),
            listener=ProgressListener(line.on_search, line.on_message, line.on_run),
            cluster=cluster,
        )
    report = write_tuning(result, options, command=command_line()) if result.rows else None
    tuning_printing.tuning(result, options, report)
    if result.unvalidated:
        raise RunError(
            f"no held-out run of {', '.join(result.unvalidated)} finished, so the plan is not validated; see {target}"
        )


def _with_options(command: Any) -> Any:
    """The command with the fields of TuningOptions as parameters in place of ``given``."""
    signature = inspect.signature(command, eval_str=True)
    own = [p for p in signature.parameters.values() if p.kind is not inspect.Parameter.VAR_KEYWORD]
    derived = [_parameter(name, known, default) for name, (known, default) in command_options().items()]

    @wraps(command)
    def expanded(**values: Any) -> None:
        command(**values)

    parameters = [own[0], *derived, *own[1:]]
    expanded.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    expanded.__annotations__ = {p.name: p.annotation for p in parameters}
    return expanded


def _parameter(name: str, known: CommandOption, default: Any) -> inspect.Parameter:
    """One option as typer reads it from a signature."""
    option = typer.Option(
        *filter(None, [known.flags]),
        help=known.help,
        metavar=known.metavar,
        min=known.minimum,
        rich_help_panel=known.group,
    )
    kind: Any = known.type if default is not None else known.type | None
    return inspect.Parameter(
        name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=default, annotation=Annotated[kind, option]
    )


def _check_choice(value: Any, choices: tuple[str, ...], option: str) -> None:
    from denxanh.sim.errors import InputError
    from denxanh.sim.text_values import did_you_mean

    if choices and value not in choices:
        raise InputError(f"--{option} {value!r} is not known", remedy=did_you_mean(value, choices))


def _other(text: str, scenario: Scenario, end: Moment | None) -> Scenario:
    """Other traffic: a route file on the network of the scenario, or a scenario of its own."""
    from dataclasses import replace

    from denxanh.networks.scenarios import open_scenario
    from denxanh.sim.errors import InputError

    path = Path(text)
    if text.endswith((".rou.xml", ".rou.xml.gz")):
        if not path.is_file():
            raise InputError("route file not found", location=text, remedy="check the path of --also")
        return replace(scenario, name=path.name.partition(".")[0], routes=(path,))
    return open_scenario(text, end=end)
