"""Safety check of a plan: it may replace a network's program only if it is as safe."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from denxanh.sim.errors import InputError
from denxanh.sim.language.text import Text
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
    checked = _joined(base, planned)
    if fault := _first_fault(base, checked):
        raise InputError(
            f"the plan for signal {fault.signal!r} is not safe: {fault.reason.en}",
            location=base.name,
            remedy="make the plan for this network, with its change intervals",
        )
    return checked


@dataclass(frozen=True)
class PlanFault:
    """Why the plan of a signal is less safe than its program."""

    signal: str
    reason: Text
    link: int  # the first link concerned


def plan_fault(base: Network, planned: Network) -> PlanFault | None:
    """The first fault that ``checked_plan`` would raise, in both languages; None where the plan may run."""
    return _first_fault(base, _joined(base, planned))


def _joined(base: Network, planned: Network) -> Network:
    """``planned`` with the program's yellow and all-red for ways that the plan does not take."""
    joined = {}
    for name, intersection in planned.intersections.items():
        own = base.intersections[name]
        joined[name] = (
            intersection
            if intersection is own
            else replace(
                intersection,
                yellow=max(intersection.yellow, own.yellow),
                all_red=max(intersection.all_red, own.all_red),
            )
        )
    return replace(planned, intersections=joined)


def _first_fault(base: Network, planned: Network) -> PlanFault | None:
    for name, intersection in planned.intersections.items():
        own = base.intersections[name]
        if intersection is not own and (found := _fault(own, intersection)):
            return PlanFault(name, *found)
    return None


def _fault(base: Intersection, planned: Intersection) -> tuple[Text, int] | None:
    """The reason, and the first link that it concerns."""
    own, new = permits_of(base), permits_of(planned)
    more = new.together & ~own.together
    turn = base.yields & ~base.yields.T  # (who, to whom)
    more[1, 2] &= ~turn
    more[2, 1] &= ~turn.T
    more[1, 1] &= ~(turn | turn.T)
    if more.any():
        a, b = sorted(np.argwhere(more)[0][2:])
        foes = bool(base.foes[a, b])
        pair = "the foes" if foes else "the links of different junctions"
        vi = "các hướng xung đột" if foes else "các hướng của những nút khác nhau"
        reason = Text(
            f"it shows green to {pair} {a} and {b} together, as the network's program does not",
            f"phương án cho {vi} {a} và {b} xanh cùng lúc, phương án hiện có thì không",
        )
        return reason, int(a)
    speed = np.zeros(base.n_links)
    for approach in base.approaches:
        speed[list(approach.links)] = approach.speed
    rule = np.array([ite_yellow(v) for v in speed])
    clearance = np.where(own.crossing[:, None], new.clearance, shortest_gaps(planned))
    for worse, what in (
        (
            new.ends_at_once & ~own.ends_at_once,
            Text("ends without yellow, as it does not", "hết xanh mà không có vàng, khác với"),
        ),
        (
            new.yellow < np.minimum(own.yellow, rule) - _CLOSE,
            Text("has a shorter yellow than", "có thời gian vàng ngắn hơn"),
        ),
        (
            new.green < np.minimum(own.green, MIN_GREEN) - _CLOSE,
            Text("has a shorter green than", "có thời gian xanh ngắn hơn"),
        ),
        (
            (base.foes & (clearance < own.clearance - _CLOSE)).any(axis=1),
            Text("has less time to clear than", "có thời gian giải tỏa ngắn hơn"),
        ),
    ):
        if worse.any():
            link = int(np.argmax(worse))
            reason = Text(f"link {link} ", f"hướng số {link} ") + what
            return reason + Text(" in the network's program", " trong phương án hiện có"), link
    return None
