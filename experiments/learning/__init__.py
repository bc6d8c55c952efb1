"""Environments for reinforcement learning: PettingZoo, Gymnasium and batches, on SUMO and on the queue model."""

__all__ = [
    "actions",
    "batch_episode",
    "environment_options",
    "environments",
    "episode",
    "episode_client",
    "episode_server",
    "model_episode",
    "parallel_environment",
    "recorded_episode",
    "rewards",
    "single_environment",
    "spaces",
    "step_message",
    "sumo_episode",
    "vector_environment",
]
