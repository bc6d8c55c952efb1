"""The page of the workbench: one HTML page, its style and plain JavaScript modules, shipped with the package."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from denxanh.sim.language.text import Text

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Content-Security-Policy: nothing from outside, nothing inline."""

_TYPES = {  # stated here: registries of Windows machines may map .js to text/plain
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
}


@cache
def assets() -> dict[str, tuple[bytes, str]]:
    """Content and type of each file of the page, by name."""
    folder = files("denxanh.experiments.workbench") / "templates"
    return {
        item.name: (item.read_bytes(), _TYPES[suffix])
        for item in sorted(folder.iterdir(), key=lambda one: one.name)
        if (suffix := "." + item.name.rpartition(".")[2]) in _TYPES
    }


def json_text(text: Text) -> dict[str, str]:
    """A text in both languages as JSON data."""
    return {"en": text.en, "vi": text.vi}
