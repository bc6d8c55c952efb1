"""Episodes on the queue model by the kernel of ``vector_env``, one at a time: no Python for each vehicle or signal."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from denxanh.controllers.learned.features import size_of
from denxanh.experiments.learning.actions import Action, no_actions
from denxanh.experiments.learning.environment_options import Draw, EnvironmentOptions
from denxanh.experiments.learning.episode import Answered, Step
from denxanh.experiments.learning.vector_environment import Floats, VectorEnvironment
from denxanh.sim.network import Network
from denxanh.sim.world import Delay


class BatchEpisodes:
    """Starts episodes of a batch of one. Raises InputError for options that a batch cannot have."""

    def __init__(self, options: EnvironmentOptions, network: Network) -> None:
        self._environment = VectorEnvironment(options, network, 1, 1)

    def start(self, drawn: Draw) -> BatchEpisode:
        """A new episode, which ends the one before."""
        return BatchEpisode(self._environment, drawn)

    def close(self) -> None:
        """Release what the environment holds."""
        self._environment.close()


class BatchEpisode:
    """One episode, as ``episode.Episode`` is one over a world."""

    def __init__(self, environment: VectorEnvironment, drawn: Draw) -> None:
        self._environment, self._drawn = environment, drawn
        self._options = environment.options
        places = environment.network.intersections
        self._names = environment.signals
        self._sizes = [size_of(self._options.features, places[name]) for name in self._names]
        self._phases = [len(places[name].phases) for name in self._names]
        self._time = self._options.scenario.begin
        self._infos: dict[str, Any] = {}

    def start(self) -> Step:
        """What the learner sees at the begin; rewards are 0."""
        observations, self._infos = self._environment.reset(seeds=[self._drawn.seed])
        return self._show(observations, np.zeros((1, len(self._names)), dtype=np.float32), {}, {}, over=False)

    def step(self, actions: Mapping[str, Action]) -> Step:
        """Carry out actions by intersection id and advance by a step; others keep their phase."""
        world = self._environment.world
        asks, permitted = self._infos["asks"][0], self._infos["action_mask"][0]
        now, change = world.phase[0].tolist(), world.change_time[0]
        given: dict[str, list[Answered]] = {}
        refused = no_actions(self._options, self._environment.network, actions)
        chosen = np.full((1, len(self._names)), -1, dtype=np.int32)
        for i in np.flatnonzero(asks).tolist():
            name, phase = self._names[i], now[i]
            action = None if name in refused else actions.get(name)
            if action is not None and permitted[i, action]:
                phase = action
            elif action is not None:
                refused[name] = f"phase {action} is not permitted after phase {phase} at this time"
            chosen[0, i] = phase
            wait = float(change[i, phase])
            seconds = (math.floor(wait / self._options.step) + 1) * self._options.step - wait
            given[name] = [(self._time, phase, seconds)]
        shown = self._environment.step(chosen)
        self._infos = shown.infos
        self._time = self._options.scenario.begin + self._environment.world.second
        return self._show(shown.observations, shown.rewards, refused, given, over=bool(shown.truncated[0]))

    def delay(self) -> Delay:
        """The delay of all vehicles until now."""
        seconds, vehicles = self._environment.delay()[0].tolist()
        return Delay(seconds, round(vehicles))

    def _show(
        self,
        observations: Floats,
        rewards: Floats,
        refused: dict[str, str],
        given: dict[str, list[Answered]],
        *,
        over: bool,
    ) -> Step:
        names, permitted = self._names, self._infos["action_mask"][0] > 0
        return Step(
            self._time,
            {
                name: observations[0, i, :size]
                for i, (name, size) in enumerate(zip(names, self._sizes, strict=True))
            },
            dict(zip(names, rewards[0].tolist(), strict=True)),
            {
                name: permitted[i, :count]
                for i, (name, count) in enumerate(zip(names, self._phases, strict=True))
            },
            dict(zip(names, self._environment.world.phase[0].tolist(), strict=True)),
            dict(zip(names, self._infos["asks"][0].tolist(), strict=True)),
            refused,
            given,
            over,
        )
