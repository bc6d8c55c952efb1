"""Sphinx configuration of the site: ``sphinx-build -W -b html docs OUT``, with ``-D language=vi`` in Vietnamese."""

from __future__ import annotations

import sys
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import reference_pages  # beside this file

project = "denxanh"
author = "the authors of denxanh"
release = version = installed_version("denxanh")
extensions = ["myst_parser"]
exclude_patterns = ["_build", "examples", "locale"]
locale_dirs = ["locale"]  # PO files, a page each; what has none stays in English
gettext_compact = False
gettext_uuid = False
suppress_warnings = ["misc.highlighting_failure"]  # usage lines with … are no shell

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 4

html_theme = "furo"
html_title = "denxanh"
html_extra_path = ["experiment.schema.json"]
html_show_sourcelink = False
html_show_copyright = False


def insert_reference(app: Any, docname: str, source: list[str]) -> None:
    """Replace ``<!-- from the code: NAME -->`` on a page by what reference_pages makes of the code."""
    source[0] = reference_pages.insert(source[0])


def pages_from_the_code(
    app: Any, env: Any, added: set[str], changed: set[str], removed: set[str]
) -> list[str]:
    """Pages that are read again at each build, because the code may have changed."""
    return [name for name in env.found_docs if name.startswith("reference/")]


def setup(app: Any) -> dict[str, Any]:
    """Connect the pages made from the code."""
    app.connect("source-read", insert_reference)
    app.connect("env-get-outdated", pages_from_the_code)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
