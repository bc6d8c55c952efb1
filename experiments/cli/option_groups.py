"""Options of a command from the fields of a dataclass, so that a command has few parameters."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields, make_dataclass
from functools import wraps
from typing import Annotated, Any, get_type_hints

import typer

from denxanh.experiments.specification.run_options import DECLARATION, Declaration


def with_options(**groups: type) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Replace the named parameters of a command by an option for each field of their dataclass.

    The fields are annotated as typer wants parameters to be; the command gets the dataclass.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        parameters: list[inspect.Parameter] = []
        for parameter in inspect.signature(command, eval_str=True).parameters.values():
            group = groups.get(parameter.name)
            parameters += _parameters(group) if group else [_by_name(parameter)]

        @wraps(command)
        def expanded(**values: Any) -> None:
            made = {
                name: group(**{f.name: values.pop(f.name) for f in fields(group)})
                for name, group in groups.items()
            }
            command(**values, **made)

        expanded.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        expanded.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        return expanded

    return decorate


def declared_options(described: type, defaults: Mapping[str, Any] | None = None) -> type:
    """A dataclass of typer options for the declared fields of ``described``.

    ``defaults``: only the fields that it names, each with its default for this command.
    """
    hints = get_type_hints(described)
    options = [_option(field, hints[field.name]) for field in fields(described)]
    if defaults is not None:
        options = [(name, hint, defaults[name]) for name, hint, _ in options if name in defaults]
    return make_dataclass("Written", options)


def _option(field: Field[Any], hint: Any) -> tuple[str, Any, Any]:
    """Name, annotation and default of the option of a declared field."""
    declared: Declaration = field.metadata[DECLARATION]
    flag = "--" + field.name.replace("_", "-")
    if (text := declared.text) is None:
        return (
            field.name,
            Annotated[hint, typer.Option(flag, min=declared.minimum, help=declared.help)],
            field.default,
        )
    written = typer.Option(
        text.flag or flag, min=text.minimum, metavar=text.metavar, help=text.help or declared.help
    )
    return field.name, Annotated[text.type, written], text.default


def _parameters(group: type) -> list[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    return [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if field.default is MISSING else field.default,
            annotation=hints[field.name],
        )
        for field in fields(group)
    ]


def _by_name(parameter: inspect.Parameter) -> inspect.Parameter:
    return parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
