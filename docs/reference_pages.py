"""The parts of the reference that are made from the code: command line, Python, controllers, metrics, errors.

A page names a part in a comment, ``<!-- from the code: metrics -->``; ``insert`` puts Markdown in its place.
"""

from __future__ import annotations

import inspect
import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
MARK = re.compile(r"<!-- from the code: ([a-z-]+) -->")


def insert(text: str) -> str:
    """``text`` with every mark replaced by its part. Raises KeyError for a part that does not exist."""
    return MARK.sub(lambda mark: PARTS[mark[1]](), text)


def cell(text: str) -> str:
    """``text`` as one cell of a Markdown table."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A Markdown table."""
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in lines)


# The command line


def commands(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Each command below ``command`` that does something itself, with its full name."""
    if hasattr(command, "commands"):
        for name in sorted(command.commands):
            yield from commands(command.commands[name], f"{path} {name}")
    else:
        yield path, command


def option_row(parameter: Any) -> tuple[str, ...]:
    """One row of a command's table: how it is written, what it does, its default."""
    if parameter.param_type_name == "argument":
        written = f"`{parameter.metavar or parameter.name.upper()}`"
    else:
        written = ", ".join(f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts))
    default = parameter.default
    shown = "needed" if parameter.required else ""
    if not parameter.required and isinstance(default, str | int | float) and default not in (False, ""):
        shown = f"`{default}`"
    return written, cell(getattr(parameter, "help", None) or ""), shown


def command_line() -> str:
    """Every command of the typer application with its arguments and options."""
    from typer.main import get_command

    from denxanh.experiments.cli.app import app

    parts = []
    for name, command in commands(get_command(app), "denxanh"):
        rows = [option_row(p) for p in command.params if not getattr(p, "hidden", False) and p.name != "help"]
        rows = [row for row in rows if row[0] != "`--help`"]
        parts += [f"## {name}", prose(command.help or "")]
        if rows:
            parts.append(table(("argument or option", "meaning", "default"), rows))
    return "\n\n".join(parts)


# Python


def prose(text: str) -> str:
    """A docstring as Markdown: examples and indented blocks become code, the rest stays."""
    lines: list[str] = []
    inside = False
    for line in inspect.cleandoc(text.replace("\b", "")).splitlines():
        code = line.startswith((">>>", "    ")) or (inside and line.startswith("..."))
        if code != inside:
            lines.append("```python" if code and line.startswith(">>>") else "```text" if code else "```")
            inside = code
        lines.append(line if inside else line.replace("<", "&lt;"))
    return "\n".join([*lines, "```"] if inside else lines)


def signature(name: str, thing: Any) -> str:
    """``name`` with its parameters, one line each where there are many."""
    text = f"{name}{inspect.signature(thing)}".replace("'", "")
    text = re.sub(r"denxanh\.[a-z_.]+\.", "", text)
    if len(text) <= 100:
        return text
    inner = re.sub(r", (?=\*|[a-z_]+(:|=))", ",\n    ", text.partition("(")[2])
    return f"{name}(\n    {inner}"


def members(kind: type) -> Iterator[tuple[str, Any]]:
    """Public methods and properties that ``kind`` itself documents."""
    for name, member in vars(kind).items():
        if not name.startswith("_") and (inspect.isfunction(member) or isinstance(member, property)):
            yield name, member


def python() -> str:
    """Every public name of ``import denxanh``: functions, then classes, then exceptions; strategies stand elsewhere."""
    import denxanh

    kinds: dict[str, list[str]] = {"Functions": [], "Classes": [], "Exceptions": []}
    strategies = {point.value.partition(":")[2] for point in controllers().values()}
    for name in denxanh.__all__:
        thing = getattr(denxanh, name)
        if name in strategies:
            continue
        text = [f"### {name}"]
        if inspect.isclass(thing) and issubclass(thing, Exception):
            text.append(prose(thing.__doc__ or ""))
            kinds["Exceptions"].append("\n\n".join(text))
            continue
        text += [f"```python\n{signature(name, thing)}\n```", prose(thing.__doc__ or "")]
        if inspect.isclass(thing):
            for member, what in members(thing):
                head = member if isinstance(what, property) else signature(member, what)
                text.append(f"```python\n{head}\n```\n\n{prose(what.__doc__ or '')}")
        kinds["Classes" if inspect.isclass(thing) else "Functions"].append("\n\n".join(text))
    return "\n\n".join(f"## {kind}\n\n" + "\n\n".join(parts) for kind, parts in kinds.items())


# Controllers


def controllers() -> dict[str, Any]:
    """Entry points of the controllers that come with denxanh, by name."""
    from denxanh.controllers.registry import controllers as installed

    return {name: p for name, p in installed().items() if p.value.startswith("denxanh.controllers.")}


