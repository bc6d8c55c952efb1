"""Speed of environments: decisions of a signal and simulated seconds per CPU second, and ratios, in one run.

    python benchmarks/environments.py PLACE… [--seconds 1800] [--envs 64] [--rounds 3] [--hold 6] [--sumo-rl FOLDER]

With ``--hold N`` every signal goes on to its next phase at every Nth step, so that all environments carry nearly the
same traffic. Without it, actions are drawn at random among those permitted: what is permitted, yellow and all-red
then decide how many vehicles there are, and SUMO's own time with them. CPU is user + system time of this process and
its children. The median of the rounds counts; environments take turns, so that other work on the machine meets all of
them. Ratios are to sumo-rl's default where sumo-rl is installed, else to the environment on SUMO; FOLDER is the
site-packages of another virtual environment that has it, with the same versions of Python and SUMO. A
POSIX system is needed.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import statistics
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import denxanh as dx
from denxanh.sim.network_reader import network_of
from denxanh.sim.scenario import Scenario
from denxanh.sim.sumo.wheel import sumo_home

STEP = 5
OBSERVE = "sumo-rl"


def cpu() -> float:
    """s of this process and of its children that have ended."""
    return sum(os.times()[:4])


class Player:
    """Chooses the actions of an episode: at random, or the next phase at every ``hold``-th step."""

    def __init__(self, seed: int, hold: int) -> None:
        self.hold, self._rng, self._steps = hold, np.random.default_rng(seed), 0

    def actions(self, counts: dict[str, int], masks: dict[str, Any] | None = None) -> dict[str, int]:
        """An action by signal, from the number of its phases and, drawn at random, from its mask."""
        self._steps += 1
        if self.hold:
            turn = self._steps // self.hold
            return {name: turn % count for name, count in counts.items()}
        if masks is None:
            return {name: int(self._rng.integers(count)) for name, count in counts.items()}
        permitted = {name: np.flatnonzero(masks[name]) for name in counts}
        return {name: int(those[self._rng.integers(len(those))]) for name, those in permitted.items()}


def episode(env: Any, player: Player, seed: int) -> None:
    """One episode; its processes have ended at the end."""
    _, infos = env.reset(seed=seed)
    counts = {name: int(env.action_space(name).n) for name in env.possible_agents}
    while env.agents:
        masks = {name: infos[name]["action_mask"] for name in env.agents}
        _, _, _, _, infos = env.step(player.actions(counts, masks))


def batch(env: Any, counts: NDArray[np.int64], hold: int, seed: int) -> None:
    """Episodes of a batch; ``counts`` are the phases of its signals."""
    rng = np.random.default_rng(seed)
    _, infos = env.reset(seed=seed)
    over, steps = False, 0
    while not over:
        steps += 1
        mask = infos["action_mask"]
        if hold:
            actions = np.broadcast_to((steps // hold) % counts, mask.shape[:2]).copy()
        else:
            actions = (rng.random(env.mask_shape, dtype=np.float32) * mask).argmax(axis=2)
        _, _, _, truncated, infos = env.step(actions)
        over = bool(truncated.all())


def of_processes(env: Any, player: Player, seed: int) -> float:
    """CPU s of an episode in the processes of an environment, by /proc, and here."""
    children = tree_cpu()
    own = timed(lambda: episode(env, player, seed))  # without the reading of /proc
    return own + tree_cpu() - children


def tree_cpu() -> float:
    """CPU s of all living processes below this one, with those that they have waited for."""
    tick = os.sysconf("SC_CLK_TCK")
    parents: dict[int, tuple[int, float]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(entry.name)] = int(fields[1]), sum(map(int, fields[11:15])) / tick
    total, own = 0.0, os.getpid()
    for pid, (parent, seconds) in parents.items():
        while parent not in (own, 0, 1) and parent in parents:
            parent = parents[parent][0]
        if parent == own and pid != own:
            total += seconds
    return total


def cases(
    scenario: Scenario, seconds: float, envs: int, hold: int
) -> Iterator[tuple[str, Callable[[int], float], int, int]]:
    """Name, a function of a seed that gives CPU s, signals, and episodes of a call."""
    common = {"duration": seconds, "step": STEP, "observe": OBSERVE}
    counts = np.array([len(place.phases) for place in network_of(scenario).intersections.values()])
    signals = len(counts)
    if importlib.util.find_spec("sumo_rl") is not None:
        for name, more in (("default", True), ("lean", False)):
            yield f"sumo-rl, {name}", sumo_rl_case(scenario, seconds, more, hold), signals, 1
    for name, observe, reward in (
        ("every vehicle seen", OBSERVE, "queue"),
        ("phase and delay", "phase", "delay"),
    ):
        sumo = dx.parallel_env(scenario, backend="sumo", **{**common, "observe": observe}, reward=reward)

        def on_sumo(seed: int, env: Any = sumo) -> float:
            return of_processes(env, Player(seed, hold), seed)

        yield f"denxanh, SUMO, {name}", on_sumo, signals, 1
    for name, backend in (
        ("queue model", "model"),
        ("queue model by the kernel of the batch", "batch"),
    ):
        model = dx.parallel_env(scenario, backend=backend, **common)

        def in_the_model(seed: int, env: Any = model) -> float:
            return timed(lambda: episode(env, Player(seed, hold), seed))

        yield f"denxanh, {name}", in_the_model, signals, 1
    many = dx.vector_env(scenario, num_envs=envs, **common)
    yield (
        f"denxanh, batch of {envs}",
        lambda seed: timed(lambda: batch(many, counts, hold, seed)),
        signals,
        envs,
    )


def timed(work: Callable[[], None]) -> float:
    before = cpu()
    work()
    return cpu() - before


def sumo_rl_case(scenario: Scenario, seconds: float, infos: bool, hold: int) -> Callable[[int], float]:
    """sumo-rl over libsumo; ``infos`` are its figures of the system and of each agent at every step, its default.

    Its yellow is as long as ours, as far as it takes it (shorter than a step), for the same traffic.
    """
    os.environ.setdefault("LIBSUMO_AS_TRACI", "1")
    os.environ.setdefault("SUMO_HOME", str(sumo_home()))
    import sumo_rl

    yellow = int(min(max(place.yellow for place in network_of(scenario).intersections.values()), STEP - 1))

    def run(seed: int) -> float:
        def play() -> None:
            env = sumo_rl.SumoEnvironment(
                net_file=str(scenario.net),
                route_file=",".join(map(str, scenario.routes)),
                begin_time=int(scenario.begin),
                num_seconds=int(seconds),  # from begin_time on
                delta_time=STEP,
                yellow_time=yellow,
                sumo_seed=seed,
                add_system_info=infos,
                add_per_agent_info=infos,
            )
            player = Player(seed, hold)
            env.reset(seed=seed)
            counts = {name: int(env.action_spaces(name).n) for name in env.ts_ids}
            over = False
            while not over:
                _, _, done, _ = env.step(player.actions(counts))
                over = done["__all__"]
            env.close()

        return timed(play)

    return run


def main() -> None:
    """Print a table for each place."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("places", nargs="+")
    parser.add_argument("--seconds", type=float, default=1800.0)
    parser.add_argument("--envs", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--hold", type=int, default=0, help="steps of a phase; 0: random actions")
    parser.add_argument("--sumo-rl", metavar="FOLDER", help="site-packages that hold sumo_rl")
    given = parser.parse_args()
    if given.sumo_rl:
        sys.path.append(given.sumo_rl)
    for place in given.places:
        scenario = dx.open_scenario(place)
        rows = list(cases(scenario, given.seconds, given.envs, given.hold))
        for _, run, _, _ in rows:
            run(1)  # compiled, imported, read
        spent: dict[str, list[float]] = {name: [] for name, *_ in rows}
        for seed in range(2, 2 + given.rounds):
            for name, run, _, _ in rows:
                spent[name].append(run(seed))
        kind = f"a phase for {given.hold} steps" if given.hold else "random actions"
        print(f"\n{scenario.name}, {given.seconds:g} s, a decision every {STEP} s, {kind}\n")
        print("| environment | CPU s | simulated s / CPU s | decisions of a signal / CPU s | ratio |")
        print("|---|---|---|---|---|")
        first = 0.0
        for name, _, signals, episodes in rows:
            seconds = statistics.median(spent[name])
            speed = given.seconds * episodes / seconds
            first = first or speed
            decisions = speed * signals / STEP
            print(f"| {name} | {seconds:.2f} | {speed:.0f} | {decisions:.0f} | {speed / first:.2f} |")


if __name__ == "__main__":
    main()
