"""What a base plan permits, what it waives, and the plans that are no base for it."""

import pytest
from safety_worlds import crossroads, signal, timing

from denxanh.sim.network_reader import load_network
from denxanh.sim.signals.permits import ite_yellow, permits_of
from denxanh.sim.signals.waivers import waivers
from denxanh.sim.testing.check_controller import corridor


@pytest.mark.parametrize(
    ("kmh", "grade", "seconds"),
    [(50, 0.0, 3.28), (60, 0.0, 3.73), (40, 0.0, 3.0), (80, 0.0, 4.64), (50, -0.04, 3.61), (200, 0.0, 6.0)],
)
def test_yellow_by_ite(kmh, grade, seconds):
    """50 km/h: 1 + 13.89 / 6.1 = 3.28 s; 40 km/h: 2.82 s, held at MUTCD's 3 s."""
    assert ite_yellow(kmh / 3.6, grade) == pytest.approx(seconds, abs=0.005)


def test_the_permits_of_the_crossroads():
    permits = permits_of(crossroads())
    assert permits.yellow.tolist() == [3.0, 3.0, 3.0, 3.0, 0.0]
    assert permits.green.tolist() == [5.0] * 5
    assert permits.ends_at_once.tolist() == [False, False, False, False, True]
    assert permits.clearance[0, 3] == 5.0
    assert permits.clearance[2, 1] == 4.0
    assert permits.clearance[4].tolist() == [10.0] * 5
    assert permits.together[2, 1, 2, 1]
    assert not permits.together[2, 2, 2, 1]
    assert not permits.together[1, 2, 2, 1]


@pytest.mark.parametrize("yellows", [(3.0, 4.0, 5.0), (4.0, 3.0, 5.0), (5.0, 4.0, 3.0)])
def test_of_several_yellows_of_a_link_the_shortest_counts(yellows):
    rows = (("Gr", 20.0 + y, ("yr", y), ("rr", 2.0)) for y in yellows)
    permits = permits_of(signal("A", timing(*rows, ("rG", 20.0, ("ry", 4.0), ("rr", 2.0))), [(0, 1)]))
    assert permits.yellow.tolist() == [3.0, 4.0]


def test_a_plan_without_fault_has_no_waiver():
    intersection = signal(
        "A",
        timing(("Gr", 20.0, ("yr", 4.0), ("rr", 2.0)), ("rG", 20.0, ("ry", 4.0), ("rr", 2.0))),
        [(0, 1)],
    )
    assert waivers(intersection) == ()


@pytest.mark.parametrize(
    ("rows", "rule", "count"),
    [
        ((("GG", 20.0, ("yy", 4.0), ("rr", 1.0)), ("rG", 20.0, ("ry", 4.0), ("rr", 1.0))), "GG-cross", 1),
        ((("gg", 20.0, ("yy", 4.0), ("rr", 1.0)), ("rG", 20.0, ("ry", 4.0), ("rr", 1.0))), "gg-cross", 1),
        ((("Gr", 20.0, ("yr", 3.0), ("rr", 1.0)), ("rG", 20.0, ("ry", 4.0), ("rr", 1.0))), "short-yellow", 1),
        ((("Gr", 20.0, ("rr", 5.0)), ("rG", 20.0, ("ry", 4.0), ("rr", 1.0))), "no-yellow-vehicle", 1),
        ((("Gr", 20.0, ("yr", 4.0)), ("rG", 20.0, ("ry", 4.0), ("rr", 1.0))), "no-all-red", 1),
        ((("Gr", 20.0, ("yr", 4.0)), ("rG", 20.0, ("ry", 4.0))), "no-all-red", 2),
    ],
)
def test_each_shortcoming_is_a_waiver(rows, rule, count):
    intersection = signal("A", timing(*rows), [(0, 1)], speed=50 / 3.6)
    found = {waiver.rule: waiver for waiver in waivers(intersection)}
    assert found[rule].count == count
    assert found[rule].intersection == "A"
    assert f"at signal A, plan {intersection.program_id!r}, such as " in str(found[rule])


def test_green_against_yellow_is_a_waiver():
    intersection = signal(
        "A", timing(("Gr", 20.0, ("yr", 4.0)), ("rG", 20.0, ("yy", 4.0), ("rr", 1.0))), [(0, 1)]
    )
    assert "green-against-yellow" not in {waiver.rule for waiver in waivers(intersection)}
    early = signal("A", timing(("Gr", 20.0, ("yr", 2.0), ("yG", 2.0)), ("rG", 20.0, ("ry", 4.0))), [(0, 1)])
    assert "green-against-yellow" in {waiver.rule for waiver in waivers(early)}


def test_what_comes_from_the_plan_is_no_more_than_the_plan():
    """The waiver for one pair is none for another."""
    from denxanh.sim.signals.monitor import ConflictMonitor

    intersection = signal(
        "A",
        timing(("GGr", 20.0, ("yyr", 4.0)), ("rrG", 20.0, ("rry", 4.0))),
        [(0, 1), (0, 2), (1, 2)],
    )
    monitor = ConflictMonitor(intersection, 0.0)
    monitor.note("rrr", 50.0)
    assert monitor.fault("GGr", 100.0) == ""
    assert "are foes" in monitor.fault("GrG", 100.0)


AUDIT = {
    "arterial4x4": {"no-all-red": 80, "short-yellow": 96},
    "cologne1": {"no-all-red": 4},
    "cologne3": {"no-all-red": 11, "short-yellow": 42},
    "grid4x4": {"no-all-red": 128, "short-yellow": 576},
    "ingolstadt1": {"no-all-red": 3, "short-yellow": 8},
}


@pytest.mark.parametrize("name", sorted(AUDIT))
def test_the_audit_in_the_documentation(resco, name):
    """docs/research/safety-tests.md holds these numbers."""
    network = load_network(resco(name).with_name(f"{name}.net.xml"))
    found: dict[str, int] = {}
    for intersection in network.intersections.values():
        for waiver in waivers(intersection):
            found[waiver.rule] = found.get(waiver.rule, 0) + waiver.count
    assert found == AUDIT[name]


def test_the_corridor_waives_its_all_red():
    assert [waiver.rule for waiver in waivers(corridor(1).intersections["J0"])] == [
        "short-yellow",
        "no-all-red",
    ]
