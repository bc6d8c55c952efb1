"""Adopting SUMO files, and the formats that go through netconvert: a small grid, exported and read back."""

import gzip
import json
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from denxanh.experiments.optimize.tuning_problem import demand_of
from denxanh.experiments.report.decision.cautions import SYNTHETIC, cautions
from denxanh.networks.build.place_folder import new_folder
from denxanh.networks.built_in import NOTE_OF_IMPORT
from denxanh.networks.importing.netconvert_import import import_network
from denxanh.networks.importing.starting_demand import Demand
from denxanh.networks.importing.sumo_import import import_sumo
from denxanh.networks.scenarios import open_scenario
from denxanh.sim.errors import InputError
from denxanh.sim.language.text import same
from denxanh.sim.network_reader import network_of
from denxanh.sim.sumo import wheel

DEMAND = Demand(0.3, 600, 1, check=False)
VISUM = """$VISION
$VERSION:VERSNR;FILETYPE;LANGUAGE;UNIT
4.00;Net;ENG;KM

$VSYS:CODE;NAME;TYPE;PCU
CAR;Car;PrT;1

$LINKTYPE:NO;NAME;NUMLANES;CAPPRT;V0PRT;TSYSSET;RANK
10;Street;2;1800;50km/h;CAR;1

$NODE:NO;XCOORD;YCOORD
1;0;0
2;400;0
3;800;0
4;400;400
5;400;-400

$LINK:NO;FROMNODENO;TONODENO;NAME;TYPENO;TSYSSET;LENGTH;NUMLANES;CAPPRT;V0PRT
1;1;2;Street;10;CAR;0.400km;2;1800;50km/h
1;2;1;Street;10;CAR;0.400km;2;1800;50km/h
2;2;3;Street;10;CAR;0.400km;2;1800;50km/h
2;3;2;Street;10;CAR;0.400km;2;1800;50km/h
3;2;4;Street;10;CAR;0.400km;2;1800;50km/h
3;4;2;Street;10;CAR;0.400km;2;1800;50km/h
4;5;2;Street;10;CAR;0.400km;2;1800;50km/h
4;2;5;Street;10;CAR;0.400km;2;1800;50km/h
"""


