"""Building a place: data, plain XML, netconvert, demand, and one ``place.sumocfg`` in the cache."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import numpy as np

from networks import (
    cache,
    demand,
    plain_xml,
    pockets,
    reader,
    routes_xml,
    schema,
    signals,
    sumo_tools,
    switching,
    vehicles,
)
from networks.place import Place
from networks.signals import Program
from networks.vehicles import Fidelity
from sim.errors import InputError

CONFIG = """<?xml version="1.0" encoding="UTF-8"?>
<!-- {comment} -->
<configuration>
    <input>
        <net-file value="net.net.xml"/>
        <route-files value="demand.rou.xml"/>{additional}
    </input>
    <time>
        <begin value="{begin}"/>
        <end value="{end}"/>
        <step-length value="{step}"/>
    </time>
    <processing>
        <time-to-teleport value="300"/>{lateral}
    </processing>
</configuration>
"""
STEP = {"lane": "1", "sublane": "0.5"}  # s; a step above the drivers' tau makes SUMO's vehicles collide
LATERAL_RESOLUTION = "0.8"  # m; 0.4 doubles the time of computing for a few per cent more flow

# The modules that decide what is built; a change in one of them makes the cache miss.
BUILDER = (
    *(
        "building",
        "buses",
        "capacity",
        "demand",
        "geometry",
        "hours",
        "lanes",
        "law",
        "names",
        "place",
        "plain_xml",
        "pockets",
    ),
    *("reader", "routes_xml", "schema", "selectors", "signals", "switching", "timetable", "vehicles"),
)

NETCONVERT = [
    "--no-turnarounds", "true",
    "--output.street-names", "true",
    "--offset.disable-normalization", "true",
    "--junctions.corner-detail", "5",
    "--default.junctions.radius", "6",
]  # fmt: skip


def text_of(name: str) -> str:
    """Return the text of a built-in place's data file."""
    return (files("networks") / "data" / Path(*name.split("/")) / "place.toml").read_text(encoding="utf-8")


def place_of(
    name: str, *, period: str = "peak", hours: tuple[int, int] | None = None, year: int | None = None
) -> Place:
    """Return a built-in place as it is described, without building it; the choices are those of `reader.read`."""
    where = f"{name}/place.toml"
    file = schema.parse(text_of(name), where=where)
    return reader.read(file, where=where, period=period, hours=hours, year=year)


def build(
    name: str,
    *,
    fidelity: Fidelity = "lane",
    period: str = "peak",
    hours: tuple[int, int] | None = None,
    year: int | None = None,
) -> Path:
    """Return the ``place.sumocfg`` of a built-in place, built at most once for the same content."""
    if fidelity not in STEP:
        raise InputError(f"there is no fidelity '{fidelity}'", remedy="choose lane or sublane")
    key = cache.digest([text_of(name), period, repr(hours), repr(year), fidelity, *_builder()])
    made = cache.get(
        f"{name.replace('/', '--')}-{fidelity}-{key}",
        lambda folder: write(
            place_of(name, period=period, hours=hours, year=year), folder, fidelity=fidelity
        ),
    )
    return made / "place.sumocfg"


def _builder() -> list[str]:
    """Return what the result depends on beside the place: our code, the vehicle types, SUMO, numpy."""
    code = [(files("networks") / f"{name}.py").read_text(encoding="utf-8") for name in BUILDER]
    cities = (files("networks") / "data" / "cities.toml").read_text(encoding="utf-8")
    return [*code, cities, vehicles.source(), sumo_tools.sumo_version(), np.__version__]


def write(place: Place, folder: Path, *, fidelity: Fidelity) -> None:
    """Write ``net.net.xml``, ``demand.rou.xml`` and ``place.sumocfg`` of a place into ``folder``.

    A place whose plan changes gets ``plans.add.xml`` beside them, one with bus lines ``stops.add.xml``.
    """
    comment = f"{place.name}: {place.title}. {place.credit}"
    net, programs = _net(place, folder)
    additional = []
    if len(programs) > 1:
        _put(folder / "plans.add.xml", switching.document_of(place.switches, programs))
        additional.append("plans.add.xml")
    if place.bus_stops:
        _put(folder / "stops.add.xml", plain_xml.bus_stops(place, ET.fromstring(net)))
        additional.append("stops.add.xml")
    _put(folder / "net.net.xml", net.replace("?>\n", f"?>\n<!-- {comment} -->\n", 1))
    origin = (
        f"SYNTHETIC demand, not counted: degree of saturation {place.demand.saturation:g} under the"
        f" plan '{place.plan.name}', mix {place.demand.mix}, fidelity {fidelity}, seed {place.demand.seed}."
        f" {comment}"
    )
    traffic = [
        replace(v, route=pockets.expand(v.route, place.pockets)) for v in demand.vehicles(place, fidelity)
    ]
    _put(folder / "demand.rou.xml", routes_xml.document(traffic, fidelity, origin))
    _put(
        folder / "place.sumocfg",
        CONFIG.format(
            comment=origin,
            additional=_additional(additional),
            begin=f"{place.demand.begin:g}",
            end=f"{place.demand.end:g}",
            step=STEP[fidelity],
            lateral=_lateral(fidelity),
        ),
    )


def _lateral(fidelity: Fidelity) -> str:
    """Return the line of the configuration that turns the sublane model on."""
    return f'\n        <lateral-resolution value="{LATERAL_RESOLUTION}"/>' if fidelity == "sublane" else ""


def _additional(names: list[str]) -> str:
    """Return the line of the configuration that names the additional files, if there are any."""
    return f'\n        <additional-files value="{",".join(names)}"/>' if names else ""


def _put(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def _net(place: Place, folder: Path) -> tuple[str, dict[str, list[Program]]]:
    """Return the net with the programs that run first, and the programs of every plan by its name.

    netconvert runs once for the links and their conflicts, once more with the programs.
    """
    _put(folder / "plain.nod.xml", plain_xml.nodes(place))
    _put(folder / "plain.edg.xml", plain_xml.edges(place))
    _put(folder / "plain.con.xml", plain_xml.connections(place))
    inputs = ["--node-files", "plain.nod.xml", "--edge-files", "plain.edg.xml"]
    inputs += ["--connection-files", "plain.con.xml", *NETCONVERT]
    sumo_tools.run("netconvert", [*inputs, "--output-file", "draft.net.xml"], folder=folder)
    draft = ET.parse(folder / "draft.net.xml").getroot()
    links = {s.node: signals.links(draft, s.node) for s in place.signals}
    programs = {
        now.plan.name: [signals.program(s, now.plan, links[s.node]) for s in now.signals]
        for now in place.running()
    }
    _put(folder / "plain.tll.xml", plain_xml.programs(programs[place.running()[0].plan.name]))
    inputs = ["--sumo-net-file", "draft.net.xml", "--tllogic-files", "plain.tll.xml", *NETCONVERT]
    sumo_tools.run("netconvert", [*inputs, "--output-file", "final.net.xml"], folder=folder)
    text = (folder / "final.net.xml").read_text(encoding="utf-8")
    # netconvert keeps the program it guessed in the draft, "0", beside ours.
    text = re.sub(r' *<tlLogic [^>]*programID="0".*?</tlLogic>\n', "", text, flags=re.DOTALL)
    for path in [*folder.glob("plain.*"), *folder.glob("*.net.xml")]:
        path.unlink()
    # netconvert heads its output with a time stamp and its own command line.
    return re.sub(r"<!-- generated on .*?-->\n*", "", text, count=1, flags=re.DOTALL), programs
