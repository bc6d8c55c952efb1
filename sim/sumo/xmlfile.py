"""XML files of users: document types and entities are refused, and errors name file and line.

What is refused is decided on the parsed prolog, after decoding: a document type may stand behind a megabyte of comment
or in UTF-16, and the letters ``<!DOCTYPE`` in a comment are none.
"""

from __future__ import annotations

import codecs
import contextlib
import gzip
import math
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, Protocol
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, ParseError, XMLParser
from xml.parsers import expat

from denxanh.sim.errors import InputError
from denxanh.sim.input.limits import XML_DEPTH
from denxanh.sim.input.packed import too_packed, unpacked_limit

_CHUNK = 1 << 20
_HEAD = 1024  # bytes that hold the XML declaration
_OF_EXPAT = ("utf-8", "utf-16", "utf-16-le", "utf-16-be", "iso8859-1", "ascii")  # expat decodes these itself
_SAME_EVERYWHERE = ("", "utf-8", "ascii")  # encodings that every reader of XML decodes alike
_UTF32 = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    b"<\0\0\0": "utf-32-le",
    b"\0\0\0<": "utf-32-be",
}
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, b"<\0", b"\0<")
_EBCDIC = "<?xm".encode("cp037")
_ASCII = (
    bytes(range(128)) + b"\\u0041\\x41&+AGE-~{#1~}\x1b$B!!\x1b(B"
)  # another text in EBCDIC, UTF-7, ISO-2022, HZ, …


class Elements(Protocol):
    """What ``scan`` tells of a file: each element in file order, attributes with all escapes resolved."""

    line: Callable[[], int]
    """Line of the element that is being told; set by ``scan``."""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        ...

    def end(self, tag: str) -> None:
        """It ends."""
        ...


def scan(path: Path, elements: Elements, *, kind: str, external_type: bool = False) -> None:
    """Tell ``elements`` all of a file without holding it in memory; packed or not, in any encoding Python knows.

    Comments are passed over, and text too unless ``elements`` has a method ``text``. Raises InputError for a file that
    cannot be read, is no XML, is cut off or declares a document type; ``kind`` is what the file is for, in the message.
    ``external_type``: a document type that only names a file is passed over, and the file is not read.
    """
    parser = None
    for chunk in _utf8(path, kind):
        if parser is None:
            parser = _expat(path, elements, kind, chunk.encoding, external_type)
        _feed(parser, path, kind, chunk.content)
    if parser is None:
        raise InputError(f"the {kind} is empty", location=str(path), remedy="write it again")
    _feed(parser, path, kind, None)


def _expat(
    path: Path, elements: Elements, kind: str, encoding: str | None, external_type: bool = False
) -> expat.XMLParserType:
    def refuse(_name: str, _system: str | None, _public: str | None, internal: bool) -> None:
        if external_type and not internal:
            return
        raise InputError(
            f"the {kind} declares a document type or entity, which is not allowed",
            location=f"{path}, line {parser.CurrentLineNumber}",
            remedy="remove the <!DOCTYPE …> from it",
        )

    depth = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > XML_DEPTH:
            raise _too_deep(f"{path}, line {parser.CurrentLineNumber}", kind)
        elements.start(tag, attributes)

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        elements.end(tag)

    parser = expat.ParserCreate(encoding)
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.StartDoctypeDeclHandler = refuse
    if (text := getattr(elements, "text", None)) is not None:
        parser.CharacterDataHandler = text
    elements.line = lambda: parser.CurrentLineNumber
    return parser


def _feed(parser: expat.XMLParserType, path: Path, kind: str, content: bytes | None) -> None:
    """Parse a piece of a file, or its end (None)."""
    try:
        parser.Parse(content or b"", content is None)
    except expat.ExpatError as error:
        cause = expat.ErrorString(error.code)
        open_ = content is None and error.code in _CUT_OFF
        raise InputError(
            f"the {kind} is {'cut off' if open_ else 'not well-formed XML'} ({cause})",
            location=f"{path}, line {error.lineno}, column {error.offset + 1}",
            remedy="write it again" if open_ else "the file may be cut off or not be XML; write it again",
        ) from None


