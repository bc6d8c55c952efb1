"""The queue model itself: one plan at a time, compiled; plans run in parallel.

Each lane is a first-in first-out queue that its vehicles reach after their free travel time r and leave at
c = max(r, previous c + headway, green start + lost time, when a gap and room downstream appear): Newell's
(2002) car following on the scale of lanes, with the backward wave of the link transmission model (Yperman
2007). A calendar of one-second slots wakes a queue only when its head may move, so cost grows with moves,
not with time or lanes.

Queues are numbered: lanes, then bays (room within a junction where one yielding vehicle waits and lets those
behind it pass), then sources (vehicles not yet in the network). Times are s since the model's begin.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"
# numba derives the types of these functions from their arguments; annotating some twenty arrays in each
# would say less than Static and Constants do.

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from sim.model.signals import MAJOR, MINOR, STOP, YELLOW

I32 = NDArray[np.int32]
F32 = NDArray[np.float32]

NEVER = np.float32(1e9)
_FOES_SEEN = 4  # vehicles looked at on a foe's lane: within one gap no more arrive
_ROLLING = np.float32(1e6)
_MOVING = np.float32(60.0)  # m from standing: faster than any turn and most streets
_STANDING = np.float32(1.0)  # m from where the first vehicle stands to the stop line
_TELEPORT = 300.0  # s, SUMO's time-to-teleport
_SHORT = np.float32(40.0)  # m: real networks have stop-line lanes of a few metres behind split junctions
_LEAVING = np.float32(3.0)  # s before it leaves that a head's room counts as free to who is on the way
_STEP = np.float32(0.05)  # s: who has to ask again asks a little later, or rounding would stop the clock
_SWEEP = 60  # s between looks at those who wait for room: a choice of lanes waits for the best one only


class Static(NamedTuple):
    """What does not change from plan to plan. L lanes, K links, V vehicles, T types, S sources."""

    # lanes
    lane_length: F32  # (L,) m
    lane_time: F32  # (L,) s at the limit
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
    link_clear: NDArray[np.uint8]  # (K,) nobody may stop on it: it crosses others
    link_gap: F32  # (K,) s a yielding vehicle needs
    pace_out: F32  # (K, T) s/m, of a queue that has got going
    react: F32  # (T,) s between two departures, besides the space they take
    foe_first: I32  # (K + 1,)
    foe: I32  # links that the link yields to
    # vehicles
    depart: F32  # (V,) s
    type: I32  # (V,)
    first_step: I32  # (V,) position in block
    slow: F32  # (V,) 1 / speed factor
    depart_lane: I32  # (V,) lane or −1
    along: F32  # (V,) part of the first road still to drive
    standing: NDArray[np.uint8]  # (V,)
    space: F32  # (T,) m of a lane
    accel: F32  # (T,) m/s²
    lost: F32  # (T,) s from green start until a standing head crosses
    pace: F32  # (T,) s/m at the type's own maximum speed
    # choices
    block: I32
    choice_first: I32
    choice_lane: I32
    choice_link: I32
    choice_bias: F32
    final_length: F32  # (positions,) m of the road, for a route's last
    final_time: F32  # (positions,) s
    # sources
    source_first: I32  # (S + 1,)
    source_vehicle: I32  # (V,)
    bay_room: I32  # (bays,) vehicles


class Constants(NamedTuple):
    """Parameters of the kernel, see sim.model.parameters."""

    horizon: float
    yellow: float
    clear: float
    stop: float
    halt: float


OUTPUTS = 6  # rows of ``out``: delay and stops by type, then counts


@njit(cache=True, error_model="numpy", fastmath=True)
def _advance(i, time, state, duration, step, begun, until):
    """Let signal i show what it shows at ``time``."""
    k = step[i]
    while until[i] <= time:
        k += 1
        if k == state.shape[1]:
            k = 0
        begun[i] = until[i]
        until[i] += duration[i, k]
    step[i] = k


@njit(cache=True, error_model="numpy", fastmath=True)
def _next_green(i, letter, state, duration, base, codes, step, until):
    """When the letter turns green after the present step, or NEVER."""
    time = until[i]
    k = step[i]
    for _ in range(state.shape[1]):
        k += 1
        if k == state.shape[1]:
            k = 0
        if duration[i, k] > 0.0:
            code = codes[base[i] + state[i, k], letter]
            if code in (MAJOR, MINOR, STOP):
                return time
            time += duration[i, k]
    return NEVER


@njit(cache=True, error_model="numpy", fastmath=True)
def _blocked(
    link,
    time,
    gap,
    clear,
    n,
    state,
    duration,
    base,
    codes,
    step,
    begun,
    until,
    head,
    follower,
    arrive,
    ready,
    chosen,
    passed,
    idle,
):
    """Until when a foe keeps a yielding vehicle from crossing at ``time``; 0 if none does."""
    worst = np.float32(0.0)
    for k in range(n.foe_first[link], n.foe_first[link + 1]):
        foe = n.foe[k]
        soonest = passed[foe] + clear
        if soonest > time and soonest > worst:
            worst = soonest
        signal = n.link_signal[foe]
        if signal >= 0:
            _advance(signal, time, state, duration, step, begun, until)
            code = codes[base[signal] + state[signal, step[signal]], n.link_letter[foe]]
            if code != MAJOR and code != MINOR:
                continue
        lane = n.link_start[foe]
        if idle[lane] > time:  # it cannot move itself
            continue
        vehicle = head[lane]
        due = ready[lane]
        for _ in range(_FOES_SEEN):
            if vehicle < 0:
                break
            due = max(due, arrive[vehicle])
            if due >= time + gap:
                break
            if chosen[vehicle] == foe:
                if due + clear > max(worst, time):
                    worst = due + clear
                break
            kind = n.type[vehicle]
            due += n.react[kind] + n.space[kind] * n.pace_out[chosen[vehicle], kind]
            vehicle = follower[vehicle]
    return worst


@njit(cache=True, error_model="numpy", fastmath=True)
def _release(lane, time, n, occupied, ring_time, ring_space, ring_out, ring_in):
    """Give back the room of vehicles whose gap has reached the lane's beginning."""
    first = n.ring_first[lane]
    room = n.ring_first[lane + 1] - first
    while ring_out[lane] != ring_in[lane] and ring_time[first + ring_out[lane]] <= time:
        occupied[lane] -= ring_space[first + ring_out[lane]]
        ring_out[lane] += 1
        if ring_out[lane] == room:
            ring_out[lane] = 0


