"""A block that takes too long is interrupted, or told of it when it ends."""

import contextlib
import signal
import threading
import time

import pytest

from denxanh.sim.time_limit import OverTime, can_interrupt, time_limit

interrupts = pytest.mark.skipif(
    not hasattr(signal, "setitimer"),
    # there a block is told of its time when it returns, which the tests without this mark cover
    reason="Windows has no interval timer to interrupt a block with",
)


def test_what_is_in_time_goes_by():
    with time_limit(30.0):
        done = True
    assert done


@interrupts
def test_a_sleep_is_interrupted():
    with pytest.raises(OverTime), time_limit(0.02):
        time.sleep(60.0)


@interrupts
def test_what_swallows_the_interrupt_is_told_at_its_end():
    with pytest.raises(OverTime), time_limit(0.02), contextlib.suppress(BaseException):
        time.sleep(60.0)


@interrupts
def test_it_waits_while_the_world_is_being_read():
    read = []

    def busy():
        read.append(1)
        return len(read) < 4

    with pytest.raises(OverTime), time_limit(0.02, busy=busy):
        time.sleep(60.0)
    assert len(read) == 4


@interrupts
def test_it_leaves_no_alarm_and_no_handler_behind():
    before = signal.getsignal(signal.SIGALRM)
    with time_limit(30.0):
        pass
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert signal.getsignal(signal.SIGALRM) is before


def test_outside_the_main_thread_it_is_told_at_the_end():
    found = []

    def block():
        assert not can_interrupt()
        try:
            with time_limit(0.01):
                time.sleep(0.05)
        except OverTime:
            found.append("late")
        with time_limit(30.0):
            found.append("in time")

    thread = threading.Thread(target=block)
    thread.start()
    thread.join()
    assert found == ["late", "in time"]


def test_other_errors_pass():
    with pytest.raises(ZeroDivisionError), time_limit(30.0):
        1 / 0  # noqa: B018
