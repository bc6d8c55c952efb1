"""XML files of users: document types and entities are refused, and errors name file and line."""

from __future__ import annotations

import gzip
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError, XMLParser

from denxanh.sim.errors import InputError

_CHUNK = 1 << 20


def read_bytes(path: Path, *, kind: str) -> bytes:
    """The file's content, unpacked if its name ends in .gz; ``kind`` is its purpose, for messages."""
    try:
        if path.suffix == ".gz":
            with gzip.open(path, "rb") as stream:
                return stream.read()
        return path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"the {kind} does not exist", location=str(path), remedy="check the path") from None
    except IsADirectoryError:
        raise InputError(
            f"the {kind} is a folder", location=str(path), remedy="name the file in it"
        ) from None
    except (OSError, EOFError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(
            f"the {kind} cannot be read ({reason})", location=str(path), remedy="check the file"
        ) from None


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
    parser = XMLParser(target=target)
    try:
        parser.feed(content)
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
