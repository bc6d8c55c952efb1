"""The site is built without a warning; its parts made from the code have what the code has."""

from __future__ import annotations

import importlib.util
import pickle
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"


@pytest.fixture(scope="module")
def reference() -> ModuleType:
    """docs/reference_pages.py, which is no part of the package."""
    spec = importlib.util.spec_from_file_location("reference_pages", DOCS / "reference_pages.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    pytest.importorskip("furo", reason="the site needs the extra docs: pip install -e '.[docs]'")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "sphinx",
            "-q",
            "-W",
            "--keep-going",
            "-d",
            tmp_path / "trees",
            DOCS,
            tmp_path / "site",
        ],
        capture_output=True,
        encoding="utf-8",
        timeout=1800,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "site" / "reference" / "controllers.html").read_text("utf-8")
    assert "Varaiya" in page
    assert "from the code:" not in page


VIETNAMESE = (
    *("index", "tutorials/index", "tutorials/map-to-plan"),
    *("how-to/index", "how-to/from-counts", "how-to/study", "how-to/workbench"),
)


def test_the_pages_for_planners_are_in_vietnamese(tmp_path: Path) -> None:
    """No paragraph is left in English: a changed one is translated again (CONTRIBUTING.md, "Vietnamese")."""
    pytest.importorskip("furo", reason="the site needs the extra docs: pip install -e '.[docs]'")
    shutil.copytree(DOCS / "locale", tmp_path / "locale")  # Sphinx writes its MO files there
    options = ["-D", "language=vi", "-D", f"locale_dirs={tmp_path / 'locale'}"]
    # these pages alone: the English site above is built with every page, and knows whether their links lead somewhere
    options += ["-D", f"include_patterns={','.join(f'{page}.md' for page in VIETNAMESE)}"]
    options += ["-D", "suppress_warnings=toc.not_readable,myst.xref_missing"]
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "-b", "dummy", "-d", tmp_path / "trees", *options]
    done = subprocess.run(
        [*command, DOCS, tmp_path / "out"], capture_output=True, encoding="utf-8", timeout=1800, check=False
    )
    assert done.returncode == 0, done.stderr
    for page in VIETNAMESE:
        tree = pickle.loads((tmp_path / "trees" / f"{page}.doctree").read_bytes())
        english = [
            node.rawsource or node.astext()
            for node in tree.findall()
            if getattr(node, "attributes", {}).get("translated") is False
            and node.tagname not in ("image", "toctree")  # counted apart from their texts
        ]
        assert tree["translation_progress"]["translated"] > 0
        assert not english, page


def test_every_controller_says_when_not_to_use_it(reference: ModuleType) -> None:
    assert sorted(reference.when_not()) == sorted(reference.controllers())


def test_the_command_line_has_every_command_with_its_options(reference: ModuleType) -> None:
    page = reference.command_line()
    for name in ("list", "check", "run", "compare", "optimize", "experiment", "import osm", "pack"):
        assert f"## denxanh {name}\n" in page
    section = page.partition("## denxanh compare\n")[2].partition("\n## ")[0]
    assert "`--controller`" in section
    assert "| `--seeds`" in section
    assert all("--help" not in line for line in page.splitlines() if line.startswith("| `--help"))


def test_the_python_reference_has_every_public_name_once(reference: ModuleType) -> None:
    import denxanh

    page = reference.python()
    named = re.findall(r"^### (\w+)$", page, re.MULTILINE)
    strategies = {point.value.partition(":")[2] for point in reference.controllers().values()}
    assert sorted(named) == sorted(set(denxanh.__all__) - strategies)
    assert page.count("```") % 2 == 0


def test_the_metrics_are_those_of_the_code(reference: ModuleType) -> None:
    from denxanh.sim.metrics import NAMES

    assert re.findall(r"^\| `(\w+)`", reference.metrics(), re.MULTILINE) == list(NAMES)


def test_a_mark_without_a_part_is_refused(reference: ModuleType) -> None:
    with pytest.raises(KeyError):
        reference.insert("<!-- from the code: nothing -->")
