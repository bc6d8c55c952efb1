"""Rows that were measured elsewhere: one TOML file for each source, with what it measured and how far it compares.

A file has the texts ``title``, ``source`` (a citation), ``url``, ``sumo`` (version) and ``comparable`` (why its figures
are or are not comparable one to one), and tables ``[[row]]`` with ``scenario``, ``controller`` and ``delay_s``;
the other fields of OutsideRow where they are known. ``url`` is a web address, or empty where there is none.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, fields
from importlib.resources import files
from typing import Any

from denxanh.experiments.benchmark.suite import quoted
from denxanh.sim.errors import InputError
from denxanh.sim.input.text_files import parse_toml
from denxanh.sim.text_values import did_you_mean

TEXTS = ("title", "source", "url", "sumo", "comparable")


@dataclass(frozen=True)
class OutsideRow:
    """The delay of one controller in one scenario, s/veh; counts are means over the runs, None where not told."""

    scenario: str
    controller: str
    delay_s: float
    half_width: float | None = None  # of the 95 % interval of the mean
    runs: int | None = None
    gridlocked: int | None = None  # of the runs
    teleports: float | None = None
    waiting: float | None = None  # vehicles never inserted
    inputs: str = ""  # SHA-256 over the scenario's files, see ``benchmark.inputs_digest``
    network: str = ""  # SHA-256 of the network's file
    begin: float | None = None  # s
    end: float | None = None  # s
    fallbacks: float | None = None  # signals that fell back to their plan, mean of the runs
    unfinished: float | None = None  # largest share of the vehicles still on their way at the end of a run
    limited: int | None = None  # runs that met a limit of time
    failed: int | None = None  # runs that failed


@dataclass(frozen=True)
class Source:
    """Rows from one source, how it is cited, and how far its figures compare with those measured here."""

    title: str
    source: str
    url: str
    sumo: str
    comparable: str
    rows: tuple[OutsideRow, ...]


def sources_of(scenarios: Iterable[str]) -> list[Source]:
    """The sources that come with denxanh, each with its rows of these scenarios; none without a row."""
    wanted = frozenset(scenarios)
    found = []
    for entry in sorted((files(__package__) / "data" / "rows").iterdir(), key=lambda entry: entry.name):
        read = read_source(entry.read_text(encoding="utf-8"), entry.name)
        rows = tuple(row for row in read.rows if row.scenario in wanted)
        if rows:
            found.append(Source(read.title, read.source, read.url, read.sumo, read.comparable, rows))
    return found


def read_source(text: str, location: str) -> Source:
    """The source of a TOML text. Raises InputError that names the row and its key."""
    data = parse_toml(text, location=location)
    for name in data:
        if name not in (*TEXTS, "row"):
            raise InputError(f"there is no key {name!r}", location=location, remedy=did_you_mean(name, TEXTS))
    for name in TEXTS:
        if not isinstance(data.get(name), str) or not (data[name].strip() or name == "url"):
            raise InputError(
                f"the text {name!r} is missing", location=location, remedy="see docs/benchmark.md"
            )
    if data["url"] and not data["url"].startswith(("https://", "http://")):
        raise InputError(
            f"url is {data['url']!r}",
            location=location,
            remedy="give a web address, https://…, or leave it empty",
        )
    tables = data.get("row")
    if not isinstance(tables, list) or not tables:
        raise InputError("it has no [[row]]", location=location, remedy="see docs/benchmark.md")
    rows = tuple(_row(table, f"{location}, row {number}") for number, table in enumerate(tables, 1))
    pairs = [(row.scenario, row.controller) for row in rows]
    for number, pair in enumerate(pairs):
        if pair in pairs[:number]:
            raise InputError(
                f"{pair[1]} at {pair[0]} is given twice",
                location=f"{location}, row {number + 1}",
                remedy="keep one",
            )
    return Source(**{name: data[name] for name in TEXTS}, rows=rows)


_KINDS: Mapping[str, tuple[type, ...]] = {"str": (str,), "float": (int, float), "int": (int,)}


def _row(table: Any, location: str) -> OutsideRow:
    known = {field.name: field for field in fields(OutsideRow)}
    if not isinstance(table, dict):
        raise InputError("a row is a table", location=location, remedy="begin it with [[row]]")
    for name, value in table.items():
        if name not in known:
            raise InputError(f"there is no key {name!r}", location=location, remedy=did_you_mean(name, known))
        kinds = _KINDS[str(known[name].type).partition(" ")[0]]
        bad = not isinstance(value, kinds) or isinstance(value, bool)
        if bad or (not isinstance(value, str) and not 0 <= value < math.inf):
            raise InputError(f"invalid {name}: {value!r}", location=location, remedy="see docs/benchmark.md")
    for name, field in known.items():
        if field.default is MISSING and name not in table:
            raise InputError(f"{name!r} is missing", location=location, remedy="see docs/benchmark.md")
    return OutsideRow(**table)


def write_source(source: Source) -> str:
    """The text of a source's file; ``read_source`` gives it back."""
    lines = [f"{name} = {_value(getattr(source, name))}" for name in TEXTS]
    for row in source.rows:
        given = {field.name: getattr(row, field.name) for field in fields(OutsideRow)}
        lines += [
            "",
            "[[row]]",
            *(f"{k} = {_value(v)}" for k, v in given.items() if v is not None and v != ""),
        ]
    return "\n".join([*lines, ""])


def _value(value: object) -> str:
    return quoted(value) if isinstance(value, str) else repr(value)
