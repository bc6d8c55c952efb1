"""The rollout: simulates an intersection under candidate plans, second by second, compiled.

A plan is a sequence of changes, each a time and a phase; after the last one a rule decides, that of vehicle-actuated
control or that of the most vehicles ready, so that what is evaluated is a policy and not a promise. A lane is first
in, first out. Its head crosses when its link is green, it has arrived, the vehicle before it is a saturation headway
ahead, and no foe that has the right of way is due. Times are s from now, 0 ≤ t < horizon.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from denxanh.sim.compiled import kernel

RED, GREEN, YIELDING, STOPPING = 0, 1, 2, 3
"""What a link shows: SUMO's r or y, G, g, and s (turn after a stop, giving way)."""

ACTUATED, MOST_READY = 0, 1
"""The rules that go on after a plan."""

TAKE_OVER = 1.5
"""How many times the vehicles ready for the present phase another must have to take over (decision 0402)."""

HALT = 2.0  # s that a turn after a stop takes more than one without


class Model(NamedTuple):
    """The constants of the rollout."""

    horizon: int  # s
    headway: float  # s between vehicles of a discharging queue
    start_loss: float  # s until the head of a held lane crosses
    gap: float  # s: a foe due within it has the right of way
    impatience: float  # 1/s: cost of a lane whose head has waited a minute, grows with the square
    left_over: float  # s for each vehicle that has arrived and not crossed at the end
    crowd: float  # s, the same times the square of a lane's queue
    passage: float  # s: a vehicle due within it extends the green where the rule of ``actuated`` decides


class Forecast(NamedTuple):
    """The vehicles expected at the stop lines, sorted by lane and time."""

    first: Any  # (lanes + 1,) where each lane's vehicles begin in the arrays by vehicle
    link: Any  # (vehicles,) the link each takes
    due: Any  # (vehicles,) s: arrival at the stop line on a free road
    age: Any  # (vehicles,) s it has waited already
    longer: Any  # (vehicles,) s more than the model's headway until the next one of its lane can cross
    blocked: Any  # (lanes,) s: nothing leaves the lane before
    shows: Any  # (phases, links) what each link shows in each phase


class Signal(NamedTuple):
    """The constants of an intersection that the rollout needs."""

    yields: Any  # (links, links) row must give way to column
    slower: Any  # (links,) s more between vehicles while it yields
    change: Any  # (phases, phases) s from one green to the next
    crossed: Any  # (phases, phases, links) s of that in which vehicles of a link that turns red still cross
    min_green: Any  # (phases,) s
    # (phases,) s, of the rule of ``actuated`` against a call; 0: that rule does not show the phase
    max_green: Any


class Outcome(NamedTuple):
    """Output arrays of a rollout, overwritten by it."""

    at: Any  # (plans, depth) s: the first changes carried out, those of the rule included …
    to: Any  # (plans, depth) … and to which phase; −1: no further change
    leaves: Any  # (vehicles,) s: when each crosses under the last plan; inf: not within the horizon


class Work(NamedTuple):
    """Memory of a rollout."""

    head: Any  # (lanes,) the next vehicle to cross
    behind: Any  # (lanes,) the next vehicle to arrive
    last: Any  # (lanes,) s: when the lane was crossed last
    held: Any  # (lanes,) its head stands before red
    shown: Any  # (links,) what each link shows
    ready: Any  # (phases,) vehicles that have arrived and that a phase serves


# Without numba's reference counts, which are atomic, and allocating nothing (decision 0303).
inner = kernel(error_model="numpy", _nrt=False)


@kernel()
def rollout(
    forecast: Forecast,
    signal: Signal,
    phase: int,
    elapsed: float,
    at: Any,
    to: Any,
    model: Model,
    rule: int,
    outcome: Outcome,
) -> Any:
    """Cost of each plan in veh·s, shape (plans,).

    ``phase`` is the present one, green for ``elapsed`` s and longer than its minimum; ``at`` (plans, depth) s are the
    times of the changes, each carried out once the minimum green is over, and ``to`` (plans, depth) their phases; from
    a −1 on ``rule`` decides, ``ACTUATED`` or ``MOST_READY``.
    """
    lanes = len(forecast.blocked)
    cost = np.zeros(len(at))
    work = Work(
        np.empty(lanes, np.int64),
        np.empty(lanes, np.int64),
        np.empty(lanes),
        np.empty(lanes, np.bool_),
        np.empty(forecast.shows.shape[1], np.int64),
        np.empty(len(forecast.shows), np.int64),
    )
    _roll(forecast, signal, phase, elapsed, at, to, model, rule, outcome, work, cost)
    return cost


