"""One signal over two junctions: the net does not say which of their ways meet, so the program does."""

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from denxanh.controllers.predictive.one_road import one_road_at_a_time
from denxanh.experiments.optimize.problem.stages import generated_states
from denxanh.sim.errors import InputError
from denxanh.sim.network import GREEN, Intersection, Network
from denxanh.sim.network_reader import load_network
from denxanh.sim.plan import Plan, Stage, Timing
from denxanh.sim.signals.added_phases import with_phases
from denxanh.sim.signals.monitor import ConflictMonitor
from denxanh.sim.signals.plan_check import checked_plan
from denxanh.sim.signals.planned_network import with_plan

NODES = {"W": (-200, 0), "L": (-12, 0), "M": (12, 0), "E": (200, 0)} | {
    f"{side}{name}": (x, y) for side, y in (("N", 200), ("S", -200)) for name, x in (("L", -12), ("M", 12))
}
ROADS = ("WL", "LW", "LM", "ML", "ME", "EM", "NLL", "LSL", "SMM", "MNM")


def ends(road: str) -> tuple[str, str]:
    """The nodes at the ends of a road: all names of nodes are one letter, but for N. and S."""
    cut = 2 if road[0] in "NS" else 1
    return road[:cut], road[cut:]


@pytest.fixture(scope="module")
def divided(sumo_tool: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Network:
    """A street that crosses the two carriageways of another, 24 m apart, under the signal X."""
    folder = tmp_path_factory.mktemp("divided")
    signal = 'type="traffic_light" tl="X"'
    nodes = "".join(
        f'<node id="{n}" x="{x}" y="{y}" {signal if n in "LM" else ""}/>' for n, (x, y) in NODES.items()
    )
    roads = "".join(
        f'<edge id="{road}" from="{a}" to="{b}" numLanes="2"/>' for road in ROADS for a, b in (ends(road),)
    )
    (folder / "x.nod.xml").write_text(f"<nodes>{nodes}</nodes>")
    (folder / "x.edg.xml").write_text(f"<edges>{roads}</edges>")
    files = ("-n", "x.nod.xml", "-e", "x.edg.xml", "--no-turnarounds")
    return load_network(sumo_tool("netconvert", folder / "x.net.xml", *files))


def unseen(intersection: Intersection, states: Iterable[str]) -> list[tuple[str, int, int]]:
    """Pairs in different junctions that are green in a state, but never together in the program."""
    shown = [stage.state for stage in intersection.program.stages]
    return [
        (state, a, b)
        for state in states
        for a in range(intersection.n_links)
        for b in range(a)
        if intersection.placed[a] != intersection.placed[b]
        and {state[a], state[b]} <= GREEN
        and not any({own[a], own[b]} <= GREEN for own in shown)
    ]


def test_states_that_we_make_show_links_of_two_junctions_together_only_as_the_program_does(
    divided: Network,
) -> None:
    intersection = divided.intersections["X"]
    assert intersection.junctions == ("L", "M")
    made = one_road_at_a_time(intersection)
    assert made
    assert not unseen(intersection, made)
    assert not unseen(intersection, generated_states(intersection))


def test_a_pair_that_the_program_does_not_show_is_refused_wherever_it_comes_from(divided: Network) -> None:
    intersection = divided.intersections["X"]
    a, b = next(
        (a, b)
        for a in range(intersection.n_links)
        for b in range(a)
        if intersection.strangers()[a, b] and all(intersection.protected(k) for k in (a, b))
    )
    state = "".join("G" if k in (a, b) else "r" for k in range(intersection.n_links))
    assert not intersection.foes[a, b]
    with pytest.raises(InputError, match=f"links {b} and {a} stand in different junctions"):
        with_phases(divided, {"X": [state]})
    stages = tuple(Stage(s.state, s.green, s.change) for s in intersection.program.stages)
    plan = Plan({"X": Timing((*stages, Stage(state, 10.0, stages[-1].change)))})
    with pytest.raises(InputError, match="links of different junctions"):
        checked_plan(divided, with_plan(divided, plan))
    monitor = ConflictMonitor(intersection, 0.0)
    assert "stand in different junctions" in monitor.fault(state, 0.0)


def test_links_of_one_junction_are_no_strangers(divided: Network) -> None:
    intersection = divided.intersections["X"]
    same = [
        (a, b)
        for a in range(intersection.n_links)
        for b in range(intersection.n_links)
        if intersection.placed[a] == intersection.placed[b]
    ]
    assert same
    assert not any(intersection.strangers()[a, b] for a, b in same)
