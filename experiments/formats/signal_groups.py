"""Signal groups: the links of a signal that show the same in every plan, as a cabinet drives its lamps.

Groups of vehicles are numbered 1, 2, … clockwise from the approach whose traffic comes from the north; those of people
on foot P1, P2, … A letter that drives no connection belongs to no group.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from denxanh.sim.movements import POINTS, SignalMovement, comes_from, crossing_names, signal_movements
from denxanh.sim.network import GREEN, Crossing, Intersection, Network
from denxanh.sim.plan import Timing
from denxanh.sim.signals.clearance import kept_apart, pedestrian_clearance

TURNS = ("left", "through", "right", "u-turn")


@dataclass(frozen=True)
class SignalGroup:
    """Links that are driven together: of one approach, or of one crossing."""

    name: str  # "1", "2", … or "P1", …
    links: tuple[int, ...]  # positions of their letters in the state string
    approach: str  # edge that it leads from, or that a crossing leads over; "" where that is not known
    street: str  # name of the approach's street, "" if it has none
    origin: str  # compass point of the approach, "" where it is not known
    movements: tuple[SignalMovement, ...]
    crossing: Crossing | None = None

    @property
    def turns(self) -> tuple[str, ...]:
        """The turns of its movements, from the left."""
        found = {movement.turn for movement in self.movements}
        return tuple(turn for turn in TURNS if turn in found)

    def letters(self, timing: Timing) -> list[tuple[str, float]]:
        """(letter, duration in s) of each state of a cycle; of unlike letters the one with the most right of way."""
        return [(_shown(state, self.links), seconds) for state, seconds in timing.steps()]

    def greens(self, timing: Timing) -> list[tuple[float, float]]:
        """(start, end) of each green in a cycle, s from the start of the first stage; the end may pass the cycle.

        A group that is green in every state has one green, from 0 to the cycle length.
        """
        return _runs(self.letters(timing), timing.cycle, GREEN)


def signal_groups(network: Network, signal: str, timings: Sequence[Timing]) -> tuple[SignalGroup, ...]:
    """The groups of a signal, whose letters are alike in each of ``timings``."""
    intersection = network.intersections[signal]
    movements = signal_movements(network)[signal].movements
    by_link: dict[int, list[SignalMovement]] = {}
    for movement in movements:
        for link in movement.links:
            by_link.setdefault(link, []).append(movement)
    names = {link: name for name, link in crossing_names(intersection).items()}
    found: dict[tuple[object, ...], list[int]] = {}
    for link in sorted({link.index for link in intersection.links}):
        walkers = link in names
        roads = tuple(sorted({movement.name.partition(">")[0] for movement in by_link.get(link, ())}))
        column = tuple(_colours(timing, link) for timing in timings)
        key = (walkers, link if walkers else roads, column)
        found.setdefault(key, []).append(link)
    vehicles, crossings = [], []
    for (on_foot, *_), links in found.items():
        if on_foot:
            edge = _arm(intersection, links[0])
            origin = next((comes_from(m.bound) for m in movements if m.name.partition(">")[0] == edge), "")
            street = network.edges[edge].name if edge else ""
            crossing = intersection.crossings[links[0]]
            crossings.append(SignalGroup("", tuple(links), edge, street, origin, (), crossing))
        elif served := [m for m in movements if set(m.links) & set(links)]:
            edge = served[0].name.partition(">")[0]
            origin = comes_from(served[0].bound)
            vehicles.append(
                SignalGroup("", tuple(links), edge, network.edges[edge].name, origin, tuple(served))
            )
    vehicles.sort(
        key=lambda g: (POINTS.index(g.origin), g.approach, [TURNS.index(t) for t in g.turns], g.links)
    )
    return tuple(
        SignalGroup(f"{prefix}{number}", g.links, g.approach, g.street, g.origin, g.movements, g.crossing)
        for prefix, groups in (("", vehicles), ("P", crossings))
        for number, g in enumerate(groups, 1)
    )


def intergreens(intersection: Intersection, groups: Sequence[SignalGroup]) -> list[list[tuple[str, float]]]:
    """What lies between the end of the row's green and the start of the column's: kind and s, by pairs of groups.

    ``intersection`` has the plan as its program. Kinds: "plan", the shortest change of the plan between the two;
    "usual", a pair that conflicts and does not follow directly in the plan, with the yellow and all-red of the signal;
    "permitted", a pair that conflicts and is green together, one of them giving way; "" for pairs without a conflict.
    """
    apart = kept_apart(intersection)
    walk = pedestrian_clearance(intersection) if intersection.crossings else None
    green = [np.array([letter in GREEN for letter in state]) for state, _ in intersection.program.steps()]
    rows = []
    for a in groups:
        row: list[tuple[str, float]] = []
        for b in groups:
            pair = np.ix_(a.links, b.links)
            foes = intersection.foes[pair] | intersection.foes[np.ix_(b.links, a.links)].T
            if a is b or not foes.any():
                row.append(("", math.nan))
            elif any(g[list(a.links)].any() and g[list(b.links)].any() for g in green):
                row.append(("permitted", math.nan))
            else:
                own = np.where(foes & (apart[pair] > 0), apart[pair], np.inf).min()
                if np.isfinite(own):
                    row.append(("plan", float(own)))
                elif a.crossing is not None and walk is not None:
                    row.append(("usual", float(walk[list(a.links)].max())))
                else:
                    row.append(("usual", intersection.yellow + intersection.all_red))
        rows.append(row)
    return rows


def group_colour(state: str, group: SignalGroup) -> str:
    """What the lamps of a group show in a state: green, yellow or red."""
    letter = _shown(state, group.links)
    return "green" if letter in GREEN else "yellow" if letter in "yY" else "red"


def change_times(timing: Timing, groups: Sequence[SignalGroup]) -> list[tuple[float, float, float]]:
    """(yellow, all-red, rest) of the change after each stage, s.

    All-red is the time without green and yellow for every group that changes; the rest is what the change has besides,
    such as the clearance of crossings before the yellow.
    """
    changing = [g for g in groups if len({letter for letter, _ in g.letters(timing)}) > 1]
    out = []
    for stage, following in zip(timing.stages, timing.stages[1:] + timing.stages[:1], strict=True):
        yellow = red = rest = 0.0
        ending = [g for g in changing if _shown(following.state, g.links) not in GREEN]
        for interval in stage.change:
            shown = {_shown(interval.state, g.links) for g in changing}
            if shown & {"y", "Y"}:
                yellow += interval.duration
            elif "u" in shown or any(_shown(interval.state, g.links) in GREEN for g in ending):
                rest += interval.duration
            else:
                red += interval.duration
        out.append((yellow, red, rest))
    return out


def _arm(intersection: Intersection, link: int) -> str:
    """The approach that a crossing leads over: the one all of whose links conflict with it; "" if that is not one."""
    by_road: dict[str, list[bool]] = {}
    for movement in intersection.movements:
        by_road.setdefault(movement.start, []).extend(
            bool(intersection.foes[link, k]) for k in movement.links
        )
    over = [edge for edge, foes in by_road.items() if all(foes)]
    return over[0] if len(over) == 1 else ""


def _colours(timing: Timing, link: int) -> str:
    """What the lamps of a link show in each state: a green that gives way looks like any other."""
    return "".join(state[link].replace("g", "G") for state, _ in timing.steps())


def _between(shown: set[str]) -> bool:
    return not shown & {"y", "Y", "u"} and "r" in shown


def _shown(state: str, links: Sequence[int]) -> str:
    letters = [state[link] for link in links]
    return min(letters, key="GguyYsroO".index)


def _runs(
    steps: Sequence[tuple[str, float]], cycle: float, letters: frozenset[str]
) -> list[tuple[float, float]]:
    """(start, end) of the runs of ``letters`` around the cycle, s."""
    on = [letter in letters for letter, _ in steps]
    if all(on):
        return [(0.0, cycle)]
    edges = [0.0]
    for _, seconds in steps:
        edges.append(edges[-1] + seconds)
    out: list[list[float]] = []
    for lit, (start, end) in zip(on, pairwise(edges), strict=True):
        if not lit:
            continue
        if out and out[-1][1] == start:
            out[-1][1] = end
        else:
            out.append([start, end])
    if len(out) > 1 and out[0][0] == 0.0 and out[-1][1] == edges[-1]:  # goes on over the end of the cycle
        first = out.pop(0)
        out[-1][1] += first[1]
    return [(start, end) for start, end in out]