_CUT_OFF = {
    expat.errors.codes[text]
    for text in (
        expat.errors.XML_ERROR_NO_ELEMENTS,
        expat.errors.XML_ERROR_UNCLOSED_TOKEN,
        expat.errors.XML_ERROR_PARTIAL_CHAR,
        expat.errors.XML_ERROR_UNCLOSED_CDATA_SECTION,
    )
}


class _Piece(NamedTuple):
    """A piece of a file, and the encoding that expat must be told, None where it finds that out itself."""

    content: bytes
    encoding: str | None


def _utf8(path: Path, kind: str) -> Iterator[_Piece]:
    """The pieces of a file in an encoding that expat knows."""
    decoder: codecs.IncrementalDecoder | None = None
    first = True
    for content in _chunks(path, kind):
        if first:
            name = foreign_encoding(content[:_HEAD], str(path), kind)
            decoder = codecs.getincrementaldecoder(name)() if name else None
            first = False
        if decoder is None:
            yield _Piece(content, None)
            continue
        try:
            yield _Piece(decoder.decode(content).encode(), "utf-8")
        except UnicodeDecodeError as error:
            raise InputError(
                f"the {kind} is not well-formed XML ({error})", location=str(path), remedy="write it again"
            ) from None


def foreign_encoding(head: bytes, location: str, kind: str) -> str:
    """The encoding that the first bytes of an XML file declare, "" where expat reads it itself. Raises InputError."""
    for begin, name in _UTF32.items():
        if head.startswith(begin):
            return name
    declared = "EBCDIC" if head.startswith(_EBCDIC) else _declaration(head)[1]
    if not declared:
        return ""
    try:
        name = codecs.lookup(declared).name
        if "escape" in name or (name not in _OF_EXPAT and _ASCII.decode(name) != _ASCII.decode("ascii")):
            raise LookupError  # readers differ in what they see of it; some codecs are no encodings of text
    except (LookupError, UnicodeError):
        raise InputError(
            f"the {kind} has an unsupported or unknown encoding {declared!r}",
            location=location,
            remedy="write it in UTF-8",
        ) from None
    return "" if name in _OF_EXPAT else name


def reads_alike(path: Path, *, kind: str) -> bool:
    """Whether every reader of XML decodes the file alike: XML 1.0 in UTF-8. Raises InputError."""
    head = next(_chunks(path, kind), b"")[:_HEAD]
    foreign = foreign_encoding(head, str(path), kind)
    version, declared = _declaration(head)
    known = _codec(declared)
    return not foreign and not head.startswith(_UTF16) and version == "1.0" and known in _SAME_EVERYWHERE


def _declaration(head: bytes) -> tuple[str, str]:
    """Version and encoding of the XML declaration; 1.0 and "" where there is none."""
    found = [("1.0", "")]
    parser = expat.ParserCreate("utf-8")  # else expat would ask Python's codec of that name
    parser.XmlDeclHandler = lambda version, encoding, _standalone: found.append((version, encoding or ""))
    with contextlib.suppress(expat.ExpatError, ValueError, LookupError):  # said by whoever reads the file
        parser.Parse(head, False)
    return found[-1]


def _codec(name: str) -> str:
    """Python's name of an encoding; the name itself where Python has none."""
    try:
        return codecs.lookup(name).name if name else ""
    except LookupError:
        return name


class _PrologEnd(Exception):
    """The root element begins: no document type can follow."""


def check_prolog(chunks: Iterable[bytes], path: Path, *, kind: str, encoding: str | None = None) -> None:
    """Raise InputError for a file that declares a document type; reads no further than its root element."""

    def refuse(*_: object) -> None:
        raise InputError(
            f"the {kind} declares a document type or entity, which is not allowed",
            location=f"{path}, line {parser.CurrentLineNumber}",
            remedy="remove the <!DOCTYPE …> from it",
        )

    def end(*_: object) -> None:
        raise _PrologEnd

    parser = expat.ParserCreate(encoding)
    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = end
    with contextlib.suppress(
        _PrologEnd, expat.ExpatError, ValueError, LookupError
    ):  # faults: who reads it says so
        for chunk in chunks:
            parser.Parse(chunk, False)


