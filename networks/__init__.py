"""Places: built-in streets of Hà Nội and TP.HCM, generated grids, and the import of other formats.

`list_places` reads one small file; ``built_in`` builds a place on first use.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib.resources import files

__all__ = ["PlaceInfo", "list_places"]


@dataclass(frozen=True, slots=True)
class PlaceInfo:
    """Name, titles and number of signals of a built-in place."""

    name: str
    title: str
    title_vi: str
    signals: int


def list_places() -> tuple[PlaceInfo, ...]:
    """Return the built-in places in alphabetical order."""
    index = (files(__name__) / "data" / "index.toml").read_text(encoding="utf-8")
    return tuple(
        sorted((PlaceInfo(**entry) for entry in tomllib.loads(index)["place"]), key=lambda p: p.name)
    )
