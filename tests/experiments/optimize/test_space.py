"""Whatever is drawn or decoded is a legal plan, to the second."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from denxanh.experiments.optimize.problem.constraints import Constraints, make_constraints
from denxanh.experiments.optimize.problem.neighbourhood import Neighbourhood
from denxanh.experiments.optimize.problem.space import CYCLES, SATURATED, Candidate, Setting, Space
from denxanh.experiments.optimize.problem.starts import in_bands
from denxanh.experiments.optimize.surrogate.packer import Packer
from denxanh.sim.errors import InputError
from denxanh.sim.model.plan_arrays import encode
from denxanh.sim.network import GREEN, Intersection, Network
from denxanh.sim.network_reader import load_network
from denxanh.sim.plan import Plan, Timing

SLOW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def check_legal(network: Network, plan: Plan, cycle: int | None = None) -> None:
    """Everything that makes a plan safe and complete, from its states alone."""
    for name, timing in plan.timings.items():
        intersection = network.intersections[name]
        shown = [s.state for s in timing.stages]
        assert len(set(shown)) >= 2
        for k in range(intersection.n_links):
            if any(s.state[k] in GREEN for s in intersection.program.stages):
                assert any(state[k] in GREEN for state in shown), (name, k)
        check_changes(intersection, timing)
        assert timing.offset == int(timing.offset)
        assert 0 <= timing.offset < timing.cycle
        if cycle is not None:
            assert timing.cycle in (cycle, cycle / 2)


def check_changes(intersection: Intersection, timing: Timing) -> None:
    steps: list[tuple[str, float, bool]] = []
    for stage in timing.stages:
        steps += [(stage.state, stage.green, True), *((i.state, i.duration, False) for i in stage.change)]
    for n, (state, duration, green) in enumerate(steps):
        following = steps[(n + 1) % len(steps)][0]
        assert duration == int(duration)
        if green:
            assert duration >= max((p.min_green for p in intersection.phases if p.state == state), default=1)
        for k in range(intersection.n_links):
            if state[k] in GREEN:
                assert following[k] in "Ggy"  # no green is cut without yellow
            if state[k] not in GREEN and following[k] in GREEN:
                for m in range(intersection.n_links):  # whoever starts finds its foes red or yielding
                    if intersection.foes[k, m]:
                        assert state[m] != "y" or intersection.all_red == 0
                        assert not (following[k] == "G" and following[m] == "G")


SAME = """<tlLogic id="A0" type="static" programID="0" offset="0">
        <phase duration="41" state="GG"/><phase duration="4" state="yy"/>
        <phase duration="41" state="GG"/><phase duration="4" state="yy"/>"""
"""Two greens of one state, as netgenerate gives a bend in a street."""


@pytest.fixture
def bends(tmp_path: Path, sumo_tool: Callable[..., Path]) -> Network:
    """A grid of 3 × 2 signals whose corners have no conflicts; of those A0 has two greens of one state."""
    grid = ("--grid", "--grid.x-number", "3", "--grid.y-number", "2", "--grid.length", "200")
    made = ("--default-junction-type", "traffic_light", "--no-turnarounds", "--seed", "1")
    net = sumo_tool("netgenerate", tmp_path / "bends.net.xml", *grid, *made)
    text = re.sub(r'<tlLogic id="A0".*?<phase [^>]*>', SAME, net.read_text(encoding="utf-8"), flags=re.DOTALL)
    net.write_text(text, encoding="utf-8")
    return load_network(net)


def test_a_signal_without_conflicts_keeps_its_program_and_the_others_are_searched(bends: Network) -> None:
    space = Space(bends)
    assert [signal.id for signal in space.signals] == ["B0", "B1"]
    assert [one.id for one in space.unchanging] == ["A0"]
    assert space.legal(space.existing())
    assert Neighbourhood(space).kinds
    with pytest.raises(InputError, match="the program of signal 'A0' shows one state only"):
        Space(replace(bends, intersections={"A0": bends.intersections["A0"]}))


def test_greens_of_a_signal_without_conflicts_cannot_be_limited(bends: Network) -> None:
    with pytest.raises(InputError, match="limited, but its program shows one state only"):
        make_constraints(bends, greens=["A0:1=15-40"])


def test_a_street_through_a_signal_without_conflicts_has_its_green_bands(
    tmp_path: Path, sumo_tool: Callable[..., Path]
) -> None:
    """Two crossroads and, half way between them, a signal for the street alone."""
    at = {"w": (-200, 0), "a": (0, 0), "m": (200, 0), "b": (400, 0), "e": (600, 0)}
    at |= {"an": (0, 200), "as": (0, -200), "bn": (400, 200), "bs": (400, -200)}
    nodes = "".join(
        f'<node id="{name}" x="{x}" y="{y}" type="{"traffic_light" if name in "amb" else "priority"}"/>'
        for name, (x, y) in at.items()
    )
    ways = [
        ("w", "a"),
        ("a", "m"),
        ("m", "b"),
        ("b", "e"),
        ("an", "a"),
        ("a", "as"),
        ("bn", "b"),
        ("b", "bs"),
    ]
    edges = "".join(
        f'<edge id="{x}-{y}" from="{x}" to="{y}" numLanes="2" speed="13.89"/>'
        for way in ways
        for x, y in (way, way[::-1])
    )
    (tmp_path / "street.nod.xml").write_text(f"<nodes>{nodes}</nodes>", encoding="utf-8")
    (tmp_path / "street.edg.xml").write_text(f"<edges>{edges}</edges>", encoding="utf-8")
    given = ("-n", "street.nod.xml", "-e", "street.edg.xml", "--no-turnarounds", "true")
    net = sumo_tool("netconvert", tmp_path / "street.net.xml", *given)
    same = SAME.replace('"A0"', '"m"').replace('"GG"', '"GGGG"').replace('"yy"', '"yyyy"')
    text = re.sub(r'<tlLogic id="m".*?<phase [^>]*>', same, net.read_text(encoding="utf-8"), flags=re.DOTALL)
    net.write_text(text, encoding="utf-8")
    space = Space(load_network(net))
    assert [signal.id for signal in space.signals] == ["a", "b"]
    assert [one.id for one in space.unchanging] == ["m"]
    first, second = space.existing()
    apart = (first, replace(second, offset=(first.offset + 20) % space.signals[1].cycle(second)))
    assert in_bands(space, apart) != apart


def test_no_stage_lets_a_link_go_against_one_that_is_never_red(bends: Network) -> None:
    """At B0 and B1 a movement is green in every state, and a turn of another road must give way to it."""
    space = Space(bends)
    assert any(signal.intersection.never_red() for signal in space.signals)
    for signal in space.signals:
        for i, state in enumerate(signal.stages.states):
            for k, letter in enumerate(state):
                for m, other in enumerate(state):
                    both = letter == other == "G" and signal.intersection.foes[k, m]
                    assert not both, (signal.id, i, state)


@given(st.data(), st.booleans(), st.booleans())
@SLOW
def test_any_walk_of_moves_stays_legal(pair: Network, data: st.DataObject, drop: bool, walk: bool):
    space = Space(pair, drop_protected=drop)
    neighbours = Neighbourhood(space)
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    candidate = space.existing()
    for _ in range(25):
        kind = data.draw(st.sampled_from(neighbours.kinds))
        move = neighbours.draw(candidate, kind, rng)
        if move is None:
            continue
        assert move.kind == kind
        changed = {s for s in range(2) if move.candidate[s] != candidate[s]}
        assert changed <= set(move.touched)
        assert space.legal(move.candidate)
        cycle = space.common_cycle(move.candidate)
        assert space.cycles[0] <= cycle <= space.cycles[1]
        check_legal(pair, space.plan(move.candidate), cycle)
        if kind not in ("cycle", "double"):
            assert cycle == space.common_cycle(candidate)
        candidate = move.candidate


@given(st.integers(0, 2**32))
@SLOW
def test_signals_with_cycles_of_their_own_stay_legal(pair: Network, seed: int):
    space = Space(pair, free_cycles=True)
    candidate = random_walk(space, np.random.default_rng(seed), 40)
    assert space.legal(candidate)
    check_legal(pair, space.plan(candidate))
    for signal, setting in zip(space.signals, candidate, strict=True):
        assert space.cycles[0] // 2 <= signal.cycle(setting) <= space.cycles[1]


def test_a_stage_may_be_shown_twice_in_a_cycle_but_never_beside_itself(pair: Network):
    space = Space(pair)
    neighbours, rng = Neighbourhood(space), np.random.default_rng(0)
    start = space.rescaled(space.existing(), 100)
    assert start is not None
    moves = [neighbours.draw(start, "twice", rng) for _ in range(200)]
    orders = {move.candidate[s].order for move in moves if move for s in move.touched}
    assert {
        (0, 1, 0, 2, 3),
        (0, 1, 2, 0, 3),
    } <= orders  # the first stage before the third, or before the fourth
    for order in orders:
        assert len(order) == 5
        assert all(a != b for a, b in zip(order, order[1:] + order[:1], strict=True))


def test_only_a_saturated_place_may_have_very_long_cycles(pair: Network):
    assert Space(pair).cycles == CYCLES
    intersection = pair.intersections["A"]
    busy = replace(intersection, movements=tuple(replace(m, flow=0.3) for m in intersection.movements))
    crowded = replace(pair, intersections={**pair.intersections, "A": busy})
    assert Space(crowded).cycles == (CYCLES[0], SATURATED)
    assert Space(crowded, cycles=(30, 90)).cycles == (30, 90)


def test_two_cycles_become_one_in_which_a_stage_comes_once(pair: Network):
    space = Space(pair)
    start = space.rescaled(space.existing(), 60)
    assert start is not None
    neighbours, rng = Neighbourhood(space), np.random.default_rng(0)
    moves = [m for m in (neighbours.draw(start, "double", rng) for _ in range(60)) if m]
    cycles = {space.common_cycle(m.candidate) for m in moves}
    assert max(cycles) == 120  # the others have the green of the stage that is gone
    assert min(cycles) < 120  # or nobody has it
    for move in moves:
        assert {len(x.order) for x in move.candidate} == {7, 8}
        assert space.legal(move.candidate)


@given(
    st.lists(st.integers(0, 3), min_size=2, max_size=4, unique=True),
    st.lists(st.floats(0, 50), min_size=4, max_size=4),
    st.integers(20, 150),
)
@SLOW
def test_fitted_greens_fill_the_cycle_exactly(
    walkers: Network, order: list[int], weights: list[float], cycle: int
):
    signal = Space(walkers).signals[0]
    setting = signal.fit(tuple(order), weights[: len(order)], cycle, 7)
    if setting is None:
        assert cycle < signal.shortest(tuple(order))
        return
    assert signal.cycle(setting) == cycle
    assert all(g >= signal.min_green[i] for i, g in zip(setting.order, setting.greens, strict=True))
    assert signal.timing(setting).cycle == cycle


def test_greens_follow_the_weights_by_largest_remainder(pair: Network):
    signal = Space(pair).signals[0]
    setting = signal.fit((0, 1, 2, 3), (2, 1, 1, 0), 16 + 20 + 10)  # 10 s above the minimum of 5 s each
    assert setting is not None
    assert setting.greens == (10, 8, 7, 5)  # 5, 2.5, 2.5, 0: the first of equal remainders gets the second


def test_a_maximum_green_leaves_the_rest_to_the_others(pair: Network):
    limits = {("A", "GrrrGrrr"): (5.0, 9.0)}
    signal = Space(pair, constraints=Constraints(green_limits=limits)).signals[0]
    setting = signal.fit((0, 1, 2, 3), (10, 1, 1, 1), 16 + 20 + 20)
    assert setting is not None
    assert setting.greens[0] == 9
    assert sum(setting.greens) == 40


def test_equal_timings_have_one_form(pair: Network):
    signal = Space(pair).signals[0]
    turned = signal.normalised(Setting((2, 3, 0, 1), (10, 9, 8, 7), 4))
    assert turned.order == (0, 1, 2, 3)
    one, other = signal.timing(Setting((2, 3, 0, 1), (10, 9, 8, 7), 4)), signal.timing(turned)
    for t in range(60):
        a, b = one.at(t), other.at(t)
        assert one.stages[a.stage].state == other.stages[b.stage].state
        assert (a.step, a.left) == (b.step, b.left)


def test_the_existing_plan_is_a_candidate(pair: Network):
    space = Space(pair)
    plan = space.plan(space.existing())
    assert plan.timings == {name: intersection.program for name, intersection in pair.intersections.items()}


@pytest.mark.parametrize(
    ("constraints", "kinds"),
    [
        (Constraints(greens=True), {"offset", "wave"}),
        (Constraints(offsets=True, cycle=True, stages=True), {"green", "copy"}),
        (
            Constraints(cycle=True),
            {"offset", "wave", "green", "drop", "add", "swap", "replace", "twice", "copy"},
        ),
    ],
)
def test_frozen_parts_have_no_moves(pair: Network, constraints: Constraints, kinds: set[str]):
    assert set(Neighbourhood(Space(pair, constraints=constraints)).kinds) == kinds


def test_a_frozen_signal_is_not_in_the_plan_and_shows_its_program(pair: Network):
    space = Space(pair, constraints=Constraints(signals=frozenset({"A"})))
    assert set(space.plan(space.existing()).timings) == {"B"}
    arrays = Packer(space)([space.existing()])
    own = encode(pair, [Plan({})])
    assert arrays.duration[0, 0].sum() == own.duration[0, 0].sum()
    assert arrays.offset[0, 0] == pair.intersections["A"].program.offset


def test_only_own_stages_may_be_asked_for(pair: Network):
    assert len(Space(pair, constraints=Constraints(own_stages=True)).signals[0].stages.states) == 4


def test_unknown_names_and_impossible_limits_are_refused(pair: Network):
    with pytest.raises(InputError, match="no signal 'X'"):
        Space(pair, constraints=Constraints(signals=frozenset({"X"})))
    with pytest.raises(InputError, match="no signal is left"):
        Space(pair, constraints=Constraints(signals=frozenset({"A", "B"})))
    with pytest.raises(InputError, match="minimum green is 5"):
        Space(pair, constraints=Constraints(green_limits={("A", "GrrrGrrr"): (3.0, 9.0)}))
    with pytest.raises(InputError, match="no stage"):
        Space(pair, constraints=Constraints(green_limits={("A", "GGGGGGGG"): (6.0, 9.0)}))


def random_walk(space: Space, rng: np.random.Generator, n: int) -> Candidate:
    neighbours, candidate = Neighbourhood(space), space.existing()
    for _ in range(n):
        move = neighbours.draw(candidate, neighbours.kinds[rng.integers(len(neighbours.kinds))], rng)
        candidate = move.candidate if move else candidate
    return candidate


def test_packed_arrays_say_what_the_plans_say(pair: Network):
    rng = np.random.default_rng(3)
    space = Space(pair, drop_protected=True)
    packer = Packer(space)
    for _ in range(3):  # the tables grow between batches
        candidates = [random_walk(space, rng, 30) for _ in range(40)]
        mine = packer(candidates)
        mine.check()
        theirs = encode(pair, [space.plan(c) for c in candidates])
        for b in range(len(candidates)):
            for i in range(2):
                assert shown(mine, b, i) == shown(theirs, b, i)
                assert mine.offset[b, i] == theirs.offset[b, i]


def shown(arrays, b: int, i: int) -> list[tuple[str, float]]:
    letters = arrays.states.letters[i]
    return [
        (letters[state], float(duration))
        for state, duration in zip(arrays.state[b, i], arrays.duration[b, i], strict=True)
        if duration > 0
    ]


@pytest.mark.parametrize("name", ["cologne1", "cologne3", "grid4x4", "ingolstadt1"])
@pytest.mark.parametrize("drop", [False, True])
def test_plans_for_real_networks_are_legal(resco, name: str, drop: bool):
    config = resco(name)
    network = load_network(config.with_name(f"{name}.net.xml"))
    space = Space(network, drop_protected=drop)
    for seed in range(3):
        candidate = random_walk(space, np.random.default_rng(seed), 60)
        assert space.legal(candidate)
        check_legal(network, space.plan(candidate), space.common_cycle(candidate))
