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

from denxanh.sim.compiled import kernel
from denxanh.sim.model.arrays import Signals
from denxanh.sim.model.plan_arrays import MAJOR, MINOR, STOP, YELLOW
from denxanh.sim.model.stop_line import (
    NEVER,
    ROLLING,
    STEP,
    ZERO,
    U,
    advance,
    blocked,
    choose,
    compiled,
    halted,
    leave,
    next_green,
    wake,
)

PARKED = np.float32(2e9)
"""``idle`` of a queue whose head sees no green to come in its plan; who shows one has to wake it."""

HELD = np.float32(-1.0)
"""``idle`` of a lane that a vehicle waiting within the junction holds up; that one wakes it when it goes. It lies in
the past, so others go on yielding to who is held there: in SUMO two left turns that face each other stop both roads."""

_TWO = np.float32(2.0)
_ONE = np.float32(1.0)
_MOVING = np.float32(60.0)  # m from standing: faster than any turn and most streets
_STANDING = np.float32(1.0)  # m from where the first vehicle stands to the stop line
_TELEPORT = np.float32(300.0)  # s, SUMO's time-to-teleport
_SWEEP = 60  # s between looks at those who wait for room: a choice of lanes waits for the best one only
_WAITED = np.float32(0.05)  # s: less is rounding
_BRAKING = np.float32(4.5)  # m/s², SUMO's default deceleration
_MOST = np.float32(0.25)  # of the speed is lost by dawdling: all of sigma / 2
_FOOT = np.float32(0.1)  # m: what a vehicle must have of a road to enter it where it may stand across others


@compiled
def clear(n, begin, offset, x, w):
    """Reset the memory for plan x: no vehicles, signals at their position at ``begin``."""
    w.calendar[:] = -1
    w.head[:] = -1
    w.ready[:] = ZERO
    w.stuck[:] = NEVER
    w.idle[:] = ZERO
    w.roll[:] = ZERO
    w.inside[:] = ZERO
    w.occupied[:] = ZERO
    w.entered[:] = -NEVER
    w.waiting[:] = -1
    w.ring_out[:] = 0
    w.ring_in[:] = 0
    w.in_bay[:] = 0
    w.held[:] = 0
    w.passed[:] = -NEVER
    w.position[:] = 0
    for v in range(n.first_step.shape[0]):
        w.at[U(v)] = n.first_step[U(v)]
    others = w.head.shape[0]
    for s in range(w.position.shape[0]):
        first = n.source_vehicle[U(n.source_first[U(s)])]
        wake(others + s, int(n.depart[U(first)]), w.calendar.shape[0], w)
    for i in range(x.state.shape[0]):
        cycle = ZERO
        for k in range(x.state.shape[1]):
            cycle += x.duration[U(i), U(k)]
        position = (begin - offset[i]) % cycle
        k = 0
        while position >= x.duration[U(i), U(k)]:
            position -= x.duration[U(i), U(k)]
            k += 1
            if k == x.state.shape[1]:
                k = 0
        w.step[U(i)] = k
        w.row[U(i)] = x.base[U(i)] + x.state[U(i), U(k)]
        w.begun[U(i)] = -position
        w.until[U(i)] = x.duration[U(i), U(k)] - position


