"""The conflict monitor: every state is checked against what the base plan permits before it reaches the world.

It is independent of controllers, phases and change intervals: like the monitor in a signal cabinet it watches the
letters of each link over time, as a second barrier behind the loop that switches the signal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import copy
from itertools import islice
from typing import TypeVar

import numpy as np

from denxanh.sim.errors import SafetyError
from denxanh.sim.network import Bools, Intersection
from denxanh.sim.plan import Interval, Timing
from denxanh.sim.signals.change import change_intervals
from denxanh.sim.signals.permits import YELLOW, Array, Ints, permits_of
from denxanh.sim.sumo.program import RANK, steady_letters

FLASHING = "o"  # SUMO: off, blinking; right of way is by the junction's own rules
_CLOSE = 1e-6  # s: rounding of clock arithmetic
_MOST_VERDICTS = 10_000  # remembered; a signal of a few phases needs some hundreds
_LONG = 1e4  # s: longer than any clearance
Past = tuple[tuple[str, float], ...]
Way = tuple[int, int]
Found = tuple[
    set[str],
    Mapping[tuple[str, Past], str],
    Mapping[tuple[int, int, Past], str],
    Mapping[tuple[str, Past, float], float],
    Mapping[Way, tuple[Interval, ...]],
]
"""States without a fault; verdicts on states, and on changes; waits for foes; the changes between two phases."""
_Key = TypeVar("_Key")
_Value = TypeVar("_Value")
_RANK = np.array([RANK.get(chr(code), 0) for code in range(128)])
_YELLOW = np.array([chr(code) in YELLOW for code in range(128)])
_RULES = (
    "would end its green without yellow",
    "would turn yellow from red",
    "would turn green from yellow",
    "would show too short a yellow",
    "would show too short a green",
)


class SignalMemory:
    """What was found out about the states and changes of one signal.

    All of it follows from the intersection alone, and so runs on the same network may share it.
    """

    def __init__(self, intersection: Intersection) -> None:
        self.permits = permits_of(intersection)
        self.good: set[str] = set()  # states without a fault of their own
        self.verdicts: dict[tuple[str, Past], str] = {}  # the same past gives the same verdict
        self.read: dict[str, tuple[Ints, Bools]] = {}  # right of way and yellow by link
        self.changes: dict[Way, tuple[Interval, ...]] = {}
        self.faults: dict[tuple[int, int, Past], str] = {}  # of a change after a past; "" if there is none
        self.permitted: dict[tuple[int, Past], Bools] = {}  # the changes without a fault, (phases,)
        # s for foes, before a state, so long into a change
        self.waits: dict[tuple[str, Past, float], float] = {}
        self.greens: dict[str, Ints] = {}  # the links that a state shows green

    def sizes(self) -> tuple[int, int, int]:
        """The numbers of verdicts on states and on changes, and of waits."""
        return len(self.verdicts), len(self.faults), len(self.waits)

    def found_since(self, sizes: tuple[int, int, int]) -> Found:
        """The verdicts beyond earlier ``sizes``, for a run in another process to learn."""
        verdicts = dict(islice(self.verdicts.items(), sizes[0], None))
        faults = dict(islice(self.faults.items(), sizes[1], None))
        waits = dict(islice(self.waits.items(), sizes[2], None))
        return self.good, verdicts, faults, waits, self.changes

    def learn(self, found: Found) -> None:
        """Add what another run has found out about the same signal."""
        good, verdicts, faults, waits, changes = found
        self.good |= good
        self.changes.update(changes)
        remember(self.verdicts, verdicts)
        remember(self.faults, faults)
        remember(self.waits, waits)


def remember(known: dict[_Key, _Value], more: Mapping[_Key, _Value]) -> None:
    """Add verdicts; all that is known is forgotten where it would be too much."""
    if len(known) + len(more) > _MOST_VERDICTS:
        known.clear()
    known.update(more)


class ConflictMonitor:
    """Watches one signal. ``check`` refuses an unsafe next state, ``note`` records the state shown.

    Times are the scenario's, s. The history before ``begin`` is that of the program by the clock. ``memory`` is of the
    same intersection.
    """

    def __init__(self, intersection: Intersection, begin: float, memory: SignalMemory | None = None) -> None:
        self._name = intersection.id
        self.memory = memory or SignalMemory(intersection)
        self._permits = p = self.memory.permits
        self._foes: Bools = intersection.foes
        self._a, self._b = np.indices(intersection.foes.shape)
        n = intersection.n_links
        self.settled = float(max(part.max(initial=0.0) for part in (p.clearance, p.yellow, p.green)))
        """s after which a state's past no longer matters: every green, yellow and clearance is long enough."""
        self._steady = steady_letters(intersection.program)
        self._recent: tuple[tuple[str, float], ...] = ()  # (state, s since when), the latest first
        # (state, s since when, after flashing) not yet in the arrays
        self._noted: list[tuple[str, float, bool]] = []
        self.state = "r" * n
        self._flashing = False
        self._rank: Ints = np.zeros(n, dtype=np.int64)
        self._yellow: Bools = np.zeros(n, dtype=np.bool_)
        self._rank_before: Ints = np.zeros(n, dtype=np.int64)  # of the last green
        self._green_since: Array = np.full(n, -np.inf)
        self._green_end: Array = np.full(n, -np.inf)
        self._yellow_since: Array = np.full(n, -np.inf)
        self._rewind(intersection.program, begin)

    def _rewind(self, timing: Timing, begin: float) -> None:
        """Record the last cycles of the program before ``begin``."""
        start = begin - (begin - timing.offset) % timing.cycle
        for cycle in (-2, -1, 0):
            moment = start + cycle * timing.cycle
            for stage in timing.stages:
                self._note_until(begin, stage.state, moment)
                moment += stage.green
                for interval in stage.change:
                    self._note_until(begin, interval.state, moment)
                    moment += interval.duration
        now = timing.at(begin)  # has the last word where rounding puts begin on the edge of two states
        stage = timing.stages[now.stage]
        self.note(stage.state if now.step == 0 else stage.change[now.step - 1].state, begin)

    def _note_until(self, begin: float, state: str, moment: float) -> None:
        if moment <= begin:
            self.note(state, moment)

    def note(self, state: str, time: float) -> None:
        """Record a state as shown from ``time`` on."""
        self._noted.append((state, time, self._flashing))
        self.state, self._flashing = state, False
        self._remember(time)

    def _settle(self) -> None:
        """Bring the arrays up to the present state. Where all verdicts are remembered nobody needs them."""
        for state, time, flashed in self._noted:
            rank, yellow = self._letters(state)
            if flashed:  # any link may have been in use until then
                self._rank = np.ones_like(rank)
            was, is_ = self._rank > 0, rank > 0
            # new arrays each time, so that a copy of the monitor can look ahead
            self._green_since = np.where(is_ & ~was, time, self._green_since)
            self._green_end = np.where(was & ~is_, time, self._green_end)
            self._rank_before = np.where(was & ~is_, self._rank, self._rank_before)
            self._yellow_since = np.where(yellow & ~self._yellow, time, self._yellow_since)
            self._rank, self._yellow = rank, yellow
        self._noted.clear()

    def __copy__(self) -> ConflictMonitor:
        """A monitor with the same past, and the same memory, that can look ahead."""
        self._settle()
        twin = object.__new__(type(self))
        vars(twin).update(vars(self), _noted=[])
        return twin

    def past(self, time: float) -> Past:
        """The states shown and the age of each, as far back as it matters, the latest first."""
        out = []
        for state, since in self._recent:
            age = time - since
            if age >= self.settled:
                out.append((state, self.settled))
                break
            out.append((state, round(age, 6)))
        return tuple(out)

    def fault(self, state: str, time: float) -> str:
        """The fault of showing ``state`` from ``time`` on; "" if there is none."""
        if self._flashing or type(state) is not str:
            return self._fault(state, time)
        key = state, self.past(time)
        verdicts = self.memory.verdicts
        if key not in verdicts:
            remember(verdicts, {key: self._fault(state, time)})
        return verdicts[key]

    def _fault(self, state: str, time: float) -> str:
        """The same, without the memory of verdicts."""
        if self._flashing and set(state) != {"r"}:
            return f"{state!r} would follow flashing, which all-red must end"
        if fault := self._fault_of_state(state):
            return fault
        if self._flashing:
            return ""
        self._settle()
        permits = self._permits
        rank, yellow = self._letters(state)
        was, is_ = self._rank > 0, rank > 0
        ends, ends_yellow = was & ~is_, self._yellow & ~yellow
        broken = (
            ends & ~yellow & ~permits.ends_at_once,
            yellow & ~self._yellow & ~was & ~permits.to_yellow,
            self._yellow & is_ & ~permits.from_yellow,
            ends_yellow & (time - self._yellow_since < permits.yellow - _CLOSE),
            ends & (time - self._green_since < permits.green - _CLOSE),
        )
        if np.logical_or.reduce(broken).any():
            link, rule = next(
                (int(np.argmax(b)), rule) for b, rule in zip(broken, _RULES, strict=True) if b.any()
            )
            return f"link {link} {rule}"
        missing, gains = self._missing(rank, time)
        if missing.max(initial=0.0) > _CLOSE:
            foe, k = np.argwhere(missing == missing.max())[0]
            return f"link {gains[k]} would turn green {missing[foe, k]:g} s before its foe {foe} has cleared"
        return ""

    def flash(self, time: float) -> None:
        """Record flashing from ``time`` on: the one state outside the plan, for which the run has a waiver."""
        self._settle()
        self._flashing, self.state = True, FLASHING * len(self._rank)
        self._remember(time)

    def _remember(self, time: float) -> None:
        """Record that the present state began at ``time``; drop states that no longer matter."""
        kept = 1 + sum(time - since < self.settled for _, since in self._recent)
        self._recent = ((self.state, time), *self._recent[:kept])

    def _fault_of_state(self, state: str) -> str:
        """The fault of a state independent of the past; states without fault are remembered."""
        if type(state) is not str or len(state) != len(self._rank) or not state.isascii():
            return f"{state!r} is not a state of {len(self._rank)} letters"
        if state in self.memory.good:
            return ""
        wrong = ~self._permits.letters[np.arange(len(state)), [ord(letter) for letter in state]]
        if wrong.any():
            link = int(np.argmax(wrong))
            return f"link {link} would show {state[link]!r}, which its plan never does"
        rank = self._letters(state)[0]
        clash = ~self._permits.together[rank[:, None], rank[None, :], self._a, self._b]
        if clash.any():
            a, b = np.argwhere(clash)[0]
            how = "are foes" if self._foes[a, b] else "stand in different junctions"
            return f"links {a} ({state[a]}) and {b} ({state[b]}) {how} and would be green together"
        self.memory.good.add(state)
        return ""

    def _letters(self, state: str) -> tuple[Ints, Bools]:
        """Right of way and yellow by link."""
        read = self.memory.read
        if state not in read:
            codes = [ord(letter) for letter in state]
            read[state] = (_RANK[codes], _YELLOW[codes])
        return read[state]

    def check(self, state: str, time: float) -> None:
        """Raise SafetyError for a state that must not be shown."""
        if fault := self.fault(state, time):
            raise SafetyError(f"{self._name} at t={time:g} s: {fault}")

    def _missing(self, rank: Ints, time: float) -> tuple[Array, Ints]:
        """Time for which links that gain right of way must wait for each foe that lost it.

        Returns the times, shape (foes, gains) s, and the indices of the gaining links.
        """
        gains = np.flatnonzero(rank > self._rank)
        if not gains.size:
            return np.zeros((len(rank), 0)), gains
        permits = self._permits
        end = np.where(self._rank > 0, time, self._green_end)  # those that end just now
        missing = permits.clearance[:, gains] - (time - end)[:, None]
        missing[~self._foes[:, gains]] = 0.0
        missing[rank > 0] = 0.0
        for walker in np.flatnonzero(permits.crossing):
            # a link that may be green, yielding, beside the crossing may also start while it clears
            before = self._rank[walker] or self._rank_before[walker]
            missing[walker, permits.together[before, rank[gains], walker, gains]] = 0.0
        return missing, gains

    def wait_for_foes(self, state: str, time: float, began: float) -> float:
        """Time until ``state`` may be shown, s, in a change that began at ``began``.

        The change between two phases clears the links and crossings of the phase that ends; but after a short phase,
        those of the phase before it may not have cleared when the next one starts. The same past gives the same time.
        """
        if self._flashing:
            return self._wait_for_foes(state, time, began)
        asked = state, self.past(time), round(time - began, 6)
        waits = self.memory.waits
        if asked not in waits:
            remember(waits, {asked: self._wait_for_foes(state, time, began)})
        return waits[asked]

    def _wait_for_foes(self, state: str, time: float, began: float) -> float:
        """The same, without the memory."""
        self._settle()
        missing, _ = self._missing(self._letters(state)[0], time)
        earlier = self._permits.crossing | (self._green_end < began - _CLOSE)
        return float(missing[earlier].max(initial=0.0))

    def cleared(self) -> str:
        """What is shown while those still on the road are waited for: the yellows are over."""
        return "".join(
            "r" if letter in YELLOW and k not in self._steady else letter
            for k, letter in enumerate(self.state)
        )

    def look_ahead(self, change: Iterable[Interval], green: str, time: float) -> str:
        """The fault of showing these intervals from ``time`` on and then ``green``; "" if there is none."""
        future, began = copy(self), time
        for interval in change:
            if fault := future.fault(interval.state, time):
                return fault
            future.note(interval.state, time)
            time += interval.duration
        if wait := future.wait_for_foes(green, time, began):
            if fault := future.fault(future.cleared(), time):
                return fault
            future.note(future.cleared(), time)
        return future.fault(green, time + wait)


def unsafe_changes(intersection: Intersection) -> dict[tuple[int, int], str]:
    """The fault of the change from phase i to phase j, for every pair that has one."""
    out = {}
    monitor = ConflictMonitor(intersection, begin=0.0)
    monitor.note("r" * intersection.n_links, 0.0)
    for i, before in enumerate(intersection.phases):
        shown = copy(monitor)
        shown.note(before.state, _LONG)  # earlier states have cleared
        for j, after in enumerate(intersection.phases):
            change = change_intervals(intersection, i, j)
            if fault := shown.look_ahead(change, after.state, _LONG + before.min_green):
                out[i, j] = fault
    return out
