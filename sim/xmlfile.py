"""Opening XML that a user gave us: no document types, no entities, and errors that name file and line."""

from __future__ import annotations

import gzip
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError, XMLParser

from sim.errors import InputError

_CHUNK = 1 << 20


def read_bytes(path: Path, *, kind: str) -> bytes:
    """The file's content, unpacked if its name ends in .gz; ``kind`` is what it is for, in the message."""
    try:
        if path.suffix == ".gz":
            with gzip.open(path, "rb") as stream:
                return stream.read()
        return path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"the {kind} does not exist", where=str(path), remedy="check the path") from None
    except IsADirectoryError:
        raise InputError(f"the {kind} is a folder", where=str(path), remedy="name the file in it") from None
    except (OSError, EOFError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(
            f"the {kind} cannot be read ({reason})", where=str(path), remedy="check the file"
        ) from None


def parse(path: Path, *, kind: str, target: object | None = None) -> Element:
    """Parse a whole file into an element (or feed ``target``, as xml.etree's XMLParser does).

    Document types are refused before anything is read from them: SUMO itself can be made to fetch files
    and to spin for ever by one.
    """
    content = read_bytes(path, kind=kind)
    if not content.strip():
        raise InputError(f"the {kind} is empty", where=str(path), remedy="write it again")
    head = content if len(content) < _CHUNK else content[:_CHUNK]
    if b"<!DOCTYPE" in head or b"<!ENTITY" in content:
        raise InputError(
            f"the {kind} declares a document type or entity, which is not allowed",
            where=str(path),
            remedy="remove the <!DOCTYPE …> from it",
        )
    parser = XMLParser(target=target)
    try:
        parser.feed(content)
        root: Element = parser.close()
    except ParseError as error:
        line, column = error.position
        cause = str(error).rsplit(": line", 1)[0]
        raise InputError(
            f"the {kind} is not well-formed XML ({cause})",
            where=f"{path}, line {line}, column {column + 1}",
            remedy="the file may be cut off or not be XML; write it again",
        ) from None
    except (ValueError, LookupError) as error:
        raise InputError(
            f"the {kind} is not well-formed XML ({error})", where=str(path), remedy="write it again"
        ) from None
    return root
