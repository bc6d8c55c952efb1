"""The identity of a controller: every edit of what it is made of changes it, and nothing else does."""

from __future__ import annotations

import importlib
import json
import math
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

import denxanh as dx
from denxanh.experiments.definition.expand import _with_paths
from denxanh.experiments.specification import identity
from denxanh.experiments.specification.identity import controller_digest
from denxanh.experiments.specification.objects import name_of
from denxanh.sim.controller import recorded_parameters

MODULE = '''"""A controller of a plug-in."""
from dataclasses import dataclass
from typing import ClassVar
from tuned_helpers import slope
from . import helper
from .deep.rule import longest

@dataclass(frozen=True)
class Tuned:
    """Stays in its phase."""
    name: ClassVar[str] = "tuned"
    sees: ClassVar[frozenset] = frozenset()
    weights: str = ""
    gain: float = 1.0
    tables: tuple = ()

    def files(self):
        from pathlib import Path
        return (Path(__file__).parents[1] / "named_by_files",)

    def start(self, network):
        return {}
'''

Edit = Callable[[Path], Any]


def _append(name: str) -> Edit:
    def edit(folder: Path) -> None:
        with (folder / name).open("ab") as stream:
            stream.write(b"\n# edited\n")

    return edit


def _write(name: str, data: bytes = b"new") -> Edit:
    def edit(folder: Path) -> None:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)

    return edit


def _version(folder: Path) -> None:
    path = folder / "site" / "tuned-1.0.dist-info" / "METADATA"
    path.write_text(path.read_text("utf-8").replace("Version: 1.0", "Version: 1.1"), encoding="utf-8")


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with an installed plug-in (``site``) and files that its parameters name."""
    files = {
        "site/tuned/__init__.py": "",
        "site/tuned/controller.py": MODULE,
        "site/tuned/helper.py": "RATE = 1\n",
        "site/tuned/deep/__init__.py": "",
        "site/tuned/deep/rule.py": "longest = 60\n",
        "site/tuned/table.json": "[1]",
        "site/tuned/net.pt": "weights",
        "site/tuned/data/array.npz": "array",
        "site/tuned_helpers.py": "import tuned_more\nslope = 1\n",
        "site/tuned_more.py": "x = 1\n",
        "site/listed.dat": "data",
        "site/named_by_files": "file",
        "site/tuned-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: tuned\nVersion: 1.0\n",
        "site/tuned-1.0.dist-info/entry_points.txt": "[denxanh.controllers]\ntuned = tuned.controller:Tuned\n",
        "site/tuned-1.0.dist-info/RECORD": "tuned/__init__.py,,\nlisted.dat,,\n",
        "given/policy.pt": "policy",
        "given/policy.npz": "policy",
        "given/policy": "policy",
        "given/folder/one": "1",
        "given/folder/sub/two.bin": "2",
    }
    for name, text in files.items():
        _write(name, text.encode())(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    _forget()


def _forget() -> None:
    """As a new session begins."""
    importlib.invalidate_caches()
    for name in [name for name in sys.modules if name.startswith("tuned")]:
        del sys.modules[name]
    for known in (identity._plugin_hash, identity._made, identity._filled_in):
        known.cache_clear()


GIVEN: dict[str, Any] = {"weights": "given/policy.pt"}

CHANGES: dict[str, tuple[Edit, dict[str, Any]]] = {
    "entry module": (_append("site/tuned/controller.py"), GIVEN),
    "helper module": (_append("site/tuned/helper.py"), GIVEN),
    "module of a package within": (_append("site/tuned/deep/rule.py"), GIVEN),
    "new module": (_write("site/tuned/added.py"), GIVEN),
    "data file beside the module": (_append("site/tuned/table.json"), GIVEN),
    "checkpoint beside the module": (_append("site/tuned/net.pt"), GIVEN),
    "array below the module": (_append("site/tuned/data/array.npz"), GIVEN),
    "module outside the package": (_append("site/tuned_helpers.py"), GIVEN),
    "module that this imports": (_append("site/tuned_more.py"), GIVEN),
    "file of the distribution": (_append("site/listed.dat"), GIVEN),
    "file that files() names": (_append("site/named_by_files"), GIVEN),
    "version": (_version, GIVEN),
    "checkpoint of a parameter": (_append("given/policy.pt"), GIVEN),
    "array of a parameter": (_append("given/policy.npz"), {"weights": "given/policy.npz"}),
    "file without an ending": (_append("given/policy"), {"weights": "given/policy"}),
    "file of a folder": (_append("given/folder/one"), {"weights": "given/folder"}),
    "file deep in a folder": (_append("given/folder/sub/two.bin"), {"weights": "given/folder"}),
    "new file of a folder": (_write("given/folder/three"), {"weights": "given/folder"}),
    "file in a list": (_append("given/policy.npz"), {"tables": ["given/policy.npz", 3]}),
}


@pytest.mark.parametrize("what", CHANGES)
def test_an_edit_changes_the_identity(what: str, plugin: Path) -> None:
    edit, given = CHANGES[what]
    before = controller_digest("tuned", given)
    layered = controller_digest("priority", _over("tuned", given))
    edit(plugin)
    _forget()
    assert controller_digest("tuned", given) != before
    assert controller_digest("priority", _over("tuned", given)) != layered
    nested = {"over": f"police:over={_over('tuned', given)['over']}"}
    assert controller_digest("priority", nested) != layered


def _over(name: str, given: dict[str, Any]) -> dict[str, str]:
    if "tables" in given:  # no text of a command line
        return {"over": f"{name}:weights={given['tables'][0]}"}
    return {"over": f"{name}:" + ",".join(f"{key}={value}" for key, value in given.items())}


def _touch(folder: Path) -> None:
    for path in folder.rglob("*"):
        os.utime(path, (1, 1))


def _move(folder: Path) -> None:
    """Everything elsewhere, its parameters' files too."""
    shutil.copytree(folder / "site", folder / "elsewhere" / "site")
    shutil.copytree(folder / "given", folder / "elsewhere" / "given")
    os.chdir(folder / "elsewhere")
    sys.path[sys.path.index(str(folder / "site"))] = str(folder / "elsewhere" / "site")


