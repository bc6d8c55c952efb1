"""The folder that an import leaves: net, demand, configuration and the report, or nothing."""

from __future__ import annotations

import os
import re
import shutil
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from xml.sax.saxutils import quoteattr

from networks import names
from sim.errors import InputError

NET = "net.net.xml"
ROUTES = "demand.rou.xml"


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """Give an empty folder to write to; it becomes ``folder`` when all went well, and vanishes when not.

    Raises InputError if ``folder`` exists and holds anything.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError("the folder is not empty", where=str(folder), remedy="choose a new one with --out")
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
    """Return the name of a place's configuration: ``thu/thi-tran`` gives ``thu-thi-tran.sumocfg``."""
    slug = names.slug(name)
    if not slug:
        raise InputError(f"the name {name!r} has no letter or digit", remedy="give another --name")
    return f"{slug}.sumocfg"


def put(path: Path, text: str) -> None:
    """Write UTF-8 with plain newlines on every system."""
    path.write_text(text, encoding="utf-8", newline="\n")


def write_net(net: ET.Element, path: Path, comment: str) -> None:
    """Write a net with a comment at its head."""
    ET.indent(net)
    text = ET.tostring(net, encoding="unicode")
    put(path, f'<?xml version="1.0" encoding="UTF-8"?>\n<!-- {safe(comment)} -->\n{text}\n')


def write_config(path: Path, comment: str, values: Mapping[str, str]) -> None:
    """Write a SUMO configuration of options and values."""
    lines = [f"    <{key} value={quoteattr(value)}/>" for key, value in values.items()]
    head = ['<?xml version="1.0" encoding="UTF-8"?>', f"<!-- {safe(comment)} -->", "<configuration>"]
    put(path, "\n".join([*head, *lines, "</configuration>", ""]))


def safe(comment: str) -> str:
    """Return a comment that XML allows: without two hyphens in a row."""
    return re.sub("-{2,}", "-", comment).removesuffix("-")
