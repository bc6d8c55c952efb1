"""Inference of small networks with NumPy: chains of linear layers, alone or shared by the approaches of a signal."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
_WEIGHT = re.compile(r"(?P<group>.*?)(?P<number>\d+)\.weight")


@dataclass(frozen=True)
class Chain:
    """Linear layers (out, in) with an activation between them."""

    weights: tuple[Floats, ...]
    biases: tuple[Floats, ...]
    activation: str  # "relu" or "tanh"

    @property
    def inputs(self) -> int:
        """The length of the vector that it takes."""
        return int(self.weights[0].shape[1])

    @property
    def outputs(self) -> int:
        """The length of the vector that it gives."""
        return int(self.weights[-1].shape[0])

    def __call__(self, values: Floats) -> Floats:
        """The outputs (…, outputs) for inputs (…, inputs)."""
        for number, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            if number:
                values = np.maximum(values, 0.0) if self.activation == "relu" else np.tanh(values)
            values = values @ weight.T + bias
        return values


def chains(tensors: Mapping[str, Floats], activation: str) -> dict[str, Chain]:
    """The chains by the prefix of their tensors: ``phi.0.weight`` belongs to ``phi.``. Raises ValueError."""
    found: dict[str, list[tuple[int, str]]] = {}
    for name in tensors:
        if match := _WEIGHT.fullmatch(name):
            found.setdefault(match["group"], []).append((int(match["number"]), name))
    made = {}
    for group, rows in found.items():
        weights: list[Floats] = []
        biases: list[Floats] = []
        for _, name in sorted(rows):
            weight = tensors[name]
            bias = tensors.get(f"{name.removesuffix('weight')}bias")
            if weight.ndim != 2 or (weights and weight.shape[1] != weights[-1].shape[0]):
                raise ValueError(
                    f"the tensor {name!r} of shape {weight.shape} does not follow the one before"
                )
            if bias is None:
                bias = np.zeros(len(weight), dtype=np.float32)
            if bias.shape != (len(weight),):
                raise ValueError(f"the bias of {name!r} has the shape {bias.shape}")
            weights.append(weight)
            biases.append(bias)
        made[group] = Chain(tuple(weights), tuple(biases), activation)
    if not made:
        raise ValueError("there is no linear layer, a tensor 'N.weight' of shape (out, in)")
    return made


def score_phases(phi: Chain, rho: Chain, approaches: Floats, greens: Floats, now: Floats) -> Floats:
    """The score of each phase, shape (phases,), by a network for signals of any shape.

    ``approaches`` (A, f) go through ``phi``; a phase is described by the sum over its approaches, the sum over all,
    and ``now`` (phases, 2): whether it is green, and min that it has been; ``rho`` gives its score. The order of
    approaches and phases does not matter.
    """
    coded = phi(approaches)  # (A, k)
    served = greens @ coded  # (phases, k)
    whole = np.broadcast_to(coded.sum(axis=0), served.shape)
    scores: Floats = rho(np.concatenate([served, whole, now], axis=1).astype(np.float32))[:, 0]
    return scores
