"""``import osm``: from an OpenStreetMap extract to a folder that is a place, with a report of what was guessed."""

from __future__ import annotations

import tempfile
import xml.etree.ElementTree as ET
from importlib.resources import as_file, files
from pathlib import Path

from networks import sumo_tools
from networks.importing import start
from networks.importing.folder import config_name, new_folder
from networks.importing.report import Guesses, ImportReport
from networks.osm import clean, motorbikes
from networks.osm.extract import Box, Extract, crop, read
from networks.osm.levels import name_levels
from sim.text import Text

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
    # Join the two carriageways of a crossing although they are parallel; left apart, their junctions are joined by
    # edges of less than a metre where nobody can wait, and the crossing locks (docs/import.md).
    "--junctions.join.parallel-threshold", "0",
    # Vietnamese signals are mapped at the stop lines of each approach: gather them to one signal a junction.
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
    demand: start.Demand,
) -> ImportReport:
    """Import an OpenStreetMap extract (.osm, .gz, .bz2, .pbf) into ``folder``, which must not exist or be empty.

    Writes ``net.net.xml``, ``demand.rou.xml``, a ``.sumocfg`` and the report in three forms. ``bbox`` is west,
    south, east, north in degrees; ``demand`` the synthetic demand that is asked for. Raises InputError for an
    extract without streets and WorldError when netconvert fails; then ``folder`` holds nothing.
    """
    config = config_name(name)
    guesses = Guesses()
    extract = read(source, guesses)
    if bbox is not None:
        extract = crop(extract, bbox)
    extract = clean.fill(extract, guesses)
    name_levels(extract, guesses)
    with new_folder(folder) as draft:
        net = _net(extract, guesses)
        comment = f"{name}: imported from OpenStreetMap. {CREDIT}"
        outline = start.write_place(net, draft, config, comment=comment, demand=demand, guesses=guesses)
        report = outline.report(name, f"{source.name} (OpenStreetMap)", LICENCE)
        report.write(draft)
    return report


def _net(extract: Extract, guesses: Guesses) -> ET.Element:
    """Return the net that netconvert makes of the extract, with the motorcycle tags applied."""
    with (
        tempfile.TemporaryDirectory(prefix="denxanh-osm-") as name,
        as_file(files("networks") / "data") as data,
    ):
        folder = Path(name)
        clean.write(extract, folder / "streets.osm.xml")
        standard = sumo_tools.home() / "data" / "typemap" / "osmNetconvert.typ.xml"
        types = ["--type-files", f"{standard},{data / 'vietnam.typ.xml'}"]
        inputs = ["--osm-files", "streets.osm.xml", *types, *NETCONVERT, *start.SIGNALS, "-o", "net.net.xml"]
        start.count_warnings(sumo_tools.run("netconvert", inputs, folder=folder), guesses)
        net = ET.parse(folder / "net.net.xml").getroot()
    motorbikes.apply(net, extract, guesses)
    return net
