"""``import osm``: convert an OpenStreetMap extract into the folder of a place, with a report of assumptions."""

from __future__ import annotations

import tempfile
import xml.etree.ElementTree as ET
from dataclasses import replace
from importlib.resources import as_file, files
from pathlib import Path

from denxanh.networks.build.place_folder import config_name, new_folder
from denxanh.networks.importing import starting_demand
from denxanh.networks.importing.import_report import ImportNotes, ImportReport
from denxanh.networks.importing.osm import clean, motorbikes
from denxanh.networks.importing.osm.country import in_vietnam
from denxanh.networks.importing.osm.extract import Box, Extract, crop, read
from denxanh.networks.importing.osm.levels import find_grade_separations
from denxanh.networks.importing.osm.side import side_of
from denxanh.sim.language.text import Text
from denxanh.sim.sumo import wheel

CREDIT = "© OpenStreetMap contributors, ODbL 1.0"
LICENCE = Text(
    "Map data © OpenStreetMap contributors, ODbL 1.0 (openstreetmap.org/copyright); the network built from it"
    " is under the same licence.",
    "Dữ liệu bản đồ © những người đóng góp OpenStreetMap, ODbL 1.0 (openstreetmap.org/copyright); mạng lưới dựng từ"
    " đó theo cùng giấy phép.",
)
VIETNAM = Text(
    "The streets lie in Vietnam (by coordinates and names): what the map does not say is filled by Vietnamese law and "
    "practice; --defaults sumo leaves it to netconvert.",
    "Các đường nằm ở Việt Nam (theo tọa độ và tên đường): những gì bản đồ không ghi được điền theo luật và thực tế "
    "Việt Nam; --defaults sumo để netconvert quyết định.",
)
ELSEWHERE = Text(
    "The streets do not lie in Vietnam (by coordinates and names): lanes and speeds that the map does not say are "
    "netconvert's defaults, no country's law; --defaults vietnam fills them by Vietnamese law and practice.",
    "Các đường không nằm ở Việt Nam (theo tọa độ và tên đường): số làn và tốc độ không có trong bản đồ theo mặc định "
    "của netconvert, không theo luật nước nào; --defaults vietnam điền theo luật và thực tế Việt Nam.",
)
VIETNAM_ASKED = Text(
    "What the map does not say is filled by Vietnamese law and practice, as asked for.",
    "Những gì bản đồ không ghi được điền theo luật và thực tế Việt Nam, như yêu cầu.",
)
NETCONVERT_ASKED = Text(
    "Lanes and speeds that the map does not say are netconvert's defaults, as asked for.",
    "Số làn và tốc độ không có trong bản đồ theo mặc định của netconvert, như yêu cầu.",
)
NETCONVERT = [
    "--geometry.remove", "true",
    "--junctions.join", "true",
    # Join the two carriageways of a crossing although they are parallel; otherwise their junctions are connected by
    # edges of less than a metre without storage, and the crossing locks (docs/import.md).
    "--junctions.join.parallel-threshold", "0",
    # Vietnamese signals are mapped at the stop lines of each approach: join them into one signal per junction.
    "--tls.guess-signals", "true",
    "--tls.guess-signals.dist", "30",
    "--tls.discard-simple", "true",
    "--tls.join", "true",
    "--remove-edges.isolated", "true",
    "--keep-edges.components", "1",
    "--no-turnarounds", "true",
    "--output.street-names", "true",
    "--output.original-names", "true",
]  # fmt: skip


