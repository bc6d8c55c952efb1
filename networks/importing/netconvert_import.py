"""``import opendrive|visum|vissim|matsim|plain``: convert with netconvert, add a synthetic demand."""

from __future__ import annotations

import tempfile
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

from denxanh.networks.build.place_folder import config_name, new_folder, require_file, write_net
from denxanh.networks.importing import starting_demand
from denxanh.networks.importing.import_report import ImportNotes, ImportReport
from denxanh.sim.errors import InputError, WorldError
from denxanh.sim.language.text import Text, same
from denxanh.sim.sumo import wheel
from denxanh.sim.sumo.user_files import inspect, write_copy
from denxanh.sim.sumo.xmlfile import check_unpacked


@dataclass(frozen=True, slots=True)
class Kind:
    """One of netconvert's input formats."""

    title: str
    option: str
    endings: tuple[str, ...]  # file extensions, in lower case


KINDS = {
    "opendrive": Kind("OpenDRIVE", "--opendrive-files", (".xodr", ".xodr.gz")),
    "visum": Kind("PTV Visum network text", "--visum-file", (".net",)),
    "vissim": Kind("PTV Vissim", "--vissim-file", (".inp", ".inpx")),
    "matsim": Kind("MATSim network", "--matsim-files", (".xml", ".xml.gz")),
    "plain": Kind("SUMO plain XML", "--node-files", (".nod.xml", ".nod.xml.gz")),
}
# Files of SUMO's plain XML beside PREFIX.nod.xml, and netconvert's option for each.
PLAIN = {"edg": "--edge-files", "con": "--connection-files", "tll": "--tllogic-files", "typ": "--type-files"}
NETCONVERT = [
    "--geometry.remove", "true",
    "--no-turnarounds", "true",
    "--remove-edges.isolated", "true",
    "--keep-edges.components", "1",
    "--output.street-names", "true",
]  # fmt: skip
ZONES = "zones.taz.xml"
_TEXT = ("--visum-file",)  # is no XML
GUESS = ["--tls.guess", "true", "--tls.join", "true", "--tls.discard-simple", "true"]


def import_network(
    kind: str,
    source: Path,
    folder: Path,
    *,
    name: str,
    demand: starting_demand.Demand,
    guess_signals: bool = False,
    lefthand: bool = False,
) -> ImportReport:
    """Convert ``source``, of a ``kind`` in KINDS, into a place with a synthetic demand in ``folder``.

    Plain XML is named by its ``PREFIX.nod.xml``; the files beside it with the same prefix are read too.
    ``guess_signals`` puts signals at larger junctions where the source has none; ``lefthand``: traffic drives on the
    left.

    Raises:
        InputError: netconvert cannot read the source; the message is netconvert's.
    """
    config = config_name(name)
    format = KINDS[kind]
    require_file(source)
    if not source.name.lower().endswith(format.endings):
        raise InputError(
            f"a file name of {format.title} ends in {' or '.join(format.endings)}",
            location=str(source),
        )
    check_unpacked(source, kind=f"{format.title} file")
    notes = ImportNotes()
    with new_folder(folder) as draft:
        options = [*(GUESS if guess_signals else []), *(["--lefthand", "true"] if lefthand else [])]
        net = _net(format, source, options, notes, draft)
        if guess_signals:
            notes.add_assumption(
                Text("signals guessed at larger junctions", "đèn phỏng đoán ở các nút lớn"),
                len(net.findall("tlLogic")),
            )
        if net.get("lefthand") == "true":
            notes.add_content(Text("left-hand traffic", "giao thông bên trái"))
        has_plans = kind == "plain" and bool(_beside(source, "tll"))
        comment = f"{name}: imported from {format.title}, {source.name}"
        outline = starting_demand.write_place(
            net, draft, config, comment=comment, demand=demand, notes=notes, repair_plans=not has_plans
        )
        if not net.findall("tlLogic") and guess_signals:
            notes.add_finding(
                Text(
                    "The source holds no signal, and no junction is large enough for netconvert to guess one.",
                    "Dữ liệu không có đèn tín hiệu, và không có nút nào đủ lớn để netconvert đặt đèn.",
                )
            )
        elif not net.findall("tlLogic"):
            notes.add_finding(
                Text(
                    "The source has no signal; --guess-signals adds one at every larger junction.",
                    "Dữ liệu không có đèn tín hiệu; --guess-signals đặt đèn ở mỗi nút lớn.",
                )
            )
        report = outline.report(name, f"{source.name} ({format.title})", same(""))
        report.write(draft)
    return report


