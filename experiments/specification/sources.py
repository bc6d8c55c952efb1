"""The code behind a controller that is not ours, as a digest: its modules, their helpers, data and versions.

Counted are, by content and never by location or time of change:

- every file of the packages that hold the modules, except bytecode and hidden files (a checkpoint beside a module too);
- every file that its distribution has installed, and the distribution's version;
- every module of the user's that these import, from anywhere but the standard library and installed packages;
- files beside a module of a plug-in that a text in its source names (a script may name what it writes);
- the versions of the installed distributions that they import.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import os
import site
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import Distribution, EntryPoint, packages_distributions, version
from pathlib import Path

from denxanh.sim.errors import InputError
from denxanh.sim.run.provenance import hash_file

MOST_FILES = 10_000  # in a folder whose content counts
_LONGEST_NAME = 200  # letters of a text that may name a file
_OURS = "denxanh"
_LEDGER = "ledger.sqlite"  # in every folder of an experiment's results


def content_hash(path: Path) -> str:
    """SHA-256 of a file's content, read again only when the file has changed; of a folder's files and their names.

    Raises InputError for a folder of more than MOST_FILES files.
    """
    if path.is_dir():
        return folder_hash(path)
    stat = path.stat()
    return _hash(path, stat.st_mtime_ns, stat.st_size, stat.st_ino)


@cache
def _hash(path: Path, changed: int, size: int, inode: int) -> str:
    return hash_file(path)


def folder_hash(folder: Path) -> str:
    """SHA-256 of the names and contents of a folder's files, at any depth, without bytecode and hidden files."""
    result = hashlib.sha256()
    for path in files_in(folder):
        result.update(path.relative_to(folder).as_posix().encode() + b"\0" + content_hash(path).encode())
    return result.hexdigest()


def files_in(folder: Path) -> list[Path]:
    """The files of a folder at any depth, sorted, without bytecode and hidden files. Raises InputError."""
    out: list[Path] = []
    for here, folders, names in os.walk(folder):
        if _LEDGER in names:  # results of ours
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if name != "__pycache__" and not name.startswith("."))
        out += [Path(here, name) for name in names if not name.startswith(".") and not name.endswith(".pyc")]
        if len(out) > MOST_FILES:
            raise InputError(
                f"the folder holds more than {MOST_FILES} files, whose content would count in a run's identity",
                location=str(folder),
                remedy="name a folder that holds only what the controller reads",
            )
    return sorted(path for path in out if path.is_file())


def plugin_digest(point: EntryPoint) -> str:
    """Of the code behind an entry point and of its whole distribution."""
    rows = list(_code([point.value.partition(":")[0]], texts=True))
    if point.dist is not None:
        rows += [("version", point.dist.name, point.dist.version), *_installed(point.dist)]
    return _digest(rows)


def module_digest(module: str, file: Path | None = None) -> str:
    """Of the code that a class of ``module`` needs; ``file`` where the module cannot be found by its name."""
    path = file or _file_of(module)
    if path is not None and module != "__main__" and _is_installed(path):
        return _digest(_version_of(module.partition(".")[0]))
    return _digest(_code([module], {module: file} if file else {}, texts=False))


def _digest(rows: Iterable[tuple[str, ...]]) -> str:
    return hashlib.sha256(repr(sorted(set(rows))).encode()).hexdigest()


def _installed(distribution: Distribution) -> Iterator[tuple[str, ...]]:
    """The files that a distribution lists, without what its installer wrote about them."""
    for file in distribution.files or ():
        described = any(part.endswith((".dist-info", ".egg-info")) for part in file.parts)
        if described or file.suffix in (".pyc", ".pth") or file.name.startswith("__editable__"):
            continue
        path = Path(str(file.locate()))
        if path.is_file():
            yield "file", file.as_posix(), content_hash(path)


