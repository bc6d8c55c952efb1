"""What is minimised: one measure or a weighted sum of several, as the queue model guesses it.

SUMO's own value of the same measures, which is the one that judges, is in ``experiments.optimize.measures``.
Every measure is written so that less is better and nothing is below zero.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.optimize.naming import is_near, near
from sim.errors import InputError
from sim.model import COLUMNS, Model
from sim.model.build import QUEUE_COLUMNS
from sim.model.signals import PlanArrays
from sim.network import Network

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Measure:
    """Something that can be asked for. ``on_links``: of named roads, as in ``queue:EDGE,EDGE``."""

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
"""By the name the user writes. ``throughput`` is counted as what is missing to it, so that less is better."""

_PLAIN = {
    "delay": "delay",
    "delay-pcu": "delay_pcu",
    "delay-person": "delay_person",
    "stops": "stops",
}  # measure → column of the model

ANYWHERE = 0.1
"""Weight (per s/veh) of delay that is added where only named roads or throughput are asked for, which many plans share:
of plans with the same queue the one better for everybody else is taken, and a cost is never zero."""

# CO2 of one car of SUMO 1.28's default class (HBEFA4, petrol, Euro 4), driven alone along 2 km at limits of
# 30–60 km/h with and without a stop of 20 and 60 s: standing 1.52 g/s; a stop from v costs 0.11 v² g (v in m/s)
# beyond the time it takes; at 50 km/h it emits 148 g/km. A linear index of delay and stops is what signal timing
# tools balance for fuel (Alshayeb, Stevanovic and Park 2021, Energies 14(21), 7431); its weights here are SUMO's.
IDLE = 1.52  # g/s
STOP = 0.11  # g per (m/s)²
CRUISE = 148.0  # g/km

SPACE = 7.5  # m that a standing car of SUMO's default class takes, its gap included


@dataclass(frozen=True)
class Term:
    """A measure, on some roads if it is one of roads, and its weight."""

    measure: Measure
    weight: float = 1.0
    links: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """As the user writes it, without the weight."""
        return self.measure.name + (":" + ",".join(self.links) if self.links else "")


@dataclass(frozen=True)
class Objective:
    """A weighted sum of measures; lower is better."""

    terms: tuple[Term, ...]

    @property
    def name(self) -> str:
        """As the user writes it."""
        return " + ".join((f"{t.weight:g}*" if t.weight != 1 else "") + t.name for t in self.terms)

    @property
    def unit(self) -> str:
        """Its unit if it is one measure, else none: a sum of unlike things has no unit."""
        return self.terms[0].measure.unit if len(self.terms) == 1 and self.terms[0].weight == 1 else "1"

    def cost(self, values: Array) -> Array:
        """Cost from the values of the terms along the last axis."""
        return np.asarray(values @ np.array([t.weight for t in self.terms]), dtype=np.float64)

    def of_models(self, models: Sequence[Model], plans: PlanArrays, *, threads: int | None = None) -> Array:
        """What the models believe, shape (B,): the mean over them, which differ in demand."""
        return np.asarray(
            np.mean([self.cost(_believed(model, plans, self.terms, threads)) for model in models], axis=0),
            dtype=np.float64,
        )

    def check(self, network: Network) -> None:
        """Raise InputError where a named road is not in the network."""
        for term in self.terms:
            for link in term.links:
                if link not in network.edges:
                    raise InputError(
                        f"there is no road {link!r}",
                        where=f"objective {term.name!r}",
                        remedy=near(link, network.edges),
                    )


def parse_objective(text: str) -> Objective:
    """``delay``, ``queue:EDGE,EDGE``, or a weighted sum such as ``delay + 10*stops``. Raises InputError.

    >>> parse_objective("delay-person + 5*stops").name
    'delay-person + 5*stops'
    >>> parse_objective("queue:A1B1").name
    'queue:A1B1 + 0.1*delay'
    """
    # a plus within an edge's name is not followed by a known measure
    terms = [
        _term(part) for part in re.split(rf"\+(?=\s*(?:[^+]*\*)?\s*(?:{'|'.join(MEASURES)})\b|\s*$)", text)
    ]
    if all(term.measure.on_links or term.measure.name == "throughput" for term in terms):
        terms.append(Term(MEASURES["delay"], ANYWHERE))
    return Objective(tuple(terms))


def parse_pair(text: str) -> tuple[Objective, Objective]:
    """``delay,stops``: two objectives for a front. Raises InputError.

    >>> [o.name for o in parse_pair("queue:A,B,delay")]
    ['queue:A,B + 0.1*delay', 'delay']
    """
    for place in [k for k, letter in enumerate(text) if letter == ","]:
        try:
            return parse_objective(text[:place]), parse_objective(text[place + 1 :])
        except InputError:
            continue  # a comma between two roads
    for part in text.split(","):
        parse_objective(part)  # says what is wrong with it
    raise InputError(f"{text!r} is one objective", where="pareto", remedy="write two, as delay,stops")


def _term(text: str) -> Term:
    factor, star, name = text.strip().rpartition("*")
    try:
        weight = float(factor) if star else 1.0
    except ValueError:
        raise InputError(f"{factor.strip()!r} is not a weight", where="objective", remedy=_FORM) from None
    if not (np.isfinite(weight) and weight > 0):
        raise InputError(f"a weight of {factor.strip()} cannot be meant", where="objective", remedy=_FORM)
    kind, _, roads = name.strip().partition(":")
    measure = MEASURES.get(kind)
    if measure is None:
        raise InputError(
            f"{text.strip()!r} is not an objective",
            where="objective",
            remedy=near(kind, MEASURES) if is_near(kind, MEASURES) else _FORM,
        )
    links = tuple(dict.fromkeys(filter(None, (road.strip() for road in roads.split(",")))))
    if measure.on_links != bool(links):
        raise InputError(
            f"{kind!r} needs the roads it is about" if measure.on_links else f"{kind!r} takes no roads",
            where="objective",
            remedy=f"write {kind}:EDGE,EDGE" if measure.on_links else f"write {kind}",
        )
    return Term(measure, weight, links)


_FORM = f"write a sum such as 'delay + 10*stops' of {', '.join(MEASURES)}"


def _believed(model: Model, plans: PlanArrays, terms: Sequence[Term], threads: int | None) -> Array:
    """Values of the terms in one model, shape (B, terms)."""
    metrics = model.evaluate(plans, threads=threads)
    column = {name: metrics[:, k] for k, name in enumerate(COLUMNS)}
    out = np.empty((len(metrics), len(terms)))
    for k, term in enumerate(terms):
        name = term.measure.name
        if name in _PLAIN:
            out[:, k] = column[_PLAIN[name]]
        elif name == "throughput":
            missing = column["unfinished"] + column["never_inserted"]
            out[:, k] = missing * 3600.0 / (model.end - model.begin)
        elif name == "emissions":
            km, speed = _journey(model)
            out[:, k] = CRUISE + (IDLE * column["delay"] + STOP * speed**2 * column["stops"]) / km
        else:
            out[:, k] = _on_links(model, model.queues(plans, threads=threads), term)
    return out


def _journey(model: Model) -> tuple[float, float]:
    """Mean length of a trip, km, and the mean speed limit along it, m/s."""
    edges, demand = model.network.edges, model.demand
    count = np.bincount(demand.route, minlength=len(demand.routes))
    length = np.array([sum(edges[e].length for e in route) for route in demand.routes])
    time = np.array([sum(edges[e].length / edges[e].speed for e in route) for route in demand.routes])
    metres = float(count @ length)
    return max(metres / max(len(demand), 1), 1.0) / 1000.0, metres / max(float(count @ time), 1e-9)


def _on_links(model: Model, queues: Array, term: Term) -> Array:
    """(B,): the longest queue on the roads, m; for spillback what part of the fullest lane its mean queue fills, %.

    The model does not keep queues over time; by Little's law their mean is the delay of all over the duration.
    """
    named = {lane for link in term.links for lane in model.network.edges[link].lanes}
    here = [k for k, lane in enumerate(model.lanes) if lane in named]
    if term.measure.name == "queue":
        return np.asarray(queues[:, here, QUEUE_COLUMNS.index("max_queue")].max(axis=1), dtype=np.float64)
    length = np.array([model.network.lanes[model.lanes[k]].length for k in here])
    mean = queues[:, here, QUEUE_COLUMNS.index("delay")] / (model.end - model.begin)  # veh
    return np.asarray((100.0 * SPACE * mean / length).max(axis=1), dtype=np.float64)
