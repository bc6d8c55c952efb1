"""Values of SUMO options, checked against the schema that comes with SUMO, which knows each option's type.

SUMO itself only says "Invalid Number Format" and does not name the option.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from functools import cache

from denxanh.sim.errors import InputError
from denxanh.sim.sumo.netfile import seconds
from denxanh.sim.sumo.wheel import sumo_home
from denxanh.sim.text_values import FALSE, TRUE

_ELEMENT = re.compile(r'<xsd:element name="([\w.-]+)" type="(\w+)OptionType"')


def check_options(values: Mapping[str, str], location: str) -> None:
    """Raise InputError for a value that is not of its option's type."""
    for name, value in values.items():
        wanted = _fault(_types().get(name, "str"), value)
        if wanted:
            raise InputError(
                f"{name} is {value!r}, which is not {wanted}", location=location, remedy=f"give {wanted}"
            )


@cache
def _types() -> dict[str, str]:
    schema = sumo_home() / "data" / "xsd" / "types" / "sumoConfigurationType.xsd"
    return dict(_ELEMENT.findall(schema.read_text("utf-8")))


def _fault(kind: str, value: str) -> str:
    """What the value should have been, or "" if it is."""
    try:
        if kind == "time":
            seconds(value, "")
        elif kind == "float" and not math.isfinite(float(value)):
            return "a finite number"
        elif kind == "int":
            int(value)
        elif kind == "bool" and value.lower() not in TRUE | FALSE:
            return "true or false"
    except ValueError:
        return "a whole number" if kind == "int" else "a number"
    except InputError:
        return "a time in seconds"
    return ""
