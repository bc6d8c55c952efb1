"""Generated networks: signals that can be controlled, traffic, the side of the road, and the same for the same seed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from denxanh.networks import generated
from denxanh.networks.generated import kinds
from denxanh.networks.importing import starting_demand
from denxanh.networks.scenarios import open_scenario
from denxanh.sim.errors import InputError
from denxanh.sim.network_reader import network_of


@pytest.fixture(autouse=True)
def untried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few minutes of demand that is not tried in SUMO: that takes seconds for each network."""
    monkeypatch.setattr(kinds, "DURATION", 300)
    monkeypatch.setattr(
        kinds, "Demand", lambda *given, **more: starting_demand.Demand(*given, **more, check=False)
    )


@pytest.mark.parametrize("kind", list(generated.KINDS))
def test_each_kind_has_signals_and_traffic(kind: str, tmp_path: Path) -> None:
    generated.build(kind, 1, tmp_path / "place")
    scenario = open_scenario(str(tmp_path / "place"))
    network = network_of(scenario)
    assert len(network.intersections) >= 2
    assert scenario.routes[0].read_text(encoding="utf-8").count("<vehicle ") > 50
    assert ('lefthand="true"' in scenario.net.read_text(encoding="utf-8")) == (kind == "left-hand")
    if kind == "turn-lanes":
        assert max(len(place.phases) for place in network.intersections.values()) >= 4


def test_a_seed_gives_one_network_and_another_seed_another(tmp_path: Path) -> None:
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        generated.build("spider", seed, tmp_path / name)
    contents = {}
    for name in "abc":
        scenario = open_scenario(str(tmp_path / name))
        contents[name] = [path.read_text(encoding="utf-8") for path in scenario.inputs()]
    assert contents["a"] == contents["b"]
    assert contents["a"] != contents["c"]


def test_kinds_draw_different_sizes() -> None:
    drawn = {str(generated.KINDS["random"].draw(np.random.default_rng([seed, 6]))) for seed in range(20)}
    assert len(drawn) == 20


@pytest.mark.parametrize(
    "text", ["generated/grid", "generated/gird:1", "generated/grid:-1", f"generated/grid:{2**40}"]
)
def test_a_wrong_name_gets_one_sentence(text: str) -> None:
    with pytest.raises(InputError) as caught:
        generated.read_name(text)
    assert "\n" not in str(caught.value)
