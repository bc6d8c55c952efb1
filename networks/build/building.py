"""Build a place: place file, plain XML, netconvert, demand, and one ``place.sumocfg`` in the cache."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import numpy as np

from denxanh.networks.build import cache, plain_xml, signal_programs, switching_times
from denxanh.networks.build import on_foot as people_on_foot
from denxanh.networks.build.on_foot import Arm
from denxanh.networks.build.place_folder import write_text
from denxanh.networks.build.signal_programs import Program
from denxanh.networks.place import pockets, reader, schema, vehicles
from denxanh.networks.place.place import Place
from denxanh.networks.place.vehicles import Fidelity
from denxanh.networks.traffic import routes_xml, synthetic_demand
from denxanh.networks.traffic.demand_origin import SYNTHETIC
from denxanh.sim.errors import InputError
from denxanh.sim.sumo import wheel

CONFIG = """<?xml version="1.0" encoding="UTF-8"?>
<!-- {comment} -->
<configuration>
    <input>
        <net-file value="net.net.xml"/>
        <route-files value="demand.rou.xml{walks}"/>{additional}
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
STEP = {"lane": "1", "sublane": "0.5"}  # s; with a step above the drivers' tau vehicles collide in SUMO
# m/s of right turns from shared lanes in `lane`, where nothing stands beside a vehicle that turns; in `sublane` it
# holds up those around it. Fitted to the delay there at two places (decision 1140)
SHARED_RIGHT_SPEED = 3.0
LATERAL_RESOLUTION = "0.35"  # m; a tenth of a lane of 3.5 m, two of them for a motorbike (decision 0890)

SOURCES = ("build", "place", "traffic")  # folders whose code is part of the cache key

NETCONVERT = [
    "--no-turnarounds", "true",
    "--output.street-names", "true",
    "--offset.disable-normalization", "true",
    "--junctions.corner-detail", "5",
    "--default.junctions.radius", "6",
]  # fmt: skip


def place_text(name: str) -> str:
    """Return the text of a built-in place's data file."""
    return (files("denxanh.networks") / "data" / Path(*name.split("/")) / "place.toml").read_text(
        encoding="utf-8"
    )


def load_place(
    name: str, *, period: str = "peak", hours: tuple[int, int] | None = None, year: int | None = None
) -> Place:
    """Return a built-in place without building it; the options are those of `reader.read`."""
    location = f"{name}/place.toml"
    file = schema.parse(place_text(name), location=location)
    return reader.read(file, location=location, period=period, hours=hours, year=year)


def build(
    name: str,
    *,
    fidelity: Fidelity = "lane",
    period: str = "peak",
    hours: tuple[int, int] | None = None,
    year: int | None = None,
    on_foot: bool = False,
) -> Path:
    """Return the ``place.sumocfg`` of a built-in place, building it if it is not in the cache.

    The options are those of `denxanh.networks.built_in.Choice`.
    """
    if fidelity not in STEP:
        raise InputError(f"there is no fidelity '{fidelity}'", remedy="choose lane or sublane")
    key = cache.digest(
        [place_text(name), period, repr(hours), repr(year), fidelity, repr(on_foot), *_dependencies()]
    )
    built = cache.get(
        f"{name.replace('/', '--')}-{fidelity}-{key}",
        lambda folder: write_place(
            load_place(name, period=period, hours=hours, year=year),
            folder,
            fidelity=fidelity,
            on_foot=on_foot,
        ),
    )
    return built / "place.sumocfg"


def _dependencies() -> list[str]:
    """Return what a built place depends on beside its place file: code, data files, versions of SUMO and NumPy."""
    rooms = [files("denxanh.networks") / name for name in SOURCES]
    modules = sorted(
        (f for room in rooms for f in room.iterdir() if f.name.endswith(".py")), key=lambda f: f.name
    )
    code = [module.read_text(encoding="utf-8") for module in modules]
    cities = (files("denxanh.networks") / "data" / "cities.toml").read_text(encoding="utf-8")
    return [*code, cities, vehicles.source(), wheel.sumo_version(), np.__version__]


def write_place(place: Place, folder: Path, *, fidelity: Fidelity, on_foot: bool = False) -> None:
    """Write ``net.net.xml``, ``demand.rou.xml`` and ``place.sumocfg`` of a place into ``folder``.

    A place whose plan changes during the day also has ``plans.add.xml``, one with bus lines ``stops.add.xml``, one with
    people on foot ``on-foot.rou.xml``.
    """
    comment = f"{place.name}: {place.title}. {place.credit}"
    slow = SHARED_RIGHT_SPEED if place.side_by_side and fidelity == "lane" else None
    net, programs, arms = _net(place, folder, on_foot=on_foot, shared_right=slow)
    additional = []
    if len(programs) > 1:
        write_text(folder / "plans.add.xml", switching_times.document(place.switches, programs))
        additional.append("plans.add.xml")
    if place.bus_stops:
        write_text(folder / "stops.add.xml", plain_xml.bus_stops(place, ET.fromstring(net)))
        additional.append("stops.add.xml")
    walks = ""
    if on_foot:
        write_text(folder / "on-foot.rou.xml", people_on_foot.walks(place, ET.fromstring(net), arms))
        walks = ",on-foot.rou.xml"
    write_text(folder / "net.net.xml", net.replace("?>\n", f"?>\n<!-- {comment} -->\n", 1))
    origin = (
        f"{SYNTHETIC}: {_saturation(place)} under the plan '{place.plan.name}' "
        f"({place.plan.source}), mix {place.demand.mix}, fidelity {fidelity}, seed {place.demand.seed}."
        f" {comment}"
    )
    traffic = [
        replace(v, route=pockets.expand(v.route, place.pockets))
        for v in synthetic_demand.vehicles(place, fidelity)
    ]
    write_text(folder / "demand.rou.xml", routes_xml.document(traffic, fidelity, origin))
    write_text(
        folder / "place.sumocfg",
        CONFIG.format(
            comment=origin,
            walks=walks,
            additional=_additional(additional),
            begin=f"{place.demand.begin:g}",
            end=f"{place.demand.end:g}",
            step=STEP[fidelity],
            lateral=_lateral(fidelity),
        ),
    )


