"""The answers that a signal may be given: which greens are legal, which phases may follow, and the change to each."""

from __future__ import annotations

import math
import operator

import numpy as np

from denxanh.sim.controller import Green
from denxanh.sim.errors import ControlError
from denxanh.sim.network import Bools, Intersection
from denxanh.sim.plan import Interval
from denxanh.sim.signals.change import change_intervals
from denxanh.sim.signals.monitor import ConflictMonitor, SignalMemory, remember

_CLOSE = 1e-6  # s: tolerance for a duration as a multiple of the step
_LONGEST = 1e6  # s: a green beyond it, eleven days, is a mistake


def whole_steps(seconds: float, step: float, what: str) -> int:
    """A duration as whole steps of ``step`` s. Raises ControlError for a fraction, since SUMO would round it."""
    steps = seconds / step
    if not math.isfinite(steps) or abs(round(steps) * step - seconds) > _CLOSE:
        raise ControlError(f"{what}, {seconds:g} s, is not a multiple of the step of {step:g} s")
    return round(steps)


class LegalAnswers:
    """Judges the answers at one signal by the minimum green, the change, and the monitor's rules.

    The caller says which phase is green, for how long (``elapsed``, s), and the time ``now`` (s).
    """

    def __init__(
        self, intersection: Intersection, step: float, monitor: ConflictMonitor, memory: SignalMemory
    ) -> None:
        self._intersection = intersection
        self._step = step  # s
        self._monitor = monitor
        self._memory = memory
        self._change_times: dict[int, dict[int, float]] = {}  # s, from a phase to another

    def accept(self, green: object, present: int, elapsed: float, now: float) -> Green:
        """The answer in plain numbers, each read once. Raises ControlError for one that cannot be carried out."""
        spot = f"{self._intersection.id} at t={now:g} s"
        if not isinstance(green, Green):
            raise ControlError(f"{spot}: the controller answered {green!r}, not Green(phase, seconds)")
        asked, seconds = green.phase, green.seconds
        if isinstance(asked, bool) or not isinstance(asked, int | np.integer):
            raise ControlError(f"{spot}: the controller asked for phase {asked!r}, which is not a number")
        phase, count = operator.index(asked), len(self._intersection.phases)
        if not 0 <= phase < count:
            raise ControlError(f"{spot}: the controller asked for phase {phase}; there are 0…{count - 1}")
        if isinstance(seconds, bool) or not isinstance(seconds, int | float | np.integer | np.floating):
            raise ControlError(f"{spot}: the controller asked for {seconds!r} s, which is not a number")
        try:
            length = float(seconds)
        except OverflowError:  # a whole number beyond all floats
            length = math.inf
        if not self._step - _CLOSE <= length < _LONGEST:
            raise ControlError(f"{spot}: the controller asked for {seconds} s of green, which is not a time")
        whole_steps(length, self._step, f"{spot}: the green asked for")
        if phase != present:
            self._check_change(present, phase, elapsed, now, spot)
        return Green(phase, length)

    def permitted(self, present: int, elapsed: float, now: float) -> Bools:
        """The phases that ``accept`` takes, shape (phases,)."""
        allowed = np.zeros(len(self._intersection.phases), dtype=np.bool_)
        allowed[present] = True
        if self._intersection.phases[present].min_green - elapsed > _CLOSE:
            return allowed
        key, known = (present, self._monitor.past(now)), self._memory.permitted
        if key not in known:
            for phase in range(len(allowed)):
                if phase != present:
                    allowed[phase] = not self._fault_of_change(present, phase, now)
            remember(known, {key: allowed})
        return known[key].copy()

    def change(self, present: int, phase: int) -> tuple[Interval, ...]:
        """The intervals between two phases, computed once."""
        way = (present, phase)
        changes = self._memory.changes
        if way not in changes:
            changes[way] = change_intervals(self._intersection, *way)
        return changes[way]

    def change_steps(self, present: int, phase: int) -> tuple[int, ...]:
        """The intervals of a change, in whole steps."""
        return tuple(
            math.ceil(interval.duration / self._step - _CLOSE) for interval in self.change(present, phase)
        )

    def change_time(self, present: int, phase: int) -> float:
        """The time that a change takes, in whole steps, s."""
        if phase == present:
            return 0.0
        known = self._change_times.setdefault(present, {})
        if phase not in known:
            known[phase] = sum(self.change_steps(present, phase)) * self._step
        return known[phase]

    def _fault_of_change(self, present: int, phase: int, now: float) -> str:
        """The fault of a change, "" if there is none; computed once for each past."""
        key = present, phase, self._monitor.past(now)
        faults = self._memory.faults
        if key not in faults:
            after = self._intersection.phases[phase].state
            remember(faults, {key: self._monitor.look_ahead(self.change(present, phase), after, now)})
        return faults[key]

    def _check_change(self, present: int, phase: int, elapsed: float, now: float, spot: str) -> None:
        least = self._intersection.phases[present].min_green
        if elapsed < least - _CLOSE:
            raise ControlError(
                f"{spot}: phase {present} has been green for {elapsed:g} s, less than its minimum "
                f"{least:g} s, and the controller asked for phase {phase}"
            )
        if fault := self._fault_of_change(present, phase, now):
            raise ControlError(f"{spot}: on the way from phase {present} to phase {phase}, {fault}")
