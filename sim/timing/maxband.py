"""MAXBAND: offsets with the widest green bands through an arterial, as a mixed-integer linear program.

Little, J. D. C., Kelson, M. D., Gartner, N. H. (1981), MAXBAND: a program for setting signals on arteries and
triangular networks, Transportation Research Record 795. Times inside the program are fractions of a cycle. The loop
constraints are written with each signal's offset in place of the loop integers: band and green of the outbound
direction fix the offset, and one integer for each signal ties the inbound direction to it. Left-turn patterns are
alternative pairs of green windows, chosen by binary variables; limits of speed changes are those of their equation 8.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from denxanh.sim.compiled import silenced
from denxanh.sim.errors import InputError
from denxanh.sim.network import GREEN, Network
from denxanh.sim.plan import Timing
from denxanh.sim.timing.arterials import Arterial, Hop, arterials

Array = NDArray[np.float64]

# of branch and bound; 30 signals need about 200. Not a time: that would depend on the machine
NODE_LIMIT = 20_000


@dataclass(frozen=True)
class Window:
    """When a direction has green at a signal, as fractions of the cycle from the offset."""

    start: float
    length: float


@dataclass(frozen=True)
class Bands:
    """The solution. ``offsets`` (s) are relative to the first signal's; bands are s, 0 where not asked for."""

    cycle: float  # s
    offsets: tuple[float, ...]
    outbound: float
    inbound: float
    outbound_times: tuple[float, ...]  # s for each hop
    inbound_times: tuple[float, ...]
    patterns: tuple[int, ...] = ()  # the chosen pair of windows of each signal: 0 is the first one given


@dataclass(frozen=True)
class Hops:
    """What else bounds the bands on the way between the signals; empty or None: nothing.

    ``clearance`` and ``back_clearance`` are s by signal: the queue that stands there leaves ahead of the band, which
    so leaves that much earlier than it comes. ``lengths`` and ``back_lengths`` are m by hop, outbound and inbound hop
    k both between the signals k and k + 1; with them ``speed_change`` bounds how much 1/speed may differ between
    neighbouring hops, s/m.
    """

    clearance: tuple[float, ...] = ()
    back_clearance: tuple[float, ...] = ()
    lengths: tuple[float, ...] = ()
    back_lengths: tuple[float, ...] = ()
    speed_change: float | None = None


def left_turn_patterns(
    green: float, left: float, left_back: float, start: float = 0.0
) -> tuple[tuple[Window, Window], ...]:
    """The windows (outbound, inbound) of through traffic under the four orders of protected left turns.

    ``green`` is the share of the cycle that the arterial has, ``left`` and ``left_back`` of it the outbound and the
    inbound left turn, each of which stops the opposite through traffic; ``start`` is where the arterial's green
    begins. In the paper's order (Little et al. 1981, figure 3): outbound leads and inbound lags, the reverse, both
    lead, both lag.
    """
    leads = ((True, False), (False, True), (True, True), (False, False))
    return tuple(
        (
            Window(start + (left_back if inbound_leads else 0.0), green - left_back),
            Window(start + (left if outbound_leads else 0.0), green - left),
        )
        for outbound_leads, inbound_leads in leads
    )


