"""A batch has the same episodes as single environments on the queue model, and what cannot be batched is refused."""

from __future__ import annotations

import numpy as np
import pytest

import denxanh as dx

OBSERVE = (
    "phase+elapsed+min_green+green+queue+count+approach+near+wait+max_wait+speed+density+queue_density+pressure"
    "+behind+change"
)
SERVED = "served_near+yield_near+served_count+yield_count+served_queue+served_wait"
REWARD = {
    "queue": 1.0, "wait": 0.1, "wait_norm": 1.0, "diff-waiting-time": 1.0, "average-speed": 2.0, "pressure": 0.5,
    "queue-pressure": 0.3, "queue_maxwait": 0.2, "delay": 3.0,
}  # fmt: skip


@pytest.mark.parametrize("name", ["tiny", "grid4x4", "cologne1", "lefthand"])
def test_an_episode_of_a_batch_is_that_of_a_single_environment(place, name):
    batch = dx.vector_env(place(name), num_envs=3, duration=200, observe=OBSERVE, reward=REWARD)
    single = dx.parallel_env(place(name), backend="model", duration=200, observe=OBSERVE, reward=REWARD)
    observations, infos = batch.reset(seed=5)
    seen, single_infos = single.reset(seed=6)  # the second of the batch
    rng = np.random.default_rng(1)
    steps = 0
    while single.agents:
        agents = list(single.agents)
        for k, agent in enumerate(agents):
            size = len(seen[agent])
            np.testing.assert_allclose(observations[1, k, :size], seen[agent], atol=5e-3)
            assert not observations[1, k, size:].any()
            mask = single_infos[agent]["action_mask"]
            assert np.array_equal(infos["action_mask"][1, k, : len(mask)], mask) or steps == 0
        actions = (rng.random(infos["action_mask"].shape) * infos["action_mask"]).argmax(axis=2)
        actions[:, 0] = steps % 3  # now and then one that is not permitted, or no phase
        step = batch.step(actions)
        observations, infos = step.observations, step.infos
        seen, rewards, _, truncated, single_infos = single.step(
            {agent: int(actions[1, k]) for k, agent in enumerate(agents)}
        )
        np.testing.assert_allclose(step.rewards[1], [rewards[agent] for agent in agents], atol=2e-2)
        assert step.truncated.all() == all(truncated.values())
        steps += 1
    assert steps == 40
    seconds, vehicles = batch.delay()[1]
    assert vehicles == single.delay().vehicles
    assert seconds == pytest.approx(single.delay().seconds, rel=1e-6)


@pytest.mark.parametrize("name", ["tiny", "cologne1", "lefthand"])
def test_a_batch_sees_by_phase_what_a_single_environment_sees(place, name):
    """All but a few values: where a faster vehicle is drawn before the one that it follows, their order differs."""
    batch = dx.vector_env(place(name), num_envs=2, duration=300, observe=SERVED)
    single = dx.parallel_env(place(name), backend="model", duration=300, observe=SERVED)
    observations, infos = batch.reset(seed=5)
    seen, _ = single.reset(seed=5)
    rng = np.random.default_rng(1)
    different, values, total = 0, 0, 0.0
    while single.agents:
        agents = list(single.agents)
        for k, agent in enumerate(agents):
            wrong = np.abs(observations[0, k, : len(seen[agent])] - seen[agent]) > 5e-3
            different, values, total = different + wrong.sum(), values + wrong.size, total + seen[agent].sum()
        actions = (rng.random(infos["action_mask"].shape) * infos["action_mask"]).argmax(axis=2)
        observations, _, _, _, infos = batch.step(actions)
        seen, _, _, _, _ = single.step({agent: int(actions[0, k]) for k, agent in enumerate(agents)})
    assert total > 100
    assert different < 0.01 * values


def test_seeds_and_demands_differ_within_a_batch_and_repeat(place):
    batch = dx.vector_env(place("tiny"), num_envs=6, duration=150, demand=(0.4, 2.0))
    delays = []
    for _ in range(2):
        batch.reset(seed=9)
        while not batch.step(np.full((6, 2), -1)).truncated.all():
            pass
        delays.append(batch.delay())
    assert np.array_equal(*delays)
    assert len(np.unique(delays[0][:, 0])) == 6
    expected = [int(np.floor(drawn.demand * 50 + 1e-9)) for drawn in batch.draws]
    assert delays[0][:, 1].tolist() == expected


