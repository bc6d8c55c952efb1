"""Importing OpenStreetMap: a small town written for these tests, with the faults that Vietnamese data has."""

import gzip
import xml.etree.ElementTree as ET
import zlib
from pathlib import Path

import osmium
import pytest
from markupsafe import escape

from denxanh.networks.importing import plan_repair
from denxanh.networks.importing.import_report import ImportNotes, ImportReport
from denxanh.networks.importing.osm import import_osm
from denxanh.networks.importing.osm.extract import Box, read
from denxanh.networks.importing.permissions import allows
from denxanh.networks.importing.starting_demand import Demand
from denxanh.sim.errors import InputError
from denxanh.sim.sumo import wheel

DEMAND = Demand(0.4, 3600, 1)
TOWN = Path(__file__).with_name("small_town.osm")


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ImportReport]:
    folder = tmp_path_factory.mktemp("import") / "town"
    return folder, import_osm(TOWN, folder, name="thu/thi-tran", demand=DEMAND)


def lanes_of(net: ET.Element, street: str) -> list[ET.Element]:
    return [lane for e in net.iterfind("edge") if e.get("name") == street for lane in e.iterfind("lane")]


def test_the_town_has_its_two_signals_gathered_from_the_stop_lines(
    imported: tuple[Path, ImportReport],
) -> None:
    folder, report = imported
    assert report.signals == 2
    net = ET.parse(folder / "net.net.xml").getroot()
    for program in net.iterfind("tlLogic"):
        states = "".join(p.get("state", "") for p in program.iterfind("phase"))
        assert set("Gyr") <= set(states)


def test_the_report_is_a_page_in_two_languages_and_english_elsewhere(
    imported: tuple[Path, ImportReport],
) -> None:
    folder, report = imported
    page = (folder / "import.html").read_text(encoding="utf-8")
    assert report.notes.assumptions
    for kind in report.notes.assumptions:
        assert f'<span lang="en">{escape(kind.en)}</span><span lang="vi">{escape(kind.vi)}</span>' in page
    assert page.count('lang="en"') == page.count('lang="vi"') + 1  # the page itself begins in English
    english = (folder / "about.md").read_text("utf-8") + (folder / "import.json").read_text("utf-8")
    for words in ("Phỏng đoán", "Lưu lượng", "không ghi trong bản đồ"):
        assert words in page
        assert words not in english


def test_streets_get_legal_speeds_and_true_names(imported: tuple[Path, ImportReport]) -> None:
    net = ET.parse(imported[0] / "net.net.xml").getroot()
    main = lanes_of(net, "Đường Điện Biên Phủ")
    assert {lane.get("speed") for lane in main} == {"13.89"}  # two-way, undivided: 50 km/h
    assert {lane.get("speed") for lane in lanes_of(net, "Phố Huế")} == {"11.11"}  # tagged 40 km/h


def test_motorcycle_tags_close_lanes(imported: tuple[Path, ImportReport]) -> None:
    net = ET.parse(imported[0] / "net.net.xml").getroot()
    for edge in net.iterfind("edge"):
        kerb, *rest = [allows(lane, "motorcycle") for lane in edge.iterfind("lane")]
        if edge.get("name") == "Phố Huế" and edge.get("function") is None:
            assert kerb
            assert rest == [False]
            assert not allows(edge.findall("lane")[0], "passenger")
        if edge.get("name") == "Cầu vượt Thử":
            assert not kerb


def test_no_motorbike_is_sent_where_it_may_not_ride(imported: tuple[Path, ImportReport]) -> None:
    folder, _ = imported
    net = ET.parse(folder / "net.net.xml").getroot()
    closed = {e.get("id") for e in net.iterfind("edge") if e.get("name") == "Cầu vượt Thử"}
    for vehicle in ET.parse(folder / "demand.rou.xml").getroot().iterfind("vehicle"):
        if vehicle.get("type") == "motorbike":
            assert not closed & set(vehicle.find("route").get("edges", "").split())  # type: ignore[union-attr]