def when_not() -> dict[str, str]:
    """When not to use each controller, written by hand: reference/when-not-to-use.toml."""
    return tomllib.loads((HERE / "reference" / "when-not-to-use.toml").read_text("utf-8"))


def source(module_doc: str) -> str:
    """The sentences of a module's docstring that name a paper, a manual or a standard."""
    paragraphs = re.split(r"\n\s*\n", module_doc)
    cited = [p for p in paragraphs if re.search(r"doi:|arXiv|\b(19|20)\d\d\b", p)]
    chosen = next((p for p in cited if re.search(r"doi:|arXiv", p)), cited[0] if cited else "")
    return cell(chosen)


def defaults(kind: Any) -> str:
    """Parameters of a controller with their defaults."""
    shown = []
    for field in fields(kind) if is_dataclass(kind) else ():
        if field.init:
            value = field.default if field.default is not MISSING else None
            made = field.default_factory is not MISSING
            shown.append(f"`{field.name}`" if value is None or made else f"`{field.name}={value}`")
    return ", ".join(shown) or "none"


def controller_table() -> str:
    """Every controller: what it does, its source, what it sees, its parameters, when not to use it."""
    never = when_not()
    parts = []
    for name, point in controllers().items():
        kind = point.load()
        first = inspect.cleandoc(kind.__doc__ or "").partition("\n\n")[0]
        said = source(inspect.getdoc(inspect.getmodule(kind)) or "")
        rows = [
            ("sees", ", ".join(f"`{field}`" for field in sorted(kind.sees)) or "no vehicles"),
            ("parameters", defaults(kind)),
            ("do not use it", cell(never[name])),
        ]
        if said:
            rows.insert(0, ("source", said))
        parts.append(f"### {name}\n\n{prose(first)}\n\n{table(('', ''), rows)}")
    return "\n\n".join(parts)


def controller_overview() -> str:
    """One row for each controller: name, family, what it sees, when not to use it."""
    never = when_not()
    rows = []
    for name, point in controllers().items():
        sees = ", ".join(sorted(point.load().sees)) or "–"
        rows.append((f"[`{name}`](#{slug(name)})", point.value.split(".")[2], sees, cell(never[name])))
    return table(("controller", "family", "sees", "do not use it"), rows)


def slug(heading: str) -> str:
    """The anchor of a heading, as MyST makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


# Metrics and errors


def metrics() -> str:
    """Every metric of ``sim/metrics.py``: name, unit, which way is better, what it says in both languages."""
    from denxanh.sim.metrics import METRICS

    better = {True: "less", False: "more", None: "–"}
    lower = list(inspect.signature(type(METRICS[0])).parameters)
    rows = []
    for metric in METRICS:
        name, unit, less, english, vietnamese = (getattr(metric, field) for field in lower[:5])
        rows.append((f"`{name}`", unit, better[less], english, vietnamese))
    return table(("metric", "unit", "better", "meaning", "tiếng Việt"), rows)


def errors() -> str:
    """The exceptions of ``sim/errors.py`` as a tree, and each in a row."""
    from denxanh.sim import errors as module

    tree = inspect.cleandoc(module.__doc__ or "").partition("\n\n")[2]
    kinds = [k for k in vars(module).values() if inspect.isclass(k) and issubclass(k, module.DenxanhError)]
    rows = [(f"`{k.__name__}`", cell((k.__doc__ or "").partition("\n\n")[0])) for k in kinds]
    return f"```text\n{tree}\n```\n\n{table(('exception', 'meaning'), rows)}"


# Files


def place_file() -> str:
    """Every table of a place file: its keys, their types and defaults."""
    from pydantic import BaseModel

    from denxanh.networks.place import schema

    kinds = [k for k in vars(schema).values() if inspect.isclass(k) and issubclass(k, BaseModel)]
    own = [k for k in kinds if k.__module__ == schema.__name__ and not k.__name__.startswith("_")]
    parts = []
    for kind in sorted(own, key=lambda k: (k is not schema.PlaceFile, k.__name__)):
        rows = []
        for name, field in kind.model_fields.items():
            annotation = re.sub(r"[a-z_]+\.[a-z_.]*\.", "", str(kind.__annotations__[name]))
            default = (
                "needed" if field.is_required() else f"`{field.get_default(call_default_factory=True)!r}`"
            )
            rows.append((f"`{field.alias or name}`", f"`{cell(annotation)}`".replace("&lt;", "<"), default))
        text = prose((kind.__doc__ or "").partition("\n\n")[0])
        parts.append(f"### {kind.__name__}\n\n{text}\n\n{table(('key', 'type', 'default'), rows)}")
    return "\n\n".join(parts)


PARTS: dict[str, Callable[[], str]] = {
    "command-line": command_line,
    "python": python,
    "controller-overview": controller_overview,
    "controllers": controller_table,
    "metrics": metrics,
    "errors": errors,
    "place-file": place_file,
}
