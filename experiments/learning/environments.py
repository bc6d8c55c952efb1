"""The functions behind ``denxanh.parallel_env``, ``denxanh.env`` and ``denxanh.vector_env``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from denxanh.controllers.learned.features import Observe
from denxanh.experiments.learning.environment_options import DURATIONS, read_environment
from denxanh.experiments.learning.rewards import Reward
from denxanh.experiments.specification.run_options import Table
from denxanh.experiments.specification.sensings import IDEAL
from denxanh.sim.errors import InputError
from denxanh.sim.input.limits import check_count
from denxanh.sim.scenario import Scenario
from denxanh.sim.sensing import Sensing
from denxanh.sim.text_values import did_you_mean

if TYPE_CHECKING:
    from denxanh.experiments.learning.parallel_environment import ParallelEnvironment
    from denxanh.experiments.learning.single_environment import SingleEnvironment
    from denxanh.experiments.learning.vector_environment import VectorEnvironment

__all__ = ["env", "parallel_env", "vector_env"]

ENVIRONMENTS = 100_000
"""The largest number of episodes in a batch."""


_P = ParamSpec("_P")
_T = TypeVar("_T")


def _known_options(*own: str) -> Callable[[Callable[_P, _T]], Callable[_P, _T]]:
    """Refuse options that there are not with InputError, by the name that was meant, and keep the signature.

    The options are those of ``read_environment`` and ``own``.
    """

    def decorate(function: Callable[_P, _T]) -> Callable[_P, _T]:
        known = [*own, *(name for name in signature(read_environment).parameters if name != "place")]

        @wraps(function)
        def checked(*args: _P.args, **options: _P.kwargs) -> _T:
            for name in options:
                if name != "place" and name not in known:
                    raise InputError(f"there is no option {name!r}", remedy=did_you_mean(name, known))
            return function(*args, **options)

        return checked

    return decorate


@_known_options()
def parallel_env(
    place: str | Path | Scenario,
    *,
    backend: str = "sumo",
    step: float = 5.0,
    duration: float | None = None,
    observe: Observe = "default",
    reward: Reward = "queue",
    action: str = "phase",
    decide: str = "step",
    durations: Sequence[float] = DURATIONS,
    sensing: str | Sensing = IDEAL,
    demand: float | tuple[float, float] = 1.0,
    days: int = 0,
    events: str | Path | Sequence[Table] = (),
    safety: str | Mapping[str, Any] = "",
    signals: Sequence[str] | None = None,
) -> ParallelEnvironment:
    """The signals of a place as agents of a PettingZoo ParallelEnv, on SUMO or on the queue model.

    Changes, minimum greens, the conflict monitor and the supervisor are those of every run: an action that they refuse
    is not carried out, the signal keeps its phase, and the agent's info says why. Its ``action_mask`` holds the actions
    that are permitted; ``asks`` is False while a signal changes, when it takes no action. Episodes are truncated at the
    end of the scenario, and no agent terminates before.

    The queue model orders controllers as SUMO does only in part. Spearman's correlation of 16 controllers (10 min, one
    seed): grid4x4 0.97, ingolstadt1 0.93, a left-hand grid 0.77, cologne1 0.76, a grid with turn lanes 0.64, a one-way
    grid 0.49, cologne3 0.49, and with motorbikes at ha-noi/hoang-dao-thuy 0.25: choose nothing there by the model
    (docs/research/closed-loop-fidelity.md). Report figures of SUMO.

    Args:
        place: as ``open_scenario`` takes it, or a Scenario.
        backend: ``"sumo"``, each environment in a process of its own; ``"model"``, the queue model in this process;
            ``"batch"``, the same by the kernel of ``vector_env``, which takes fewer options and is faster.
        step: s between decisions.
        duration: s of an episode; the scenario's where it is None.
        observe: features joined by ``+``, as ``"phase+min_green+queue"``, or a function of an Observation.
        reward: a name, weights by name, or a function of an Observation; from ideal observations.
        action: ``"phase"``, ``"keep-change"`` (1 is the next phase of the program) or ``"phase-duration"``.
        decide: ``"step"``, or ``"signal"``: a step ends when any signal asks, after the duration of its green.
        durations: s, of the action ``phase-duration``.
        sensing: as in every run: ``"ideal"``, ``"loops:…"``, ``"camera:…"``.
        demand: factor of the number of vehicles, or the bounds of what each episode draws.
        days: number of resampled days that episodes draw from, beside the demand given.
        events: a file of events or its tables, on SUMO.
        safety: rules as ``--safety`` takes them.
        signals: the ids to control; all others keep the network's own program.

    Raises:
        InputError: an option that cannot be used, or PettingZoo is not installed (``pip install denxanh[rl]``).

    >>> env = parallel_env("ha-noi/pho-hue", backend="model", duration=60)  # doctest: +SKIP
    >>> observations, infos = env.reset(seed=1)  # doctest: +SKIP
    """
    _needs("gymnasium", "pettingzoo")
    from denxanh.experiments.learning.parallel_environment import ParallelEnvironment

    options, network = read_environment(
        place,
        backend=backend,
        step=step,
        duration=duration,
        observe=observe,
        reward=reward,
        action=action,
        decide=decide,
        durations=durations,
        sensing=sensing,
        demand=demand,
        days=days,
        events=events,
        safety=safety,
        signals=signals,
    )
    return ParallelEnvironment(options, network)


@_known_options("signal")
def env(place: str | Path | Scenario, *, signal: str | None = None, **options: Any) -> SingleEnvironment:
    """One signal of a place as a Gymnasium environment; all others keep the network's own program.

    ``signal`` is the id, and may be left out where the network has one. ``options`` are those of ``parallel_env``.

    Raises:
        InputError: there is no such signal, several and none is named, or an option cannot be used.
    """
    _needs("gymnasium", "pettingzoo")
    from denxanh.experiments.learning.single_environment import SingleEnvironment

    if "signals" in options:
        raise InputError("env has one signal", location="signals", remedy="give signal, or use parallel_env")
    made, network = read_environment(place, signals=None if signal is None else [signal], **options)
    if len(made.signals) > 1:
        some = ", ".join(made.signals[:5])
        raise InputError(
            f"there are {len(made.signals)} signals: {some}{' …' if len(made.signals) > 5 else ''}",
            location=network.name,
            remedy="name one as signal, or use parallel_env",
        )
    return SingleEnvironment(made, network)


@_known_options("num_envs", "threads")
def vector_env(
    place: str | Path | Scenario, *, num_envs: int, threads: int = 0, **options: Any
) -> VectorEnvironment:
    """``num_envs`` episodes of the queue model at a time, compiled from the arrivals to the observation.

    ``reset(seed)`` gives observations (B, I, F) and infos; ``step(actions)`` takes phases (B, I) and gives
    observations, rewards (B, I), ``terminated`` (B,), ``truncated`` (B,) and infos with ``action_mask`` (B, I, P) and
    ``asks`` (B, I). ``snapshot`` and ``restore`` copy the state. ``options`` are those of ``parallel_env`` that can be
    batched: features by phase and approach, all named rewards, the action ``phase``, ideal sensing; others raise
    InputError. ``threads`` 0 is one for each core. How far the model orders controllers as SUMO does stands at
    ``parallel_env``.

    Raises:
        InputError: an option that cannot be used.

    >>> envs = vector_env("ha-noi/pho-hue", num_envs=64, duration=300)  # doctest: +SKIP
    >>> observations, infos = envs.reset(seed=1)  # doctest: +SKIP
    """
    from denxanh.experiments.learning.vector_environment import VectorEnvironment

    check_count(num_envs, ENVIRONMENTS, "num_envs", remedy="give a smaller number")
    if not isinstance(num_envs, int) or num_envs < 1:
        raise InputError(f"invalid num_envs: {num_envs!r}", remedy="give a whole number of at least 1")
    if options.setdefault("backend", "batch") not in ("model", "batch"):
        raise InputError("a batch runs on the queue model", location="backend", remedy="leave backend out")
    made, network = read_environment(place, **options)
    return VectorEnvironment(made, network, num_envs, threads)


def _needs(*packages: str) -> None:
    for package in packages:
        try:
            import_module(package)
        except ImportError:
            raise InputError(
                f"{package} is not installed", location="environments", remedy="pip install 'denxanh[rl]'"
            ) from None