def test_the_report_counts_assumptions_and_names_findings(
    imported: tuple[Path, ImportReport],
) -> None:
    folder, _ = imported
    about = (folder / "about.md").read_text(encoding="utf-8")
    for needed in (
        "© OpenStreetMap contributors",
        "synthetic",
        "lanes of a tertiary street without the tag: 1",
        "direction 'no;yes' not understood, taken as two-way: 1",
        "turn arrows inconsistent with the lanes, ignored: 1",
        "street names normalised: 1",
        "Cầu vượt Thử is grade-separated (bridge): its traffic passes Phố Huế, Phố Trần Phú without signal",
        "footway ways: 1",
    ):
        assert needed in about


def test_an_hour_of_it_runs_in_bare_sumo(imported: tuple[Path, ImportReport], tmp_path: Path) -> None:
    folder, report = imported
    options = ["-c", str(folder / "thu-thi-tran.sumocfg"), "--no-step-log"]
    wheel.run_program("sumo", [*options, "--statistic-output", str(tmp_path / "s.xml")], folder=tmp_path)
    result = {g.tag: g.attrib for g in ET.parse(tmp_path / "s.xml").getroot()}
    assert result["teleports"]["total"] == result["safety"]["collisions"] == "0"
    assert int(result["vehicles"]["inserted"]) > 0.98 * report.vehicles > 100


def test_an_import_repeats_to_the_byte(imported: tuple[Path, ImportReport], tmp_path: Path) -> None:
    packed = tmp_path / "small_town.osm.gz"
    packed.write_bytes(gzip.compress(TOWN.read_bytes()))
    import_osm(packed, tmp_path / "again", name="thu/thi-tran", demand=DEMAND)
    for name in ("net.net.xml", "demand.rou.xml", "thu-thi-tran.sumocfg"):
        assert (tmp_path / "again" / name).read_bytes() == (imported[0] / name).read_bytes()


def test_pbf_holds_the_same_streets_as_xml(tmp_path: Path) -> None:
    with osmium.SimpleWriter(str(tmp_path / "town.osm.pbf")) as writer:
        for item in osmium.FileProcessor(str(TOWN)):
            writer.add(item)
    plain, packed = read(TOWN, ImportNotes()), read(tmp_path / "town.osm.pbf", ImportNotes())
    assert packed.ways == plain.ways
    assert packed.restrictions == plain.restrictions
    for id, (lat, lon, kind) in plain.nodes.items():
        assert packed.nodes[id] == (f"{float(lat):.7f}", f"{float(lon):.7f}", kind)


def number(value: int) -> bytes:
    """A varint."""
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def blob(content: bytes, *, kind: bytes = b"OSMData", says: int | None = None) -> bytes:
    """One blob of a PBF with zlib's best packing; ``says`` is the size that it claims."""
    packed = zlib.compress(content, 9)
    body = b"\x10" + number(len(content) if says is None else says) + b"\x1a" + number(len(packed)) + packed
    header = b"\x0a" + number(len(kind)) + kind + b"\x18" + number(len(body))
    return len(header).to_bytes(4, "big") + header + body


START = blob(b"\x22\x0eOsmSchema-V0.6\x22\x0aDenseNodes", kind=b"OSMHeader")


def nodes(count: int) -> bytes:
    """A block of ``count`` nodes, each one further than the last: a few thousand times smaller when packed."""
    dense = b"".join(bytes([tag]) + number(count) + b"\x02" * count for tag in (0x0A, 0x42, 0x4A))
    group = b"\x12" + number(len(dense)) + dense
    return b"\x0a\x02\x0a\x00\x12" + number(len(group)) + group


