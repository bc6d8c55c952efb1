"""What a route file asks for, and what SUMO would drop from it without a word."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from denxanh.sim.demand.departures import Departures, read_departures, read_traffic
from denxanh.sim.errors import InputError


def write(folder: Path, *rows: str) -> Path:
    """A route file with a row on each line from the second on."""
    path = folder / "r.rou.xml"
    path.write_text("<routes>\n" + "\n".join(rows) + "\n</routes>\n", encoding="utf-8")
    return path


def vehicle(name: str, depart: object) -> str:
    return f'<vehicle id="{name}" depart="{depart}"><route edges="a b"/></vehicle>'


def test_vehicles_are_counted_by_when_they_leave(tmp_path: Path) -> None:
    path = write(tmp_path, *(vehicle(f"v{t}", t) for t in (50, 99.9, 100, 199.9, 200, 500)))
    assert read_departures(path, 100.0, 200.0) == Departures(
        before=2, due=2, after=2, flows=0, triggered=0, last=500.0
    )


def test_flows_trips_and_triggered_vehicles(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        '<flow id="f" begin="10" end="0:30:00" number="5" route="r"/>',
        '<trip id="t" depart="00:00:20" from="a" to="b"/>',
        '<vehicle id="w" depart="triggered" route="r"/>',
        '<flow id="g" begin="25" period="3" route="r"/>',
        '<flow id="h" begin="triggered" number="2" route="r"/>',
    )
    assert read_departures(path, 0.0, 100.0) == Departures(0, 1, 0, flows=2, triggered=2, last=1800.0)


def test_persons_share_the_order_but_are_no_vehicles(tmp_path: Path) -> None:
    person = '<person id="p" depart="{}"><walk edges="a"/></person>'
    path = write(tmp_path, vehicle("v", 10), person.format(20))
    assert read_departures(path, 0.0, 100.0).due == 1
    path = write(tmp_path, person.format(20), vehicle("v", 10))
    with pytest.raises(InputError, match="'v' departs at 10 s but stands after 'p'"):
        read_departures(path, 0.0, 100.0)


@pytest.mark.parametrize(
    "late", [vehicle("late", 10), '<flow id="late" begin="10" end="90" number="3" route="r"/>']
)
def test_what_stands_too_late_names_its_line(tmp_path: Path, late: str) -> None:
    path = write(tmp_path, vehicle("v", 20), "<!-- a comment\nof two lines -->", late)
    with pytest.raises(InputError, match=r"line 5: \w+ 'late' departs at 10 s") as caught:
        read_departures(path, 0.0, 100.0)
    assert "sort the file" in str(caught.value)


def test_comments_hide_what_is_in_them(tmp_path: Path) -> None:
    path = write(tmp_path, vehicle("v", 20), f"<!-- {vehicle('old', 5)} -->")
    assert read_departures(path, 0.0, 100.0, {"a", "b"}).due == 1


def test_every_edge_must_be_in_the_network(tmp_path: Path) -> None:
    path = write(tmp_path, vehicle("v", 20), '<route id="r" edges="a c"/>')
    with pytest.raises(InputError, match=r"line 3: the route names the edge 'c'"):
        read_departures(path, 0.0, 100.0, {"a", "b"})


def test_a_packed_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "r.rou.xml.gz"
    path.write_bytes(gzip.compress(write(tmp_path, vehicle("v", 20)).read_bytes()))
    assert read_departures(path, 0.0, 100.0).due == 1
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(InputError, match="cannot be read"):
        read_departures(path, 0.0, 100.0)


@pytest.mark.parametrize(
    "root", ["<routes/>", '<?xml version="1.0"?>\n<!-- x -->\n<routes>\n</routes><!-- y -->']
)
def test_an_empty_root_is_whole(tmp_path: Path, root: str) -> None:
    path = tmp_path / "r.rou.xml"
    path.write_text(root)
    assert read_departures(path, 0.0, 100.0).due == 0


def test_sums_add_up() -> None:
    one, two = Departures(1, 2, 3, 4, 5, 60.0), Departures(10, 20, 30, 40, 50, 6.0)
    assert one + two == Departures(11, 22, 33, 44, 55, 60.0)


def test_a_flow_that_begins_after_the_end_is_not_simulated(tmp_path: Path) -> None:
    path = tmp_path / "late.rou.xml"
    path.write_text('<routes><flow id="f" begin="1000" end="1200" number="9" route="r"/></routes>')
    found = read_departures(path, 0.0, 300.0)
    assert (found.flows, found.after, found.last) == (0, 0, 1200.0)


def test_an_additional_file_is_loaded_whole_so_its_order_does_not_matter(tmp_path: Path) -> None:
    path = write(tmp_path, vehicle("late", 20), vehicle("early", 10))
    assert read_departures(path, 0.0, 100.0, additional=True).due == 2


def test_the_flows_of_a_calibrator_are_rates_in_no_order(tmp_path: Path) -> None:
    rates = '<flow begin="300" end="600" route="r"/>'
    calibrator = f'<calibrator id="c" edge="a">{rates}</calibrator>'
    path = write(tmp_path, calibrator, calibrator.replace("300", "0"), vehicle("v", 1))
    found = read_departures(path, 0.0, 100.0)
    assert (found.due, found.flows) == (1, 2)


def test_persons_are_counted_since_they_may_bring_cars(tmp_path: Path) -> None:
    path = write(tmp_path, '<person id="p" depart="1"><personTrip to="b" modes="car"/></person>')
    assert read_departures(path, 0.0, 100.0) == Departures(0, 0, 0, 0, 0, last=1.0, persons=1)


def test_who_comes_by_a_vehicle_and_walks_on_is_a_person(tmp_path: Path) -> None:
    path = tmp_path / "r.rou.xml"
    path.write_text(
        '<routes><vehicle id="v" depart="1"><route edges="a b"/></vehicle>'
        '<person id="p" depart="triggered"><ride from="a" to="b" lines="v"/><walk edges="b"/></person></routes>',
        encoding="utf-8",
    )
    assert read_departures(path, 0.0, 100.0) == Departures(0, 1, 0, 0, 0, last=1.0, persons=1)


@pytest.mark.parametrize(
    ("rate", "last"),
    [
        ('period="4"', 410.0),
        ('vehsPerHour="900"', 410.0),
        ('period="exp(0.5)"', 210.0),
        ("", 10.0),
    ],
)
def test_a_flow_of_a_number_ends_when_the_last_has_left(tmp_path: Path, rate: str, last: float) -> None:
    path = write(tmp_path, f'<flow id="f" begin="10" number="100" {rate} route="r"/>')
    assert read_departures(path, 0.0, 100.0).last == last


def test_a_flow_without_begin_begins_with_the_simulation(tmp_path: Path) -> None:
    """As in SUMO, where its default is the simulation's begin: it may stand after one that begins there."""
    path = tmp_path / "later.rou.xml"
    path.write_text(
        '<routes><flow id="one" begin="100" end="200" number="9" route="r"/>'
        '<flow id="two" end="200" number="9" route="r"/></routes>'
    )
    assert read_departures(path, 100.0, 300.0).flows == 2


