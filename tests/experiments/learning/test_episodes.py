"""An episode is the run of its seed: same future, same delay, same replay, whatever process it runs in."""

from __future__ import annotations

import os
import re
import signal
from typing import Any

import numpy as np
import pytest

import denxanh as dx
from denxanh.experiments.learning.episode_client import _Server
from denxanh.sim.network_reader import network_of
from tests.experiments.learning.conftest import BACKENDS, play, sample


def test_the_answers_of_a_controller_give_the_run_of_that_controller(place):
    """The same decisions at the same times: the environment drives the loop of every run."""
    from denxanh.experiments.learning.environment_options import Draw
    from denxanh.experiments.learning.model_episode import DayModels
    from denxanh.sim.controller import Green
    from denxanh.sim.model import ModelWorld
    from denxanh.sim.simulation import run

    class Fixed:
        name = "fixed"
        sees = frozenset()

        def start(self, network):
            def policy(seen):
                if seen.minimum_left > 0:
                    return Green(seen.phase, seen.minimum_left)
                left = 5 - seen.time % 5
                if left < 5:
                    return Green(seen.phase, left)
                return Green(seen.phase, 5)

            return dict.fromkeys(network.intersections, policy)

    env = dx.parallel_env(place("tiny"), backend="model", duration=300)
    env.reset(seed=4)
    while env.agents:
        env.step({})
    options = env.options
    model = DayModels(options, env.network, env._temporary.name).model(Draw(4, 1.0, 0))
    world = ModelWorld(model)
    run(world, Fixed(), options.scenario.end)
    assert env.delay() == world.delay()
    metrics = world.metrics()
    assert world.delay().seconds / world.delay().vehicles == pytest.approx(metrics[0])
    env.close()


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_episode_follows_from_its_seed(place, backend):
    env = dx.parallel_env(place("tiny"), backend=backend, duration=100, demand=(0.5, 1.5), days=2)
    first, _ = play(env, 7)
    drawn = env.drawn
    other, _ = play(env, 8)
    again, _ = play(env, 7)
    assert first == again
    assert first != other
    assert drawn == env.drawn
    assert 0.5 <= drawn.demand <= 1.5
    env.close()


def test_a_larger_demand_has_more_vehicles(place):
    counts = []
    for factor in (0.5, 1.0, 2.5):
        env = dx.parallel_env(place("tiny"), backend="model", duration=150, demand=factor)
        play(env, 1)
        counts.append(env.delay().vehicles)
        env.close()
    assert counts == [25, 50, 125]


def test_a_snapshot_has_the_same_future(place):
    env = dx.parallel_env(place("tiny"), backend="model", duration=100, reward={"queue": 1.0, "delay": 5.0})
    _, infos = env.reset(seed=2)
    for _ in range(8):
        env.step(sample(env, infos))
    saved = env.snapshot()
    futures = []
    for _ in range(2):
        futures.append([env.step({})[:2] for _ in range(5)])
        env.restore(saved)
    for (seen, reward), (seen_again, reward_again) in zip(*futures, strict=True):
        assert reward == reward_again
        assert all(np.array_equal(seen[name], seen_again[name]) for name in seen)


def test_the_reward_delay_adds_up_to_the_delay(place):
    for backend in BACKENDS:
        env = dx.parallel_env(place("tiny"), backend=backend, duration=100, reward="delay")
        rewards, _ = play(env, 1)
        total = -3600 * sum(step["A0"] for step in rewards)
        assert total == pytest.approx(env.delay().seconds, abs=1e-3)
        env.close()


def test_the_delay_of_an_episode_in_sumo_is_that_of_the_run(place, tmp_path):
    """``delay()`` at the end against ``delay_s`` of a run of the network's own first phases."""
    env = dx.parallel_env(place("tiny"), backend="sumo", duration=149)
    env.reset(seed=3)
    while env.agents:
        env.step({})
    found = env.delay()
    env.close()

    scenario = dx.open_scenario(place("tiny"), end=149)
    result = dx.run(scenario, Stay(), seed=3, warm_up=0, out=tmp_path / "run")
    assert found.vehicles == 50
    assert found.seconds / found.vehicles == pytest.approx(result.metrics["delay_s"], abs=0.05)


class Stay:
    """Keeps the phase that the program begins with."""

    name = "stay"
    sees = frozenset({"vehicles"})

    def start(self, network):
        from denxanh.sim.controller import Green

        return {
            name: lambda seen: Green(seen.phase, max(seen.minimum_left, 5 - seen.time % 5))
            for name in network.intersections
        }


def test_events_happen_in_an_episode(place):
    table = {"kind": "flashing", "signals": ["A0"], "begin": 20.0, "end": 60.0}
    env = dx.parallel_env(place("tiny"), backend="sumo", duration=100, events=[table])
    _, infos = play(env, 1)
    silent = [step["A0"]["time"] for step in infos if not step["A0"]["asks"] and step["A0"]["time"] < 100]
    assert set(range(25, 65, 5)) <= set(silent)
    assert any(step["B0"]["asks"] for step in infos if 25 <= step["B0"]["time"] <= 60)
    env.close()


