"""``import sumo``: copy a user's SUMO files into the folder of a place and report the assumptions.

Network and traffic are not changed: files are copied, a configuration with the supported options is written, and
ignored options are reported. A network without routes gets a synthetic demand.
"""

from __future__ import annotations

import math
import re
import shutil
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from denxanh.networks.build import place_folder as files
from denxanh.networks.importing.import_report import ImportNotes, ImportReport
from denxanh.networks.importing.starting_demand import Demand, Outline, add_demand
from denxanh.networks.scenarios import read_config
from denxanh.sim.errors import InputError
from denxanh.sim.language.text import Text, same
from denxanh.sim.scenario import Scenario
from denxanh.sim.sumo.netfile import read_net
from denxanh.sim.sumo.run_input import read_additional
from denxanh.sim.sumo.user_files import READS_FILE, inspect
from denxanh.sim.sumo.xmlfile import parse
from denxanh.sim.text_values import TRUE

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
    """Import a ``.sumocfg``, or a ``.net.xml[.gz]`` with route and additional files, into ``folder``.

    ``demand`` is generated if there are no routes.

    Raises:
        InputError: a file is missing, unreadable or given twice, or ``folder`` is not empty.
    """
    config = files.config_name(name)
    notes = ImportNotes()
    scenario = _scenario(source, tuple(routes), tuple(additional), notes)
    read_net(scenario.net)  # raises InputError for an invalid network before files are copied
    inspect(scenario.net, kind="network file")
    with files.new_folder(folder) as draft:
        outline = _write(scenario, draft, config, f"{name}: adopted from {source.name}", demand, notes)
        report = outline.report(name, f"{source.name} (SUMO)", LICENCE)
        report.write(draft)
    return report


def _scenario(
    source: Path, routes: tuple[Path, ...], additional: tuple[Path, ...], notes: ImportNotes
) -> Scenario:
    """Return the user's scenario; times that are not given are NaN (end) or SUMO's defaults."""
    files.require_file(source)
    if re.search(r"\.net\.xml(\.gz)?$", source.name):
        return Scenario(source.name, source, routes, additional, end=math.nan)
    if routes or additional:
        raise InputError(
            f"{source.name} already names its files", remedy="give --routes and --additional with a .net.xml"
        )
    scenario = read_config(source)
    for note in scenario.notes:
        notes.add_finding(same(note + "."))  # not capitalised: it may begin with a file name
    return scenario


def _write(
    scenario: Scenario, draft: Path, config: str, comment: str, demand: Demand, notes: ImportNotes
) -> Outline:
    taken: set[str] = {config.casefold()}
    net = files.NET + (".gz" if scenario.net.suffix == ".gz" else "")
    taken.add(net.casefold())
    shutil.copyfile(scenario.net, draft / net)
    root = parse(draft / net, kind="network file")
    values = {"net-file": net}
    route_names = [_copy_judged(path, draft, taken, "route file") for path in scenario.routes]
    additional = [_copy_additional(path, draft, taken) for path in scenario.additional]
    sentence, vehicles = same(""), _vehicles(draft, [*route_names, *additional])
    synthetic = not route_names and not additional
    end = float(demand.duration) if synthetic else scenario.end
    if synthetic:
        route_names = [files.ROUTES]
    elif not vehicles:
        notes.add_finding(
            Text("The files define no vehicle and no flow.", "Các tệp không nêu xe hay dòng xe nào.")
        )
    if route_names:
        values["route-files"] = ",".join(route_names)
    if additional:
        values["additional-files"] = ",".join(additional)
    values["begin"] = f"{scenario.begin:g}"
    if math.isnan(end):
        notes.add_finding(
            Text(
                "No end of the simulation is given: a run continues for an hour after the last departure.",
                "Không ghi thời điểm kết thúc mô phỏng: lượt chạy kéo dài thêm một giờ sau khi xe cuối cùng xuất phát.",
            )
        )
    else:
        values["end"] = f"{end:g}"
    values["step-length"] = f"{scenario.step:g}"
    files.write_config(draft / config, comment, {**values, **scenario.options})
    if synthetic:
        notes.add_assumption(
            Text("demand, not given by any file: synthetic", "lưu lượng không có trong tệp nào: giả lập")
        )
        sentence, vehicles = add_demand(root, draft, config, demand, notes, comment=comment)
    _describe(root, notes)
    return Outline(root, sentence, vehicles, notes)


def _copy_judged(path: Path, draft: Path, taken: set[str], kind: str) -> str:
    """Copy a file that no run would refuse; return its name."""
    inspect(path, kind=kind)
    return _copy(path, draft, taken)


def _copy(path: Path, draft: Path, taken: set[str]) -> str:
    """Copy a file under its own name, without characters special to SUMO configurations; return the name."""
    plain = re.sub(r"[^\w.+-]", "-", path.name)
    name, number = plain, 1
    while name.casefold() in taken:
        number += 1
        name = f"{number}-{plain}"
    taken.add(name.casefold())
    shutil.copyfile(path, draft / name)
    return name


def _copy_additional(path: Path, draft: Path, taken: set[str]) -> str:
    """Copy an additional file and the files it references; return its name."""
    root = parse(path, kind="additional file")
    read_additional(path)  # raises InputError for what no run would take
    name = _copy(path, draft, taken)
    references = [e for tag in sorted(READS_FILE) for e in root.iter(tag) if e.get("file")]
    for element in references:
        element.set("file", _copy_judged(path.parent / element.attrib["file"], draft, taken, "file it reads"))
    if references:
        plain = name.removesuffix(".gz")
        ET.ElementTree(root).write(draft / plain, encoding="UTF-8", xml_declaration=True)
        if plain != name:
            (draft / name).unlink()
        return plain
    return name


def _vehicles(draft: Path, names: Iterable[str]) -> int:
    """Return the number of vehicles and flows that the files define; each flow counts once."""
    tags = ("vehicle", "trip", "flow", "person", "personFlow", "container", "containerFlow")
    return sum(sum(1 for e in parse(draft / n, kind="file").iter() if e.tag in tags) for n in names)


def _describe(net: ET.Element, notes: ImportNotes) -> None:
    """Note the contents of the network: types of signal programs, crossings, left-hand traffic."""
    kinds = Counter(program.get("type", "static") for program in net.iterfind("tlLogic"))
    for kind, number in sorted(kinds.items()):
        notes.add_content(
            Text(f"signal programs of type {kind}", f"chương trình tín hiệu loại {kind}"), number
        )
    if not kinds:
        notes.add_finding(
            Text(
                "The network has no signal program: there is nothing to control.",
                "Mạng lưới không có chương trình tín hiệu nào: không có gì để điều khiển.",
            )
        )
    classes = Counter(e.get("function", "") for e in net.iterfind("edge"))
    notes.add_content(Text("pedestrian crossings", "lối đi bộ qua đường"), classes["crossing"])
    if net.find("junction[@type='rail_crossing']") is not None:
        notes.add_content(
            Text("rail crossings", "đường ngang (giao cắt đường sắt)"),
            len(net.findall("junction[@type='rail_crossing']")),
        )
    if net.get("lefthand", "").lower() in TRUE:
        notes.add_content(Text("left-hand traffic", "giao thông bên trái"), 1)
