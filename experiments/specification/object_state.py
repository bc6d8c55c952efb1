"""The state of an object as data that JSON can hold: the same for equal objects, in every session and on every machine.

Arrays count by their values, files that a text or path names by their content, functions by their code and by what they
close over, classes by the digest of the modules that they need.
"""

from __future__ import annotations

import functools
import hashlib
import sys
import types
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from denxanh.experiments.specification.sources import content_hash, module_digest

_LONGEST_PATH = 1000  # letters
_PICKLING = ("__reduce_ex__", "__reduce__", "__getstate__")  # methods by which an object tells its own state
_PLAIN = (type(None), bool, int, str, bytes)


def state_of(value: object) -> Any:
    """The state of an object as JSON data."""
    return _State().of(value)


def named_content(value: object) -> str | None:
    """The content hash of the file or folder that a parameter names; None if it names none."""
    if isinstance(value, Path):
        path = value
    elif isinstance(value, str) and 0 < len(value) <= _LONGEST_PATH and value.isprintable():
        path = Path(value)
    else:
        return None
    try:
        if path.is_file() or (path.is_dir() and path.resolve() != Path.cwd() and path.name not in ("", "..")):
            return content_hash(path)
    except (OSError, ValueError):
        pass
    return None


class _State:
    """One walk over an object and all that it refers to; a second way to the same object is a number."""

    def __init__(self) -> None:
        self._numbers: dict[int, int] = {}
        self._alive: list[object] = []  # so that no id is used twice

    def of(self, value: Any) -> Any:
        if isinstance(value, str | Path) and (content := named_content(value)):
            return {"content": content}
        if type(value) in _PLAIN:
            return value.hex() if isinstance(value, bytes) else value
        if type(value) is float:
            return int(value) if value.is_integer() else repr(value)
        if isinstance(value, np.generic):
            return self.of(value.item())
        if isinstance(value, types.ModuleType):
            return {"module": value.__name__, "code": module_digest(value.__name__)}
        if isinstance(value, type):
            return self._class(value)
        if id(value) in self._numbers:
            return {"again": self._numbers[id(value)]}
        self._numbers[id(value)] = len(self._numbers)
        self._alive.append(value)
        return self._compound(value)

    def _compound(self, value: Any) -> Any:
        if isinstance(value, np.ndarray):
            held = self.of(value.tolist()) if value.dtype.hasobject else value.tobytes().hex()
            return {"array": [str(value.dtype), list(value.shape), held]}
        if isinstance(value, Mapping) and type(value) in (dict, types.MappingProxyType):
            return {"mapping": [[self.of(key), self.of(held)] for key, held in _sorted(value.items())]}
        if type(value) in (list, tuple):
            return [self.of(part) for part in value]
        if type(value) in (set, frozenset):
            return {"set": [self.of(part) for part in _sorted(value)]}
        if isinstance(value, types.FunctionType):
            return self._function(value)
        if isinstance(value, types.MethodType):
            return {"method": [value.__func__.__qualname__, self.of(value.__self__)]}
        if isinstance(value, functools.partial):
            return {"partial": [self.of(part) for part in (value.func, value.args, value.keywords)]}
        if isinstance(value, types.CodeType):
            return self._code(value)
        if isinstance(value, Path):
            return str(value)
        return self._object(value)

    def _object(self, value: Any) -> Any:
        kind = type(value)
        out: dict[str, Any] = {"of": self._class(kind)}
        custom = any(name in vars(base) for base in kind.__mro__[:-1] for name in _PICKLING)
        if not custom:
            slots = [name for base in kind.__mro__ for name in _slots(base) if hasattr(value, name)]
            held = {name: getattr(value, name) for name in slots} | getattr(value, "__dict__", {})
            return out | {"attributes": self.of(held)}
        try:
            reduced = value.__reduce_ex__(4)
        except Exception:  # it cannot be pickled either: its class is all that is known
            return out
        return out | {"reduced": self.of(list(reduced[1:]) if isinstance(reduced, tuple) else reduced)}

    def _class(self, kind: type) -> Any:
        top = kind.__module__.partition(".")[0]
        if top in sys.stdlib_module_names and kind.__module__ != "__main__":  # builtins too
            return kind.__qualname__
        code = _module_code(kind)
        if code is not None:
            return {"class": kind.__qualname__, "code": code, "set": self._set_attributes(kind)}
        if id(kind) in self._numbers:
            return {"again": self._numbers[id(kind)]}
        self._numbers[id(kind)] = len(self._numbers)
        own = {name: part for name, part in vars(kind).items() if name not in _OF_CLASSES}
        return {
            "class": kind.__qualname__,
            "bases": [self._class(base) for base in kind.__bases__ if base is not object],
            "own": self.of({name: _unwrapped(part) for name, part in own.items()}),
        }

    def _set_attributes(self, kind: type) -> Any:
        """The data among the attributes of a class, which may be set after its source was read."""
        plain = (*_PLAIN, float, list, tuple, dict, set, frozenset, np.ndarray)
        own = {
            name: part
            for name, part in vars(kind).items()
            if not name.startswith("__") and isinstance(part, plain)
        }
        return self.of(own)

    def _function(self, value: types.FunctionType) -> Any:
        used = {
            name: value.__globals__[name]
            for name in sorted(_names(value.__code__))
            if name in value.__globals__ and _module_code(value) is None
        }
        cells = [cell.cell_contents for cell in value.__closure__ or () if _filled(cell)]
        return {
            "function": value.__qualname__,
            "code": _module_code(value) or self._code(value.__code__),
            "line": self._code(value.__code__) if value.__name__ == "<lambda>" else None,
            "closes over": [self.of(held) for held in cells],
            "defaults": [self.of(value.__defaults__), self.of(value.__kwdefaults__)],
            "globals": self.of(used),
        }

    def _code(self, code: types.CodeType) -> Any:
        parts = [
            self._code(part) if isinstance(part, types.CodeType) else repr(part) for part in code.co_consts
        ]
        return [code.co_code.hex(), parts, list(code.co_names), list(code.co_varnames)]


