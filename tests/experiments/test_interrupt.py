"""SIGINT and SIGTERM at any moment: the end within five seconds, nothing half accepted, and it goes on."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable
from typing import Any

import pytest

MOMENTS = [4, pytest.param(40, marks=pytest.mark.slow)]


@pytest.mark.parametrize("moments", MOMENTS)
def test_signals_end_it_soon_and_it_resumes(
    campaign: Callable[..., Any], tiny_place: Any, moments: int
) -> None:
    one = campaign()
    one.write(
        f'places = ["{tiny_place.config}"]\ncontrollers = ["program", "max-pressure"]\n'
        f"seeds = {3 * moments}\nend = 60\n"
    )
    rng = random.Random(7)
    slowest = 0.0
    for moment in range(moments):
        started = one.start()
        time.sleep(rng.uniform(0.0, 0.2) if moment % 4 == 0 else rng.uniform(0.2, 6.0))
        if started.process.poll() is not None:
            assert started.process.returncode == 0
            break
        began = time.monotonic()
        started.kill(started.process.pid, (signal.SIGINT, signal.SIGTERM)[moment % 2])
        status = started.process.wait(30)
        slowest = max(slowest, time.monotonic() - began)
        assert status != 0
        assert started.left(5.0) == []
    assert slowest <= 5.0, f"the slowest end took {slowest:.1f} s"
    status, printed = one.finish()
    assert status == 0, printed
    assert {state for state, _, _ in one.results().values()} == {"done"}
