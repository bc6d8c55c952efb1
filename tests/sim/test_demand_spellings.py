"""Demands in the spellings that SUMO accepts: bare SUMO is the judge of who departs and of what is refused."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from xml.sax.saxutils import quoteattr

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from denxanh.sim.demand.demand_reader import read_demand
from denxanh.sim.demand.departures import read_traffic
from denxanh.sim.errors import InputError
from denxanh.sim.network import Network
from denxanh.sim.network_reader import load_network
from denxanh.sim.sumo.wheel import sumo_binary, sumo_environment

END = 60.0
ROUTE = 'from="A0B0" to="B0C0"'
_SEQUENCE = "<route edges='A0B0 B0C0'/>"

times = st.one_of(
    st.integers(0, 70).filter(lambda t: t != END).map(str),  # at END it hangs on how far ahead SUMO has read
    st.integers(0, 59).map(lambda t: f"0:0:{t}"),
    st.integers(0, 59).map(lambda t: f"00:00:00:{t}"),
    st.sampled_from(["now", "begin", "triggered", "1e1", " 7", "5.5", "+3"]),
    st.sampled_from(["-3", "nan", "inf", "soon", "1:20", "0x5"]),
)
begins = st.sampled_from(
    ["", 'begin="0"', 'begin="5"', 'begin="0:0:12"', 'begin="begin"', 'begin="90"', 'begin="nan"']
)
ends = st.sampled_from(["", "", 'end="40"', 'end="0:0:50"', 'end="3"', 'end="nan"'])
rates = st.sampled_from(
    """number="0"|number="3"|period="10"|period="0:0:10"|vehsPerHour="360"|perHour="720"|personsPerHour="360"|
    period="10" number="2"|vehsPerHour="360" number="0"|probability="1"|probability="1" number="2"|
    probability="5"|probability="0"|probability="nan"|period="0"|period="-1"|period="nan"|vehsPerHour="0"|
    vehsPerHour="nan"|number="-1"|number="1.5"|number="many"|period="5" perHour="9"|""".replace(
        "\n", ""
    ).split("|")
)
lines = st.sampled_from(["", "", "", 'line="7"'])
ends_of_trip = st.sampled_from(
    [
        ROUTE,
        ROUTE,
        "from='A0B0' via='B0C0'",
        'to="B0C0"',
        'from="A0B0&#66;"',
        'fromJunction="A0" toJunction="C0"',
        "",
    ]
)

ends_of_flow = st.sampled_from([ROUTE, ROUTE, ""])
stops_inside = st.sampled_from(
    [
        "",
        "",
        "",
        '<stop lane="A0B0_0" duration="1"/><stop edge="B0C0" duration="1"/>',
        '<param key="a" value="b"/>',
    ]
)


@st.composite
def elements(draw: st.DrawFn) -> list[str]:
    """A few elements of a route file; most of them are right."""
    out = []
    for number in range(draw(st.integers(1, 4))):
        name, line = quoteattr(f"{draw(st.sampled_from(['v', 'xe', 'ü', 'é.']))}{number}"), draw(lines)
        kind = draw(st.sampled_from(["trip", "vehicle", "flow", "flow", "interval", "comment", "person"]))
        if kind == "trip":
            head = f"<trip id={name} depart={quoteattr(draw(times))} {draw(ends_of_trip)} {line}"
            out.append(f"{head}>{draw(stops_inside)}</trip>")
        elif kind == "vehicle":
            route = draw(st.sampled_from([_SEQUENCE, _SEQUENCE, ""])) + draw(stops_inside)
            out.append(f"<vehicle\n {line} depart={quoteattr(draw(times))}\tid={name}>{route}</vehicle>")
        elif kind == "flow":
            head = f"<flow id={name} {draw(begins)} {draw(ends)} {draw(rates)} {draw(ends_of_flow)} {line}"
            out.append(f"{head}>{draw(stops_inside)}</flow>")
        elif kind == "interval":
            out.append(f'<interval begin="8" end="28"><flow id={name} {draw(rates)} {ROUTE}/></interval>')
        elif kind == "person":
            out.append(f'<person id={name} depart="{number * 9}"><walk from="A0B0" to="A0B0"/></person>')
        else:
            out.append(f'<!-- <trip id="old" depart="0" {ROUTE}/> -->')
    return out


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory, sumo_tool: Callable[..., Path]) -> tuple[Path, Network]:
    folder = tmp_path_factory.mktemp("spellings")
    path = sumo_tool(
        "netgenerate",
        folder / "row.net.xml",
        *("--grid", "--grid.x-number", "3", "--grid.y-number", "1", "--grid.length", "100"),
    )
    return path, load_network(path)


def judged(net: Path, routes: Path) -> set[str] | None:
    """The vehicles that bare SUMO lets depart or wait; None if it refuses the file or drops somebody."""
    out = routes.with_name("trips.xml")
    out.unlink(missing_ok=True)
    command = [str(sumo_binary()), "-n", str(net), "-r", str(routes), "-b", "0", "-e", str(END)]
    more = ["--tripinfo-output", str(out), "--tripinfo-output.write-unfinished"]
    more += ["--tripinfo-output.write-undeparted", "--no-step-log"]
    done = subprocess.run(
        [*command, *more],
        env=sumo_environment(),
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode != 0 or "ignoring" in done.stderr:
        return None
    return set(re.findall(r'<tripinfo id="([^"]*)"', out.read_text("utf-8")))


def agrees(net: Path, network: Network, routes: Path) -> None:
    """Our reader refuses what SUMO refuses, and finds the vehicles that SUMO makes."""
    expected = judged(net, routes)
    try:
        traffic = read_traffic(routes, 0.0, END, network.edges, junctions=False)
    except InputError:
        assert expected is None  # SUMO lets these vehicles depart
        return
    assert expected is not None, "SUMO refuses it"
    demand = read_demand([routes], network, 0.0, END, net_file=net)
    waiting = demand.ignored.get("triggered vehicle", 0)
    assert waiting == traffic.departures.triggered
    assert set(demand.id) == {id for id in expected if id in set(demand.id)}  # SUMO has all of ours
    assert len(expected) == len(demand) + waiting + 0 * traffic.departures.flows
    if not traffic.departures.flows:
        assert traffic.departures.due == len(demand)


def write(path: Path, rows: list[str], encoding: str) -> Path:
    text = f'<?xml version="1.0" encoding="{encoding}"?>\n<routes>{chr(10).join(rows)}</routes>'
    path.write_bytes(text.encode(encoding))
    return path


encodings = st.sampled_from(["UTF-8", "ISO-8859-1", "UTF-16", "windows-1252", "utf-32"])


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(rows=elements(), encoding=encodings)
def test_we_read_a_demand_as_sumo_does(
    tmp_path_factory: pytest.TempPathFactory, network: tuple[Path, Network], rows: list[str], encoding: str
) -> None:
    folder = tmp_path_factory.mktemp("d")
    agrees(*network, write(folder / "d.rou.xml", rows, encoding))


@pytest.mark.slow
@settings(max_examples=1500, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=elements(), encoding=encodings)
def test_we_read_many_demands_as_sumo_does(
    tmp_path_factory: pytest.TempPathFactory, network: tuple[Path, Network], rows: list[str], encoding: str
) -> None:
    folder = tmp_path_factory.mktemp("d")
    agrees(*network, write(folder / "d.rou.xml", rows, encoding))


PLACES = """<additional>
    <busStop id="halt" lane="B1C1_0" startPos="20" endPos="60"/>
    <parkingArea id="park" lane="C1C0_0" startPos="20" endPos="60" roadsideCapacity="5"/>
