"""Train the policy that denxanh ships, in batches of the queue model: one network for signals of any shape.

    python benchmarks/train_policy.py --out general.safetensors PLACE… [--generations 12] [--population 24] [--seed 1]
        [--hidden 0] [--start FILE.jsonl] [--judge PLACE…]

The cross-entropy method (R. Y. Rubinstein, Methodology and Computing in Applied Probability 1 (1999) 127–190) over the
weights of a small network that scores the phases: each episode of a batch has weights of its own, drawn from a normal
distribution that moves to the best quarter. All episodes of a generation meet the same drivers. PLACE is a place, or
generated/KIND:SEED. A draw's cost is the mean over places and demands of its delay over that of the starting weights.
``--hidden`` adds units of ReLU to the sums; ``--start`` goes on from the weights of another log. The log, a JSON line
for each generation, goes beside the file. Only the queue model runs, until ``--judge`` compares the file with
max-pressure in SUMO, an hour of each of these places, whole runs, the vehicles as given, seeds 101–103.
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
from denxanh.controllers.greens import LONGEST_RED
from denxanh.networks import generated

Array = NDArray[np.float64]
FEATURES = (
    "served_near", "yield_near", "served_count", "yield_count", "served_queue", "served_wait", "behind", "change",
)  # fmt: skip
GATED = (0, 1, 2, 3)  # features that count once more for the present phase
NAMES = (*FEATURES, "present", "minutes of green", *(f"{FEATURES[k]}, if present" for k in GATED))
START = np.array(
    [1.0, 0.5, 0.0, 0.0, 0.0, 0.0, -0.25, 0.0, 1.0, 0.0, 0.5, 0.0, 0.0, 0.0]
)  # near max-pressure
SPREAD = np.array([0.3, 0.2, 0.2, 0.1, 0.3, 0.02, 0.15, 0.1, 1.0, 0.5, 0.4, 0.3, 0.2, 0.1])
SCALE = np.array([0.1, 0.1, 0.1, 0.1, 0.1, 0.02, 0.1, 0.1, 1.0, 1.0])  # of the inputs of the hidden units
LEAST = 0.05  # share of SPREAD that is kept, so that the search does not stop early
GATE = 1000.0  # above any number of vehicles
INPUTS = len(FEATURES) + 2


def tensors(weights: Array, hidden: int) -> dict[str, Array]:
    """The network: its inputs, those of GATED where the phase is present, and hidden units, all through a ReLU."""
    linear, more = weights[: len(NAMES)], weights[len(NAMES) :].reshape(hidden, INPUTS + 2)
    first = np.zeros((len(NAMES) + hidden, INPUTS))
    first[:INPUTS] = np.eye(INPUTS)
    bias = np.zeros(len(first))
    for number, k in enumerate(GATED, INPUTS):
        first[number, k], first[number, INPUTS - 2], bias[number] = 1.0, GATE, -GATE
    first[len(NAMES) :], bias[len(NAMES) :] = more[:, :INPUTS] * SCALE, more[:, INPUTS]
    return {
        "0.weight": first,
        "0.bias": bias,
        "2.weight": np.concatenate([linear, more[:, INPUTS + 1]])[None, :],
        "2.bias": np.zeros(1),
    }


class Place:
    """A batch of episodes of a place, an episode for each draw of weights."""

    def __init__(
        self, name: str, folder: Path, population: int, seconds: float, step: float, demand: float
    ) -> None:
        self.name = f"{name} x{demand:g}"
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
        _, count, phases = self.envs.mask_shape
        self.where = np.zeros((count, phases, INPUTS), dtype=np.int64)  # (I, P, features, present, elapsed)
        self.there = np.zeros((count, phases, 1), dtype=np.float32)
        for i, one in enumerate(signals):
            own = len(one.phases)
            self.where[i, :own, -2] = np.arange(own)
            self.where[i, :own, -1] = own
            for k in range(len(FEATURES)):
                self.where[i, :own, k] = own + 1 + k * own + np.arange(own)
            self.there[i, :own] = 1.0

    def delays(self, weights: Array, hidden: int, seed: int) -> Array:
        """The delay of an episode of each row of weights (B, n), s/veh, (B,); all have the drivers of ``seed``."""
        envs = self.envs
        observations, infos = envs.reset(seeds=[seed] * envs.num_envs)
        signals = np.arange(envs.mask_shape[1])[:, None, None]
        truncated = np.zeros(envs.num_envs, dtype=bool)
        layers = [tensors(row, hidden) for row in weights]
        first, bias, last = (
            np.stack([one[name] for one in layers]).astype(np.float32)
            for name in ("0.weight", "0.bias", "2.weight")
        )
        while not truncated.all():
            x = observations[:, signals, self.where] * self.there  # (B, I, P, INPUTS)
            x[..., -1] *= x[..., -2] / np.float32(60.0)
            flat = x.reshape(len(x), -1, INPUTS)
            units = np.maximum(flat @ first.transpose(0, 2, 1) + bias[:, None, :], 0.0)
            scores = (units @ last.transpose(0, 2, 1)).reshape(envs.mask_shape)
            scores = np.where(infos["action_mask"] > 0, scores, -np.inf)
            observations, _, _, truncated, infos = envs.step(scores.argmax(axis=2))
        seconds, vehicles = envs.delay().T
        found: Array = seconds / vehicles
        return found


def train(places: list[Place], given: argparse.Namespace, log: Any) -> Array:
    """The mean of the last distribution of weights."""
    rng = np.random.default_rng(given.seed)
    units = given.hidden
    start = np.concatenate([START, np.zeros(units * (INPUTS + 2))])
    spread = np.concatenate([SPREAD, np.tile([*[0.5] * (INPUTS + 1), 0.5], units)])
    if given.start:
        named = json.loads(given.start.read_text("utf-8").splitlines()[-1])["weights"]
        start[: len(NAMES)] = [named[name] for name in NAMES]
        spread[: len(NAMES)] *= 0.3
    if units:  # hidden units start at random, without weight in the score
        start[len(NAMES) :] = (
            rng.standard_normal((units, INPUTS + 2)) * [*[1.0] * (INPUTS + 1), 0.0]
        ).ravel()
    mean, deviation = start.copy(), spread.copy()
    elite = max(given.population // 4, 2)
    for generation in range(given.generations):
        weights = mean + deviation * rng.standard_normal((given.population, len(mean)))
        weights[0], weights[1] = mean, start
        cost = np.zeros(given.population)
        shown = {}
        met = [places[k] for k in rng.permutation(len(places))[: given.places_at_a_time or len(places)]]
        for place in met:
            delays = place.delays(weights, units, seed=given.seed + generation)
            cost += np.minimum(delays / delays[1], 3.0) / len(met)
            shown[place.name] = [round(float(delays[0]), 2), round(float(delays[1]), 2)]
        best = weights[np.argsort(cost)[:elite]]
        line = {
            "generation": generation, "mean": mean.round(4).tolist(), "cost_of_mean": round(float(cost[0]), 4),
            "cost_of_best": round(float(cost.min()), 4), "delay_of_mean_and_start": shown,
            "cpu_s": round(time.process_time(), 1),
        }  # fmt: skip
        log.write(json.dumps(line) + "\n")
        log.flush()
        print({k: line[k] for k in ("generation", "cost_of_mean", "cost_of_best", "cpu_s")}, flush=True)
        mean, deviation = best.mean(axis=0), np.maximum(best.std(axis=0), LEAST * spread)
    return mean


def judge(policy: Path, places: list[str]) -> None:
    """Print the delay of max-pressure and of the policy in SUMO, mean over the seeds, and each seed's difference."""
    print("| place | max-pressure, s/veh | the policy | policy less max-pressure, seed by seed |")
    print("|---|---|---|---|")
    for place in places:
        scenario = dx.open_scenario(place)
        end = min(scenario.begin + 3600.0, scenario.end)
        made = dx.compare(
            dx.open_scenario(place, end=end),
            ["max-pressure", dx.Policy.load(policy)],
            seeds=[101, 102, 103],
            days="same",
            warm_up=0.0,
            jobs=1,
        )
        delays = np.array([float(row.metrics["delay_s"] or np.nan) for row in made.rows])
        found = {
            row.controller: delays[[r.controller == row.controller for r in made.rows]] for row in made.rows
        }
        first, second = found.values()
        less = ", ".join(f"{value:+.1f}" for value in second - first)
        print(f"| {scenario.name} | {first.mean():.2f} | {second.mean():.2f} | {less} |", flush=True)