def _code(
    modules: list[str], known: dict[str, Path] | None = None, *, texts: bool
) -> Iterator[tuple[str, ...]]:
    """(kind, name, content or version) of modules, of all that they import, and of what they name."""
    files = dict(known or {})
    ahead, done = list(modules), set()
    while ahead:
        module = ahead.pop()
        top = module.partition(".")[0]
        if module in done or top == _OURS or top in sys.stdlib_module_names:
            continue
        done.add(module)
        if module not in modules:
            outermost = files.get(top) or _file_of(top)  # importing what it leads to may take long
            if outermost is not None and _is_installed(outermost):
                yield from _version_of(top)
                continue
        path = files.get(module) or _file_of(module)
        if path is None or not _is_file(path):
            continue
        if module not in modules and _is_installed(path):  # of a package without a file of its own
            yield from _version_of(top)
            continue
        package = _package_folder(top, path)
        found = files_in(package) if package else [path]
        base = package.parent if package else path.parent
        for source in found:
            name = source.relative_to(base).as_posix() if package else f"{module}{source.suffix}"
            yield "source", name, content_hash(source)
            if source.suffix == ".py":
                imported, named = _read(source, content_hash(source))
                inside = ".".join(source.relative_to(base).with_suffix("").parts[:-1]) if package else ""
                for other, level in imported:
                    ahead.append(_absolute(other, level, inside))
                for text in named:
                    beside, helper = source.parent / text, source.parent / f"{text}.py"
                    if texts and _is_file(beside):
                        yield "named", text, content_hash(beside)
                    if text.isidentifier() and _is_file(helper):  # as in import_module("helper")
                        yield "named", text, content_hash(helper)
                for other in list(ahead):  # beside a script that is not on the path
                    helper = source.parent / f"{other}.py"
                    if not package and "." not in other and other not in files and _is_file(helper):
                        files[other] = helper


def _absolute(module: str, level: int, package: str) -> str:
    """The absolute name of an import; ``level`` dots lead up from the package."""
    if not level:
        return module
    parts = package.split(".") if package else []
    parts = parts[: len(parts) - level + 1]
    return ".".join([*parts, *([module] if module else [])])


@cache
def _read(path: Path, content: str) -> tuple[tuple[tuple[str, int], ...], tuple[str, ...]]:
    """The modules that a source imports, with the dots before them, and the texts in it that could name files."""
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):
        return (), ()
    imported: list[tuple[str, int]] = []
    named: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported += [(alias.name, 0) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            imported.append((node.module or "", node.level))
            if not node.module or not node.level:  # a name may be a module itself
                stem = f"{node.module}." if node.module else ""
                imported += [(stem + alias.name, node.level) for alias in node.names if alias.name != "*"]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            named.append(node.value)
    fits = (text for text in named if 0 < len(text) <= _LONGEST_NAME and text.isprintable())
    return tuple(dict.fromkeys(imported)), tuple(dict.fromkeys(fits))


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _file_of(module: str) -> Path | None:
    """The file of a module, imported or not; None for one that there is not, and for a name in a module."""
    loaded = sys.modules.get(module)
    if loaded is not None and getattr(loaded, "__file__", None):
        return Path(str(loaded.__file__))
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError, AttributeError):
        return None
    if spec is None or spec.origin in (None, "built-in", "frozen"):
        return None
    return Path(str(spec.origin))


def _package_folder(top: str, path: Path) -> Path | None:
    """The outermost package that holds a file; None for a module by itself."""
    folder = None
    for parent in path.parents:
        if not (parent / "__init__.py").is_file() and parent.name != top:
            break
        folder = parent
        if parent.name == top:
            break
    return folder


@cache
def _libraries() -> tuple[Path, ...]:
    """The folders of the standard library and of installed packages."""
    paths = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    paths += [*site.getsitepackages(), site.getusersitepackages()]
    return tuple(Path(path).resolve() for path in paths if path)


def _is_installed(path: Path) -> bool:
    resolved = path.resolve()
    return any(resolved.is_relative_to(folder) for folder in _libraries())


@cache
def _version_of(top: str) -> tuple[tuple[str, ...], ...]:
    """The versions of the distributions that a package comes from."""
    return tuple(("version", name, version(name)) for name in sorted(set(_distributions().get(top, ()))))


@cache
def _distributions() -> dict[str, list[str]]:
    return dict(packages_distributions())