@njit(cache=True, error_model="numpy", fastmath=True)
def _choose(
    block, near, need, time, over, force, n, inside, occupied, ring_time, ring_space, ring_out, ring_in,
    head, arrive, ready, idle, chosen, state, duration, base, codes, step, begun, until,
):  # fmt: skip
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
        cost = inside[lane] + n.choice_bias[k]
        if near >= 0:
            cost += abs(lane - near) * n.lane_change[lane]
        if cost >= least:
            continue
        if occupied[lane] + need > n.lane_length[lane] and not force:
            _release(lane, time + over, n, occupied, ring_time, ring_space, ring_out, ring_in)
            excess = occupied[lane] + need - n.lane_length[lane]
            if excess > 0.0 and occupied[lane] > 0.01:
                gap = NEVER
                if ring_out[lane] != ring_in[lane]:
                    gap = ring_time[n.ring_first[lane] + ring_out[lane]]
                elif n.lane_length[lane] < _SHORT and excess <= need:
                    # a short lane whose head is on its way out will have room
                    first = head[lane]
                    link = chosen[first]
                    signal = n.link_signal[link]
                    going = idle[lane] <= time
                    if going and signal >= 0:
                        _advance(signal, time, state, duration, step, begun, until)
                        code = codes[base[signal] + state[signal, step[signal]], n.link_letter[link]]
                        going = code in (MAJOR, MINOR)
                    if going:
                        gap = max(arrive[first], ready[lane]) - _LEAVING
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
        return -1 - full, max(soon, time + _STEP) if soon < NEVER - 1e6 else NEVER
    return best, soon


