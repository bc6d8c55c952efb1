"""Calibration recovers constants it can see, and says when it cannot rank."""

from dataclasses import replace

import numpy as np
import pytest

from denxanh.sim.demand.demand import make_demand
from denxanh.sim.demand.vehicle_class import VehicleClass
from denxanh.sim.errors import InputError
from denxanh.sim.model import COLUMNS, Parameters, assess_fidelity, build, calibrate, encode
from denxanh.sim.plan import Interval, Plan, Stage, Timing


@pytest.fixture(scope="module")
def model(hand):
    roads = [hand.road(name, name, name) for name in ("west", "east", "south", "north")]
    links = [hand.link("west_0", "east_0", 0), hand.link("south_0", "north_0", 1)]
    rng = np.random.default_rng(1)
    rows = [(float(t), "car", ("west", "east")) for t in rng.uniform(0, 900, 130)]
    rows += [(float(t), "car", ("south", "north")) for t in rng.uniform(0, 900, 100)]
    demand = make_demand(rows, [VehicleClass("car")], 0.0, 900.0)
    return build(hand.network(roads, hand.intersection("J0", links)), demand)


def plans(count=8):
    rng = np.random.default_rng(2)
    change = (Interval("rr", 3.0),)
    return [
        Plan({"J0": Timing((Stage("Gr", int(a), change), Stage("rG", int(b), change)))})
        for a, b in rng.integers(10, 50, (count, 2))
    ]


def like(model, noise=0.0):
    """A judge that answers as the model would, with noise of ``noise`` s."""

    def judge(rows, seeds):
        clean = model.evaluate(encode(model.network, rows), threads=1)[:, COLUMNS.index("delay")]
        return clean[:, None] + noise * np.random.default_rng(0).standard_normal((len(rows), len(seeds)))

    return judge


def test_calibration_finds_the_headway_of_the_place(model):
    slow = model.with_parameters(replace(model.parameters, headway=1.25))
    fitted, report = calibrate(model, plans(), like(slow))
    assert fitted.parameters.headway == 1.25
    assert report.rank > 0.95
    assert report.usable
    assert "ranks plans well" in report.verdict


def test_constants_stay_where_the_place_agrees_with_them(model):
    fitted, _ = calibrate(model, plans(), like(model))
    assert fitted.parameters == Parameters()


def test_other_constants_give_what_a_new_model_gives(model):
    other = replace(model.parameters, headway=1.2, lost=1.0, gap=3.0, wave=4.0, change=500.0)
    arrays = encode(model.network, plans(3))
    fresh = build(model.network, model.demand, parameters=other)
    assert np.array_equal(model.with_parameters(other).evaluate(arrays), fresh.evaluate(arrays))
    near = replace(model.parameters, headway=1.2)
    fresh = build(model.network, model.demand, parameters=near)
    assert np.array_equal(model.with_parameters(near).evaluate(arrays), fresh.evaluate(arrays))


def test_a_gridlocked_place_is_named_as_one():
    rng = np.random.default_rng(4)
    report = assess_fidelity(rng.uniform(1500, 1600, 8), rng.uniform(1500, 1550, (8, 2)))
    assert not report.usable
    assert "gridlocked" in report.verdict


def test_trust_states_what_it_measured():
    truth = np.array([[10.0, 11.0], [20.0, 19.0], [30.0, 33.0], [40.0, 38.0], [50.0, 52.0], [60.0, 61.0]])
    report = assess_fidelity(2 * truth.mean(axis=1), truth)
    assert (report.rank, report.near, report.level, report.agreement) == pytest.approx((1.0, 1.0, 2.0, 1.0))
    assert assess_fidelity(-truth.mean(axis=1), truth).rank == pytest.approx(-1.0)
    assert not assess_fidelity(-truth.mean(axis=1), truth).usable


def test_a_model_that_likes_a_bad_plan_best_misleads_whatever_its_rank_correlation():
    truth = np.arange(20.0, 32.0)[:, None] + np.array([0.0, 0.5])  # twelve plans, two seeds
    predicted = np.arange(20.0, 32.0)
    assert assess_fidelity(predicted, truth).usable
    predicted[8] = 19.0  # SUMO's ninth is the model's best
    report = assess_fidelity(predicted, truth)
    assert report.rank > 0.6
    assert report.misleading
    assert not report.usable
    assert "misleads" in report.verdict
    assert "search in SUMO" in report.verdict
    predicted[8], predicted[3] = 28.0, 19.0  # the fourth is in the best third
    assert not assess_fidelity(predicted, truth).misleading


def test_a_plan_that_one_seed_has_among_the_best_does_not_mislead():
    truth = np.array(
        [[10.0, 10], [11, 11], [12, 30], [13, 20], [40, 41], [50, 51]]
    )  # best third: the first two
    predicted = np.array([10.0, 11, 12, 9, 40, 50])
    assert assess_fidelity(predicted, truth).misleading
    truth[3] = [10.5, 20]
    assert not assess_fidelity(predicted, truth).misleading


def test_too_few_plans_or_no_answer_are_refused(model):
    with pytest.raises(InputError, match="too few"):
        calibrate(model, plans(3), like(model))
    with pytest.raises(InputError, match="no finite delay"):
        calibrate(model, plans(6), lambda rows, seeds: np.full((len(rows), len(seeds)), np.nan))
