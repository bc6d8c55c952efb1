"""Safety check of a plan: it may replace a network's program only if it is as safe."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from denxanh.sim.errors import InputError
from denxanh.sim.network import Intersection, Network
from denxanh.sim.signals.clearance import shortest_gaps
from denxanh.sim.signals.permits import ite_yellow, permits_of
from denxanh.sim.sumo.program import MIN_GREEN

_CLOSE = 1e-6  # s


def checked_plan(base: Network, planned: Network) -> Network:
    """``planned``, which is ``base`` with a plan; raises InputError where the plan is less safe.

    A plan may have other stages: greens of foes together only as the program has them, or as a turn that
    gives way by the right of way (``g`` beside ``G``); greens in different junctions of a joined signal only as
    the program has them. Its yellows, minimum greens and clearances are not shorter than the program's; a yellow
    or a minimum green may be as short as the rule, if the program has more. Ways that the plan itself does not
    take keep the program's yellow and all-red.
    """
    checked = {}
    for name, intersection in planned.intersections.items():
        own = base.intersections[name]
        if intersection is not own:
            intersection = replace(
                intersection,
                yellow=max(intersection.yellow, own.yellow),
                all_red=max(intersection.all_red, own.all_red),
            )
            if fault := _fault(own, intersection):
                raise InputError(
                    f"the plan for signal {name!r} is not safe: {fault}",
                    location=base.name,
                    remedy="make the plan for this network, with its change intervals",
                )
        checked[name] = intersection
    return replace(planned, intersections=checked)


def _fault(base: Intersection, planned: Intersection) -> str:
    own, new = permits_of(base), permits_of(planned)
    more = new.together & ~own.together
    turn = base.yields & ~base.yields.T  # (who, to whom)
    more[1, 2] &= ~turn
    more[2, 1] &= ~turn.T
    more[1, 1] &= ~(turn | turn.T)
    if more.any():
        a, b = sorted(np.argwhere(more)[0][2:])
        what = "the foes" if base.foes[a, b] else "the links of different junctions"
        return f"it shows green to {what} {a} and {b} together, as the network's program does not"
    speed = np.zeros(base.n_links)
    for approach in base.approaches:
        speed[list(approach.links)] = approach.speed
    rule = np.array([ite_yellow(v) for v in speed])
    clearance = np.where(own.crossing[:, None], new.clearance, shortest_gaps(planned))
    for worse, what in (
        (new.ends_at_once & ~own.ends_at_once, "ends without yellow, as it does not"),
        (new.yellow < np.minimum(own.yellow, rule) - _CLOSE, "has a shorter yellow than"),
        (new.green < np.minimum(own.green, MIN_GREEN) - _CLOSE, "has a shorter green than"),
        (
            (base.foes & (clearance < own.clearance - _CLOSE)).any(axis=1),
            "has less time to clear than",
        ),
    ):
        if worse.any():
            return f"link {int(np.argmax(worse))} {what} in the network's program"
    return ""