@njit(cache=True, error_model="numpy", fastmath=True)
def _run(n, p, state, duration, begun0, step0, until0, base, codes, out, want, queue):
    """One plan. ``out`` (T + 4, 2): delay s and stops by type; then counts. ``queue`` (queues, 3) if ``want``."""
    lanes = n.lane_length.shape[0]
    bays = n.bay_room.shape[0]
    sources = n.source_first.shape[0] - 1
    total = lanes + bays + sources
    vehicles = n.depart.shape[0]
    slots = int(p.horizon)
    types = n.space.shape[0]

    calendar = np.full(slots, -1, dtype=np.int32)
    later = np.empty(total, dtype=np.int32)
    head = np.full(lanes + bays, -1, dtype=np.int32)
    tail = np.full(lanes + bays, -1, dtype=np.int32)
    ready = np.zeros(total, dtype=np.float32)
    stuck = np.full(total, NEVER, dtype=np.float32)
    waiting = np.full(lanes, -1, dtype=np.int32)
    in_bay = np.zeros(bays, dtype=np.int32)
    idle = np.zeros(total, dtype=np.float32)
    roll = np.zeros(lanes + bays, dtype=np.float32)
    inside = np.zeros(lanes, dtype=np.float32)
    occupied = np.zeros(lanes, dtype=np.float32)
    entered = np.full(lanes, -NEVER, dtype=np.float32)
    ring_time = np.empty(n.ring_first[lanes], dtype=np.float32)
    ring_space = np.empty(n.ring_first[lanes], dtype=np.float32)
    ring_out = np.zeros(lanes, dtype=np.int32)
    ring_in = np.zeros(lanes, dtype=np.int32)
    passed = np.full(n.link_start.shape[0], -NEVER, dtype=np.float32)
    position = np.zeros(sources, dtype=np.int32)
    follower = np.empty(vehicles, dtype=np.int32)
    arrive = np.empty(vehicles, dtype=np.float32)
    chosen = np.empty(vehicles, dtype=np.int32)
    at = n.first_step.copy()
    step, begun, until = step0.copy(), begun0.copy(), until0.copy()

    for s in range(sources):
        slot = int(n.depart[n.source_vehicle[n.source_first[s]]])
        later[lanes + bays + s] = calendar[slot]
        calendar[slot] = lanes + bays + s

    for t in range(slots):
        now = np.float32(t)
        end = np.float32(t + 1)
        if t % _SWEEP == 0:  # who waits for a departure that does not come
            for lane in range(lanes):
                waiter = waiting[lane]
                waiting[lane] = -1
                while waiter >= 0:
                    following = later[waiter]
                    later[waiter] = calendar[t]
                    calendar[t] = waiter
                    waiter = following
        while calendar[t] >= 0:
            q = calendar[t]
            calendar[t] = later[q]
            wake = NEVER
            while True:
                # --- the head of the queue and the earliest instant it may leave
                if q < lanes + bays:
                    v = head[q]
                    if v < 0:
                        break
                    kind = n.type[v]
                    due = arrive[v]
                    c = max(due, ready[q], now)
                    if c >= end:
                        wake = c
                        break
                    link = chosen[v]
                    signal = n.link_signal[link]
                    yielding = n.foe_first[link + 1] > n.foe_first[link]
                    if q < lanes and signal >= 0:
                        _advance(signal, c, state, duration, step, begun, until)
                        code = codes[base[signal] + state[signal, step[signal]], n.link_letter[link]]
                        if code == YELLOW:
                            if c > begun[signal] + p.yellow:
                                code = 0
                            yielding = False
                        elif code == MAJOR:
                            yielding = False
                        if code == 0:
                            green = _next_green(
                                signal, n.link_letter[link], state, duration, base, codes, step, until
                            )
                            roll[q] = 0.0
                            if green < NEVER:
                                # who arrives while it is green already does not start from standing
                                ready[q] = (
                                    max(ready[q], green + n.lost[kind])
                                    if due < green
                                    else max(ready[q], green)
                                )
                                wake = ready[q]
                            else:
                                idle[q] = NEVER
                            break
                        if code == STOP:
                            c = max(c, due + p.stop)
                            roll[q] = 0.0
                            if c >= end:
                                wake = c
                                break
                    if yielding:
                        u = _blocked(
                            link, c, n.link_gap[link], p.clear, n, state, duration, base, codes, step, begun,
                            until, head, follower, arrive, ready, chosen, passed, idle,
                        )  # fmt: skip
                        if u > 0.0:
                            roll[q] = 0.0
                            bay = n.link_bay[link] if q < lanes else -1
                            if bay < 0 or in_bay[bay] == n.bay_room[bay]:
                                ready[q] = max(u, c + _STEP)
                                idle[q] = ready[q]
                                wake = ready[q]
                                break
                            # into the junction: those behind may pass
                            space = n.space[kind]
                            _leave(
 q, c, v, space, n, slots, head, tail, follower, inside, ring_time, ring_space, ring_out, ring_in,
 waiting, ready, later, calendar, chosen,
)  # fmt: skip
                            in_bay[bay] += 1
                            bay += lanes
                            out[kind, 0] += c - due
                            if want:
                                queue[q, 0] += c - due
                            arrive[v] = c
                            follower[v] = -1
                            if head[bay] < 0:
                                head[bay] = v
                                ready[bay] = end
                                roll[bay] = 0.0
                                if t + 1 < slots:
                                    later[bay] = calendar[t + 1]
                                    calendar[t + 1] = bay
                            else:
                                follower[tail[bay]] = v
                            tail[bay] = v
                            ready[q] = c + n.react[kind] + space * n.pace_out[link, kind]
                            continue
                    near = n.link_end[link]
                    spot = at[v] + 1
                else:
                    s = q - lanes - bays
                    if n.source_first[s] + position[s] == n.source_first[s + 1]:
                        break
                    v = n.source_vehicle[n.source_first[s] + position[s]]
                    kind = n.type[v]
                    due = n.depart[v]
                    c = max(due, ready[q], now)
                    if c >= end:
                        wake = c
                        break
                    link = -1
                    near = n.depart_lane[v]
                    spot = at[v]

                # --- room on the next road
                space = n.space[kind]
                block = n.block[spot]
                speed = np.float32(0.0)
                if block >= 0:
                    need = space if link < 0 or n.link_clear[link] else np.float32(0.1)
                    over = np.float32(0.0) if link < 0 else n.link_time[link]
                    k, soon = _choose(
                        block, near, need, c, over, c - stuck[q] > _TELEPORT, n, inside, occupied,
                        ring_time, ring_space, ring_out, ring_in, head, arrive, ready, idle, chosen,
                        state, duration, base, codes, step, begun, until,
                    )  # fmt: skip
                    if k < 0:
                        stuck[q] = min(stuck[q], c)
                        if link >= 0:
                            idle[q] = end
                            roll[q] = 0.0
                            if want:
                                queue[q, 2] += 1.0
                        if soon < NEVER:
                            ready[q] = max(ready[q], soon)
                            wake = ready[q]
                        else:
                            idle[q] = NEVER
                            later[q] = waiting[-1 - k]
                            waiting[-1 - k] = q
                        break
                    lane = n.choice_lane[k]
                    length = n.lane_length[lane]
                    travel = n.lane_time[lane]
                    if link < 0 and n.along[v] == 1.0:
                        gate = near if near >= 0 else lane
                        if entered[gate] > c:  # the one before has not left the lane's beginning
                            ready[q] = entered[gate]
                            c = ready[q]
                            if c >= end:
                                wake = c
                                break
                else:
                    k = -1
                    lane = -1
                    length = n.final_length[spot]
                    travel = n.final_time[spot]

                # --- leave
                stuck[q] = NEVER
                idle[q] = 0.0
                wait = c - due
                travel = max(travel * n.slow[v], length * n.pace[kind])
                if link >= 0:
                    speed = length / max(travel, 0.1)
                    pass_speed = min(n.link_speed[link], speed)
                    if wait > 0.05:
                        pass_speed = min(pass_speed, np.sqrt(2.0 * n.accel[kind] * (roll[q] + _STANDING)))
                        roll[q] += space
                    else:
                        roll[q] = _ROLLING
                    loss = (speed - pass_speed) ** 2 / (2.0 * n.accel[kind] * speed)
                    out[kind, 0] += wait + loss
                    if want:
                        queue[q, 0] += wait
                        if q < lanes and wait > 0.05 and inside[q] > queue[q, 1]:
                            queue[q, 1] = inside[q]
                    if wait > p.halt:
                        out[kind, 1] += 1.0
                    passed[link] = c
                    follow = n.pace_out[link, kind]
                    if roll[q] < _MOVING:  # the next one is still accelerating when it crosses
                        follow = max(follow, 1.0 / np.sqrt(2.0 * n.accel[kind] * (roll[q] + _STANDING)))
                    ready[q] = c + n.react[kind] + space * follow
                    if q < lanes:
                        _leave(
 q, c, v, space, n, slots, head, tail, follower, inside, ring_time, ring_space, ring_out, ring_in,
 waiting, ready, later, calendar, chosen,
)  # fmt: skip
                    else:
                        head[q] = follower[v]
                        in_bay[q - lanes] -= 1
                    r = c + n.link_time[link] * n.slow[v] + travel + loss
                else:
                    position[s] += 1
                    r = c + travel * n.along[v]
                    out[kind, 0] += wait
                    if want:
                        queue[q, 0] += wait
                    out[types, 0] += 1.0
                    if n.standing[v]:
                        speed = length / max(travel, 0.1)
                        loss = speed / (2.0 * n.accel[kind])
                        out[kind, 0] += loss
                        r += loss
                    gate = near if near >= 0 else lane
                    if gate >= 0:
                        follow = n.lane_time[gate] / n.lane_length[gate]
                        if n.standing[v]:
                            follow = max(follow, 1.0 / np.sqrt(2.0 * n.accel[kind] * space))
                        entered[gate] = c + n.react[kind] + space * follow
                at[v] = spot
                if lane < 0:
                    if r <= p.horizon:
                        out[types, 1] += 1.0
                    continue
                # --- arrive on the next lane
                link = n.choice_link[k]
                brake = n.link_brake[link]
                out[kind, 0] += brake
                chosen[v] = link
                arrive[v] = r + brake
                inside[lane] += space
                occupied[lane] += space
                follower[v] = -1
                if head[lane] < 0:
                    head[lane] = v
                    slot = int(max(arrive[v], ready[lane], now))
                    if slot < slots:
                        later[lane] = calendar[slot]
                        calendar[slot] = lane
                else:
                    follower[tail[lane]] = v
                tail[lane] = v
            if wake < p.horizon:
                slot = max(int(wake), t)
                if slot < slots:
                    later[q] = calendar[slot]
                    calendar[slot] = q

    # --- who has not arrived
    last = np.float32(p.horizon)
    for q in range(lanes + bays):
        v = head[q]
        while v >= 0:
            if arrive[v] < last:
                out[n.type[v], 0] += last - arrive[v]
                if want:
                    queue[q, 0] += last - arrive[v]
                if last - arrive[v] > p.halt:
                    out[n.type[v], 1] += 1.0
            v = follower[v]
    for s in range(sources):
        for j in range(n.source_first[s] + position[s], n.source_first[s + 1]):
            v = n.source_vehicle[j]
            out[n.type[v], 0] += last - n.depart[v]
            out[types + 1, 0] += 1.0


