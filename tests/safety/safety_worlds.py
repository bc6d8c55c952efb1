"""Intersections made by hand, and a world without SUMO and without vehicles that notes what it is shown."""

from dataclasses import replace

import numpy as np

from denxanh.sim.network import Phase
from denxanh.sim.plan import Interval, Stage, Timing
from denxanh.sim.sumo.program import change_times
from denxanh.sim.testing.check_controller import corridor


class RecordingWorld:
    """A World that only notes: ``shown`` holds (time, state) by intersection."""

    def __init__(self, network, *, begin=0.0, step=1.0):
        self.network, self.begin, self.step, self.steps = network, begin, step, 0
        self.shown = {name: [] for name in network.intersections}

    def advance(self, steps):
        self.steps = steps

    def show(self, intersection, state):
        self.shown[intersection].append((self.begin + self.steps * self.step, state))

    def shows(self, intersection):
        return self.shown[intersection][-1][1]

    def on_lane(self, lane):
        return ()

    def next_edge(self, vehicle, edge):
        return ""

    def vehicle_class(self, vehicle):
        return "passenger"

    def halted(self, lane):
        return 0


def signal(name, timing, foes, *, yields=(), crossings=(), min_green=5.0, speed=12.5):
    """An intersection with a lane for each letter; ``foes`` are pairs, ``yields`` (who, to whom)."""
    pattern = corridor(1).intersections["J0"]
    n = len(timing.stages[0].state)
    conflict, gives_way = np.zeros((n, n), dtype=bool), np.zeros((n, n), dtype=bool)
    for a, b in foes:
        conflict[a, b] = conflict[b, a] = True
    for a, b in yields:
        gives_way[a, b] = True
    yellow, all_red = change_times(timing)
    return replace(
        pattern,
        id=name,
        links=tuple(
            replace(pattern.links[0], index=k, start=f"in{k}_0", end=f"out{k}_0", crossing=k in crossings)
            for k in range(n)
        ),
        n_links=n,
        approaches=tuple(
            replace(pattern.approaches[0], lane=f"in{k}_0", links=(k,), speed=speed) for k in range(n)
        ),
        exits=(),
        movements=(),
        phases=tuple(
            Phase(i, stage.state, str(i), min(min_green, stage.green), float("inf"))
            for i, stage in enumerate(timing.stages)
        ),
        program=timing,
        yellow=yellow,
        all_red=all_red,
        foes=conflict,
        yields=gives_way,
    )


def network_of(*signals):
    return replace(
        corridor(1), intersections={intersection.id: intersection for intersection in signals}, links=()
    )


def timing(*rows, offset=0.0):
    """Stages from rows (state, green, (state, s), …)."""
    return Timing(tuple(Stage(s, g, tuple(Interval(*x) for x in change)) for s, g, *change in rows), offset)


def crossroads(offset=0.0):
    """North–south with a permitted left turn, then the left turn alone, then east–west with a crossing.

    Links: 0 through, 1 left (gives way to 2), 2 opposing through, 3 east–west, 4 crossing beside 3.
    """
    return signal(
        "X",
        timing(
            ("GgGrr", 20.0, ("Ggyrr", 3.0), ("Ggrrr", 1.0)),
            ("GGrrr", 10.0, ("yyrrr", 3.0), ("rrrrr", 2.0)),
            ("rrrGG", 25.0, ("rrrGr", 5.0), ("rrryr", 3.0), ("rrrrr", 2.0)),
            offset=offset,
        ),
        foes=((0, 3), (1, 2), (1, 3), (2, 3), (0, 4), (2, 4), (1, 4)),
        yields=((1, 2),),
        crossings=(4,),
    )