def test_a_killed_episode_is_said_and_the_next_reset_works(place):
    env = dx.parallel_env(place("tiny"), backend="sumo", duration=60, reward=_die_at_20)
    env.reset(seed=1)
    for _ in range(3):
        env.step({})
    with pytest.raises(dx.WorldError, match="process of the episode"):
        env.step({})
    env.reset(seed=1)
    env.close()
    assert _Server.current()._process.poll() is None


def _die_at_20(seen: Any) -> float:
    if seen.time == 20.0:
        os.kill(os.getpid(), signal.SIGKILL)
    return 0.0


@pytest.mark.parametrize("action", ["phase", "phase-duration"])
def test_the_replay_of_an_episode_is_that_episode(place, action):
    """Its title has the mean delay of the run that SUMO repeated: that of the environment."""
    env = dx.parallel_env(place("tiny"), backend="sumo", duration=200, action=action, demand=1.5)
    for number, name in enumerate(env.possible_agents):
        env.action_space(name).seed(number)
    _, infos = env.reset(seed=3)
    for _ in range(25):
        *_, infos = env.step(sample(env, infos))
    found = env.delay()
    page = env.render()
    shown = re.search(r"mean delay ([\d.]+) s/veh", page)
    assert shown is not None
    # a digit in the title, and SUMO's output is rounded to 0.01 s for each vehicle
    assert float(shown[1]) == pytest.approx(found.seconds / found.vehicles, abs=0.1)
    assert "denxanh-replay/1" in page
    env.step({})  # the episode goes on
    env.close()


def test_an_episode_of_the_model_is_replayed_in_sumo_and_one_without_steps_is_not(place):
    env = dx.parallel_env(place("tiny"), backend="model", duration=60)
    env.reset(seed=1)
    with pytest.raises(dx.InputError, match="has not begun"):
        env.render()
    for _ in range(6):
        env.step({})
    assert "denxanh-replay/1" in env.render()


def test_what_the_monitor_has_found_out_serves_the_next_episodes(place, monkeypatch):
    """The same episode again asks nothing anew, and has the same rewards."""
    from denxanh.sim.signals.monitor import ConflictMonitor

    asked = []
    judge = ConflictMonitor._fault

    def counted(monitor, state, time):
        asked.append(state)
        return judge(monitor, state, time)

    monkeypatch.setattr(ConflictMonitor, "_fault", counted)
    env = dx.parallel_env(place("tiny"), backend="model", duration=200)
    first, _ = play(env, 1)
    assert asked
    asked.clear()
    again, _ = play(env, 1)
    assert asked == []
    assert first == again


def test_an_episode_in_sumo_hands_its_verdicts_to_the_next(place, tmp_path):
    """Over the pipe of the environment's process: what one memory has found, another learns."""
    import pickle

    from denxanh.sim.signals.change import change_intervals
    from denxanh.sim.signals.monitor import ConflictMonitor, SignalMemory

    signal = network_of(dx.open_scenario(place("tiny"))).intersections["A0"]
    known = SignalMemory(signal)
    before = known.sizes()
    monitor = ConflictMonitor(signal, 0.0, known)
    fault = monitor.fault("G" * signal.n_links, 5.0)
    assert fault
    other = SignalMemory(signal)
    other.learn(pickle.loads(pickle.dumps(known.found_since(before))))
    assert other.verdicts == known.verdicts
    assert list(other.verdicts.values()) == [fault]
    known.changes[0, 1] = change_intervals(signal, 0, 1)
    wait = monitor.wait_for_foes(signal.phases[1].state, 5.0, 2.0)
    other.learn(pickle.loads(pickle.dumps(known.found_since(before))))
    assert other.changes == known.changes
    assert list(other.waits.values()) == [wait]
    assert known.found_since(known.sizes())[1:4] == ({}, {}, {})


def test_a_step_comes_over_the_pipe_as_it_was():
    """Packed into bytes and back: the same values, by signal, in arrays that may be written to."""
    from denxanh.experiments.learning.episode import Step
    from denxanh.experiments.learning.step_message import pack, unpack

    def step(time):
        seen = {
            "A": np.array([time, 2.0], dtype=np.float32),
            "B": np.array([3.0, 4.0, time], dtype=np.float32),
        }
        permitted = {"A": np.array([True, False, True]), "B": np.array([False, True])}
        given = {"B": [(time, 1, 5.0)]}
        return Step(time, seen, {"A": -1.0, "B": time}, permitted, {"A": 2, "B": 1}, {"A": True, "B": False},
                    {"A": "no"}, given, False)  # fmt: skip

    first, second = step(5.0), step(10.0)
    again = unpack(pack(second), first)
    assert again._replace(observations={}, permitted={}) == second._replace(observations={}, permitted={})
    assert again.observations.keys() == again.permitted.keys() == second.observations.keys()
    for name in second.observations:
        np.testing.assert_array_equal(again.observations[name], second.observations[name])
        np.testing.assert_array_equal(again.permitted[name], second.permitted[name])
        assert again.observations[name].dtype == np.float32
        again.observations[name][:] = 0.0