@pytest.fixture(scope="module")
def grid(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("grid")
    size = ["--grid.number", "2", "--grid.length", "300", "--grid.attach-length", "300", "-L", "2"]
    wheel.run_program(
        "netgenerate",
        ["--grid", *size, "-j", "traffic_light", "--no-turnarounds", "-o", "g.net.xml"],
        folder=folder,
    )
    out = ["--opendrive-output", "g.xodr", "--matsim-output", "g.xml", "--plain-output-prefix", "g"]
    wheel.run_program("netconvert", ["-s", "g.net.xml", *out], folder=folder)
    (folder / "v.net").write_text(VISUM, encoding="latin-1")
    return folder


def test_routes_and_a_net_become_a_place(grid: Path, tmp_path: Path) -> None:
    routes = tmp_path / "giờ, cao điểm.rou.xml"
    routes.write_text(
        '<routes><flow id="f" from="left0A0" to="B0right0" begin="0" end="60" number="5"/></routes>'
    )
    report = import_sumo(grid / "g.net.xml", tmp_path / "out", name="x", demand=DEMAND, routes=[routes])
    assert (report.signals, report.vehicles, report.demand) == (4, 1, same(""))
    scenario = open_scenario(str(tmp_path / "out"))
    assert [p.name for p in scenario.routes] == ["giờ--cao-điểm.rou.xml"]
    assert (tmp_path / "out" / "net.net.xml").read_bytes() == (grid / "g.net.xml").read_bytes()


def test_a_configuration_is_taken_over_with_the_files_that_its_files_read(grid: Path, tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.mkdir()
    packed = source / "n.net.xml.gz"
    packed.write_bytes(gzip.compress((grid / "g.net.xml").read_bytes()))
    (source / "signs.xml").write_text('<variableSpeedSign><step time="0" speed="5"/></variableSpeedSign>')
    (source / "a.add.xml").write_text(
        '<additional><variableSpeedSign id="v" lanes="left0A0_0" file="signs.xml"/>'
        '<edgeData id="e" file="out.xml"/></additional>'
    )
    (source / "a.rou.xml").write_text(
        '<routes><vehicle id="0" depart="25200"><route edges="left0A0 A0B0"/></vehicle></routes>'
    )
    (source / "s.sumocfg").write_text(
        '<configuration><net-file value="n.net.xml.gz"/><route-files value="a.rou.xml"/>'
        '<additional-files value="a.add.xml"/><begin value="07:00:00"/><step-length value="0.5"/>'
        '<lateral-resolution value="0.8"/><netstate-dump value="all.xml"/></configuration>'
    )
    report = import_sumo(source / "s.sumocfg", tmp_path / "out", name="Thử", demand=DEMAND)
    shutil.rmtree(source)
    scenario = open_scenario(str(tmp_path / "out"))
    assert (scenario.name, scenario.begin, scenario.step) == ("thu", 25200, 0.5)
    assert scenario.options == {"lateral-resolution": "0.8"}
    assert (tmp_path / "out" / "signs.xml").is_file()
    assert any("netstate-dump" in f.en for f in report.notes.findings)
    assert any("No end" in f.en for f in report.notes.findings)


@pytest.mark.parametrize(
    ("kind", "file", "signals"),
    [("opendrive", "g.xodr", 4), ("matsim", "g.xml", 0), ("plain", "g.nod.xml", 4), ("visum", "v.net", 0)],
)
def test_netconvert_reads_other_formats(
    kind: str, file: str, signals: int, grid: Path, tmp_path: Path
) -> None:
    report = import_network(kind, grid / file, tmp_path / "out", name="x", demand=DEMAND)
    assert report.signals == signals
    assert report.vehicles > 20
    open_scenario(str(tmp_path / "out"))
    written = json.loads((tmp_path / "out" / "import.json").read_text(encoding="utf-8"))
    assert written["guesses"]["findings"] == [f.en for f in report.notes.findings]
    assert any("--guess-signals" in f.en for f in report.notes.findings) == (not signals)


def test_signals_can_be_guessed(grid: Path, tmp_path: Path) -> None:
    report = import_network(
        "matsim", grid / "g.xml", tmp_path / "out", name="x", demand=DEMAND, guess_signals=True
    )
    assert report.signals == len(ET.parse(tmp_path / "out" / "net.net.xml").findall("tlLogic")) > 0


@pytest.mark.parametrize("made", [True, False])
def test_a_folder_appears_whole_or_not_at_all(
    made: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = Path("x")
    if made:
        folder.mkdir()
    with pytest.raises(InputError), new_folder(folder) as draft:
        import_sumo(Path("missing.sumocfg"), draft / "a", name="a", demand=DEMAND)
    assert sorted(tmp_path.rglob("*")) == ([tmp_path / "x"] if made else [])
    with new_folder(folder) as draft:
        (draft / "a").touch()
    assert sorted(tmp_path.rglob("*")) == [tmp_path / "x", tmp_path / "x" / "a"]
    with pytest.raises(InputError, match="the folder is not empty"), new_folder(folder):
        pass


@pytest.mark.parametrize(
    ("kind", "file", "content", "expected"),
    [
        ("opendrive", "a.xodr", "<html/>", "found no street in it|cannot read this as OpenDRIVE"),
        ("visum", "a.net", "$NONSENSE", "found no street in it|cannot read this as PTV Visum"),
        ("vissim", "a.inpx", "<network/>", "found no street in it|cannot read this as PTV Vissim"),
        ("matsim", "a.txt", "", "a file name of MATSim network ends in .xml"),
        ("plain", "a.nod.xml", "<nodes/>", "there is no .edg.xml beside it"),
        ("plain", "missing.nod.xml", None, "there is no such file"),
    ],
)
def test_a_file_that_is_not_of_its_kind_is_refused_and_leaves_nothing(
    kind: str, file: str, content: str | None, expected: str, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / file).write_text(content)
    with pytest.raises(InputError, match=expected):
        import_network(kind, tmp_path / file, tmp_path / "out", name="x", demand=DEMAND)
    assert [p.name for p in tmp_path.iterdir()] == ([file] if content is not None else [])


ZONES = """
$ZONE:NO;CODE;NAME;TYPENO;XCOORD;YCOORD
101;;West;0;-100;0
102;;East;0;900;0

$CONNECTOR:ZONENO;NODENO;DIRECTION;TYPENO;TSYSSET;LENGTH;WEIGHT(PRT)
101;1;O;0;CAR;0.1km;100
101;1;D;0;CAR;0.1km;100
102;3;O;0;CAR;0.1km;100
102;3;D;0;CAR;0.1km;100
"""
TRIPS = '<routes><trip id="a" fromTaz="101" toTaz="102" depart="0"/></routes>'


@pytest.fixture
def zoned(tmp_path: Path) -> Path:
    """A Visum network with two zones, as every export for an assignment has them."""
    path = tmp_path / "z.net"
    path.write_text(VISUM + ZONES, encoding="latin-1")
    return path


def test_zones_of_a_visum_network_are_kept_beside_the_net(zoned: Path, tmp_path: Path) -> None:
    report = import_network("visum", zoned, tmp_path / "place", name="z", demand=DEMAND)
    assert any("traffic zones" in kind.en and n == 2 for kind, n in report.notes.contents.items())
    text = (tmp_path / "place" / "zones.taz.xml").read_text("utf-8")
    assert {t.get("id") for t in ET.fromstring(text).iterfind("taz")} == {"101", "102"}
    assert "netconvert" not in text  # neither a date nor a path: the same source gives the same bytes
    assert network_of(open_scenario(str(tmp_path / "place"))).edges


def test_a_network_with_zones_in_it_is_read_as_sumo_reads_it(zoned: Path, tmp_path: Path) -> None:
    language = wheel.sumo_home() / "data" / "lang" / "visumEN.txt"
    options = ["--visum-file", zoned.name, "--visum.language-file", str(language), "-o", "z.net.xml"]
    wheel.run_program("netconvert", options, folder=tmp_path)
    assert "<tazSource" in (tmp_path / "z.net.xml").read_text("utf-8")
    (tmp_path / "t.rou.xml").write_text(TRIPS)
    scenario = open_scenario(f"{tmp_path / 'z.net.xml'}+{tmp_path / 't.rou.xml'}", end=60.0)
    network = network_of(scenario)
    demand = demand_of(scenario, network)
    (vehicle,) = demand.routes
    assert vehicle[0] in network.edges


@pytest.mark.parametrize("lefthand", [False, True])
def test_other_formats_are_mirrored_where_asked(lefthand: bool, grid: Path, tmp_path: Path) -> None:
    report = import_network(
        "matsim", grid / "g.xml", tmp_path / "out", name="x", demand=DEMAND, lefthand=lefthand
    )
    assert network_of(open_scenario(str(tmp_path / "out"))).lefthand is lefthand
    assert any(kind.en == "left-hand traffic" for kind in report.notes.contents) is lefthand


def test_a_place_with_an_invented_demand_says_so_until_another_takes_its_place(
    grid: Path, tmp_path: Path
) -> None:
    import_sumo(grid / "g.net.xml", tmp_path / "place", name="grid", demand=DEMAND)
    scenario = open_scenario(str(tmp_path / "place"))
    assert NOTE_OF_IMPORT in scenario.notes
    assert SYNTHETIC in cautions([], assumed_plan=False, notes=scenario.notes)
    (routes,) = scenario.routes
    assert NOTE_OF_IMPORT in open_scenario(f"{scenario.net}+{routes}").notes
    root = ET.parse(routes).getroot()  # written anew, as a demand from counts is
    ET.ElementTree(root).write(routes)
    counted = open_scenario(str(tmp_path / "place"))
    assert NOTE_OF_IMPORT not in counted.notes
    assert SYNTHETIC not in cautions([], assumed_plan=False, notes=counted.notes)
