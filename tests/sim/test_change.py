"""The way between two phases is safe whatever the phases are."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.change import change_between, change_intervals
from sim.network import GREEN, Intersection, Link
from sim.plan import Interval, Stage, Timing
from sim.program import phases_of


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
    where = made(["GGrr", "rrGG", "Grrr"], {(0, 2), (1, 2), (0, 3), (1, 3)})
    assert change_intervals(where, 2, 1) == (Interval("yrrr", 3.0), Interval("rrrr", 1.0))


def test_the_programs_own_way_is_used_where_it_goes_there_itself():
    own = (Interval("yyrr", 4.0), Interval("rrrr", 2.0), Interval("rruu", 1.0))
    where = made(["GGrr", "rrGG", "Grrr"], set(), changes=[own, (), ()])
    assert change_intervals(where, 0, 1) == own
    assert change_between(where, "GGrr", "rrGG") == own
    assert change_intervals(where, 0, 2) != own


def test_nothing_is_shown_when_no_link_loses_green():
    where = made(["Grr", "GGr", "GGG"], set())
    assert change_intervals(where, 0, 2) == ()
    assert change_intervals(where, 1, 1) == ()


def test_a_link_that_stays_green_keeps_its_letter_until_the_next_phase():
    where = made(["gGrr", "GrGr", "rrrG"], {(0, 1)}, {(0, 1)})
    assert change_between(where, "gGrr", "GrrG") == (Interval("gyrr", 3.0), Interval("grrr", 1.0))


def test_a_priority_green_yields_while_its_foe_clears():
    where = made(["Ggrr", "rrGr", "rrrG"], {(0, 1)}, {(0, 1)})
    assert change_between(where, "Ggrr", "GrrG")[0] == Interval("gyrr", 3.0)


def test_a_crossing_gets_the_clearance_that_the_program_gives_it():
    before = (Interval("GyrG", 3.0), Interval("GrrG", 8.0), Interval("yrry", 3.0), Interval("rrrr", 1.0))
    where = made(["GGrG", "rrGr", "GrrG"], {(1, 2), (0, 2)}, changes=[before, (), ()], crossings={1})
    assert change_between(where, "rGrG", "rrGr") == (
        Interval("ryrG", 11.0),  # 15 s in all, less the yellow and the all-red that follow
        Interval("ryry", 3.0),
        Interval("rrrr", 1.0),
    )


def test_a_stop_arrow_stays_beside_the_change_unless_it_ends():
    where = made(["Gsr", "rsG", "srG"], {(0, 2)})
    assert [i.state for i in change_between(where, "Gsr", "rGG")] == ["ysr", "rsr"]
    assert [i.state for i in change_between(where, "Gsr", "rrG")] == ["yrr", "rrr"]


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
def test_no_change_is_ever_unsafe(where: Intersection, data: st.DataObject):
    states = [p.state for p in where.phases]
    before, after = data.draw(st.sampled_from(states)), data.draw(st.sampled_from(states))
    # a pair that the (empty) program joins itself is the program's own; ask for built ones only
    if (before, after) in zip(states, states[1:] + states[:1], strict=True):
        return
    walk = change_between(where, before, after)
    losing = [k for k in range(where.n_links) if before[k] in GREEN and after[k] not in GREEN]
    assert bool(walk) == bool(losing)
    for k in range(where.n_links):
        letters = before[k] + "".join(i.state[k] for i in walk) + after[k]
        if before[k] not in GREEN:
            assert set(letters[:-1]) == {"r"}  # nothing starts before the end of the change
        if k in losing:
            assert letters.lower().strip("g").startswith("y")
            assert sum(i.duration for i in walk if i.state[k] == "y") >= where.yellow
        elif before[k] in GREEN:
            assert set(letters) <= GREEN  # what stays green is not interrupted
    for interval in walk:
        for a in range(where.n_links):
            for b in range(a):
                if where.foes[a, b] and "G" == interval.state[a] == interval.state[b]:
                    assert before[a] == before[b] == "G"
    if walk:
        assert walk[-1].duration == (where.all_red or where.yellow)


@pytest.mark.parametrize("pair", [(0, 0), (0, 1), (1, 2), (2, 0)])
def test_neighbours_in_the_program_without_change_have_none(pair: tuple[int, int]):
    where = made(["Gr", "rG", "GG"], set())
    assert change_intervals(where, *pair) == ()
