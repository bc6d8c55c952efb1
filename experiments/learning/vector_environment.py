"""Many episodes of the queue model at a time, as arrays: observations, rewards and masks of all signals.

B episodes, I signals, P phases of the signal with most, F features of the signal with the longest vector. All episodes
begin and end together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from denxanh.controllers.greens import exits_of, green_approaches
from denxanh.controllers.learned.features import Feature, exits_by_phase, seen_length, size_of
from denxanh.experiments.learning.environment_options import LARGEST_SEED, Draw, EnvironmentOptions, draw
from denxanh.experiments.learning.episode_client import temporary_folder
from denxanh.experiments.learning.model_episode import DayModels
from denxanh.experiments.learning.rewards import Measure
from denxanh.sim.errors import ControlError, InputError
from denxanh.sim.model.batch import BatchWorld
from denxanh.sim.model.batch_kernel import (
    COUNT,
    COUNT_MAJOR,
    COUNT_MINOR,
    HALTED,
    HALTED_SERVED,
    HALTED_SPACE,
    MAX_WAIT,
    NEAR,
    NEAR_MAJOR,
    NEAR_MINOR,
    SPACE,
    SPEED,
    WAIT,
    WAIT_SERVED,
)
from denxanh.sim.network import Network
from denxanh.sim.sensing import Ideal

Floats = NDArray[np.float32]
_HOUR = 3600.0  # s


class VectorStep(NamedTuple):
    """What ``step`` returns, in the order of Gymnasium."""

    observations: Floats  # (B, I, F), 0 beyond the features of a signal
    rewards: Floats  # (B, I)
    terminated: NDArray[np.bool_]  # (B,), always False
    truncated: NDArray[np.bool_]  # (B,), all at the end of the episodes
    infos: dict[str, Any]  # action_mask (B, I, P), asks (B, I)


class VectorSnapshot(NamedTuple):
    """The state of all episodes."""

    world: BatchWorld
    last: dict[int, Floats]
    draws: tuple[Draw, ...]


class VectorEnvironment:
    """A batch of episodes. See ``denxanh.vector_env``."""

    def __init__(self, options: EnvironmentOptions, network: Network, num_envs: int, threads: int) -> None:
        _check(options, network)
        self.options, self.network, self.num_envs = options, network, num_envs
        self.signals = options.signals
        self._temporary = temporary_folder()
        models = DayModels(options, network, self._temporary.name)
        model, self._original, self._copy = models.whole()
        reach = options.sensing.range_m if isinstance(options.sensing, Ideal) else 0.0
        by_phase = any(feature.name in _SERVED for feature in options.features)
        self._world = BatchWorld(model, num_envs, round(options.step), reach, threads, by_phase=by_phase)
        self._views = _Views(network, reach)
        self._index, self._valid = _layout(options.features, network)
        self._terms = [(weight, term, _reward(term)) for weight, term in options.terms]
        self._last: dict[int, Floats] = {}
        self._draws: tuple[Draw, ...] = ()
        self._rng = np.random.default_rng()
        self._reset = False

    @property
    def observation_shape(self) -> tuple[int, int, int]:
        """(B, I, F)"""
        return (self.num_envs, *self._index.shape)

    @property
    def mask_shape(self) -> tuple[int, int, int]:
        """(B, I, P)"""
        batch, signals, phases = self._world.permitted.shape
        return batch, signals, phases

    @property
    def world(self) -> BatchWorld:
        """The episodes in the queue model."""
        return self._world

    @property
    def draws(self) -> tuple[Draw, ...]:
        """The seed and the demand factor of each episode."""
        return self._draws

    def reset(
        self, seed: int | None = None, *, seeds: Sequence[int] | None = None
    ) -> tuple[Floats, dict[str, Any]]:
        """Start all episodes: the one with index b has the seed ``seed`` + b; without one seeds are drawn.

        ``seeds`` gives each episode its own, so that episodes with different policies can meet the same drivers.
        """
        if seeds is not None:
            if (
                seed is not None
                or len(seeds) != self.num_envs
                or not all(0 <= s <= LARGEST_SEED for s in seeds)
            ):
                raise InputError(
                    f"invalid seeds: {seeds!r}",
                    remedy=f"give {self.num_envs} whole numbers from 0 to {LARGEST_SEED}, and no seed beside them",
                )
            return self._start(seeds)
        if seed is None:
            seed = int(self._rng.integers(LARGEST_SEED - self.num_envs))
        elif not 0 <= seed <= LARGEST_SEED - self.num_envs:
            raise InputError(
                f"invalid seed: {seed!r}",
                remedy=f"give a whole number from 0 to {LARGEST_SEED - self.num_envs}",
            )
        return self._start(range(seed, seed + self.num_envs))

    def _start(self, seeds: Sequence[int]) -> tuple[Floats, dict[str, Any]]:
        self._draws = tuple(draw(self.options, int(one)) for one in seeds)
        kept = [self._kept(drawn.demand) for drawn in self._draws]
        self._world.reset([drawn.seed for drawn in self._draws], kept)
        self._last, self._reset = {}, True
        self._rewards()
        return self._observations(), self._infos()

    def step(self, actions: NDArray[Any]) -> VectorStep:
        """Show phases as actions (B, I) and advance by a step; one that is not permitted leaves the signal as it is.

        Raises ControlError before the first reset and after the end, and InputError for other shapes and for actions
        that are no whole numbers. −1 is no action.
        """
        if not self._reset or self._world.over:
            raise ControlError("the episodes are over: call reset() first")
        given = np.asarray(actions)
        if given.shape != (self.num_envs, len(self.signals)):
            raise InputError(
                f"actions have the shape {given.shape}", remedy=f"give {(self.num_envs, len(self.signals))}"
            )
        whole = np.issubdtype(given.dtype, np.integer) or (
            np.issubdtype(given.dtype, np.floating) and bool((given == np.floor(given)).all())
        )
        if not whole:
            raise InputError("actions are not whole numbers", remedy="give phases, as an array of integers")
        self._world.advance(given.astype(np.int32))
        over = np.full(self.num_envs, self._world.over)
        return VectorStep(
            self._observations(),
            self._rewards(),
            np.zeros(self.num_envs, dtype=np.bool_),
            over,
            self._infos(),
        )

    def delay(self) -> NDArray[np.float64]:
        """The delay of each episode until now: s summed over vehicles, and vehicles that were due, (B, 2)."""
        self._world.look(delay=True)
        return self._world.delay.copy()

    def snapshot(self) -> VectorSnapshot:
        """A copy of the state of all episodes."""
        return VectorSnapshot(self._world.copy(), dict(self._last), self._draws)

    def restore(self, snapshot: VectorSnapshot) -> tuple[Floats, dict[str, Any]]:
        """Go back to a snapshot, from which several futures can start; returns as ``reset``."""
        self._world, self._last, self._draws = snapshot.world.copy(), dict(snapshot.last), snapshot.draws
        self._reset = True
        return self._observations(), self._infos()

    def close(self) -> None:
        """Release what the environment holds."""
        self._temporary.cleanup()

    def _kept(self, factor: float) -> NDArray[np.bool_]:
        """The vehicles that SUMO's ``--scale`` keeps."""
        due = np.floor(factor * np.arange(int(self._original.max()) + 2) + 1e-9)
        kept: NDArray[np.bool_] = self._copy < np.diff(due)[self._original]
        return kept

    def _infos(self) -> dict[str, Any]:
        return {"action_mask": self._world.permitted.astype(np.int8), "asks": self._world.asks.copy()}

    def _observations(self) -> Floats:
        """The figures of all signals in one row for each episode, gathered into (B, I, F)."""
        world, views = self._world, self._views
        used = [
            _PARTS[feature.name](world, views).astype(np.float32, copy=False)
            for feature in self.options.features
        ]
        row = np.concatenate(used, axis=1)
        observations: Floats = row[:, self._index] * self._valid
        return observations

    def _rewards(self) -> Floats:
        world, views = self._world, self._views
        total = np.zeros((self.num_envs, len(self.signals)), dtype=np.float32)
        for number, (weight, term, compute) in enumerate(self._terms):
            if compute is None:  # the delay of the whole network
                value = np.broadcast_to(-self.delay()[:, :1] / _HOUR, total.shape).astype(np.float32)
            else:
                value = compute(world.figures, world.exits, views).astype(np.float32)
            if term.increase:
                value, self._last[number] = value - self._last.get(number, np.float32(0.0)), value
            total += np.float32(weight) * value
        return total