def test_threads_do_not_change_an_episode(place):
    found = []
    for threads in (1, 2):
        batch = dx.vector_env(place("tiny"), num_envs=5, duration=100, threads=threads)
        batch.reset(seed=1)
        found.append([batch.step(np.full((5, 2), k % 2)).observations for k in range(20)])
    assert all(np.array_equal(a, b) for a, b in zip(*found, strict=True))


def test_a_snapshot_of_a_batch_starts_several_futures(place):
    batch = dx.vector_env(
        place("tiny"), num_envs=2, duration=150, reward={"diff-waiting-time": 1.0, "delay": 1.0}
    )
    batch.reset(seed=1)
    for _ in range(10):
        batch.step(np.zeros((2, 2)))
    saved = batch.snapshot()

    def future(phase: int) -> list[np.ndarray]:
        batch.restore(saved)
        return [batch.step(np.full((2, 2), phase)).rewards for _ in range(15)]

    kept, changed, again = future(0), future(1), future(0)
    assert all(np.array_equal(a, b) for a, b in zip(kept, again, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(kept, changed, strict=True))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"observe": "wave"}, "the feature 'wave' is not batched"),
        ({"reward": len}, "the reward 'len' is not batched"),
        ({"action": "keep-change"}, "this action is not batched"),
        ({"sensing": "loops"}, "this sensing is not batched"),
        ({"backend": "sumo"}, "a batch runs on the queue model"),
        ({"num_envs": 0}, "invalid num_envs: 0"),
    ],
)
def test_what_cannot_be_batched_gets_one_sentence(place, options, message):
    with pytest.raises(dx.InputError, match=message):
        dx.vector_env(place("tiny"), **{"num_envs": 2, **options})


def test_actions_of_another_shape_are_refused(place):
    batch = dx.vector_env(place("tiny"), num_envs=2, duration=50)
    with pytest.raises(dx.ControlError, match="call reset"):
        batch.step(np.zeros((2, 2)))
    batch.reset()
    with pytest.raises(dx.InputError, match=r"give \(2, 2\)"):
        batch.step(np.zeros((2, 3)))
    with pytest.raises(dx.InputError, match="not whole numbers"):
        batch.step(np.full((2, 2), 0.5))
    with pytest.raises(dx.InputError, match="not whole numbers"):
        batch.step(np.full((2, 2), "x"))


@pytest.mark.parametrize("name", ["tiny", "cologne1"])
def test_the_backend_batch_has_the_episodes_of_the_model(place, name):
    pair = [
        dx.parallel_env(
            place(name), backend=backend, duration=200, observe=OBSERVE, reward={"queue": 1.0, "delay": 3.0}
        )
        for backend in ("batch", "model")
    ]
    shown = [env.reset(seed=4) for env in pair]
    rng = np.random.default_rng(2)
    refused = 0
    while pair[1].agents:
        actions = {agent: int(rng.integers(pair[1].action_space(agent).n + 1)) for agent in pair[1].agents}
        for agent in pair[1].agents:
            np.testing.assert_allclose(shown[0][0][agent], shown[1][0][agent], atol=5e-3)
            for key in ("asks", "refused", "time"):
                assert shown[0][-1][agent][key] == shown[1][-1][agent][key], key
            assert np.array_equal(*(one[-1][agent]["action_mask"] for one in shown))
            refused += bool(shown[0][-1][agent]["refused"])
        shown = [env.step(actions) for env in pair]
        np.testing.assert_allclose(*(list(one[1].values()) for one in shown), atol=2e-2)
    assert refused > 0
    assert pair[0].delay().vehicles == pair[1].delay().vehicles
    assert pair[0].delay().seconds == pytest.approx(pair[1].delay().seconds, rel=1e-6)


def test_a_batch_may_meet_the_same_drivers(place):
    batch = dx.vector_env(place("tiny"), num_envs=3, duration=100, reward="delay")
    batch.reset(seeds=[7, 7, 8])
    while not batch.step(np.zeros((3, 2))).truncated.all():
        pass
    delays = batch.delay()[:, 0]
    assert delays[0] == delays[1] != delays[2]
    for wrong in ({"seeds": [1, 2]}, {"seeds": [1, 2, -3]}, {"seed": 1, "seeds": [1, 2, 3]}):
        with pytest.raises(dx.InputError, match="invalid seeds"):
            batch.reset(**wrong)