KEEPS: dict[str, tuple[Edit, dict[str, Any]]] = {
    "times": (_touch, {}),
    "bytecode": (_write("site/tuned/__pycache__/helper.cpython-313.pyc"), {}),
    "bytecode in a folder": (_write("given/folder/__pycache__/one.pyc"), {}),
    "hidden file": (_write("site/tuned/.helper.py.swp"), {}),
    "file beside the package": (_write("site/other.py"), {}),
    "file beside the folder": (_write("given/other"), {}),
    "file of its installer": (_write("site/tuned-1.0.dist-info/INSTALLER", b"pip"), {}),
    "results within the package": (_write("site/tuned/out/ledger.sqlite"), {}),
    "location": (_move, {}),
    "order of parameters": (lambda _: None, {"gain": 2.0, "weights": "given/folder"}),
    "default written out": (lambda _: None, {"weights": "given/folder", "gain": 2, "tables": []}),
    "path written in full": (lambda folder: None, {"weights": "./given/../given/folder", "gain": 2.0}),
}


@pytest.mark.parametrize("what", KEEPS)
def test_what_is_no_edit_keeps_the_identity(what: str, plugin: Path) -> None:
    edit, given = KEEPS[what]
    before = controller_digest("tuned", {"weights": "given/folder", "gain": 2.0})
    edit(plugin)
    _forget()
    assert controller_digest("tuned", given or {"weights": "given/folder", "gain": 2.0}) == before


