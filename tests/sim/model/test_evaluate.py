"""What must hold for every plan and every demand: counts add up, batches and threads change nothing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from denxanh.sim.demand.demand import make_demand
from denxanh.sim.demand.vehicle_class import VehicleClass
from denxanh.sim.errors import InputError
from denxanh.sim.model import COLUMNS, QUEUE_COLUMNS, PlanArrays, StateTable, build, encode
from denxanh.sim.model.plan_arrays import steps
from denxanh.sim.plan import Interval, Plan, Stage, Timing

STATES = ["GGrr", "rrGG", "gGrr", "rrGs", "yyrr", "rryy"]


def crossing(hand):
    """Two crossing streets with a turn from each, so that all letters mean something."""
    roads = [hand.road(name, name, name, 120.0) for name in ("west", "east", "south", "north")]
    links = [
        hand.link("west_0", "north_0", 0, "l", 12.0),
        hand.link("west_0", "east_0", 1),
        hand.link("south_0", "north_0", 2),
        hand.link("south_0", "east_0", 3, "r", 8.0),
    ]
    return hand.network(roads, hand.intersection("J0", links, yields=[(0, 2), (3, 1)]))


def mixed_demand(count=150, end=600.0):
    rng = np.random.default_rng(3)
    routes = [("west", "north"), ("west", "east"), ("south", "north"), ("south", "east")]
    types = [VehicleClass("car"), VehicleClass("bus", length=12.0, accel=1.2, pcu=2.5, persons=30.0)]
    rows = [
        (float(t), types[int(rng.random() < 0.1)].id, routes[int(rng.integers(4))])
        for t in rng.uniform(0, end, count)
    ]
    return make_demand(rows, types, 0.0, end)


timings = st.builds(
    lambda stages, offset: Timing(tuple(stages), float(offset)),
    st.lists(
        st.builds(
            lambda state, green, change: Stage(state, float(green), (Interval(change, 3.0),)),
            st.sampled_from(STATES[:4]),
            st.integers(5, 60),
            st.sampled_from(STATES[4:]),
        ),
        min_size=1,
        max_size=4,
    ),
    st.integers(-50, 200),
)


@pytest.fixture(scope="module")
def model(hand):
    return build(crossing(hand), mixed_demand())


@settings(max_examples=40, deadline=None, derandomize=True)
@given(timing=timings)
def test_every_vehicle_is_counted_once(model, timing):
    values = model.evaluate(encode(model.network, [Plan({"J0": timing})]), threads=1)[0]
    row = dict(zip(COLUMNS, values, strict=True))
    assert row["finished"] + row["unfinished"] + row["never_inserted"] == len(model.demand)
    assert 0 <= row["delay"] <= 600
    assert np.isfinite(values).all()


@settings(max_examples=100, deadline=None, derandomize=True)
@given(timing=timings, time=st.integers(0, 1000))
def test_encoded_arrays_show_what_the_timing_shows(model, timing, time):
    arrays = encode(model.network, [Plan({"J0": timing})])
    position = (time - arrays.offset[0, 0]) % arrays.duration[0, 0].sum()
    k = int(np.searchsorted(np.cumsum(arrays.duration[0, 0]), position, side="right"))
    moment = timing.at(time)
    stage = timing.stages[moment.stage]
    expected = stage.state if moment.step == 0 else stage.change[moment.step - 1].state
    assert arrays.states.letters[0][arrays.state[0, 0, k]] == expected


def some_plans(count=24):
    rng = np.random.default_rng(0)
    return [
        Plan({"J0": Timing((Stage("GGrr", int(a)), Stage("rrGG", int(b), (Interval("rryy", 3.0),))), int(o))})
        for a, b, o in rng.integers(5, 60, (count, 3))
    ]


def test_a_batch_gives_what_single_plans_give_and_threads_change_nothing(model):
    plans = some_plans()
    alone = np.vstack([model.evaluate(encode(model.network, [plan])) for plan in plans])
    together = encode(model.network, plans)
    assert np.array_equal(model.evaluate(together, threads=1), alone)
    assert np.array_equal(model.evaluate(together), alone)


def test_the_clock_is_absolute_time(hand):
    def delays(begin):
        rows = [(begin + 3.1 * i, "DEFAULT_VEHTYPE", ("west", "east")) for i in range(100)]
        model = build(crossing(hand), make_demand(rows, begin=begin, end=begin + 600))
        plans = [Plan({"J0": hand_timing(offset)}) for offset in (0, 17, 40)]
        return model.evaluate(encode(model.network, plans), threads=1)

    def hand_timing(offset):
        return Timing((Stage("GGrr", 30.0), Stage("rrGG", 30.0)), offset)

    at_seven = delays(25200.0)  # 25200 = 420 · 60: the same place in the cycle as 0
    assert at_seven[:, 0] == pytest.approx(delays(0.0)[:, 0], abs=0.02)
    assert np.ptp(at_seven[:, 0]) > 0.5


def test_weights_of_types_enter_the_delay_per_pcu_and_per_person(model):
    row = dict(zip(COLUMNS, model.evaluate(encode(model.network, some_plans(1)))[0], strict=True))
    assert row["delay_pcu"] != row["delay"]
    assert row["delay_person"] != row["delay"]
    even = build(model.network, _of_one_weight(model.demand))
    row = dict(zip(COLUMNS, even.evaluate(encode(model.network, some_plans(1)))[0], strict=True))
    assert row["delay_pcu"] == pytest.approx(row["delay"])
    assert row["delay_person"] == pytest.approx(row["delay"])


def _of_one_weight(demand):
    from dataclasses import replace

    return replace(demand, types=tuple(replace(t, pcu=1.0, persons=1.0) for t in demand.types))


def test_one_pass_gives_what_two_give(model):
    plans = encode(model.network, some_plans(3))
    metrics, queues = model.figures(plans)
    assert np.array_equal(metrics, model.evaluate(plans))
    assert np.array_equal(queues, model.queues(plans))


def test_figures_by_lane_add_up_and_grow_where_green_is_taken(model):
    wide, narrow = (
        Plan({"J0": Timing((Stage("GGrr", green), Stage("rrGG", 60.0 - green)))}) for green in (40.0, 10.0)
    )
    queues = model.queues(encode(model.network, [wide, narrow]))
    assert queues.shape == (2, len(model.lanes), len(QUEUE_COLUMNS))
    west = model.lanes.index("west_0")
    assert queues[1, west, 0] > 2 * queues[0, west, 0]
    assert queues[1, west, 1] > queues[0, west, 1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a: PlanArrays(a.states, a.state[0], a.duration, a.offset), "shape"),
        (lambda a: PlanArrays(a.states, a.state, a.duration, a.offset[:, :0]), "offset"),
        (lambda a: PlanArrays(a.states, a.state + 9, a.duration, a.offset), "index"),
        (lambda a: PlanArrays(a.states, a.state, -a.duration, a.offset), "negative"),
        (lambda a: PlanArrays(a.states, a.state, 0 * a.duration, a.offset), "empty"),
    ],
)
def test_arrays_that_cannot_be_meant_are_refused(model, change, message):
    with pytest.raises(InputError, match=message):
        model.evaluate(change(encode(model.network, some_plans(2))))


def test_states_and_plans_of_another_network_are_refused(model):
    with pytest.raises(InputError, match="not controlled here"):
        encode(model.network, [Plan({"J9": Timing((Stage("GGrr", 30.0),))})])
    with pytest.raises(InputError, match="not a state of 4 letters"):
        StateTable.of(model.network, {"J0": ["GGr"]})


def test_a_route_without_a_connection_is_refused(model):
    demand = make_demand([(0.0, "DEFAULT_VEHTYPE", ("south", "west"))])
    with pytest.raises(InputError, match="no lane leads from road 'south' to 'west'"):
        build(model.network, demand)


def test_a_plan_that_names_no_signal_keeps_the_network_s_own_program(model):
    arrays = encode(model.network, [Plan({})])
    own = steps(model.network.intersections["J0"].program)
    assert [arrays.states.letters[0][s] for s in arrays.state[0, 0]] == [state for state, _ in own]


def test_motorbikes_side_by_side_discharge_faster(hand):
    bike = VehicleClass(
        "bike", "motorcycle", length=1.9, min_gap=0.8, width=0.75, min_gap_lat=0.4, speed_dev=0.0
    )
    demand = hand.steady(0.8, 600.0, ("r0", "r1"), bike)
    plan = Plan({"J0": hand.timing(30, 60)})
    found = {}
    for sublane in (False, True):
        model = build(hand.street(), demand, sublane=sublane)
        arrays = encode(model.network, [plan])
        found[sublane] = model.evaluate(arrays)[0, COLUMNS.index("finished")]
    # measured in SUMO 1.28: 13 749 motorbikes/h on two lanes with a lateral resolution, 4 515 without
    assert found[True] == pytest.approx(found[False] * 13749 / 4515, rel=0.2)