def test_the_ends_of_a_trip_must_be_in_the_network(tmp_path: Path) -> None:
    path = write(
        tmp_path, '<trip id="a" depart="0" from="e" to="f"/>', '<trip id="b" depart="1" from="XX" to="f"/>'
    )
    with pytest.raises(InputError, match=r"line 3: the route names the edge 'XX'"):
        read_departures(path, 0.0, 100.0, {"e", "f"})
    persons = tmp_path / "walk.rou.xml"
    persons.write_text('<routes><person id="p" depart="0"><walk from="elsewhere" to="f"/></person></routes>')
    assert read_departures(persons, 0.0, 100.0, {"e", "f"}).persons == 1


def test_who_serves_a_line_is_no_predecessor(tmp_path: Path) -> None:
    """SUMORouteHandler::registerLastDepart passes over vehicles with a line; they themselves must not come late."""
    line = '<flow id="{}" line="1" begin="{}" end="90" period="30" route="r"/>'
    path = write(tmp_path, line.format("late", 60), line.format("early", 0), vehicle("car", 5))
    assert read_departures(path, 0.0, 100.0).due == 1
    path = write(tmp_path, vehicle("car", 5), line.format("early", 0))
    with pytest.raises(InputError, match="'early' departs at 0 s but stands after 'car'"):
        read_departures(path, 0.0, 100.0)


