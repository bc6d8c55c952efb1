"""Where a search starts."""

from dataclasses import replace

from denxanh.experiments.optimize.problem.space import Space
from denxanh.experiments.optimize.problem.starts import covers, starts
from denxanh.sim.network import GREEN, Intersection, Network
from denxanh.sim.plan import Stage, Timing
from denxanh.sim.sumo.program import phases_of


def permitted(intersection: Intersection) -> Network:
    """One lane a road, two stages with permitted lefts."""
    links = tuple(replace(x, start=x.start[:-1] + "0") for x in intersection.links)
    lanes = tuple(a for a in intersection.approaches if a.lane.endswith("_0"))
    approaches = tuple(replace(a, links=tuple(x.index for x in links if x.start == a.lane)) for a in lanes)
    movements = tuple(replace(m, approaches=(m.links[0] // 2,)) for m in intersection.movements)
    program = Timing(
        tuple(Stage(s, 20.0, intersection.program.stages[0].change) for s in ("GgrrGgrr", "rrGgrrGg"))
    )
    one = replace(
        intersection,
        links=links,
        approaches=approaches,
        movements=movements,
        program=program,
        phases=phases_of(program),
    )
    return Network("permitted", {}, {}, {one.id: one}, {})


def test_one_start_lets_nobody_yield(corner: Intersection):
    space = Space(permitted(corner))
    signal = space.signals[0]
    orders = {candidate[0].order for candidate in starts(space)}
    shown = [[signal.stages.states[i] for i in order] for order in orders]
    assert ["GgrrGgrr", "rrGgrrGg"] in shown
    assert any(not any("g" in state for state in order) for order in shown)


def test_sets_without_yielding_are_complete_and_have_no_foes(corner: Intersection):
    signal = Space(permitted(corner)).signals[0]
    found = covers(signal, no_yielding=True)
    assert found
    for order in found:
        assert signal.stages.complete(order)
        for stage in order:
            green = [k for k, a in enumerate(signal.stages.states[stage]) if a in GREEN]
            assert not any(signal.intersection.foes[a, b] for a in green for b in green)
