"""Environments keep PettingZoo's and Gymnasium's interfaces, and their actions the rules of every run."""

from __future__ import annotations

import warnings
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from pettingzoo.test import parallel_api_test, parallel_seed_test

import denxanh as dx
from denxanh.sim.network_reader import network_of
from tests.experiments.learning.conftest import BACKENDS, play

PLACES = (
    "tiny",
    "cologne1",
    "lefthand",
    *(
        pytest.param(name, marks=pytest.mark.slow)
        for name in ("grid4x4", "arterial4x4", "cologne3", "ingolstadt1", "spider", "ha-noi/pho-hue")
    ),
)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", PLACES)
def test_pettingzoo_finds_nothing_wrong(place, name, backend):
    def make() -> Any:
        return dx.parallel_env(place(name), backend=backend, duration=60, step=10, demand=(0.8, 1.2))

    env = make()
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        parallel_api_test(env, num_cycles=10)
    env.close()
    parallel_seed_test(make, num_cycles=10)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", PLACES)
def test_gymnasium_finds_nothing_wrong(place, name, backend):
    registered = f"denxanh-{name.replace('/', '-')}-{backend}-v0"
    signal = next(iter(network_of(dx.open_scenario(place(name))).intersections))
    gymnasium.register(registered, lambda: dx.env(place(name), signal=signal, backend=backend, duration=60))
    env = gymnasium.make(registered, disable_env_checker=True)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*(infinity|render).*")
        warnings.simplefilter("error", DeprecationWarning)
        check_env(env.unwrapped, skip_render_check=True)
    env.close()


def test_both_back_ends_have_the_same_spaces(place):
    envs = [
        dx.parallel_env(place("tiny"), backend=backend, observe="sumo-rl+drq+mplight") for backend in BACKENDS
    ]
    for name in envs[0].possible_agents:
        assert envs[0].observation_space(name) == envs[1].observation_space(name)
        assert envs[0].action_space(name) == envs[1].action_space(name)
    for env in envs:
        env.close()


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("action", "decide"), [("keep-change", "step"), ("phase-duration", "step"), ("phase-duration", "signal")]
)
def test_permitted_actions_are_carried_out(place, backend, action, decide):
    env = dx.parallel_env(place("tiny"), backend=backend, duration=150, action=action, decide=decide)
    _, infos = play(env, 1)
    assert not any(info["refused"] for step in infos for info in step.values())
    env.close()


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_action_before_the_minimum_green_is_refused_and_the_phase_kept(place, backend):
    env = dx.parallel_env(
        place("tiny"), backend=backend, duration=100, safety="min_green=12", observe="phase+elapsed"
    )
    observations, infos = env.reset(seed=1)
    seen = 0
    while env.agents:
        waiting = [n for n in env.agents if infos[n]["asks"] and infos[n]["action_mask"].sum() == 1]
        before = {n: int(np.argmax(observations[n][:-1])) for n in env.agents}
        observations, _, _, _, infos = env.step({n: 1 - before[n] for n in env.agents})
        for name in waiting:
            seen += 1
            assert "not permitted" in infos[name]["refused"]
            assert int(np.argmax(observations[name][:-1])) == before[name]
    assert seen > 2
    env.close()


def test_a_signal_takes_no_action_while_it_changes(place):
    env = dx.parallel_env(place("tiny"), backend="model", duration=100, step=2)
    _, infos = play(env, 1)
    changing = [i for step in infos for i in step.values() if not i["asks"]]
    assert changing
    assert all(info["action_mask"].sum() == 1 for info in changing)


def test_max_green_bounds_what_is_permitted(place):
    env = dx.parallel_env(
        place("tiny"), backend="model", duration=200, safety="max_green=20", observe="elapsed"
    )
    env.reset(seed=1)
    longest = 0.0
    while env.agents:
        keep = {n: int(np.flatnonzero(m)[0]) for n, m in env.masks.items()}
        observations, _, _, _, infos = env.step(keep)
        longest = max(longest, *(float(o[0]) for o in observations.values()))
        assert not any(i["refused"] for i in infos.values())
    assert 5 < longest <= 26  # a phase, and the change to the next


def test_detectors_hide_from_the_learner_and_not_from_the_reward(place):
    blind = dx.parallel_env(
        place("tiny"), backend="model", duration=100, sensing="loops", observe="count+wait"
    )
    ideal = dx.parallel_env(place("tiny"), backend="model", duration=100, observe="count+wait")
    kept = [[e.step({})[:2] for _ in range(20)] for e in (blind, ideal) if e.reset(seed=1)]
    assert [reward for _, reward in kept[0]] == [reward for _, reward in kept[1]]
    assert any(not np.array_equal(a["A0"], b["A0"]) for (a, _), (b, _) in zip(*kept, strict=True))


def test_own_functions_observe_and_reward(place):
    def nearest(seen: Any) -> Any:
        return np.array([seen.vehicles.distance.min(initial=200.0)])

    for backend in BACKENDS:
        env = dx.parallel_env(
            place("tiny"),
            backend=backend,
            duration=60,
            observe=["phase", nearest],
            reward=lambda seen: -len(seen.vehicles.id),
        )
        rewards, _ = play(env, 1)
        assert env.observation_space("A0").shape == (3,)
        assert any(step["A0"] < -1 for step in rewards)
        env.close()


def test_steps_before_the_reset_and_after_the_end_are_refused(place):
    env = dx.parallel_env(place("tiny"), backend="model", duration=10)
    with pytest.raises(dx.ControlError, match="call reset"):
        env.step({})
    with pytest.raises(dx.InputError, match="invalid seed"):
        env.reset(seed=-1)
    play(env, 1)
    with pytest.raises(dx.ControlError, match="call reset"):
        env.step({})


@pytest.mark.parametrize("backend", ["model", "batch", "sumo"])
def test_a_phase_that_there_is_not_is_named(place, backend):
    env = dx.parallel_env(place("tiny"), backend=backend, duration=60)
    env.reset(seed=1)
    count = int(env.action_space("A0").n)
    for phase in (17, -1):
        *_, infos = env.step({"A0": phase})
        assert infos["A0"]["refused"] == f"there is no phase {phase}; the signal has 0…{count - 1}"
    for bad in (2.5, "x", [1, 2], True, float("nan")):
        with pytest.raises(dx.InputError, match=r"invalid action for A0: .*; give a whole number"):
            env.step({"A0": bad})
    with pytest.raises(dx.InputError, match="there is no agent 'A1'; there are: A0, B0"):
        env.step({"A1": 0})
    env.step({"A0": np.int64(0), "B0": np.array(0)})
    env.close()


def test_other_kinds_of_actions_are_judged_too(place):
    env = dx.parallel_env(place("tiny"), backend="model", duration=60, action="phase-duration")
    env.reset(seed=1)
    for action, said in (
        ((0, 99), "there is no duration 99"),
        ((0, -1), "there is no duration -1"),
        ((17, 0), "there is no phase 17"),
    ):
        *_, infos = env.step({"A0": action})
        assert infos["A0"]["refused"].startswith(said)
    with pytest.raises(dx.InputError, match="give a phase and an index"):
        env.step({"A0": 1})
    env = dx.parallel_env(place("tiny"), backend="model", duration=60, action="keep-change")
    env.reset(seed=1)
    *_, infos = env.step({"A0": 2})
    assert infos["A0"]["refused"] == "there is no action 2; 0 keeps the phase, 1 changes to the next"
