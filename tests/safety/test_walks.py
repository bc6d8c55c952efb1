"""Any policy that keeps the minimum greens is carried out, and what is shown on the way is legal at every step."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safety_oracle import violations
from safety_worlds import RecordingWorld, crossroads, network_of, signal

from denxanh.sim.controller import Green
from denxanh.sim.network_reader import load_network
from denxanh.sim.plan import Interval, Stage, Timing
from denxanh.sim.signals.monitor import unsafe_changes
from denxanh.sim.simulation import Simulation

PLACES = ("arterial4x4", "cologne1", "cologne3", "grid4x4", "ingolstadt1")
DEMANDED = 100_000  # controller-seconds per network


def drive(network, seconds, rng, *, begin=0.0, step=1.0):
    """Random legal answers on every signal for ``seconds``; gives the world."""
    world = RecordingWorld(network, begin=begin, step=step)
    for question in Simulation(world, begin + seconds, network.intersections):
        now = question.bare
        if now.minimum_left > 0:
            question.answer(Green(now.phase, now.minimum_left))
            continue
        length = float(rng.integers(1, 6) if rng.random() < 0.5 else rng.integers(1, 60))
        question.answer(Green(int(rng.integers(len(now.intersection.phases))), length * step))
    return world


@st.composite
def made_signals(draw):
    """A signal with random conflicts, a program of stages without conflict, and legal ways between them."""
    n = draw(st.integers(2, 6))
    pairs = list(itertools.combinations(range(n), 2))
    foes = {pair for pair in pairs if draw(st.booleans())}
    permitted = {pair for pair in foes if draw(st.integers(0, 4)) == 0}  # the first gives way
    crossings = {k for k in range(n) if draw(st.integers(0, 3)) == 0 and k != 0}
    states = []
    for _ in range(draw(st.integers(2, 4))):
        state = ["r"] * n
        for k in draw(st.permutations(range(n))):
            others = [j for j in range(n) if state[j] != "r" and tuple(sorted((j, k))) in foes]
            if not others:
                state[k] = "G"
            elif all((k, j) in permitted and state[j] == "G" for j in others):
                state[k] = "g"
        states.append("".join(state))
    yellow, all_red = float(draw(st.integers(2, 5))), float(draw(st.integers(0, 3)))
    walk = float(draw(st.integers(0, 9)))
    stages = []
    for before, after in zip(states, states[1:] + states[:1], strict=True):
        losing = {k for k in range(n) if before[k] != "r" and after[k] == "r"}
        both = enumerate(zip(before, after, strict=True))
        waiting = "".join("r" if k in losing else min(a, b, key="rgG".index) for k, (a, b) in both)
        change = []
        walkers = losing & crossings
        if walkers and walk:
            change.append(Interval("".join("r" if k in walkers else c for k, c in enumerate(before)), walk))
        rest = losing - walkers
        if rest:
            change.append(Interval("".join("y" if k in rest else c for k, c in enumerate(waiting)), yellow))
        if losing and all_red:
            change.append(Interval(waiting, all_red))
        stages.append(Stage(before, float(draw(st.integers(3, 40))), tuple(change)))
    return signal(
        "H",
        Timing(tuple(stages), float(draw(st.integers(0, 100)))),
        foes,
        yields=permitted,
        crossings=crossings,
        min_green=float(draw(st.integers(1, 8))),
    )


@settings(max_examples=60, deadline=None)
@given(made_signals(), st.integers(0, 2**32 - 1), st.sampled_from([1.0, 0.5, 0.1]), st.integers(0, 200))
def test_made_signals(intersection, seed, step, begin):
    world = drive(
        network_of(intersection), 400.0 * step, np.random.default_rng(seed), begin=float(begin), step=step
    )
    assert violations(intersection, world.shown["H"]) == []


def test_a_short_green_between_two_foes_leaves_them_time_to_clear():
    """Link 0 needs 6 s until its foe 2 may start; 2 of yellow, 1 of green of phase 1 and 2 of its yellow are 5."""
    stages = (
        Stage("GGr", 3.0, (Interval("yGr", 2.0),)),
        Stage("rGr", 3.0, (Interval("ryr", 2.0),)),
        Stage("rrG", 3.0, (Interval("rry", 2.0), Interval("rrr", 4.0))),
    )
    intersection = signal("H", Timing(stages, 0.0), {(0, 2), (1, 2)}, min_green=1.0)
    network = network_of(intersection)
    world = RecordingWorld(network, begin=0.0, step=1.0)
    asked = itertools.cycle([1, 2, 0])
    for question in Simulation(world, 120.0, network.intersections):
        now = question.bare
        question.answer(
            Green(now.phase, now.minimum_left) if now.minimum_left > 0 else Green(next(asked), 1.0)
        )
    assert violations(intersection, world.shown["H"]) == []


@pytest.mark.slow
@settings(max_examples=1500, deadline=None)
@given(made_signals(), st.integers(0, 2**32 - 1))
def test_made_signals_at_length(intersection, seed):
    world = drive(network_of(intersection), 1000.0, np.random.default_rng(seed))
    assert violations(intersection, world.shown["H"]) == []
    assert unsafe_changes(intersection) == {}


def test_crossroads():
    network = network_of(crossroads())
    for seed in range(5):
        world = drive(network, 2000.0, np.random.default_rng(seed), begin=11.0 * seed)
        assert violations(network.intersections["X"], world.shown["X"]) == []


def lent(resco, name):
    return load_network(Path(resco(name)).with_name(f"{name}.net.xml"))


@pytest.mark.parametrize("name", PLACES)
def test_real_networks(resco, name):
    network = lent(resco, name)
    for intersection in network.intersections.values():
        assert unsafe_changes(intersection) == {}
    world = drive(network, 2400.0 / len(network.intersections), np.random.default_rng(1))
    for intersection in network.intersections.values():
        assert violations(intersection, world.shown[intersection.id]) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", PLACES)
def test_real_networks_for_a_hundred_thousand_seconds(resco, name):
    network = lent(resco, name)
    seconds, done = 500.0, 0.0
    while done < DEMANDED:
        world = drive(network, seconds, np.random.default_rng(int(done)), begin=done)
        for intersection in network.intersections.values():
            assert violations(intersection, world.shown[intersection.id]) == []
        done += seconds * len(network.intersections)


def test_every_network_that_comes_with_sumo(wheel_networks):
    """Pedestrians, trams, joined junctions: every way between two phases of every signal is legal."""
    signals = 0
    for path in wheel_networks:
        for intersection in load_network(path).intersections.values():
            assert unsafe_changes(intersection) == {}, (path.name, intersection.id)
            signals += 1
    assert signals > 40


def test_people_on_foot_are_waited_for_when_the_phase_in_between_was_short():
    """In the plan 13 s pass from the end of crossing 2 to the start of its foe 0, 10 of them in phase 1."""
    intersection = signal(
        "P",
        Timing(
            (
                Stage("rGG", 20.0),
                Stage("rGr", 10.0, (Interval("ryr", 3.0),)),
                Stage("Grr", 20.0, (Interval("yrr", 3.0),)),
            )
        ),
        [(0, 1), (0, 2)],
        crossings=[2],
    )
    network = network_of(intersection)
    world = RecordingWorld(network)
    for question in Simulation(world, 60.0, ["P"]):
        question.answer(Green((question.bare.phase + 1) % 3, 5.0))
    assert world.shown["P"][:6] == [
        (0.0, "rGG"),
        (5.0, "rGr"),
        (10.0, "ryr"),
        (13.0, "rrr"),
        (18.0, "Grr"),
        (23.0, "yrr"),
    ]
    assert violations(intersection, world.shown["P"]) == []
