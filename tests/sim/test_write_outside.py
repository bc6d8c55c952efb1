"""No file of a place makes SUMO write outside the folder of a run: spellings of outputs in every kind of file.

Most spellings are judged by what SUMO is handed; SUMO itself runs once on the raw files, which shows that the outputs
are real, and once on what is handed to it.
"""

from __future__ import annotations

import codecs
import gzip
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from denxanh.networks.importing.netconvert_import import KINDS, _given
from denxanh.networks.scenarios import read_config
from denxanh.sim.errors import InputError
from denxanh.sim.scenario import Scenario
from denxanh.sim.sumo.run_input import net_for, write_input
from denxanh.sim.sumo.user_files import NOWHERE
from denxanh.sim.sumo.wheel import sumo_binary, sumo_environment

OUTSIDE = "outside"  # name of the folder that nothing may be written to; relative to a file of the place
TARGET = f"../{OUTSIDE}/{{name}}.xml"
READS = ("rerouter", "variableSpeedSign", "calibrator")

PARAMS = {
    "plain": '<param key="device.ssm.file" value="{t}"/>',
    "greater-than before": '<param a=">" key="device.ssm.file" value="{t}"/>',
    "decimal reference": '<param key="device.ssm&#46;file" value="{t}"/>',
    "hexadecimal reference": "<param value=\"{t}\" key='&#x64;evice.ssm.fil&#x65;'/>",
    "line breaks": '<param\n\tkey\n=\n"device.ssm.file"\nvalue="{t}"\n></param>',
    "nested in param": '<param key="x" value="y"><param key="device.ssm.file" value="{t}"/></param>',
    "nested in an output": '<edgeData id="n"><param key="device.ssm.file" value="{t}"/></edgeData>',
    "at depth 70": "<g>" * 70 + '<param key="device.ssm.file" value="{t}"/>' + "</g>" * 70,
    "after a comment with its end": '<!-- <param --><param key="device.ssm.file" value="{t}"/>',
    "after CDATA": '<![CDATA[<param key="x]]><param key="device.ssm.file" value="{t}"/>',
    "take-over device": '<param key="device.toc.file" value="{t}"/>',
    "rerouting output": '<param key="device.rerouting.output" value="{t}"/>',
    "detectors of a signal": '<param key="file" value="{t}"/>',
    "log of a swarm": '<param key="SWARMLOG" value="{t}"/>',
}
OUTPUTS = {
    "edgeData": '<edgeData id="e" file="{t}"/>',
    "laneData": '<laneData id="l" file="{t}"/>',
    "vTypeProbe": '<vTypeProbe id="v" freq="10" file="{t}"/>',
    "routeProbe": '<routeProbe id="rp" edge="A0B0" freq="10" file="{t}"/>',
    "e1Detector": '<e1Detector id="d1" lane="A0B0_0" pos="5" freq="10" file="{t}"/>',
    "inductionLoop": '<inductionLoop id="d2" lane="A0B0_0" pos="5" freq="10" file="{t}"/>',
    "e2Detector": '<e2Detector id="d3" lane="A0B0_0" pos="5" length="10" freq="10" file="{t}"/>',
    "e3Detector": '<e3Detector id="d4" freq="10" file="{t}"><detEntry lane="A0B0_0" pos="5"/>'
    '<detExit lane="A0B0_0" pos="90"/></e3Detector>',
    "instantInductionLoop": '<instantInductionLoop id="d5" lane="A0B0_0" pos="5" file="{t}"/>',
    "calibrator output": '<calibrator id="c" edge="A0B0" pos="0" freq="10" output="{t}"/>',
    "SaveTLSStates": '<timedEvent type="SaveTLSStates" source="A0" dest="{t}"/>',
    "SaveTLSSwitchTimes": '<timedEvent type="SaveTLSSwitchTimes" source="A0" dest="{t}"/>',
    "SaveTLSSwitchStates": '<timedEvent type="SaveTLSSwitchStates" source="A0" dest="{t}"/>',
    "SaveTLSProgram": '<timedEvent type="SaveTLSProgram" source="A0" dest="{t}"/>',
    "edgeData in a param": '<param key="q" value="1"><edgeData id="e2" file="{t}"/></param>',
    "edgeData in a polygon": '<poly id="x" shape="0,0 1,1"><g><edgeData id="e3" file="{t}"/></g></poly>',
    "file written with references": '<edgeData id="e4" file="&#46;{t}"/>',
    "socket": '<edgeData id="e5" file="localhost:4242/{t}"/>',
}
CLASSES = {
    "above": "PHEMlight/../../../{o}/evil",
    "beside": "PHEMlight/sub/PC_G_EU4",
    "hidden": "PHEMlight/..",
    "absolute": "/etc/passwd",
    "empty model": "/PC_G_EU4",
    "backslashes": "PHEMlight\\..\\evil",
    "drive": "PHEMlight/C:evil",
    "newer model": "PHEMlight5/../evil",
    "by reference": "PHEMlight/&#46;./evil",
}
"""Emission classes whose files SUMO would look for elsewhere."""
INCLUDES = {
    "include": '<include href="{t}"/>',
    "include in a param": '<param key="a" value="b"><include href="{t}"/></param>',
}
COMMENT = "<!--" + " " * 1_100_000 + "-->"
PROLOGS = {
    "doctype": '<!DOCTYPE x SYSTEM "{t}">',
    "entities": '<!DOCTYPE x [<!ENTITY a SYSTEM "{t}">]>',
    "doctype after a megabyte": COMMENT + '<!DOCTYPE x [<!ENTITY a "{t}">]>',
    "doctype after an instruction": '<?a b?><!DOCTYPE x [<!ENTITY % p SYSTEM "{t}">%p;]>',
}
ENCODINGS: dict[str, Callable[[str], bytes]] = {
    "UTF-8": str.encode,
    "UTF-8 with mark": lambda text: codecs.BOM_UTF8 + text.encode(),
    "gz": lambda text: gzip.compress(text.encode()),
    "gz in two members": lambda text: gzip.compress(text[:200].encode()) + gzip.compress(text[200:].encode()),
    "UTF-16": lambda text: _declared("UTF-16", text).encode("utf-16"),
    "UTF-16 big endian": lambda text: codecs.BOM_UTF16_BE + _declared("UTF-16", text).encode("utf-16-be"),
    "UTF-16 without a mark": lambda text: _declared("UTF-16", text).encode("utf-16-le"),
    "UTF-16 packed": lambda text: gzip.compress(_declared("UTF-16", text).encode("utf-16")),
    "UTF-32": lambda text: _declared("UTF-32", text).encode("utf-32"),
    "UTF-32 without a mark": lambda text: _declared("UTF-32", text).encode("utf-32-be"),
    "Latin-1": lambda text: _declared("ISO-8859-1", text).encode("latin-1"),
    "Shift-JIS": lambda text: _declared("Shift_JIS", text).encode("shift_jis"),
    "XML 1.1": lambda text: b'<?xml version="1.1" encoding="UTF-8"?>' + text.encode(),
}
REFUSED_ENCODINGS = {
    "UTF-7": lambda text: _declared("UTF-7", text).encode(),
    "EBCDIC": lambda text: _declared("cp037", text).encode("cp037"),
    "ISO-2022-JP": lambda text: _declared("ISO-2022-JP", text).encode("iso2022_jp"),
    "HZ": lambda text: _declared("HZ", text).encode(),
    "unicode_escape": lambda text: _declared("unicode_escape", text).encode(),
    "rot13": lambda text: _declared("rot13", text).encode(),
}


