"""One stop line at one instant: signals, gaps, room, departures; compiled functions of the kernel."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"
# numba derives the types of these functions from their arguments: n Static, x Signals, w Memory.

from __future__ import annotations

import numpy as np

from denxanh.sim.compiled import kernel
from denxanh.sim.model.plan_arrays import MAJOR, MINOR, STOP

# Without numba's reference counts, which are atomic and took two thirds of the time; nothing here allocates.
compiled = kernel(error_model="numpy", fastmath=True, _nrt=False)

U = np.uintp
"""Indices are unsigned: numba lets negative ones count from the end, at three instructions an access."""

NEVER = np.float32(1e9)
ZERO = np.float32(0.0)
STEP = np.float32(0.05)  # s: who has to ask again asks a little later, or rounding would stop the clock
ROLLING = np.float32(1e6)  # m: of a head that did not stand
_FOES_SEEN = 4  # vehicles looked at on a foe's lane: within one gap no more arrive
_SHORT = np.float32(40.0)  # m: real networks have stop-line lanes of a few metres behind split junctions
_LEAVING = np.float32(3.0)  # s before it leaves that a head's room counts as free to who is on the way
_SURELY = NEVER - np.float32(1e6)


@compiled
def advance(i, time, x, w):
    """At the stop line: let signal i show what it shows at ``time``."""
    if w.until[U(i)] > time:
        return
    k = w.step[U(i)]
    while w.until[U(i)] <= time:
        k += 1
        if k == x.state.shape[1]:
            k = 0
        w.begun[U(i)] = w.until[U(i)]
        w.until[U(i)] += x.duration[U(i), U(k)]
    w.step[U(i)] = k
    w.row[U(i)] = x.base[U(i)] + x.state[U(i), U(k)]


@compiled
def next_green(i, letter, x, w):
    """When the letter turns green after the present step, or NEVER."""
    time = w.until[U(i)]
    k = w.step[U(i)]
    for _ in range(x.state.shape[1]):
        k += 1
        if k == x.state.shape[1]:
            k = 0
        if x.duration[U(i), U(k)] > ZERO:
            code = x.codes[U(x.base[U(i)] + x.state[U(i), U(k)]), U(letter)]
            if code in (MAJOR, MINOR, STOP):
                return time
            time += x.duration[U(i), U(k)]
    return NEVER


@compiled
def blocked(link, time, gap, clear, n, x, w):
    """Until when a foe keeps a yielding vehicle from crossing at ``time``; 0 if none does."""
    worst = ZERO
    for k in range(n.foe_first[U(link)], n.foe_first[U(link + 1)]):
        foe = n.foe[U(k)]
        soonest = w.passed[U(foe)] + clear
        if soonest > time and soonest > worst:
            worst = soonest
        signal = n.link_signal[U(foe)]
        if signal >= 0:
            advance(signal, time, x, w)
            code = x.codes[U(w.row[U(signal)]), U(n.link_letter[U(foe)])]
            if code != MAJOR and code != MINOR:
                continue
        lane = n.link_start[U(foe)]
        vehicle = w.head[U(lane)]
        if vehicle < 0 or w.idle[U(lane)] > time:  # it cannot move itself
            continue
        due = w.ready[U(lane)]
        for _ in range(_FOES_SEEN):
            due = max(due, w.arrive[U(vehicle)])
            if due >= time + gap:
                break
            if w.chosen[U(vehicle)] == foe:
                if due + clear > max(worst, time):
                    worst = due + clear
                break
            kind = n.type[U(vehicle)]
            due += n.react[U(kind)] + n.space[U(kind)] * n.pace_out[U(w.chosen[U(vehicle)]), U(kind)]
            vehicle = w.follower[U(vehicle)]
            if vehicle < 0:
                break
    return worst


@compiled
def release(lane, time, n, w):
    """Give back the room of vehicles whose gap has reached the lane's beginning."""
    first = n.ring_first[U(lane)]
    room = n.ring_first[U(lane + 1)] - first
    while w.ring_out[U(lane)] != w.ring_in[U(lane)] and w.ring_time[U(first + w.ring_out[U(lane)])] <= time:
        w.occupied[U(lane)] -= w.ring_space[U(first + w.ring_out[U(lane)])]
        w.ring_out[U(lane)] += 1
        if w.ring_out[U(lane)] == room:
            w.ring_out[U(lane)] = 0