_OF_CLASSES = frozenset(
    """__module__ __dict__ __weakref__ __doc__ __annotations__ __firstlineno__ __static_attributes__ __match_args__
    __dataclass_params__ __dataclass_fields__ __abstractmethods__ _abc_impl __hash__ __replace__ __annotate_func__
    __annotations_cache__ __parameters__ __orig_bases__ __protocol_attrs__ __non_callable_proto_members__""".split()
)


def _module_code(thing: type | types.FunctionType) -> str | None:
    """The digest of the module that defines a class or function; None where it has no source file."""
    module = sys.modules.get(thing.__module__ or "")
    file = getattr(module, "__file__", None)
    if file is None and isinstance(thing, types.FunctionType):
        file = thing.__code__.co_filename
    if file is None or not Path(file).is_file():
        return None
    return module_digest(thing.__module__, Path(file))


def _unwrapped(part: Any) -> Any:
    """The function behind a descriptor of a class."""
    if isinstance(part, staticmethod | classmethod):
        return part.__func__
    if isinstance(part, property):
        return [part.fget, part.fset, part.fdel]
    if isinstance(part, types.MemberDescriptorType | types.GetSetDescriptorType):
        return None
    return part


def _sorted(values: Any) -> list[Any]:
    key: Callable[[Any], str] = lambda part: hashlib.sha256(  # noqa: E731
        repr(state_of(part[0] if isinstance(part, tuple) and part else part)).encode()
    ).hexdigest()
    return sorted(values, key=key)


def _slots(kind: type) -> list[str]:
    slots = vars(kind).get("__slots__", ())
    return [slots] if isinstance(slots, str) else [name for name in slots if not name.startswith("__")]


def _names(code: types.CodeType) -> set[str]:
    """The names that a code and the codes within it use."""
    return set(code.co_names).union(*(_names(c) for c in code.co_consts if isinstance(c, types.CodeType)))


def _filled(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018
    except ValueError:
        return False
    return True


def plain_parameter(value: Any) -> Any:
    """A parameter as a ledger keeps it: itself where JSON can hold it, else its kind and the digest of its state."""
    if type(value) in (type(None), bool, int, float, str):
        return value
    if isinstance(value, np.generic):
        return plain_parameter(value.item())
    if isinstance(value, Path):
        return str(value)
    if type(value) in (list, tuple) and all(type(part) in (bool, int, float, str) for part in value):
        return list(value)
    if type(value) is dict and all(
        type(key) is str and type(part) in (bool, int, float, str) for key, part in value.items()
    ):
        return dict(value)
    return f"{type(value).__name__} {hashlib.sha256(repr(state_of(value)).encode()).hexdigest()[:12]}"


def is_plain(controller: object) -> bool:
    """Whether a name and JSON parameters make the same object again: a dataclass without any other attribute."""
    if not is_dataclass(controller) or isinstance(controller, type):
        return False
    known = {field.name for field in fields(controller) if field.init}
    values = {name: getattr(controller, name) for name in known}
    return set(getattr(controller, "__dict__", {})) <= known and all(
        not isinstance(plain_parameter(value), str) or isinstance(value, str) for value in values.values()
    )
