"""A limit on the time that a block of code may take, with an interrupt where the platform has one."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_AGAIN = 0.01  # s until the interrupt is tried again when it came at a bad moment


class OverTime(BaseException):
    """The block exceeded its time. Not an Exception, so that ``except Exception`` inside it does not catch it."""


@contextmanager
def time_limit(seconds: float, *, busy: Callable[[], bool] = lambda: False) -> Iterator[None]:
    """Raise OverTime when the block takes longer than ``seconds`` of wall time.

    Where there are interval timers (POSIX, main thread) the block is interrupted, even in an endless loop;
    but not while ``busy()``, since a half-read answer of SUMO would corrupt all later ones. Elsewhere the time is
    checked when it returns.
    """
    if not can_interrupt():
        started = time.monotonic()
        yield
        if time.monotonic() - started > seconds:
            raise OverTime
        return
    armed = True

    def ring(_signal: int, _frame: object) -> None:
        if armed and busy():
            signal.setitimer(signal.ITIMER_REAL, _AGAIN)
        elif armed:
            raise OverTime

    before = signal.signal(signal.SIGALRM, ring)
    started = time.monotonic()
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        armed = False
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
    if time.monotonic() - started > seconds:  # it swallowed the interrupt
        raise OverTime


def can_interrupt() -> bool:
    """Whether this platform and thread can interrupt a block."""
    return hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()
