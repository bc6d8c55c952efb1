"""Elements of an XML file as SUMO has them: any encoding, every escape, packed or not, with the line of each."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from denxanh.sim.demand.equivalents import read_equivalents
from denxanh.sim.errors import InputError
from denxanh.sim.sumo.xmlfile import parse, scan


class Ids:
    """The ids of a file and the lines that they stand in."""

    def __init__(self) -> None:
        self.line: Callable[[], int] = int
        self.found: dict[str, int] = {}

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if "id" in attributes:
            self.found[attributes["id"]] = self.line()

    def end(self, tag: str) -> None:
        pass


def ids(path: Path) -> dict[str, int]:
    reader = Ids()
    scan(path, reader, kind="file")
    return reader.found


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("UTF-8", "xe máy"),
        ("UTF-16", "xe máy"),
        ("UTF-32", "xe máy"),
        ("ISO-8859-1", "Straße"),
        ("windows-1258", "đèn"),
        ("GB18030", "红绿灯"),
        ("Shift_JIS", "信号"),
        ("Big5", "紅綠燈"),
        ("KOI8-R", "улица"),
    ],
)
def test_every_encoding_that_sumo_reads_is_read(tmp_path: Path, encoding: str, name: str) -> None:
    path = tmp_path / "a.xml"
    path.write_bytes(f'<?xml version="1.0" encoding="{encoding}"?>\n<a><b id="{name}"/></a>'.encode(encoding))
    assert ids(path) == {name: 2}
    element = parse(path, kind="file").find("b")
    assert element is not None
    assert element.get("id") == name


def test_escapes_comments_and_quotes_are_xml_s(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    path.write_text(
        "<a>\n<!-- <b id='no'/>\n -->\n<b\n x='>' id = \"A&amp;B\"/><![CDATA[<b id='no'/>]]><b id='&#79;&apos;N'/></a>"
    )
    assert ids(path) == {"A&B": 4, "O'N": 5}


def test_a_packed_file_is_known_by_its_content_as_sumo_does(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    path.write_bytes(gzip.compress(b"<a id='1'/>"))
    assert ids(path) == {"1": 1}
    named = tmp_path / "b.xml.gz"
    named.write_bytes(b"<a id='2'/>")
    assert ids(named) == {"2": 1}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"<a><b/>", "is cut off"),
        (b"<a><b", "is cut off"),
        (b"<a><b></a>", "line 1, column 9.*mismatched tag|not well-formed"),
        (b"<a>&nbsp;</a>", "undefined entity"),
        (b'<?xml version="1.0" encoding="klingon"?><a/>', "unknown encoding 'klingon'"),
        (b'<?xml version="1.0" encoding="hex"?><a/>', "unknown encoding 'hex'"),
        (
            '<?xml version="1.0" encoding="UTF-16"?>\n<!DOCTYPE a><a/>'.encode("UTF-16"),
            "line 2.*document type",
        ),
        (b"<!--" + b" " * 3_000_000 + b"--><!DOCTYPE a><a/>", "document type"),
        (b'<?xml version="1.0" encoding="GBK"?><a id="\xff\xff"/>', "not well-formed"),
    ],
)
def test_what_is_no_whole_file_is_refused_in_a_sentence(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "a.xml"
    path.write_bytes(content)
    with pytest.raises(InputError, match=f"(?s)a.xml.*({message})"):
        ids(path)


def test_equivalents_are_read_in_the_encoding_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "r.rou.xml"
    text = '<?xml version="1.0" encoding="ISO-8859-1"?><routes><vType id="läng" vClass="bus"/></routes>'
    path.write_bytes(text.encode("latin-1"))
    assert read_equivalents([path])["läng"].pcu == 2.5
