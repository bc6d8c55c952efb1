"""Route files of every form that SUMO knows, and their faults."""

import gzip
from dataclasses import replace

import numpy as np
import pytest

from denxanh.sim.demand.demand import ANY_LANE, movement_flows
from denxanh.sim.demand.demand_reader import read_demand
from denxanh.sim.errors import InputError
from denxanh.sim.network import Movement
from denxanh.sim.network_reader import load_network


@pytest.fixture(scope="module")
def place(hand):
    network = hand.street(signals=2)
    rows = {}
    for i, (name, intersection) in enumerate(network.intersections.items()):
        movement = Movement(f"r{i}>r{i + 1}", f"r{i}", f"r{i + 1}", "s", (0,), (0,), (0,), 0.5)
        rows[name] = replace(intersection, movements=(movement,))
    return replace(network, intersections=rows)


def write(folder, body, name="d.rou.xml"):
    path = folder / name
    text = f"<routes>{body}</routes>"
    if name.endswith(".gz"):
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text)
    return path


def read(folder, place, body, **options):
    return read_demand([write(folder, body)], place, 0.0, 100.0, **options)


def test_vehicles_with_their_own_and_with_named_routes(tmp_path, place):
    demand = read(
        tmp_path,
        place,
        '<route id="all" edges="r0 r1 r2"/>'
        '<vehicle id="b" depart="20" route="all" departLane="1" departSpeed="0" departPos="random_free"/>'
        '<vehicle id="a" depart="10.5"><route edges="r1 r2"/></vehicle>',
    )
    assert demand.id == ("a", "b")
    assert demand.depart.tolist() == [10.5, 20.0]
    assert [demand.routes[r] for r in demand.route] == [("r1", "r2"), ("r0", "r1", "r2")]
    assert demand.depart_lane.tolist() == [ANY_LANE, 1]
    assert demand.standing.tolist() == [False, True]
    assert demand.spread.tolist() == [False, True]


def test_departures_outside_the_time_are_counted(tmp_path, place):
    body = "".join(
        f'<vehicle id="{t}" depart="{t}"><route edges="r0 r1"/></vehicle>' for t in (5, 10, 99, 110, 400)
    )
    demand = read_demand([write(tmp_path, body)], place, 10.0, 100.0)
    assert (demand.before, len(demand), demand.after) == (1, 2, 2)


def test_flows_of_each_kind(tmp_path, place):
    def departs(attributes):
        body = f'<flow id="f" route="r" {attributes}/><route id="r" edges="r0 r1"/>'
        return read(tmp_path, place, body).depart.tolist()

    assert departs('begin="0" end="50" period="10"') == [0, 10, 20, 30, 40]
    assert departs('begin="10" end="100" vehsPerHour="120"') == [10, 40, 70]
    assert departs('begin="0" end="60" number="4"') == [0, 15, 30, 45]
    assert departs('begin="0" period="20" number="2"') == [0, 20]
    assert len(departs('begin="0" end="100" probability="1"')) == 100
    assert 5 < len(departs('begin="0" end="100" period="exp(0.2)"')) < 40
    with pytest.raises(InputError, match="no rate"):
        departs('begin="0" end="50"')
    with pytest.raises(InputError, match="number='many' is no number of vehicles"):
        departs('begin="0" end="50" number="many"')


def test_random_flows_repeat_with_their_seed(tmp_path, place):
    body = '<route id="r" edges="r0 r1"/><flow id="f" route="r" begin="0" end="100" probability="0.3"/>'
    a, b, c = (read(tmp_path, place, body, seed=seed).depart for seed in (1, 1, 2))
    assert np.array_equal(a, b)
    assert not np.array_equal(a, c)


