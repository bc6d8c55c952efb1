"""The way between two phases is safe whatever the phases are."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from denxanh.sim.network import GREEN, Intersection, Link
from denxanh.sim.plan import Interval, Stage, Timing
from denxanh.sim.signals.change import change_between, change_intervals
from denxanh.sim.sumo.program import phases_of


def made(
    states: list[str],
    foes: set[tuple[int, int]],
    yields: set[tuple[int, int]] = frozenset(),
    *,
    changes: list[tuple[Interval, ...]] | None = None,
    crossings: set[int] = frozenset(),
    yellow: float = 3.0,
    all_red: float = 1.0,
) -> Intersection:
    """An intersection from its conflicts and the green states of its program."""
    n = len(states[0])
    crossing_paths, giving_way = np.zeros((n, n), np.bool_), np.zeros((n, n), np.bool_)
    for a, b in foes:
        crossing_paths[a, b] = crossing_paths[b, a] = True
    for a, b in yields:
        giving_way[a, b] = True
    program = Timing(
        tuple(Stage(s, 10, c) for s, c in zip(states, changes or [()] * len(states), strict=True))
    )
    links = tuple(Link(k, f"in{k}_0", f"out{k}_0", "", "s", 10.0, 10.0, k in crossings) for k in range(n))
    return Intersection(
        "J", "J", (0, 0), ("J",), links, n, (), (), (), phases_of(program), program, "0", yellow, all_red,
        crossing_paths, giving_way,
    )  # fmt: skip


def test_a_link_that_loses_green_goes_through_yellow_and_all_red():
    intersection = made(["GGrr", "rrGG", "Grrr"], {(0, 2), (1, 2), (0, 3), (1, 3)})
    assert change_intervals(intersection, 2, 1) == (Interval("yrrr", 3.0), Interval("rrrr", 1.0))


def test_the_programs_own_way_is_used_where_it_goes_there_itself():
    own = (Interval("yyrr", 4.0), Interval("rrrr", 2.0), Interval("rruu", 1.0))
    intersection = made(["GGrr", "rrGG", "Grrr"], set(), changes=[own, (), ()])
    assert change_intervals(intersection, 0, 1) == own
    assert change_between(intersection, "GGrr", "rrGG") == own
    assert change_intervals(intersection, 0, 2) != own


def test_nothing_is_shown_when_no_link_loses_green():
    intersection = made(["Grr", "GGr", "GGG"], set())
    assert change_intervals(intersection, 0, 2) == ()
    assert change_intervals(intersection, 1, 1) == ()


def test_a_link_that_stays_green_keeps_its_letter_until_the_next_phase():
    intersection = made(["gGrr", "GrGr", "rrrG"], {(0, 1)}, {(0, 1)})
    assert change_between(intersection, "gGrr", "GrrG") == (Interval("gyrr", 3.0), Interval("grrr", 1.0))


def test_a_priority_green_yields_while_its_foe_clears():
    intersection = made(["Ggrr", "rrGr", "rrrG"], {(0, 1)}, {(0, 1)})
    assert change_between(intersection, "Ggrr", "GrrG")[0] == Interval("gyrr", 3.0)


def test_a_crossing_gets_the_clearance_that_the_program_gives_it():
    before = (Interval("GyrG", 3.0), Interval("GrrG", 8.0), Interval("yrry", 3.0), Interval("rrrr", 1.0))
    intersection = made(["GGrG", "rrGr", "GrrG"], {(1, 2), (0, 2)}, changes=[before, (), ()], crossings={1})
    assert change_between(intersection, "rGrG", "rrGr") == (
        Interval("ryrG", 11.0),  # 15 s in all, less the yellow and the all-red that follow
        Interval("ryry", 3.0),
        Interval("rrrr", 1.0),
    )


def test_a_stop_arrow_stays_beside_the_change_unless_it_ends():
    intersection = made(["Gsr", "rsG", "srG"], {(0, 2)})
    assert [i.state for i in change_between(intersection, "Gsr", "rGG")] == ["ysr", "rsr"]
    assert [i.state for i in change_between(intersection, "Gsr", "rrG")] == ["yrr", "rrr"]


@st.composite
def intersections(draw: st.DrawFn) -> Intersection:
    """Signals of three to six links with random conflicts; phases have no G/G foes."""
    n = draw(st.integers(3, 6))
    pairs = [(a, b) for a in range(n) for b in range(a)]
    foes = set(draw(st.lists(st.sampled_from(pairs), unique=True)))
    yields = {(a, b) if draw(st.booleans()) else (b, a) for a, b in sorted(foes)}
    states = []
    for _ in range(draw(st.integers(3, 5))):
        letters = ["r"] * n
        for k in draw(st.permutations(range(n)))[: draw(st.integers(1, n))]:
            against = [m for m in range(n) if letters[m] in GREEN and {(k, m), (m, k)} & foes]
            if not against:
                letters[k] = draw(st.sampled_from("Gg"))
            elif all((k, m) in yields and letters[m] == "G" for m in against):
                letters[k] = "g"
        states.append("".join(letters))
    return made(
        states,
        foes,
        yields,
        crossings={n - 1} if draw(st.booleans()) else set(),
        all_red=draw(st.sampled_from([0.0, 2.0])),
    )


@given(intersections(), st.data())
@settings(max_examples=200, deadline=None)
def test_no_change_is_ever_unsafe(intersection: Intersection, data: st.DataObject):
    states = [p.state for p in intersection.phases]
    before, after = data.draw(st.sampled_from(states)), data.draw(st.sampled_from(states))
    # a pair that the (empty) program joins itself is the program's own; ask for built ones only
    if (before, after) in zip(states, states[1:] + states[:1], strict=True):
        return
    walk = change_between(intersection, before, after)
    losing = [k for k in range(intersection.n_links) if before[k] in GREEN and after[k] not in GREEN]
    assert bool(walk) == bool(losing)
    for k in range(intersection.n_links):
        letters = before[k] + "".join(i.state[k] for i in walk) + after[k]
        if before[k] not in GREEN:
            assert set(letters[:-1]) == {"r"}  # nothing starts before the end of the change
        if k in losing:
            assert letters.lower().strip("g").startswith("y")
            assert sum(i.duration for i in walk if i.state[k] == "y") >= intersection.yellow
        elif before[k] in GREEN:
            assert set(letters) <= GREEN  # what stays green is not interrupted
    for interval in walk:
        for a in range(intersection.n_links):
            for b in range(a):
                if intersection.foes[a, b] and "G" == interval.state[a] == interval.state[b]:
                    assert before[a] == before[b] == "G"
    if walk:
        assert walk[-1].duration >= (
            intersection.all_red or intersection.yellow
        )  # longer for a pair kept apart


@pytest.mark.parametrize("pair", [(0, 0), (0, 1), (1, 2), (2, 0)])
def test_neighbours_in_the_program_without_change_have_none(pair: tuple[int, int]):
    intersection = made(["Gr", "rG", "GG"], set())
    assert change_intervals(intersection, *pair) == ()