class _Views:
    """The approaches and exits of all signals in one row each, and sums by signal."""

    def __init__(self, network: Network, range_m: float) -> None:
        places = list(network.intersections.values())
        approaches = [len(place.approaches) for place in places]
        self.signal_of = np.repeat(np.arange(len(places)), approaches)  # (A,)
        self.number = np.concatenate([np.arange(n) for n in approaches])  # (A,) within its signal
        self.first = np.cumsum([0, *approaches[:-1]])
        exits = [len(place.exits) for place in places]
        self.exit_signal = np.repeat(np.arange(len(places)), exits)
        every = [approach for place in places for approach in place.approaches]
        self.seen = np.concatenate([seen_length(place, range_m) for place in places]).astype(np.float32)
        self.limit = np.array([a.speed for a in every], dtype=np.float32)
        phases, most = max(len(place.phases) for place in places), max(approaches)
        self.green = np.zeros((len(places), phases, most), dtype=np.float32)
        self.leads = np.zeros((sum(exits), sum(approaches)), dtype=np.float32)
        self.behind = np.zeros((sum(exits), len(places) * phases), dtype=np.float32)
        a = x = 0
        for i, place in enumerate(places):
            greens = green_approaches(place)
            self.green[i, : greens.shape[0], : greens.shape[1]] = greens
            leads = exits_of(place)
            at = i * phases
            self.behind[x : x + exits[i], at : at + len(place.phases)] = exits_by_phase(place).T
            for number, approach in enumerate(place.approaches):
                to = leads[list(approach.links)].max(axis=0, initial=0.0)
                self.leads[x : x + len(to), a + number] = to / max(to.sum(), 1.0)
            a, x = a + len(place.approaches), x + len(place.exits)
        self.count = len(places)

    def by_signal(self, values: Floats) -> Floats:
        """Sums of approaches (B, A) by signal, (B, I)."""
        return _grouped(values, self.signal_of, self.count)

    def exits_by_signal(self, values: Floats) -> Floats:
        """Sums of exits (B, X) by signal, (B, I)."""
        return _grouped(values, self.exit_signal, self.count)


