"""Programs of others train in the environments: Stable-Baselines3, and a PPO in one file as CleanRL has them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import denxanh as dx

STEPS = 2048


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["model", "sumo"])
def test_stable_baselines3_trains_a_few_thousand_steps(place, backend):
    algorithms = pytest.importorskip("stable_baselines3", reason="pip install stable-baselines3 to run it")
    env = dx.env(place("tiny"), signal="A0", backend=backend, duration=300, reward="diff-waiting-time")
    agent = algorithms.PPO("MlpPolicy", env, n_steps=256, batch_size=64, n_epochs=4, seed=1, device="cpu")
    before = [p.detach().clone() for p in agent.policy.parameters()]
    agent.learn(STEPS)
    assert agent.num_timesteps >= STEPS
    assert any(bool((a != b).any()) for a, b in zip(before, agent.policy.parameters(), strict=True))
    observation, _ = env.reset(seed=2)
    assert env.action_space.contains(int(agent.predict(observation, deterministic=True)[0]))
    env.close()


@pytest.mark.slow
def test_a_ppo_in_one_file_learns_in_a_batch(place, tmp_path):
    """The loop of CleanRL's ppo.py over ``vector_env``; what it has learned runs as a controller in SUMO."""
    torch = pytest.importorskip("torch", reason="pip install torch to run it")
    torch.manual_seed(1)
    torch.set_num_threads(1)
    envs = dx.vector_env(
        place("cologne1"), num_envs=16, duration=900, observe="phase+min_green+near+queue", reward="queue"
    )
    batch, _, features = envs.observation_shape
    phases = envs.mask_shape[2]

    def network(outputs: int) -> Any:
        return torch.nn.Sequential(
            torch.nn.Linear(features, 32), torch.nn.Tanh(), torch.nn.Linear(32, outputs)
        )

    actor, critic = network(phases), network(1)
    optimizer = torch.optim.Adam([*actor.parameters(), *critic.parameters()], lr=1e-3, eps=1e-5)
    earned = []
    for episode in range(8):
        observations, infos = envs.reset(seed=100 * episode)
        kept: list[tuple[Any, ...]] = []
        truncated = np.zeros(batch, dtype=bool)
        while not truncated.all():
            seen = torch.as_tensor(observations[:, 0])
            mask = torch.as_tensor(infos["action_mask"][:, 0]).bool()
            with torch.no_grad():
                chosen = torch.distributions.Categorical(logits=actor(seen).masked_fill(~mask, -1e9))
                action = chosen.sample()
                kept_now = (seen, mask, action, chosen.log_prob(action), critic(seen)[:, 0])
            observations, rewards, _, truncated, infos = envs.step(action.numpy()[:, None])
            kept.append((*kept_now, torch.as_tensor(rewards[:, 0]) / 100.0))
        seen, mask, action, log_prob, value, reward = (torch.stack(part) for part in zip(*kept, strict=True))
        earned.append(float(reward.mean()))
        advantage, last = torch.zeros_like(reward), torch.zeros(batch)
        following = critic(torch.as_tensor(observations[:, 0]))[:, 0].detach()
        for t in reversed(range(len(reward))):  # generalised advantage estimation (Schulman et al. 2016)
            last = reward[t] + 0.98 * following - value[t] + 0.98 * 0.95 * last
            advantage[t], following = last, value[t]
        target = advantage + value
        for _ in range(6):
            chosen = torch.distributions.Categorical(logits=actor(seen).masked_fill(~mask, -1e9))
            ratio = (chosen.log_prob(action) - log_prob).exp()
            gain = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
            surrogate = torch.min(ratio * gain, ratio.clamp(0.8, 1.2) * gain).mean()
            error = ((critic(seen)[..., 0] - target) ** 2).mean()
            loss = -surrogate + 0.5 * error - 0.01 * chosen.entropy().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    assert max(earned[-2:]) > earned[0]  # fewer queue than the untrained network
    tensors = {name: value.numpy() for name, value in actor.state_dict().items()}
    policy = dx.Policy.save(tmp_path / "ppo.safetensors", tensors, observe="phase+min_green+near+queue")
    result = dx.run(dx.open_scenario(place("cologne1"), end=25200 + 300), policy, seed=1)
    assert result.metrics["fallbacks"] == 0
