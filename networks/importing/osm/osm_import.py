"""``import osm``: convert an OpenStreetMap extract into the folder of a place, with a report of assumptions."""

from __future__ import annotations

import tempfile
import xml.etree.ElementTree as ET
from importlib.resources import as_file, files
from pathlib import Path

from denxanh.networks.build.place_folder import config_name, new_folder
from denxanh.networks.importing import starting_demand
from denxanh.networks.importing.import_report import ImportNotes, ImportReport
from denxanh.networks.importing.osm import clean, motorbikes
from denxanh.networks.importing.osm.extract import Box, Extract, crop, read
from denxanh.networks.importing.osm.levels import find_grade_separations
from denxanh.sim.language.text import Text
from denxanh.sim.sumo import wheel

CREDIT = "© OpenStreetMap contributors, ODbL 1.0"
LICENCE = Text(
    "Map data © OpenStreetMap contributors, ODbL 1.0 (openstreetmap.org/copyright); the network built from it"
    " is under the same licence.",
    "Dữ liệu bản đồ © những người đóng góp OpenStreetMap, ODbL 1.0 (openstreetmap.org/copyright); mạng lưới dựng từ"
    " đó theo cùng giấy phép.",
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
) -> ImportReport:
    """Import an OpenStreetMap extract (.osm, .gz, .bz2, .pbf) into ``folder``, which must not exist or be empty.

    Writes ``net.net.xml``, ``demand.rou.xml``, a ``.sumocfg`` and the report in three forms. ``bbox`` is west,
    south, east, north in degrees; ``demand`` has the parameters of the synthetic demand. On an error ``folder``
    stays empty.

    Raises:
        InputError: the extract cannot be read or has no streets.
        WorldError: netconvert fails.
    """
    config = config_name(name)
    notes = ImportNotes()
    extract = read(source, notes)
    if bbox is not None:
        extract = crop(extract, bbox)
    extract = clean.complete_tags(extract, notes)
    find_grade_separations(extract, notes)
    with new_folder(folder) as draft:
        net = _net(extract, notes)
        comment = f"{name}: imported from OpenStreetMap. {CREDIT}"
        outline = starting_demand.write_place(net, draft, config, comment=comment, demand=demand, notes=notes)
        report = outline.report(name, f"{source.name} (OpenStreetMap)", LICENCE)
        report.write(draft)
    return report


def _net(extract: Extract, notes: ImportNotes) -> ET.Element:
    """Return the converted network, with the motorcycle tags applied."""
    with (
        tempfile.TemporaryDirectory(prefix="denxanh-osm-") as name,
        as_file(files("denxanh.networks") / "data") as data,
    ):
        folder = Path(name)
        clean.write(extract, folder / "streets.osm.xml")
        standard = wheel.sumo_home() / "data" / "typemap" / "osmNetconvert.typ.xml"
        types = ["--type-files", f"{standard},{data / 'vietnam.typ.xml'}"]
        inputs = [
            "--osm-files",
            "streets.osm.xml",
            *types,
            *NETCONVERT,
            *starting_demand.SIGNALS,
            "-o",
            "net.net.xml",
        ]
        starting_demand.count_warnings(wheel.run_program("netconvert", inputs, folder=folder), notes)
        net = ET.parse(folder / "net.net.xml").getroot()
    motorbikes.apply(net, extract, notes)
    return net