def main() -> None:
    """Train, and write the file and its log."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("places", nargs="+")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--generations", type=int, default=12)
    parser.add_argument("--population", type=int, default=24)
    parser.add_argument("--places-at-a-time", type=int, default=0, help="drawn for each generation; 0: all")
    parser.add_argument("--seconds", type=float, default=900.0)
    parser.add_argument("--step", type=float, default=5.0)
    parser.add_argument("--demand", type=float, nargs="+", default=[1.0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--hidden", type=int, default=0)
    parser.add_argument("--start", type=Path, help="log of a training to go on from")
    parser.add_argument(
        "--judge", nargs="+", default=[], metavar="PLACE", help="compare it in SUMO afterwards"
    )
    parser.add_argument("--networks", type=Path, help="folder of the generated networks")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary, given.out.with_suffix(".jsonl").open("w") as log:
        folder = given.networks or Path(temporary)
        places = [
            Place(name, folder, given.population, given.seconds, given.step, demand)
            for name in given.places
            for demand in given.demand
        ]
        weights = train(places, given, log)
        apart = ("out", "networks", "start", "judge")
        used = {name: value for name, value in vars(given).items() if name not in apart}
        used["longest_red"] = LONGEST_RED
        named = dict(zip(NAMES, weights[: len(NAMES)].tolist(), strict=True))
        rest = {"hidden": weights[len(NAMES) :].tolist()} if given.hidden else {}
        log.write(json.dumps({"weights": named, **rest, "arguments": used}) + "\n")
    dx.Policy.save(
        given.out,
        tensors(weights, given.hidden),
        observe="+".join(FEATURES),
        step=given.step,
        kind="by-phase",
        activation="relu",
        longest_red=LONGEST_RED,
    )
    print({name: round(value, 4) for name, value in named.items()})
    print(f"{time.process_time():.0f} s of CPU, compilation included")
    judge(given.out, given.judge)


if __name__ == "__main__":
    main()