def _grouped(values: Floats, group: NDArray[np.int64], count: int) -> Floats:
    """Sums of the columns (B, n) of each group, (B, count)."""
    one = (group[:, None] == np.arange(count)).astype(np.float32)
    summed: Floats = values @ one
    return summed


_Part = Callable[[BatchWorld, _Views], NDArray[Any]]
_Compute = Callable[[Floats, Floats, _Views], Floats]


def _average_speed(figures: Floats, exits: Floats, views: _Views) -> Floats:
    count = views.by_signal(figures[:, :, COUNT])
    share = views.by_signal(figures[:, :, SPEED] / views.limit)
    return np.where(count > 0, share / np.maximum(count, np.float32(1.0)), np.float32(1.0))


_BATCHED: dict[str, _Compute] = {
    "queue": lambda f, x, v: -v.by_signal(f[:, :, HALTED]),
    "wait": lambda f, x, v: -v.by_signal(f[:, :, WAIT]),
    "wait_norm": lambda f, x, v: np.maximum(
        -v.by_signal(f[:, :, WAIT]) / np.float32(224.0), np.float32(-4.0)
    ),
    "diff-waiting-time": lambda f, x, v: -v.by_signal(f[:, :, WAIT]) / np.float32(100.0),
    "average-speed": _average_speed,
    "pressure": lambda f, x, v: v.exits_by_signal(x[:, :, 0]) - v.by_signal(f[:, :, COUNT]),
    "queue-pressure": lambda f, x, v: v.exits_by_signal(x[:, :, 1]) - v.by_signal(f[:, :, HALTED]),
    "queue_maxwait": lambda f, x, v: (
        -v.by_signal(f[:, :, HALTED]) - np.float32(0.2) * v.by_signal(f[:, :, MAX_WAIT])
    ),
}
"""The rewards of denxanh.experiments.learning.rewards over a batch."""

