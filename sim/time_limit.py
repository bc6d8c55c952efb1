"""Limits of time that a pause of the machine does not use up.

``limited`` ends an action of a controller by the CPU time of this process; what sleeps is ended by the time that it
was seen asleep, counted in slices. ``Countdown`` limits a wait for another process, counted in slices too. A process
that is stopped, a machine that sleeps or one that is busy with other work therefore uses up one slice at most for
each pause (decision 0650).
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import TypeVar

_T = TypeVar("_T")

SLICE = 0.1  # s between two looks at an action
LONGEST_GAP = 1.0  # s that a Countdown counts between two looks; longer gaps are pauses


class OverTime(BaseException):
    """The action exceeded its time. Not an Exception, so that ``except Exception`` inside it does not catch it."""


class Countdown:
    """``seconds`` of a wait during which this process runs; ``expired`` must be asked at least once a second."""

    def __init__(self, seconds: float) -> None:
        self._left = seconds
        self._seen = time.monotonic()

    def expired(self) -> bool:
        """Whether the time is used up; the time since the last call counts, at most LONGEST_GAP of it."""
        now = time.monotonic()
        self._left -= min(now - self._seen, LONGEST_GAP)
        self._seen = now
        return self._left <= 0.0


def limited(
    action: Callable[[], _T], *, cpu: float, asleep: float, reading: Callable[[], bool] = lambda: False
) -> _T:
    """The value of ``action()``. Raises OverTime where it takes more than ``cpu`` s of CPU time, or sleeps longer
    than ``asleep`` s.

    Where there are interval timers (POSIX, main thread) the action is interrupted, even in an endless loop; but not
    while ``reading()``, since a half-read answer of SUMO would corrupt all later ones. Elsewhere its CPU time is
    checked when it returns. An action that a debugger holds has no limit.
    """
    watch = _Watch(cpu, asleep)
    try:
        value = _interruptible(action, watch, reading) if can_interrupt() else action()
    except OverTime:  # of a class of its own where the action itself raised it
        raise OverTime(watch.excess() or "it ended itself as if it were late") from None
    if excess := watch.excess():  # it swallowed the interrupt, or there was none
        raise OverTime(excess)
    return value


def can_interrupt() -> bool:
    """Whether this platform and thread can interrupt an action."""
    return hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()


def _interruptible(action: Callable[[], _T], watch: _Watch, reading: Callable[[], bool]) -> _T:
    def tick(_signal: int, frame: FrameType | None) -> None:
        if reading():
            watch.skip()
            return
        watch.look()
        if watch.excess() and _inside(frame):
            raise OverTime

    before = signal.signal(signal.SIGALRM, tick)
    signal.setitimer(signal.ITIMER_REAL, SLICE, SLICE)
    try:
        return _call(action)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)


def _call(action: Callable[[], _T]) -> _T:
    """Call ``action`` from a frame by which ``_inside`` knows whether it is still running."""
    return action()


def _inside(frame: FrameType | None) -> bool:
    """Whether ``frame`` is called by ``_call``: an interrupt anywhere else would hit our own code."""
    while frame is not None:
        frame = frame.f_back
        if frame is not None and frame.f_code is _call.__code__:
            return True
    return False


class _Watch:
    """The CPU time of this process since it was made, and the slices in which it was asleep."""

    def __init__(self, cpu: float, asleep: float) -> None:
        self._began = time.process_time()
        self._limit = cpu
        self._asleep = asleep
        self._slept = 0.0
        self._debugged = False
        self.skip()

    def look(self) -> None:
        """Count the slice since the last look if the process slept in it, however long the slice was.

        Who waits gives up the processor by itself; a process that gets none, or that is stopped, does not.
        """
        cpu, switches = self._cpu, self._switches
        self.skip()
        self._debugged |= _debugged()
        if self._switches > switches and self._cpu - cpu < SLICE / 2:
            self._slept += SLICE

    def skip(self) -> None:
        """Begin a new slice without counting the last one."""
        self._cpu, self._switches = time.process_time(), _voluntary_switches()

    def excess(self) -> str:
        """Which limit is exceeded, or an empty text."""
        if time.process_time() - self._began > self._limit:
            found = f"it took more than {self._limit:g} s of CPU time"
        elif self._slept >= self._asleep:
            found = f"it waited for {self._asleep:g} s"
        else:
            return ""
        return "" if self._debugged or _debugged() else found


def _voluntary_switches() -> int:
    """How often this thread has given up the processor by itself, as for a sleep."""
    try:
        import resource
    except ImportError:  # Windows, which has no timer to look with either
        return 0
    return resource.getrusage(getattr(resource, "RUSAGE_THREAD", resource.RUSAGE_SELF)).ru_nvcsw


def _debugged() -> bool:
    """Whether a debugger of Python (pdb, debugpy) is at work in this process."""
    bdb = sys.modules.get("bdb")
    if "pydevd" in sys.modules:
        return True
    return bdb is not None and isinstance(getattr(sys.gettrace(), "__self__", None), bdb.Bdb)
