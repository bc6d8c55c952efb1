"""The table of movements: a case computed by hand, roads without delay, and a run in SUMO."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from denxanh.sim.measures.movement_table import COLUMNS, Queues, movement_table
from denxanh.sim.measures.signal_history import greens
from denxanh.sim.measures.signal_passages import Departure, Remaining, passages
from denxanh.sim.network import Approach, Edge, Intersection, Lane, Link, Movement, Network, Segment
from denxanh.sim.network_reader import load_network
from denxanh.sim.plan import Interval, Stage, Timing
from denxanh.sim.run import store
from denxanh.sim.sumo.passage_loops import LOOPS, Crossings, add_loops, read_loops
from denxanh.sim.sumo.program import phases_of
from denxanh.sim.sumo.tripinfo import read_trips
from denxanh.sim.sumo.wheel import sumo_binary, sumo_environment
from denxanh.sim.timing.free_travel import Driver, dawdled, longest_free_travel

EXACT = Driver(dawdle=0.0)  # drives at the limit


def one_movement() -> Network:
    """A road of 300 m at 15 m/s to a signal, 15 m over the junction, and a road of 300 m on from there."""
    lanes = {
        "in_0": Lane("in_0", "in", 300, 15, ((0, -300), (0, 0)), ("out_0",), True, frozenset()),
        "out_0": Lane("out_0", "out", 300, 15, ((0, 15), (0, 315)), (), True, frozenset()),
    }
    edges = {
        "in": Edge("in", "Street", "A", "J", ("in_0",), 300, 15, 1, ()),
        "out": Edge("out", "Street", "J", "B", ("out_0",), 300, 15, 1, ()),
    }
    link = Link(0, "in_0", "out_0", ":J_0", "s", 15, 15, False)
    program = Timing((Stage("r", 27), Stage("G", 30, (Interval("y", 3),))))
    none = np.zeros((1, 1), dtype=np.bool_)
    signal = Intersection(
        "J", "J", (0, 0), ("J",), (link,), 1,
        (Approach("in_0", (0,), 15, 300, (Segment("in_0", 0, 1),), 0.5),), ("out_0",),
        (Movement("in>out", "in", "out", "s", (0,), (0,), (0,), 0.5),),
        phases_of(program), program, "0", 3.0, 0.0, none, none,
    )  # fmt: skip
    return Network("one", edges, lanes, {"J": signal}, {}, (link,))


HISTORY = {"J": ([0, 30, 60, 90, 120], ["r", "G", "r", "G", "r"])}
DEPARTURES = {
    "a": Departure(0, 0, "in", 0, EXACT),
    "b": Departure(35, 0, "in", 0, EXACT),
    "c": Departure(10, 4, "in", 0, EXACT),  # 4 s before it could enter
    "d": Departure(80, 0, "in", 0, EXACT),
}
CROSSINGS = Crossings(
    vehicle=("a", "a", "b", "b", "c", "c"),
    lane=("in_0", "out_0") * 3,
    beyond=np.array([False, True] * 3),
    time=np.array([32, 34, 55, 56, 95, 97.0]),
    speed=np.array([5, 10, 15, 15, 15, 15.0]),
)
REMAINING = [Remaining("d", "in_0", "out", 285.0)]


def test_a_movement_by_hand():
    """20 s to the stop line and 1 s over the junction; red but for 30 to 60 s and 90 to 120 s; end at 150 s.

    a: 34 − 21 and what it loses from 10 to 15 m/s, 25 / 78 s. b: none. c: 4 + 87 − 21, past two starts of green. d:
    after 70 s at 285 m, where it could have been after 19 s.
    """
    network = one_movement()
    found = passages(network, CROSSINGS, DEPARTURES, REMAINING, end=150.0)
    assert found.arrival == pytest.approx([20, 55, 30, 100])
    assert found.delay == pytest.approx([13 + 25 / 78, 0, 70, 51])
    samples = np.arange(5.0, 151.0, 5.0)
    back = np.where(samples == 100, 22.5, np.where(samples == 40, 50.0, 0.0))[:, None]
    halts = {"a": [25.0], "c": [35.0, 70.0], "d": [110.0]}
    table = movement_table(
        network,
        HISTORY,
        found,
        Queues(samples, ("in_0",), back, halts),
        *np.ones((2, 4)),
        begin=0.0,
        end=150.0,
    )
    assert tuple(table) == tuple(COLUMNS)
    assert table["level"] == ["movement", "lane group", "approach", "intersection"]
    row = {name: column[0] for name, column in table.items()}
    assert row == {
        "level": "movement",
        "signal": "J",
        "name": "in>out",
        "label": "NBT",
        "arrivals": 4,
        "served": 3,
        "flow_vph": pytest.approx(96),
        "green_s": pytest.approx(60),
        "capacity_vph": pytest.approx(720),
        "vc": pytest.approx(96 / 720),
        "control_delay_s": pytest.approx((134 + 25 / 78) / 4),
        "los": "C",
        "stops": pytest.approx(1.0),
        "queue_p50_m": pytest.approx(22.5),  # of the one whole cycle, from 60 to 120 s
        "queue_p95_m": pytest.approx(22.5),
        "storage_ratio": pytest.approx(0.075),
        "on_green": pytest.approx(0.75),
        "platoon_ratio": pytest.approx(0.75 / 0.4),
        "arrival_type": 5,
        "cycle_failures": pytest.approx(
            1.0
        ),  # c came by the start of the first green and left in the second one
        "green_utilisation": pytest.approx(3 / 30),
    }
    approach = {name: column[2] for name, column in table.items()}
    assert (approach["label"], approach["los"], approach["capacity_vph"]) == ("NB", "C", None)


def test_a_vehicle_that_stands_for_several_counts_so_often():
    network = one_movement()
    found = passages(network, CROSSINGS, DEPARTURES, REMAINING, end=150.0)
    none = Queues(np.zeros(0), ("in_0",), np.zeros((0, 1)), {})
    pcu = np.array([1.5, 0.5, 0.5, 0.5])
    table = movement_table(network, HISTORY, found, none, np.array([3, 1, 1, 1.0]), pcu, begin=0.0, end=150.0)
    assert table["arrivals"][0] == pytest.approx(6)
    assert table["control_delay_s"][0] == pytest.approx((3 * (13 + 25 / 78) + 121) / 6)
    # two vehicles are one car: twice as many go through, and need half the green
    assert (table["flow_vph"][0], table["capacity_vph"][0]) == (pytest.approx(144), pytest.approx(1440))
    assert (table["vc"][0], table["green_utilisation"][0]) == (pytest.approx(0.1), pytest.approx(2.5 / 30))


def test_who_is_on_the_junction_at_the_end_has_arrived_and_is_not_past_it():
    """e leaves 300 m at 15 m/s behind it by 149.5 s, having departed at 129 s: half a second late so far."""
    network = one_movement()
    departures = {"e": Departure(129, 0, "in", 0, EXACT)}
    crossings = Crossings(("e",), ("in_0",), np.array([False]), np.array([149.5]), np.array([15.0]))
    found = passages(network, crossings, departures, [Remaining("e", "in_0", "out", 300.0)], end=150.0)
    assert (found.arrival.tolist(), found.stop_line.tolist(), found.end.tolist()) == (
        [149],
        [149.5],
        [np.inf],
    )
    assert found.delay == pytest.approx([0.5])


def test_arrivals_before_the_end_of_the_warm_up_are_left_out():
    network = one_movement()
    found = passages(network, CROSSINGS, DEPARTURES, REMAINING, end=150.0)
    none = Queues(np.zeros(0), ("in_0",), np.zeros((0, 1)), {})
    table = movement_table(network, HISTORY, found, none, *np.ones((2, 4)), begin=50.0, end=150.0)
    assert (table["arrivals"][0], table["flow_vph"][0]) == (2, pytest.approx(72))


def test_greens_and_what_they_leave():
    shown = greens([0, 10, 20, 30, 40, 50], ["r", "G", "y", "g", "r", "G"], (0,), 60.0)
    assert (shown.start.tolist(), shown.stop.tolist()) == ([10, 30, 50], [20, 40, 60])
    assert shown.contain([9, 10, 19, 20, 55, 60]).tolist() == [False, True, True, False, True, False]
    assert shown.seconds(15, 35) == pytest.approx(10)
    # came before the first green and left in the last one: two failures; came and left in one: none
    assert shown.failures(np.array([5.0]), np.array([52.0])).tolist() == [True, True]
    assert shown.failures(np.array([25.0, 5.0]), np.array([32.0, 15.0])).tolist() == [False, False]


def test_the_free_travel_of_the_longest_route_is_when_a_network_is_filled():
    assert longest_free_travel(
        one_movement(), [(("in",), Driver()), (("in", "out"), Driver())]
    ) == pytest.approx(600 / (15 - 0.65) + 15 / (15 - 0.65))


def lone_vehicles(folder: Path, net: Path, route: str, step: float, accel: float) -> tuple[float, float]:
    """Mean control delay and SUMO's time loss, s, of vehicles 20 s apart on a street that is always green."""
    network = load_network(net)
    signals = network.intersections.values()
    root = ElementTree.Element("additional")
    add_loops(
        root, {a.lane for one in signals for a in one.approaches}, {x for one in signals for x in one.exits}
    )
    for one in signals:
        logic = ElementTree.SubElement(
            root, "tlLogic", id=one.id, type="static", programID="green", offset="0"
        )
        ElementTree.SubElement(logic, "phase", duration="9999", state="G" * one.n_links)
    ElementTree.ElementTree(root).write(folder / "loops.add.xml")
    vehicles = "".join(
        f'<vehicle id="v{k}" type="car" route="we" depart="{20 * k}" departSpeed="max" departLane="best"/>'
        for k in range(40)
    )
    (folder / "lone.rou.xml").write_text(
        f'<routes><vType id="car" accel="{accel:g}"/><route id="we" edges="{route}"/>{vehicles}</routes>',
        encoding="utf-8",
    )
    done = subprocess.run(
        [
            *(str(sumo_binary()), "-n", str(net), "-r", "lone.rou.xml", "-a", "loops.add.xml"),
            *("--tripinfo-output", "trips.xml", "--no-step-log", "--step-length", str(step)),
        ],
        cwd=folder, env=sumo_environment(), capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    trips, _ = read_trips(folder / "trips.xml")
    departures = {
        name: Departure(
            depart,
            0.0,
            route.split()[0],
            position,
            Driver(speed_factor=factor, accel=accel, dawdle=dawdled(0.5, accel, step)),
        )
        for name, depart, position, factor in zip(
            trips.id, trips.depart, trips.depart_position, trips.speed_factor, strict=True
        )
    }
    found = passages(network, read_loops(folder / LOOPS), departures, end=2000.0)
    assert len(found) == 80
    return float(found.delay.sum()) / 40, float(trips.time_loss.mean())


THROUGH, TURNING = "left0A0 A0B0 B0right0", "bottom0A0 A0B0 B0top1"


@pytest.mark.parametrize(
    ("route", "step", "accel", "most"),
    [
        (THROUGH, 0.5, 2.6, 0.1),
        (THROUGH, 1.0, 2.6, 0.1),
        (THROUGH, 1.0, 1.0, 0.1),  # dawdles less
        (TURNING, 0.5, 2.6, 0.5),
        (TURNING, 1.0, 2.6, 0.5),
    ],
)
def test_a_vehicle_alone_has_no_control_delay(
    tmp_path: Path, tiny_place, route: str, step: float, accel: float, most: float
):
    delay, time_loss = lone_vehicles(tmp_path, tiny_place.net, route, step, accel)
    assert time_loss > 0.6  # SUMO counts what drivers dawdle and lose in turns
    assert abs(delay) < most


def test_the_table_of_a_run_agrees_with_its_trips(
    tmp_path: Path, tiny_place, cli: Callable[..., subprocess.CompletedProcess[str]]
):
    done = cli("run", tiny_place.config, "-c", "program", "--warm-up", "0", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    table = store.read_table(tmp_path / "out" / "movements.parquet")
    trips = store.read_table(tmp_path / "out" / "vehicles.parquet")
    rows = table["level"] == "movement"
    groups = table["level"] == "intersection"
    served = table["served"][rows]
    assert served.sum() == table["served"][groups].sum()
    assert served.sum() >= 100  # most of the 100 vehicles pass two signals
    known = rows & (table["arrivals"] > 0)
    total = float((table["arrivals"] * np.nan_to_num(table["control_delay_s"].astype(float)))[known].sum())
    lost = float(trips["time_loss_s"].sum() + trips["depart_delay_s"].sum())
    dawdled = 3.0 * len(trips["id"])  # on about 500 m each, and after the last signal
    assert lost - dawdled <= total <= lost
    assert set(table["los"][known]) <= set("ABCDEF")