_SERVED = {
    "served_near": NEAR_MAJOR, "yield_near": NEAR_MINOR, "served_count": COUNT_MAJOR, "yield_count": COUNT_MINOR,
    "served_queue": HALTED_SERVED, "served_wait": WAIT_SERVED,
}  # fmt: skip
"""The features by phase that the kernel computes."""


def _figure(number: int) -> _Part:
    return lambda world, views: world.figures[:, :, number]


def _served(number: int) -> _Part:
    return lambda world, views: world.served[:, :, :, number].reshape(world.count, -1)


def _phase(world: BatchWorld, views: _Views) -> NDArray[Any]:
    one: NDArray[Any] = world.phase[:, :, None] == np.arange(world.permitted.shape[2])
    return one.reshape(world.count, -1)


def _green(world: BatchWorld, views: _Views) -> NDArray[Any]:
    shown = views.green[np.arange(views.count), world.phase]
    return shown[:, views.signal_of, views.number]


_PARTS: dict[str, _Part] = {
    **{name: _served(number) for name, number in _SERVED.items()},
    "phase": _phase,
    "elapsed": lambda world, views: world.elapsed,
    "min_green": lambda world, views: world.elapsed >= world.least,
    "green": _green,
    "queue": _figure(HALTED),
    "count": _figure(COUNT),
    "approach": lambda world, views: world.figures[:, :, COUNT] - world.figures[:, :, HALTED],
    "near": _figure(NEAR),
    "wait": _figure(WAIT),
    "max_wait": _figure(MAX_WAIT),
    "speed": _figure(SPEED),
    "density": lambda world, views: np.minimum(world.figures[:, :, SPACE] / views.seen, 1.0),
    "queue_density": lambda world, views: np.minimum(world.figures[:, :, HALTED_SPACE] / views.seen, 1.0),
    "pressure": lambda world, views: world.figures[:, :, HALTED] - world.exits[:, :, 1] @ views.leads,
    "behind": lambda world, views: world.exits[:, :, 1] @ views.behind,
    "change": lambda world, views: world.change_time.reshape(world.count, -1),
}
"""The features of denxanh.controllers.learned.features over a batch, each as a row of all signals (B, n)."""


def _reward(term: Measure) -> _Compute | None:
    return None if term.shared else _BATCHED[term.name]


def _layout(features: tuple[Feature, ...], network: Network) -> tuple[NDArray[np.int64], Floats]:
    """Where each value (I, F) stands in the row of an episode, and 1 where there is one."""
    places = list(network.intersections.values())
    longest = max(size_of(features, place) for place in places)
    index = np.zeros((len(places), longest), dtype=np.int64)
    valid = np.zeros((len(places), longest), dtype=np.float32)
    filled = np.zeros(len(places), dtype=np.int64)
    start, phases = 0, max(len(place.phases) for place in places)
    for feature in features:
        for i, place in enumerate(places):
            size = feature.size(place)
            index[i, filled[i] : filled[i] + size] = start + np.arange(size)
            valid[i, filled[i] : filled[i] + size] = 1.0
            filled[i] += size
            start += phases if feature.by_phase or feature.name == "phase" else size
    return index, valid


def _check(options: EnvironmentOptions, network: Network) -> None:
    """Raise InputError for options that a batch cannot have."""
    alone = "use parallel_env(backend='model')"
    for feature in options.features:
        if feature.name not in _PARTS:
            raise InputError(f"the feature {feature.name!r} is not batched", location="observe", remedy=alone)
    for _, term in options.terms:
        if not term.shared and term.name not in _BATCHED:
            raise InputError(f"the reward {term.name!r} is not batched", location="reward", remedy=alone)
    refused = {
        "action": options.action != "phase",
        "decide": options.decide != "step",
        "sensing": not isinstance(options.sensing, Ideal),
        "days": options.days > 0,
        "signals": options.signals != tuple(network.intersections),
        "safety": options.rules.max_green is not None or options.rules.max_red is not None,
    }
    for name, bad in refused.items():
        if bad:
            raise InputError(f"this {name} is not batched", location=name, remedy=alone)
    if options.step != round(options.step):
        raise InputError(f"invalid step: {options.step:g} s", remedy="give whole seconds")
