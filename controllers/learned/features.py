"""Features: vectors that are computed from an Observation, by name, to be joined to what a learner sees.

``"phase+elapsed+queue"`` joins three of them. Environments for learning and learned controllers compute them here, so
that a trained network sees in a run what it saw in training. A = approaches (stop-line lanes), P = phases.

Those of sumo-rl (L. N. Alegre) and RESCO (J. Ault, G. Sharon, NeurIPS 2021) are here under their names; a lane of
theirs is an approach, seen up to the range of the sensing instead of the lane's length.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, wraps
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from denxanh.controllers.greens import exits_of, green_approaches, green_links, may_leave, reached
from denxanh.sim.errors import InputError
from denxanh.sim.frozen import frozen_array
from denxanh.sim.network import Bools, Intersection
from denxanh.sim.observation import Array, Observation
from denxanh.sim.signals.change import change_intervals
from denxanh.sim.text_values import did_you_mean
from denxanh.sim.world import HALTED_SPEED, NEAR_LINE

Vector = NDArray[np.float32]
_Fixed = TypeVar("_Fixed", bound=NDArray[Any])
Observe = str | Sequence["str | Feature"] | Callable[[Observation], Array]
"""A choice of features: names joined by ``+``, a sequence of names and features, or a function of one's own."""

_RESCO = 28.0  # RESCO's norm: vehicles of a full lane of 200 m
_RESCO_SPEED = 20.0  # m/s


@dataclass(frozen=True)
class Feature:
    """A vector computed from an Observation."""

    name: str
    unit: str
    size: Callable[[Intersection], int]
    compute: Callable[[Observation], Array]  # shape (size,)
    high: float = math.inf  # largest value
    low: float = 0.0  # smallest value
    by_approach: bool = False  # one value for each approach
    by_phase: bool = False  # one value for each phase
    sees: frozenset[str] = frozenset()  # what its observations must hold (subset of SENSES)


def _approaches(intersection: Intersection) -> int:
    return len(intersection.approaches)


def _phases(intersection: Intersection) -> int:
    return len(intersection.phases)


def _one(_: Intersection) -> int:
    return 1


def _phase(seen: Observation) -> Array:
    one = np.zeros(len(seen.intersection.phases))
    one[seen.phase] = 1.0
    return one


def _elapsed(seen: Observation) -> Array:
    return np.array([seen.elapsed])


def _min_green(seen: Observation) -> Array:
    return np.array([float(seen.minimum_left <= 0)])


def _green(seen: Observation) -> Array:
    return np.asarray(_greens(seen.intersection)[seen.phase], dtype=np.float64)


def _queue(seen: Observation) -> Array:
    return seen.halted()


def _count(seen: Observation) -> Array:
    return seen.count()


def _approaching(seen: Observation) -> Array:
    return seen.count(seen.vehicles.speed >= HALTED_SPEED)


def _summed(seen: Observation, values: Array) -> Array:
    """Sums of the vehicles' values by approach; of no vehicle too, where NumPy gives whole numbers."""
    summed = np.bincount(seen.vehicles.approach, values, len(seen.intersection.approaches))
    return np.asarray(summed, dtype=np.float64)


def _near(seen: Observation) -> Array:
    return seen.count((seen.vehicles.speed < HALTED_SPEED) | (seen.vehicles.distance <= NEAR_LINE))


def _wait(seen: Observation) -> Array:
    return _summed(seen, seen.vehicles.wait)


def _max_wait(seen: Observation) -> Array:
    longest = np.zeros(len(seen.intersection.approaches))
    np.maximum.at(longest, seen.vehicles.approach, seen.vehicles.wait)
    return longest


def _speed(seen: Observation) -> Array:
    return _summed(seen, seen.vehicles.speed)


