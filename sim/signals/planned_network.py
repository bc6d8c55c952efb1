"""A network with a plan in place of its programs."""

from __future__ import annotations

from dataclasses import replace

from denxanh.sim.errors import InputError
from denxanh.sim.network import Intersection, Network
from denxanh.sim.plan import Plan
from denxanh.sim.signals.clearance import clearing_stages
from denxanh.sim.signals.permits import own_clearance
from denxanh.sim.sumo.program import change_times, phases_of


def with_plan(network: Network, plan: Plan) -> Network:
    """The network with a plan's timings in place of its programs; the plan's stages become the phases."""
    changed = dict(network.intersections)
    for tl, timing in plan.timings.items():
        if tl not in changed:
            reason = network.left_to_sumo.get(tl)
            raise InputError(
                f"the plan names signal {tl!r}, which {'is left to SUMO: ' + reason if reason else 'is not here'}",
                location=network.name,
                remedy="make the plan for this network",
            )
        intersection = changed[tl]
        wrong = [s.state for s in timing.stages if len(s.state) != intersection.n_links]
        if wrong:
            raise InputError(
                f"the plan's state {wrong[0]!r} has {len(wrong[0])} letters; signal {tl!r} has {intersection.n_links}",
                location=network.name,
                remedy="make the plan for this network",
            )
        yellow, all_red = change_times(timing)
        changed[tl] = keep_clearing_stages(
            replace(
                intersection,
                phases=phases_of(timing, intersection.phases),
                program=timing,
                program_id="denxanh",
                yellow=yellow,
                all_red=all_red,
                clearance=own_clearance(intersection),
                planned=True,
            )
        )
    return replace(network, intersections=changed)


def keep_clearing_stages(intersection: Intersection) -> Intersection:
    """The intersection with no phase shorter than its program has it that is part of a clearance between foes."""
    stages, clearing = intersection.program.stages, clearing_stages(intersection)
    phases = tuple(
        replace(phase, min_green=max(phase.min_green, stage.green)) if clears else phase
        for phase, stage, clears in zip(intersection.phases, stages, clearing, strict=True)
    )
    return replace(intersection, phases=phases)
