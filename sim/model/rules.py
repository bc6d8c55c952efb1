"""What happens at one stop line at one instant: signals, gaps, room, leaving. Compiled pieces of the kernel."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"
# numba derives the types of these functions from their arguments: n Static, x Signals, w Memory.

from __future__ import annotations

import numpy as np
from numba import njit

from sim.model.signals import MAJOR, MINOR, STOP

# Without numba's reference counts, which are atomic and took two thirds of the time; nothing here allocates.
compiled = njit(cache=True, error_model="numpy", fastmath=True, _nrt=False)

NEVER = np.float32(1e9)
STEP = np.float32(0.05)  # s: who has to ask again asks a little later, or rounding would stop the clock
_FOES_SEEN = 4  # vehicles looked at on a foe's lane: within one gap no more arrive
_SHORT = np.float32(40.0)  # m: real networks have stop-line lanes of a few metres behind split junctions
_LEAVING = np.float32(3.0)  # s before it leaves that a head's room counts as free to who is on the way


@compiled
def advance(i, time, x, w):
    """Let signal i show what it shows at ``time``."""
    k = w.step[i]
    while w.until[i] <= time:
        k += 1
        if k == x.state.shape[1]:
            k = 0
        w.begun[i] = w.until[i]
        w.until[i] += x.duration[i, k]
    w.step[i] = k


@compiled
def next_green(i, letter, x, w):
    """When the letter turns green after the present step, or NEVER."""
    time = w.until[i]
    k = w.step[i]
    for _ in range(x.state.shape[1]):
        k += 1
        if k == x.state.shape[1]:
            k = 0
        if x.duration[i, k] > 0.0:
            code = x.codes[x.base[i] + x.state[i, k], letter]
            if code in (MAJOR, MINOR, STOP):
                return time
            time += x.duration[i, k]
    return NEVER


@compiled
def blocked(link, time, gap, clear, n, x, w):
    """Until when a foe keeps a yielding vehicle from crossing at ``time``; 0 if none does."""
    worst = np.float32(0.0)
    for k in range(n.foe_first[link], n.foe_first[link + 1]):
        foe = n.foe[k]
        soonest = w.passed[foe] + clear
        if soonest > time and soonest > worst:
            worst = soonest
        signal = n.link_signal[foe]
        if signal >= 0:
            advance(signal, time, x, w)
            code = x.codes[x.base[signal] + x.state[signal, w.step[signal]], n.link_letter[foe]]
            if code != MAJOR and code != MINOR:
                continue
        lane = n.link_start[foe]
        if w.idle[lane] > time:  # it cannot move itself
            continue
        vehicle = w.head[lane]
        due = w.ready[lane]
        for _ in range(_FOES_SEEN):
            if vehicle < 0:
                break
            due = max(due, w.arrive[vehicle])
            if due >= time + gap:
                break
            if w.chosen[vehicle] == foe:
                if due + clear > max(worst, time):
                    worst = due + clear
                break
            kind = n.type[vehicle]
            due += n.react[kind] + n.space[kind] * n.pace_out[w.chosen[vehicle], kind]
            vehicle = w.follower[vehicle]
    return worst


@compiled
def release(lane, time, n, w):
    """Give back the room of vehicles whose gap has reached the lane's beginning."""
    first = n.ring_first[lane]
    room = n.ring_first[lane + 1] - first
    while w.ring_out[lane] != w.ring_in[lane] and w.ring_time[first + w.ring_out[lane]] <= time:
        w.occupied[lane] -= w.ring_space[first + w.ring_out[lane]]
        w.ring_out[lane] += 1
        if w.ring_out[lane] == room:
            w.ring_out[lane] = 0


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
    for k in range(n.choice_first[block], n.choice_first[block + 1]):
        lane = n.choice_lane[k]
        cost = w.inside[lane] + n.choice_bias[k]
        if near >= 0:
            cost += abs(lane - near) * n.lane_change[lane]
        if cost >= least:
            continue
        if w.occupied[lane] + need > n.lane_length[lane] and not force:
            release(lane, time + over, n, w)
            excess = w.occupied[lane] + need - n.lane_length[lane]
            if excess > 0.0 and w.occupied[lane] > 0.01:
                gap = NEVER
                if w.ring_out[lane] != w.ring_in[lane]:
                    gap = w.ring_time[n.ring_first[lane] + w.ring_out[lane]]
                elif n.lane_length[lane] < _SHORT and excess <= need:
                    # a short lane whose head is on its way out will have room
                    first = w.head[lane]
                    link = w.chosen[first]
                    signal = n.link_signal[link]
                    going = w.idle[lane] <= time
                    if going and signal >= 0:
                        advance(signal, time, x, w)
                        code = x.codes[x.base[signal] + x.state[signal, w.step[signal]], n.link_letter[link]]
                        going = code in (MAJOR, MINOR)
                    if going:
                        gap = max(w.arrive[first], w.ready[lane]) - _LEAVING
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
        return -1 - full, max(soon, time + STEP) if soon < NEVER - 1e6 else NEVER
    return best, soon


@compiled
def leave(q, time, v, space, slots, n, w):
    """Take vehicle v off lane q; its room is free at the lane's beginning after the lag, for who waits for it."""
    w.head[q] = w.follower[v]
    if w.head[q] < 0:
        w.tail[q] = -1
    w.inside[q] -= space
    free = time + n.lane_lag[q]
    first = n.ring_first[q]
    w.ring_time[first + w.ring_in[q]] = free
    w.ring_space[first + w.ring_in[q]] = space
    w.ring_in[q] += 1
    if w.ring_in[q] == n.ring_first[q + 1] - first:
        w.ring_in[q] = 0
    waiter = w.waiting[q]
    w.waiting[q] = -1
    while waiter >= 0:
        following = w.later[waiter]
        over = n.link_time[w.chosen[w.head[waiter]]] if waiter < w.head.shape[0] else np.float32(0.0)
        w.ready[waiter] = max(w.ready[waiter], max(free - over, time))
        slot = int(w.ready[waiter])
        if slot < slots:
            w.later[waiter] = w.calendar[slot]
            w.calendar[slot] = waiter
        waiter = following