def test_types_have_sumo_s_defaults_and_our_weights(tmp_path, place):
    body = (
        '<vType id="xe" vClass="motorcycle" tau="0.9"><param key="persons" value="1.4"/></vType>'
        '<vType id="car" length="4.3" speedFactor="normc(0.9,0.2,0.5,1.4)"/>'
        '<vTypeDistribution id="mix" vTypes="xe car" probabilities="0.9 0.1"/>'
        '<vehicle id="bus" depart="0" type="xe"><route edges="r0 r1"/></vehicle>'
        + "".join(
            f'<vehicle id="{k}" depart="1" type="mix"><route edges="r0 r1"/></vehicle>' for k in range(60)
        )
    )
    demand = read(tmp_path, place, body)
    types = {t.id: t for t in demand.types}
    assert (types["xe"].length, types["xe"].accel, types["xe"].tau) == (2.2, 6.0, 0.9)
    assert (types["xe"].pcu, types["xe"].persons) == (0.25, 1.4)
    assert (types["car"].length, types["car"].speed_factor, types["car"].speed_dev) == (4.3, 0.9, 0.2)
    assert (types["car"].speed_low, types["car"].speed_high) == (0.5, 1.4)
    assert 45 <= np.sum([demand.types[t].id == "xe" for t in demand.type]) <= 61


def test_packed_files_read_like_plain_ones(tmp_path, place):
    body = '<vehicle id="a" depart="1"><route edges="r0 r1"/></vehicle>'
    packed = read_demand([write(tmp_path, body, "d.rou.xml.gz")], place, 0, 100)
    assert packed.depart.tolist() == read(tmp_path, place, body).depart.tolist()


def test_flows_of_movements(tmp_path, place):
    demand = read(
        tmp_path,
        place,
        '<flow id="f" begin="0" end="100" period="10"><route edges="r0 r1 r2"/></flow>'
        '<flow id="g" begin="0" end="100" period="20"><route edges="r1 r2"/></flow>',
    )
    flows = movement_flows(demand, place)
    assert flows["J0"].tolist() == [0.1]
    assert flows["J1"].tolist() == pytest.approx([0.15])


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            '<vehicle id="a" depart="1"><route edges="r0 nowhere"/></vehicle>',
            "'nowhere' is not in the network",
        ),
        ('<vehicle id="a" depart="1" route="gone"/>', "the route 'gone' is not defined"),
        (
            '<vehicle id="a" depart="1" type="gone"><route edges="r0"/></vehicle>',
            "type 'gone' is not defined",
        ),
        ('<vehicle id="a" depart="soon"><route edges="r0"/></vehicle>', "'soon' is not a time"),
        ('<vehicle id="a" depart="1"><route edges=""/></vehicle>', "has no edge"),
        ('<vehicle id="a" depart="1"/>', "no route"),
        ('<trip id="a" depart="1" from="r0" to="r2"/>', "give the network file"),
        ('<vType id="a" length="long"/>', "not a number"),
    ],
)
def test_faults_are_named_with_their_place(tmp_path, place, body, message):
    with pytest.raises(InputError, match=message):
        read(tmp_path, place, body)


def test_a_route_may_repeat(tmp_path, place):
    demand = read(tmp_path, place, '<vehicle id="v" depart="1"><route edges="r0 r1" repeat="1"/></vehicle>')
    assert demand.routes == (("r0", "r1", "r0", "r1"),)


def test_of_the_routes_that_duarouter_weighed_the_likely_one_is_taken(tmp_path, place):
    likely = '<route edges="r0 r1 r2" probability="1"/><route edges="r1 r2" probability="0"/>'
    body = f'<vehicle id="v" depart="1"><routeDistribution last="0">{likely}</routeDistribution></vehicle>'
    assert read(tmp_path, place, body).routes == (("r0", "r1", "r2"),)


def test_types_that_sumo_brings_need_no_definition(tmp_path, place):
    rows = "".join(
        f'<vehicle id="{name}" type="{name}" depart="1"><route edges="r0 r1"/></vehicle>'
        for name in ("DEFAULT_VEHTYPE", "DEFAULT_BIKETYPE", "DEFAULT_TAXITYPE")
    )
    demand = read(tmp_path, place, rows)
    assert [demand.types[k].vclass for k in demand.type] == ["passenger", "bicycle", "taxi"]


