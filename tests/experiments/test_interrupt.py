"""SIGINT and SIGTERM at any moment: it ends, nothing half accepted, no process left, and it goes on."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable
from typing import Any

import pytest

MOMENTS = [4, pytest.param(40, marks=pytest.mark.slow)]


@pytest.mark.parametrize("moments", MOMENTS)
def test_signals_end_it_and_it_resumes(campaign: Callable[..., Any], tiny_place: Any, moments: int) -> None:
    text = (
        f'places = ["{tiny_place.config}"]\ncontrollers = ["program", "max-pressure"]\n'
        f"seeds = {3 * moments}\nend = 60\n"
    )
    one = campaign()
    one.write(text)
    rng = random.Random(7)
    hit = 0
    while hit < moments:
        started = one.start()
        time.sleep(rng.uniform(0.0, 0.2) if hit % 4 == 0 else rng.uniform(0.2, 6.0))
        if started.process.poll() is not None:  # it was through before: another one
            assert started.process.returncode == 0
            one = campaign(f"after-{hit}")
            one.write(text)
            continue
        started.kill(started.process.pid, (signal.SIGINT, signal.SIGTERM)[hit % 2])
        status = started.process.wait(60)  # a run under way is not waited for
        assert status != 0 or {state for state, _, _ in one.results().values()} == {"done"}
        assert started.left(30.0) == []
        hit += 1
    status, printed = one.finish()
    assert status == 0, printed
    assert {state for state, _, _ in one.results().values()} == {"done"}