def test_a_folder_of_too_many_files_is_refused(plugin: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("denxanh.experiments.specification.sources.MOST_FILES", 1)
    with pytest.raises(dx.InputError, match="holds more than 1 files"):
        controller_digest("tuned", {"weights": "given/folder"})


def test_a_file_that_files_names_must_be_there(plugin: Path) -> None:
    (plugin / "site" / "named_by_files").unlink()
    with pytest.raises(
        dx.InputError, match="named_by_files: controller 'tuned' names a file that is not there"
    ):
        controller_digest("tuned", {})


@pytest.mark.parametrize("value", ["given/policy", "given/policy.pt", "given/folder"])
def test_a_parameter_names_files_beside_the_experiments_file(value: str, plugin: Path) -> None:
    """Whatever their ending, and in the strategies below layers."""
    os.chdir(plugin / "site")
    found = str((plugin / value).resolve())
    assert _with_paths("weights", value, plugin) == found
    assert _with_paths("over", f"tuned:weights={value}", plugin) == f"tuned:weights={found}"
    nested = _with_paths("over", f"police:over=tuned:weights={value}", plugin)
    assert nested == f"police:over=tuned:weights={found}"
    assert _with_paths("over", "tuned:gain=2", plugin) == "tuned:gain=2"


@dataclass(frozen=True)
class Learned:
    """A controller given as an object."""

    name: ClassVar[str] = "learned"
    sees: ClassVar[frozenset[str]] = frozenset()
    table: ClassVar[list[int]] = [1, 2]
    weights: Any = None
    options: Any = field(default_factory=dict)

    def start(self, network: dx.Network) -> dict[str, Any]:
        """No policy."""
        return {}


class Plain:
    """A controller that is no dataclass."""

    name = "plain"
    sees: frozenset[str] = frozenset()

    def __init__(self, weights: Any) -> None:
        self.weights = weights

    def start(self, network: dx.Network) -> dict[str, Any]:
        """No policy."""
        return {}


def _adding(number: float) -> Callable[[float], float]:
    return lambda value: value + number


STATES: list[tuple[Any, Any]] = [
    (1, 2),
    (np.zeros(3), np.array([0.0, 0.0, 1.0])),
    (np.zeros(4), np.zeros((2, 2))),
    ([np.zeros(2)], [np.ones(2)]),
    ({"a": {"b": 1}}, {"a": {"b": 2}}),
    ({1, 2}, {1, 3}),
    (_adding(1), _adding(2)),
    (lambda x: x + 1, lambda x: x + 2),
    (Plain(1), Plain(2)),
    (np.random.default_rng(1), np.random.default_rng(2)),
    (np.float64(1.5), np.float64(2.5)),
    (b"a", b"b"),
]


@pytest.mark.parametrize("kind", [Learned, Plain])
@pytest.mark.parametrize("number", range(len(STATES)))
def test_the_state_of_an_object_counts(kind: Any, number: int) -> None:
    first, second = STATES[number]
    assert name_of(kind(first))[2] != name_of(kind(second))[2]


@pytest.mark.parametrize("number", range(len(STATES)))
def test_equal_objects_have_one_identity(number: int) -> None:
    import copy

    value = STATES[number][0]
    assert name_of(Learned(value))[2] == name_of(Learned(copy.deepcopy(value)))[2]


def test_the_order_of_items_does_not_count() -> None:
    one, two = Learned(options={"a": 1, "b": 2.0}), Learned(options={"b": 2, "a": 1})
    assert name_of(one)[2] == name_of(two)[2]
    assert name_of(Learned({"x", "y", "z"}))[2] == name_of(Learned({"z", "y", "x"}))[2]


def test_the_order_of_a_set_in_a_parameter_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """It was digested by its text, which differs with the order of insertion and, for names, between processes."""
    one, two = {0, 8}, {8, 0}
    assert str(one) != str(two)
    found = []
    for value in (one, two, {0, 9}):
        monkeypatch.setattr(identity, "_filled_in", lambda name, given, value=value: {"x": value})
        found.append(identity.controller_digest("max-pressure", {}))
    assert found[0] == found[1] != found[2]


AWKWARD: dict[str, Any] = {
    "none": None,
    "set": {1, 2},
    "frozen set": frozenset("ab"),
    "complex": 1j,
    "array": np.ones(2),
    "nan": math.nan,
    "infinity": -math.inf,
    "bytes": b"x",
    "path": Path("x"),
    "keys of two kinds": {1: 2, "a": 3},
    "a pair as key": {(1, 2): 3},
    "function": len,
    "object": object(),
    "surrogate": "\udc80",
    "number of numpy": np.float64(1.5),
    "nested": [{"a": (1, Path("x"))}],
    "large": 10**30,
}


@pytest.mark.parametrize("name", AWKWARD)
def test_a_parameter_that_json_cannot_hold_is_recorded(name: str) -> None:
    """It ended a run in a TypeError once all of it was simulated; a key that is no text ended it before it began."""
    value = AWKWARD[name]
    text = json.dumps(recorded_parameters(Learned(value)), allow_nan=False, sort_keys=True)
    assert text == json.dumps(recorded_parameters(Learned(value)), sort_keys=True)
    assert " at 0x" not in text
    text.encode("utf-8")
    _, kept, _ = name_of(Learned(value))
    json.dumps(kept, sort_keys=True)


def test_keys_that_are_no_texts_stay_as_they_are() -> None:
    """JSON would make texts of them: the object goes to its run as it is."""
    _, kept, digest = name_of(Learned({1: 2}))
    assert digest
    assert isinstance(kept["weights"], str)


def test_the_data_of_a_class_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    before = name_of(Learned())[2]
    monkeypatch.setattr(Learned, "table", [1, 3])
    assert name_of(Learned())[2] != before


def test_the_parameters_of_an_object_are_plain() -> None:
    """A ledger keeps them as JSON."""
    _, first, _ = name_of(Learned(np.zeros(3)))
    _, second, _ = name_of(Learned(np.ones(3)))
    assert first["weights"].startswith("ndarray ")
    assert first != second


SCRIPT = """
import sys
sys.path.insert(0, {folder!r})
import denxanh as dx
from denxanh.experiments.specification.objects import name_of
import near
class Mine:
    name = "mine"
    sees = frozenset()
    def start(self, network):
        import late
        return {{}}
digest = name_of(Mine())[2]
"""


@pytest.mark.parametrize("edited", ["script.py", "near.py", "beyond.py", "late.py", ""])
def test_the_modules_of_a_script_count(edited: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = {"near.py": "import beyond\n", "beyond.py": "x = 1\n", "late.py": "y = 1\n", "notes.txt": "n"}
    for name, text in names.items():
        _write(name, text.encode())(tmp_path)
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(folder="."), encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))

    def digest() -> str:
        for name in ("script", "near", "beyond", "late"):
            sys.modules.pop(name, None)
        importlib.invalidate_caches()
        return str(importlib.import_module("script").digest)

    before = digest()
    _append(edited or "notes.txt")(tmp_path)
    assert (digest() != before) == bool(edited)
    for name in ("script", "near", "beyond", "late"):
        sys.modules.pop(name, None)