@compiled
def choose(block, near, need, time, over, force, n, x, w):
    """The choice with room and the shortest queue (m, with bias and lane changes), and when to ask again.

    ``over`` s pass until the vehicle needs the room. Without room: −1 − the lane whose next departure makes
    it, and the instant a gap under way arrives.
    """
    best = -1
    full = -1
    soon = NEVER
    least = NEVER
    least_full = NEVER
    for k in range(n.choice_first[U(block)], n.choice_first[U(block + 1)]):
        lane = n.choice_lane[U(k)]
        cost = w.inside[U(lane)] + n.choice_bias[U(k)]
        if near >= 0 and near != lane:
            cost += np.float32(abs(lane - near)) * n.lane_change[U(lane)]
        if cost >= least:
            continue
        if w.occupied[U(lane)] + need > n.lane_length[U(lane)] and not force:
            release(lane, time + over, n, w)
            excess = w.occupied[U(lane)] + need - n.lane_length[U(lane)]
            if excess > ZERO and w.occupied[U(lane)] > np.float32(0.01):
                gap = NEVER
                if w.ring_out[U(lane)] != w.ring_in[U(lane)]:
                    gap = w.ring_time[U(n.ring_first[U(lane)] + w.ring_out[U(lane)])]
                elif n.lane_length[U(lane)] < _SHORT and excess <= need:
                    # a short lane whose head is on its way out will have room
                    first = w.head[U(lane)]
                    link = w.chosen[U(first)]
                    signal = n.link_signal[U(link)]
                    going = w.idle[U(lane)] <= time
                    if going and signal >= 0:
                        advance(signal, time, x, w)
                        code = x.codes[U(w.row[U(signal)]), U(n.link_letter[U(link)])]
                        going = code in (MAJOR, MINOR)
                    if going:
                        gap = max(w.arrive[U(first)], w.ready[U(lane)]) - _LEAVING
                        if gap <= time + over:
                            least = cost
                            best = k
                            continue
                soon = min(soon, gap - over)
                if cost < least_full:
                    least_full = cost
                    full = lane
                continue
        least = cost
        best = k
    if best < 0:
        return -1 - full, max(soon, time + STEP) if soon < _SURELY else NEVER
    return best, soon


@compiled
def leave(q, time, v, space, slots, n, w):
    """Take vehicle v off lane q; its room is free at the lane's beginning after the lag, for who waits for it."""
    w.head[U(q)] = w.follower[U(v)]
    w.inside[U(q)] -= space
    free = time + n.lane_lag[U(q)]
    first = n.ring_first[U(q)]
    w.ring_time[U(first + w.ring_in[U(q)])] = free
    w.ring_space[U(first + w.ring_in[U(q)])] = space
    w.ring_in[U(q)] += 1
    if w.ring_in[U(q)] == n.ring_first[U(q + 1)] - first:
        w.ring_in[U(q)] = 0
    waiter = w.waiting[U(q)]
    w.waiting[U(q)] = -1
    while waiter >= 0:
        following = w.later[U(waiter)]
        over = ZERO
        if waiter < w.head.shape[0]:  # not a source
            over = n.link_time[U(w.chosen[U(w.head[U(waiter)])])]
        w.ready[U(waiter)] = max(w.ready[U(waiter)], max(free - over, time))
        w.idle[U(waiter)] = ZERO  # others have to yield to it again, in whatever order they are processed
        wake(waiter, int(w.ready[U(waiter)]), slots, w)
        waiter = following


@compiled
def wake(q, slot, slots, w):
    """Look at queue q in second ``slot``."""
    if slot < slots:
        w.later[U(q)] = w.calendar[U(slot)]
        w.calendar[U(slot)] = q


@compiled
def halted(q, time, halt, n, w, out):
    """The head of lane or bay q stops, and so do those who stood behind it and had moved up since."""
    if ZERO < w.roll[U(q)] < ROLLING:
        v = w.head[U(q)]
        while v >= 0 and w.arrive[U(v)] + halt < time:
            out[U(n.type[U(v)]), 1] += 1.0
            v = w.follower[U(v)]
    w.roll[U(q)] = ZERO
