"""Plans: functions of the clock, and files whose faults are named."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denxanh.sim.errors import InputError
from denxanh.sim.plan import SCHEMA, Interval, Moment, Plan, Stage, Timing

TIMING = Timing((Stage("Gr", 10.0, (Interval("yr", 3.0), Interval("rr", 2.0))), Stage("rG", 7.0)), offset=5.0)


def test_a_timing_is_a_function_of_the_clock() -> None:
    assert TIMING.cycle == 22.0
    assert TIMING.starts() == (0.0, 15.0)
    assert TIMING.at(5.0) == Moment(0, 0, 10.0)
    assert TIMING.at(14.5) == Moment(0, 0, 0.5)
    assert TIMING.at(15.0) == Moment(0, 1, 3.0)
    assert TIMING.at(18.0) == Moment(0, 2, 2.0)
    assert TIMING.at(20.0) == Moment(1, 0, 7.0)
    assert TIMING.at(4.0) == Moment(1, 0, 1.0)  # before the offset it is in the cycle before
    assert TIMING.at(25200.0 + 5.0) == TIMING.at((25200.0 + 5.0) % 22.0)


widths = st.shared(st.integers(1, 6), key="width")
states = widths.flatmap(lambda n: st.text("rGgyus", min_size=n, max_size=n))
times = st.integers(1, 2400).map(lambda tenths: tenths / 10)
stages = st.builds(Stage, states, times, st.lists(st.builds(Interval, states, times), max_size=3).map(tuple))
timings = st.builds(
    Timing,
    st.lists(stages, min_size=1, max_size=5).map(tuple),
    st.integers(-9000, 9000).map(lambda t: t / 10),
)
plans = st.builds(
    Plan, st.dictionaries(st.text(min_size=1, max_size=8), timings, max_size=4), st.text(max_size=9)
)


@given(plans)
def test_a_plan_comes_back_from_its_file(plan: Plan) -> None:
    assert Plan.from_json(json.loads(json.dumps(plan.to_json())), location="p") == plan


@given(timings, st.floats(-1e5, 1e5))
def test_what_is_left_leads_to_the_next_state(timing: Timing, time: float) -> None:
    now = timing.at(time)
    assert now.left > 0
    later = timing.at(time + now.left + 1e-6)
    steps = 1 + len(timing.stages[now.stage].change)
    expected = (
        (now.stage, now.step + 1) if now.step + 1 < steps else ((now.stage + 1) % len(timing.stages), 0)
    )
    assert (later.stage, later.step) == expected


@given(timings, st.integers(0, 10_000), st.integers(-3, 3))
def test_a_timing_repeats_after_a_cycle(timing: Timing, tenths: int, cycles: int) -> None:
    time = tenths / 10 + 0.05  # between two changes, so that rounding cannot choose
    a, b = timing.at(time), timing.at(time + cycles * timing.cycle)
    assert (a.stage, a.step) == (b.stage, b.step)
    assert a.left == pytest.approx(b.left, abs=1e-6)


def entry(**changes: Any) -> dict[str, Any]:
    """A sound plan with one thing changed in its only stage."""
    stage = {"state": "Gr", "green": 10, "change": [{"state": "yr", "duration": 3}], **changes}
    other = {"state": "rG", "green": 10, "change": []}
    return {"schema": SCHEMA, "intersections": {"J": {"offset": 0, "stages": [stage, other]}}}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ([], ("p: ", "not a table")),
        ({}, ("the schema is None",)),
        ({"schema": "denxanh-plan/2"}, ("'denxanh-plan/2'", SCHEMA)),
        ({"schema": SCHEMA}, ("p: intersections", "not a table")),
        ({"schema": SCHEMA, "intersections": {"J": 5}}, ("intersections.J", "not a table")),
        ({"schema": SCHEMA, "intersections": {"J": {"stages": []}}}, ("intersections.J", "no stage")),
        (entry(green=0), ("intersections.J.stages[0].green", "0 s is not longer than 0 s")),
        (entry(green=-3), ("stages[0].green", "-3 s")),
        (entry(green="10"), ("stages[0].green", "'10' is not a time")),
        (entry(green=True), ("stages[0].green", "True is not a time")),
        (entry(green=float("nan")), ("stages[0].green", "nan is not a time")),
        (entry(green=1e300), ("stages[0].green", "is not a time")),
        (entry(state="GX"), ("stages[0].state", "'GX' is not a signal state")),
        (entry(state=""), ("stages[0].state", "'' is not a signal state")),
        (entry(state="Grr"), ("intersections.J", "different lengths [2, 3]")),
        (entry(change=3), ("stages[0].change", "not a list")),
        (entry(change=[3]), ("stages[0].change[0]", "not a table")),
        (entry(change=[{"state": "yr", "duration": 0}]), ("stages[0].change[0].duration", "0 s")),
        (entry(change=[{"state": 7, "duration": 1}]), ("stages[0].change[0].state", "7 is not")),
    ],
)
def test_each_fault_of_a_file_is_named_with_its_place(data: Any, words: tuple[str, ...]) -> None:
    with pytest.raises(InputError) as caught:
        Plan.from_json(data, location="p")
    for word in words:
        assert word in str(caught.value)
