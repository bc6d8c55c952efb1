"""Speed of environments: decisions of a signal and simulated seconds per CPU second, and ratios, in one run.

    python benchmarks/environments.py PLACE… [--seconds 1800] [--envs 64] [--rounds 3] [--sumo-rl FOLDER]

Actions are drawn at random among those permitted. CPU is user + system time of this process and its children. The
median of the rounds counts; environments take turns, so that other work on the machine meets all of them. Ratios are
to sumo-rl's default where sumo-rl is installed, else to the environment on SUMO; FOLDER is the site-packages of another
virtual environment that has it, with the same versions of Python and SUMO. A POSIX system is needed.
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

import denxanh as dx
from denxanh.sim.scenario import Scenario
from denxanh.sim.sumo.wheel import sumo_home

STEP = 5
OBSERVE = "sumo-rl"


def cpu() -> float:
    """s of this process and of its children that have ended."""
    return sum(os.times()[:4])


def episode(env: Any, seed: int) -> None:
    """One episode of random permitted actions; its processes have ended at the end."""
    rng = np.random.default_rng(seed)
    _, infos = env.reset(seed=seed)
    while env.agents:
        actions = {name: draw(rng, infos[name].get("action_mask"), env, name) for name in env.agents}
        _, _, _, _, infos = env.step(actions)


def draw(rng: np.random.Generator, mask: Any, env: Any, name: str) -> int:
    if mask is None:
        return int(rng.integers(env.action_space(name).n))
    permitted = np.flatnonzero(mask)
    return int(permitted[rng.integers(len(permitted))])


def batch(env: Any, seed: int) -> None:
    rng = np.random.default_rng(seed)
    _, infos = env.reset(seed=seed)
    over = False
    while not over:
        drawn = rng.random(env.mask_shape, dtype=np.float32) * infos["action_mask"]
        _, _, _, truncated, infos = env.step(drawn.argmax(axis=2))
        over = bool(truncated.all())


def of_processes(env: Any, seed: int) -> float:
    """CPU s of an episode in the processes of an environment, by /proc, and here."""
    before, children = cpu(), tree_cpu()
    rng = np.random.default_rng(seed)
    _, infos = env.reset(seed=seed)
    while env.agents:
        actions = {name: draw(rng, infos[name]["action_mask"], env, name) for name in env.agents}
        _, _, _, _, infos = env.step(actions)
    return cpu() - before + tree_cpu() - children


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
    scenario: Scenario, seconds: float, envs: int
) -> Iterator[tuple[str, Callable[[int], float], int, int]]:
    """Name, a function of a seed that gives CPU s, signals, and episodes of a call."""
    common = {"duration": seconds, "step": STEP, "observe": OBSERVE}
    if importlib.util.find_spec("sumo_rl") is not None:
        for name, more in (("default", True), ("lean", False)):
            yield f"sumo-rl, {name}", sumo_rl_case(scenario, seconds, more), signals_of(scenario), 1
    sumo = dx.parallel_env(scenario, backend="sumo", **common)
    yield "denxanh, SUMO", lambda seed: of_processes(sumo, seed), len(sumo.possible_agents), 1
    lean = dx.parallel_env(scenario, backend="sumo", **{**common, "observe": "phase"}, reward="delay")
    yield (
        "denxanh, SUMO, phase and delay",
        lambda seed: of_processes(lean, seed),
        len(lean.possible_agents),
        1,
    )
    model = dx.parallel_env(scenario, backend="model", **common)
    yield (
        "denxanh, queue model",
        lambda seed: timed(lambda: episode(model, seed)),
        len(model.possible_agents),
        1,
    )
    kernel = dx.parallel_env(scenario, backend="batch", **common)
    yield (
        "denxanh, queue model by the kernel of the batch",
        lambda seed: timed(lambda: episode(kernel, seed)),
        len(kernel.possible_agents),
        1,
    )
    many = dx.vector_env(scenario, num_envs=envs, **common)
    yield f"denxanh, batch of {envs}", lambda seed: timed(lambda: batch(many, seed)), len(many.signals), envs


def timed(work: Callable[[], None]) -> float:
    before = cpu()
    work()
    return cpu() - before


def signals_of(scenario: Scenario) -> int:
    from denxanh.sim.network_reader import network_of

    return len(network_of(scenario).intersections)


def sumo_rl_case(scenario: Scenario, seconds: float, infos: bool) -> Callable[[int], float]:
    """sumo-rl over libsumo; ``infos`` are its figures of the system and of each agent at every step, its default."""
    os.environ.setdefault("LIBSUMO_AS_TRACI", "1")
    os.environ.setdefault("SUMO_HOME", str(sumo_home()))
    import sumo_rl

    def run(seed: int) -> float:
        def play() -> None:
            env = sumo_rl.SumoEnvironment(
                net_file=str(scenario.net),
                route_file=",".join(map(str, scenario.routes)),
                begin_time=int(scenario.begin),
                num_seconds=int(seconds),  # from begin_time on
                delta_time=STEP,
                sumo_seed=seed,
                add_system_info=infos,
                add_per_agent_info=infos,
            )
            rng = np.random.default_rng(seed)
            env.reset(seed=seed)
            over = False
            while not over:
                actions = {ts: int(rng.integers(env.action_spaces(ts).n)) for ts in env.ts_ids}
                _, _, done, _ = env.step(actions)
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
    parser.add_argument("--sumo-rl", metavar="FOLDER", help="site-packages that hold sumo_rl")
    given = parser.parse_args()
    if given.sumo_rl:
        sys.path.append(given.sumo_rl)
    for place in given.places:
        scenario = dx.open_scenario(place)
        rows = list(cases(scenario, given.seconds, given.envs))
        for _, run, _, _ in rows:
            run(1)  # compiled, imported, read
        spent: dict[str, list[float]] = {name: [] for name, *_ in rows}
        for seed in range(2, 2 + given.rounds):
            for name, run, _, _ in rows:
                spent[name].append(run(seed))
        print(f"\n{scenario.name}, {given.seconds:g} s, a decision every {STEP} s\n")
        print("| environment | CPU s | simulated s / CPU s | decisions of a signal / CPU s | ratio |")
        print("|---|---|---|---|---|")
        first = 0.0
        for name, _, signals, episodes in rows:
            seconds = statistics.median(spent[name])
            speed = given.seconds * episodes / seconds
            first = first or speed
            decisions = speed * signals / STEP
            print(f"| {name} | {seconds:.2f} | {speed:.0f} | {decisions:.0f} | {speed / first:.1f} |")


if __name__ == "__main__":
    main()
