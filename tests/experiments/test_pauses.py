"""A pause of any process, other work on the machine, one core, a low priority: the same bytes, and no attempt more."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from denxanh.experiments.runs.ledger import Ledger

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="processes are found and their states read in /proc"
)
EXPERIMENT = """
places = ["{place}"]
controllers = ["max-pressure"]
seeds = {seeds}
end = 120
backend = "{backend}"
"""
LONG = 6.0  # s, longer than the CPU time that an answer may take
QUESTIONS = [(3,), pytest.param(tuple(range(2, 32)), marks=pytest.mark.slow)]
PAUSES = [  # back end, moments, s of the longest
    pytest.param(("libsumo", 3, 0.3), marks=pytest.mark.slow),  # the pause within an answer is the sample
    pytest.param(("libsumo", 30, 7.0), marks=pytest.mark.slow),
    pytest.param(("traci", 30, 7.0), marks=pytest.mark.slow),
]


def state(pid: int) -> str:
    """The letter of a process's state, "" of none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def attempts(out: Path) -> set[tuple[str, int]]:
    """How the runs ended and how often each was tried."""
    with Ledger(out / "ledger.sqlite", read_only=True) as ledger:
        return {(row.state, row.attempts) for row in ledger.rows()}


@contextmanager
def busy_loops(count: int) -> Iterator[None]:
    """Other work on the machine."""
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


@pytest.mark.parametrize("questions", QUESTIONS)
def test_a_pause_within_an_answer_changes_no_number(
    campaign: Callable[..., Any], tiny_place: Any, questions: tuple[int, ...]
) -> None:
    one = campaign()
    entries = ['{name = "faulty", fault = "none"}']
    entries += [f'{{name = "faulty", fault = "stop", at = {at}}}' for at in questions]
    one.write(f'places = ["{tiny_place.config}"]\ncontrollers = [{", ".join(entries)}]\nseeds = 1\n')
    started = one.start()
    since: dict[int, float] = {}
    continued = 0
    while started.process.poll() is None:
        for pid in started.others():
            if state(pid) == "T" and pid not in since:
                since[pid] = time.monotonic()
        for pid, begin in list(since.items()):
            if time.monotonic() - begin > LONG:
                started.kill(pid, signal.SIGCONT)
                del since[pid]
                continued += 1
                while state(pid) == "T":
                    time.sleep(0.01)
        time.sleep(0.02)
    assert started.process.wait() == 0, started.log.read_text()
    assert continued == len(questions)
    results = list(one.results().values())
    assert len(results) == len(questions) + 1
    assert len(set(results)) == 1
    assert attempts(one.out) == {("done", 1)}


@pytest.mark.parametrize("pauses", PAUSES)
def test_pauses_of_runner_and_runs_change_no_number(
    campaign: Callable[..., Any], tiny_place: Any, pauses: tuple[str, int, float]
) -> None:
    backend, moments, longest = pauses
    calm = campaign("calm")
    seeds = 2 if moments < 10 else 4
    calm.write(EXPERIMENT.format(place=tiny_place.config, seeds=seeds, backend="libsumo"))
    assert calm.finish()[0] == 0
    expected = calm.results()
    rng = random.Random(moments)
    paused, rounds = 0, 0
    while paused < moments:
        one = campaign(f"paused-{backend}-{rounds}")
        one.write(EXPERIMENT.format(place=tiny_place.config, seeds=seeds, backend=backend))
        rounds += 1
        started = one.start()
        while started.process.poll() is None:
            time.sleep(rng.uniform(0.0, 0.5))
            known = [started.process.pid, *started.others()]
            chosen = rng.sample(known, rng.randint(1, len(known)))
            for pid in chosen:
                started.kill(pid, signal.SIGSTOP)
            time.sleep(rng.uniform(0.0, longest) if paused < moments else 0.0)
            for pid in chosen:
                started.kill(pid, signal.SIGCONT)
            paused += 1
        assert started.process.wait() == 0, started.log.read_text()
        assert one.results() == expected
        assert attempts(one.out) == {("done", 1)}


@pytest.mark.slow
def test_other_work_one_core_and_a_low_priority_change_no_number(
    campaign: Callable[..., Any], tiny_place: Any
) -> None:
    text = EXPERIMENT.format(place=tiny_place.config, seeds=4, backend="libsumo")
    calm = campaign("calm")
    calm.write(text)
    assert calm.finish()[0] == 0
    cores = sorted(os.sched_getaffinity(0))
    for name, core, nice, loops in (
        ("loops", None, 0, len(cores) + 1),
        ("taskset", cores[0], 0, 0),
        ("nice", None, 10, len(cores)),
        ("all", cores[-1], 5, len(cores)),
    ):
        one = campaign(name)
        one.write(text)
        with busy_loops(loops):
            started = one.start()
            if core is not None:
                os.sched_setaffinity(started.process.pid, {core})
            os.setpriority(os.PRIO_PROCESS, started.process.pid, nice)
            assert started.process.wait(600) == 0, started.log.read_text()
        assert one.results() == calm.results(), name
        assert attempts(one.out) == {("done", 1)}, name