def test_a_pbf_that_fills_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused by the sizes that its blobs say, before osmium unpacks one."""
    path = tmp_path / "a.osm.pbf"
    path.write_bytes(START + blob(nodes(300_000)) * 8)
    assert path.stat().st_size < 100_000
    monkeypatch.setattr(osmium, "FileProcessor", lambda _: pytest.fail("it was unpacked"))
    with pytest.raises(InputError, match="unpacks to more than 10 times its size"):
        read(path, ImportNotes())


def test_a_pbf_whose_blobs_say_less_than_they_hold_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.osm.pbf"
    path.write_bytes(START + blob(nodes(100)))
    with pytest.raises(InputError, match="it contains no streets"):
        read(path, ImportNotes())
    path.write_bytes(START + blob(nodes(100), says=10))
    with pytest.raises(InputError, match="this is not OpenStreetMap PBF"):
        read(path, ImportNotes())


@pytest.mark.parametrize(
    "content",
    [
        START[:-3],
        START + b"\x00",
        START + b"\xff\xff\xff\xff",
        b"\x00\x00\x00\x02\x0b\x01",
        START + b"\x00\x00\x00\x00",
    ],
    ids=["cut", "one byte more", "a long header", "a group", "no header"],
)
def test_a_pbf_that_is_no_sequence_of_blobs_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.osm.pbf").write_bytes(content)
    with pytest.raises(InputError, match="its blobs are damaged"):
        read(tmp_path / "a.osm.pbf", ImportNotes())


def test_objects_that_an_editor_has_not_uploaded_keep_apart(tmp_path: Path) -> None:
    text = TOWN.read_text(encoding="utf-8").replace('<way id="103"', '<way id="-103"')
    (tmp_path / "drawn.osm").write_text(
        text.replace('<way id="102"', '<way action="delete" id="102"'), "utf-8"
    )
    ways = read(tmp_path / "drawn.osm", ImportNotes()).ways
    assert [way.id for way in ways] == ["100", "101", "900000000103"]


def test_a_bbox_cuts_streets(tmp_path: Path) -> None:
    report = import_osm(
        TOWN,
        tmp_path / "west",
        name="thu/tay",
        bbox=(105.799, 20.99, 105.8089, 21.01),
        demand=Demand(0.4, 600, 1, check=False),
    )
    assert report.signals == 1


@pytest.mark.parametrize(
    ("content", "name", "bbox", "expected"),
    [
        (b"<osm/>", "a.osm", None, "it contains no streets"),
        (b"<osm><node", "a.osm", None, "this is not OpenStreetMap XML"),
        (b"plain", "a.osm.gz", None, "this is not OpenStreetMap XML"),
        (b"", "a.osm.pbf", None, "PBF"),
        (TOWN.read_bytes(), "a.osm", (1.0, 2.0, 0.0, 3.0), "is empty"),
        (TOWN.read_bytes(), "a.osm", (1.0, 2.0, 3.0, 4.0), "no street inside the bbox"),
    ],
)
def test_a_file_that_cannot_be_imported_leaves_nothing(
    content: bytes, name: str, bbox: Box | None, expected: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=expected):
        import_osm(tmp_path / name, tmp_path / "out", name="x/y", bbox=bbox, demand=DEMAND)
    assert not (tmp_path / "out").exists()


def test_an_excessive_cycle_is_shortened_and_reported() -> None:
    green = '<phase duration="82" state="Gr"/><phase duration="3" state="yr"/>'
    net = ET.fromstring(
        f'<net><tlLogic id="cluster">{green * 4}</tlLogic><tlLogic id="good">{green}</tlLogic></net>'
    )
    notes = ImportNotes()
    plan_repair.shorten_cycles(net, notes)
    durations = [float(p.get("duration", "nan")) for p in net.iter("phase")]
    assert sum(durations[:8]) == 120
    assert durations[8:] == [82, 3]
    assert [finding.en for finding in notes.findings] == [
        "Signal 'cluster' had a cycle of 340 s in 4 stages, now 120 s: several junctions were joined into one;"
        " a manual plan is recommended."
    ]