def _declared(encoding: str, text: str) -> str:
    return f'<?xml version="1.0" encoding="{encoding}"?>{text}'


@dataclass(frozen=True)
class Variant:
    """One spelling in one file; ``prolog`` stands before its root."""

    part: str  # net, routes, additional or referenced
    fragment: str = ""
    prolog: str = ""
    encode: Callable[[str], bytes] = str.encode
    accepted: bool | None = None  # None: refused or taken out, either is right


PARTS = ("net", "routes", "additional", "referenced")


def variants() -> Iterator[tuple[str, Variant]]:
    """Name and variant."""
    for part in PARTS:
        for name, fragment in PARAMS.items():
            yield f"{part}, {name}", Variant(part, fragment)
        for name, fragment in OUTPUTS.items():
            yield f"{part}, {name}", Variant(part, fragment)
        for name, fragment in INCLUDES.items():
            yield f"{part}, {name}", Variant(part, fragment, accepted=False)
        for name, prolog in PROLOGS.items():
            yield f"{part}, {name}", Variant(part, prolog=prolog, accepted=False)
            utf16 = ENCODINGS["UTF-16"]
            yield f"{part}, {name}, UTF-16", Variant(part, prolog=prolog, encode=utf16, accepted=False)
        for name, encode in ENCODINGS.items():
            yield (
                f"{part}, {name}",
                Variant(part, PARAMS["detectors of a signal"], encode=encode, accepted=True),
            )
            yield (
                f"{part}, nested, {name}",
                Variant(part, OUTPUTS["edgeData in a param"], encode=encode, accepted=True),
            )
            yield f"{part}, device, {name}", Variant(part, PARAMS["plain"], encode=encode, accepted=False)
        for name, encode in REFUSED_ENCODINGS.items():
            yield f"{part}, {name}", Variant(part, encode=encode, accepted=False)


