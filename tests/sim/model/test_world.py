"""The queue model as a world that controllers drive."""

from dataclasses import replace

import numpy as np
import pytest

from denxanh.controllers.actuated.actuated import Actuated
from denxanh.controllers.pressure.max_pressure import MaxPressure
from denxanh.sim.demand.demand import make_demand
from denxanh.sim.demand.vehicle_class import VehicleClass
from denxanh.sim.errors import InputError
from denxanh.sim.model import COLUMNS, ModelWorld, build, encode
from denxanh.sim.plan import Interval, Plan, Stage, Timing
from denxanh.sim.signals.fixed_time import fixed_time_policy
from denxanh.sim.sumo.netfile import VEHICLE_CLASSES
from denxanh.sim.testing.check_controller import corridor, play

DELAY = COLUMNS.index("delay")
END = 1800.0
STREET = ("W", "J0J1", "J1J2", "E")


@pytest.fixture(scope="module")
def model():
    network = corridor(3)
    lanes = {name: replace(lane, allow=VEHICLE_CLASSES) for name, lane in network.lanes.items()}
    network = replace(network, lanes=lanes)
    rng = np.random.default_rng(4)
    rows = [(float(t), "car", STREET) for t in np.sort(rng.uniform(0, END, 330))]
    for i in range(3):
        rows += [(float(t), "car", (f"S{i}", f"N{i}")) for t in np.sort(rng.uniform(0, END, 120))]
    rows.append((900.5, "bus", STREET))
    types = [VehicleClass("car"), VehicleClass("bus", vclass="bus", length=12.0)]
    return build(network, make_demand(rows, types, 0.0, END))


class Clock:
    """A plan, followed by the clock."""

    sees = frozenset()

    def __init__(self, plan):
        self.plan = plan

    def make_plan(self, network):
        return self.plan

    def start(self, network):
        return {name: fixed_time_policy(intersection) for name, intersection in network.intersections.items()}


def plan(east, north, offsets):
    change = Interval("yr", 3.0), Interval("ry", 3.0)
    timing = Timing((Stage("Gr", east, (change[0],)), Stage("rG", north, (change[1],))))
    return Plan({f"J{i}": replace(timing, offset=offset) for i, offset in enumerate(offsets)})


@pytest.mark.parametrize(
    "plan",
    [plan(34.0, 20.0, (0.0, 18.0, 36.0)), plan(20.0, 14.0, (5.0, 0.0, 31.0)), plan(60.0, 9.0, (0.0,) * 3)],
)
def test_a_plan_that_is_shown_costs_what_it_is_evaluated_to(model, plan):
    world = ModelWorld(model)
    play(world, Clock(plan), END)
    assert world.metrics() == pytest.approx(model.evaluate(encode(model.network, [plan]))[0], rel=1e-3)


def test_without_a_controller_signals_run_their_own_program(model):
    world = ModelWorld(model)
    own = model.network.intersections["J0"].program
    shown = []
    for second in range(int(own.cycle)):
        world.advance(second)
        shown.append(world.shows("J0"))
    assert shown.count("Gr") == own.stages[0].green
    assert shown.count("yr") == own.stages[0].change[0].duration
    world.advance(int(END))
    assert world.metrics()[DELAY] == pytest.approx(
        model.evaluate(encode(model.network, [Plan({})]))[0][DELAY], rel=1e-3
    )


def test_controllers_that_see_vehicles_beat_a_bad_plan(model):
    bad = model.evaluate(encode(model.network, [plan(20.0, 60.0, (0.0, 0.0, 0.0))]))[0][DELAY]
    for controller in (Actuated(), MaxPressure()):
        delays = []
        for _ in range(2):
            world = ModelWorld(model)
            play(world, controller, END)
            delays.append(world.metrics()[DELAY])
        assert delays[0] == delays[1]
        assert delays[0] < 0.5 * bad


def test_vehicles_stand_in_order_and_know_their_way(model):
    world = ModelWorld(model)
    world.show("J0", "rr")
    for second in range(1, 200):
        world.advance(second)
        seen = world.on_lane("W_0")
        places = [vehicle.position for vehicle in seen]
        assert places == sorted(places)
        assert all(0.0 <= place <= 200.0 for place in places)
    assert world.halted("W_0") > 5
    front = seen[-1]
    assert front.position == pytest.approx(200.0)
    assert front.wait > 100.0
    assert world.next_edge(front.id, "W") == "J0J1"
    assert world.next_edge(front.id, "E") == ""
    assert world.vehicle_class(front.id) == "passenger"
    before = world.halted("W_0")
    world.show("J0", "Gr")
    world.advance(220)
    assert world.halted("W_0") < before


def test_a_bus_is_announced_on_its_way(model):
    world = ModelWorld(model)
    world.advance(905)
    (bus,) = world.priority_vehicles()
    assert (bus.vclass, bus.edges[-1]) == ("bus", "E")


def test_it_says_where_it_ends(model):
    world = ModelWorld(model)
    with pytest.raises(InputError, match="of 1800 s"):
        world.metrics()
    with pytest.raises(InputError, match="ends at 1800 s"):
        world.advance(int(END) + 1)
