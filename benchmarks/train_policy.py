"""Train the policy that denxanh ships, in batches of the queue model: one network for signals of any shape.

    python benchmarks/train_policy.py --out general.safetensors PLACE… [--generations 12] [--population 24] [--seed 1]

The cross-entropy method (R. Y. Rubinstein, Methodology and Computing in Applied Probability 1 (1999) 127–190) over the
weights of a small network: each episode of a batch has weights of its own, drawn from a normal distribution that moves
to the best quarter. PLACE is a place, or generated/KIND:SEED. A draw's cost is the mean over places of its delay over
that of the starting weights. The log, a JSON line for each generation, goes beside the file. Only the queue model runs.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import denxanh as dx
from denxanh.controllers.greens import green_approaches
from denxanh.networks import generated

Array = NDArray[np.float64]
FEATURES = ("near", "queue", "count", "max_wait")  # of each approach
NAMES = (*FEATURES, "near, if green", "count, if green", "green", "minutes of green")
START = np.array(
    [1.0, 0.0, 0.0, 0.0, 0.5, 0.0, 1.0, 0.0]
)  # the nearest vehicles, and a bonus for the present phase
SPREAD = np.array([0.3, 0.3, 0.2, 0.02, 0.4, 0.2, 1.0, 0.5])
LEAST = 0.05  # share of SPREAD that is kept, so that the search does not stop early
GATE = 1000.0  # above any sum of vehicles


def tensors(weights: Array) -> dict[str, Array]:
    """The network: ``rho`` sums the features that a phase serves, and again those of the present phase alone.

    Hidden units (ReLU): each sum of FEATURES; the same sum of near and count less GATE where the phase is not green;
    whether it is green; its minutes.
    """
    count = len(FEATURES)
    hidden = np.zeros((count + 4, 2 * count + 2))
    hidden[:count, :count] = np.eye(count)
    hidden[count, 0] = hidden[count + 1, 2] = 1.0  # near, count
    hidden[count : count + 2, 2 * count] = GATE
    hidden[count + 2, 2 * count] = hidden[count + 3, 2 * count + 1] = 1.0
    bias = np.zeros(count + 4)
    bias[count : count + 2] = -GATE
    return {
        "phi.0.weight": np.eye(count),
        "rho.0.weight": hidden,
        "rho.0.bias": bias,
        "rho.2.weight": weights[None, :],
    }


class Place:
    """A batch of episodes of a place, an episode for each draw of weights."""

    def __init__(
        self, name: str, folder: Path, population: int, seconds: float, step: float, demand: float
    ) -> None:
        self.name = name
        if name.startswith(generated.PREFIX):
            kind, seed = generated.read_name(name)
            where = folder / f"{kind}-{seed}"
            if not where.is_dir():
                generated.build(kind, seed, where)
            name = str(where)
        observe = "+".join(("phase", "elapsed", *FEATURES))
        self.envs = dx.vector_env(
            name,
            num_envs=population,
            duration=seconds,
            step=step,
            observe=observe,
            reward="delay",
            demand=demand,
        )
        signals = list(self.envs.network.intersections.values())
        phases, most = self.envs.mask_shape[2], max(len(one.approaches) for one in signals)
        self.greens = np.zeros((len(signals), phases, most), dtype=np.float32)
        self.where = np.zeros((len(signals), most, len(FEATURES)), dtype=np.int64)
        self.there = np.zeros((len(signals), most, 1), dtype=np.float32)
        self.elapsed = np.zeros(len(signals), dtype=np.int64)
        for i, one in enumerate(signals):
            greens = green_approaches(one)
            count = len(one.approaches)
            self.greens[i, : len(greens), :count] = greens
            self.elapsed[i] = len(one.phases)
            for k in range(len(FEATURES)):
                self.where[i, :count, k] = len(one.phases) + 1 + k * count + np.arange(count)
            self.there[i, :count] = 1.0

    def delays(self, weights: Array, seed: int) -> Array:
        """The delay of an episode of each row of weights (B, 8), s/veh, (B,)."""
        envs = self.envs
        observations, infos = envs.reset(seed=seed)
        batch, signals, phases = envs.mask_shape
        shown = np.arange(signals)
        truncated = np.zeros(batch, dtype=bool)
        w = weights.astype(np.float32)[:, None, None, :]
        while not truncated.all():
            seen = observations[:, shown[:, None, None], self.where] * self.there  # (B, I, A, f)
            served = np.einsum("ipa,biaf->bipf", self.greens, seen, optimize=True)
            green = np.stack([observations[:, i, :phases] for i in range(signals)], axis=1)
            for i in range(signals):
                green[:, i, self.elapsed[i] :] = 0.0
            minutes = green * observations[:, shown, self.elapsed][:, :, None] / 60.0
            gated = served[..., [0, 2]] * green[..., None]
            units = np.concatenate([served, gated, green[..., None], minutes[..., None]], axis=3)
            scores = np.where(infos["action_mask"] > 0, (units * w).sum(axis=3), -np.inf)
            observations, _, _, truncated, infos = envs.step(scores.argmax(axis=2))
        seconds, vehicles = envs.delay().T
        found: Array = seconds / vehicles
        return found


def train(places: list[Place], given: argparse.Namespace, log: Any) -> Array:
    """The mean of the last distribution of weights."""
    rng = np.random.default_rng(given.seed)
    mean, deviation = START.copy(), SPREAD.copy()
    elite = max(given.population // 4, 2)
    for generation in range(given.generations):
        weights = mean + deviation * rng.standard_normal((given.population, len(mean)))
        weights[0] = mean
        weights[1] = START
        cost = np.zeros(given.population)
        shown = {}
        for place in places:
            delays = place.delays(weights, seed=given.seed + 1000 * generation)
            cost += delays / delays[1] / len(places)
            shown[place.name] = [round(float(delays[0]), 2), round(float(delays[1]), 2)]
        best = weights[np.argsort(cost)[:elite]]
        line = {
            "generation": generation, "mean": mean.round(4).tolist(), "cost_of_mean": round(float(cost[0]), 4),
            "cost_of_best": round(float(cost.min()), 4), "delay_of_mean_and_start": shown,
            "cpu_s": round(time.process_time(), 1),
        }  # fmt: skip
        log.write(json.dumps(line) + "\n")
        log.flush()
        print(json.dumps(line), flush=True)
        mean, deviation = best.mean(axis=0), np.maximum(best.std(axis=0), LEAST * SPREAD)
    return mean


def main() -> None:
    """Train, and write the file and its log."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("places", nargs="+")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--generations", type=int, default=12)
    parser.add_argument("--population", type=int, default=24)
    parser.add_argument("--seconds", type=float, default=900.0)
    parser.add_argument("--step", type=float, default=5.0)
    parser.add_argument("--demand", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--networks", type=Path, help="folder of the generated networks")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary, given.out.with_suffix(".jsonl").open("w") as log:
        folder = given.networks or Path(temporary)
        places = [
            Place(name, folder, given.population, given.seconds, given.step, given.demand)
            for name in given.places
        ]
        weights = train(places, given, log)
        used = {name: value for name, value in vars(given).items() if name not in ("out", "networks")}
        log.write(
            json.dumps({"weights": dict(zip(NAMES, weights.tolist(), strict=True)), "arguments": used}) + "\n"
        )
    dx.Policy.save(
        given.out,
        tensors(weights),
        observe="+".join(FEATURES),
        step=given.step,
        kind="equivariant",
        activation="relu",
    )
    print(dict(zip(NAMES, weights.round(4).tolist(), strict=True)))


if __name__ == "__main__":
    main()