def maxband(
    outbound: Sequence[Window],
    times: Sequence[tuple[float, float]],
    inbound: Sequence[Window] = (),
    back_times: Sequence[tuple[float, float]] = (),
    *,
    cycle: tuple[float, float],
    ratio: float = 1.0,
    ratio_bounds: tuple[float, float] | None = None,
    patterns: Mapping[int, Sequence[tuple[Window, Window]]] = {},
    hops: Hops = Hops(),
) -> Bands | None:
    """The widest bands through n signals; None if not even bands of no width pass in both directions.

    ``times`` and ``back_times`` are (shortest, longest) travel times in s of the n − 1 hops; ``inbound`` empty means
    one way. ``cycle`` bounds the cycle, s. ``ratio`` is k, how wide the inbound band should be for one of outbound:
    the objective is b + k·b̄ under (1 − k)·b̄ ≥ (1 − k)·k·b (their equations 1 and 2); ``ratio_bounds`` are the least
    and the largest b̄/b in place of that row. ``patterns`` gives, by number of the signal, further pairs of windows
    (outbound, inbound) beside those in ``outbound`` and ``inbound``, see ``left_turn_patterns``.
    """
    n, both = len(outbound), bool(inbound)
    if n < 2 or len(times) != n - 1 or (both and (len(inbound) != n or len(back_times) != n - 1)):
        raise InputError(
            "an arterial needs n ≥ 2 signals and n − 1 travel times each way", location="maxband"
        )
    if not 0 < cycle[0] <= cycle[1] or ratio <= 0:
        raise InputError("the cycle bounds or the ratio of the bands cannot be meant", location="maxband")
    _check_hops(n, both, hops)
    pairs = [((outbound[i], inbound[i] if both else outbound[i]), *patterns.get(i, ())) for i in range(n)]
    program = _Program()
    band, band_back, z = (
        program.new(0, 1),
        program.new(0, 1 if both else 0),
        program.new(1 / cycle[1], 1 / cycle[0]),
    )
    # no band is more cycles away from the first one than the longest way takes
    most = n + sum(high for _, high in (*times, *back_times)) / cycle[0]
    start = [program.new(-most, most) for _ in range(n)]  # when the outbound band leaves each signal
    wait = [program.new(0, 1) for _ in range(n)]  # from green start to band
    start_back = [program.new(-most, most) for _ in range(n)]
    wait_back = [program.new(0, 1) for _ in range(n)]
    turns = [program.new(-2 * most, 2 * most, whole=True) for _ in range(n)]
    chosen = [[program.new(0, 1, whole=True) for _ in pairs[i]] for i in range(n)]
    first = _chosen(chosen[0], [-pair[0].start for pair in pairs[0]])
    program.row({start[0]: 1, wait[0]: -1, **first}, 0, 0)  # first offset 0
    for i in range(n):
        program.row(dict.fromkeys(chosen[i], 1.0), 1, 1)
        lengths = _chosen(chosen[i], [-pair[0].length for pair in pairs[i]])
        program.row({wait[i]: 1, band: 1, **lengths}, -np.inf, 0)
        if both:
            lengths = _chosen(chosen[i], [-pair[1].length for pair in pairs[i]])
            program.row({wait_back[i]: 1, band_back: 1, **lengths}, -np.inf, 0)
            # offset = start − wait − window, the same from both sides, up to whole cycles
            gap = _chosen(chosen[i], [pair[0].start - pair[1].start for pair in pairs[i]])
            program.row(
                {start_back[i]: 1, wait_back[i]: -1, start[i]: -1, wait[i]: 1, turns[i]: -1, **gap}, 0, 0
            )
    clear, clear_back = hops.clearance or (0.0,) * n, hops.back_clearance or (0.0,) * n
    ahead = [(start[i + 1], start[i], clear[i + 1]) for i in range(n - 1)]  # arrives, left, cleared before it
    behind = [(start_back[i], start_back[i + 1], clear_back[i]) for i in range(n - 1)]
    ways = [(ahead, times, hops.lengths), (behind, back_times, hops.back_lengths)]
    for way, bounds, lengths_m in ways[: 1 + both]:
        for (end, begin, cleared), (low, high) in zip(way, bounds, strict=True):
            program.row({end: 1, begin: -1, z: cleared - low}, 0, np.inf)
            program.row({end: 1, begin: -1, z: cleared - high}, -np.inf, 0)
        if hops.speed_change is not None:
            for k in range(n - 2):
                slope = _slope(way[k], -1 / lengths_m[k], z), _slope(way[k + 1], 1 / lengths_m[k + 1], z)
                change = {v: slope[0].get(v, 0.0) + slope[1].get(v, 0.0) for v in {*slope[0], *slope[1]}}
                program.row({**change, z: change[z] - hops.speed_change}, -np.inf, 0)
                program.row({**change, z: change[z] + hops.speed_change}, 0, np.inf)
    if both and ratio_bounds is not None:
        program.row({band_back: 1, band: -ratio_bounds[0]}, 0, np.inf)
        program.row({band_back: 1, band: -ratio_bounds[1]}, -np.inf, 0)
    elif both and ratio != 1:
        program.row({band_back: 1 - ratio, band: -(1 - ratio) * ratio}, 0, np.inf)
    x = program.solve({band: 1.0, band_back: ratio if both else 0.0})
    if x is None:
        return None
    seconds = 1 / x[z]
    taken = [int(np.argmax([x[v] for v in chosen[i]])) for i in range(n)]
    offsets = [(x[start[i]] - x[wait[i]] - pairs[i][taken[i]][0].start) % 1.0 * seconds for i in range(n)]
    return Bands(
        cycle=seconds,
        offsets=tuple(0.0 if math.isclose(o, seconds, abs_tol=1e-6) else o for o in offsets),
        outbound=x[band] * seconds,
        inbound=x[band_back] * seconds,
        outbound_times=tuple((x[end] - x[begin]) * seconds + cleared for end, begin, cleared in ahead),
        inbound_times=tuple((x[end] - x[begin]) * seconds + cleared for end, begin, cleared in behind)
        if both
        else (),
        patterns=tuple(taken),
    )


