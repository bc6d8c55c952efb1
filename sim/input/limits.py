"""Largest values that are accepted from users, each with its reason; what is beyond them is refused at once.

A limit stands far above any real use, and below the value at which time or memory would be spent in silence.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable

from denxanh.sim.errors import InputError

TEXT_BYTES = 64 << 20
"""Size of a JSON or CSV file: the plan of 10 000 signals has 20 MB; the parsed values need ten times the memory."""

TOML_BYTES = 256 << 10
"""Size of a TOML file: experiments and events have some kB; Python's parser reads 0.3 MB per second."""

TOML_PARTS = 32
"""Parts of a dotted key in TOML: experiment files need two, and the time of the parser grows with their square."""

CONFIGURATION_BYTES = 16 << 20
"""Size of a .sumocfg: it holds options and paths only."""

UNPACKED_RATIO = 100
"""Times its size that a packed file may unpack to: SUMO's own XML packs to 1/10 … 1/60, and gzip's best is 1/1032."""

UNPACKED_FREE = 16 << 20
"""Bytes that any packed file may unpack to, whatever the ratio."""

PBF_RATIO = 10
"""The same for the blobs of an OpenStreetMap PBF: real ones pack to 1/2; an object takes a tenth of its XML."""

PBF_FREE = 4 << 20
"""Bytes that the blobs of any PBF may unpack to, whatever the ratio: a million nodes."""

XML_DEPTH = 100
"""Depth of nested elements: SUMO's formats need at most ten, and parsers in C end the process far beyond it."""

ERRORS = 20
"""Errors of one file that a message lists."""

NAME = 255
"""Bytes of a name that becomes a file's: the limit of common file systems."""

DIGITS = 18
"""Digits of a whole number: those of 64 bits, with which SUMO, sqlite and the tables compute."""

SEED = 2**31 - 1
"""Largest seed: SUMO's is a signed number of 32 bits."""

SEEDS = 100_000
"""Seeds of one command or experiment: half the width of a 95 % interval is then 0.3 % of the standard deviation."""

JOBS = 1024
"""Processes side by side: more than the cores of any one machine; each needs about 100 MB."""

VARIANTS = 10_000
"""Variants of one controller entry, and levels of one range: each is built and checked before the first run."""

RUNS = 10_000_000
"""Runs of one experiment: each needs 3.6 kB of memory for the tables at the end (docs/scale.md)."""

DEMAND = 100.0
"""Factor of the demand, exclusive: beyond it a street receives more vehicles than fit on it."""

COUNT = 500_000
"""Vehicles in one cell of a count form: 24 h of the busiest motorways in the world are below this."""

VEHICLES = 20_000_000
"""Vehicles of one scenario: all trips of a day in a city of ten million; each is held in memory."""

ROUTE_EDGES = 100_000
"""Edges of one route after its repetitions: a bus that drives a line of 100 edges all day has 2000."""

LINKS = 2000
"""Links of one signal: joined signals have up to 200, and the matrices of conflicts grow with the square."""

SECONDS = 366 * 86400.0
"""Length or time of a simulation, s: a year. A longer one does not end within any limit of wall-clock time."""

PARAMETER = 1e6
"""Absolute value of a parameter of a controller or a sensing that is given as text: seconds, metres, vehicles."""

STEPS = 1000
"""Whole numbers of things that are repeated: guesses and rounds of a decision, samples, plans by time of day, parts."""

MEMORY_MB = 1 << 24
"""Limits of memory and disk in MB: 16 TB. The operating system refuses larger numbers."""

QUERY_ROWS = 1_000_000
"""Rows of one answer of ``denxanh query``; longer tables are what ``denxanh export`` is for."""

QUERY_MEMORY = "1GB"
"""Memory of ``denxanh query``: sorting 10⁷ vehicles needs 0.5 GB."""

QUERY_ADDRESSES = 3 << 30
"""Bytes of address space that duckdb and Arrow may reserve: on two cores 2.3 GB measured, and the data beside."""


def check_number(
    value: float, most: float, name: str, *, location: str = "", least: float = -math.inf
) -> float:
    """The value, which must be a finite number from ``least`` to ``most``. Raises InputError.

    >>> check_number(12.0, 100.0, "--day")
    12.0
    """
    if least <= value <= most and math.isfinite(value):
        return value
    wanted = f"from {least:g} to {most:g}" if math.isfinite(least) else f"up to {most:g}"
    raise InputError(f"{name} is {as_text(value)}", location=location, remedy=f"give a number {wanted}")


def whole_number(text: str, name: str, *, location: str = "") -> int:
    """The whole number that a text of ASCII digits holds. Raises InputError, also for more than DIGITS digits."""
    written = text.strip()
    if not (written.isascii() and written.isdigit()):
        raise InputError(f"{name} is {text!r}", location=location, remedy="write a whole number")
    if len(written) > DIGITS:
        raise InputError(
            f"{name} has {len(written)} digits", location=location, remedy=f"write at most {DIGITS} of them"
        )
    return int(written)


def check_count(count: int, most: int, what: str, *, location: str = "", remedy: str) -> None:
    """Raise InputError where there are more than ``most`` of something."""
    if count > most:
        raise InputError(
            f"{as_text(count)} {what} are too many (at most {most})", location=location, remedy=remedy
        )


def check_seeds(seeds: Iterable[int], *, location: str = "") -> None:
    """Raise InputError for a seed that SUMO does not accept."""
    for seed in seeds:
        if not 0 <= seed <= SEED:
            raise InputError(
                f"the seed {as_text(seed)} is out of range",
                location=location,
                remedy=f"give one from 0 to {SEED}",
            )


def whole_fits(value: int) -> bool:
    """Whether a whole number has at most 64 bits, as those of SUMO, sqlite and the tables."""
    return -(2**63) <= value < 2**63


def as_text(value: float) -> str:
    """A number for a message; of a very long one its number of digits.

    >>> as_text(1_000_000)
    '1000000'
    """
    if isinstance(value, int) and value.bit_length() > 200:
        return f"a number of about {int(value.bit_length() * 0.30103)} digits"
    return f"{value:g}" if isinstance(value, float) else str(value)


assert sys.int_info.default_max_str_digits > DIGITS
