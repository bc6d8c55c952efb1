"""An action that takes too long is interrupted, or told of it when it ends; a pause of the process is no time."""

import bdb
import contextlib
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from denxanh.sim import time_limit
from denxanh.sim.time_limit import LONGEST_GAP, Countdown, OverTime, can_interrupt, limited

interrupts = pytest.mark.skipif(
    not hasattr(signal, "setitimer"),
    # there an action is told of its time when it returns, which the tests without this mark cover
    reason="Windows has no interval timer to interrupt an action with",
)
linux = pytest.mark.skipif(sys.platform != "linux", reason="the states of processes are read from /proc")


def spin(seconds):
    """Use up CPU time."""
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass
    return "done"


def test_what_is_in_time_goes_by():
    assert limited(lambda: spin(0.01), cpu=30.0, asleep=30.0) == "done"


@interrupts
def test_a_sleep_is_interrupted():
    with pytest.raises(OverTime, match=r"it waited for 0\.2 s"):
        limited(lambda: time.sleep(600.0), cpu=60.0, asleep=0.2)


@interrupts
def test_many_short_sleeps_are_interrupted():
    def action():
        while True:
            time.sleep(0.003)

    with pytest.raises(OverTime, match="it waited for"):
        limited(action, cpu=60.0, asleep=0.3)


@interrupts
def test_an_endless_loop_is_interrupted():
    with pytest.raises(OverTime, match=r"it took more than 0\.02 s of CPU time"):
        limited(lambda: spin(600.0), cpu=0.02, asleep=600.0)


@interrupts
def test_what_swallows_the_interrupt_is_told_at_its_end():
    def action():
        for _ in range(3):
            with contextlib.suppress(BaseException):
                time.sleep(600.0)

    with pytest.raises(OverTime):
        limited(action, cpu=60.0, asleep=0.1)


@interrupts
def test_it_waits_while_the_world_is_being_read():
    read = []

    def reading():
        read.append(1)
        return len(read) < 4

    with pytest.raises(OverTime):
        limited(lambda: time.sleep(600.0), cpu=60.0, asleep=0.1, reading=reading)
    assert len(read) >= 4


@interrupts
def test_it_leaves_no_alarm_and_no_handler_behind():
    before = signal.getsignal(signal.SIGALRM)
    limited(lambda: None, cpu=30.0, asleep=30.0)
    with pytest.raises(OverTime):
        limited(lambda: spin(0.3), cpu=0.01, asleep=30.0)
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert signal.getsignal(signal.SIGALRM) is before


def test_outside_the_main_thread_it_is_told_at_the_end():
    found = []

    def action():
        assert not can_interrupt()
        try:
            limited(lambda: spin(0.05), cpu=0.01, asleep=30.0)
        except OverTime:
            found.append("late")
        found.append(limited(lambda: "in time", cpu=30.0, asleep=30.0))

    thread = threading.Thread(target=action)
    thread.start()
    thread.join()
    assert found == ["late", "in time"]


def test_other_errors_pass():
    with pytest.raises(ZeroDivisionError):
        limited(lambda: 1 / 0, cpu=30.0, asleep=30.0)


def test_an_action_that_calls_itself_late_is_late():
    class Own(OverTime):
        __str__ = None

    def action():
        raise Own

    with pytest.raises(OverTime, match="it ended itself"):
        limited(action, cpu=30.0, asleep=30.0)


STOPPING = """
import os, signal, time
from denxanh.sim.time_limit import limited

def action():
    for _ in range({pauses}):
        os.kill(os.getpid(), signal.SIGSTOP)
    return "in time"

print(limited(action, cpu=1.5, asleep=1.5))
"""


@linux
@interrupts
def test_a_process_that_is_stopped_uses_up_no_time():
    pauses, pause = 2, 2.0  # each longer than both limits
    code = STOPPING.format(pauses=pauses)
    with subprocess.Popen([sys.executable, "-P", "-c", code], stdout=subprocess.PIPE, text=True) as process:
        try:
            for _ in range(pauses):
                while _state(process.pid) not in "TZ":
                    time.sleep(0.02)
                time.sleep(pause)
                os.kill(process.pid, signal.SIGCONT)
                time.sleep(0.02)
            assert process.communicate(timeout=60)[0] == "in time\n"
        finally:
            process.kill()


def _state(pid):
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def _busy(core):
    os.sched_setaffinity(0, {core})
    while True:
        pass


def _one_core_shared(core, result):
    os.sched_setaffinity(0, {core})
    os.nice(1)
    try:
        result.put(limited(lambda: spin(0.4), cpu=60.0, asleep=0.4))
    except OverTime as error:
        result.put(str(error))


@linux
@interrupts
def test_a_process_that_gets_little_of_a_core_is_not_asleep():
    fork = multiprocessing.get_context("fork")
    core, result = min(os.sched_getaffinity(0)), fork.SimpleQueue()
    others = [fork.Process(target=_busy, args=(core,), daemon=True) for _ in range(3)]
    mine = fork.Process(target=_one_core_shared, args=(core, result), daemon=True)
    try:
        for process in (*others, mine):
            process.start()
        assert result.get() == "done"
    finally:
        for process in (*others, mine):
            process.kill()
            process.join()


def test_a_debugger_stops_the_clock():
    debugger, before = bdb.Bdb(), sys.gettrace()
    debugger.reset()
    sys.settrace(debugger.trace_dispatch)
    try:
        found = limited(lambda: spin(0.05), cpu=0.01, asleep=30.0)
    finally:
        sys.settrace(before)
    assert found == "done"


def test_a_countdown_counts_a_pause_as_one_gap(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(time_limit.time, "monotonic", lambda: now[0])
    countdown = Countdown(5.0)
    for _ in range(4):
        now[0] += 3600.0  # the process was stopped, or the machine slept
        assert not countdown.expired()
    now[0] += LONGEST_GAP / 2
    assert not countdown.expired()
    now[0] += LONGEST_GAP
    assert countdown.expired()
    now[0] += 0.0
    assert countdown.expired()


def test_a_countdown_counts_all_time_of_a_process_that_runs(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(time_limit.time, "monotonic", lambda: now[0])
    countdown = Countdown(5.0)
    looks = 0
    while not countdown.expired():
        now[0] += 0.125
        looks += 1
    assert looks == 40