def test_who_leaves_with_a_person_is_counted_and_left_out(tmp_path, place):
    body = (
        '<vehicle id="w" depart="triggered"><route edges="r0 r1"/></vehicle>'
        '<vehicle id="v" depart="1"><route edges="r0 r1"/></vehicle>'
    )
    demand = read(tmp_path, place, body)
    assert demand.id == ("v",)
    assert demand.ignored == {"triggered vehicle": 1}


def test_trips_between_traffic_zones_are_routed(tmp_path, tiny_place):
    network = load_network(tiny_place.net)
    start, end = "left0A0", "B0right0"
    zones = (
        f'<taz id="west"><tazSource id="{start}" weight="1"/></taz>'
        f'<taz id="east"><tazSink id="{end}" weight="1"/></taz>'
    )
    path = write(tmp_path, f'{zones}<trip id="t" depart="1" fromTaz="west" toTaz="east"/>')
    demand = read_demand([path], network, 0.0, 100.0, net_file=tiny_place.net)
    assert [(route[0], route[-1]) for route in demand.routes] == [(start, end)]


@pytest.mark.parametrize(
    ("inner", "words"),
    [
        ('<route edges="r0 r1" repeat="often"/>', "repeat='often' is no number"),
        ('<route edges="r0 r1" repeat="-1"/>', "repeat='-1' is no number"),
        (
            '<routeDistribution><route edges="r0 r1" probability="0"/></routeDistribution>',
            "no route has a probability above 0",
        ),
    ],
)
def test_a_repeat_or_probability_that_is_none_is_refused(tmp_path, place, inner, words):
    with pytest.raises(InputError, match=words):
        read(tmp_path, place, f'<vehicle id="v" depart="1">{inner}</vehicle>')


def test_a_scaled_type_makes_as_many_vehicles_as_sumo_does(tmp_path, place):
    body = (
        '<vType id="few" scale="0.4"/><vType id="more" scale="2.5"/><route id="r" edges="r0 r1"/>'
        '<flow id="f" type="few" route="r" begin="0" end="100" period="1"/>'
        '<flow id="g" type="more" route="r" begin="0" end="100" period="10"/>'
    )
    demand = read(tmp_path, place, body)
    of = [demand.types[t].id for t in demand.type]
    assert (of.count("few"), of.count("more")) == (40, 25)


def test_a_flow_without_vehicles_and_words_for_departures(tmp_path, place):
    body = (
        '<route id="r" edges="r0 r1"/><flow id="none" route="r" begin="0" end="50" number="0"/>'
        '<flow id="wait" route="r" begin="triggered" number="3"/>'
        '<vehicle id="a" depart="now" route="r"/><vehicle id="b" depart="begin" route="r"/>'
        '<interval begin="20" end="40"><flow id="f" route="r" personsPerHour="360"/></interval>'
    )
    demand = read(tmp_path, place, body)
    assert demand.id == ("a", "b", "f.0", "f.1")
    assert demand.depart.tolist() == [0.0, 0.0, 20.0, 30.0]
    assert demand.ignored == {"triggered vehicle": 1}


def test_a_distribution_takes_the_probabilities_of_its_types(tmp_path, place):
    body = (
        '<vType id="x" probability="0"/><vType id="y" probability="1"/><vTypeDistribution id="d" vTypes="x y"/>'
        '<vTypeDistribution id="e"><vType refId="y" probability="3"/></vTypeDistribution>'
        + "".join(
            f'<vehicle id="{t}{k}" depart="1" type="{t}"><route edges="r0 r1"/></vehicle>'
            for t in "de"
            for k in range(9)
        )
    )
    assert {t.id for t in read(tmp_path, place, body).types} == {"y"}
