"""Why a decision of ``predictive`` came out as it did, as JSON data for ``denxanh explain``."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np

from denxanh.sim.controller import Array, Ints

Why = Literal["cheapest", "not cheaper", "maximum green", "overdue", "being served"]

_SENTENCES: dict[Why, str] = {
    "cheapest": "the plan that changes to phase {chosen} now is the cheapest of all, by {gap:.1f} veh·s",
    "not cheaper": "no plan that changes now is cheaper than the best one that keeps phase {phase}, "
    "by {gap:.1f} veh·s",
    "maximum green": "the green has reached max_green and a vehicle has waited on red: of the other phases, {chosen} "
    "has the cheapest plan",
    "being served": "phase {phase} serves the lane that has waited longest, longer than max_wait, and it moves",
    "overdue": "a lane has waited longer than max_wait and much longer than the others: of the phases that serve it, "
    "{chosen} has the cheapest plan",
}


class Decision(NamedTuple):
    """The plans that were weighed in a decision, and which of the rules decided."""

    phase: int  # that was green
    chosen: int
    why: Why
    cost: Array  # (phases,) veh·s of the best plan that shows each phase next; of ``phase``: that keeps it
    at: Array  # (phases, depth) s from now: its changes …
    to: Ints  # (phases, depth) … and their phases; −1: no further one
    futures: int  # over which the costs are means


def reasons(decision: Decision) -> dict[str, Any]:
    """The plans, the cheapest first, and one sentence that says why the answer was chosen."""
    cost, phase, chosen = decision.cost, decision.phase, decision.chosen
    plans = []
    for p in np.argsort(cost, kind="stable"):
        if not np.isfinite(cost[p]):
            continue
        rows = zip(decision.at[p], decision.to[p], strict=True)
        changes = [{"after_s": float(at), "phase": int(to)} for at, to in rows if to >= 0]
        keeps = bool(p == phase)
        plan = {
            "phase": int(p),
            "keeps": keeps,
            "cost_veh_s": float(cost[p]),
            "changes": changes if keeps else changes[1:],
            "chosen": bool(p == chosen),
        }
        plans.append(plan)
    others = np.delete(cost, chosen)
    gap = float(others.min() - cost[chosen]) if len(others) else 0.0
    why = _SENTENCES[decision.why].format(phase=phase, chosen=chosen, gap=gap)
    return {"plans": plans, "futures": decision.futures, "rule": decision.why, "why": why}
