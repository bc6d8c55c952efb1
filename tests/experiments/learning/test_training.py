"""A policy of four weights, trained in batches of the queue model, is better in SUMO than the plan of the network."""

from __future__ import annotations

import numpy as np
import pytest

import denxanh as dx
from denxanh.controllers.greens import green_approaches


@pytest.mark.slow
def test_a_policy_trained_in_the_model_beats_the_plan_in_sumo(place, tmp_path):
    """The cross-entropy method; each episode of the batch has weights of its own."""
    population, elite = 32, 8
    envs = dx.vector_env(
        place("cologne1"), num_envs=population, duration=900, observe="elapsed+queue+count", demand=(0.9, 1.1)
    )
    (signal,) = envs.network.intersections.values()
    greens = green_approaches(signal).astype(np.float32)  # (P, A)
    approaches = greens.shape[1]
    rng = np.random.default_rng(1)
    mean, deviation = np.array([1.0, 0.0, 1.0, 0.0]), np.full(4, 1.0)
    for generation in range(6):
        weights = mean + deviation * rng.standard_normal((population, 4))
        observations, infos = envs.reset(seed=1000 * generation)
        truncated = np.zeros(population, dtype=bool)
        phase = np.zeros(population, dtype=np.int64)
        while not truncated.all():
            elapsed, seen = observations[:, 0, :1], observations[:, 0, 1:]
            queue, count = seen[:, :approaches] @ greens.T, seen[:, approaches : 2 * approaches] @ greens.T
            score = weights[:, :1] * queue + weights[:, 1:2] * count  # (B, P)
            score[np.arange(population), phase] += weights[:, 2] + weights[:, 3] * elapsed[:, 0] / 60.0
            phase = np.where(infos["action_mask"][:, 0] > 0, score, -np.inf).argmax(axis=1)
            observations, _, _, truncated, infos = envs.step(phase[:, None])
        seconds, vehicles = envs.delay().T
        best = weights[np.argsort(seconds / vehicles)[:elite]]
        mean, deviation = best.mean(axis=0), best.std(axis=0) + 0.05
    tensors = {"phi.0.weight": np.eye(2), "rho.0.weight": [[mean[0], mean[1], 0.0, 0.0, mean[2], mean[3]]]}
    policy = dx.Policy.save(
        tmp_path / "agent.safetensors", tensors, observe="queue+count", kind="equivariant"
    )
    scenario = dx.open_scenario(place("cologne1"), end=25200 + 1800)
    delays = [dx.run(scenario, controller, seed=101).metrics["delay_s"] for controller in ("program", policy)]
    print("program, trained:", delays, mean)
    assert delays[1] < 0.8 * delays[0]
