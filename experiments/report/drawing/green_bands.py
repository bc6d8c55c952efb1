"""Green bands: the departure times from which a vehicle at a given speed meets green at every signal of a street."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from denxanh.sim.errors import InputError
from denxanh.sim.network import GREEN
from denxanh.sim.plan import Timing

_EPS = 1e-6  # s


@dataclass(frozen=True)
class Window:
    """A time span, s; of a cycle: 0 ≤ start < cycle, and end may lie beyond the cycle."""

    start: float
    end: float

    @property
    def width(self) -> float:
        """Length, s."""
        return self.end - self.start


@dataclass(frozen=True)
class Stop:
    """One signal of a street.

    ``distance`` m from the street's begin to the stop line; ``links`` and ``back`` are the link indices of
    the through movement in and against the direction of the street, () where there is none.
    """

    name: str
    distance: float
    timing: Timing
    links: tuple[int, ...]
    back: tuple[int, ...] = ()

    # kept: a street with many stretches asks for them at each one
    @cached_property
    def cycle(self) -> float:
        """Cycle length, s."""
        return self.timing.cycle

    @cached_property
    def greens(self) -> tuple[Window, ...]:
        """The green windows of ``links`` in one cycle."""
        return tuple(greens(self.timing, self.links))

    @cached_property
    def greens_back(self) -> tuple[Window, ...]:
        """The green windows of ``back`` in one cycle."""
        return tuple(greens(self.timing, self.back))


@dataclass(frozen=True)
class Band:
    """A green band: a vehicle passes the first signal it meets within ``window`` (s after the origin of the
    cycle) and then meets no red; ``arrivals`` are the travel times from there to each signal it meets, s.
    """

    window: Window
    cycle: float
    arrivals: tuple[float, ...]

    @property
    def share(self) -> float:
        """Bandwidth over cycle."""
        return self.window.width / self.cycle


def letters(timing: Timing, links: Sequence[int]) -> list[tuple[Window, str]]:
    """The signal of ``links`` over one cycle from the origin of the clock: G, y or r; equal neighbours merged.

    G if all of them have green (G or g), y if none has red, r otherwise.
    """
    spans: list[tuple[float, float, str]] = []
    position = timing.offset
    cycle = timing.cycle
    for stage in timing.stages:
        for state, duration in ((stage.state, stage.green), *((i.state, i.duration) for i in stage.change)):
            spans.append((position, position + duration, _shown(state, links)))
            position += duration
    merged: list[tuple[float, float, str]] = []
    for start, end, letter in spans:
        if merged and merged[-1][2] == letter:
            merged[-1] = (merged[-1][0], end, letter)
        else:
            merged.append((start, end, letter))
    if len(merged) > 1 and merged[0][2] == merged[-1][2]:
        start, _, letter = merged.pop()
        merged[0] = (start, merged[0][1] + cycle, letter)
    return [(_wrapped(start, end, cycle), letter) for start, end, letter in merged]


def _shown(state: str, links: Sequence[int]) -> str:
    shown = {state[link] for link in links}
    if shown <= GREEN:
        return "G"
    return "r" if shown & {"r", "s"} else "y"


def _wrapped(start: float, end: float, cycle: float) -> Window:
    return Window(start % cycle, start % cycle + end - start)


def greens(timing: Timing, links: Sequence[int]) -> list[Window]:
    """The green windows of ``links`` in one cycle."""
    return [window for window, letter in letters(timing, links) if letter == "G"]


def band(stops: Sequence[Stop], speeds: Sequence[float], *, back: bool = False) -> Band | None:
    """The widest band through all signals, or None.

    ``speeds`` (signals − 1,) m/s between neighbours, in the order of the street for both directions. With
    ``back`` the band runs from the last signal to the first. Cycles must divide the longest one.
    Raises InputError if they do not, if distances do not increase or a signal has no link in that direction.

    The greens of each signal are shifted by the travel time from the first signal and intersected
    (bandwidth as defined by Morgan & Little 1964, doi:10.1287/opre.12.6.896).
    """
    _check(stops, speeds)
    cycle = common_cycle(stops)
    travel = [
        (b.distance - a.distance) / speed
        for (a, b), speed in zip(itertools.pairwise(stops), speeds, strict=True)
    ]
    order = list(stops)
    if back:
        order, travel = order[::-1], travel[::-1]
    arrivals = (0.0, *itertools.accumulate(travel))
    common = [Window(0.0, cycle)]
    for stop, arrival in zip(order, arrivals, strict=True):
        links = stop.back if back else stop.links
        if not links:
            raise InputError(f"signal '{stop.name}' has no link in this direction", remedy="leave it out")
        shown = stop.greens_back if back else stop.greens
        common = _meet(common, _within(_repeated(shown, stop.cycle, cycle, -arrival), cycle))
    best = max(_closed(common, cycle), key=lambda window: window.width, default=None)
    return None if best is None else Band(best, cycle, arrivals)


def common_cycle(stops: Sequence[Stop]) -> float:
    """The longest cycle, s. Raises InputError unless every cycle divides it."""
    cycle = max(stop.cycle for stop in stops)
    for stop in stops:
        parts = cycle / stop.cycle
        if abs(parts - round(parts)) > _EPS:
            raise InputError(
                f"signal '{stop.name}' has a cycle of {stop.cycle:g} s, which does not divide {cycle:g} s",
                remedy="a green band needs one common cycle",
            )
    return cycle


def _check(stops: Sequence[Stop], speeds: Sequence[float]) -> None:
    if len(stops) < 2 or len(speeds) != len(stops) - 1:
        raise InputError(f"a street of {len(stops)} signals with {len(speeds)} speeds has no band")
    for a, b in itertools.pairwise(stops):
        if not b.distance > a.distance:
            raise InputError(f"signal '{b.name}' is not beyond '{a.name}'", remedy="give them in order")
    if not all(speed > 0 for speed in speeds):
        raise InputError("a speed is not positive")


def _repeated(windows: Iterable[Window], period: float, cycle: float, shift: float) -> list[Window]:
    return [
        _wrapped(w.start + shift + k * period, w.end + shift + k * period, cycle)
        for w in windows
        for k in range(round(cycle / period))
    ]


def _within(windows: Iterable[Window], cycle: float) -> list[Window]:
    """The windows cut at the end of the cycle, so that they can be intersected on a line."""
    out = []
    for w in windows:
        out.append(Window(w.start, min(w.end, cycle)))
        if w.end > cycle:
            out.append(Window(0.0, min(w.end - cycle, cycle)))
    return sorted(out, key=lambda w: w.start)


def _meet(ours: Iterable[Window], theirs: Sequence[Window]) -> list[Window]:
    out = []
    for a in ours:
        for b in theirs:
            start, end = max(a.start, b.start), min(a.end, b.end)
            if end - start > _EPS:
                out.append(Window(start, end))
    return out


def _closed(windows: Sequence[Window], cycle: float) -> list[Window]:
    """The windows with those that meet at the end of the cycle joined."""
    pieces = sorted(windows, key=lambda w: w.start)
    if len(pieces) > 1 and pieces[0].start < _EPS and pieces[-1].end > cycle - _EPS:
        first, last = pieces[0], pieces[-1]
        return [*pieces[1:-1], Window(last.start, cycle + first.end)]
    return pieces
