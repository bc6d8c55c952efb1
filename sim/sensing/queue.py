"""The vehicles between two detectors of a lane: arrivals less departures, corrected by occupancy.

A. Sharma, D. M. Bullock, J. A. Bonneson, "Input-output and hybrid techniques for real-time prediction of delay and
maximum queue length at signalized intersections", Transportation Research Record 2035 (2007) 69-80,
doi:10.3141/2035-08: arrivals at an advance detector are projected to the stop line at the free speed, departures are
counted there, and the difference is the queue. Counts drift (vehicles change lanes, detectors miss some), so they are
corrected by the detectors' occupancy: see ``correct``.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from math import inf

EMPTY = 2.0  # s without a vehicle at the stop line after which none can be waiting there
OVERDUE = 2.0  # s after its projected arrival from which a vehicle must stand at the stop line
# s for which a moving queue's vehicles never cover a detector: the queue has come to a stand on it
STANDING = 3.0
START_UP = 2.0  # s until the first vehicle of a queue moves, and …
FOLLOWING = 1.0  # … s more for each one behind it: the wave of starting is 7.5 m/s long at 7.5 m a vehicle


@dataclass(slots=True)
class Counted:
    """A vehicle that was counted and has not left."""

    number: int
    due: float  # s: when it would reach the stop line on a free road
    link: int


class LaneQueue:
    """One lane: ``reach`` m from the advance detector to the stop line, driven at ``speed`` m/s."""

    def __init__(self, reach: float, speed: float, space: float) -> None:
        self.reach, self.speed, self.space = reach, speed, space
        self.most = max(int(reach / space), 1)  # vehicles that can stand between the detectors
        self.inside: deque[Counted] = deque()
        self.left_at = -inf  # s: the last departure
        self.number = 0  # vehicles counted so far
        self._empty_since = inf
        self._covered_since = inf

    def enter(self, time: float, link: int, reach: float | None = None) -> None:
        """A vehicle passed the advance detector (``reach`` m before the stop line) at ``time``."""
        way = self.reach if reach is None else reach
        self.inside.append(Counted(self.number, time + way / self.speed, link))
        self.number += 1

    def leave(self, time: float) -> None:
        """A vehicle passed the stop line: remove the first one. One that was never counted in changes nothing."""
        self.left_at = time
        if self.inside:
            self.inside.popleft()

    def correct(self, time: float, at_line: float, at_advance: float, step: float, link: int) -> None:
        """Occupancies of the last step, 0 … 1, against the count.

        No vehicle at the stop line for EMPTY s: those that should stand there have left unseen. A vehicle there for the
        whole step: at least one waits (for ``link``). The advance detector covered for STANDING s: the queue
        reaches back to it.
        """
        if at_line > 0.0:
            self._empty_since = inf
            waits = at_line >= 1.0  # for the whole step: one that drives over it does not
            if waits and (not self.inside or self.inside[0].due > time + OVERDUE):
                self.inside.appendleft(Counted(self.number, time, link))
                self.number += 1
        else:
            self._empty_since = min(self._empty_since, time - step)
            if time - self._empty_since >= EMPTY - 1e-9:
                while self.inside and self.inside[0].due < time - OVERDUE:
                    self.inside.popleft()
        self._covered_since = min(self._covered_since, time - step) if at_advance >= 1.0 else inf
        if time - self._covered_since >= STANDING - 1e-9:
            while len(self.inside) < self.most:
                self.inside.append(Counted(self.number, time, link))
                self.number += 1

    def rows(self, time: float, green: float) -> list[tuple[float, float, float, Counted]]:
        """(distance m, speed m/s, wait s, vehicle) of each; ``green``: s for which the lane has had green, −1 if none.

        Those that have reached the queue stand, one behind the other, until the starting wave reaches them.
        """
        out = []
        flows = green >= 0.0 and (
            time - self.left_at <= START_UP + FOLLOWING or green <= START_UP + FOLLOWING
        )
        for rank, vehicle in enumerate(self.inside):
            free, stand = (vehicle.due - time) * self.speed, rank * self.space
            if free > stand:
                out.append((free, self.speed, 0.0, vehicle))
            elif flows and green >= START_UP + rank * FOLLOWING:
                out.append((max(stand, 1.0), 0.5 * self.speed, 0.0, vehicle))
            else:
                out.append((max(stand, 1.0), 0.0, time - vehicle.due + stand / self.speed, vehicle))
        return out
