"""The collector of cyclic garbage is paused where millions of objects are made that all stay.

Python (CPython 3.11) searches all young objects for cycles after every 700 new ones, and all objects each time their
number has grown by a quarter. While a network is read nothing becomes garbage, so that these searches find nothing
and take half of the time (docs/research/start-up.md).
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

RARELY = 50_000
"""Objects between two searches in the process of a run, whose policies make a thousand short-lived ones a second."""


@contextmanager
def paused_collector() -> Iterator[None]:
    """Pause the collector, and go on as before; also as a decorator."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


def collect_rarely() -> None:
    """Let the collector of this process search after every ``RARELY`` objects instead of 700."""
    gc.set_threshold(RARELY, *gc.get_threshold()[1:])
