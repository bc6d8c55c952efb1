"""From a scenario's files to a plan that SUMO says is better: the whole chain on a tiny place."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from denxanh.experiments.definition.resample import Resampling, another_day, scaled_demand
from denxanh.experiments.optimize.search.tuner import Budget, Tuner
from denxanh.experiments.optimize.surrogate.residual import Residual
from denxanh.experiments.optimize.tuning_problem import ProblemOptions, demand_of, prepare_problem
from denxanh.sim.errors import InputError
from denxanh.sim.network_reader import network_of
from denxanh.sim.scenario import Scenario


@pytest.fixture(scope="module")
def scenario(tiny_place) -> Scenario:
    return Scenario("tiny", tiny_place.net, (tiny_place.routes,), end=300.0)


def test_the_whole_chain_finds_a_better_plan(scenario: Scenario, tmp_path: Path):
    place = prepare_problem(
        scenario, ProblemOptions(demand_samples=1, drop_protected=True), folder=tmp_path, workers=2
    )
    assert len(place.surrogate.models) == len(place.evaluator.scenarios) == 2
    cases = place.cases([1, 2, 3, 4])
    assert [c.demand for c in cases] == [0, 1, 0, 1]
    tuner = Tuner(
        place.space,
        place.surrogate,
        place.evaluator,
        cases,
        np.random.default_rng(0),
        Budget(evaluations=400, rounds=2, evaluated=3, polish=4),
    )
    out = tuner.run()
    assert out.candidate is not None
    assert out.cost.mean() < out.existing_cost.mean()
    assert out.comparison is not None
    assert place.space.legal(out.candidate)


def test_learning_brings_the_model_closer_to_sumo(scenario: Scenario):
    place = prepare_problem(scenario)
    candidates = [
        c for c in (place.space.rescaled(place.space.existing(), n) for n in range(50, 110, 10)) if c
    ]
    truth = place.surrogate(candidates) * 1.3 + np.arange(len(candidates))
    learned = place.surrogate.refit(candidates, truth)
    assert isinstance(learned.residual, Residual)
    before, after = place.surrogate(candidates) - truth, learned(candidates) - truth
    assert np.abs(after).mean() < 0.3 * np.abs(before).mean()
    again = place.surrogate.refit(candidates, truth)
    np.testing.assert_array_equal(again(candidates), learned(candidates))


FLOWS = """<routes>
    <flow id="late" from="top0A0" to="A0bottom0" begin="150" end="300" number="20"/>
    <vehicle id="v" depart="100"><route edges="left0A0 A0B0"/></vehicle>
    <flow id="rate" from="left0A0" to="B0right0" begin="0:00:20" end="300" vehsPerHour="600"/>
    <flow id="poisson" from="right0B0" to="A0left0" begin="0" end="300" period="exp(0.1)"/>
</routes>"""


def count(scenario: Scenario, network) -> int:
    return len(demand_of(scenario, network))


def test_demand_is_scaled_up_and_down(scenario: Scenario, tmp_path: Path):
    network = network_of(scenario)
    for factor, vehicles in ((0.8, 80), (1.0, 100), (1.25, 125), (2.5, 250)):
        scaled = scaled_demand(scenario, factor, tmp_path)
        assert count(scaled, network) == vehicles
        assert count(replace(scenario, options={"scale": str(factor)}), network) == vehicles
    with pytest.raises(InputError, match="cannot be scaled"):
        scaled_demand(scenario, 0.0, tmp_path)


def test_flows_are_scaled_and_arrive_at_random_on_other_days(tiny_place, tmp_path: Path):
    routes = tmp_path / "flows.rou.xml"
    routes.write_text(FLOWS)
    given = Scenario("flows", tiny_place.net, (routes,), end=300.0)
    network = network_of(given)
    assert abs(count(given, network) - (20 + 1 + 47 + 30)) < 20
    twice = scaled_demand(given, 2.0, tmp_path).routes[0].read_text()
    assert all(text in twice for text in ('number="40"', 'vehsPerHour="1200"', "exp(0.2)"))
    other = another_day(given, Resampling("jitter", 30.0, 1), 1, tmp_path, random_flows=True)
    text = other.routes[0].read_text()
    assert [line.split('id="')[1].split('"')[0] for line in text.splitlines() if 'id="' in line] == [
        "poisson", "rate", "v", "late",
    ]  # fmt: skip
    assert text.count("exp(") == 3
    assert abs(count(other, network) - count(given, network)) < 40


def test_every_demand_is_judged_even_if_they_are_more_than_the_seeds(scenario: Scenario, tmp_path: Path):
    place = prepare_problem(
        scenario,
        ProblemOptions(scales=(0.8, 1.0, 1.2), demand_samples=1, also=[scenario]),
        folder=tmp_path,
    )
    assert len(place.evaluator.scenarios) == len(place.surrogate.models) == 5
    assert [(c.demand, c.seed) for c in place.cases([1, 2])] == [(0, 1), (1, 2), (2, 1), (3, 2), (4, 1)]
    assert [len(m.demand) for m in place.surrogate.models][:3] == [80, 100, 120]


def test_other_traffic_must_be_on_the_same_network(scenario: Scenario, sumo_tool, tmp_path: Path):
    net = sumo_tool("netgenerate", tmp_path / "other.net.xml", "--grid", "--grid.number", "2")
    with pytest.raises(InputError, match="another network"):
        prepare_problem(scenario, ProblemOptions(also=[replace(scenario, net=net)]))


def test_a_place_without_anything_to_tune_says_what_is_missing(scenario: Scenario, sumo_tool, tmp_path: Path):
    with pytest.raises(InputError, match="no vehicle departs between 9000 and 9300 s"):
        prepare_problem(replace(scenario, begin=9000.0, end=9300.0))
    net = sumo_tool("netgenerate", tmp_path / "plain.net.xml", "--grid", "--grid.number", "2")
    (tmp_path / "r.rou.xml").write_text("<routes/>")
    with pytest.raises(InputError, match="there is no signal in this network"):
        prepare_problem(replace(scenario, net=net, routes=(tmp_path / "r.rou.xml",)))


def test_the_model_rides_side_by_side_where_sumo_does(scenario: Scenario):
    sublane = replace(scenario, options={"lateral-resolution": "0.8"})
    model = prepare_problem(sublane).surrogate.models[0]
    assert model.sublane
    other = replace(model.parameters, change=2 * model.parameters.change)
    assert model.with_parameters(other).sublane
    assert not prepare_problem(scenario).surrogate.models[0].sublane