@njit(cache=True, error_model="numpy", fastmath=True)
def _leave(
    q, time, v, space, n, slots, head, tail, follower, inside, ring_time, ring_space, ring_out, ring_in,
    waiting, ready, later, calendar, chosen,
):  # fmt: skip
    """Take vehicle v off lane q; its room is free at the lane's beginning after the lag, for who waits for it."""
    head[q] = follower[v]
    if head[q] < 0:
        tail[q] = -1
    inside[q] -= space
    free = time + n.lane_lag[q]
    first = n.ring_first[q]
    ring_time[first + ring_in[q]] = free
    ring_space[first + ring_in[q]] = space
    ring_in[q] += 1
    if ring_in[q] == n.ring_first[q + 1] - first:
        ring_in[q] = 0
    waiter = waiting[q]
    waiting[q] = -1
    while waiter >= 0:
        following = later[waiter]
        over = n.link_time[chosen[head[waiter]]] if waiter < head.shape[0] else np.float32(0.0)
        ready[waiter] = max(ready[waiter], max(free - over, time))
        slot = int(ready[waiter])
        if slot < slots:
            later[waiter] = calendar[slot]
            calendar[slot] = waiter
        waiter = following


@njit(cache=True, error_model="numpy", fastmath=True, parallel=True)
def run_parallel(n, p, begin, state, duration, offset, base, codes, out, want, queue):
    """All plans over numba's threads."""
    for b in prange(state.shape[0]):
        row = np.int64(b) if want else np.int64(0)  # prange counts unsigned
        _start(n, p, begin, state[b], duration[b], offset[b], base, codes, out[b], want, queue[row])


@njit(cache=True, error_model="numpy", fastmath=True)
def run_serial(n, p, begin, state, duration, offset, base, codes, out, want, queue):
    """All plans in this thread."""
    for b in range(state.shape[0]):
        _start(
            n, p, begin, state[b], duration[b], offset[b], base, codes, out[b], want, queue[b if want else 0]
        )


@njit(cache=True, error_model="numpy", fastmath=True)
def _start(n, p, begin, state, duration, offset, base, codes, out, want, queue):
    """Put every signal where its clock stands at ``begin``, then run."""
    signals = state.shape[0]
    step = np.zeros(signals, dtype=np.int32)
    begun = np.zeros(signals, dtype=np.float32)
    until = np.zeros(signals, dtype=np.float32)
    for i in range(signals):
        cycle = 0.0
        for k in range(state.shape[1]):
            cycle += duration[i, k]
        position = (begin - offset[i]) % cycle
        k = 0
        while position >= duration[i, k]:
            position -= duration[i, k]
            k += 1
            if k == state.shape[1]:
                k = 0
        step[i] = k
        begun[i] = -position
        until[i] = duration[i, k] - position
    _run(n, p, state, duration, begun, step, until, base, codes, out, want, queue)
