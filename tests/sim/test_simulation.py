"""The loop on a world made by hand: no SUMO, nothing moves, every state that is shown is written down."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from denxanh.sim.controller import Green, Observation
from denxanh.sim.errors import ControlError, WorldError
from denxanh.sim.network import Intersection, Network
from denxanh.sim.plan import Interval, Stage
from denxanh.sim.simulation import Simulation
from denxanh.sim.testing.point_queue import corridor
from denxanh.sim.world import OnLane


class Notebook:
    """A World in which nothing moves; ``shown`` are (time, signal, state)."""

    def __init__(self, network: Network, begin: float = 0.0, step: float = 1.0) -> None:
        self.network = network
        self.begin = begin
        self.step = step
        self.steps = 0
        self.shown: list[tuple[float, str, str]] = []
        self.advances: list[int] = []
        self.deaf = False

    def advance(self, steps: int) -> None:
        assert steps >= self.steps
        self.advances.append(steps)
        self.steps = steps

    def show(self, intersection: str, state: str) -> None:
        self.shown.append((self.begin + self.steps * self.step, intersection, state))

    def shows(self, intersection: str) -> str:
        if self.deaf:
            return "GG"
        return [state for _, name, state in self.shown if name == intersection][-1]

    def on_lane(self, lane: str) -> Sequence[OnLane]:
        return []

    def next_edge(self, vehicle: str, edge: str) -> str:
        return ""

    def halted(self, lane: str) -> int:
        return 0


def street(
    change: Callable[[Intersection], Intersection] = lambda intersection: intersection, signals: int = 1
) -> Network:
    """A street whose signals have 27 s of green, 3 s of yellow and 2 s of all-red for each direction."""
    network = corridor(signals)

    def with_all_red(intersection: Intersection) -> Intersection:
        stages = tuple(
            replace(stage, change=(*stage.change, Interval("rr", 2.0)))
            for stage in intersection.program.stages
        )
        return change(
            replace(intersection, program=replace(intersection.program, stages=stages), all_red=2.0)
        )

    return replace(
        network,
        intersections={
            name: with_all_red(intersection) for name, intersection in network.intersections.items()
        },
    )


def drive(world: Notebook, end: float, answers: Sequence[object]) -> list[Observation]:
    """Answer questions in order; gives what was seen."""
    seen, left = [], list(answers)
    for question in Simulation(world, end, world.network.intersections):
        seen.append(question.seen)
        question.answer(left.pop(0))
    return seen


def test_a_signal_is_walked_through_yellow_and_all_red() -> None:
    world = Notebook(street())
    seen = drive(world, 40.0, [Green(1, 10.0), Green(0, 20.0), Green(0, 90.0)])
    assert world.shown == [
        (0.0, "J0", "Gr"),
        (5.0, "J0", "yr"),
        (8.0, "J0", "rr"),
        (10.0, "J0", "rG"),
        (20.0, "J0", "ry"),
        (23.0, "J0", "rr"),
        (25.0, "J0", "Gr"),
    ]
    # asked when the minimum of 5 s is over, and then when the answer has run out
    assert [(view.time, view.phase, view.elapsed) for view in seen] == [(5.0, 0, 5.0), (20.0, 1, 10.0)]


def test_red_is_counted_from_the_end_of_green() -> None:
    seen = drive(Notebook(street()), 40.0, [Green(1, 10.0), Green(0, 5.0), Green(0, 90.0)])
    assert seen[1].red.tolist() == [15.0, 0.0]
    assert seen[2].red.tolist() == [0.0, 10.0]


def test_the_world_is_advanced_only_to_where_something_happens_and_to_the_end() -> None:
    world = Notebook(street())
    drive(world, 60.0, [Green(1, 10.0), Green(1, 90.0)])
    assert world.advances == [5, 8, 10, 20, 60]


def test_staying_green_shows_nothing_new() -> None:
    world = Notebook(street())
    seen = drive(world, 30.0, [Green(0, 10.0), Green(0, 10.0), Green(0, 10.0)])
    assert world.shown == [(0.0, "J0", "Gr")]
    assert [view.elapsed for view in seen] == [5.0, 15.0, 25.0]


@pytest.mark.parametrize(
    ("begin", "shown", "asked"),
    [
        (25200.0 - 25200.0 % 64 + 20, [(0, "Gr")], 0),  # 20 s into the first green
        (64.0 * 10 + 28, [(0, "yr"), (2, "rr"), (4, "rG")], 9),  # 1 s into the yellow
        (64.0 * 10 + 31, [(0, "rr"), (1, "rG")], 6),  # 1 s into the all-red
        (64.0 * 10 + 61, [(0, "ry"), (1, "rr"), (3, "Gr")], 8),  # in the last yellow of the cycle
    ],
)
def test_it_takes_over_where_the_program_stands(
    begin: float, shown: list[tuple[float, str]], asked: float
) -> None:
    world = Notebook(street(), begin=begin)
    green = 0 if shown[-1][1] == "Gr" else 1
    seen = drive(world, begin + 12.0, [Green(green, 30.0)])
    assert [(time - begin, state) for time, _, state in world.shown] == shown
    assert [view.time - begin for view in seen] == [asked]


def test_the_first_green_counts_from_before_the_begin() -> None:
    (view,) = drive(Notebook(street(), begin=20.0), 25.0, [Green(0, 30.0)])
    assert (view.time, view.elapsed) == (20.0, 20.0)


def ask_at_start(answer: object, network: Network | None = None, **world: Any) -> str:
    """The sentence with which an answer is refused; nothing may have reached the signal."""
    book = Notebook(network or street(), **world)
    simulation = Simulation(book, book.begin + 60.0, book.network.intersections)
    question = next(iter(simulation))
    before = list(book.shown)
    with pytest.raises(ControlError) as caught:
        question.answer(answer)
    assert book.shown == before
    return str(caught.value)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (None, "J0 at t=5 s: the controller answered None, not Green(phase, seconds)"),
        ((1, 5.0), "J0 at t=5 s: the controller answered (1, 5.0), not Green(phase, seconds)"),
        (Green(2, 5.0), "J0 at t=5 s: the controller asked for phase 2; there are 0…1"),
        (Green(-1, 5.0), "J0 at t=5 s: the controller asked for phase -1; there are 0…1"),
        (Green(True, 5.0), "J0 at t=5 s: the controller asked for phase True, which is not a number"),
        (Green(0.0, 5.0), "J0 at t=5 s: the controller asked for phase 0.0, which is not a number"),
        (Green("EW", 5.0), "J0 at t=5 s: the controller asked for phase 'EW', which is not a number"),
        (Green(0, "5"), "J0 at t=5 s: the controller asked for '5' s, which is not a number"),
        (Green(0, None), "J0 at t=5 s: the controller asked for None s, which is not a number"),
        (Green(0, 0.0), "J0 at t=5 s: the controller asked for 0.0 s of green, which is not a time"),
        (Green(0, -5.0), "J0 at t=5 s: the controller asked for -5.0 s of green, which is not a time"),
        (Green(0, float("nan")), "J0 at t=5 s: the controller asked for nan s of green, which is not a time"),
        (Green(0, float("inf")), "J0 at t=5 s: the controller asked for inf s of green, which is not a time"),
        (Green(0, 1e18), "J0 at t=5 s: the controller asked for 1e+18 s of green, which is not a time"),
        (
            Green(0, 2.5),
            "J0 at t=5 s: the green asked for, 2.5 s, is not a multiple of the step of 1 s",
        ),
    ],
    ids=repr,
)
def test_an_illegal_answer_is_refused_in_words(answer: object, sentence: str) -> None:
    assert ask_at_start(answer) == sentence


def test_numbers_of_numpy_are_numbers() -> None:
    world = Notebook(street())
    drive(world, 20.0, [Green(np.int64(1), np.float64(30.0))])
    assert world.shown[-1] == (10.0, "J0", "rG")


def test_a_green_below_its_minimum_is_not_ended() -> None:
    world = Notebook(street())
    with pytest.raises(ControlError) as caught:
        drive(world, 60.0, [Green(1, 2.0), Green(0, 10.0)])
    assert str(caught.value) == (
        "J0 at t=12 s: phase 1 has been green for 2 s, less than its minimum 5 s, "
        "and the controller asked for phase 0"
    )


def test_a_finer_step_allows_finer_greens() -> None:
    world = Notebook(street(), step=0.5)
    drive(world, 20.0, [Green(1, 2.5), Green(1, 90.0)])
    assert [time for time, _, _ in world.shown] == [0.0, 5.0, 8.0, 10.0]
    assert world.advances == [10, 16, 20, 25, 40]


def test_the_end_must_lie_on_a_step() -> None:
    with pytest.raises(
        ControlError, match=r"the end of the run, 10\.5 s, is not a multiple of the step of 1 s"
    ):
        Simulation(Notebook(street()), 10.5, ())


def test_a_question_left_open_is_an_error() -> None:
    with pytest.raises(ControlError, match="J0 at t=5 s: the question was not answered"):
        for _ in Simulation(Notebook(street()), 60.0, ["J0"]):
            pass


def test_an_unknown_intersection_is_refused_before_anything_runs() -> None:
    with pytest.raises(ControlError, match="'J9', which is not a controlled intersection"):
        Simulation(Notebook(street()), 60.0, ["J9"])


def test_signals_that_nobody_answers_for_are_left_alone() -> None:
    world = Notebook(street(signals=3))
    for question in Simulation(world, 60.0, ["J1"]):
        question.answer(Green(0, 20.0))
    assert {name for _, name, _ in world.shown} == {"J1"}


def test_questions_of_one_instant_all_see_the_same_world() -> None:
    world = Notebook(street(signals=3))
    asked: list[tuple[str, float, int]] = []
    for question in Simulation(world, 6.0, world.network.intersections):
        asked.append((question.intersection.id, question.seen.time, world.steps))
        assert question.seen is question.seen
        question.answer(Green(1, 20.0))
    assert sorted(asked) == [("J0", 5.0, 5), ("J1", 5.0, 5), ("J2", 5.0, 5)]


def test_a_neighbour_is_seen_at_the_same_instant() -> None:
    world = Notebook(street(signals=2))
    question = next(iter(Simulation(world, 60.0, world.network.intersections)))
    other = "J1" if question.intersection.id == "J0" else "J0"
    assert question.seen.elsewhere(other).intersection.id == other
    assert question.seen.elsewhere(other).time == question.seen.time


def test_a_world_that_shows_something_else_is_noticed() -> None:
    world = Notebook(street())

    questions = iter(Simulation(world, 60.0, ["J0"]))
    next(questions).answer(Green(0, 10.0))
    second = next(questions)
    world.deaf = True
    second.answer(Green(1, 10.0))
    with pytest.raises(WorldError, match="the world shows 'GG', it was told to show 'Gr'"):
        next(questions)


def test_sampling_joins_the_agenda() -> None:
    world = Notebook(street())
    times: list[int] = []
    simulation = Simulation(world, 20.0, ["J0"])
    simulation.every(7.0, lambda: times.append(world.steps))
    for question in simulation:
        question.answer(Green(0, 10.0))
    assert times == [7, 14]
    with pytest.raises(ControlError, match=r"a sampling interval, 0\.5 s"):
        simulation.every(0.5, lambda: None)


def test_a_program_s_own_change_is_kept_letter_for_letter() -> None:
    def longer(intersection: Intersection) -> Intersection:
        stages = list(intersection.program.stages)
        stages[0] = Stage("Gr", 27.0, (Interval("yr", 4.0), Interval("rr", 1.0), Interval("ru", 1.0)))
        return replace(intersection, program=replace(intersection.program, stages=tuple(stages)))

    world = Notebook(street(longer))
    drive(world, 30.0, [Green(1, 30.0)])
    assert world.shown == [
        (0.0, "J0", "Gr"), (5.0, "J0", "yr"), (9.0, "J0", "rr"), (10.0, "J0", "ru"), (11.0, "J0", "rG"),
    ]  # fmt: skip