def _once(compute: Callable[[Intersection], _Fixed]) -> Callable[[Intersection], _Fixed]:
    """The same function, computed once for each intersection, read-only."""
    known: dict[int, tuple[weakref.ref[Intersection], _Fixed]] = {}

    @wraps(compute)
    def of(intersection: Intersection) -> _Fixed:
        key = id(intersection)
        found = known.get(key)
        if found is not None and found[0]() is intersection:
            return found[1]
        fixed = cast(_Fixed, frozen_array(compute(intersection)))
        known[key] = weakref.ref(intersection, lambda _: known.pop(key, None)), fixed
        return fixed

    return of


def seen_length(intersection: Intersection, range_m: float) -> Array:
    """The length of each approach on which vehicles are seen, m, shape (approaches,)."""
    return np.array([max(min(a.reach, range_m), 1.0) for a in intersection.approaches])


def _density(seen: Observation) -> Array:
    return np.minimum(_summed(seen, seen.vehicles.length) / seen_length(seen.intersection, seen.range_m), 1.0)


def _queue_density(seen: Observation) -> Array:
    halted = np.where(seen.vehicles.speed < HALTED_SPEED, seen.vehicles.length, 0.0)
    return np.minimum(_summed(seen, halted) / seen_length(seen.intersection, seen.range_m), 1.0)


def _pressure(seen: Observation) -> Array:
    """Halted vehicles of an approach less those on the exits that its links lead to, each exit shared equally."""
    leads = _leads(seen.intersection)  # (n_links, exits)
    exits = np.zeros(len(seen.intersection.approaches))
    if len(seen.exit_halted):
        for k, approach in enumerate(seen.intersection.approaches):
            to = leads[list(approach.links)].max(axis=0, initial=0.0)
            exits[k] = (to * seen.exit_halted).sum() / max(to.sum(), 1.0)
    return seen.halted() - exits


def _drq(seen: Observation) -> Array:
    """RESCO's rows of five by lane, flattened."""
    count = len(seen.intersection.approaches)
    flag = np.zeros(count)
    flag[: min(count, len(seen.intersection.phases))] = _phase(seen)[:count]
    rows = np.stack([flag, _approaching(seen), _wait(seen), _queue(seen), _speed(seen)], axis=1)
    return np.asarray(rows.ravel(), dtype=np.float64)


def _drq_norm(seen: Observation) -> Array:
    norm = np.array([1.0, _RESCO, _RESCO, _RESCO, _RESCO * _RESCO_SPEED])
    return np.asarray((_drq(seen).reshape(-1, 5) / norm).ravel(), dtype=np.float64)


def _movements(intersection: Intersection) -> int:
    return len(intersection.movements)


def _wave(seen: Observation) -> Array:
    """RESCO's wave: vehicles by movement, on all lanes from which it starts."""
    by_approach = seen.count()
    return np.array([by_approach[list(m.approaches)].sum() for m in seen.intersection.movements])


def _mplight(seen: Observation) -> Array:
    """RESCO's mplight: the phase, then for each movement the queue of its lanes less that of its exits."""
    halted, leaving = seen.halted(), seen.exit_halted
    values = [float(seen.phase)]
    for movement in seen.intersection.movements:
        there = leaving[list(movement.exits)].sum() if len(leaving) else 0.0
        values.append(float(halted[list(movement.approaches)].sum() - there))
    return np.array(values)


_may_leave = _once(may_leave)
_leads = _once(exits_of)
_greens = _once(green_approaches)


@_once
def _states(intersection: Intersection) -> NDArray[Any]:
    """The letter of each link, shape (phases, n_links)."""
    return np.array([list(phase.state) for phase in intersection.phases])


def _shown(seen: Observation, letter: str) -> Bools:
    """Shape (phases, n): whether a phase shows the letter to a vehicle that it reaches (greens.reached).

    Several features need it: it is worked out once and stays with the observation.
    """
    known: dict[str, Bools] = vars(seen).setdefault("_shown", {})
    if letter not in known:
        if "" not in known:
            known[""] = (seen.vehicles.link >= 0) & reached(seen, _may_leave(seen.intersection))
        known[letter] = (_states(seen.intersection)[:, seen.vehicles.link] == letter) & known[""]
    return known[letter]


def _counted(shown: Bools) -> Array:
    """Vehicles by phase, of (phases, n)."""
    return np.asarray(np.count_nonzero(shown, axis=1), dtype=np.float64)