</additional>
"""
BY_STOPS = {  # what a trip or flow says of its way, without <route> and via
    "nothing but stops": ("", '<stop lane="A0B0_0" duration="1"/><stop edge="C0C1" duration="1"/>'),
    "one stop": ("", '<stop lane="A0B0_0" duration="1"/>'),
    "a bus stop": ('from="A0B0" to="C0D0"', '<stop busStop="halt" duration="1"/>'),
    "a bus stop, then a car park": (
        'from="A0B0"',
        '<stop busStop="halt" duration="1"/><stop parkingArea="park" duration="1"/>',
    ),
    "a destination": ('to="C0D0"', '<stop lane="A1A0_0" duration="1"/><stop busStop="halt" duration="1"/>'),
    "twice at one place": (
        "",
        2 * '<stop edge="B0B1" duration="1"/>' + '<stop busStop="halt" duration="1"/>',
    ),
    "via wins": ('from="A0B0" via="B1C1" to="C0D0"', '<stop edge="B1C1" duration="1"/>'),
}


@pytest.fixture(scope="module")
def block(tmp_path_factory: pytest.TempPathFactory, sumo_tool: Callable[..., Path]) -> tuple[Path, Network]:
    folder = tmp_path_factory.mktemp("stops")
    size = ("--grid.x-number", "4", "--grid.y-number", "2", "--grid.length", "100")
    path = sumo_tool("netgenerate", folder / "block.net.xml", "--grid", *size)
    return path, load_network(path)


@pytest.mark.parametrize("kind", ["trip", "flow"])
@pytest.mark.parametrize("case", BY_STOPS)
def test_stops_are_part_of_the_way_as_in_sumo(
    tmp_path: Path, block: tuple[Path, Network], case: str, kind: str
) -> None:
    net, network = block
    ends, stops = BY_STOPS[case]
    when = 'depart="3"' if kind == "trip" else 'begin="3" end="9" number="1"'
    routes = write(tmp_path / "d.rou.xml", [f'<{kind} id="v" {when} {ends}>{stops}</{kind}>'], "UTF-8")
    (tmp_path / "places.add.xml").write_text(PLACES, encoding="utf-8")
    command = [str(sumo_binary()), "-n", str(net), "-r", str(routes), "-a", "places.add.xml", "-e", "300"]
    done = subprocess.run(
        [*command, "--no-step-log", "--vehroute-output", "ways.xml"],
        cwd=tmp_path,
        env=sumo_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (way,) = re.findall(r' edges="([^"]*)"', (tmp_path / "ways.xml").read_text("utf-8"))
    read_traffic(routes, 0.0, 300.0, network.edges, junctions=False)
    additional = [tmp_path / "places.add.xml"]
    demand = read_demand([routes], network, 0.0, 300.0, net_file=net, type_files=additional)
    assert [demand.routes[i] for i in demand.route] == [tuple(way.split())]


@pytest.mark.parametrize("body", ["", '<param key="a" value="b"/>'])
@pytest.mark.parametrize("head", ['trip id="v"\n depart="3"', 'flow id="v"\n begin="3" end="9" number="1"'])
def test_who_leads_nowhere_is_refused_at_its_line(
    tmp_path: Path, block: tuple[Path, Network], head: str, body: str
) -> None:
    tag = head.partition(" ")[0]
    routes = write(tmp_path / "d.rou.xml", [f"<{head}>\n{body}\n</{tag}>"], "UTF-8")
    with pytest.raises(InputError, match=rf"line 2: {tag} 'v' has no route, and no origin .* or stops"):
        read_traffic(routes, 0.0, 300.0, block[1].edges, junctions=False)


def test_a_stop_at_an_unknown_place_is_refused(tmp_path: Path, block: tuple[Path, Network]) -> None:
    rows = ['<trip id="v" depart="3"><stop busStop="nowhere" duration="1"/></trip>']
    routes = write(tmp_path / "d.rou.xml", rows, "UTF-8")
    with pytest.raises(InputError, match="stop of 'v': the busStop 'nowhere' is not known"):
        read_demand([routes], block[1], 0.0, 300.0, net_file=block[0])
