"""``import opendrive`` and its like: what netconvert reads, made into a place with a synthetic demand."""

from __future__ import annotations

import tempfile
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

from networks import sumo_tools
from networks.importing import start
from networks.importing.folder import config_name, new_folder
from networks.importing.report import Guesses, ImportReport
from sim.errors import InputError, WorldError
from sim.text import Text, same


@dataclass(frozen=True, slots=True)
class Kind:
    """One of netconvert's input formats."""

    title: str
    option: str
    endings: tuple[str, ...]  # of its files, in lower case


KINDS = {
    "opendrive": Kind("OpenDRIVE", "--opendrive-files", (".xodr", ".xodr.gz")),
    "visum": Kind("PTV Visum network text", "--visum-file", (".net",)),
    "vissim": Kind("PTV Vissim", "--vissim-file", (".inp", ".inpx")),
    "matsim": Kind("MATSim network", "--matsim-files", (".xml", ".xml.gz")),
    "plain": Kind("SUMO plain XML", "--node-files", (".nod.xml", ".nod.xml.gz")),
}
# Beside PREFIX.nod.xml: the files of SUMO's plain XML, and the option that reads each.
PLAIN = {"edg": "--edge-files", "con": "--connection-files", "tll": "--tllogic-files", "typ": "--type-files"}
NETCONVERT = [
    "--geometry.remove", "true",
    "--no-turnarounds", "true",
    "--remove-edges.isolated", "true",
    "--keep-edges.components", "1",
    "--output.street-names", "true",
]  # fmt: skip
GUESS = ["--tls.guess", "true", "--tls.join", "true", "--tls.discard-simple", "true"]


def import_network(
    kind: str,
    source: Path,
    folder: Path,
    *,
    name: str,
    demand: start.Demand,
    guess_signals: bool = False,
) -> ImportReport:
    """Convert ``source``, of a ``kind`` in KINDS, into a place with a synthetic demand in ``folder``.

    Plain XML is named by its ``PREFIX.nod.xml``; the files beside it with the same prefix are read too.
    ``guess_signals`` puts signals at larger junctions where the source has none. Raises InputError for a source
    that netconvert cannot read, in netconvert's words.
    """
    config = config_name(name)
    wanted = KINDS[kind]
    if not source.is_file():
        raise InputError("there is no such file", where=str(source))
    if not source.name.lower().endswith(wanted.endings):
        raise InputError(
            f"the name of a file of {wanted.title} ends in {' or '.join(wanted.endings)}", where=str(source)
        )
    guesses = Guesses()
    with new_folder(folder) as draft:
        net = _net(wanted, source, guess_signals, guesses)
        own_plans = kind == "plain" and bool(_beside(source, "tll"))
        comment = f"{name}: imported from {wanted.title}, {source.name}"
        outline = start.write_place(
            net, draft, config, comment=comment, demand=demand, guesses=guesses, mend=not own_plans
        )
        if not net.findall("tlLogic"):
            guesses.find(
                Text(
                    "The source holds no signal; --guess-signals puts one at every larger junction.",
                    "Dữ liệu không có đèn tín hiệu; --guess-signals đặt đèn ở mỗi nút lớn.",
                )
            )
        report = outline.report(name, f"{source.name} ({wanted.title})", same(""))
        report.write(draft)
    return report


def _net(kind: Kind, source: Path, guess_signals: bool, guesses: Guesses) -> ET.Element:
    arguments = [kind.option, str(source.resolve())]
    if kind.option == "--node-files":
        for part, option in PLAIN.items():
            if beside := _beside(source, part):
                arguments += [option, str(beside.resolve())]
            elif part == "edg":
                raise InputError("no .edg.xml lies beside it", where=str(source), remedy="put it there")
    if kind.option == "--visum-file":
        arguments += _language(source)
    with tempfile.TemporaryDirectory(prefix="denxanh-import-") as made:
        output = Path(made) / "net.net.xml"
        guess = GUESS if guess_signals else []
        arguments += [*NETCONVERT, *start.SIGNALS, *guess, "-o", output.name]
        try:
            start.count_warnings(sumo_tools.run("netconvert", arguments, folder=Path(made)), guesses)
        except WorldError as error:
            raise InputError(
                f"this is not {kind.title} that can be read: {error}", where=str(source)
            ) from None
        net = ET.parse(output).getroot()
    if not net.findall("edge"):
        raise InputError("netconvert found no street in it", where=str(source))
    if guess_signals:
        guesses.count(
            Text("signals guessed at larger junctions", "đèn phỏng đoán ở các nút lớn"),
            len(net.findall("tlLogic")),
        )
    return net


def _beside(source: Path, part: str) -> Path | None:
    """Return the plain XML file of another part with the same prefix."""
    prefix = source.name.lower().split(".nod.xml")[0]
    names = (f"{prefix}.{part}.xml", f"{prefix}.{part}.xml.gz")
    return next((p for p in sorted(source.parent.iterdir()) if p.name.lower() in names), None)


def _language(source: Path) -> list[str]:
    """Return the option for the language of a Visum file; netconvert reads German and comes with three more."""
    text = source.read_bytes().decode("latin-1").upper()
    words = {"$NODE:": "EN", "$NOEUD:": "FR", "$NODO:": "IT"}
    found = next((code for word, code in words.items() if word in text), None)
    return (
        ["--visum.language-file", str(sumo_tools.home() / "data" / "lang" / f"visum{found}.txt")]
        if found
        else []
    )