def _check_hops(n: int, both: bool, hops: Hops) -> None:
    """Raise InputError for numbers of clearances or lengths that do not fit ``n`` signals."""
    sizes = [
        (hops.clearance, n, "a clearance for each signal"),
        (hops.back_clearance, n, "a clearance for each signal"),
        (hops.lengths, n - 1, "a length for each hop"),
        (hops.back_lengths, n - 1, "a length for each hop"),
    ]
    for values, size, remedy in sizes:
        if values and len(values) != size:
            raise InputError(
                f"{len(values)} values, expected {size}", location="maxband", remedy=f"give {remedy}"
            )
    if hops.speed_change is not None and not (hops.lengths and (hops.back_lengths or not both)):
        raise InputError(
            "a limit of speed changes needs the lengths of the hops",
            location="maxband",
            remedy="give lengths",
        )


def _chosen(variables: Sequence[int], values: Sequence[float]) -> dict[int, float]:
    """Terms whose sum is the value of the variable that is 1."""
    return dict(zip(variables, values, strict=True))


def _slope(hop: tuple[int, int, float], scale: float, z: int) -> dict[int, float]:
    """Terms of the travel time of a hop (end, begin, s cleared) in cycles, times ``scale``."""
    end, begin, cleared = hop
    return {end: scale, begin: -scale, z: cleared * scale}


def green_window(timing: Timing, links: Sequence[int]) -> Window | None:
    """The longest stretch in which all ``links`` are green together, changes within it included; None if none."""
    steps = [
        step
        for stage in timing.stages
        for step in ((stage.state, stage.green), *((i.state, i.duration) for i in stage.change))
    ]
    green = [all(state[k] in GREEN for k in links) for state, _ in steps]
    if all(green) or not any(green):
        return Window(0.0, 1.0) if all(green) else None
    starts = np.concatenate([[0.0], np.cumsum([d for _, d in steps])])
    best: Window | None = None
    for k in range(len(steps)):
        if green[k] and not green[k - 1]:
            length, j = 0.0, k
            while green[j % len(steps)]:
                length += steps[j % len(steps)][1]
                j += 1
            if best is None or length / timing.cycle > best.length:
                best = Window(float(starts[k]) / timing.cycle, length / timing.cycle)
    return best


