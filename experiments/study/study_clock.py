"""The clock of a study: how much of its time is left, and blocks that end when their time is up."""

from __future__ import annotations

import _thread
import os
import signal
import threading
import time
from dataclasses import dataclass, field
from types import FrameType, TracebackType
from typing import Any, Literal

_AGAIN = 0.05  # s after which an interrupt is repeated that came before its block had begun


@dataclass(frozen=True)
class StudyClock:
    """Counts wall-clock seconds from its making; ``total`` is what the study may take."""

    total: float
    begin: float = field(default_factory=time.monotonic)

    def left(self, share: float = 1.0) -> float:
        """Seconds until this share of the time is over; below zero afterwards."""
        return self.begin + share * self.total - time.monotonic()

    def text(self) -> str:
        """How much time is left, as ``7 of 20 min left``."""
        left, total = max(self.left(), 0.0), self.total
        if total < 120:
            return f"{left:.0f} of {total:.0f} s left"
        return f"{left / 60:.0f} of {total / 60:.0f} min left"


class interrupted_after:
    """Interrupt a block after ``seconds`` as Ctrl-C would, for code that then keeps the best so far.

    The interrupt ends with the block: it is not raised outside. Ctrl-C itself is. In the main thread only.
    ``fired`` says afterwards whether the time was over.

    >>> with interrupted_after(0.01) as up:
    ...     time.sleep(60)
    >>> up.fired
    True
    """

    def __init__(self, seconds: float) -> None:
        self.fired = False
        self._seconds = max(seconds, 0.0)
        self._state: Literal["entering", "open", "closed"] = "entering"
        self._before: Any = None
        self._timer: threading.Timer | None = None

    def __enter__(self) -> interrupted_after:
        self._before = signal.signal(signal.SIGINT, self._interrupt)
        self._start(self._seconds)
        self._state = "open"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self._state = "closed"
        if self._timer is not None:
            self._timer.cancel()
        signal.signal(signal.SIGINT, self._before)
        return kind is KeyboardInterrupt and self.fired

    def _start(self, seconds: float) -> None:
        self._timer = threading.Timer(seconds, self._fire)
        self._timer.daemon = True
        self._timer.start()

    def _fire(self) -> None:
        if self._state != "closed":
            self.fired = True
            _interrupt_main()

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        """The handler of SIGINT, in the main thread: it raises within the block only, not within this class."""
        if not self.fired:
            if callable(self._before):
                self._before(number, frame)
            return
        own = frame is not None and frame.f_code.co_filename == __file__
        if self._state == "entering" or (self._state == "open" and own):
            self._start(_AGAIN)
        elif self._state == "open":
            raise KeyboardInterrupt


def _interrupt_main() -> None:
    """SIGINT to the main thread, which also ends its waits; where there are no such signals, at its next step."""
    main = threading.main_thread().ident
    if os.name == "posix" and main is not None:
        signal.pthread_kill(main, signal.SIGINT)
    else:
        _thread.interrupt_main()
