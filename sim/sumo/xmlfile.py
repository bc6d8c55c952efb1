"""XML files of users: document types and entities are refused, and errors name file and line."""

from __future__ import annotations

import codecs
import contextlib
import gzip
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, Protocol
from xml.etree.ElementTree import Element, ParseError, XMLParser
from xml.parsers import expat

from denxanh.sim.errors import InputError

_CHUNK = 1 << 20
_HEAD = 1024  # bytes that hold the XML declaration
_OF_EXPAT = ("utf-8", "utf-16", "utf-16-le", "utf-16-be", "iso8859-1", "ascii")  # expat decodes these itself


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


def scan(path: Path, elements: Elements, *, kind: str) -> None:
    """Tell ``elements`` all of a file without holding it in memory; packed or not, in any encoding Python knows.

    Comments and text are passed over. Raises InputError for a file that cannot be read, is no XML, is cut off or
    declares a document type; ``kind`` is what the file is for, in the message.
    """
    parser = None
    for chunk in _utf8(path, kind):
        if parser is None:
            parser = _expat(path, elements, kind, chunk.encoding)
        _feed(parser, path, kind, chunk.content)
    if parser is None:
        raise InputError(f"the {kind} is empty", location=str(path), remedy="write it again")
    _feed(parser, path, kind, None)


def _expat(path: Path, elements: Elements, kind: str, encoding: str | None) -> expat.XMLParserType:
    def refuse(*_: object) -> None:
        raise InputError(
            f"the {kind} declares a document type or entity, which is not allowed",
            location=f"{path}, line {parser.CurrentLineNumber}",
            remedy="remove the <!DOCTYPE …> from it",
        )

    parser = expat.ParserCreate(encoding)
    parser.StartElementHandler = elements.start
    parser.EndElementHandler = elements.end
    parser.StartDoctypeDeclHandler = refuse
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
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    declared: list[str] = []
    parser = expat.ParserCreate()
    parser.XmlDeclHandler = lambda _version, encoding, _standalone: declared.append(encoding or "")
    with contextlib.suppress(expat.ExpatError, ValueError, LookupError):  # said by whoever reads the file
        parser.Parse(head, False)
    if not declared or not declared[0]:
        return ""
    try:
        name = codecs.lookup(declared[0]).name
        " ".encode(name)  # some codecs are no encodings of text
    except (LookupError, UnicodeError):
        raise InputError(
            f"the {kind} has the unknown encoding {declared[0]!r}",
            location=location,
            remedy="write it in UTF-8",
        ) from None
    return "" if name in _OF_EXPAT else name


def _chunks(path: Path, kind: str) -> Iterator[bytes]:
    """The content of a file piece by piece, unpacked where it is packed. Raises InputError."""
    try:
        with path.open("rb") as stream:
            packed = stream.read(2) == _GZIP
        with gzip.open(path, "rb") if packed else path.open("rb") as stream:
            while content := stream.read(_CHUNK):
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


def read_bytes(path: Path, *, kind: str) -> bytes:
    """The file's content, unpacked if it is packed; ``kind`` is what it is for, in the message."""
    return b"".join(_chunks(path, kind))


def parse(path: Path, *, kind: str, target: object | None = None) -> Element:
    """Parse a whole file into an element (or feed ``target``, as xml.etree's XMLParser does).

    Document types are refused before they are read: SUMO itself would fetch files for one, or never end.
    """
    content = read_bytes(path, kind=kind)
    if not content.strip():
        raise InputError(f"the {kind} is empty", location=str(path), remedy="write it again")
    head = content if len(content) < _CHUNK else content[:_CHUNK]
    if b"<!DOCTYPE" in head or b"<!ENTITY" in content:
        raise InputError(
            f"the {kind} declares a document type or entity, which is not allowed",
            location=str(path),
            remedy="remove the <!DOCTYPE …> from it",
        )
    encoding = foreign_encoding(content[:_HEAD], str(path), kind)
    parser = XMLParser(target=target, encoding="utf-8" if encoding else None)
    try:
        parser.feed(content.decode(encoding).encode() if encoding else content)
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
    return root
