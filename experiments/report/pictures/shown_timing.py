"""The fixed plan that a signal showed in a run, read from the states that it showed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from denxanh.sim.network import Network
from denxanh.sim.plan import Timing
from denxanh.sim.run.recording import History
from denxanh.sim.sumo.netfile import RawPhase, RawProgram
from denxanh.sim.sumo.program import read_program

_SAME = 1e-3  # s
_LEAST = 2  # cycles that have to be alike


def shown_timings(network: Network, signals: History, *windows: tuple[float, float]) -> Mapping[str, Timing]:
    """The timings of the signals that repeated one cycle in the first of ``windows`` (begin and end, s) that tells.

    The measured window comes first; where it is shorter than two cycles, the whole run may tell. Signals that followed
    no fixed plan have none. Stages are numbered from the first of the network's own program, as plans and timing sheets
    number them, wherever the cycle of the run began.
    """
    found = {}
    for name, intersection in network.intersections.items():
        crossings = {link: one.length for link, one in intersection.crossings.items()}
        shown = signals.get(name, ((), ()))
        timings = (shown_timing(*shown, begin, end, crossings) for begin, end in windows)
        timing = next((one for one in timings if one is not None), None)
        if timing is not None:
            found[name] = _from_first_stage(timing, intersection.program.stages[0].state)
    return found


def _from_first_stage(timing: Timing, state: str) -> Timing:
    """The same timing from the stage that shows ``state`` on; unchanged where not exactly one does."""
    states = [stage.state for stage in timing.stages]
    if states.count(state) != 1:
        return timing
    first = states.index(state)
    stages = timing.stages[first:] + timing.stages[:first]
    offset = (timing.offset + timing.starts()[first]) % timing.cycle
    return replace(timing, stages=stages, offset=offset)


def shown_timing(
    times: Sequence[float],
    states: Sequence[str],
    begin: float,
    end: float,
    crossings: Mapping[int, float] | None = None,
) -> Timing | None:
    """The timing whose cycle a signal repeated from ``begin`` to ``end`` s, at least twice; None where it did not.

    ``times`` (s) and ``states`` are its changes in order; ``crossings`` the lengths of its crossings by link, m.
    """
    rows = _rows(times, states, begin, end)
    size = next((n for n in range(2, len(rows) // _LEAST + 1) if _repeats(rows, n)), None)
    if size is None:
        return None
    phases = tuple(RawPhase(state, seconds, None, None, (), "") for _, seconds, state in rows[:size])
    cycle = sum(phase.duration for phase in phases)
    return read_program(RawProgram("", "", "static", rows[0][0] % cycle, phases), crossings=crossings).timing


def _rows(
    times: Sequence[float], states: Sequence[str], begin: float, end: float
) -> list[tuple[float, float, str]]:
    """(start, seconds, state) of the states that began and ended within the window; equal neighbours are one."""
    merged: list[tuple[float, str]] = []
    for time, state in zip(times, states, strict=True):
        if not merged or merged[-1][1] != state:
            merged.append((time, state))
    return [
        (start, after - start, state)
        for (start, state), (after, _) in pairwise(merged[1:])  # the first one may have begun before the run
        if start >= begin - _SAME and after <= end + _SAME
    ]


def _repeats(rows: Sequence[tuple[float, float, str]], size: int) -> bool:
    """Whether each row is like the one ``size`` rows later, without the window's last cycle being cut off."""
    return all(
        one[2] == other[2] and abs(one[1] - other[1]) < _SAME
        for one, other in zip(rows, rows[size:], strict=False)
    )
