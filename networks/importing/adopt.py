"""``import sumo``: a user's own SUMO files gathered into one folder that is a place, and what was assumed.

Nothing of the network or the traffic is changed: files are copied, a configuration is written that holds what a run
takes over, and everything that it leaves out is named. A net without routes gets a synthetic demand to start with.
"""

from __future__ import annotations

import math
import re
import shutil
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from networks.importing import folder as files
from networks.importing.report import Guesses, ImportReport
from networks.importing.start import Demand, Outline, add_demand
from networks.scenarios import read_config
from sim.errors import InputError
from sim.netfile import read_net
from sim.scenario import Scenario
from sim.sumo_input import check_routes
from sim.text import Text, same
from sim.xmlfile import parse, read_bytes

READ_BY = ("rerouter", "variableSpeedSign", "calibrator")  # additional objects whose ``file`` is an input
LICENCE = Text(
    "The files are the user's own, copied as they are.", "Các tệp là của người dùng, được chép nguyên vẹn."
)


def import_sumo(
    source: Path,
    folder: Path,
    *,
    name: str,
    demand: Demand,
    routes: Iterable[Path] = (),
    additional: Iterable[Path] = (),
) -> ImportReport:
    """Adopt a ``.sumocfg``, or a ``.net.xml[.gz]`` with route and additional files, into ``folder``.

    ``demand`` is made where the user has no routes. Raises InputError for files that are missing, cannot be read
    or are given twice, and for a folder that holds something.
    """
    config = files.config_name(name)
    guesses = Guesses()
    scenario = _scenario(source, tuple(routes), tuple(additional), guesses)
    read_net(scenario.net)  # refuses what is no network before anything is copied
    with files.new_folder(folder) as draft:
        outline = _write(scenario, draft, config, f"{name}: adopted from {source.name}", demand, guesses)
        report = outline.report(name, f"{source.name} (SUMO)", LICENCE)
        report.write(draft)
    return report


def _scenario(
    source: Path, routes: tuple[Path, ...], additional: tuple[Path, ...], guesses: Guesses
) -> Scenario:
    """Return what the user has; times that are not given are NaN (end) or SUMO's defaults."""
    if not source.is_file():
        raise InputError("there is no such file", where=str(source))
    if re.search(r"\.net\.xml(\.gz)?$", source.name):
        return Scenario(source.name, source, routes, additional, end=math.nan)
    if routes or additional:
        raise InputError(
            f"{source.name} names its files itself", remedy="give --routes and --additional with a .net.xml"
        )
    scenario = read_config(source)
    for note in scenario.notes:
        guesses.find(same(note + "."))  # as it is: it may begin with the name of a file
    return scenario


def _write(
    scenario: Scenario, draft: Path, config: str, comment: str, demand: Demand, guesses: Guesses
) -> Outline:
    taken: set[str] = {config.casefold()}
    net = files.NET + (".gz" if scenario.net.suffix == ".gz" else "")
    taken.add(net.casefold())
    shutil.copyfile(scenario.net, draft / net)
    root = parse(draft / net, kind="network file")
    values = {"net-file": net}
    route_names = [_copy(path, draft, taken, "route file") for path in scenario.routes]
    additional = [_copy_additional(path, draft, taken) for path in scenario.additional]
    sentence, vehicles = same(""), _vehicles(draft, [*route_names, *additional])
    synthetic = not route_names and not additional
    end = float(demand.duration) if synthetic else scenario.end
    if synthetic:
        route_names = [files.ROUTES]
    elif not vehicles:
        guesses.find(Text("The files name no vehicle and no flow.", "Các tệp không nêu xe hay dòng xe nào."))
    if route_names:
        values["route-files"] = ",".join(route_names)
    if additional:
        values["additional-files"] = ",".join(additional)
    values["begin"] = f"{scenario.begin:g}"
    if math.isnan(end):
        guesses.find(
            Text(
                "No end of the simulation is given: a run goes on for an hour after the last departure.",
                "Không ghi thời điểm kết thúc mô phỏng: lượt chạy kéo dài thêm một giờ sau khi xe cuối cùng xuất phát.",
            )
        )
    else:
        values["end"] = f"{end:g}"
    values["step-length"] = f"{scenario.step:g}"
    files.write_config(draft / config, comment, {**values, **scenario.options})
    if synthetic:
        guesses.count(
            Text("demand, which no file gives: synthetic", "lưu lượng không có trong tệp nào: giả lập")
        )
        sentence, vehicles = add_demand(root, draft, config, demand, guesses, comment=comment)
    _describe(root, guesses)
    return Outline(root, sentence, vehicles, guesses)


def _copy(path: Path, draft: Path, taken: set[str], kind: str) -> str:
    """Copy a file under its own name, made harmless for a SUMO configuration, and return the name."""
    check_routes(path, read_bytes(path, kind=kind))
    plain = re.sub(r"[^\w.+-]", "-", path.name)
    name, number = plain, 1
    while name.casefold() in taken:
        number += 1
        name = f"{number}-{plain}"
    taken.add(name.casefold())
    shutil.copyfile(path, draft / name)
    return name


def _copy_additional(path: Path, draft: Path, taken: set[str]) -> str:
    """Copy an additional file, and the files it reads."""
    root = parse(path, kind="additional file")
    name = _copy(path, draft, taken, "additional file")
    reads = [e for tag in READ_BY for e in root.iter(tag) if e.get("file")]
    for element in reads:
        element.set("file", _copy(path.parent / element.attrib["file"], draft, taken, "file it reads"))
    if reads:
        plain = name.removesuffix(".gz")
        ET.ElementTree(root).write(draft / plain, encoding="UTF-8", xml_declaration=True)
        if plain != name:
            (draft / name).unlink()
        return plain
    return name


def _vehicles(draft: Path, names: Iterable[str]) -> int:
    """Return how many vehicles and flows the files name; what a flow emits is seen in a run only."""
    tags = ("vehicle", "trip", "flow", "person", "personFlow", "container", "containerFlow")
    return sum(sum(1 for e in parse(draft / n, kind="file").iter() if e.tag in tags) for n in names)


def _describe(net: ET.Element, guesses: Guesses) -> None:
    """Note what kinds of signals there are: a run controls some and leaves others to SUMO."""
    kinds = Counter(program.get("type", "static") for program in net.iterfind("tlLogic"))
    for kind, number in sorted(kinds.items()):
        guesses.contain(Text(f"signal programs of type {kind}", f"chương trình tín hiệu loại {kind}"), number)
    if not kinds:
        guesses.find(
            Text(
                "The network has no signal program: there is nothing to control.",
                "Mạng lưới không có chương trình tín hiệu nào: không có gì để điều khiển.",
            )
        )
    classes = Counter(e.get("function", "") for e in net.iterfind("edge"))
    guesses.contain(Text("pedestrian crossings", "lối đi bộ qua đường"), classes["crossing"])
    if net.find("junction[@type='rail_crossing']") is not None:
        guesses.contain(
            Text("rail crossings", "đường ngang (giao cắt đường sắt)"),
            len(net.findall("junction[@type='rail_crossing']")),
        )
    if net.get("lefthand") == "true":
        guesses.contain(Text("left-hand traffic", "giao thông bên trái"), 1)
