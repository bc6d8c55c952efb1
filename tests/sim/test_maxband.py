"""Green bands: known answers, and every solution against brute force."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from denxanh.sim.errors import InputError
from denxanh.sim.network import Edge, Intersection, Lane, Link, Movement, Network
from denxanh.sim.plan import Interval, Stage, Timing
from denxanh.sim.sumo.program import phases_of
from denxanh.sim.timing.arterials import arterials
from denxanh.sim.timing.maxband import Hops, Window, green_window, left_turn_patterns, maxband, progression

HALF = Window(0.0, 0.5)


def test_one_way_the_whole_green_is_the_band_and_offsets_are_travel_times():
    bands = maxband([HALF] * 3, [(20, 20), (25, 25)], cycle=(60, 60))
    assert bands is not None
    assert bands.outbound == pytest.approx(30)
    assert bands.offsets == pytest.approx((0, 20, 45))


def test_signals_half_a_cycle_of_travel_apart_alternate():
    # Little and Morgan (1964): the alternate system carries the whole green both ways
    bands = maxband([HALF] * 4, [(30, 30)] * 3, [HALF] * 4, [(30, 30)] * 3, cycle=(60, 60))
    assert bands is not None
    assert (bands.outbound, bands.inbound) == pytest.approx((30, 30))
    assert bands.offsets == pytest.approx((0, 30, 0, 30))


def test_signals_a_cycle_of_travel_apart_are_simultaneous():
    bands = maxband([HALF] * 3, [(60, 60)] * 2, [HALF] * 3, [(60, 60)] * 2, cycle=(60, 60))
    assert bands is not None
    assert (bands.outbound, bands.inbound) == pytest.approx((30, 30))
    assert np.cos(2 * np.pi * np.array(bands.offsets) / 60) == pytest.approx([1, 1, 1])


def test_equal_bands_two_ways_lose_half_the_quarter_phase():
    # by hand: 15 s apart in a cycle of 60, each way's best offset is ±15; offset 0 or 30 gives 30 − 15 each way
    bands = maxband([HALF] * 2, [(15, 15)], [HALF] * 2, [(15, 15)], cycle=(60, 60))
    assert bands is not None
    assert bands.outbound + bands.inbound == pytest.approx(30)


def test_the_cycle_is_chosen_where_it_may_be():
    bands = maxband([HALF] * 3, [(20, 20)] * 2, [HALF] * 3, [(20, 20)] * 2, cycle=(36, 100))
    assert bands is not None
    assert bands.cycle == pytest.approx(40)  # the alternate system: half a cycle of travel


def test_speeds_are_chosen_where_they_may_be():
    bands = maxband([HALF] * 2, [(24, 34)], [HALF] * 2, [(24, 34)], cycle=(60, 60))
    assert bands is not None
    assert bands.outbound + bands.inbound == pytest.approx(60)
    assert bands.outbound_times[0] + bands.inbound_times[0] == pytest.approx(60)


def test_a_weight_prefers_the_inbound_direction():
    # the sum of 30 s is shared 1 : 3, as equation 2 of the paper has it
    bands = maxband([HALF] * 2, [(15, 15)], [HALF] * 2, [(15, 15)], cycle=(60, 60), ratio=3.0)
    assert bands is not None
    assert (bands.outbound, bands.inbound) == pytest.approx((7.5, 22.5))


def test_short_greens_may_leave_no_way_through_in_both_directions():
    short = [Window(0, 0.1)] * 4
    assert maxband(short, [(18, 21)] * 3, short, [(18, 21)] * 3, cycle=(104, 104)) is None


# Little (1966), The synchronization of traffic signals by mixed-integer linear programming: ten signals of Euclid
# Avenue, Cleveland; distances in m and green shares as in lindo.com's model of it
LITTLE_LENGTHS = (168, 213, 335, 213, 244, 198, 122, 213, 137)
LITTLE_GREENS = [Window(0.0, g) for g in (0.53, 0.60, 0.60, 0.53, 0.52, 0.58, 0.60, 0.60, 0.60, 0.58)]


def test_littles_ten_signals_with_limits_of_speed_and_its_change():
    times = [(d / 17.9, d / 13.4) for d in LITTLE_LENGTHS]
    hops = Hops(lengths=LITTLE_LENGTHS, back_lengths=LITTLE_LENGTHS, speed_change=0.0121)
    given = LITTLE_GREENS, times, LITTLE_GREENS, times
    bands = maxband(*given, cycle=(55, 75), ratio_bounds=(0.9, 1.1), hops=hops)
    free = maxband(*given, cycle=(55, 75), ratio_bounds=(0.9, 1.1))
    assert bands is not None
    assert free is not None
    assert (bands.outbound + bands.inbound) / bands.cycle == pytest.approx(0.5628, abs=0.002)
    assert bands.cycle == pytest.approx(57.9, abs=0.1)
    assert (free.outbound + free.inbound) / free.cycle > 0.568  # what the limit of the speed change costs
    assert 0.9 - 1e-6 <= bands.inbound / bands.outbound <= 1.1 + 1e-6
    slowness = np.array(bands.outbound_times) / LITTLE_LENGTHS
    assert np.abs(np.diff(slowness)).max() <= 0.0121 + 1e-6


def test_littles_ten_signals_at_one_speed():
    times = [(d / 15.24, d / 15.24) for d in LITTLE_LENGTHS]  # 50 ft/s
    bands = maxband(LITTLE_GREENS, times, LITTLE_GREENS, times, cycle=(65, 65), ratio_bounds=(1, 1))
    assert bands is not None
    assert (bands.outbound / 65, bands.inbound / 65) == pytest.approx((0.2342, 0.2342), abs=0.001)


def test_the_left_turn_pattern_is_chosen_that_lets_both_bands_pass():
    """By hand: 15 s apart in a cycle of 60, lefts of 15 s: windows a quarter of a cycle apart suit both ways."""
    patterns = left_turn_patterns(0.5, 0.25, 0.25)
    assert [(out.start, back.start) for out, back in patterns] == [(0, 0.25), (0.25, 0), (0.25, 0.25), (0, 0)]
    both = [out for out, _ in (patterns[3], patterns[3])], [back for _, back in (patterns[3], patterns[3])]
    hop = [(15.0, 15.0)]
    fixed = maxband(both[0], hop, both[1], hop, cycle=(60, 60))
    free = maxband(both[0], hop, both[1], hop, cycle=(60, 60), patterns=dict.fromkeys((0, 1), patterns))
    assert fixed is None or fixed.outbound + fixed.inbound == pytest.approx(0.0, abs=1e-6)
    assert free is not None
    assert (free.outbound, free.inbound) == pytest.approx((15, 15))
    best = max(
        (found.outbound + found.inbound, -k)
        for k, (first, second) in enumerate(itertools.product(patterns, patterns))
        if (found := maxband([first[0], second[0]], hop, [first[1], second[1]], hop, cycle=(60, 60)))
    )
    assert free.outbound + free.inbound == pytest.approx(best[0])


def test_a_queue_that_clears_ahead_of_the_band_lets_it_leave_earlier():
    hops = Hops(clearance=(0.0, 6.0, 4.0))
    bands = maxband([HALF] * 3, [(20, 20), (25, 25)], cycle=(60, 60), hops=hops)
    assert bands is not None
    assert bands.offsets == pytest.approx((0, 14, 35))  # 20 − 6, and 25 − 4 more
    assert bands.outbound_times == pytest.approx((20, 25))


def test_hops_that_do_not_fit_the_signals_are_refused():
    with pytest.raises(InputError, match="expected 2"):
        maxband([HALF] * 2, [(10, 10)], cycle=(60, 60), hops=Hops(clearance=(1.0,)))
    with pytest.raises(InputError, match="needs the lengths"):
        maxband([HALF] * 2, [(10, 10)], cycle=(60, 60), hops=Hops(speed_change=0.01))


def test_nonsense_is_refused():
    with pytest.raises(InputError, match="n ≥ 2"):
        maxband([HALF], [], cycle=(60, 60))
    with pytest.raises(InputError, match="cycle bounds"):
        maxband([HALF] * 2, [(10, 10)], cycle=(60, 50))


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(5, 8)), min_size=3, max_size=3),
    st.lists(st.integers(1, 19), min_size=2, max_size=2),
)
@settings(max_examples=15, deadline=None)
def test_the_bands_are_those_of_brute_force(greens: list[tuple[int, int]], times: list[int]):
    """Three signals in a cycle of 10 units: every pair of whole offsets is tried, windows differ each way."""
    out = [Window(0.0, length / 10) for _, length in greens]
    back = [Window(start / 10, length / 10) for start, length in greens]
    hops = [(float(t), float(t)) for t in times]
    found = maxband(out, hops, back, hops, cycle=(10, 10))

    def band(windows: list[Window], offsets: tuple[int, ...], arrival: list[int]) -> float:
        """Longest run of departure tenths that meet green at all signals."""
        t = (np.arange(200) + 0.5) / 20
        passes = np.ones(200, dtype=bool)
        for window, offset, travel in zip(windows, offsets, arrival, strict=True):
            passes &= ((t + travel - offset - 10 * window.start) % 10) < 10 * window.length
        if passes.all():
            return 10.0
        runs = "".join("x" if p else " " for p in np.concatenate([passes, passes]))
        return max(len(run) for run in runs.split(" ")) / 20

    best = 0.0
    for offsets in itertools.product([0], range(10), range(10)):
        outbound = band(out, offsets, [0, times[0], times[0] + times[1]])
        inbound = band(back, offsets, [times[0] + times[1], times[1], 0])
        if outbound and inbound:  # the program asks for a way through in both directions
            best = max(best, outbound + inbound)
    if found is None:
        assert best == 0.0
    else:
        assert found.outbound + found.inbound == pytest.approx(best, abs=0.11)


def street(n: int = 3, length: float = 139.0) -> Network:
    """``n`` signals on a two-way street, 10 s apart; side roads are not modelled."""
    lanes, edges, intersections, links = {}, {}, {}, []
    roads = [(f"e{k}", f"J{k}", f"J{k + 1}") for k in range(-1, n)]
    roads += [(f"w{k}", f"J{k + 1}", f"J{k}") for k in range(-1, n)]
    for road, start, end in roads:
        lanes[f"{road}_0"] = Lane(f"{road}_0", road, length, 13.9, (), (), True, frozenset())
        edges[road] = Edge(road, "Street", start, end, (f"{road}_0",), length, 13.9, 1, ())
    program = Timing((Stage("GG", 27, (Interval("yy", 3),)), Stage("rr", 30)))
    for k in range(n):
        pair = ((f"e{k - 1}", f"e{k}"), (f"w{k}", f"w{k - 1}"))
        mine = tuple(Link(i, f"{a}_0", f"{b}_0", "", "s", 10, 13.9, False) for i, (a, b) in enumerate(pair))
        movements = tuple(
            Movement(f"{a}>{b}", a, b, "s", (i,), (i,), (i,), 0.5) for i, (a, b) in enumerate(pair)
        )
        none = np.zeros((2, 2), dtype=np.bool_)
        intersections[f"J{k}"] = Intersection(
            f"J{k}", f"J{k}", (k * length, 0), (f"J{k}",), mine, 2, (), (), movements, phases_of(program),
            program, "0", 3.0, 0.0, none, none,
        )  # fmt: skip
        links += mine
    return Network("street", edges, lanes, intersections, {}, tuple(links))


def test_a_street_is_one_arterial_of_two_directions():
    (way,) = arterials(street())
    assert way.two_way
    assert way.signals in (("J0", "J1", "J2"), ("J2", "J1", "J0"))
    assert [hop.time for hop in way.hops] == pytest.approx([10, 10])
    assert len(way.back) == 2


def test_progression_sets_every_signal_of_the_street():
    network = street()
    offsets = progression(arterials(network), {k: w.program for k, w in network.intersections.items()})
    assert set(offsets) == {"J0", "J1", "J2"}
    assert all(0 <= offset < 60 for offset in offsets.values())


def test_a_green_that_goes_round_the_cycles_end_is_one_window():
    timing = Timing((Stage("G", 10), Stage("r", 20), Stage("G", 10)))
    assert green_window(timing, (0,)) == Window(pytest.approx(0.75), pytest.approx(0.5))
    assert green_window(Timing((Stage("r", 10), Stage("r", 20))), (0,)) is None