VARIANTS = dict(variants())


@dataclass(frozen=True)
class World:
    """A folder with nothing in it but a place, and what stands in it beside the folders of runs."""

    root: Path
    tiny: Any

    def write(self, variant: Variant) -> Scenario:
        """A place with the variant."""
        place = self.root / "place"
        insert = variant.prolog, variant.fragment
        net = self.tiny.net.read_text("utf-8").partition("?>")[2]
        texts = {
            "net": with_fragment(net, "</net>", *insert, variant.part == "net"),
            "routes": with_fragment(
                self.tiny.routes.read_text("utf-8"), "</routes>", *insert, variant.part == "routes"
            ),
            "additional": with_fragment(
                '<additional><variableSpeedSign id="s" lanes="A0B0_0" file="referenced.xml"/></additional>',
                "</additional>",
                *insert,
                variant.part == "additional",
            ),
            "referenced": with_fragment(
                '<vss><step time="0" speed="9"/></vss>', "</vss>", *insert, variant.part == "referenced"
            ),
        }
        for part, text in texts.items():
            encode = variant.encode if part == variant.part else str.encode
            (place / f"{part}.xml").write_bytes(encode(text.replace("{t}", TARGET.format(name="x"))))
        return Scenario(
            "place", place / "net.xml", (place / "routes.xml",), (place / "additional.xml",), end=60.0
        )

    def files(self) -> dict[str, bytes]:
        """Every file outside the folders of runs."""
        return {
            str(path.relative_to(self.root)): path.read_bytes()
            for path in sorted(self.root.rglob("*"))
            if path.is_file() and path.relative_to(self.root).parts[0] != "run"
        }


def with_fragment(text: str, end: str, prolog: str, fragment: str, here: bool) -> str:
    """The text with a prolog and a fragment before its end, where they belong here."""
    return prolog + text.replace(end, fragment + end) if here else text


@pytest.fixture
def world(tmp_path: Path, tiny_place: Any, monkeypatch: pytest.MonkeyPatch) -> World:
    """An empty world in which this process stands, with an empty home."""
    for name in ("place", "home", "cwd", OUTSIDE):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path / "cwd")
    return World(tmp_path, tiny_place)