def _near_mask(seen: Observation) -> Bools:
    out: Bools = (seen.vehicles.speed < HALTED_SPEED) | (seen.vehicles.distance <= NEAR_LINE)
    return out


def _served_near(seen: Observation) -> Array:
    return _counted(_shown(seen, "G") & _near_mask(seen))


def _yield_near(seen: Observation) -> Array:
    return _counted(_shown(seen, "g") & _near_mask(seen))


def _served_count(seen: Observation) -> Array:
    return _counted(_shown(seen, "G"))


def _yield_count(seen: Observation) -> Array:
    return _counted(_shown(seen, "g"))


def _served_queue(seen: Observation) -> Array:
    served = _shown(seen, "G") | _shown(seen, "g")
    return _counted(served & (seen.vehicles.speed < HALTED_SPEED))


def _served_wait(seen: Observation) -> Array:
    served = _shown(seen, "G") | _shown(seen, "g")
    longest: Array = np.where(served, seen.vehicles.wait, 0.0).max(axis=1, initial=0.0)
    return longest


@_once
def exits_by_phase(intersection: Intersection) -> Array:
    """Shape (phases, exits): 1 where a link that is green in the phase enters the exit lane."""
    return np.minimum(green_links(intersection) @ exits_of(intersection), 1.0)


def _behind(seen: Observation) -> Array:
    """Halted vehicles on the exits of each phase."""
    if not len(seen.exit_halted):
        return np.zeros(len(seen.intersection.phases))
    return np.asarray(exits_by_phase(seen.intersection) @ seen.exit_halted, dtype=np.float64)


def _change(seen: Observation) -> Array:
    """Time of the change to each phase in whole steps, 0 for the present one."""
    times: Array = change_times(seen.step)(seen.intersection)[seen.phase]
    return times


@cache
def change_times(step: float) -> Callable[[Intersection], Array]:
    """A function of an intersection: the time of the change from each phase to each other, (phases, phases), s."""

    def whole(seconds: float) -> float:
        return math.ceil(seconds / step - 1e-6) * step

    def compute(intersection: Intersection) -> Array:
        phases = range(len(intersection.phases))
        return np.array(
            [
                [
                    0.0
                    if to == now
                    else sum(whole(i.duration) for i in change_intervals(intersection, now, to))
                    for to in phases
                ]
                for now in phases
            ]
        )

    return _once(compute)


_SEES = frozenset({"vehicles"})
_EXITS = frozenset({"vehicles", "exits"})

