"""Values that nobody can change: arrays over immutable memory, read-only mappings, and snapshots of whole objects.

``dataclass(frozen=True)`` only refuses to replace an attribute: an array or a dict behind it stays as it is. What a
controller gets is shared by the loop, the sensing and the other controllers, so it has to be immutable as a whole.
"""

from __future__ import annotations

import copyreg
import pickle
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

_T = TypeVar("_T")
_K = TypeVar("_K")
_V = TypeVar("_V")


def _reduce(mapping: MappingProxyType[Any, Any]) -> tuple[Any, ...]:
    return frozen_mapping, (dict(mapping),)


copyreg.pickle(MappingProxyType, _reduce)  # Python cannot pickle or copy one by itself


def frozen_array(array: NDArray[Any]) -> NDArray[Any]:
    """A read-only copy of an array over immutable memory, whose ``flags.writeable`` cannot be set again.

    >>> frozen_array(np.zeros(2)).flags.writeable
    False
    """
    given = np.asarray(array)
    if isinstance(given.base, bytes) and not given.flags.writeable:
        return given
    if not given.size:
        empty = given.copy()
        empty.setflags(write=False)
        return empty
    return np.frombuffer(given.tobytes(), dtype=given.dtype).reshape(given.shape)


def frozen_mapping(mapping: Mapping[_K, _V]) -> Mapping[_K, _V]:
    """A read-only mapping of the same items, independent of the mapping given."""
    return mapping if isinstance(mapping, MappingProxyType) else MappingProxyType(dict(mapping))


def freeze(described: object) -> None:
    """Make the arrays, mappings and lists among the attributes of a dataclass immutable, in place."""
    for name, value in vars(described).items():
        frozen: Any = value
        if isinstance(value, np.ndarray):
            frozen = frozen_array(value)
        elif isinstance(value, dict):
            frozen = frozen_mapping(value)
        elif isinstance(value, list):
            frozen = tuple(value)
        elif isinstance(value, set):
            frozen = frozenset(value)
        if frozen is not value:
            object.__setattr__(described, name, frozen)


class Frozen:
    """Base of a frozen dataclass whose arrays, mappings and lists are immutable, in copies and pickles too."""

    def __post_init__(self) -> None:
        freeze(self)

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        self.__dict__.update(state)
        freeze(self)


class Snapshot(Generic[_T]):
    """An object as it is now, kept as bytes, which no code that holds the object or a copy of it can change."""

    def __init__(self, value: _T) -> None:
        self._data = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)

    def copy(self) -> _T:
        """A new copy of the object as it was."""
        value: _T = pickle.loads(self._data)  # our own bytes of this process
        return value
