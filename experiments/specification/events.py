"""Events as a user writes them: ``[[events]]`` tables in experiment.toml or in a file of their own (docs/events.md).

Every mistake is one sentence with file and line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, fields
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from denxanh.experiments.specification.run_options import Table
from denxanh.experiments.specification.sensings import IDEAL
from denxanh.sim.errors import InputError
from denxanh.sim.events import KINDS, Event, EventContext
from denxanh.sim.input.requirements import requirement
from denxanh.sim.input.text_files import read_toml
from denxanh.sim.network import Network
from denxanh.sim.network_reader import network_of
from denxanh.sim.scenario import Scenario
from denxanh.sim.text_values import did_you_mean

if TYPE_CHECKING:
    from pydantic import TypeAdapter

_KINDS = {kind.kind: kind for kind in KINDS}
PLACE = "place"
"""The key that keeps an event to one place of several; no part of the event itself."""


class Source:
    """Where tables were written, to say where a mistake is."""

    def __init__(self, path: Path, text: str) -> None:
        self._path, self._lines = path, text.splitlines()

    def location(self, number: int, key: str = "") -> str:
        """File and line of the ``number``-th event (from 0), or of a key in it."""
        starts = [i for i, line in enumerate(self._lines) if re.match(r"\s*\[\[\s*events\s*\]\]", line)]
        if number >= len(starts):  # written inline
            starts = [i for i, line in enumerate(self._lines) if re.match(r"\s*events\s*=", line)] or [0]
            return f"{self._path}, line {starts[0] + 1}, event {number + 1}"
        line = starts[number]
        for i in range(line + 1, len(self._lines)):
            if self._lines[i].lstrip().startswith("["):
                break
            if key and re.match(rf"\s*\"?{re.escape(key)}\"?\s*=", self._lines[i]):
                line = i
                break
        return f"{self._path}, line {line + 1}"


def read_events(path: Path) -> tuple[tuple[Table, ...], Source]:
    """The ``[[events]]`` of a file that holds nothing else. Raises InputError."""
    data, text = read_toml(path, kind="file of events", remedy="give a TOML file")
    others = sorted(set(data) - {"events"})
    if others or not isinstance(data.get("events"), list):
        what = f"there is no key {others[0]!r}" if others else "there are no [[events]]"
        raise InputError(what, location=str(path), remedy="write [[events]] tables")
    source = Source(path, text)
    return tuple(check_table(table, source, i) for i, table in enumerate(data["events"])), source


def check_table(table: object, source: Source, number: int) -> Table:
    """One event's table, its kind, keys and types checked. Raises InputError."""
    if not isinstance(table, Mapping) or not isinstance(table.get("kind"), str):
        raise InputError(
            "an event needs a kind",
            location=source.location(number),
            remedy=f"there are: {', '.join(_KINDS)}",
        )
    if table["kind"] not in _KINDS:
        raise InputError(
            f"there is no event {table['kind']!r}",
            location=source.location(number, "kind"),
            remedy=did_you_mean(table["kind"], _KINDS),
        )
    known = {field.name: field for field in fields(_KINDS[table["kind"]])}  # type: ignore[arg-type]
    for key in table:
        if key not in (*known, "kind", PLACE):
            raise InputError(
                f"{table['kind']} has no key {key!r}",
                location=source.location(number, key),
                remedy=did_you_mean(key, (*known, PLACE)),
            )
    missing = [n for n, field in known.items() if field.default is MISSING and n not in table]
    if missing:
        raise InputError(
            f"{table['kind']} needs {missing[0]!r}",
            location=source.location(number),
            remedy="see docs/events.md",
        )
    from pydantic import ValidationError

    try:
        make_events([table])
    except ValidationError as error:
        first = error.errors()[0]
        key = str(first["loc"][0]) if first["loc"] else ""
        raise InputError(
            f"{key} of {table['kind']}{_problem(first)} (given: {first['input']!r})",
            location=source.location(number, key),
            remedy="see docs/events.md",
        ) from None
    return dict(table)


def _problem(error: Mapping[str, object]) -> str:
    must = requirement(error)
    return f" {must}" if must else f": {error['msg']}"


@cache
def _adapter(kind: str) -> TypeAdapter[Event]:
    from pydantic import TypeAdapter

    return TypeAdapter(_KINDS[kind])


def make_events(tables: Iterable[Table]) -> tuple[Event, ...]:
    """The events behind tables that were checked."""
    return tuple(
        _adapter(table["kind"]).validate_python(
            {key: value for key, value in table.items() if key not in ("kind", PLACE)}
        )
        for table in tables
    )


def events_at(tables: Iterable[Table], place: str) -> tuple[Table, ...]:
    """Those that happen at a place."""
    return tuple(
        {key: value for key, value in table.items() if key != PLACE}
        for table in tables
        if table.get(PLACE, place) == place
    )


def check_events(
    tables: Sequence[Table], scenarios: Sequence[Scenario], sensing: Sequence[str], source: Source
) -> None:
    """Refuse ids, times and values that do not fit the places. Raises InputError."""
    names = [scenario.name for scenario in scenarios]
    networks: dict[str, Network] = {}
    for number, table in enumerate(tables):
        if (place := table.get(PLACE)) is not None and place not in names:
            raise InputError(
                f"there is no place {place!r} here",
                location=source.location(number, PLACE),
                remedy=did_you_mean(str(place), names),
            )
        for scenario in scenarios:
            if place not in (None, scenario.name):
                continue
            if scenario.name not in networks:
                networks[scenario.name] = network_of(scenario)
            scene = EventContext(scenario, networks[scenario.name], any(text != IDEAL for text in sensing))
            (event,) = make_events([table])
            try:
                event.check(scene)
            except InputError as error:
                raise InputError(error.what, location=source.location(number), remedy=error.remedy) from None
    _check_overlaps(tables, source)


def _check_overlaps(tables: Sequence[Table], source: Source) -> None:
    """Two of one kind at once on one thing would undo each other. Raises InputError."""
    for number, table in enumerate(tables):
        for other in tables[:number]:
            kinds = {table["kind"], other["kind"]}
            if len(kinds) > 1 or kinds & {"surge", "motorcade"} or not _same_place(table, other):
                continue
            (a,), (b,) = make_events([table]), make_events([other])
            if a.begin < b.end and b.begin < a.end and _same_thing(table, other):
                raise InputError(
                    f"this {table['kind']} overlaps an earlier one",
                    location=source.location(number),
                    remedy="let one end before the other begins",
                )


def _same_place(a: Table, b: Table) -> bool:
    return PLACE not in a or PLACE not in b or a[PLACE] == b[PLACE]


def _same_thing(a: Table, b: Table) -> bool:
    return a["kind"] == "rain" or any(
        set(a.get(key, ())) & set(b.get(key, ())) for key in ("signals", "lanes")
    )
