"""A trained network as a controller: it chooses the phase at every step, as it did in its environment.

The file says what the network sees: metadata ``observe`` (features), ``step`` (s), ``kind`` and ``activation``. ``mlp``
maps the vector of a signal to a score for each phase. Two kinds fit every signal: ``equivariant`` has the chains
``phi`` and ``rho`` (denxanh.controllers.learned.inference); ``by-phase`` scores each phase by its features by phase,
whether it is green, and for how many minutes. ``longest_red`` bounds reds. A file is read as data: it runs no code.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from denxanh.controllers.greens import bounded_red, green_approaches
from denxanh.controllers.learned.features import (
    Feature,
    change_times,
    features_of,
    sees_of,
    size_of,
    vector,
)
from denxanh.controllers.learned.inference import Chain, chains, score_phases
from denxanh.controllers.learned.onnx_file import read_onnx
from denxanh.controllers.learned.safetensors_file import read_safetensors, write_safetensors
from denxanh.sim.controller import Green, Observation
from denxanh.sim.controller import Policy as PolicyFunction
from denxanh.sim.errors import InputError
from denxanh.sim.network import Intersection, Network
from denxanh.sim.signals.monitor import unsafe_changes

Floats = NDArray[np.float32]
Scores = Callable[[Observation], Floats]
SHIPPED = ("general",)
"""Networks that come with denxanh: ``general`` fits every signal (docs/learning.md)."""
MLP, EQUIVARIANT, BY_PHASE = "mlp", "equivariant", "by-phase"
_KINDS = (MLP, EQUIVARIANT, BY_PHASE)
_ACTIVATIONS = ("relu", "tanh")
_MINUTE = 60.0  # s, the unit of the time that a phase has been green
_CLOSE = 1e-6


@dataclass(frozen=True)
class _Trained:
    """What a file holds."""

    path: str
    networks: Mapping[str, Chain]  # by prefix: "" for all signals, "SIGNAL/" for one
    features: tuple[Feature, ...]
    step: float  # s
    kind: str
    longest_red: float  # as of greens.bounded_red; 0: none


@dataclass(frozen=True)
class Policy:
    """A trained network from a .safetensors or .onnx file chooses the phase at every step."""

    name: ClassVar[str] = "policy"
    sees: ClassVar[frozenset[str]] = frozenset(
        {"vehicles"}
    )  # of an instance: what the features of its file need

    file: str  # .safetensors or .onnx, or the name of one that comes with denxanh: "general"

    def __post_init__(self) -> None:
        trained = self._trained()
        sees = sees_of(trained.features)
        object.__setattr__(self, "sees", sees | {"vehicles"} if trained.longest_red else sees)

    @staticmethod
    def load(file: str | Path) -> Policy:
        """The controller of a file, or of ``general``, for compare, experiment and report. Raises InputError."""
        return Policy(str(file) if str(file) in SHIPPED else str(Path(file).resolve()))

    @staticmethod
    def save(
        file: str | Path,
        tensors: Mapping[str, Floats],
        *,
        observe: str = "default",
        step: float = 5.0,
        kind: str = MLP,
        activation: str = "tanh",
        longest_red: float = 0.0,
    ) -> Policy:
        """Write weights (``0.weight`` (out, in), ``0.bias``, …, as PyTorch's Sequential names them) and load them.

        ``longest_red``: where a vehicle has waited at red for so many times the plan's longest red, it is served next,
        as by the other acyclic controllers; 0 sets no limit.
        """
        metadata = {"observe": observe, "step": f"{step:g}", "kind": kind, "activation": activation}
        if longest_red:
            metadata["longest_red"] = f"{longest_red:g}"
        write_safetensors(
            Path(file), {k: np.asarray(v, dtype=np.float32) for k, v in tensors.items()}, metadata
        )
        return Policy.load(file)

    def files(self) -> tuple[Path, ...]:
        """The file: its content is part of the identity of runs."""
        return (_path(self.file),)

    def start(self, network: Network) -> Mapping[str, PolicyFunction]:
        """A memoryless policy for each intersection. Raises InputError where the network fits none of them."""
        trained = self._trained()
        return {name: _policy(trained, intersection) for name, intersection in network.intersections.items()}

    def _trained(self) -> _Trained:
        path = _path(self.file)
        try:
            state = path.stat()
        except OSError as error:
            raise InputError(
                f"the file cannot be read ({error.strerror})", location=self.file, remedy="check the path"
            ) from None
        return _read(str(path), state.st_mtime_ns, state.st_size)


def _path(file: str) -> Path:
    """The path of a file, or of one that comes with denxanh by its name."""
    return Path(__file__).parent / "data" / f"{file}.safetensors" if file in SHIPPED else Path(file)


@lru_cache(maxsize=64)
def _read(file: str, changed: int, size: int) -> _Trained:
    path = Path(file)
    if path.suffix not in (".safetensors", ".onnx"):
        raise InputError(
            f"a policy is not read from {path.suffix or 'a file without ending'}",
            location=file,
            remedy="give a .safetensors or .onnx file",
        )
    tensors, metadata = (read_onnx if path.suffix == ".onnx" else read_safetensors)(path)
    kind, activation = metadata.get("kind", MLP), metadata.get("activation", "tanh")
    if kind not in _KINDS or activation not in _ACTIVATIONS:
        raise InputError(
            f"its metadata say kind {kind!r} and activation {activation!r}",
            location=file,
            remedy="write kind mlp, equivariant or by-phase, activation relu or tanh",
        )
    try:
        step = float(metadata.get("step", "5"))
        longest_red = float(metadata.get("longest_red", "0"))
        networks = chains(tensors, activation)
        if not 0 < step < math.inf:
            raise ValueError(f"its step is {step:g} s")
        if not 0 <= longest_red < math.inf:
            raise ValueError(f"its longest_red is {longest_red:g}")
        if kind == BY_PHASE and set(networks) != {""}:
            raise ValueError("a network by phase has one chain, tensors '0.weight' and so on")
        if kind == EQUIVARIANT and set(networks) != {"phi.", "rho."}:
            raise ValueError("an equivariant network has the chains phi and rho")
    except ValueError as error:
        raise InputError(str(error), location=file, remedy="see docs/learning.md") from None
    try:
        features = features_of(metadata.get("observe", "default"))
    except InputError as error:
        raise InputError(error.what, location=f"{file}, observe", remedy=error.remedy) from None
    return _Trained(file, networks, features, step, kind, longest_red)


def _policy(trained: _Trained, intersection: Intersection) -> PolicyFunction:
    scores = _SCORES[trained.kind](trained, intersection)
    count = len(intersection.phases)
    unsafe = unsafe_changes(intersection)
    permitted = np.array([[(i, j) not in unsafe for j in range(count)] for i in range(count)])
    np.fill_diagonal(permitted, True)

    def policy(seen: Observation) -> Green:
        if seen.minimum_left > 0 or _passed(seen, trained.step) > 0:
            return Green(seen.phase, _until_step(seen, seen.phase, trained.step))
        phase = int(np.argmax(np.where(permitted[seen.phase], scores(seen), -np.inf)))
        return Green(phase, _until_step(seen, phase, trained.step))

    return bounded_red(policy, intersection, trained.longest_red)


def _passed(seen: Observation, step: float) -> float:
    """s since the last multiple of the step; an environment decides at multiples from its begin on."""
    passed = seen.time % step
    return 0.0 if min(passed, step - passed) < _CLOSE else passed


def _until_step(seen: Observation, phase: int, step: float) -> float:
    """The green of ``phase`` until the next multiple of the step after the change, s, as in an environment."""
    change = float(change_times(seen.step)(seen.intersection)[seen.phase, phase])
    passed = _passed(seen, step)
    return seen.whole((math.floor((passed + change) / step + _CLOSE) + 1) * step - passed - change)


def _mlp(trained: _Trained, intersection: Intersection) -> Scores:
    group = f"{intersection.id}/" if f"{intersection.id}/" in trained.networks else ""
    wanted = size_of(trained.features, intersection), len(intersection.phases)
    chain = trained.networks.get(group)
    if chain is None or (chain.inputs, chain.outputs) != wanted:
        fits = (
            "there is none" if chain is None else f"it has {chain.inputs} inputs and {chain.outputs} outputs"
        )
        raise InputError(
            f"the network does not fit {intersection.id!r}, which has {wanted[0]} features and {wanted[1]} phases; "
            f"{fits}",
            location=trained.path,
            remedy="train it on this network, or use an equivariant one",
        )

    def scores(seen: Observation) -> Floats:
        return chain(vector(trained.features, seen))

    return scores


def _equivariant(trained: _Trained, intersection: Intersection) -> Scores:
    phi, rho = trained.networks["phi."], trained.networks["rho."]
    features = [feature for feature in trained.features if feature.by_approach]
    if phi.inputs != len(features) or rho.inputs != 2 * phi.outputs + 2 or rho.outputs != 1:
        raise InputError(
            f"phi takes {phi.inputs} values and rho {rho.inputs}",
            location=trained.path,
            remedy=f"there are {len(features)} features by approach; rho takes 2 · {phi.outputs} + 2 and gives 1",
        )
    greens = green_approaches(intersection).astype(np.float32)
    count = len(intersection.phases)

    def scores(seen: Observation) -> Floats:
        approaches = np.stack([feature.compute(seen) for feature in features], axis=1).astype(np.float32)
        now = np.zeros((count, 2), dtype=np.float32)
        now[seen.phase] = 1.0, seen.elapsed / _MINUTE
        return score_phases(phi, rho, approaches, greens, now)

    return scores


def _by_phase(trained: _Trained, intersection: Intersection) -> Scores:
    chain, features, count = trained.networks[""], trained.features, len(intersection.phases)
    if other := [feature.name for feature in features if not feature.by_phase]:
        raise InputError(
            f"{other[0]!r} is not a feature by phase", location=trained.path, remedy="see docs/learning.md"
        )
    if (chain.inputs, chain.outputs) != (len(features) + 2, 1):
        raise InputError(
            f"the network takes {chain.inputs} values and gives {chain.outputs}",
            location=trained.path,
            remedy=f"there are {len(features)} features by phase; it takes {len(features)} + 2 and gives 1",
        )

    def scores(seen: Observation) -> Floats:
        now = np.zeros((2, count))
        now[:, seen.phase] = 1.0, seen.elapsed / _MINUTE
        columns = np.stack([*(feature.compute(seen) for feature in features), *now], axis=1)
        return chain(columns.astype(np.float32))[:, 0]

    return scores


_SCORES = {MLP: _mlp, EQUIVARIANT: _equivariant, BY_PHASE: _by_phase}
