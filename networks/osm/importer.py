"""``import osm``: from an OpenStreetMap extract to a folder that is a place, with a report of what was guessed."""

from __future__ import annotations

import re
import tempfile
import xml.etree.ElementTree as ET
from importlib.resources import as_file, files
from pathlib import Path

from networks import building, routes_xml, sumo_tools
from networks.osm import clean, motorbikes, plans, trips
from networks.osm.report import Guesses, ImportReport
from sim.errors import InputError

CREDIT = "© OpenStreetMap contributors, ODbL 1.0"
NETCONVERT = [
    "--geometry.remove", "true",
    "--junctions.join", "true",
    # Vietnamese signals are mapped at the stop lines of each approach: gather them to one signal a junction.
    "--tls.guess-signals", "true",
    "--tls.guess-signals.dist", "30",
    "--tls.discard-simple", "true",
    "--tls.join", "true",
    "--tls.default-type", "static",
    "--tls.cycle.time", "90",
    "--tls.yellow.time", "3",
    "--tls.allred.time", "2",
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
    bbox: clean.Box | None = None,
    saturation: float = 0.5,
    duration: int = 3600,
    seed: int = 1,
) -> ImportReport:
    """Import an OpenStreetMap extract (.osm, .osm.gz) into ``folder``, which must not exist yet or be empty.

    Writes ``net.net.xml``, ``demand.rou.xml``, ``place.sumocfg`` and ``about.md``, the report. ``bbox`` is west,
    south, east, north in degrees; ``saturation`` the degree of saturation that the synthetic demand stays
    below at nearly every approach; ``duration`` in s. Raises InputError for an extract without streets and
    WorldError when netconvert fails; then ``folder`` holds nothing.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError("the folder is not empty", where=str(folder), remedy="choose a new one")
    if not 0 < saturation <= 1:
        raise InputError(f"the degree of saturation is {saturation:g}", remedy="give one above 0, at most 1")
    guesses = Guesses()
    extract = clean.read(source)
    if bbox is not None:
        extract = clean.crop(extract, bbox)
    extract = clean.fill(extract, guesses)
    _name_levels(extract, guesses)
    net = _net(extract, guesses)
    vehicles = trips.starting_demand(net, saturation=saturation, duration=duration, seed=seed)
    report = ImportReport(
        name=name,
        source=source.name,
        signals=len({t.get("id") for t in net.iterfind("tlLogic")}),
        edges=sum(1 for e in net.iterfind("edge") if e.get("function") is None),
        vehicles=len(vehicles),
        guesses=guesses,
    )
    comment = f"{name}: imported from OpenStreetMap. {CREDIT}"
    origin = f"SYNTHETIC demand, not counted: trips between the ends of streets, seed {seed}. {comment}"
    folder.mkdir(parents=True, exist_ok=True)
    ET.indent(net)
    text = ET.tostring(net, encoding="unicode")
    _put(
        folder / "net.net.xml", f'<?xml version="1.0" encoding="UTF-8"?>\n<!-- {_safe(comment)} -->\n{text}\n'
    )
    _put(folder / "demand.rou.xml", routes_xml.document(vehicles, "lane", _safe(origin)))
    _put(folder / "about.md", report.markdown())
    config = building.CONFIG.format(
        comment=_safe(origin), end=duration, step=building.STEP["lane"], lateral=""
    )
    _put(folder / "place.sumocfg", config)
    return report


def _put(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def _safe(comment: str) -> str:
    """Return a comment that XML allows: without two hyphens in a row."""
    return re.sub("-{2,}", "-", comment)


def _name_levels(extract: clean.Extract, guesses: Guesses) -> None:
    """Name the bridges and tunnels of main streets: where they cross a junction, no signal sees their traffic."""
    for way in extract.ways:
        level = next((k for k in ("bridge", "tunnel") if way.tags.get(k, "no") != "no"), None)
        if level and way.tags["highway"] in ("motorway", "trunk", "primary", "secondary"):
            guesses.find(
                f"{way.tags.get('name', 'A street without a name')} ({way.tags['highway']}, {level}): grade-separated;"
                " its traffic does not meet the signals below or above."
            )


def _net(extract: clean.Extract, guesses: Guesses) -> ET.Element:
    """Return the net that netconvert makes of the extract, with motorcycle tags applied and cycles mended."""
    with (
        tempfile.TemporaryDirectory(prefix="denxanh-osm-") as name,
        as_file(files("networks") / "data") as data,
    ):
        folder = Path(name)
        clean.write(extract, folder / "streets.osm.xml")
        standard = sumo_tools.home() / "data" / "typemap" / "osmNetconvert.typ.xml"
        types = f"{standard},{data / 'vietnam.typ.xml'}"
        arguments = [
            "--osm-files",
            "streets.osm.xml",
            "--type-files",
            types,
            *NETCONVERT,
            "-o",
            "net.net.xml",
        ]
        words = sumo_tools.run("netconvert", arguments, folder=folder)
        guesses.count("warnings of netconvert", sum(1 for w in words.splitlines() if w.startswith("Warning")))
        net = ET.parse(folder / "net.net.xml").getroot()
    motorbikes.apply(net, extract, guesses)
    plans.mend(net, guesses)
    return net