def _saturation(place: Place) -> str:
    """Return the target degrees of saturation in words."""
    low, high = min(place.demand.saturation.values()), max(place.demand.saturation.values())
    return (
        f"degree of saturation {low:g}" if low == high else f"degrees of saturation from {low:g} to {high:g}"
    )


def _lateral(fidelity: Fidelity) -> str:
    """Return the line of the configuration that turns the sublane model on."""
    return f'\n        <lateral-resolution value="{LATERAL_RESOLUTION}"/>' if fidelity == "sublane" else ""


def _additional(names: list[str]) -> str:
    """Return the line of the configuration that names the additional files, if there are any."""
    return f'\n        <additional-files value="{",".join(names)}"/>' if names else ""


def _net(
    place: Place, folder: Path, *, on_foot: bool, shared_right: float | None
) -> tuple[str, dict[str, list[Program]], tuple[Arm, ...]]:
    """Return the network with the programs that run first, the programs of every plan by plan name, and the crossings.

    netconvert runs for the links and their conflicts, again without the crossings for which a plan has no time, and
    then with the programs.
    """
    write_text(folder / "plain.nod.xml", plain_xml.nodes(place))
    pavement = people_on_foot.PAVEMENT if on_foot else 0.0
    write_text(folder / "plain.edg.xml", plain_xml.edges(place, pavement=pavement))
    inputs = ["--node-files", "plain.nod.xml", "--edge-files", "plain.edg.xml"]
    inputs += ["--connection-files", "plain.con.xml", *NETCONVERT]
    arms = people_on_foot.arms(place) if on_foot else ()
    while True:
        crossings = people_on_foot.elements(arms)
        turns = plain_xml.connections(place, crossings, pavement=on_foot, shared_right=shared_right)
        write_text(folder / "plain.con.xml", turns)
        wheel.run_program("netconvert", [*inputs, "--output-file", "draft.net.xml"], folder=folder)
        programs = _programs(place, ET.parse(folder / "draft.net.xml").getroot())
        shown = [{(p.signal, c.over) for p in of_plan for c in p.crossings} for of_plan in programs.values()]
        kept = tuple(arm for arm in arms if all(arm in of_plan for of_plan in shown))
        if kept == arms:
            break
        arms = kept
    write_text(folder / "plain.tll.xml", plain_xml.programs(programs[place.running()[0].plan.name]))
    inputs = ["--sumo-net-file", "draft.net.xml", "--tllogic-files", "plain.tll.xml", *NETCONVERT]
    wheel.run_program("netconvert", [*inputs, "--output-file", "final.net.xml"], folder=folder)
    text = (folder / "final.net.xml").read_text(encoding="utf-8")
    # netconvert keeps its own program of the draft, "0", beside the new one.
    text = re.sub(r' *<tlLogic [^>]*programID="0".*?</tlLogic>\n', "", text, flags=re.DOTALL)
    text = _with_least_greens(text, programs[place.running()[0].plan.name])
    for path in [*folder.glob("plain.*"), *folder.glob("*.net.xml")]:
        path.unlink()
    # Remove the time stamp and the command line that netconvert writes at the head.
    return re.sub(r"<!-- generated on .*?-->\n*", "", text, count=1, flags=re.DOTALL), programs, arms


def _with_least_greens(net: str, of_plan: list[Program]) -> str:
    """Return the text of a network with the least durations of its programs, which netconvert leaves out."""
    for program in of_plan:
        head = net.index(f'<tlLogic id="{program.signal}"')
        end = net.index("</tlLogic>", head)
        logic = net[head:end]
        for phase in program.phases:
            if phase.least:
                state = f'state="{phase.state}"'
                logic = logic.replace(state, f'{state} minDur="{phase.least:g}"')
        net = net[:head] + logic + net[end:]
    return net


def _programs(place: Place, net: ET.Element) -> dict[str, list[Program]]:
    """Return the programs of every plan by plan name, for a network without them."""
    links = {s.node: signal_programs.links(net, s.node) for s in place.signals}
    crossings = {s.node: people_on_foot.crossings(net, s.node) for s in place.signals}
    return {
        switch.plan.name: [
            signal_programs.program(s, switch.plan, links[s.node], crossings[s.node]) for s in switch.signals
        ]
        for switch in place.running()
    }