@inner
def _roll(
    forecast: Forecast,
    signal: Signal,
    phase: int,
    elapsed: float,
    at: Any,
    to: Any,
    model: Model,
    rule: int,
    outcome: Outcome,
    work: Work,
    cost: Any,
) -> None:
    """``rollout`` in memory that it is given: ``cost`` (plans,) is overwritten."""
    first, link, due, age, longer, blocked, shows = forecast
    slower, change, crossed, min_green = signal.slower, signal.change, signal.crossed, signal.min_green
    done_at, done_to, leaves = outcome
    lanes, links = len(first) - 1, shows.shape[1]
    plans, depth = at.shape
    head, behind, last, held, shown, ready = work
    done_at[:] = 0.0
    done_to[:] = -1
    for c in range(plans):
        for i in range(lanes):
            head[i] = behind[i] = first[i]
            last[i] = blocked[i] - model.headway
            held[i] = False
        leaves[:] = np.inf
        old, current, since = (
            phase,
            phase,
            -elapsed,
        )  # ``since``: when the present phase turns or turned green
        stage, changes, settled = 0, 0, False
        total = 0.0
        for step in range(model.horizon):
            t = float(step)
            for i in range(lanes):
                while behind[i] < first[i + 1] and due[behind[i]] <= t:
                    behind[i] += 1
            target = current
            if (changes == 0 or t >= since + min_green[current]) and (stage == depth or t >= at[c, stage]):
                if stage < depth and to[c, stage] >= 0:
                    target = to[c, stage]
                    stage += 1
                elif rule == MOST_READY:
                    target = _most_ready(current, forecast, head, behind, ready)
                else:
                    target = _actuated(t, current, since, forecast, head, behind, signal, model)
            if target != current:
                if changes < depth:
                    done_at[c, changes], done_to[c, changes] = t, target
                    changes += 1
                old, since, settled = current, t + change[current, target], False
                current = target
            began = since - change[old, current]
            if not settled:
                settled = t >= since
                for k in range(links):
                    if settled:
                        shown[k] = shows[current, k]
                    elif shows[old, k] != RED and (
                        shows[current, k] != RED or t < began + crossed[old, current, k]
                    ):
                        shown[k] = shows[old, k]
                    else:
                        shown[k] = RED
            for i in range(lanes):
                while head[i] < first[i + 1] and due[head[i]] < t + 1.0:
                    v = head[i]
                    k = link[v]
                    if shown[k] == RED:
                        held[i] = held[i] or due[v] <= t
                        break
                    if held[i]:
                        held[i] = False
                        last[i] = max(last[i], t + model.start_loss - model.headway)
                    when = last[i] + model.headway
                    if shown[k] == YIELDING:
                        when += slower[k]
                    elif shown[k] == STOPPING:
                        when = max(when, due[v]) + HALT
                    when = max(when, due[v])
                    if when >= t + 1.0:
                        break
                    if t < since and shows[current, k] == RED and when >= began + crossed[old, current, k]:
                        break
                    if shown[k] >= YIELDING and _must_yield(
                        i, k, t, forecast, head, shown, signal.yields, model
                    ):
                        last[i] = max(last[i], t + 1.0 - model.headway)
                        break
                    leaves[v] = when
                    last[i] = when + longer[v]
                    total += when - due[v]
                    behind[i] = max(behind[i], v + 1)
                    head[i] += 1
            for i in range(lanes):
                if head[i] < behind[i]:
                    minutes = (t - due[head[i]] + age[head[i]]) / 60.0
                    total += model.impatience * minutes * minutes
        for i in range(lanes):
            queue = behind[i] - head[i]
            total += model.left_over * queue + model.crowd * queue * queue
            for v in range(head[i], behind[i]):
                total += model.horizon - due[v]
        cost[c] = total


@inner
def _actuated(
    t: float,
    current: int,
    since: float,
    forecast: Forecast,
    head: Any,
    behind: Any,
    signal: Signal,
    model: Model,
) -> int:
    """The phase that vehicle-actuated control would show: the present one up to the first gap or its maximum.

    A head that waits for a gap among its foes extends no green.
    """
    first, link, due, blocked, shows = (
        forecast.first,
        forecast.link,
        forecast.due,
        forecast.blocked,
        forecast.shows,
    )
    phases, longest = len(shows), signal.max_green
    if longest[current] == 0.0 or t < since + longest[current]:
        for i in range(len(head)):
            v = head[i]
            if v < first[i + 1] and due[v] <= t + model.passage and blocked[i] <= t:
                show = shows[current, link[v]]
                if show == GREEN or (
                    show == YIELDING
                    and not _must_yield(i, link[v], t, forecast, head, shows[current], signal.yields, model)
                ):
                    return current
    for step in range(1, phases):
        p = (current + step) % phases
        if longest[p] == 0.0:
            continue
        for i in range(len(head)):
            for v in range(head[i], behind[i]):
                if shows[p, link[v]] != RED and shows[current, link[v]] == RED:
                    return p
    return current


@inner
def _most_ready(current: int, forecast: Forecast, head: Any, behind: Any, ready: Any) -> int:
    """The phase that serves the most vehicles that have arrived, if ``TAKE_OVER`` times those of the present one."""
    link, shows = forecast.link, forecast.shows
    ready[:] = 0
    for i in range(len(head)):
        for v in range(head[i], behind[i]):
            for p in range(len(shows)):
                if shows[p, link[v]] != RED:
                    ready[p] += 1
    most, best = ready[current] * TAKE_OVER, current
    for p in range(len(shows)):
        if p != current and ready[p] > most:
            most, best = ready[p], p
    return best


@inner
def _must_yield(
    lane: int, k: int, t: float, forecast: Forecast, head: Any, shown: Any, yields: Any, model: Model
) -> bool:
    """Whether a foe of link ``k`` is due, behind those in front of it on its lane."""
    first, link, due, blocked = forecast.first, forecast.link, forecast.due, forecast.blocked
    for j in range(len(head)):
        if j == lane or blocked[j] > t:
            continue
        ahead = 0.0  # s that those in front of it take to leave
        for v in range(head[j], first[j + 1]):
            f = link[v]
            if shown[f] == RED or due[v] > t + model.gap or ahead > model.gap:
                break
            if yields[k, f] and shown[f] != STOPPING:
                return True
            ahead += model.headway + forecast.longer[v]
    return False
