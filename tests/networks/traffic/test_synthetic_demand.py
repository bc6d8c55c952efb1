"""Demand of the built-in places: drawn degrees of saturation, how near the inflows come, cycles that they justify."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from denxanh import networks
from denxanh.networks.build import building, generators
from denxanh.networks.importing.starting_demand import CARS
from denxanh.networks.place import schema, targets
from denxanh.networks.place.place import Place
from denxanh.networks.traffic import capacity, synthetic_demand
from denxanh.sim.scenario import ASSUMED
from denxanh.sim.timing.webster import START_LOSS, YELLOW_USED, optimum_cycle

NAMES = [p.name for p in networks.list_places()]
SEVERAL = [p.name for p in networks.list_places() if p.signals > 1]
SINGLE = [p.name for p in networks.list_places() if p.signals == 1]
SHORTEST = 60.0  # s, of the assumed cycles


@cache
def place_of(name: str, period: str) -> Place:
    return building.load_place(name, period=period)


@cache
def reached(name: str, period: str) -> Mapping[str, float]:
    return synthetic_demand.saturation(place_of(name, period))


@pytest.mark.parametrize("name", NAMES)
def test_the_values_of_a_built_in_file_are_the_draws_of_its_seed(name: str) -> None:
    file = schema.parse(building.place_text(name), location=name)
    draws = file.draws
    assert draws is not None
    assert draws.saturation == (0.3, 1.0)
    for id, junction in file.junctions.items():
        assert junction.turning == targets.draw_turning(draws, id, file.turning)
    for id, approaches in targets.approach_names(place_of(name, "peak")).items():
        expected = targets.draw_saturation(draws, id, approaches.values())
        assert file.signals[id].saturation == {"peak": expected}


def test_draws_depend_on_seed_junction_and_approach_alone() -> None:
    draws = schema.Draws(seed=1, saturation=(0.3, 1.0), turning=2.0, reason="test")
    first = targets.draw_saturation(draws, "a", ["Huế", "Hàng Bài"])
    assert targets.draw_saturation(draws, "a", ["Hàng Bài"]) == {"Hàng Bài": first["Hàng Bài"]}
    assert targets.draw_saturation(draws, "c", ["Huế"])["Huế"] != first["Huế"]
    other = draws.model_copy(update={"seed": 2})
    assert targets.draw_saturation(other, "a", ["Huế"])["Huế"] != first["Huế"]


def test_draws_fill_their_ranges_evenly() -> None:
    draws = schema.Draws(seed=1, saturation=(0.3, 1.0), turning=2.0, reason="test")
    x = [targets.draw_saturation(draws, f"j{k}", ["A"])["A"] for k in range(400)]
    assert 0.3 <= min(x) < 0.32
    assert 0.98 < max(x) <= 1.0
    assert np.mean(x) == pytest.approx(0.65, abs=0.03)  # standard error 0.010
    weights = schema.Turning(through=0.8, left=0.1, right=0.1)
    drawn = [targets.draw_turning(draws, f"j{k}", weights) for k in range(400)]
    assert {t.through for t in drawn} == {0.8}
    left = np.array([t.left for t in drawn])
    assert 0.05 <= left.min() < 0.052
    assert 0.195 < left.max() <= 0.2
    assert np.mean(np.log2(left / 0.1)) == pytest.approx(0, abs=0.09)  # standard error 0.029


@pytest.mark.parametrize("name", SEVERAL)
def test_degrees_of_saturation_of_places_of_several_signals_are_spread(name: str) -> None:
    low, high = np.quantile(list(reached(name, "peak").values()), [0.1, 0.9])
    assert high - low >= 0.3


@pytest.mark.parametrize("name", SEVERAL)
def test_the_targets_are_reached_as_far_as_the_documentation_says(name: str) -> None:
    """Root mean square of reached less target, as in docs/places/README.md."""
    x, wanted = reached(name, "peak"), place_of(name, "peak").demand.saturation
    off = np.array([x[id] - wanted[id] for id in x])
    expected = {
        "ha-noi/pho-hue": 0.08,
        "ha-noi/hoan-kiem": 0.24,
        "ha-noi/tran-duy-hung": 0.20,
        "tp-hcm/quan-1-3": 0.21,
    }
    assert float(np.sqrt(np.mean(off**2))) == pytest.approx(expected[name], abs=0.01)


@pytest.mark.parametrize("name", SINGLE)
def test_every_approach_of_a_single_junction_has_its_target(name: str) -> None:
    for period in ("peak", "day"):
        wanted = place_of(name, period).demand.saturation
        assert reached(name, period) == {id: pytest.approx(x, abs=0.02) for id, x in wanted.items()}


@pytest.mark.parametrize("name", NAMES)
def test_no_approach_exceeds_the_highest_target_in_any_part_of_the_day(name: str) -> None:
    for period in ("peak", "day"):
        highest = max(place_of(name, period).demand.saturation.values())
        assert max(reached(name, period).values()) < highest + 0.03


def test_equal_targets_are_met_by_the_most_loaded_approach() -> None:
    place = generators.arterial(3, saturation=0.6)
    assert set(place.demand.saturation.values()) == {0.6}
    assert max(synthetic_demand.saturation(place).values()) == pytest.approx(0.6, abs=0.02)


def test_a_target_that_is_raised_raises_the_flow_of_its_approach() -> None:
    place = place_of("ha-noi/pho-hue", "peak")
    id = "-pho-hoa-ma_1"
    raised = replace(place, demand=replace(place.demand, saturation={**place.demand.saturation, id: 0.87}))
    assert synthetic_demand.saturation(raised)[id] == pytest.approx(0.87, abs=0.1)
    assert synthetic_demand.saturation(place)[id] == pytest.approx(0.37, abs=0.1)


def test_right_turns_from_a_lane_shared_with_two_wheelers_cost_more_capacity() -> None:
    """One-way streets of two lanes: all turns must fit into both, (through + e · right) / 2 of a lane."""
    few, most = generators.grid(2, 2, oneway=True, mix=CARS), generators.grid(2, 2, oneway=True)
    assert not few.side_by_side
    assert most.side_by_side
    flow = synthetic_demand.flows(few)
    cars, mixed = capacity.approach_capacity(few, flow), capacity.approach_capacity(most, flow)
    turns = {(t.start, t.direction): t.share for t in most.turns}
    rights = {start for start, direction in turns if direction == "right"} & set(cars)
    assert rights
    for id in cars:
        expected = 1.0
        if id in rights:
            right, through = turns[id, "right"], turns[id, "through"]
            expected = (through + right / 0.85) / (through + 2.5 * right)
        assert mixed[id] / cars[id] == pytest.approx(expected)


@pytest.mark.parametrize("name", ["ha-noi/pho-hue", "tp-hcm/quan-1-3"])
def test_the_critical_flow_ratio_adds_the_stages_largest(name: str) -> None:
    """Where each approach has one stage, y = x g/C of its most loaded approach."""
    place = place_of(name, "peak")
    x = reached(name, "peak")
    found = capacity.critical_flow_ratio(place, synthetic_demand.flows(place))
    for signal in place.signals:
        expected = sum(
            max(x[start] for start, _ in stage) * green / place.plan.cycle
            for stage, green in zip(signal.stages, signal.green, strict=True)
        )
        assert found[signal.node] == pytest.approx(expected)


@pytest.mark.parametrize("name", NAMES)
def test_assumed_cycles_are_within_websters_range_of_the_critical_junction(name: str) -> None:
    """Webster (1958): between 0.75 and 1.5 times the optimum the delay is at most 10 to 20 % above the least."""
    for period in ("peak", "day"):
        place = place_of(name, period)
        assert place.plan.source == ASSUMED
        if place.plan.cycle_source:
            continue
        ratio = capacity.critical_flow_ratio(place, synthetic_demand.flows(place))
        lost = place.plan.yellow + place.plan.all_red + START_LOSS - YELLOW_USED  # of a stage
        optimum = max(optimum_cycle(len(s.stages) * lost, ratio[s.node]) for s in place.signals)
        assert 0.75 * optimum <= place.plan.cycle <= max(1.5 * optimum, SHORTEST), (period, optimum)


def test_the_reported_cycle_is_marked_with_its_source() -> None:
    marked = {
        n: place_of(n, "peak").plan.cycle_source for n in NAMES if place_of(n, "peak").plan.cycle_source
    }
    assert marked == {"ha-noi/hoang-dao-thuy": "a red of 160 s: Lao Động 1449169"}
    assert place_of("ha-noi/hoang-dao-thuy", "peak").plan.cycle == 212
