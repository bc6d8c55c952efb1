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
    text = (
        f'places = ["{tiny_place.config}"]\ncontrollers = ["program", "max-pressure"]\n'
        f"seeds = {3 * moments}\nend = 60\n"
    )
    one = campaign()
    one.write(text)
    rng = random.Random(7)
    slowest, hit = 0.0, 0
    while hit < moments:
        started = one.start()
        time.sleep(rng.uniform(0.0, 0.2) if hit % 4 == 0 else rng.uniform(0.2, 6.0))
        if started.process.poll() is not None:  # it was through before: another one
            assert started.process.returncode == 0
            one = campaign(f"after-{hit}")
            one.write(text)
            continue
        began = time.monotonic()
        started.kill(started.process.pid, (signal.SIGINT, signal.SIGTERM)[hit % 2])
        status = started.process.wait(30)
        slowest = max(slowest, time.monotonic() - began)
        assert status != 0 or {state for state, _, _ in one.results().values()} == {"done"}
        assert started.left(5.0) == []
        hit += 1
    assert slowest <= 5.0, f"the slowest end took {slowest:.1f} s"
    status, printed = one.finish()
    assert status == 0, printed
    assert {state for state, _, _ in one.results().values()} == {"done"}
