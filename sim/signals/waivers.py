"""Where the base plan of a signal falls short of the rules itself: its waivers, so that a person can read them.

Each is judged on the links and pairs of foes that it concerns: a free right turn in the middle of an all-red is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from denxanh.sim.network import Bools, Intersection
from denxanh.sim.plan import Stage
from denxanh.sim.signals.permits import Permits, WrittenOut, ite_yellow, permits_of

KINDS = {
    "GG-merge": "pairs of links that merge and show G together",
    "GG-cross": "pairs of links that cross and show G together",
    "gg-merge": "pairs of links that merge and show g together",
    "gg-cross": "pairs of links that cross and show g together",
    "short-yellow": "links with a yellow shorter than ITE's",
    "no-yellow-vehicle": "links of vehicles that turn red without yellow",
    "no-yellow-crossing": "crossings that turn red without yellow",
    "green-against-yellow": "pairs of links of which one turns green while the other shows yellow",
    "no-all-red": "changes without red between conflicting movements",
}
"""What is counted, by rule."""

_CLOSE = 1e-6  # s
_NAMED = 5  # signals in a line


@dataclass(frozen=True)
class Waiver:
    """One rule that the base plan of an intersection breaks itself, ``count`` times; the worst is the ``example``."""

    intersection: str
    rule: str
    what: str
    count: int
    plan: str  # SUMO's id of the program, "denxanh" for a plan in its place
    example: str  # the movements, each with its link

    def __str__(self) -> str:
        return f"{self.what}: {self.count} at signal {self.intersection}, plan {self.plan!r}, such as {self.example}"


def waivers(intersection: Intersection) -> tuple[Waiver, ...]:
    """Every rule that the program itself breaks; a permissive turn (``g`` beside a foe's ``G``) is none."""
    sequence, permits = WrittenOut(intersection.program.steps()), permits_of(intersection)
    name = _Names(intersection)
    out = []

    def found(rule: str, examples: Sequence[str]) -> None:
        if examples:
            out.append(
                Waiver(
                    intersection.id, rule, KINDS[rule], len(examples), intersection.program_id, examples[0]
                )
            )

    for rank, letter in ((2, "G"), (1, "g")):
        clash = _together(intersection, sequence, rank)
        for how, pairs in (
            ("merge", [pair for pair in clash if name.merge(*pair)]),
            ("cross", [pair for pair in clash if not name.merge(*pair)]),
        ):
            found(f"{letter}{letter}-{how}", [name.pair(a, "–", b) for a, b in pairs])
    found("short-yellow", _short_yellow(intersection, permits, name))
    for rule, which in (
        ("no-yellow-vehicle", permits.ends_at_once & ~permits.crossing),
        ("no-yellow-crossing", permits.ends_at_once & permits.crossing),
    ):
        found(rule, [name.of(int(k)) for k in np.flatnonzero(which)])
    early = (
        intersection.foes
        & (permits.clearance < permits.yellow[:, None] - _CLOSE)
        & ~permits.crossing[:, None]
    )
    found("green-against-yellow", [name.pair(a, "→", b) for a, b in np.argwhere(early).tolist()])
    stages = intersection.program.stages
    bare = (
        _without_red(intersection, stage, after, permits.crossing)
        for stage, after in zip(stages, stages[1:] + stages[:1], strict=True)
    )
    found("no-all-red", [name.pair(pair[0], "→", pair[1]) for pair in bare if pair])
    return tuple(out)


def by_kind(found: Iterable[Waiver]) -> list[str]:
    """A line for each rule that plans break: how often, at which signals, and an example."""
    kinds: dict[str, list[Waiver]] = {}
    for waiver in found:
        kinds.setdefault(waiver.rule, []).append(waiver)
    return [_line(same) for same in kinds.values()]


def _line(same: Sequence[Waiver]) -> str:
    total, first, names = sum(waiver.count for waiver in same), same[0], [w.intersection for w in same]
    if len(same) == 1:
        return str(first)
    shown = ", ".join(names[:_NAMED]) + (", …" if len(names) > _NAMED else "")
    return (
        f"{first.what}: {total} at {len(same)} signals ({shown}), "
        f"such as {first.example} at signal {first.intersection}, plan {first.plan!r}"
    )


def _together(intersection: Intersection, sequence: WrittenOut, rank: int) -> list[tuple[int, int]]:
    """Pairs of foes that show this rank together."""
    a, b = np.nonzero(np.triu(intersection.foes))
    both = ((sequence.rank[:, a] == rank) & (sequence.rank[:, b] == rank)).any(axis=0)
    return list(zip(a[both].tolist(), b[both].tolist(), strict=True))


def _short_yellow(intersection: Intersection, permits: Permits, name: _Names) -> list[str]:
    """Links whose yellow is shorter than ITE's for the speed limit of their approach, the worst first."""
    speed = {k: approach.speed for approach in intersection.approaches for k in approach.links}
    short = [
        (float(permits.yellow[k]) - ite_yellow(v), k)
        for k, v in sorted(speed.items())
        if permits.letters[k, ord("g")]
        and not permits.ends_at_once[k]
        and permits.yellow[k] < ite_yellow(v) - _CLOSE
    ]
    return [
        f"{name.of(k)}: {permits.yellow[k]:g} s, ITE {ite_yellow(speed[k]):.2f} s" for _, k in sorted(short)
    ]


def _without_red(
    intersection: Intersection, stage: Stage, after: Stage, crossing: Bools
) -> tuple[int, int] | None:
    """A vehicle's link that ends in the change from ``stage`` and a foe that starts with no red in between."""
    rows = WrittenOut(
        [(stage.state, 0.0), *((x.state, x.duration) for x in stage.change), (after.state, 0.0)]
    )
    time = np.cumsum([0.0, *rows.duration[:-1]])
    going: Bools = rows.rank > 0
    ends: Bools = going[:-1] & ~going[1:]
    rises: Bools = rows.rank[1:] > rows.rank[:-1]
    for a, b in np.argwhere(intersection.foes & np.outer(ends.any(axis=0), rises.any(axis=0))).tolist():
        over = 1 + int(np.argmax(ends[:, a]))
        while over < len(time) and rows.yellow[over, a]:
            over += 1
        start = time[1 + int(np.argmax(rises[:, b]))]
        if not crossing[a] and (over == len(time) or start <= time[over] + _CLOSE):
            return a, b
    return None


class _Names:
    """What the links of a signal are called, in every language."""

    def __init__(self, intersection: Intersection) -> None:
        self._name = {k: movement.name for movement in intersection.movements for k in movement.links}
        self._name |= {k: " ".join(walk.edges) for k, walk in intersection.crossings.items()}
        self._roads: dict[int, set[str]] = {}
        for link in intersection.links:
            self._roads.setdefault(link.index, set()).add(link.end.rpartition("_")[0])

    def of(self, link: int) -> str:
        """Movement, or the edges of a crossing, and link: ``WC>CE [7]``."""
        return f"{self._name.get(link, '')} [{link}]".lstrip()

    def pair(self, a: int, sign: str, b: int) -> str:
        """Two links: with ``–`` together, with ``→`` one after the other."""
        return f"{self.of(a)} {sign} {self.of(b)}"

    def merge(self, a: int, b: int) -> bool:
        """Whether two letters lead into the same road rather than across each other."""
        return bool(self._roads.get(a, set()) & self._roads.get(b, set()))
