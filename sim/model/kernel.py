"""The queue model itself: one plan at a time, compiled.

Each lane is a first-in first-out queue that its vehicles reach after their free travel time r and leave at
c = max(r, previous c + headway, green start + lost time, when a gap and room downstream appear): Newell's
(2002) car following on the scale of lanes, with the backward wave of the link transmission model (Yperman
2007). A calendar of one-second slots wakes a queue only when its head may move, so cost grows with moves,
not with time or lanes.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"

from __future__ import annotations

import numpy as np
from numba import njit

from sim.model.rules import NEVER, STEP, advance, blocked, choose, compiled, leave, next_green
from sim.model.signals import MAJOR, STOP, YELLOW
from sim.model.static import Signals, memory

_ROLLING = np.float32(1e6)
_MOVING = np.float32(60.0)  # m from standing: faster than any turn and most streets
_STANDING = np.float32(1.0)  # m from where the first vehicle stands to the stop line
_TELEPORT = 300.0  # s, SUMO's time-to-teleport
_SWEEP = 60  # s between looks at those who wait for room: a choice of lanes waits for the best one only


@compiled
def _run(n, p, begin, offset, x, w, out, want, queue):
    """One plan. ``out`` (T + 4, 2): delay s and stops by type; then counts. ``queue`` (queues, 3) if ``want``."""
    lanes = n.lane_length.shape[0]
    bays = n.bay_room.shape[0]
    sources = n.source_first.shape[0] - 1
    slots = int(p.horizon)
    types = n.space.shape[0]

    w.calendar[:] = -1
    w.head[:] = -1
    w.tail[:] = -1
    w.ready[:] = 0.0
    w.stuck[:] = NEVER
    w.idle[:] = 0.0
    w.roll[:] = 0.0
    w.inside[:] = 0.0
    w.occupied[:] = 0.0
    w.entered[:] = -NEVER
    w.waiting[:] = -1
    w.ring_out[:] = 0
    w.ring_in[:] = 0
    w.in_bay[:] = 0
    w.passed[:] = -NEVER
    w.position[:] = 0
    for v in range(n.first_step.shape[0]):
        w.at[v] = n.first_step[v]
    _set_clocks(begin, offset, x, w)

    for s in range(sources):
        slot = int(n.depart[n.source_vehicle[n.source_first[s]]])
        w.later[lanes + bays + s] = w.calendar[slot]
        w.calendar[slot] = lanes + bays + s

    for t in range(slots):
        now = np.float32(t)
        end = np.float32(t + 1)
        if t % _SWEEP == 0:  # who waits for a departure that does not come
            for lane in range(lanes):
                waiter = w.waiting[lane]
                w.waiting[lane] = -1
                while waiter >= 0:
                    following = w.later[waiter]
                    w.later[waiter] = w.calendar[t]
                    w.calendar[t] = waiter
                    waiter = following
        while w.calendar[t] >= 0:
            q = w.calendar[t]
            w.calendar[t] = w.later[q]
            wake = NEVER
            while True:
                # --- the head of the queue and the earliest instant it may leave
                if q < lanes + bays:
                    v = w.head[q]
                    if v < 0:
                        break
                    kind = n.type[v]
                    due = w.arrive[v]
                    c = max(due, w.ready[q], now)
                    if c >= end:
                        wake = c
                        break
                    link = w.chosen[v]
                    signal = n.link_signal[link]
                    yielding = n.foe_first[link + 1] > n.foe_first[link]
                    if q < lanes and signal >= 0:
                        advance(signal, c, x, w)
                        code = x.codes[x.base[signal] + x.state[signal, w.step[signal]], n.link_letter[link]]
                        if code == YELLOW:
                            if c > w.begun[signal] + p.yellow:
                                code = 0
                            yielding = False
                        elif code == MAJOR:
                            yielding = False
                        if code == 0:
                            green = next_green(signal, n.link_letter[link], x, w)
                            w.roll[q] = 0.0
                            if green < NEVER:
                                # who arrives while it is green already does not start from standing
                                w.ready[q] = (
                                    max(w.ready[q], green + n.lost[kind])
                                    if due < green
                                    else max(w.ready[q], green)
                                )
                                wake = w.ready[q]
                            else:
                                w.idle[q] = NEVER
                            break
                        if code == STOP:
                            c = max(c, due + p.stop)
                            w.roll[q] = 0.0
                            if c >= end:
                                wake = c
                                break
                    if yielding:
                        u = blocked(link, c, n.link_gap[link], p.clear, n, x, w)
                        if u > 0.0:
                            w.roll[q] = 0.0
                            bay = n.link_bay[link] if q < lanes else -1
                            if bay < 0 or w.in_bay[bay] == n.bay_room[bay]:
                                w.ready[q] = max(u, c + STEP)
                                w.idle[q] = w.ready[q]
                                wake = w.ready[q]
                                break
                            # into the junction: those behind may pass
                            space = n.space[kind]
                            leave(q, c, v, space, slots, n, w)
                            w.in_bay[bay] += 1
                            bay += lanes
                            out[kind, 0] += c - due
                            if want:
                                queue[q, 0] += c - due
                            w.arrive[v] = c
                            w.follower[v] = -1
                            if w.head[bay] < 0:
                                w.head[bay] = v
                                w.ready[bay] = end
                                w.roll[bay] = 0.0
                                if t + 1 < slots:
                                    w.later[bay] = w.calendar[t + 1]
                                    w.calendar[t + 1] = bay
                            else:
                                w.follower[w.tail[bay]] = v
                            w.tail[bay] = v
                            w.ready[q] = c + n.react[kind] + space * n.pace_out[link, kind]
                            continue
                    near = n.link_end[link]
                    spot = w.at[v] + 1
                else:
                    s = q - lanes - bays
                    if n.source_first[s] + w.position[s] == n.source_first[s + 1]:
                        break
                    v = n.source_vehicle[n.source_first[s] + w.position[s]]
                    kind = n.type[v]
                    due = n.depart[v]
                    c = max(due, w.ready[q], now)
                    if c >= end:
                        wake = c
                        break
                    link = -1
                    near = n.depart_lane[v]
                    spot = w.at[v]

                # --- room on the next road
                space = n.space[kind]
                block = n.block[spot]
                speed = np.float32(0.0)
                if block >= 0:
                    need = space if link < 0 or n.link_clear[link] else np.float32(0.1)
                    over = np.float32(0.0) if link < 0 else n.link_time[link]
                    k, soon = choose(block, near, need, c, over, c - w.stuck[q] > _TELEPORT, n, x, w)
                    if k < 0:
                        w.stuck[q] = min(w.stuck[q], c)
                        if link >= 0:
                            w.idle[q] = end
                            w.roll[q] = 0.0
                            if want:
                                queue[q, 2] += 1.0
                        if soon < NEVER:
                            w.ready[q] = max(w.ready[q], soon)
                            wake = w.ready[q]
                        else:
                            w.idle[q] = NEVER
                            w.later[q] = w.waiting[-1 - k]
                            w.waiting[-1 - k] = q
                        break
                    lane = n.choice_lane[k]
                    length = n.lane_length[lane]
                    travel = n.lane_time[lane]
                    if link < 0 and n.along[v] == 1.0:
                        gate = near if near >= 0 else lane
                        if w.entered[gate] > c:  # the one before has not left the lane's beginning
                            w.ready[q] = w.entered[gate]
                            c = w.ready[q]
                            if c >= end:
                                wake = c
                                break
                else:
                    k = -1
                    lane = -1
                    length = n.final_length[spot]
                    travel = n.final_time[spot]

                # --- leave
                w.stuck[q] = NEVER
                w.idle[q] = 0.0
                wait = c - due
                travel = max(travel * n.slow[v], length * n.pace[kind])
                if link >= 0:
                    speed = length / max(travel, 0.1)
                    pass_speed = min(n.link_speed[link], speed)
                    if wait > 0.05:
                        pass_speed = min(pass_speed, np.sqrt(2.0 * n.accel[kind] * (w.roll[q] + _STANDING)))
                        w.roll[q] += space
                    else:
                        w.roll[q] = _ROLLING
                    loss = (speed - pass_speed) ** 2 / (2.0 * n.accel[kind] * speed)
                    out[kind, 0] += wait + loss
                    if want:
                        queue[q, 0] += wait
                        if q < lanes and wait > 0.05 and w.inside[q] > queue[q, 1]:
                            queue[q, 1] = w.inside[q]
                    if wait > p.halt:
                        out[kind, 1] += 1.0
                    w.passed[link] = c
                    follow = n.pace_out[link, kind]
                    if w.roll[q] < _MOVING:  # the next one is still accelerating when it crosses
                        follow = max(follow, 1.0 / np.sqrt(2.0 * n.accel[kind] * (w.roll[q] + _STANDING)))
                    w.ready[q] = c + n.react[kind] + space * follow
                    if q < lanes:
                        leave(q, c, v, space, slots, n, w)
                    else:
                        w.head[q] = w.follower[v]
                        w.in_bay[q - lanes] -= 1
                    r = c + n.link_time[link] * n.slow[v] + travel + loss
                else:
                    w.position[s] += 1
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
                        w.entered[gate] = c + n.react[kind] + space * follow
                w.at[v] = spot
                if lane < 0:
                    if r <= p.horizon:
                        out[types, 1] += 1.0
                    continue
                # --- arrive on the next lane
                link = n.choice_link[k]
                brake = n.link_brake[link]
                out[kind, 0] += brake
                w.chosen[v] = link
                w.arrive[v] = r + brake
                w.inside[lane] += space
                w.occupied[lane] += space
                w.follower[v] = -1
                if w.head[lane] < 0:
                    w.head[lane] = v
                    slot = int(max(w.arrive[v], w.ready[lane], now))
                    if slot < slots:
                        w.later[lane] = w.calendar[slot]
                        w.calendar[slot] = lane
                else:
                    w.follower[w.tail[lane]] = v
                w.tail[lane] = v
            if wake < p.horizon:
                slot = max(int(wake), t)
                if slot < slots:
                    w.later[q] = w.calendar[slot]
                    w.calendar[slot] = q

    # --- who has not arrived
    last = np.float32(p.horizon)
    for q in range(lanes + bays):
        v = w.head[q]
        while v >= 0:
            if w.arrive[v] < last:
                out[n.type[v], 0] += last - w.arrive[v]
                if want:
                    queue[q, 0] += last - w.arrive[v]
                if last - w.arrive[v] > p.halt:
                    out[n.type[v], 1] += 1.0
            v = w.follower[v]
    for s in range(sources):
        for j in range(n.source_first[s] + w.position[s], n.source_first[s + 1]):
            v = n.source_vehicle[j]
            out[n.type[v], 0] += last - n.depart[v]
            out[types + 1, 0] += 1.0


@compiled
def _set_clocks(begin, offset, x, w):
    """Put every signal where its clock stands at ``begin``."""
    for i in range(x.state.shape[0]):
        cycle = 0.0
        for k in range(x.state.shape[1]):
            cycle += x.duration[i, k]
        position = (begin - offset[i]) % cycle
        k = 0
        while position >= x.duration[i, k]:
            position -= x.duration[i, k]
            k += 1
            if k == x.state.shape[1]:
                k = 0
        w.step[i] = k
        w.begun[i] = -position
        w.until[i] = x.duration[i, k] - position


@njit(cache=True, error_model="numpy", fastmath=True, nogil=True)
def run(n, p, begin, state, duration, offset, base, codes, out, want, queue):
    """All plans, in this thread; lets other threads of Python run meanwhile."""
    w = memory(n, int(p.horizon), state.shape[1])
    for b in range(state.shape[0]):
        x = Signals(state[b], duration[b], base, codes)
        _run(n, p, begin, offset[b], x, w, out[b], want, queue[b if want else 0])
