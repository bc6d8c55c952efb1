"""The scripts of benchmarks/ fit the code of today: what they import by name is there."""

from __future__ import annotations

import ast
import importlib
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[1] / "benchmarks"
SCRIPTS = sorted(FOLDER.glob("*.py"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_benchmark_finds_every_name_that_it_imports(script: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))
    missing = []
    for node in ast.walk(ast.parse(script.read_text("utf-8"))):
        if not isinstance(node, ast.ImportFrom) or not node.module or node.level:
            continue
        if not (node.module.startswith("denxanh") or (FOLDER / f"{node.module}.py").is_file()):
            continue
        module = importlib.import_module(node.module)
        for name in node.names:
            if not hasattr(module, name.name):
                try:
                    importlib.import_module(f"{node.module}.{name.name}")
                except ImportError:
                    missing.append(f"{script.name}:{node.lineno}: {node.module} has no {name.name}")
    for own in SCRIPTS:
        sys.modules.pop(own.stem, None)
    assert not missing