def handed_over(folder: Path) -> list[Path]:
    """Every file that SUMO reads for the input written into ``folder``."""
    config = ElementTree.parse(folder / "run.sumocfg").getroot()
    values = {element.tag: element.get("value", "") for element in config}
    names = ",".join(values[key] for key in ("net-file", "route-files", "additional-files"))
    found = [folder / name for name in names.split(",")]
    elements = (element for path in found for element in ElementTree.fromstring(plain(path)).iter())
    return [*found, *(folder / e.attrib["file"] for e in elements if e.tag in READS and e.get("file"))]


def plain(path: Path) -> bytes:
    """The content of a file, which is in UTF-8 and declares nothing else."""
    content = path.read_bytes()
    content = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
    content.decode("utf-8")
    declared = re.match(
        rb"""(?:\xef\xbb\xbf)?<\?xml version=["']1.0["'](?: encoding=["'](.*?)["'])?""", content
    )
    assert declared is None or (declared.group(1) or b"utf-8").lower() == b"utf-8"
    return content


def is_harmless(path: Path, measures: bool) -> None:
    """No element of the file has an output, but for those of our own measures."""
    for element in ElementTree.fromstring(plain(path)).iter():
        for name, value in element.items():
            assert OUTSIDE not in value, f"{path.name}: <{element.tag} {name}={value!r}>"
            if name in ("file", "output", "dest") and not measures and element.tag not in READS:
                assert value == NOWHERE
        assert element.tag != "include"
        assert not (element.tag == "param" and re.search(r"ssm|file|SWARMLOG", element.get("key", "")))


@pytest.mark.parametrize("name", VARIANTS)
def test_what_sumo_is_handed_writes_nowhere(name: str, world: World) -> None:
    variant = VARIANTS[name]
    scenario = world.write(variant)
    before = world.files()
    run = world.root / "run"
    refused = ""
    try:
        write_input(scenario, run, seed=1, signals=("A0",))
    except InputError as error:
        refused = str(error)
    assert variant.accepted in (None, not refused), refused
    if refused:
        assert f"{variant.part}.xml" in refused
        assert "\n" not in refused
    else:
        for path in handed_over(run):
            is_harmless(path, path.name == "measures.add.xml")
    assert world.files() == before


def test_the_campaign_is_not_empty() -> None:
    assert len(VARIANTS) >= 60
    assert {variant.part for variant in VARIANTS.values()} == set(PARTS)


@pytest.mark.parametrize("part", ["net", "routes", "additional"])
@pytest.mark.parametrize("name", CLASSES)
def test_an_emission_class_leads_to_no_other_file(name: str, part: str, world: World) -> None:
    """SUMO appends the class to the folder of PHEMlight's data, whatever it holds."""
    kind = f'<g><vType id="v" emissionClass="{CLASSES[name].replace("{o}", OUTSIDE)}"/></g>'
    scenario = world.write(Variant(part, kind))
    with pytest.raises(InputError, match="is no class but leads to another file") as refusal:
        write_input(scenario, world.root / "run", seed=1, signals=())
    assert f"{part}.xml" in str(refusal.value)


@pytest.mark.parametrize("name", ["HBEFA4/PC_petrol_Euro-4", "HBEFA3/PC_G_EU4", "Zero", "PHEMlight/PC_G_EU4"])
def test_emission_classes_of_sumo_are_taken(name: str, world: World) -> None:
    scenario = world.write(Variant("routes", f'<vType id="v" emissionClass="{name}"/>'))
    write_input(scenario, world.root / "run", seed=1, signals=())


@pytest.mark.parametrize(
    "harmless",
    ["<?x <!DOCTYPE a [<!ENTITY b 'c'>]> ?>", "<!-- <!DOCTYPE a> <!ENTITY b 'c'> -->", COMMENT],
)
@pytest.mark.parametrize("part", PARTS)
def test_a_document_type_that_is_none_is_read(part: str, harmless: str, world: World) -> None:
    write_input(world.write(Variant(part, prolog=harmless)), world.root / "run", seed=1, signals=())
    write_input(world.write(Variant(part, fragment=harmless)), world.root / "run", seed=1, signals=())