def _net(kind: Kind, source: Path, options: list[str], notes: ImportNotes, draft: Path) -> ET.Element:
    """Return the net that netconvert makes of the source; traffic zones go into a file of their own in ``draft``."""
    inputs = {kind.option: source}
    if kind.option == "--node-files":
        for part, option in PLAIN.items():
            if beside := _beside(source, part):
                inputs[option] = beside
            elif part == "edg":
                raise InputError("there is no .edg.xml beside it", location=str(source), remedy="add it")
    with tempfile.TemporaryDirectory(prefix="denxanh-import-") as made:
        arguments = [
            part for option, path in inputs.items() for part in (option, _given(path, Path(made), kind))
        ]
        if kind.option == "--visum-file":
            arguments += _language(source)
        output = Path(made) / "net.net.xml"
        arguments += [
            *NETCONVERT,
            *starting_demand.SIGNALS,
            *options,
            "-o",
            output.name,
            "--taz-output",
            ZONES,
        ]
        try:
            starting_demand.count_warnings(
                wheel.run_program("netconvert", arguments, folder=Path(made)), notes
            )
        except WorldError as error:
            raise InputError(
                f"netconvert cannot read this as {kind.title}: {error}", location=str(source)
            ) from None
        net = ET.parse(output).getroot()
        _keep_zones(Path(made) / ZONES, draft, notes)
    if not net.findall("edge"):
        raise InputError("netconvert found no street in it", location=str(source))
    return net


def _given(path: Path, folder: Path, kind: Kind) -> str:
    """The path of a file for netconvert; of an XML file that it may not have as it is, that of a copy in ``folder``.

    MATSim's files name a document type, which the copy leaves out.
    """
    if kind.option in _TEXT or (kind.option == "--vissim-file" and path.suffix.lower() == ".inp"):
        return str(path.resolve())
    judged = inspect(path, kind=kind.title, external_type=kind.option == "--matsim-files")
    if judged.as_it_is:
        return str(path.resolve())
    copy = folder / f"{kind.option.strip('-')}-{path.name.removesuffix('.gz')}"
    write_copy(path, copy, kind=kind.title, external_type=kind.option == "--matsim-files")
    return copy.name


def _keep_zones(made: Path, draft: Path, notes: ImportNotes) -> None:
    """Copy the traffic zones of the source, if it has any, beside the net."""
    zones = ET.parse(made).getroot() if made.is_file() else ET.Element("additional")
    if number := len(zones.findall("taz")):
        write_net(zones, draft / ZONES, "traffic zones of the source")
        notes.add_content(
            Text(
                f"traffic zones, in {ZONES}; the synthetic demand does not use them",
                f"vùng giao thông, trong {ZONES}; lưu lượng giả lập không dùng đến",
            ),
            number,
        )


def _beside(source: Path, part: str) -> Path | None:
    """Return the plain XML file of another part with the same prefix."""
    prefix = source.name.lower().split(".nod.xml")[0]
    names = (f"{prefix}.{part}.xml", f"{prefix}.{part}.xml.gz")
    return next((p for p in sorted(source.parent.iterdir()) if p.name.lower() in names), None)


def _language(source: Path) -> list[str]:
    """Return the option for the language of a Visum file; German, netconvert's default, needs none."""
    text = source.read_bytes().decode("latin-1").upper()
    words = {"$NODE:": "EN", "$NOEUD:": "FR", "$NODO:": "IT"}
    found = next((code for word, code in words.items() if word in text), None)
    return (
        ["--visum.language-file", str(wheel.sumo_home() / "data" / "lang" / f"visum{found}.txt")]
        if found
        else []
    )
