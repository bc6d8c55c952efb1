"""The arrays of the kernel: the place, the plans, and the memory of a thread.

Numba passes named tuples of arrays as they are, so these stand in for the classes it cannot compile.
Queues are numbered: lanes, then bays (room within a junction where yielding vehicles wait and let those
behind them pass), then sources (vehicles not yet in the network). Times are s since the model's begin.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

I16 = NDArray[np.int16]
I32 = NDArray[np.int32]
U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]


class Static(NamedTuple):
    """The place, the same for all plans. L lanes, K links, V vehicles, T types, S sources."""

    # lanes
    lane_length: F32  # (L,) m
    lane_time: F32  # (L,) s at the limit
    lane_limit: F32  # (L,) m/s
    lane_lag: F32  # (L,) s for a gap to travel back
    lane_change: F32  # (L,) m of queue that a lane change is worth
    ring_first: I32  # (L + 1,) room for departures whose gap still travels
    # links
    link_start: I32  # (K,) lane
    link_end: I32  # (K,) lane
    link_signal: I32  # (K,) intersection, −1 if none
    link_letter: I32  # (K,)
    link_time: F32  # (K,) s over the junction
    link_speed: F32  # (K,) m/s
    link_brake: F32  # (K,) s lost by braking for the turn
    link_bay: I32  # (K,) bay, −1 if none
    link_clear: U8  # (K,) no vehicle may stop on it: it crosses others
    link_gap: F32  # (K,) s a yielding vehicle needs
    pace_out: F32  # (K, T) s/m, of a queue that has got going
    foe_first: I32  # (K + 1,)
    foe: I32  # links that the link yields to
    bay_room: I32  # (bays,) vehicles
    bay_aside: I32  # (bays,) vehicles of them that do not block the lane they come from
    # types
    react: F32  # (T,) s between two departures, besides the space they take
    space: F32  # (T,) m of a lane
    accel: F32  # (T,) m/s²
    dawdle: F32  # (T,) m/s below the speed wanted, on average
    lost: F32  # (T,) s from green start until a standing head crosses
    pace: F32  # (T,) s/m at the type's own maximum speed
    top: F32  # (T,) m/s, that speed
    minor_pace: F32  # (T,) s/m of a queue that has got going, over a link without priority
    # vehicles
    depart: F32  # (V,) s
    type: I32  # (V,)
    first_step: I32  # (V,) position in block
    slow: F32  # (V,) 1 / speed factor
    factor: F32  # (V,)
    nerve: F32  # (V,) s more of yellow than others that it drives through
    depart_lane: I32  # (V,) lane or −1
    along: F32  # (V,) part of the first road still to drive
    standing: U8  # (V,)
    # choices of lanes, see denxanh.sim.model.lane_choice
    block: I32
    choice_first: I32
    choice_lane: I32
    choice_link: I32
    choice_bias: F32
    final_length: F32  # (positions,) m of the road, for a route's last
    final_time: F32  # (positions,) s
    final_speed: F32  # (positions,) m/s
    # sources
    source_first: I32  # (S + 1,)
    source_vehicle: I32  # (V,)


class Constants(NamedTuple):
    """Parameters that the kernel reads itself, see denxanh.sim.model.parameters."""

    horizon: np.float32
    yellow: np.float32
    clear: np.float32
    stop: np.float32
    halt: np.float32
    minor: np.float32


class Signals(NamedTuple):
    """One plan: see denxanh.sim.model.plan_arrays."""

    state: I16  # (I, K)
    duration: F32  # (I, K) s
    base: I32  # (I,) first row in codes
    codes: U8  # (states of all, letters)


class Plans(NamedTuple):
    """B plans: see denxanh.sim.model.plan_arrays."""

    state: I16  # (B, I, K)
    duration: F32  # (B, I, K) s
    offset: F32  # (B, I) s
    base: I32  # (I,) first row in codes
    codes: U8  # (states of all, letters)


class Memory(NamedTuple):
    """One thread's state, used for plan after plan. Q queues, B bays."""

    calendar: I32  # (slots,) first queue to wake in that second
    later: I32  # (Q,) the next one in the same second, or waiting for the same lane
    head: I32  # (L + B,) vehicle
    tail: I32  # (L + B,)
    ready: F32  # (Q,) s before which the head cannot leave
    stuck: F32  # (Q,) s since when the head finds no room
    idle: F32  # (Q,) s until which the head cannot move, so that others need not yield to it
    roll: F32  # (L + B,) m that the head has driven since it stood
    inside: F32  # (L,) m taken by vehicles on the lane
    occupied: F32  # (L,) m not available to who wants to enter: inside and gaps still travelling
    entered: F32  # (L,) s before which no vehicle can be inserted
    waiting: I32  # (L,) first queue that waits for a departure from the lane
    ring_time: F32
    ring_space: F32
    ring_out: I32  # (L,)
    ring_in: I32  # (L,)
    in_bay: I32  # (B,) vehicles
    held: I32  # (L,) vehicles waiting in bays that block their lane
    passed: F32  # (K,) s of the last vehicle
    position: I32  # (S,) vehicles inserted
    follower: I32  # (V,) next vehicle in the same queue
    arrive: F32  # (V,) s at the end of the lane, undisturbed
    chosen: I32  # (V,) link
    at: I32  # (V,) position in block
    row: I32  # (I,) row of the state that each signal shows in codes
    step: I32  # (I,) step each signal shows
    begun: F32  # (I,) s since when
    until: F32  # (I,) s


_MEMORY = {
    "calendar": ("T", np.int32),
    "later": ("Q", np.int32),
    "head": ("L + B", np.int32),
    "tail": ("L + B", np.int32),
    "ready": ("Q", np.float32),
    "stuck": ("Q", np.float32),
    "idle": ("Q", np.float32),
    "roll": ("L + B", np.float32),
    "inside": ("L", np.float32),
    "occupied": ("L", np.float32),
    "entered": ("L", np.float32),
    "waiting": ("L", np.int32),
    "ring_time": ("R", np.float32),
    "ring_space": ("R", np.float32),
    "ring_out": ("L", np.int32),
    "ring_in": ("L", np.int32),
    "in_bay": ("B", np.int32),
    "held": ("L", np.int32),
    "passed": ("K", np.float32),
    "position": ("S", np.int32),
    "follower": ("V", np.int32),
    "arrive": ("V", np.float32),
    "chosen": ("V", np.int32),
    "at": ("V", np.int32),
    "row": ("I", np.int32),
    "step": ("I", np.int32),
    "begun": ("I", np.float32),
    "until": ("I", np.float32),
}


def memory(n: Static, slots: int, signals: int) -> Memory:
    """Memory of one thread; the kernel fills it before each plan."""
    lanes, bays = len(n.lane_length), len(n.bay_room)
    sources, vehicles = len(n.source_first) - 1, len(n.depart)
    sizes = {
        "L": lanes, "B": bays, "S": sources, "V": vehicles, "K": len(n.link_end), "I": signals,
        "L + B": lanes + bays, "Q": lanes + bays + sources, "R": int(n.ring_first[-1]), "T": slots,
    }  # fmt: skip
    return Memory(*(np.zeros(sizes[size], dtype=kind) for size, kind in _MEMORY.values()))
