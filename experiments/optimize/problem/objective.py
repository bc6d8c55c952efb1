"""The objective: one measure or a weighted sum of several, to be minimised.

The queue model's values of the measures are in ``surrogate.predicted_measures``, SUMO's in ``evaluation.measures``.
Every measure is defined so that less is better and no value is negative.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from denxanh.sim.errors import InputError
from denxanh.sim.network import Network
from denxanh.sim.text_values import closest, did_you_mean

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Measure:
    """A measure of performance. ``on_links``: it is defined on named roads, as in ``queue:EDGE,EDGE``."""

    name: str
    unit: str
    title: str
    title_vi: str
    on_links: bool = False


MEASURES: Mapping[str, Measure] = {
    m.name: m
    for m in (
        Measure("delay", "s/veh", "Delay per vehicle", "Thời gian trễ mỗi xe"),
        Measure("delay-pcu", "s/PCU", "Delay per PCU", "Thời gian trễ mỗi PCU"),
        Measure("delay-person", "s/person", "Delay per person", "Thời gian trễ mỗi người"),
        Measure("stops", "1/veh", "Stops per vehicle", "Số lần dừng mỗi xe"),
        Measure("throughput", "veh/h", "Vehicles that do not finish", "Số xe không đi hết hành trình"),
        Measure("emissions", "g/km", "CO2 per kilometre driven", "CO2 trên mỗi km xe chạy"),
        Measure(
            "queue", "m", "Longest queue on the named roads", "Hàng chờ dài nhất trên đường đã chọn", True
        ),
        Measure(
            "spillback", "%", "Time the named roads are full", "Tỷ lệ thời gian đường đã chọn bị đầy", True
        ),
    )
}
"""By name on the command line. ``throughput`` counts the vehicles that do not finish, so that less is better."""

DELAY_WEIGHT = 0.1
"""Weight (per s/veh) of the delay that is added to objectives of named roads or throughput alone: among plans with the
same queue the one with less delay elsewhere is preferred, and no cost is zero."""


@dataclass(frozen=True)
class Term:
    """A weighted measure; ``links`` are its roads where it is a measure of roads."""

    measure: Measure
    weight: float = 1.0
    links: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The term as written on the command line, without its weight."""
        return self.measure.name + (":" + ",".join(self.links) if self.links else "")


@dataclass(frozen=True)
class Objective:
    """A weighted sum of measures; lower is better."""

    terms: tuple[Term, ...]

    @property
    def name(self) -> str:
        """The objective as written on the command line."""
        return " + ".join((f"{t.weight:g}*" if t.weight != 1 else "") + t.name for t in self.terms)

    @property
    def unit(self) -> str:
        """The unit of a single measure; 1 for a weighted sum."""
        return self.terms[0].measure.unit if len(self.terms) == 1 and self.terms[0].weight == 1 else "1"

    def cost(self, values: Array) -> Array:
        """Cost (…) from values (…, terms)."""
        return np.asarray(values @ np.array([t.weight for t in self.terms]), dtype=np.float64)

    def check(self, network: Network) -> None:
        """Raise InputError where a named road is not in the network."""
        for term in self.terms:
            for link in term.links:
                if link not in network.edges:
                    raise InputError(
                        f"there is no road {link!r}",
                        location=f"objective {term.name!r}",
                        remedy=did_you_mean(link, network.edges),
                    )


def parse_objective(text: str) -> Objective:
    """``delay``, ``queue:EDGE,EDGE``, or a weighted sum such as ``delay + 10*stops``. Raises InputError.

    >>> parse_objective("delay-person + 5*stops").name
    'delay-person + 5*stops'
    >>> parse_objective("queue:A1B1").name
    'queue:A1B1 + 0.1*delay'
    """
    # a plus sign within an edge id is not followed by the name of a measure
    terms = [
        _term(part) for part in re.split(rf"\+(?=\s*(?:[^+]*\*)?\s*(?:{'|'.join(MEASURES)})\b|\s*$)", text)
    ]
    if all(term.measure.on_links or term.measure.name == "throughput" for term in terms):
        terms.append(Term(MEASURES["delay"], DELAY_WEIGHT))
    return Objective(tuple(terms))


def parse_pair(text: str) -> tuple[Objective, Objective]:
    """``delay,stops``: two objectives for a front. Raises InputError.

    >>> [o.name for o in parse_pair("queue:A,B,delay")]
    ['queue:A,B + 0.1*delay', 'delay']
    """
    for comma in [k for k, letter in enumerate(text) if letter == ","]:
        try:
            return parse_objective(text[:comma]), parse_objective(text[comma + 1 :])
        except InputError:
            continue  # this comma separates two roads
    for part in text.split(","):
        parse_objective(part)  # raises the specific error
    raise InputError(f"{text!r} is a single objective", location="pareto", remedy="write two, as delay,stops")


def pair_costs(pair: tuple[Objective, Objective], values: Array) -> Array:
    """Costs (…, 2) of two objectives from the values of the terms of the first and then the second, (…, terms)."""
    half = len(pair[0].terms)
    return np.stack([pair[0].cost(values[..., :half]), pair[1].cost(values[..., half:])], axis=-1)


def _term(text: str) -> Term:
    factor, star, name = text.strip().rpartition("*")
    try:
        weight = float(factor) if star else 1.0
    except ValueError:
        raise InputError(f"{factor.strip()!r} is not a weight", location="objective", remedy=_FORM) from None
    if not (np.isfinite(weight) and weight > 0):
        raise InputError(
            f"invalid weight: {factor.strip()}; it must be above 0", location="objective", remedy=_FORM
        )
    kind, _, roads = name.strip().partition(":")
    measure = MEASURES.get(kind)
    if measure is None:
        raise InputError(
            f"{text.strip()!r} is not an objective",
            location="objective",
            remedy=did_you_mean(kind, MEASURES) if closest(kind, MEASURES) else _FORM,
        )
    links = tuple(dict.fromkeys(filter(None, (road.strip() for road in roads.split(",")))))
    if measure.on_links != bool(links):
        raise InputError(
            f"{kind!r} needs its roads" if measure.on_links else f"{kind!r} takes no roads",
            location="objective",
            remedy=f"write {kind}:EDGE,EDGE" if measure.on_links else f"write {kind}",
        )
    return Term(measure, weight, links)


_FORM = f"write a sum such as 'delay + 10*stops' of {', '.join(MEASURES)}"


DELAY = parse_objective("delay")
