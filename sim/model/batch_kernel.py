"""Many episodes of the queue model at a time, compiled from the arrivals to the figures that learners see.

Each episode has its own memory, drivers and vehicles; network, phases and changes are shared. A signal asks at
multiples of the step; it goes from green to green through the intervals of ``change_intervals``, as in the loop.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from denxanh.sim.compiled import kernel
from denxanh.sim.model.arrays import F32, I32, U8, Memory, Signals, Static
from denxanh.sim.model.kernel import PARKED, clear, drive, finish
from denxanh.sim.model.plan_arrays import MAJOR, MINOR, STOP
from denxanh.sim.model.stop_line import NEVER, ZERO, U, compiled, wake
from denxanh.sim.world import NEAR_LINE

F64 = NDArray[np.float64]
GREEN = -1
"""``part`` of a signal that shows a phase."""

COUNT, HALTED, WAIT, MAX_WAIT, SPEED, NEAR, SPACE, HALTED_SPACE = range(8)
"""Figures of an approach: vehicles, halted, s of wait summed and of the longest, m/s summed, queued or near, m that the
vehicles take with their minimum gaps, and m that the halted ones take."""
FIGURES = 8
WITHIN = np.float32(NEAR_LINE)

NEAR_MAJOR, NEAR_MINOR, COUNT_MAJOR, COUNT_MINOR, HALTED_SERVED, WAIT_SERVED = range(6)
"""Figures of a phase, of the vehicles that it lets leave: queued or near with priority and with a yielding green, all
with each, halted ones, and s of the longest wait."""
MOST_PHASES = 64  # bits of a set of phases
EVERY = np.uint64(2**MOST_PHASES - 1)
BIT = np.uint64(1)
NOTHING = np.uint64(0)


class Vehicles(NamedTuple):
    """The vehicles of each episode: fields of Static with an axis of episodes, (B, V)."""

    depart: F32  # NEVER for a vehicle that is left out, at the end of its source
    slow: F32
    factor: F32
    nerve: F32
    along: F32
    source_vehicle: I32


class Tables(NamedTuple):
    """Phases and changes of I signals, P phases at most, K intervals of a change at most."""

    codes: U8  # (rows, letters) meanings of states
    green_row: I32  # (I, P)
    change_row: I32  # (I, P, P, K)
    change_seconds: I32  # (I, P, P, K), 0 where it is not used
    least: I32  # (I, P) s of minimum green
    safe: U8  # (I, P, P) whether the change is permitted
    phases: I32  # (I,)
    link_first: I32  # (I + 1,) links of each signal
    link: I32


class SignalState(NamedTuple):
    """The state of each signal of each episode, (B, I); times are s since begin."""

    phase: I32
    since: I32  # since when the phase has been green
    target: I32  # the phase that it changes to
    part: I32  # interval of the change, GREEN if none
    due: I32  # when the interval ends, or when it asks
    hold: I32  # s of green after the change until it asks
    row: I32  # row of the state shown


class Views(NamedTuple):
    """Where the vehicles of A approaches are: E lanes, those upstream with candidates; X exits."""

    lane: I32  # (E,)
    own: I32  # (E,) the approach whose stop line ends the lane, −1 upstream
    length: F32  # (E,) m
    candidate_first: I32  # (E + 1,)
    candidate: I32  # approaches, the nearest first
    beyond: F32  # m from the lane's end to the stop line of the candidate
    edge: I32  # (A,) of each approach
    target_first: I32  # (A + 1,)
    target: I32  # edges that its links lead to
    signal: I32  # (A,) of each approach
    leaves: NDArray[np.uint64]  # phases, as bits, in which a vehicle for the target may leave the lane, …
    major: NDArray[np.uint64]  # … has priority, …
    minor: NDArray[np.uint64]  # … or yields
    route_first: I32  # (routes + 1,)
    route: I32  # edges
    vehicle_route: I32  # (V,)
    exit: I32  # (X,) lanes


@compiled
def show(i, row, second, n, g, s_row, w):
    """Let signal i show a state, as ModelWorld.show does."""
    if s_row[U(i)] == row:
        return
    s_row[U(i)] = row
    now = np.float32(second)
    w.row[U(i)] = row
    w.begun[U(i)] = now
    w.until[U(i)] = NEVER
    for k in range(g.link_first[U(i)], g.link_first[U(i + 1)]):
        link = g.link[U(k)]
        lane = n.link_start[U(link)]
        head = w.head[U(lane)]
        if head < 0 or w.chosen[U(head)] != link or w.idle[U(lane)] != PARKED:
            continue
        code = g.codes[U(row), U(n.link_letter[U(link)])]
        if code in (MAJOR, MINOR, STOP):
            start = now
            if w.arrive[U(head)] < now:
                start = now + n.lost[U(n.type[U(head)])]
            w.ready[U(lane)] = max(w.ready[U(lane)], start)
            w.idle[U(lane)] = ZERO
            wake(lane, int(w.ready[U(lane)]), w.calendar.shape[0], w)


@compiled
def switch(second, step, n, g, s, b, w):
    """Carry out what is due at a second; a signal that asks between two steps keeps its phase until the next."""
    for i in range(g.phases.shape[0]):
        while s.due[U(b), U(i)] <= second:
            phase = s.phase[U(b), U(i)]
            part = s.part[U(b), U(i)]
            if part == GREEN:
                if second % step == 0:
                    break  # it asks
                s.due[U(b), U(i)] = second + step - second % step
                break
            target = s.target[U(b), U(i)]
            part += 1
            if part < g.change_seconds.shape[3] and g.change_seconds[U(i), U(phase), U(target), U(part)] > 0:
                s.part[U(b), U(i)] = part
                show(i, g.change_row[U(i), U(phase), U(target), U(part)], second, n, g, s.row[b], w)
                s.due[U(b), U(i)] = second + g.change_seconds[U(i), U(phase), U(target), U(part)]
                continue
            s.part[U(b), U(i)] = GREEN
            s.phase[U(b), U(i)] = target
            s.since[U(b), U(i)] = second
            show(i, g.green_row[U(i), U(target)], second, n, g, s.row[b], w)
            s.due[U(b), U(i)] = second + s.hold[U(b), U(i)]


@compiled
def choose_phase(i, action, second, step, n, g, s, b, w):
    """Carry out an action of signal i if it asks and the phase is permitted; else it keeps its phase."""
    if s.part[U(b), U(i)] != GREEN or s.due[U(b), U(i)] > second:
        return
    phase = s.phase[U(b), U(i)]
    if (
        action == phase
        or action < 0
        or action >= g.phases[U(i)]
        or second - s.since[U(b), U(i)] < g.least[U(i), U(phase)]
        or g.safe[U(i), U(phase), U(action)] == 0
    ):
        s.due[U(b), U(i)] = second + step
        return
    change = 0
    for k in range(g.change_seconds.shape[3]):
        change += g.change_seconds[U(i), U(phase), U(action), U(k)]
    s.target[U(b), U(i)] = action
    s.hold[U(b), U(i)] = (change // step + 1) * step - change
    if change == 0:  # the next phase only adds greens
        s.due[U(b), U(i)] = second
        s.part[U(b), U(i)] = g.change_seconds.shape[3]
        return
    s.part[U(b), U(i)] = 0
    show(i, g.change_row[U(i), U(phase), U(action), U(0)], second, n, g, s.row[b], w)
    s.due[U(b), U(i)] = second + g.change_seconds[U(i), U(phase), U(action), U(0)]


@compiled
def approach_of(entry, v, n, views, w):
    """The candidate approach that a vehicle upstream drives to, as an index into candidates; −1 if none."""
    route = views.vehicle_route[U(v)]
    first = views.route_first[U(route)] + w.at[U(v)] - n.first_step[U(v)]
    last = views.route_first[U(route + 1)] - 1
    for k in range(views.candidate_first[U(entry)], views.candidate_first[U(entry + 1)]):
        a = views.candidate[U(k)]
        for j in range(first, last):
            if views.route[U(j)] == views.edge[U(a)]:
                after = views.route[U(j + 1)]
                for h in range(views.target_first[U(a)], views.target_first[U(a + 1)]):
                    if views.target[U(h)] == after:
                        return k
                break
    return -1


@compiled
def target_of(a, v, n, views, w):
    """The target of an approach that a vehicle drives to, as an index into targets; −1 if none."""
    route = views.vehicle_route[U(v)]
    first = views.route_first[U(route)] + w.at[U(v)] - n.first_step[U(v)]
    for j in range(first, views.route_first[U(route + 1)] - 1):
        if views.route[U(j)] == views.edge[U(a)]:
            for h in range(views.target_first[U(a)], views.target_first[U(a + 1)]):
                if views.target[U(h)] == views.route[U(j + 1)]:
                    return h
            return -1
    return -1


@compiled
def serve(i, phases, h, free, near, standing, wait, views, served):
    """Add a vehicle for the target h to the figures of the phases of ``free`` of signal i that serve it."""
    for p in range(phases):
        bit = BIT << U(p)
        major = (views.major[U(h)] & free & bit) != NOTHING
        if not major and (views.minor[U(h)] & free & bit) == NOTHING:
            continue
        if near:
            served[U(i), U(p), NEAR_MAJOR if major else NEAR_MINOR] += np.float32(1.0)
        served[U(i), U(p), COUNT_MAJOR if major else COUNT_MINOR] += np.float32(1.0)
        if standing:
            served[U(i), U(p), HALTED_SERVED] += np.float32(1.0)
        served[U(i), U(p), WAIT_SERVED] = max(served[U(i), U(p), WAIT_SERVED], wait)


@compiled
def look(second, reach, n, g, views, w, figures, exits, served, free):
    """Figures of approaches (A, 8), vehicles and halted ones of exits (X, 2), and figures of phases (I, P, 6).

    A lane counts for a phase up to its first vehicle that the phase does not let leave: ``free`` (A,) holds the phases
    that have let all of them leave. Without rows, phases are left out.
    """
    now = np.float32(second)
    figures[:] = ZERO
    exits[:] = ZERO
    served[:] = ZERO
    free[:] = EVERY
    for e in range(views.lane.shape[0]):
        q = views.lane[U(e)]
        length = views.length[U(e)]
        end = length
        v = w.head[U(q)]
        while v >= 0:
            kind = n.type[U(v)]
            speed = min(n.lane_limit[U(q)] * n.factor[U(v)], n.top[U(kind)])
            at = length - (w.arrive[U(v)] - now) * speed
            if at < ZERO:
                break
            standing = at >= end
            position = max(min(at, end), ZERO)
            end -= n.space[U(kind)]
            a = views.own[U(e)]
            beyond = ZERO
            if a < 0:
                k = approach_of(e, v, n, views, w)
                if k >= 0:
                    a = views.candidate[U(k)]
                    beyond = views.beyond[U(k)]
            if a >= 0 and beyond + length - position <= reach:
                wait = max(now - w.arrive[U(v)], ZERO)
                figures[U(a), COUNT] += np.float32(1.0)
                figures[U(a), SPACE] += n.space[U(kind)]
                figures[U(a), WAIT] += wait
                figures[U(a), MAX_WAIT] = max(figures[U(a), MAX_WAIT], wait)
                if standing or beyond + length - position <= WITHIN:
                    figures[U(a), NEAR] += np.float32(1.0)
                if standing:
                    figures[U(a), HALTED] += np.float32(1.0)
                    figures[U(a), HALTED_SPACE] += n.space[U(kind)]
                else:
                    figures[U(a), SPEED] += speed
                if free.shape[0] > 0:
                    h = target_of(a, v, n, views, w)
                    if h >= 0:
                        i = views.signal[U(a)]
                        near = standing or beyond + length - position <= WITHIN
                        serve(i, g.phases[U(i)], h, free[U(a)], near, standing, wait, views, served)
                        free[U(a)] &= views.leaves[U(h)]
            v = w.follower[U(v)]
    for k in range(views.exit.shape[0]):
        q = views.exit[U(k)]
        end = n.lane_length[U(q)]
        length = end
        v = w.head[U(q)]
        while v >= 0:
            kind = n.type[U(v)]
            speed = min(n.lane_limit[U(q)] * n.factor[U(v)], n.top[U(kind)])
            at = length - (w.arrive[U(v)] - now) * speed
            if at < ZERO:
                break
            exits[U(k), 0] += np.float32(1.0)
            if at >= end:
                exits[U(k), 1] += np.float32(1.0)
            end -= n.space[U(kind)]
            v = w.follower[U(v)]


@compiled
def permit(second, g, s, b, permitted, asks):
    """The phases that an action may show, (I, P), and whether each signal asks, (I,)."""
    permitted[:] = 0
    for i in range(g.phases.shape[0]):
        phase = s.phase[U(b), U(i)]
        green = s.part[U(b), U(i)] == GREEN
        asks[U(i)] = green and s.due[U(b), U(i)] <= second
        permitted[U(i), U(phase if green else s.target[U(b), U(i)])] = 1
        if asks[U(i)] and second - s.since[U(b), U(i)] >= g.least[U(i), U(phase)]:
            for j in range(g.phases[U(i)]):
                if g.safe[U(i), U(phase), U(j)] != 0:
                    permitted[U(i), U(j)] = 1


@kernel(error_model="numpy", fastmath=True, nogil=True)
def drive_batch(
    first, last, fresh, begin, second, step, every, reach, actions, n, p, now, e, m, g, s, views, out, want,
    figures, exits, served, permitted, asks, delay,
):  # fmt: skip
    """Start the episodes ``first`` to ``last`` where ``fresh``, drive them for ``step`` s, and look at them.

    Actions (B, I) are carried out before; ``every`` is s between decisions. ``now`` are the constants with the horizon
    at the end of the step, and ``delay`` (B, 2) takes s and vehicles where it has rows.
    """
    signals = g.phases.shape[0]
    kinds = n.space.shape[0]
    x = Signals(
        np.zeros((signals, 1), np.int16),
        np.ones((signals, 1), np.float32),
        np.zeros(signals, np.int32),
        g.codes,
    )
    served_none = np.zeros((0, 0, 6), np.float32)
    free = np.zeros(views.edge.shape[0] if served.shape[0] > 0 else 0, np.uint64)
    for b in range(first, last):
        own = Static(
            n.lane_length,
            n.lane_time,
            n.lane_limit,
            n.lane_lag,
            n.lane_change,
            n.ring_first,
            n.link_start,
            n.link_end,
            n.link_signal,
            n.link_letter,
            n.link_time,
            n.link_speed,
            n.link_brake,
            n.link_bay,
            n.link_clear,
            n.link_gap,
            n.pace_out,
            n.foe_first,
            n.foe,
            n.bay_room,
            n.bay_aside,
            n.react,
            n.space,
            n.accel,
            n.dawdle,
            n.lost,
            n.pace,
            n.top,
            n.minor_pace,
            e.depart[b],
            n.type,
            n.first_step,
            e.slow[b],
            e.factor[b],
            e.nerve[b],
            n.depart_lane,
            e.along[b],
            n.standing,
            n.block,
            n.choice_first,
            n.choice_lane,
            n.choice_link,
            n.choice_bias,
            n.final_length,
            n.final_time,
            n.final_speed,
            n.source_first,
            e.source_vehicle[b],
        )
        w = Memory(
            m.calendar[b],
            m.later[b],
            m.head[b],
            m.tail[b],
            m.ready[b],
            m.stuck[b],
            m.idle[b],
            m.roll[b],
            m.inside[b],
            m.occupied[b],
            m.entered[b],
            m.waiting[b],
            m.ring_time[b],
            m.ring_space[b],
            m.ring_out[b],
            m.ring_in[b],
            m.in_bay[b],
            m.held[b],
            m.passed[b],
            m.position[b],
            m.follower[b],
            m.arrive[b],
            m.chosen[b],
            m.at[b],
            m.row[b],
            m.step[b],
            m.begun[b],
            m.until[b],
        )
        if fresh:  # empty roads; ``s`` holds the states that are shown
            x.duration[:] = np.float32(1.0)
            clear(own, np.float32(begin), np.zeros(signals, np.float32), x, w)
            x.duration[:] = ZERO
            for i in range(signals):
                row = s.row[b, i]
                s.row[b, i] = -1
                show(i, row, 0, own, g, s.row[b], w)
            switch(0, every, own, g, s, b, w)
        if step > 0:
            x.duration[:] = ZERO
            for i in range(signals):
                choose_phase(i, actions[b, i], second, every, own, g, s, b, w)
            for t in range(second, second + step):
                switch(t, every, own, g, s, b, w)
                drive(t, t + 1, own, p, x, w, out[b], False, want)
            if np.float32(second + step) < p.horizon:  # at the end of a run nothing is shown any more
                switch(second + step, every, own, g, s, b, w)
        of_phases = served[b] if served.shape[0] > 0 else served_none
        look(second + step, np.float32(reach), own, g, views, w, figures[b], exits[b], of_phases, free)
        permit(second + step, g, s, b, permitted[b], asks[b])
        if delay.shape[0] > 0:
            total = out[b].copy()
            finish(own, now, w, total, False, want)
            delay[b, 0] = total[:kinds, 0].sum()
            delay[b, 1] = total[kinds, 0] + total[kinds + 1, 0]
