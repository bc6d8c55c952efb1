"""The house: rooms of a size that can be overlooked, imports that point down, names that lead to one file."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("denxanh", "sim", "controllers", "networks", "experiments")
MOST = 16  # modules that one folder may hold
TWICE: dict[str, str] = {}  # file name: why two modules of one package may share it

MODULES = sorted(path.relative_to(ROOT) for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
PACKAGES = sorted({module.parent for module in MODULES})


@pytest.mark.parametrize("folder", PACKAGES, ids=str)
def test_a_folder_holds_no_more_modules_than_can_be_overlooked(folder: Path) -> None:
    modules = [m for m in MODULES if m.parent == folder and m.name != "__init__.py"]
    assert len(modules) <= MOST, f"{folder} holds {len(modules)} modules: make rooms by idea"


@pytest.mark.parametrize("package", FOLDERS)
def test_a_file_name_leads_to_one_module(package: str) -> None:
    found: dict[str, list[str]] = defaultdict(list)
    for module in MODULES:
        if module.parts[0] == package and module.name != "__init__.py":
            found[module.name].append(str(module))
    twice = {name: paths for name, paths in found.items() if len(paths) > 1 and name not in TWICE}
    assert not twice


@pytest.mark.parametrize("folder", PACKAGES, ids=str)
def test_a_room_says_its_idea_and_lists_what_is_in_it(folder: Path) -> None:
    tree = ast.parse((ROOT / folder / "__init__.py").read_text("utf-8"))
    line = (ast.get_docstring(tree) or "").partition("\n")[0]
    assert line.endswith("."), f"{folder}/__init__.py: the first line is the room's idea, a sentence"
    listed = [
        [ast.literal_eval(item) for item in node.value.elts]
        for node in tree.body
        if isinstance(node, ast.Assign)
        and ast.unparse(node.targets[0]) == "__all__"
        and isinstance(node.value, ast.List)
    ]
    assert listed, f"{folder}/__init__.py has no __all__"
    modules = {m.stem for m in MODULES if m.parent == folder and not m.name.startswith("_")}
    if set(listed[0]) & modules == set(listed[0]):  # a room that lists its modules lists all of them
        rooms = {p.name for p in PACKAGES if p.parent == folder}
        assert set(listed[0]) == modules | (rooms & set(listed[0]))


def test_nobody_imports_a_folder_by_its_bare_name() -> None:
    """Another wheel, or the user's own project, may have packages of these names."""
    bare = []
    for path in (*MODULES, *(p.relative_to(ROOT) for p in (ROOT / "benchmarks").rglob("*.py"))):
        for node in ast.walk(ast.parse((ROOT / path).read_text("utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
                names = [node.module]
            bare += [f"{path}:{node.lineno}" for name in names if name.split(".")[0] in FOLDERS[1:]]
    assert not bare


def test_a_relative_path_in_no_message_of_the_code_leads_nowhere() -> None:
    """Pages of the documentation that the code names are there."""
    missing = set()
    for module in MODULES:
        text = (ROOT / module).read_text("utf-8")
        for word in text.replace("`", " ").replace("(", " ").replace(")", " ").split():
            name = word.strip(".,;:\"'")
            if name.startswith("docs/") and name.endswith(".md") and not (ROOT / name).is_file():
                missing.add(f"{module}: {name}")
    assert not missing


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package as an installation has it: one folder ``denxanh``."""
    folder = tmp_path_factory.mktemp("tree")
    unused = shutil.ignore_patterns("__pycache__", "data", "templates")
    for name in FOLDERS:
        target = folder / "denxanh" if name == "denxanh" else folder / "denxanh" / name
        shutil.copytree(ROOT / name, target, ignore=unused)
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def lint(tree: Path) -> subprocess.CompletedProcess[str]:
    """import-linter on the tree, with the contracts of pyproject.toml."""
    code = "from importlinter.cli import lint_imports; raise SystemExit(lint_imports(no_cache=True))"
    environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONIOENCODING": "utf-8"}
    return subprocess.run(
        [sys.executable, "-c", code], cwd=tree, env=environment, capture_output=True, text=True, check=False
    )


def test_imports_point_down_between_rooms(tree: Path) -> None:
    done = lint(tree)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("sim/network.py", "from denxanh.controllers import registry"),
        ("sim/timing/webster.py", "from denxanh.sim.run import run"),
        ("experiments/optimize/problem/space.py", "from denxanh.experiments.optimize.search import climb"),
        ("controllers/pressure/max_wave.py", "from denxanh.controllers.actuated import actuated"),
    ],
    ids=["another package", "a room above", "within optimize", "another family"],
)
def test_an_import_across_a_border_is_found(tree: Path, module: str, line: str) -> None:
    path = tree / "denxanh" / module
    before = path.read_text("utf-8")
    path.write_text(f"{before}\n{line}\n", encoding="utf-8")
    try:
        assert lint(tree).returncode == 1
    finally:
        path.write_text(before, encoding="utf-8")


def test_the_page_of_the_house_has_the_line_of_every_room() -> None:
    page = (ROOT / "docs" / "house.md").read_text("utf-8")
    for folder in PACKAGES:
        tree = ast.parse((ROOT / folder / "__init__.py").read_text("utf-8"))
        assert (ast.get_docstring(tree) or "").partition("\n")[0] in page, folder


def test_the_index_of_decisions_has_every_record() -> None:
    folder = ROOT / "docs" / "decisions"
    index = (folder / "README.md").read_text("utf-8")
    records = [path.name for path in folder.glob("[0-9]*.md")]
    assert [name for name in records if f"({name})" not in index] == []