@compiled
def drive(first, last, n, p, x, w, out, want, queue):
    """Seconds ``first`` to ``last``. ``out`` (T + 4, 2): delay s and stops by type; then counts.

    ``queue`` (queues, 3) if ``want``.
    """
    lanes = n.lane_length.shape[0]
    others = lanes + n.bay_room.shape[0]
    slots = w.calendar.shape[0]
    kinds = n.space.shape[0]
    for t in range(first, last):
        now = np.float32(t)
        end = np.float32(t + 1)
        if t % _SWEEP == 0:  # who waits for a departure that does not come
            for lane in range(lanes):
                waiter = w.waiting[U(lane)]
                w.waiting[U(lane)] = -1
                while waiter >= 0:
                    following = w.later[U(waiter)]
                    wake(waiter, t, slots, w)
                    waiter = following
        while w.calendar[U(t)] >= 0:
            q = w.calendar[U(t)]
            w.calendar[U(t)] = w.later[U(q)]
            again = NEVER
            while True:
                # --- the head of the queue and the earliest instant it may leave
                if q < others:
                    v = w.head[U(q)]
                    if v < 0:
                        break
                    if q < lanes and w.held[U(q)] > 0:  # who waits within the junction wakes it
                        w.idle[U(q)] = HELD
                        break
                    kind = n.type[U(v)]
                    due = w.arrive[U(v)]
                    c = max(due, w.ready[U(q)], now)
                    if c >= end:
                        again = c
                        break
                    link = w.chosen[U(v)]
                    signal = n.link_signal[U(link)]
                    yielding = n.foe_first[U(link + 1)] > n.foe_first[U(link)]
                    minor = yielding and q < lanes
                    if q < lanes and signal >= 0:
                        advance(signal, c, x, w)
                        code = x.codes[U(w.row[U(signal)]), U(n.link_letter[U(link)])]
                        minor = code in (MINOR, STOP)
                        if code == MAJOR:
                            yielding = False
                        elif code == YELLOW:
                            # another draw at each lane, but the same for every plan
                            nerve = n.nerve[U((v + 31 * q) % n.nerve.shape[0])]
                            if c > w.begun[U(signal)] + p.yellow + nerve:
                                code = 0
                            yielding = False
                        elif code == STOP:
                            c = max(c, due + p.stop)
                            halted(q, c, p.halt, n, w, out)
                            if c >= end:
                                again = c
                                break
                        if code == 0:
                            green = next_green(signal, n.link_letter[U(link)], x, w)
                            halted(q, c, p.halt, n, w, out)
                            if green < NEVER:
                                # who arrives while it is green already does not start from standing
                                w.ready[U(q)] = max(
                                    w.ready[U(q)], green + n.lost[U(kind)] if due < green else green
                                )
                                again = w.ready[U(q)]
                            else:
                                w.idle[U(q)] = PARKED
                            break
                    if yielding:
                        u = blocked(w.chosen[U(v)], c, n.link_gap[U(link)], p.clear, n, x, w)
                        if u > ZERO:
                            halted(q, c, p.halt, n, w, out)
                            bay = n.link_bay[U(link)] if q < lanes else -1
                            if bay < 0 or w.in_bay[U(bay)] == n.bay_room[U(bay)]:
                                w.ready[U(q)] = max(u, c + STEP)
                                w.idle[U(q)] = w.ready[U(q)]
                                again = w.ready[U(q)]
                                break
                            # into the junction: those behind may pass
                            leave(q, c, v, n.space[U(kind)], slots, n, w)
                            w.in_bay[U(bay)] += 1
                            if w.in_bay[U(bay)] > n.bay_aside[U(bay)]:
                                w.held[U(q)] += 1
                            out[U(kind), 0] += c - due
                            if want:
                                queue[q, 0] += c - due
                            w.arrive[U(v)] = c
                            w.follower[U(v)] = -1
                            inner = lanes + bay
                            if w.head[U(inner)] < 0:
                                w.head[U(inner)] = v
                                w.ready[U(inner)] = end
                                w.roll[U(inner)] = ZERO
                                wake(lanes + bay, t + 1, slots, w)
                            else:
                                w.follower[U(w.tail[U(inner)])] = v
                            w.tail[U(inner)] = v
                            w.ready[U(q)] = (
                                c + n.react[U(kind)] + n.space[U(kind)] * n.pace_out[U(link), U(kind)]
                            )
                            continue
                    entering = False
                    near = n.link_end[U(link)]
                    spot = w.at[U(v)] + 1
                    over = n.link_time[U(link)]
                    need = n.space[U(kind)] if n.link_clear[U(link)] != 0 else _FOOT
                else:
                    s = q - others
                    if n.source_first[U(s)] + w.position[U(s)] == n.source_first[U(s + 1)]:
                        break
                    v = n.source_vehicle[U(n.source_first[U(s)] + w.position[U(s)])]
                    kind = n.type[U(v)]
                    due = n.depart[U(v)]
                    c = max(due, w.ready[U(q)], now)
                    if c >= end:
                        again = c
                        break
                    link = 0
                    entering = True
                    near = n.depart_lane[U(v)]
                    spot = w.at[U(v)]
                    over = ZERO
                    need = n.space[U(kind)]

                # --- room on the next road
                if n.block[U(spot)] >= 0:
                    k, soon = choose(
                        n.block[U(spot)], near, need, c, over, c - w.stuck[U(q)] > _TELEPORT, n, x, w
                    )
                    if k < 0:
                        w.stuck[U(q)] = min(w.stuck[U(q)], c)
                        if not entering:
                            w.idle[U(q)] = end
                            halted(q, c, p.halt, n, w, out)
                            if want:
                                queue[q, 2] += 1.0
                        if soon < NEVER:
                            w.ready[U(q)] = max(w.ready[U(q)], soon)
                            again = w.ready[U(q)]
                        else:
                            w.idle[U(q)] = NEVER
                            w.later[U(q)] = w.waiting[U(-1 - k)]
                            w.waiting[U(-1 - k)] = q
                        break
                    lane = n.choice_lane[U(k)]
                    length = n.lane_length[U(lane)]
                    if entering and n.along[U(v)] == _ONE:
                        gate = near if near >= 0 else lane
                        if w.entered[U(gate)] > c:  # the one before has not left the lane's beginning
                            w.ready[U(q)] = w.entered[U(gate)]
                            c = w.ready[U(q)]
                            if c >= end:
                                again = c
                                break
                    speed = min(n.lane_limit[U(lane)] * n.factor[U(v)], n.top[U(kind)])
                else:
                    k = -1
                    lane = -1
                    length = n.final_length[U(spot)]
                    speed = min(n.final_speed[U(spot)] * n.factor[U(v)], n.top[U(kind)])
                # drivers dawdle below the speed they want
                dawdle = min(n.dawdle[U(kind)], _MOST * speed)
                inverse = _ONE / (speed * (speed - dawdle))
                travel = length * speed * inverse

                # --- leave
                w.stuck[U(q)] = NEVER
                w.idle[U(q)] = ZERO
                wait = c - due
                if not entering:
                    pass_speed = min(n.link_speed[U(link)], speed)
                    looking = ZERO
                    if minor and pass_speed > p.minor:
                        looking = (
                            (pass_speed - p.minor) * (pass_speed - p.minor) / (_TWO * _BRAKING * pass_speed)
                        )
                        pass_speed = p.minor
                    reach = _TWO * n.accel[U(kind)] * (w.roll[U(q)] + _STANDING)
                    if wait > _WAITED:
                        looking = ZERO  # it has slowed down already
                        if reach < pass_speed * pass_speed:
                            pass_speed = np.sqrt(reach)
                        w.roll[U(q)] += n.space[U(kind)]
                    else:
                        w.roll[U(q)] = ROLLING
                    loss = ZERO
                    if pass_speed < speed:
                        loss = (speed - pass_speed) * (speed - pass_speed) / (_TWO * n.accel[U(kind)] * speed)
                    loss += looking
                    out[U(kind), 0] += wait + loss + length * dawdle * inverse
                    if want:
                        queue[q, 0] += wait
                        if q < lanes and wait > _WAITED and w.inside[U(q)] > queue[q, 1]:
                            queue[q, 1] = w.inside[U(q)]
                    if wait > p.halt:
                        out[U(kind), 1] += 1.0
                    w.passed[U(link)] = c
                    follow = n.pace_out[U(link), U(kind)]
                    if minor:
                        follow = max(follow, n.minor_pace[U(kind)])
                    if w.roll[U(q)] < _MOVING:  # the next one is still accelerating when it crosses
                        reach = _TWO * n.accel[U(kind)] * (w.roll[U(q)] + _STANDING)
                        if reach * follow * follow < _ONE:
                            follow = _ONE / np.sqrt(reach)
                    w.ready[U(q)] = c + n.react[U(kind)] + n.space[U(kind)] * follow
                    if q < lanes:
                        leave(q, c, v, n.space[U(kind)], slots, n, w)
                    else:
                        w.head[U(q)] = w.follower[U(v)]
                        if w.in_bay[U(q - lanes)] > n.bay_aside[U(q - lanes)]:
                            origin = n.link_start[U(link)]
                            w.held[U(origin)] -= 1
                            if w.held[U(origin)] == 0 and w.idle[U(origin)] == HELD:
                                w.ready[U(origin)] = max(w.ready[U(origin)], w.ready[U(q)])
                                w.idle[U(origin)] = ZERO
                                wake(origin, int(w.ready[U(origin)]), slots, w)
                        w.in_bay[U(q - lanes)] -= 1
                    r = c + over * n.slow[U(v)] + travel + loss
                else:
                    w.position[U(q - others)] += 1
                    r = c + travel * n.along[U(v)]
                    out[U(kind), 0] += wait + length * dawdle * inverse * n.along[U(v)]
                    if want:
                        queue[q, 0] += wait
                    out[U(kinds), 0] += 1.0
                    if n.standing[U(v)]:
                        loss = speed / (_TWO * n.accel[U(kind)])
                        out[U(kind), 0] += loss
                        r += loss
                    gate = near if near >= 0 else lane
                    if gate >= 0:
                        follow = n.lane_time[U(gate)] / n.lane_length[U(gate)]
                        if n.standing[U(v)]:
                            follow = max(follow, _ONE / np.sqrt(_TWO * n.accel[U(kind)] * n.space[U(kind)]))
                        w.entered[U(gate)] = c + n.react[U(kind)] + n.space[U(kind)] * follow
                w.at[U(v)] = spot
                if lane < 0:
                    if r <= p.horizon:
                        out[U(kinds), 1] += 1.0
                    continue
                # --- arrive on the next lane
                w.chosen[U(v)] = n.choice_link[U(k)]
                brake = n.link_brake[U(w.chosen[U(v)])]
                out[U(kind), 0] += brake
                w.arrive[U(v)] = r + brake
                w.follower[U(v)] = -1
                w.inside[U(lane)] += n.space[U(kind)]
                w.occupied[U(lane)] += n.space[U(kind)]
                if w.head[U(lane)] < 0:
                    w.head[U(lane)] = v
                    wake(lane, int(max(w.arrive[U(v)], w.ready[U(lane)], now)), slots, w)
                else:
                    w.follower[U(w.tail[U(lane)])] = v
                w.tail[U(lane)] = v
            if again < p.horizon:
                wake(q, max(int(again), t), slots, w)