def test_a_copy_says_what_the_file_says(world: World) -> None:
    """Escapes, entities of XML, line breaks in values and text come out as they went in."""
    fragment = '<a b="&lt;&amp;&quot;&#10;&#9;ü&#x1F6A6;" c=\'"\'>x &lt; y<e/></a>' + PARAMS["log of a swarm"]
    scenario = world.write(Variant("routes", fragment, encode=ENCODINGS["UTF-16"]))
    write_input(scenario, world.root / "run", seed=1, signals=())
    root = ElementTree.fromstring(plain(world.root / "run" / "routes-0.rou.xml"))
    element = root.find("a")
    assert element is not None
    assert dict(element.attrib) == {"b": '<&"\n\tü\N{VERTICAL TRAFFIC LIGHT}', "c": '"'}
    assert element.text == "x < y"
    assert root.find("param") is None
    original = ElementTree.fromstring(world.tiny.routes.read_text("utf-8"))
    assert [dict(e.attrib) for e in root.iter("vehicle")] == [
        dict(e.attrib) for e in original.iter("vehicle")
    ]


OPTIONS = {
    "log": "{t}",
    "error-log": "{t}",
    "message-log": "{t}",
    "output-prefix": "../outside/",
    "save-state.files": "{t}",
    "save-state.prefix": "{t}",
    "tripinfo-output": "{t}",
    "device.ssm.file": "{t}",
    "device.rerouting.output": "{t}",
    "device.taxi.dispatch-algorithm.output": "{t}",
    "device.taxi.idle-algorithm.output": "{t}",
    "person-device.rerouting.output": "{t}",
    "device.fcd-replay.file": "{t}",
    "pedestrian.jupedsim.py": "{t}",
    "phemlight-path": "../outside/",
    "remote-port": "4242",
    "netstate-dump": "{t}",
    "save-configuration": "{t}",
    "save-template": "{t}",
    "save-schema": "{t}",
    "load-state": "{t}",
}


@pytest.mark.parametrize("name", OPTIONS)
def test_options_that_write_read_or_connect_do_not_reach_sumo(name: str, world: World) -> None:
    scenario = world.write(Variant("routes"))
    value = OPTIONS[name].replace("{t}", TARGET.format(name="x"))
    config = world.root / "place" / "p.sumocfg"
    config.write_text(
        f'<configuration><input><net-file value="net.xml"/><route-files value="routes.xml"/></input>'
        f'<{name} value="{value}"/><end value="60"/></configuration>'
    )
    before = world.files()
    write_input(read_config(config), world.root / "run", seed=1, signals=())
    assert OUTSIDE not in (world.root / "run" / "run.sumocfg").read_text("utf-8")
    assert "4242" not in (world.root / "run" / "run.sumocfg").read_text("utf-8")
    forged = Scenario.from_json({**scenario.to_json(), "options": {name: value}})  # as a ledger brings it
    with pytest.raises(InputError, match=re.escape(repr(name))):
        write_input(forged, world.root / "run", seed=1, signals=())
    assert world.files() == before


def test_the_network_of_a_router_is_harmless_too(world: World) -> None:
    folder = world.root / "run"
    folder.mkdir()
    net = world.write(Variant("net", OUTPUTS["edgeData in a param"])).net
    is_harmless(folder / net_for(net, folder), measures=False)
    for fragment in (*INCLUDES.values(), PARAMS["plain"]):
        with pytest.raises(InputError):
            net_for(world.write(Variant("net", fragment)).net, folder)


@pytest.mark.parametrize("kind", ["opendrive", "plain", "vissim", "matsim"])
@pytest.mark.parametrize("name", [*INCLUDES, "entities", "doctype after a megabyte"])
def test_what_netconvert_is_handed_includes_nothing(kind: str, name: str, world: World) -> None:
    path = world.root / "place" / "a.inpx"
    path.write_text(f"{PROLOGS.get(name, '')}<network>{INCLUDES.get(name, '')}</network>")
    with pytest.raises(InputError, match=r"a\.inpx"):
        _given(path, world.root, KINDS[kind])


