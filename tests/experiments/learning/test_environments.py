"""Environments keep PettingZoo's and Gymnasium's interfaces, and their actions the rules of every run."""

from __future__ import annotations

import os
import re
import signal
import warnings
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from pettingzoo.test import parallel_api_test, parallel_seed_test

import denxanh as dx
from denxanh.experiments.learning.episode_client import _Server
from denxanh.sim.network_reader import network_of

PLACES = (
    "tiny",
    "cologne1",
    "lefthand",
    *(
        pytest.param(name, marks=pytest.mark.slow)
        for name in ("grid4x4", "arterial4x4", "cologne3", "ingolstadt1", "spider", "ha-noi/pho-hue")
    ),
)
BACKENDS = ("model", "sumo")


def sample(env: Any, infos: Any) -> dict[str, Any]:
    """Permitted actions of all agents."""
    return {name: env.action_space(name).sample(infos[name]["action_mask"]) for name in env.agents}


def play(env: Any, seed: int, choose: Any = sample) -> tuple[list[Any], list[Any]]:
    """Rewards and infos of an episode."""
    for number, name in enumerate(env.possible_agents):
        env.action_space(name).seed(number)
    _, infos = env.reset(seed=seed)
    rewards, all_infos = [], [infos]
    while env.agents:
        _, reward, _, _, infos = env.step(choose(env, infos))
        rewards.append(reward)
        all_infos.append(infos)
    return rewards, all_infos


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


def test_detectors_hide_from_the_learner_and_not_from_the_reward(place):
    blind = dx.parallel_env(
        place("tiny"), backend="model", duration=100, sensing="loops", observe="count+wait"
    )
    ideal = dx.parallel_env(place("tiny"), backend="model", duration=100, observe="count+wait")
    kept = [[e.step({})[:2] for _ in range(20)] for e in (blind, ideal) if e.reset(seed=1)]
    assert [reward for _, reward in kept[0]] == [reward for _, reward in kept[1]]
    assert any(not np.array_equal(a["A0"], b["A0"]) for (a, _), (b, _) in zip(*kept, strict=True))


def test_events_happen_in_an_episode(place):
    table = {"kind": "flashing", "signals": ["A0"], "begin": 20.0, "end": 60.0}
    env = dx.parallel_env(place("tiny"), backend="sumo", duration=100, events=[table])
    _, infos = play(env, 1)
    silent = [step["A0"]["time"] for step in infos if not step["A0"]["asks"] and step["A0"]["time"] < 100]
    assert set(range(25, 65, 5)) <= set(silent)
    assert any(step["B0"]["asks"] for step in infos if 25 <= step["B0"]["time"] <= 60)
    env.close()


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


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"backend": "moss"}, "there is no backend 'moss'"),
        ({"step": 0.5}, "invalid step: 0.5"),
        ({"duration": -1}, "invalid duration"),
        ({"observe": "phase+quueue"}, "there is no feature 'quueue'"),
        ({"reward": "preasure"}, "there is no reward 'preasure'; did you mean 'pressure'?"),
        ({"demand": (1.2, 0.8)}, "invalid demand"),
        ({"demand": 0}, "invalid demand"),
        ({"days": -1}, "invalid days"),
        ({"signals": ["Z9"]}, "there is no signal 'Z9'"),
        ({"signals": []}, "no signal is named"),
        ({"sensing": "x-ray"}, "there is no sensing 'x-ray'"),
        ({"safety": "min_green=-1"}, "min_green"),
        ({"action": "jump"}, "there is no action 'jump'"),
        ({"backend": "model", "events": [{"kind": "rain", "begin": 0, "end": 9}]}, "events cannot happen"),
    ],
)
def test_bad_options_get_one_sentence(place, options, message):
    with pytest.raises(dx.InputError) as caught:
        dx.parallel_env(place("tiny"), **options)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_one_signal_is_named_where_there_are_several(place):
    with pytest.raises(dx.InputError, match="there are 2 signals: A0, B0"):
        dx.env(place("tiny"), backend="model")


def test_steps_before_the_reset_and_after_the_end_are_refused(place):
    env = dx.parallel_env(place("tiny"), backend="model", duration=10)
    with pytest.raises(dx.ControlError, match="call reset"):
        env.step({})
    with pytest.raises(dx.InputError, match="invalid seed"):
        env.reset(seed=-1)
    play(env, 1)
    with pytest.raises(dx.ControlError, match="call reset"):
        env.step({})


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


MAKERS = {
    "env": lambda **o: dx.env("ha-noi/pho-hue", **o),
    "parallel_env": lambda **o: dx.parallel_env("ha-noi/pho-hue", **o),
    "vector_env": lambda **o: dx.vector_env("ha-noi/pho-hue", num_envs=2, **o),
    "run": lambda **o: dx.run("ha-noi/pho-hue", "program", **o),
    "compare": lambda **o: dx.compare("ha-noi/pho-hue", ["program"], **o),
    "optimize": lambda **o: dx.optimize("ha-noi/pho-hue", **o),
}


@pytest.mark.parametrize(
    ("function", "option", "meant"),
    [
        ("env", "bckend", "backend"),
        ("env", "signl", "signal"),
        ("parallel_env", "bckend", "backend"),
        ("vector_env", "obseve", "observe"),
        ("vector_env", "treads", "threads"),
        ("run", "sed", "seed"),
        ("run", "warmup", "warm_up"),
        ("compare", "seds", "seeds"),
        ("optimize", "job", "jobs"),
    ],
)
def test_an_option_that_there_is_not_gets_the_name_that_was_meant(function, option, meant):
    with pytest.raises(dx.InputError, match=f"there is no option '{option}'; did you mean '{meant}'"):
        MAKERS[function](**{option: "sumo"})


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