def test_who_departs_before_the_begin_is_no_predecessor(tmp_path: Path) -> None:
    path = write(tmp_path, vehicle("a", 50), vehicle("b", 20), vehicle("c", 120))
    assert read_departures(path, 100.0, 200.0).before == 2


def test_an_interval_says_when_its_flows_are(tmp_path: Path) -> None:
    flow = '<flow id="f" period="5" route="r"/>'
    path = write(tmp_path, f'<interval begin="150" end="190">{flow}</interval>', vehicle("a", 20))
    with pytest.raises(InputError, match="'a' departs at 20 s but stands after 'f', which departs at 150 s"):
        read_departures(path, 0.0, 200.0)


@pytest.mark.parametrize(
    "attributes",
    [
        'probability="5"',
        'probability="nan"',
        'period="exp(nan)"',
        'period="0"',
        'vehsPerHour="0"',
        'vehsPerHour="inf"',
        'period="5" vehsPerHour="9"',
        'period="5" number="2" end="9"',
        'number="1.5"',
        'number="-1"',
        'number="100000000000"',
        'begin="50" end="40" period="5"',
        'begin="-5" period="5"',
        'begin="triggered" period="5"',
        'end="nan" period="5"',
        "",
    ],
)
def test_a_flow_that_sumo_refuses_or_never_returns_from_is_refused(tmp_path: Path, attributes: str) -> None:
    path = write(tmp_path, f'<flow id="f" route="r" {attributes}/>')
    with pytest.raises(InputError, match="line 2: flow 'f'"):
        read_departures(path, 0.0, 100.0)


def test_a_flow_of_nobody_is_no_flow(tmp_path: Path) -> None:
    path = write(tmp_path, '<flow id="f" begin="50" number="0" route="r"/>', vehicle("v", 5))
    found = read_departures(path, 0.0, 100.0)
    assert (found.flows, found.due) == (0, 1)


@pytest.mark.parametrize(
    "vtype", ['length="nan"', 'maxSpeed="inf"', 'vClass="foo"', 'scale="-1"', 'scale="nan"', 'tau="x"']
)
def test_a_vtype_with_no_number_or_class_is_refused(tmp_path: Path, vtype: str) -> None:
    path = write(tmp_path, f'<vType id="t" {vtype}/>', vehicle("v", 5))
    with pytest.raises(InputError, match="vType 't'"):
        read_departures(path, 0.0, 100.0)


def test_a_trip_from_a_junction_needs_its_option(tmp_path: Path) -> None:
    path = write(tmp_path, '<trip id="t" depart="0" fromJunction="A" toJunction="B"/>')
    assert read_traffic(path, 0.0, 100.0).departures.due == 1
    with pytest.raises(InputError, match="junction-taz"):
        read_traffic(path, 0.0, 100.0, junctions=False)


def test_one_pass_tells_types_rerouting_and_stops(tmp_path: Path) -> None:
    bus = '<vType id="bus" vClass="bus" scale="0.5"><param key="persons" value="30"/></vType>'
    stop = '<route id="r" edges="a b"><stop lane="a_0" duration="9"/></route>'
    asks = '<vehicle id="v" depart="1" route="r"><param key="has.rerouting.device" value="true"/></vehicle>'
    found = read_traffic(write(tmp_path, bus, stop, asks), 0.0, 100.0)
    assert (found.scaled, found.reroutes, found.stops) == (True, True, True)
    assert found.equivalents["bus"].persons == 30.0


def test_a_flow_without_begin_stands_in_the_order_with_the_begin(tmp_path: Path) -> None:
    path = write(tmp_path, vehicle("a", 20), '<flow id="f" period="5" route="r"/>')
    with pytest.raises(InputError, match="'f' departs at 0 s but stands after 'a'"):
        read_departures(path, 0.0, 100.0)
    path = write(tmp_path, vehicle("a", 20), '<flow id="f" begin="begin" period="5" route="r"/>')
    assert read_departures(path, 0.0, 100.0).flows == 1
