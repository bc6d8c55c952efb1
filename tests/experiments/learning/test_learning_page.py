"""The pages on learning run as printed, and the tables of docs/learning.md name all features and rewards."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from denxanh.controllers.learned.features import COMPOSED, FEATURES
from denxanh.experiments.learning.rewards import REWARDS

DOCS = Path(__file__).resolve().parents[3] / "docs"
PAGE = DOCS / "learning.md"


def _guarded(text: str) -> str:
    """In a block that processes forked from the script do not run."""
    return "if __name__ == '__main__':\n    " + text.replace("\n", "\n    ") + "\n"


@pytest.mark.parametrize("page", [PAGE, DOCS / "how-to" / "from-sumo-rl.md"], ids=lambda page: page.stem)
def test_the_blocks_of_the_page_run_one_after_the_other(page: Path, run_page: Callable[..., str]) -> None:
    assert re.match(r"Delay\(seconds=\d+", run_page(page, _guarded))


def test_the_names_of_lanes_and_phases_are_found_as_printed(run_page: Callable[..., str]) -> None:
    run_page(DOCS / "observations.md")


def test_the_ranges_of_the_page_are_those_of_the_spaces() -> None:
    text = (DOCS / "observations.md").read_text("utf-8")
    rows = re.findall(r"^\| (`.*`) \| (\S+ or 1|0…1|−∞…∞)", text, re.MULTILINE)
    named = {name: span for names, span in rows for name in re.findall(r"`([\w]+)`", names)}
    for feature in FEATURES.values():
        low = "−∞" if feature.low < 0 else "0"
        high = "1" if feature.high == 1.0 else "∞"
        assert named.get(feature.name, "0…∞").replace(" or ", "…") == f"{low}…{high}", feature.name


@pytest.mark.slow
def test_the_tutorial_trains_two_agents_and_compares_them(run_page: Callable[..., str]) -> None:
    pytest.importorskip("stable_baselines3", reason="pip install stable-baselines3 to run it")
    printed = run_page(DOCS / "tutorials" / "train-an-agent.md", _guarded, timeout=3600)
    costs = [float(cost) for cost in re.findall(r"generation \d: [\d.]+ s/veh, best ([\d.]+)", printed)]
    assert len(costs) == 6
    assert re.search(r"evolved\.safetensors: \d.* than program", printed), printed
    assert re.search(r"ppo\.safetensors: \d.* than program", printed), printed


def test_the_tables_of_the_page_are_complete() -> None:
    named = set(re.findall(r"`([\w-]+)`", PAGE.read_text("utf-8"))) | {"sumo-rl", "default"}
    assert set(FEATURES) | set(COMPOSED) | set(REWARDS) <= named
