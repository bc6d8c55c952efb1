"""Write the folder of a place: network, demand, configuration; all of it or nothing."""

from __future__ import annotations

import os
import re
import shutil
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from xml.sax.saxutils import quoteattr

from denxanh.networks.place import names
from denxanh.sim.errors import InputError

NET = "net.net.xml"
ROUTES = "demand.rou.xml"


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """Yield an empty folder to write to; it is renamed to ``folder`` on success and removed on an error.

    Raises:
        InputError: ``folder`` exists and is not empty.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(
            "the folder is not empty", location=str(folder), remedy="choose a new one with --out"
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = folder.parent / f".{folder.name}-{os.getpid()}"
    draft.mkdir()
    try:
        yield draft
        if folder.exists():
            for path in draft.iterdir():
                path.rename(folder / path.name)
        else:
            draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def config_name(name: str) -> str:
    """Return the file name of a place's configuration: ``thu/thi-tran`` gives ``thu-thi-tran.sumocfg``.

    Raises:
        InputError: the name has no letter or digit, or leads out of the current folder.
    """
    if any(part in ("", ".", "..") for part in re.split(r"[/\\]", name)) and name:
        raise InputError(
            f"the name {name!r} is a path", remedy="give a name, such as my-town, and the folder with --out"
        )
    slug = names.slug(name)
    if not slug:
        raise InputError(f"the name {name!r} has no letter or digit", remedy="give another --name")
    return f"{slug}.sumocfg"


def require_file(path: Path) -> None:
    """Raise InputError unless ``path``, the source of an import, is a file."""
    if path.is_dir():
        raise InputError("this is a folder", location=str(path), remedy="give the file to import")
    if not path.is_file():
        raise InputError("there is no such file", location=str(path))


def write_text(path: Path, text: str) -> None:
    """Write a text file in UTF-8 with ``\\n`` as newline on every system."""
    path.write_text(text, encoding="utf-8", newline="\n")


def write_net(net: ET.Element, path: Path, comment: str) -> None:
    """Write a SUMO network with a comment at its head."""
    ET.indent(net)
    text = ET.tostring(net, encoding="unicode")
    write_text(path, f'<?xml version="1.0" encoding="UTF-8"?>\n<!-- {xml_comment(comment)} -->\n{text}\n')


def write_config(path: Path, comment: str, values: Mapping[str, str]) -> None:
    """Write a SUMO configuration of options and values."""
    lines = [f"    <{key} value={quoteattr(value)}/>" for key, value in values.items()]
    head = ['<?xml version="1.0" encoding="UTF-8"?>', f"<!-- {xml_comment(comment)} -->", "<configuration>"]
    write_text(path, "\n".join([*head, *lines, "</configuration>", ""]))


def xml_comment(comment: str) -> str:
    """Return the text of a valid XML comment: without two hyphens in a row."""
    return re.sub("-{2,}", "-", comment).removesuffix("-")
