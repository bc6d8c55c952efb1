"""``denxanh analyse``: the manual's measures of a plan beside those of a run of it."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from denxanh.experiments.formats.plan_analysis import analyse_plan
from denxanh.networks.scenarios import open_scenario
from denxanh.sim.demand.movement_flows import period_flows, with_flows
from denxanh.sim.errors import InputError
from denxanh.sim.network_reader import network_of


def test_the_periods_have_the_flows_of_the_whole(tiny_place: Any) -> None:
    scenario = open_scenario(str(tiny_place.config))
    network = network_of(scenario)
    flows, period = period_flows(network, scenario, 70.0)
    assert period == 75.0  # four equal parts of 300 s
    whole = with_flows(network, scenario).intersections
    for name, found in flows.items():
        assert found.shape == (4, len(whole[name].movements))
        assert found.mean(axis=0) == pytest.approx([3600 * (m.flow or 0.0) for m in whole[name].movements])


def test_a_plan_is_analysed_beside_its_run(tiny_place: Any, here: Callable[..., Any], tmp_path: Path) -> None:
    ran = here("run", tiny_place.config, "-c", "program", "--warm-up", "0", "--out", tmp_path / "run")
    assert ran.status == 0, ran.stderr
    file = tmp_path / "table.csv"
    ended = here("analyse", tiny_place.config, "--run", tmp_path / "run", "--out", file)
    assert ended.status == 0, ended.stderr
    rows = list(csv.DictReader(file.read_text("utf-8").splitlines()))
    assert {row["level"] for row in rows} == {"lane group", "approach", "intersection"}
    simulated = [row for row in rows if row["level"] == "intersection"]
    for row in simulated:
        assert 1 / 3 < float(row["delay_s"]) / float(row["simulated_delay_s"]) < 3
    assert "intersection" in ended.stdout


def test_what_cannot_be_analysed_is_said(tiny_place: Any, tmp_path: Path) -> None:
    scenario = open_scenario(str(tiny_place.config))
    with pytest.raises(InputError, match="the plan does not exist"):
        analyse_plan(scenario, tmp_path / "none.json")
    with pytest.raises(InputError, match="not the folder of a run with a table of movements"):
        analyse_plan(scenario, run=tmp_path)
    assert np.isfinite([float(str(v)) for v in analyse_plan(scenario)["flow_pcu_h"] if v is not None]).all()
