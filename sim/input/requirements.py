"""What a value of a file must be, as a predicate in plain English, from an error of pydantic."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_BY_TYPE = {
    "missing": "is missing",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "dict_type": "must be a table",
    "model_type": "must be a table",
    "model_attributes_type": "must be a table",
    "dataclass_type": "must be a table",
    "finite_number": "must be a finite number",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "int_from_float": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "string_type": "must be text",
}
_BOUNDS = {
    "greater_than": "above",
    "greater_than_equal": "at least",
    "less_than": "below",
    "less_than_equal": "at most",
}


def requirement(error: Mapping[str, Any]) -> str:
    """What the value of an error of pydantic must be, to stand after its key; empty where pydantic's type is not known.

    >>> requirement({"type": "greater_than", "ctx": {"gt": 0.0}})
    'must be above 0'
    >>> requirement({"type": "missing"})
    'is missing'
    """
    kind = error["type"]
    if kind in _BOUNDS:
        (bound,) = error["ctx"].values()
        return f"must be {_BOUNDS[kind]} {bound:g}"
    if kind == "literal_error":
        return f"must be one of {error['ctx']['expected']}"
    return _BY_TYPE.get(kind, "")
