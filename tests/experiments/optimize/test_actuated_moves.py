"""Moves of an actuated program keep safe minima, limits of greens and the constraints."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from denxanh.experiments.optimize.problem.actuation import (
    ActuatedPlan,
    Actuation,
    SignalActuation,
    safe_minimum,
    signal_settings,
)
from denxanh.experiments.optimize.problem.constraints import make_constraints
from denxanh.experiments.optimize.problem.space import Space
from denxanh.experiments.optimize.search.actuated_moves import KINDS, ActuatedMoves
from denxanh.experiments.optimize.search.actuated_program import OPTIONS, SCREENED
from denxanh.sim.network import Network


def test_every_move_keeps_the_safe_minimum_and_an_order_of_limits(walkers: Network) -> None:
    space = Space(walkers, drop_protected=True)
    plan = space.plan(space.existing())
    shorter = space.rescaled(space.existing(), 60)
    assert shorter is not None
    moves = ActuatedMoves(walkers, [plan, space.plan(shorter)])
    coordinated = 0
    rng = np.random.default_rng(0)
    program = ActuatedPlan(plan.timings, "", Actuation(coordinated=True)).explicit(walkers)
    seen, kept = set(), 0
    for _ in range(400):
        drawn = moves.draw(program, rng)
        if drawn is None:
            continue
        kept += 1
        own, timing = drawn.actuation.signals["P"], drawn.timings["P"]
        seen |= {own.coordinated, own.max_gap}
        for (low, high), stage in zip(own.greens, timing.stages, strict=True):
            assert safe_minimum(walkers.intersections["P"], stage.state) <= low <= high
            assert stage.green >= safe_minimum(walkers.intersections["P"], stage.state)
            assert own.coordinated is None or low <= stage.green
        coordinated += own.coordinated is not None
        if kept % 5 == 0:
            program = drawn
    assert kept > 200
    assert None in seen
    assert coordinated > 50


def test_a_move_of_a_stage_s_minimum_stays_within_the_planned_green_of_a_coordinated_signal(
    pair: Network,
) -> None:
    """Minima above the planned greens and the changes would be longer than the cycle."""
    space = Space(pair)
    plan = space.plan(space.existing())
    long = {name: SignalActuation(((30.0, 60.0),) * 4, 3.0) for name in plan.timings}
    program = ActuatedPlan(plan.timings, "", Actuation(signals=long))
    moves, rng = ActuatedMoves(pair, [plan]), np.random.default_rng(0)
    seen = 0
    for _ in range(200):
        drawn = moves.draw(program, rng)
        for own in drawn.actuation.signals.values() if drawn is not None else ():
            if own.coordinated is not None:
                seen += 1
                assert [low for low, _ in own.greens] == [16.0] * 4
    assert seen


@pytest.mark.parametrize(
    ("only", "missing"), [("splits", {"offset", "stages"}), ("offsets", {"split", "stages"})]
)
def test_what_the_constraints_keep_is_not_moved(pair: Network, only: Any, missing: set[str]) -> None:
    constraints = make_constraints(pair, only=only)
    moves = ActuatedMoves(pair, [], constraints)
    assert set(KINDS) - set(moves.kinds) == missing
    plan = Space(pair).plan(Space(pair).existing())
    program = ActuatedPlan(plan.timings, "", Actuation(coordinated=True)).explicit(pair)
    rng = np.random.default_rng(0)
    drawn = [one for _ in range(300) if (one := moves.draw(program, rng)) is not None]
    for name, old in plan.timings.items():
        moved = [one.timings[name] for one in drawn]
        assert any(new != old for new in moved)
        assert all(
            new.offset == old.offset if only == "splits" else new.stages == old.stages for new in moved
        )


def with_longest(network: Network, longest: float) -> Network:
    """The network, whose first phase of each signal has a maximum green of its own."""
    return replace(
        network,
        intersections={
            name: replace(one, phases=(replace(one.phases[0], max_green=longest), *one.phases[1:]))
            for name, one in network.intersections.items()
        },
    )


def test_the_maximum_green_of_a_phase_itself_is_kept(pair: Network) -> None:
    network = with_longest(pair, 22.0)
    space = Space(network)
    plan = space.plan(space.existing())
    for option in {*SCREENED, *OPTIONS}:
        own = signal_settings(network.intersections["A"], plan.timings["A"], option)
        assert own.greens[0][1] <= 22.0
    assert signal_settings(network.intersections["A"], plan.timings["A"], Actuation(stretch=4.0)).greens == (
        (5.0, 22.0),
        *[(5.0, 64.0)] * 3,
    )
    moves, rng = ActuatedMoves(network, [plan]), np.random.default_rng(0)
    program = ActuatedPlan(plan.timings, "", Actuation(coordinated=True)).explicit(network)
    for _ in range(400):
        program = moves.draw(program, rng) or program
        assert all(own.greens[0][1] <= 22.0 for own in program.actuation.signals.values())
        assert all(timing.stages[0].green <= 22.0 for timing in program.timings.values())
