"""Places for environments (lent, generated and built-in ones), and an episode played at random."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from denxanh.sim.network_reader import load_network

pytest.importorskip("pettingzoo")

Place = Callable[[str], str]
BACKENDS = ("model", "sumo")
_GENERATED = {
    "spider": ("--spider", "--spider.arm-number", "5", "--spider.circle-number", "2", "--spider.space-radius", "120"),
    "lefthand": ("--grid", "--grid.x-number", "3", "--grid.y-number", "2", "--grid.length", "150", "--lefthand"),
}  # fmt: skip


@pytest.fixture(scope="session")
def place(
    resco: Callable[[str], Path],
    sumo_tool: Callable[..., Path],
    tiny_place: object,
    tmp_path_factory: pytest.TempPathFactory,
) -> Place:
    """What ``denxanh.parallel_env`` takes for a name; generated networks are made once."""
    made: dict[str, str] = {}

    def find(name: str) -> str:
        if name == "tiny":
            return str(tiny_place.config)  # type: ignore[attr-defined]
        if "/" in name:
            return name
        if name not in _GENERATED:
            return str(resco(name))
        if name not in made:
            folder = tmp_path_factory.mktemp(name)
            net = sumo_tool(
                "netgenerate",
                folder / f"{name}.net.xml",
                *_GENERATED[name],
                *("--default-junction-type", "traffic_light", "--default.lanenumber", "2", "--seed", "3"),
            )
            made[name] = f"{net}+{_trips(net, folder / f'{name}.rou.xml')}"
        return made[name]

    return find


def _trips(net: Path, path: Path) -> Path:
    """A trip every second second between roads drawn at random."""
    edges = [edge.id for edge in load_network(net).edges.values()]
    rng = np.random.default_rng(1)
    rows = []
    for number in range(150):
        start, end = rng.choice(len(edges), 2, replace=False)
        rows.append(f'<trip id="t{number}" depart="{2 * number}" from="{edges[start]}" to="{edges[end]}"/>')
    path.write_text("<routes>\n" + "\n".join(rows) + "\n</routes>\n", encoding="utf-8")
    return path


def sample(env: Any, infos: Any) -> dict[str, Any]:
    """Permitted actions of all agents."""
    return {name: env.action_space(name).sample(infos[name]["action_mask"]) for name in env.agents}


def play(env: Any, seed: int, choose: Any = sample) -> tuple[list[Any], list[Any]]:
    """Rewards and infos of an episode."""
    for number, name in enumerate(env.possible_agents):
        env.action_space(name).seed(number)
    _, infos = env.reset(seed=seed)
    rewards, all_infos = [], [infos]
    while env.agents:
        _, reward, _, _, infos = env.step(choose(env, infos))
        rewards.append(reward)
        all_infos.append(infos)
    return rewards, all_infos
