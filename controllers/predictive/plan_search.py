"""Search of the plan that an intersection follows for the coming minute, compiled.

First every plan of one change: keep the present phase for each of some times, then show each phase, then go on by that
rule of the rollout which is cheaper for it; one of them does so from now on. Then local search around the cheapest:
what these did, changes of the rule included, with a change moved in time, alone or with all that follow, or made to
another phase. Plans that leave the present phase now and plans that stay are searched apart, since the first step is
all that is decided.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from denxanh.controllers.predictive.rollout import (
    ACTUATED,
    MOST_READY,
    Forecast,
    Model,
    Outcome,
    Signal,
    rollout,
)
from denxanh.sim.compiled import kernel

DEPTH = 4
"""Changes of a plan that the search may move; with six, one run of ten was another (docs/predictive.md)."""
SHIFTS = np.array([-8.0, -4.0, -2.0, -1.0, 1.0, 2.0, 4.0, 8.0])  # s


class Traffic(NamedTuple):
    """Forecasts of the vehicles to come, g of them with n vehicles each, sorted by lane and time."""

    first: Any  # (g, lanes + 1) where each lane's vehicles begin
    link: Any  # (g, n) the link each takes
    due: Any  # (g, n) s: when it is at the stop line on a free road
    age: Any  # (g, n) s it has waited already
    longer: Any  # (g, n) s more than the model's headway until the next one of its lane can cross
    blocked: Any  # (g, lanes) s: nothing leaves the lane before
    shows: Any  # (g, phases, links) what each link shows in each phase


@kernel()
def search(
    traffic: Traffic,
    signal: Signal,
    phase: int,
    elapsed: float,
    holds: Any,
    keep: int,
    rounds: int,
    model: Model,
) -> Any:
    """The best plan found that shows each phase next: (cost, at, to), shapes (phases,) and twice (phases, DEPTH).

    The cost in veh·s is the mean of the guesses; ``at`` (s) and ``to`` are the changes as the rollout takes them. For
    ``phase``, the present one, this is the best plan that stays for a second or more. ``holds`` (s) are the times of
    the first plans, ``keep`` are moved in each of ``rounds``.
    """
    phases = len(signal.min_green)
    first = phases * len(holds)
    most = max(first, keep * DEPTH * (2 * len(SHIFTS) + phases))
    at, to = np.zeros((most, DEPTH)), np.full((most, DEPTH), -1)
    done_at, done_to = np.zeros((most, DEPTH)), np.full((most, DEPTH), -1)
    for h in range(len(holds)):
        for p in range(phases):
            at[h * phases + p, 0] = holds[h]
            to[h * phases + p, 0] = p if p != phase else -1
    cost = _mean_cost(
        traffic, signal, phase, elapsed, at[:first], to[:first], model, done_at[:first], done_to[:first]
    )
    best = np.full(phases, np.inf)
    best_at, best_to = np.zeros((phases, DEPTH)), np.full((phases, DEPTH), -1)
    leaves = np.zeros(first, np.bool_)
    for c in range(first):
        # a plan that goes on by the rule at once does what the rule does
        leaves[c] = done_to[c, 0] >= 0 and done_at[c, 0] == 0.0
        following = done_to[c, 0] if leaves[c] else phase
        if cost[c] < best[following]:
            best[following], best_at[following], best_to[following] = cost[c], at[c], to[c]
    one_at, one_to = done_at[:first].copy(), done_to[:first].copy()
    for leaving in (True, False):
        chosen = np.flatnonzero(leaves == leaving)
        chosen = chosen[np.argsort(cost[chosen], kind="mergesort")[:keep]]
        pool_cost, pool_at, pool_to = cost[chosen], one_at[chosen], one_to[chosen]
        for _ in range(rounds):
            n = _neighbours(pool_at, pool_to, leaving, phase, phases, at, to)
            if n == 0:
                break
            found = _mean_cost(
                traffic, signal, phase, elapsed, at[:n], to[:n], model, done_at[:n], done_to[:n]
            )
            for c in range(n):
                following = to[c, 0] if leaving else phase
                if found[c] < best[following]:
                    best[following], best_at[following], best_to[following] = found[c], at[c], to[c]
            every_cost = np.concatenate((pool_cost, found))
            every_at = np.concatenate((pool_at, done_at[:n]))
            every_to = np.concatenate((pool_to, done_to[:n]))
            chosen = np.argsort(every_cost, kind="mergesort")[:keep]
            pool_cost, pool_at, pool_to = every_cost[chosen], every_at[chosen], every_to[chosen]
    return best, best_at, best_to


@kernel()
def _neighbours(pool_at: Any, pool_to: Any, leaving: bool, phase: int, phases: int, at: Any, to: Any) -> int:
    """Write the plans that differ in one thing from those of the pool into ``at`` and ``to``; how many."""
    n = 0
    for k in range(len(pool_at)):
        old_at, old_to = pool_at[k], pool_to[k]
        changes = np.sum(old_to >= 0)
        for s in range(1 if leaving else 0, changes):
            earliest = old_at[s - 1] if s > 0 else 1.0
            for shift in SHIFTS:
                moved = old_at[s] + shift
                if moved < earliest:
                    continue
                at[n], to[n] = old_at, old_to
                at[n, s:changes] += shift
                n += 1
                if s + 1 < changes and moved < old_at[s + 1]:
                    at[n], to[n] = old_at, old_to
                    at[n, s] = moved
                    n += 1
            before = old_to[s - 1] if s > 0 else phase
            for p in range(phases):
                if p not in (old_to[s], before):
                    at[n], to[n] = old_at, old_to
                    at[n, s + 1 :], to[n, s + 1 :] = 0.0, -1
                    to[n, s] = p
                    n += 1
    return n


@kernel()
def _mean_cost(
    traffic: Traffic,
    signal: Signal,
    phase: int,
    elapsed: float,
    at: Any,
    to: Any,
    model: Model,
    done_at: Any,
    done_to: Any,
) -> Any:
    """Cost of each plan, the mean over the guesses, with that rule after it which is cheaper.

    A plan that leaves it to the rule at once goes on as ``actuated``. What was done is that of the first guess, by the
    same rule.
    """
    cost, other = np.zeros(len(at)), np.zeros(len(at))
    other_at, other_to = np.empty_like(done_at), np.empty_like(done_to)
    leaves = np.empty(traffic.due.shape[1])
    for g in range(len(traffic.due) - 1, -1, -1):
        forecast = Forecast(
            traffic.first[g],
            traffic.link[g],
            traffic.due[g],
            traffic.age[g],
            traffic.longer[g],
            traffic.blocked[g],
            traffic.shows[g],
        )
        outcome = Outcome(done_at, done_to, leaves)
        cost += rollout(forecast, signal, phase, elapsed, at, to, model, ACTUATED, outcome)
        outcome = Outcome(other_at, other_to, leaves)
        other += rollout(forecast, signal, phase, elapsed, at, to, model, MOST_READY, outcome)
    for c in range(len(at)):
        at_once = to[c, 0] < 0 and at[c, 0] == 0.0
        if other[c] < cost[c] and not at_once:
            cost[c], done_at[c], done_to[c] = other[c], other_at[c], other_to[c]
    return cost / len(traffic.due)


def crossings(
    traffic: Traffic, signal: Signal, phase: int, elapsed: float, at: Any, to: Any, model: Model
) -> Any:
    """When each vehicle of the first guess crosses under one plan, s from now, shape (n,); inf: beyond the horizon.

    The rule of ``actuated`` goes on after the plan.
    """
    leaves = np.empty(traffic.due.shape[1])
    plan_at, plan_to = at[np.newaxis], to[np.newaxis]
    outcome = Outcome(np.empty_like(plan_at), np.empty_like(plan_to), leaves)
    rollout(
        Forecast(*(part[0] for part in traffic)),
        signal,
        phase,
        elapsed,
        plan_at,
        plan_to,
        model,
        ACTUATED,
        outcome,
    )
    return leaves
