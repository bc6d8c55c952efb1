"""Bad inputs end in one sentence with cause, place and remedy, a status that tells, and nothing half-written."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

Edit = Callable[[bytes], bytes]


def swap(old: str, new: str, count: int = 1) -> Edit:
    """Replace text that must be there."""

    def edit(content: bytes) -> bytes:
        assert old.encode() in content
        return content.replace(old.encode(), new.encode(), count)

    return edit


def pattern(expression: str, new: str, count: int = 1) -> Edit:
    """Replace a pattern that must be there."""

    def edit(content: bytes) -> bytes:
        changed, found = re.subn(expression.encode(), new.encode(), content, count=count, flags=re.DOTALL)
        assert found
        return changed

    return edit


def content(new: bytes) -> Edit:
    """Put something else in the file's place."""
    return lambda _: new


def cut(content: bytes) -> bytes:
    """The first half."""
    return content[: len(content) // 2]


def extra(text: str) -> Edit:
    """Add an element to the configuration."""
    return swap("</configuration>", f"{text}</configuration>")


@dataclass(frozen=True)
class Case:
    """One fault, and what the sentence must say of it."""

    words: tuple[str, ...]
    net: Edit | None = None
    routes: Edit | None = None
    config: Edit | None = None
    files: Mapping[str, str] = field(default_factory=dict)


ADDITIONAL = extra('<additional-files value="more.add.xml"/>')
VEHICLE = '<vehicle id="v99" type="car" route="turn" depart="297"/>'
DOCTYPE = '<!DOCTYPE x [<!ENTITY a "b">]>'


def more(text: str) -> dict[str, Any]:
    """The configuration names an additional file with this content."""
    return {"config": ADDITIONAL, "files": {"more.add.xml": f"<additional>{text}</additional>"}}


def logic(state: str = "G" * 16, *, tl: str = "A0", program: str = "mine", duration: str = "30") -> str:
    """A signal program with two phases."""
    rows = "".join(f'<phase duration="{duration}" state="{s}"/>' for s in (state, state.swapcase()))
    return f'<tlLogic id="{tl}" type="static" programID="{program}" offset="0">{rows}</tlLogic>'


SEEN_BY_CHECK = {
    "net missing": Case(("nope.net.xml", "does not exist"), config=swap("tiny.net.xml", "nope.net.xml")),
    "routes missing": Case(("nope.rou.xml", "does not exist"), config=swap("tiny.rou.xml", "nope.rou.xml")),
    "additional missing": Case(("more.add.xml", "does not exist"), config=ADDITIONAL),
    "net empty": Case(("tiny.net.xml", "is empty"), net=content(b"")),
    "net binary": Case(("tiny.net.xml", "not well-formed"), net=content(bytes(range(256)) * 8)),
    "net cut": Case(("tiny.net.xml, line", "cut off"), net=cut),
    "routes empty": Case(("tiny.rou.xml", "is empty"), routes=content(b"")),
    "routes binary": Case(("tiny.rou.xml", "not"), routes=content(bytes(range(256)) * 8)),
    "routes cut": Case(("tiny.rou.xml", "cut off"), routes=cut),
    "configuration empty": Case(("tiny.sumocfg", "is empty"), config=content(b"")),
    "configuration binary": Case(("tiny.sumocfg", "not well-formed"), config=content(b"\x00\xff" * 50)),
    "configuration cut": Case(("tiny.sumocfg, line", "not well-formed"), config=cut),
    "routes given as net": Case(
        ("not a SUMO network", "<routes>"), config=swap("tiny.net.xml", "tiny.rou.xml")
    ),
    "net given as routes": Case(
        ("tiny.net.xml", "a network", "routes"), config=swap("tiny.rou.xml", "tiny.net.xml")
    ),
    "no net named": Case(("names no net-file",), config=pattern("<net-file[^>]*>", "")),
    "no routes named": Case(("names no route-files",), config=pattern("<route-files[^>]*>", "")),
    "departures unsorted": Case(
        ("'v99' departs at 5 s", "'v98'", "line", "sort"), routes=swap('depart="297"', 'depart="5"')
    ),
    "unknown edge in the last vehicle": Case(
        ("'nosuchedge'", "line"),
        routes=swap(VEHICLE, '<vehicle id="v99" depart="297"><route edges="A0B0 nosuchedge"/></vehicle>'),
    ),
    "no vehicle": Case(("no vehicle departs",), routes=pattern("<vehicle[^>]*/>", "", 0)),
    "no vehicle in time": Case(
        ("no vehicle departs between 1000 s and 1300 s", "100 before the begin"),
        config=lambda c: swap('begin value="0"', 'begin value="1000"')(swap("300", "1300")(c)),
    ),
    "depart is no time": Case(("'soon' is not a time",), routes=swap('depart="297"', 'depart="soon"')),
    "state too short": Case(
        ("'A0'", "phase 0", "15 letters", "link index 15"),
        net=pattern(r'(<tlLogic id="A0".*?state=")\w', r"\1"),
    ),
    "state with an unknown letter": Case(
        ("'A0'", "phase 0", "not a signal colour"), net=pattern(r'(<tlLogic id="A0".*?state=")\w', r"\1X")
    ),
    "signal removed": Case(("'A0'", "no <tlLogic>"), net=pattern(r'<tlLogic id="A0".*?</tlLogic>', "")),
    "negative duration": Case(
        ("'A0'", "duration", "-5"), net=pattern(r'(<tlLogic id="A0".*?duration=")\d+', r"\g<1>-5")
    ),
    "zero duration": Case(
        ("'A0'", "duration", "0"), net=pattern(r'(<tlLogic id="A0".*?duration=")\d+', r"\g<1>0")
    ),
    "duration is no number": Case(
        ("'A0'", "'soon' is not a time"), net=pattern(r'(<tlLogic id="A0".*?duration=")\d+', r"\g<1>soon")
    ),
    "end before begin": Case(("not after the begin",), config=swap('begin value="0"', 'begin value="900"')),
    "step zero": Case(("step-length is 0 s",), config=swap('length value="1"', 'length value="0"')),
    "step is no number": Case(("step-length", "'fast'"), config=swap('length value="1"', 'length value="fast"')),
    "step does not divide": Case(("not a whole number of steps",), config=swap('length value="1"', 'length value="7"')),
    "begin infinite": Case(("is not a time",), config=swap('begin value="0"', 'begin value="inf"')),
    "key given twice": Case(("'end' is given twice",), config=extra('<end value="600"/>')),
    "document type in the net": Case(("tiny.net.xml", "document type"), net=swap("<net ", DOCTYPE + "<net ")),
    "entity in the routes": Case(("tiny.rou.xml", "document type"), routes=swap("<routes", DOCTYPE + "<routes")),
    "entity in the configuration": Case(
        ("tiny.sumocfg", "document type"), config=swap("<configuration", DOCTYPE + "<configuration")
    ),
    "device writes a file": Case(
        ("'device.ssm.file'", "line"),
        routes=swap("<vType id", '<vType id="spy"><param value="/etc/x" key=\'device.ssm.file\'/></vType><vType id'),
    ),
    "device writes a file, disguised": Case(
        ("'device.ssm.file'", "line"),
        routes=swap("<vType id", '<vType id="spy"><param key="device.ssm&#46;file" value="x"/></vType><vType id'),
    ),
    "include in the routes": Case(("<include>", "line"), routes=swap("<vType id", '<include href="x"/><vType id')),
    "include in the net": Case(("<include>",), net=swap("<location", '<include href="x"/><location')),
    "detector in the net": Case(
        ("<e1Detector>", "additional file"), net=swap("</net>", '<e1Detector id="d" file="x.xml"/></net>')
    ),
    "include in an additional file": Case(("<include>", "more.add.xml"), **more('<include href="x.xml"/>')),
    "calibrator's file missing": Case(
        ("flows.xml", "does not exist"), **more('<calibrator id="c" edge="A0B0" file="flows.xml"/>')
    ),
    "option without its kind of value": Case(
        ("time-to-teleport", "'never'", "time in seconds"), config=extra('<time-to-teleport value="never"/>')
    ),
    "additional program too short": Case(("more.add.xml", "'A0'", "letters"), **more(logic("GG"))),
    "additional program for no signal": Case(("more.add.xml", "'Z9'"), **more(logic(tl="Z9"))),
    "additional program given twice": Case(("more.add.xml", "'A0'", "'mine'"), **more(logic() + logic())),
    "additional program with a number already there": Case(
        ("more.add.xml", "'A0'", "'0'"), **more(logic(program="0"))
    ),
    "additional program with a bad letter": Case(("'A0'", "not a signal colour"), **more(logic("X" * 16))),
}  # fmt: skip

SEEN_BY_SUMO = {
    "unknown vehicle type": Case(("'lorry'",), routes=swap('id="v99" type="car"', 'id="v99" type="lorry"')),
    "vehicle twice": Case(("'v98'",), routes=swap('id="v99"', 'id="v98"')),
    "route not connected": Case(("A0top0", "v99"), routes=swap(
        VEHICLE, '<vehicle id="v99" depart="297"><route edges="A0top0 B0top1"/></vehicle>')),
    "negative departure": Case(("'v0'",), routes=swap('depart="0"', 'depart="-5"')),
    "routes not well-formed": Case(("tiny.rou.xml",), routes=swap('<vehicle id="v3"', "<vehicle id=v3")),
}  # fmt: skip


@pytest.fixture
def place(tmp_path: Path, tiny_place: Any) -> Callable[[Case], Path]:
    """A copy of the tiny place with a case's fault in it."""

    def make(case: Case) -> Path:
        folder = tmp_path / "place"
        folder.mkdir()
        for source, edit in (
            (tiny_place.net, case.net),
            (tiny_place.routes, case.routes),
            (tiny_place.config, case.config),
        ):
            before = source.read_bytes()
            (folder / source.name).write_bytes(edit(before) if edit else before)
        for name, text in case.files.items():
            (folder / name).write_text(text, encoding="utf-8")
        return folder / tiny_place.config.name

    return make


def is_one_sentence(ended: Any, words: tuple[str, ...]) -> None:
    """The form that every refusal has."""
    errors = [line for line in ended.stderr.splitlines() if not line.startswith("note: ")]
    assert ended.status == 2
    assert "Traceback" not in ended.stderr
    assert len(errors) == 1, errors
    (line,) = errors
    assert line.startswith("denxanh: ")
    assert line[-1] in ".?"
    for word in words:
        assert word in line


@pytest.mark.parametrize("name", SEEN_BY_CHECK)
def test_check_refuses(name: str, place: Any, here: Any) -> None:
    case = SEEN_BY_CHECK[name]
    ended = here("check", place(case))
    is_one_sentence(ended, case.words)
    assert "; " in ended.stderr  # a remedy follows


@pytest.mark.parametrize(
    "name",
    ["net cut", "routes cut", "unknown edge in the last vehicle", "state too short", "device writes a file"],
)
def test_run_refuses_the_same_and_leaves_nothing(name: str, place: Any, here: Any, tmp_path: Path) -> None:
    case = SEEN_BY_CHECK[name]
    ended = here("run", place(case), "-c", "program", "--out", tmp_path / "out")
    is_one_sentence(ended, case.words)
    assert [path.name for path in tmp_path.iterdir()] == ["place"]


@pytest.mark.parametrize(
    ("name", "backend"),
    [
        *((name, "libsumo") for name in SEEN_BY_SUMO),
        ("unknown vehicle type", "traci"),
        ("routes not well-formed", "traci"),
    ],
)
def test_what_sumo_refuses_is_told_in_its_words_and_leaves_nothing(
    name: str, backend: str, place: Any, here: Any, tmp_path: Path
) -> None:
    case = SEEN_BY_SUMO[name]
    ended = here("run", place(case), "-c", "program", "--out", tmp_path / "out", "--backend", backend)
    is_one_sentence(ended, case.words)
    assert [path.name for path in tmp_path.iterdir()] == ["place"]


def test_states_that_are_too_long_run_and_are_mentioned(place: Any, here: Any) -> None:
    longer = Case((), net=pattern(r'(<phase [^>]*state="[a-zA-Z]+)"', r'\1rr"', 0))
    ended = here("check", place(longer))
    assert ended.status == 0
    assert "letters at the end of a state that drive no link, at 2 signals (A0: 2, B0: 2)" in ended.stdout