FEATURES = {
    feature.name: feature
    for feature in (
        Feature("phase", "1 for the present phase", _phases, _phase, high=1.0),
        Feature("elapsed", "s that the phase has been green", _one, _elapsed),
        Feature("min_green", "1 where the minimum green is over", _one, _min_green, high=1.0),
        Feature("green", "1 where the approach has green", _approaches, _green, 1.0, by_approach=True),
        Feature("queue", "halted vehicles", _approaches, _queue, by_approach=True, sees=_SEES),
        Feature("count", "vehicles", _approaches, _count, by_approach=True, sees=_SEES),
        Feature("approach", "moving vehicles", _approaches, _approaching, by_approach=True, sees=_SEES),
        Feature("near", "halted vehicles and those within 60 m", _approaches, _near, by_approach=True, sees=_SEES),
        Feature("wait", "s, summed over vehicles", _approaches, _wait, by_approach=True, sees=_SEES),
        Feature("max_wait", "s, of the longest", _approaches, _max_wait, by_approach=True, sees=_SEES),
        Feature("speed", "m/s, summed over vehicles", _approaches, _speed, by_approach=True, sees=_SEES),
        Feature(
            "density", "share of the seen length that is full", _approaches, _density, 1.0, by_approach=True, sees=_SEES
        ),
        Feature(
            "queue_density", "share of it with halted vehicles", _approaches, _queue_density, 1.0,
            by_approach=True, sees=_SEES,
        ),
        Feature(
            "pressure", "halted vehicles less those at the exits", _approaches, _pressure, low=-math.inf,
            by_approach=True, sees=_EXITS,
        ),
        Feature("served_near", "near, served with priority", _phases, _served_near, by_phase=True, sees=_SEES),
        Feature("yield_near", "near, served yielding", _phases, _yield_near, by_phase=True, sees=_SEES),
        Feature("served_count", "vehicles served with priority", _phases, _served_count, by_phase=True, sees=_SEES),
        Feature("yield_count", "vehicles served yielding", _phases, _yield_count, by_phase=True, sees=_SEES),
        Feature("served_queue", "halted vehicles served", _phases, _served_queue, by_phase=True, sees=_SEES),
        Feature("served_wait", "s, longest of a vehicle served", _phases, _served_wait, by_phase=True, sees=_SEES),
        Feature("behind", "halted vehicles at the exits", _phases, _behind, by_phase=True, sees=_EXITS),
        Feature("change", "s of the change to the phase", _phases, _change, by_phase=True),
        Feature("drq", "RESCO: flag, moving, wait s, halted, m/s", lambda i: 5 * _approaches(i), _drq, sees=_SEES),
        Feature("drq_norm", "RESCO's drq over 28 (m/s: 560)", lambda i: 5 * _approaches(i), _drq_norm, sees=_SEES),
        Feature("wave", "RESCO: vehicles by movement", _movements, _wave, sees=_SEES),
        Feature(
            "mplight", "RESCO: phase, then queue difference by movement", lambda i: 1 + _movements(i), _mplight,
            low=-math.inf, sees=_EXITS,
        ),
    )
}  # fmt: skip
"""The features by name."""

COMPOSED = {"sumo-rl": "phase+min_green+density+queue_density", "default": "phase+elapsed+count+queue"}
"""Names for several features; ``sumo-rl`` is the default observation of that package."""


def features_of(observe: Observe) -> tuple[Feature, ...]:
    """The features that a choice names. Raises InputError."""
    if isinstance(observe, str):
        names = "+".join(COMPOSED.get(name.strip(), name) for name in observe.split("+"))
        return tuple(_named(name.strip()) for name in names.split("+"))
    if callable(observe):
        return (_own(observe),)
    found: list[Feature] = []
    for part in observe:
        found += [part] if isinstance(part, Feature) else features_of(part)
    return tuple(found)


def _named(name: str) -> Feature:
    if name not in FEATURES:
        raise InputError(
            f"there is no feature {name!r}",
            location="observe",
            remedy=did_you_mean(name, [*FEATURES, *COMPOSED]),
        )
    return FEATURES[name]


def _own(function: Callable[[Observation], Array]) -> Feature:
    """A feature of a function of one's own; its size is that of its value without vehicles."""

    def size(intersection: Intersection) -> int:
        empty = np.zeros(len(intersection.exits))
        bare = Observation(
            intersection, 0.0, 0, 0.0, exit_count=empty, exit_halted=empty, exit_room=empty,
            red=np.zeros(intersection.n_links),
        )  # fmt: skip
        return int(np.asarray(function(bare)).size)

    def compute(seen: Observation) -> Array:
        return np.asarray(function(seen), dtype=np.float64).ravel()

    name = getattr(function, "__name__", type(function).__name__)
    return Feature(name, "", size, compute, low=-math.inf, sees=_EXITS)


def sees_of(features: Sequence[Feature]) -> frozenset[str]:
    """What the observations must hold for these features."""
    return frozenset().union(*(feature.sees for feature in features))


def size_of(features: Sequence[Feature], intersection: Intersection) -> int:
    """The length of the joined vector at an intersection."""
    return sum(feature.size(intersection) for feature in features)


def vector(features: Sequence[Feature], seen: Observation) -> Vector:
    """The features of an observation, joined, shape (size_of(features, intersection),), float32."""
    if not features:
        return np.zeros(0, dtype=np.float32)
    parts = [feature.compute(seen) for feature in features]
    return np.concatenate(parts, dtype=np.float32, casting="same_kind")