@compiled
def finish(n, p, w, out, want, queue):
    """Count the waiting of who has not arrived at the end; vehicles that depart later do not count."""
    last = p.horizon
    kinds = n.space.shape[0]
    for q in range(w.head.shape[0]):
        v = w.head[U(q)]
        while v >= 0:
            if w.arrive[U(v)] < last:
                kind = n.type[U(v)]
                out[U(kind), 0] += last - w.arrive[U(v)]
                if want:
                    queue[q, 0] += last - w.arrive[U(v)]
                if last - w.arrive[U(v)] > p.halt:
                    out[U(kind), 1] += 1.0
            v = w.follower[U(v)]
    for s in range(w.position.shape[0]):
        for j in range(n.source_first[U(s)] + w.position[U(s)], n.source_first[U(s + 1)]):
            v = n.source_vehicle[U(j)]
            if n.depart[U(v)] < last:
                out[U(n.type[U(v)]), 0] += last - n.depart[U(v)]
                out[U(kinds + 1), 0] += 1.0


@kernel(error_model="numpy", fastmath=True, nogil=True)
def run(n, p, begin, plans, w, out, want, queue):
    """Evaluate all plans in this thread, without Python's lock."""
    for b in range(plans.state.shape[0]):
        x = Signals(plans.state[b], plans.duration[b], plans.base, plans.codes)
        rows = queue[b if want else 0]
        clear(n, begin, plans.offset[b], x, w)
        drive(0, w.calendar.shape[0], n, p, x, w, out[b], want, rows)
        finish(n, p, w, out[b], want, rows)


@kernel(error_model="numpy", fastmath=True, nogil=True)
def reset(n, begin, offset, x, w):
    """``clear`` for callers in Python."""
    clear(n, begin, offset, x, w)


@kernel(error_model="numpy", fastmath=True, nogil=True)
def seconds(first, last, n, p, x, w, out, queue):
    """``drive`` for callers in Python, who may change signals in between."""
    drive(first, last, n, p, x, w, out, False, queue)


@kernel(error_model="numpy", fastmath=True, nogil=True)
def count(n, p, w, out, queue):
    """``finish`` for callers in Python."""
    finish(n, p, w, out, False, queue)