def test_the_document_type_of_matsim_is_left_out(world: World) -> None:
    path = world.root / "place" / "a.xml"
    path.write_text('<!DOCTYPE network SYSTEM "http://localhost:1/x.dtd">\n<network><nodes/></network>')
    (world.root / "run").mkdir()
    copy = world.root / "run" / _given(path, world.root / "run", KINDS["matsim"])
    assert b"DOCTYPE" not in plain(copy)
    assert ElementTree.fromstring(plain(copy)).find("nodes") is not None


# --- SUMO itself
def _real(name: str, fragment: str) -> str:
    return fragment.replace("{t}", TARGET.format(name=name.replace(" ", "-")))


def sample(tiny: Any, *, params: bool) -> tuple[str, str, list[str]]:
    """Routes and an additional file with outputs of every kind, and the names of the files that SUMO writes for them.

    ``params``: the devices in the routes name their files.
    """
    routes = tiny.routes.read_text("utf-8")
    devices = [name for name in PARAMS if "evice.ssm" in PARAMS[name] and "edgeData" not in PARAMS[name]]
    types = "".join(
        f'<vType id="t{i}">{_real(name, PARAMS[name]) if params else ""}</vType>'
        f'<vehicle id="s{i}" type="t{i}" route="we" depart="0"><param key="has.ssm.device" value="true"/></vehicle>'
        for i, name in enumerate(devices)
    )
    outputs = [name for name in OUTPUTS if name not in ("socket", "file written with references")]
    additional = "".join(_real(name, OUTPUTS[name]) for name in outputs)
    names = [f"{name.replace(' ', '-')}.xml" for name in (*devices, *outputs)]
    return (
        re.sub(r"(<route id=\"turn\".*?/>)", rf"\1{types}", routes, flags=re.DOTALL),
        f"<additional>{additional}</additional>",
        names,
    )


def bare(folder: Path, *arguments: str) -> None:
    """SUMO itself, on files as they are."""
    done = subprocess.run(
        [str(sumo_binary()), "--no-step-log", "--no-warnings", "-e", "60", *arguments],
        cwd=folder,
        env=sumo_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_bare_sumo_writes_them_all_and_a_run_none(world: World, here: Any) -> None:
    routes, additional, names = sample(world.tiny, params=True)
    place, outside = world.root / "place", world.root / OUTSIDE
    world.write(Variant("routes"))
    (place / "routes.xml").write_text(routes, "utf-8")
    (place / "additional.xml").write_text(additional, "utf-8")
    bare(place, "-n", "net.xml", "-r", "routes.xml", "-a", "additional.xml")
    assert sorted(path.name for path in outside.iterdir()) == sorted(names)  # the outputs are real
    for path in (*outside.iterdir(), *place.glob("ssm_*")):
        path.unlink()
    # the devices are refused by name; without them the place runs, and its outputs are left out
    config = place / "p.sumocfg"
    config.write_text(
        '<configuration><net-file value="net.xml"/><route-files value="routes.xml"/>'
        '<additional-files value="additional.xml"/><end value="60"/></configuration>'
    )
    refused = here("run", config, "-c", "program", "--out", world.root / "run" / "out")
    assert refused.status == 2
    assert "'device.ssm.file' makes SUMO write a file" in " ".join(refused.stderr.split())
    (place / "routes.xml").write_text(sample(world.tiny, params=False)[0], "utf-8")
    before = world.files()
    ended = here("run", config, "-c", "program", "--out", world.root / "run" / "out")
    assert ended.status == 0, ended.stderr
    assert world.files() == before
    assert not list(outside.iterdir())
    assert not [path.name for path in (world.root / "run" / "out").iterdir() if path.name.startswith("ssm")]
    assert not [*(world.root / "cwd").iterdir(), *(world.root / "home").iterdir()]