def _chunks(path: Path, kind: str) -> Iterator[bytes]:
    """The content of a file piece by piece, unpacked where it is packed. Raises InputError."""
    try:
        with path.open("rb") as stream:
            packed = stream.read(2) == _GZIP
        free = unpacked_limit(path)
        with gzip.open(path, "rb") if packed else path.open("rb") as stream:
            while content := stream.read(_CHUNK):
                free -= len(content)
                if packed and free < 0:
                    raise too_packed(path, kind)
                yield content
    except (OSError, EOFError, zlib.error) as error:
        raise _unreadable(path, kind, error) from None


_GZIP = b"\x1f\x8b"  # as SUMO, which does not ask what the file is called


def _unreadable(path: Path, kind: str, error: Exception) -> InputError:
    if isinstance(error, FileNotFoundError):
        return InputError(f"the {kind} does not exist", location=str(path), remedy="check the path")
    if isinstance(error, IsADirectoryError):
        return InputError(f"the {kind} is a folder", location=str(path), remedy="name the file in it")
    reason = getattr(error, "strerror", None) or str(error)
    return InputError(f"the {kind} cannot be read ({reason})", location=str(path), remedy="check the file")


def read_bytes(path: Path, *, kind: str, most: float = math.inf) -> bytes:
    """The file's content, unpacked if it is packed; ``kind`` is what it is for, in the message.

    Raises InputError for one of more than ``most`` bytes.
    """
    pieces, size = [], 0
    for content in _chunks(path, kind):
        size += len(content)
        if size > most:
            raise InputError(
                f"the {kind} has more than {most / 2**20:g} MB",
                location=str(path),
                remedy="check that it is the right file",
            )
        pieces.append(content)
    return b"".join(pieces)


def parse(path: Path, *, kind: str, target: object | None = None, most: float = math.inf) -> Element:
    """Parse a whole file into an element (or feed ``target``, as xml.etree's XMLParser does).

    Document types are refused before they are read: SUMO itself would fetch files for one, or never end.
    """
    content = read_bytes(path, kind=kind, most=most)
    if not content.strip():
        raise InputError(f"the {kind} is empty", location=str(path), remedy="write it again")
    encoding = foreign_encoding(content[:_HEAD], str(path), kind)
    try:
        decoded = content.decode(encoding).encode() if encoding else content
        check_prolog((decoded,), path, kind=kind, encoding="utf-8" if encoding else None)
        parser = XMLParser(target=target, encoding="utf-8" if encoding else None)
        parser.feed(decoded)
        root: Element = parser.close()
    except ParseError as error:
        line, column = error.position
        cause = str(error).rsplit(": line", 1)[0]
        raise InputError(
            f"the {kind} is not well-formed XML ({cause})",
            location=f"{path}, line {line}, column {column + 1}",
            remedy="the file may be cut off or not be XML; write it again",
        ) from None
    except (ValueError, LookupError) as error:
        raise InputError(
            f"the {kind} is not well-formed XML ({error})", location=str(path), remedy="write it again"
        ) from None
    if isinstance(root, Element):
        _check_depth(root, str(path), kind)
    return root


def _check_depth(root: Element, location: str, kind: str) -> None:
    """Raise InputError where elements nest deeper than XML_DEPTH."""
    level = [root]
    for _ in range(XML_DEPTH):
        level = [child for element in level for child in element]
        if not level:
            return
    raise _too_deep(location, kind)


def _too_deep(location: str, kind: str) -> InputError:
    return InputError(
        f"the elements of the {kind} nest deeper than {XML_DEPTH} levels",
        location=location,
        remedy="check that it is the right file",
    )


def check_unpacked(path: Path, *, kind: str) -> None:
    """Raise InputError for a file that cannot be read or unpacks to too many bytes; for programs that read it."""
    for _ in _chunks(path, kind):
        pass


def xml_text(root: Element) -> str:
    """The text of an XML file with this root, indented."""
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"