def progression(
    ways: Sequence[Arterial], timings: Mapping[str, Timing], *, tolerance: float = 0.1, ratio: float = 1.0
) -> dict[str, float]:
    """Offsets (s) by signal that give the arterials green bands at the timings' own cycle.

    Speeds may differ from the limits by ``tolerance``. Where arterials cross, the earlier one keeps its
    offsets and the later one is laid through the first signal that they share; signals on no arterial are
    left out. Where no band passes in both directions, the outbound one gets it. Arterials whose signals have
    different cycles are passed over.
    """
    out: dict[str, float] = {}
    for way in ways:
        mine = [timings[name] for name in way.signals]
        windows = [green_window(t, links) for t, links in zip(mine, way.links, strict=True)]
        back = [green_window(t, links) for t, links in zip(mine, way.back_links or (), strict=False)]
        if any(w is None for w in windows) or len({round(t.cycle, 6) for t in mine}) > 1:
            continue
        there = [w for w in windows if w is not None], _times(way.hops, tolerance)
        bands = None
        if way.two_way and all(w is not None for w in back):
            here = [w for w in back if w is not None], _times(way.back, tolerance)
            bands = maxband(*there, *here, cycle=(mine[0].cycle, mine[0].cycle), ratio=ratio)
        bands = bands or maxband(*there, cycle=(mine[0].cycle, mine[0].cycle))
        if bands is None:
            continue
        shift = next((out[s] - o for s, o in zip(way.signals, bands.offsets, strict=True) if s in out), 0.0)
        for name, offset in zip(way.signals, bands.offsets, strict=True):
            out.setdefault(name, (offset + shift) % mine[0].cycle)
    return out


def with_bands(
    network: Network, timings: Mapping[str, Timing], *, tolerance: float = 0.1, ratio: float = 1.0
) -> tuple[dict[str, Timing], int]:
    """The timings with the offsets that give the network's arterials green bands, and how many signals lie on one.

    The new offsets are whole seconds within the cycle; a signal on no arterial keeps its own. An arterial counts only
    if all its signals are in ``timings``. ``tolerance`` and ``ratio`` as in ``progression``.
    """
    streets = [street for street in arterials(network) if set(street.signals) <= set(timings)]
    offsets = progression(streets, timings, tolerance=tolerance, ratio=ratio)
    moved = {
        name: replace(timing, offset=float(round(offsets[name]) % timing.cycle))
        if name in offsets
        else timing
        for name, timing in timings.items()
    }
    return moved, len(offsets)


def _times(hops: Sequence[Hop], tolerance: float) -> list[tuple[float, float]]:
    return [(hop.time * (1 - tolerance), hop.time * (1 + tolerance)) for hop in hops]


class _Program:
    """Collects variables and rows for scipy's milp."""

    def __init__(self) -> None:
        self.low: list[float] = []
        self.high: list[float] = []
        self.whole: list[int] = []
        self.rows: list[dict[int, float]] = []
        self.least: list[float] = []
        self.most: list[float] = []

    def new(self, low: float, high: float, *, whole: bool = False) -> int:
        self.low.append(low)
        self.high.append(high)
        self.whole.append(int(whole))
        return len(self.low) - 1

    def row(self, terms: Mapping[int, float], least: float, most: float) -> None:
        self.rows.append(dict(terms))
        self.least.append(least)
        self.most.append(most)

    def solve(self, gain: Mapping[int, float]) -> list[float] | None:
        """Values of all variables that maximise ``gain``; None if the rows cannot be met."""
        from scipy.optimize import Bounds, LinearConstraint, milp

        cost = np.zeros(len(self.low))
        for k, weight in gain.items():
            cost[k] = -weight
        matrix = np.zeros((len(self.rows), len(self.low)))
        for r, row in enumerate(self.rows):
            for k, value in row.items():
                matrix[r, k] = value
        with silenced():  # HiGHS prints a trace of some solutions, whatever ``disp`` says
            result = milp(
                cost,
                integrality=np.array(self.whole),
                bounds=Bounds(np.array(self.low), np.array(self.high)),
                constraints=LinearConstraint(matrix, np.array(self.least), np.array(self.most)),
                options={"node_limit": NODE_LIMIT},
            )
        return None if result.x is None else [float(value) for value in result.x]
