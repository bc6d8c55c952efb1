"""One signal as a Gymnasium environment; the other signals of the network keep its own program."""

from __future__ import annotations

from typing import Any

import gymnasium

from denxanh.controllers.learned.features import Vector
from denxanh.experiments.learning.environment_options import EnvironmentOptions
from denxanh.experiments.learning.parallel_environment import EnvironmentSnapshot, ParallelEnvironment
from denxanh.sim.network import Network
from denxanh.sim.world import Delay


class SingleEnvironment(gymnasium.Env[Vector, Any]):
    """One signal. See ``denxanh.env``."""

    metadata = {"render_modes": ["html"]}  # noqa: RUF012 - Gymnasium's

    def __init__(self, options: EnvironmentOptions, network: Network) -> None:
        self.render_mode = "html"
        self.signals = ParallelEnvironment(options, network)
        (self.signal,) = options.signals
        self.observation_space = self.signals.observation_space(self.signal)
        self.action_space = self.signals.action_space(self.signal)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Vector, dict[str, Any]]:
        """Start an episode; see ParallelEnvironment."""
        super().reset(seed=seed)
        observations, infos = self.signals.reset(seed=seed)
        return observations[self.signal], infos[self.signal]

    def step(self, action: Any) -> tuple[Vector, float, bool, bool, dict[str, Any]]:
        """Carry out an action and advance to the next decision."""
        name = self.signal
        observations, rewards, ended, cut, infos = self.signals.step({name: action})
        return observations[name], rewards[name], ended[name], cut[name], infos[name]

    def action_masks(self) -> Any:
        """The mask of the present decision, as sb3-contrib's MaskablePPO asks for it."""
        return self.signals.masks[self.signal]

    def delay(self) -> Delay:
        """The delay of all vehicles of the episode until now."""
        return self.signals.delay()

    def snapshot(self) -> EnvironmentSnapshot:
        """The episode until now, from which ``restore`` goes on."""
        return self.signals.snapshot()

    def restore(self, snapshot: EnvironmentSnapshot) -> tuple[Vector, dict[str, Any]]:
        """Go back to a snapshot; see ParallelEnvironment."""
        observations, infos = self.signals.restore(snapshot)
        return observations[self.signal], infos[self.signal]

    def render(self) -> Any:
        """The replay of the episode until now as an HTML page; see ParallelEnvironment."""
        return self.signals.render()

    def close(self) -> None:
        """End the processes of the environment."""
        self.signals.close()
