"""All signals of a network as agents: a PettingZoo ParallelEnv."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from gymnasium import spaces
from pettingzoo import ParallelEnv

from denxanh.controllers.learned.features import Vector
from denxanh.experiments.learning.actions import Action, read_actions
from denxanh.experiments.learning.batch_episode import BatchEpisodes
from denxanh.experiments.learning.environment_options import LARGEST_SEED, Draw, EnvironmentOptions, draw
from denxanh.experiments.learning.episode import Answered, Step
from denxanh.experiments.learning.episode_client import RemoteEpisodes, temporary_folder
from denxanh.experiments.learning.model_episode import ModelEpisodes
from denxanh.experiments.learning.recorded_episode import replay_of
from denxanh.experiments.learning.spaces import action_mask, action_space, observation_space
from denxanh.sim.errors import ControlError, InputError
from denxanh.sim.network import Network
from denxanh.sim.world import Delay


class _Playing(Protocol):
    def start(self) -> Step: ...

    def step(self, actions: Mapping[str, Action]) -> Step: ...

    def delay(self) -> Delay: ...


class EnvironmentSnapshot(NamedTuple):
    """An episode until a decision: what it drew, and the actions so far."""

    drawn: Draw
    actions: tuple[Mapping[str, Action], ...]


class ParallelEnvironment(ParallelEnv):  # type: ignore[misc]  # PettingZoo has no types
    """Signals as agents, named by their ids. See ``denxanh.parallel_env``."""

    metadata = {"name": "denxanh_v0", "render_modes": ["html"], "is_parallelizable": True}  # noqa: RUF012 - PettingZoo's
    render_mode = "html"

    def __init__(self, options: EnvironmentOptions, network: Network) -> None:
        self.options = options
        self.network = network
        self.possible_agents = list(options.signals)
        self.agents: list[str] = []
        places = {name: network.intersections[name] for name in options.signals}
        self._observation_spaces = {name: observation_space(options, place) for name, place in places.items()}
        self._action_spaces = {name: action_space(options, place) for name, place in places.items()}
        self._temporary = temporary_folder()
        folder = Path(self._temporary.name)
        self._episodes: ModelEpisodes | BatchEpisodes | RemoteEpisodes
        if options.backend == "batch":
            self._episodes = BatchEpisodes(options, network)
        elif options.backend == "model":
            self._episodes = ModelEpisodes(options, network, folder)
        else:
            self._episodes = RemoteEpisodes(options, folder)
        self._playing: _Playing | None = None
        self._rng = np.random.default_rng()
        self._drawn = Draw(0, 1.0, 0)
        self._actions: list[Mapping[str, Action]] = []
        self._given: dict[str, list[Answered]] = {}
        self._now = options.scenario.begin
        self.masks: dict[str, Any] = {}  # of the present decision, by agent

    def observation_space(self, agent: str) -> spaces.Space[Any]:
        """A Box of the chosen features, float32."""
        return self._observation_spaces[agent]

    def action_space(self, agent: str) -> spaces.Space[Any]:
        """Discrete or MultiDiscrete, by the kind of action."""
        return self._action_spaces[agent]

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Vector], dict[str, dict[str, Any]]]:
        """Start an episode. The same seed gives the same episode; without one it is drawn.

        ``options`` is not used. Raises InputError for a seed that is none.
        """
        if seed is not None:
            if (
                isinstance(seed, bool)
                or not isinstance(seed, int | np.integer)
                or not 0 <= seed <= LARGEST_SEED
            ):
                raise InputError(
                    f"invalid seed: {seed!r}", remedy=f"give a whole number from 0 to {LARGEST_SEED}"
                )
            self._rng = np.random.default_rng(int(seed))
            first = int(seed)
        else:
            first = int(self._rng.integers(LARGEST_SEED))
        return self._start(draw(self.options, first))

    def step(
        self, actions: Mapping[str, Action]
    ) -> tuple[
        dict[str, Vector], dict[str, float], dict[str, bool], dict[str, bool], dict[str, dict[str, Any]]
    ]:
        """Carry out actions by agent and advance to the next decision.

        An agent without an action, and one whose action is not permitted, keeps its phase; ``infos[agent]["refused"]``
        says why. Raises ControlError before the first reset and after the end, and InputError for an agent that there
        is not and an action that is no whole number.
        """
        if self._playing is None or not self.agents:
            raise ControlError("the episode is over: call reset() first")
        plain = read_actions(self.options, self.network, actions)
        step = self._playing.step(plain)
        self._actions.append(plain)
        self._record(step)
        agents = self.agents
        if step.over:
            self.agents = []
        return (
            step.observations,
            step.rewards,
            dict.fromkeys(agents, False),
            dict.fromkeys(agents, step.over),
            self._infos(step),
        )

    @property
    def drawn(self) -> Draw:
        """The seed, the demand factor and the day of the episode."""
        return self._drawn

    def delay(self) -> Delay:
        """The delay of all vehicles of the episode until now: a figure that is not the reward."""
        if self._playing is None:
            raise ControlError("there is no episode: call reset() first")
        return self._playing.delay()

    def snapshot(self) -> EnvironmentSnapshot:
        """The episode until now, from which ``restore`` goes on."""
        return EnvironmentSnapshot(self._drawn, tuple(self._actions))

    def restore(self, snapshot: EnvironmentSnapshot) -> tuple[dict[str, Vector], dict[str, dict[str, Any]]]:
        """Go back to a snapshot, of this environment or of one with the same options; returns as ``reset``.

        The episode is played again up to there, so it takes as long as the episode has lasted; ``denxanh.vector_env``
        copies its state instead.
        """
        shown = self._start(snapshot.drawn)
        for actions in snapshot.actions:
            observations, _, _, _, infos = self.step(actions)
            shown = observations, infos
        return shown

    def close(self) -> None:
        """End the processes of the environment and remove its files."""
        self._playing = None
        self.agents = []
        if not isinstance(self._episodes, ModelEpisodes):
            self._episodes.close()
        self._temporary.cleanup()

    def render(self) -> str:
        """The replay of the episode until now, an HTML page: SUMO simulates the signals' answers again.

        On SUMO it is this episode; of one on the queue model it shows the same answers in SUMO's traffic. Raises
        InputError before the first step, and with events.
        """
        given = {name: tuple(self._given.get(name, ())) for name in self.options.signals}
        return replay_of(self.options, self._drawn, given, self._now)

    def _start(self, drawn: Draw) -> tuple[dict[str, Vector], dict[str, dict[str, Any]]]:
        self._drawn, self._actions, self._given = drawn, [], {}
        self._now = self.options.scenario.begin
        self._playing = self._episodes.start(drawn)
        step = self._playing.start()
        self._record(step)
        self.agents = list(self.possible_agents)
        return step.observations, self._infos(step)

    def _record(self, step: Step) -> None:
        self._now = step.time
        for name, answered in step.given.items():
            self._given.setdefault(name, []).extend(answered)

    def _infos(self, step: Step) -> dict[str, dict[str, Any]]:
        self.masks = {
            name: action_mask(self.options, permitted, step.phases[name])
            for name, permitted in step.permitted.items()
        }
        return {
            name: {
                "action_mask": mask,
                "asks": step.asks[name],
                "refused": step.refused.get(name, ""),
                "time": step.time,
            }
            for name, mask in self.masks.items()
        }
