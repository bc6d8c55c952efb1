"""Text, JSON, TOML and CSV files of users: read whole, with one sentence for every fault (file and line)."""

from __future__ import annotations

import csv
import io
import json
import math
import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from denxanh.sim.errors import InputError
from denxanh.sim.input.limits import DIGITS, TEXT_BYTES, TOML_BYTES, TOML_PARTS, as_text, whole_fits


def read_text(path: Path, *, kind: str, most: int = TEXT_BYTES, remedy: str = "check the path") -> str:
    """The content of a UTF-8 file without its byte-order mark; ``kind`` is what it is for, in the message.

    Raises InputError: it cannot be read, is no UTF-8, or has more than ``most`` bytes (it is then not read).
    """
    try:
        with path.open("rb") as stream:
            content = stream.read(most + 1)
    except OSError as error:
        raise InputError(
            f"the {kind} cannot be read ({error.strerror or error})", location=str(path), remedy=remedy
        ) from None
    except ValueError as error:
        raise InputError(f"the {kind} cannot be read ({error})", location=str(path), remedy=remedy) from None
    if len(content) > most:
        raise InputError(
            f"the {kind} has more than {most >> 20} MB",
            location=str(path),
            remedy="check that it is the right file",
        )
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise InputError(
            f"the {kind} is not UTF-8 text", location=str(path), remedy="save it as UTF-8"
        ) from None


def read_json(path: Path, *, kind: str, remedy: str = "correct it") -> Any:
    """The values of a JSON file. Raises InputError."""
    text = read_text(path, kind=kind, remedy=remedy)
    return parse_json(text, location=str(path), kind=kind, remedy=remedy)


def parse_json(text: str, *, location: str, kind: str, remedy: str = "correct it") -> Any:
    """The values of a JSON text. Raises InputError, also for NaN, Infinity and numbers beyond 64 bits."""
    try:
        return json.loads(text, parse_constant=_refuse, parse_float=_finite, parse_int=_whole)
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"the {kind} is not JSON ({_reason(error)})", location=location, remedy=remedy
        ) from None


def _refuse(word: str) -> float:
    raise ValueError(f"{word} is not a number")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:30]} is beyond the range of numbers")
    return value


def _whole(text: str) -> int:
    if len(text) > DIGITS + 1:
        raise ValueError(f"a number has {len(text)} digits")
    return int(text)


def read_toml(path: Path, *, kind: str, remedy: str = "correct it") -> tuple[dict[str, Any], str]:
    """The values of a TOML file, and its text. Raises InputError."""
    text = read_text(path, kind=kind, most=TOML_BYTES, remedy=remedy)
    return parse_toml(text, location=str(path)), text


def parse_toml(text: str, *, location: str) -> dict[str, Any]:
    """The values of a TOML text. Raises InputError, also for nan, inf and whole numbers beyond 64 bits."""
    for number, line in enumerate(text.split("\n"), 1):
        if line.count(".") >= TOML_PARTS and _has_long_key(line):
            raise InputError(
                f"a key has more than {TOML_PARTS} parts",
                location=f"{location}, line {number}",
                remedy="correct it",
            )
    try:
        values = tomllib.loads(text)
        _check_numbers(values, "")
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"this is not TOML: {_reason(error)}", location=location, remedy="correct it"
        ) from None
    except InputError as error:
        raise InputError(error.what, location=location, remedy=error.remedy) from None
    return values


def _has_long_key(line: str) -> bool:
    """Whether a line has a dotted key of more than TOML_PARTS parts; the parser's time grows with their square."""
    bare = _QUOTED.sub("", line)
    return any(word[0].count(".") >= TOML_PARTS for word in _WORD.finditer(bare))


_QUOTED = re.compile(r"""\"(?:[^"\\]++|\\.)*+\"|'[^']*+'""")
_WORD = re.compile(r"[\w\-. \t]++")


def _check_numbers(value: Any, key: str) -> None:
    """Raise InputError for a number that is not finite or has more than 64 bits."""
    if isinstance(value, dict):
        for name, inner in value.items():
            _check_numbers(inner, f"{key}.{name}".lstrip("."))
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            _check_numbers(inner, f"{key}[{i}]")
    elif isinstance(value, int) and not whole_fits(value):
        raise InputError(f"{key} is {as_text(value)}", remedy="give a number of at most 64 bits")
    elif isinstance(value, float) and not math.isfinite(value):
        raise InputError(f"{key} is {value:g}", remedy="give a finite number")


SEPARATORS = (";", "\t", ",")
"""Between the cells of a CSV; spreadsheets write ``;`` where the decimal sign is a comma, as in Vietnamese."""


def read_csv(path: Path, *, kind: str) -> list[list[str]]:
    """The rows of a CSV file, cells as they are written; between them what the first line has most of SEPARATORS.

    Raises InputError.
    """
    text = read_text(path, kind=kind)
    separator = max(SEPARATORS, key=text.partition("\n")[0].count)
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    except csv.Error as error:
        raise InputError(
            f"the {kind} is not CSV: {error}", location=str(path), remedy="save it as CSV in UTF-8"
        ) from None


FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""Beginnings of a cell that a spreadsheet takes for a formula, in full width too."""

NUMBER = r"[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?"
"""A number as a regular expression."""


def csv_cell(value: object) -> object:
    """The value of a cell for a CSV; a text that a spreadsheet would run as a formula gets an apostrophe in front.

    Numbers stay numbers, also those written as text.

    >>> csv_cell("=1+1"), csv_cell("-2.5"), csv_cell(-2.5), csv_cell("-E0")
    ("'=1+1", '-2.5', -2.5, "'-E0")
    """
    if (
        isinstance(value, str) and "\r" in value
    ):  # csv.writer does not quote it, and readers end the row there
        value = value.replace("\r\n", "\n").replace("\r", " ")
    if isinstance(value, str) and value.lstrip(" ").startswith(FORMULA) and not re.fullmatch(NUMBER, value):
        return f"'{value}"
    return value


def csv_row(values: Sequence[object]) -> list[object]:
    """A row for a CSV, each cell as ``csv_cell`` writes it."""
    return [csv_cell(value) for value in values]


def csv_text(cell: str) -> str:
    """The text of a cell that ``csv_cell`` wrote, stripped of spaces.

    >>> csv_text("'-E0"), csv_text("-E0"), csv_text("'tis")
    ('-E0', '-E0', "'tis")
    """
    found = cell.strip(" ")
    return found[1:] if found.startswith("'") and found[1:].lstrip(" ").startswith(FORMULA) else cell.strip()


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it nests too deeply"
    text = str(error).partition("\n")[0]
    return "a number has thousands of digits" if "integer string conversion" in text else text