def import_osm(
    source: Path,
    folder: Path,
    *,
    name: str,
    bbox: Box | None = None,
    demand: starting_demand.Demand,
    lefthand: bool | None = None,
    vietnam: bool | None = None,
) -> ImportReport:
    """Import an OpenStreetMap extract (.osm, .gz, .bz2, .pbf) into ``folder``, which must not exist or be empty.

    Writes ``net.net.xml``, ``demand.rou.xml``, a ``.sumocfg`` and the report in three forms. ``bbox`` is west,
    south, east, north in degrees; ``demand`` the synthetic demand that is asked for. ``lefthand`` says on which side
    traffic drives, ``vietnam`` whether Vietnamese law and practice fill in what the map does not say; None: as the
    extract shows. Raises InputError for an extract without streets and WorldError when netconvert fails; then
    ``folder`` holds nothing.
    """
    config = config_name(name)
    notes = ImportNotes()
    extract = read(source, notes)
    if bbox is not None:
        extract = crop(extract, bbox)
    home = in_vietnam(extract)
    if vietnam is None:
        vietnam = home
        notes.add_finding(VIETNAM if home else ELSEWHERE)
    else:
        notes.add_finding(VIETNAM_ASKED if vietnam else NETCONVERT_ASKED)
    lefthand = _side(extract, lefthand, home, notes)
    if not vietnam and demand.mix is None:
        demand = replace(demand, mix=starting_demand.CARS)
    extract = clean.complete_tags(extract, notes, vietnam=vietnam)
    find_grade_separations(extract, notes)
    with new_folder(folder) as draft:
        net = _net(extract, notes, lefthand=lefthand, vietnam=vietnam)
        comment = f"{name}: imported from OpenStreetMap. {CREDIT}"
        outline = starting_demand.write_place(net, draft, config, comment=comment, demand=demand, notes=notes)
        report = outline.report(name, f"{source.name} (OpenStreetMap)", LICENCE)
        report.write(draft)
    return report


def _side(extract: Extract, asked: bool | None, home: bool, notes: ImportNotes) -> bool:
    """Return whether traffic drives on the left, and note how that is known; ``home``: in Vietnam, on the right."""
    shown = side_of(extract)
    sides = f"{shown.left} left, {shown.right} right", f"{shown.left} bên trái, {shown.right} bên phải"
    lefthand = asked if asked is not None else False if home else bool(shown.lefthand)
    if asked is None and not home and shown.lefthand is None:
        notes.add_finding(
            Text(
                "On which side traffic drives is not clear from the map (driving_side, roundabouts, divided streets: "
                f"{sides[0]}): the right is assumed; --left-hand changes it.",
                "Bản đồ không cho biết rõ xe đi bên nào (driving_side, vòng xuyến, đường đôi: "
                f"{sides[1]}): giả định đi bên phải; dùng --left-hand để đổi.",
            )
        )
    elif shown.lefthand is not None and (lefthand is not shown.lefthand or (asked is None and not home)):
        taken, taken_vi = ("left", "bên trái") if lefthand else ("right", "bên phải")
        notes.add_finding(
            Text(
                f"Traffic is taken to drive on the {taken}; what the map shows (driving_side, roundabouts, divided "
                f"streets): {sides[0]}.",
                f"Coi như xe đi {taken_vi}; bản đồ cho thấy (driving_side, vòng xuyến, đường đôi): {sides[1]}.",
            )
        )
    if lefthand:
        notes.add_content(Text("left-hand traffic", "giao thông bên trái"))
    return lefthand


def _net(extract: Extract, notes: ImportNotes, *, lefthand: bool, vietnam: bool) -> ET.Element:
    """Return the net that netconvert makes of the extract, with the motorcycle tags applied."""
    with (
        tempfile.TemporaryDirectory(prefix="denxanh-osm-") as name,
        as_file(files("denxanh.networks") / "data") as data,
    ):
        folder = Path(name)
        clean.write(extract, folder / "streets.osm.xml")
        standard = wheel.sumo_home() / "data" / "typemap" / "osmNetconvert.typ.xml"
        types = ["--type-files", f"{standard},{data / 'vietnam.typ.xml'}" if vietnam else str(standard)]
        side = ["--lefthand", "true"] if lefthand else []
        options = [*types, *NETCONVERT, *side, *starting_demand.SIGNALS]
        inputs = ["--osm-files", "streets.osm.xml", *options, "-o", "net.net.xml"]
        starting_demand.count_warnings(wheel.run_program("netconvert", inputs, folder=folder), notes)
        net = ET.parse(folder / "net.net.xml").getroot()
    motorbikes.apply(net, extract, notes, lefthand=lefthand)
    return net
