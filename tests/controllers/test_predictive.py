"""The rollout against sums worked out by hand, and the decisions that follow from it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from denxanh.controllers.actuated.actuated import Actuated
from denxanh.controllers.predictive.coming import held_up, travel_time
from denxanh.controllers.predictive.predictive import Predictive, still_green
from denxanh.controllers.predictive.rollout import (
    ACTUATED,
    MOST_READY,
    Forecast,
    Model,
    Outcome,
    Signal,
    rollout,
)
from denxanh.controllers.predictive.turning import TurningShares
from denxanh.controllers.pressure.max_pressure import MaxPressure
from denxanh.controllers.registry import make_controller, parse_controller
from denxanh.sim.controller import Green
from denxanh.sim.plan import Interval
from denxanh.sim.sensing import Camera, Loops
from denxanh.sim.simulation import Simulation
from denxanh.sim.testing.check_controller import PointQueueWorld, check_controller, corridor, play, steady

BARE = Model(
    horizon=60,
    headway=2.0,
    start_loss=1.5,
    gap=3.0,
    impatience=0.0,
    left_over=0.0,
    crowd=0.0,
    passage=2.0,
)
SHOWS = np.array([[1, 0], [0, 1]])
CHANGE = np.array([[0.0, 3.0], [3.0, 0.0]])


def cost(
    due,
    *,
    hold=(0.0,),
    then=(1,),
    phase=0,
    shows=SHOWS,
    yields=None,
    model=BARE,
    blocked=(0.0, 0.0),
    slower=0.0,
    longer=0.0,
    crossed=1.0,
    elapsed=100.0,
    rule=ACTUATED,
    links=None,
):
    """Cost of plans of one change for two lanes; ``due`` are the arrivals on each, s, on ``links`` or one a lane."""
    first = np.cumsum([0, len(due[0]), len(due[1])])
    link = np.repeat([0, 1], [len(due[0]), len(due[1])]) if links is None else np.array(links)
    n = len(shows[0])
    at = np.array(hold, dtype=float)[:, np.newaxis]
    to = np.array([[-1 if p == phase else p] for p in then])
    forecast = Forecast(
        first,
        link,
        np.array([*due[0], *due[1]], dtype=float),
        np.zeros(len(link)),
        np.full(len(link), longer),
        np.array(blocked),
        np.array(shows),
    )
    signal = Signal(
        np.zeros((n, n), dtype=bool) if yields is None else np.array(yields),
        np.full(n, slower),
        CHANGE,
        np.full((2, 2, n), crossed),
        np.array([5.0, 5.0]),
        np.array([40.0, 40.0]),
    )
    outcome = Outcome(np.zeros(at.shape), np.zeros(to.shape, dtype=int), np.zeros(len(link)))
    return rollout(forecast, signal, phase, elapsed, at, to, model, rule, outcome)


def test_a_green_road_costs_nothing():
    assert cost(((0.0, 4.0, 8.0), ()), then=(0,)) == pytest.approx([0.0])


def test_a_queue_discharges_at_saturation_headway():
    # three vehicles at the line: they cross at 0, 2 and 4 s
    assert cost(((0.0, 0.0, 0.0), ()), then=(0,)) == pytest.approx([6.0])


def test_a_queue_of_short_vehicles_discharges_sooner():
    # half a second less behind each: they cross at 0, 1.5 and 3 s; held, the first one still at 4.5 s
    assert cost(((0.0, 0.0, 0.0), ()), then=(0,), longer=-0.5) == pytest.approx([4.5])
    assert cost(((), (0.0, 0.0, 0.0)), longer=-0.5) == pytest.approx([4.5 + 6.0 + 7.5])


def test_a_held_queue_pays_change_and_start_loss_once():
    # green after 3 s of change, start loss 1.5 s: they cross at 4.5, 6.5 and 8.5 s
    assert cost(((), (0.0, 0.0, 0.0))) == pytest.approx([19.5])


@given(queue=st.integers(1, 8), delay=st.integers(1, 12))
def test_delaying_a_switch_costs_the_queue_times_the_delay(queue, delay):
    """The trap of such models: if lost time is added again on every red second, keeping looks free."""
    now, later = cost(((), (0.0,) * queue), hold=(0.0, float(delay)), then=(1, 1))
    assert later - now == pytest.approx(queue * delay)


def test_the_first_second_of_yellow_is_used():
    """The switch comes at once. Who is due at 0.5 s still crosses; who is due at 1.5 s waits for the way back:
    change 3 s, minimum green 5 s, change 3 s, start loss 1.5 s."""
    assert cost(((0.5,), ())) == pytest.approx([0.0])
    assert cost(((1.5,), ())) == pytest.approx([12.5 - 1.5])
    assert cost(((0.5,), ()), crossed=0.0) == pytest.approx([12.5 - 0.5])


def test_vehicles_go_on_while_people_on_foot_clear(crossing):
    """Walking ends 4 s before the vehicles: those cross for 4 s more and in the first second of yellow."""
    intersection = crossing.intersections["J0"]
    going, yellow = intersection.phases[0].state, intersection.phases[0].state.replace("G", "y")
    assert set(going) == {"G", "r"}
    walking = (Interval(going, 4.0), Interval(yellow, 3.0))
    green = np.array([letter == "G" for letter in going])
    assert (
        still_green(walking, intersection)[: intersection.n_links].tolist()
        == np.where(green, 4.0, 0.0).tolist()
    )
    lanes = [4.0 if going[approach.links[0]] == "G" else 0.0 for approach in intersection.approaches]
    assert still_green(walking, intersection)[intersection.n_links :].tolist() == lanes
    assert still_green(walking[1:], intersection).max() == 0.0
    assert cost(((2.5,), ()), crossed=3.0) == pytest.approx([0.0])


def test_a_yielding_green_waits_for_a_gap():
    """Both links green, link 1 yields: foes cross at 0, 2 and 4 s; it goes right after the last."""
    shows, yields = [[1, 2], [0, 1]], [[False, False], [True, False]]
    stay = {"hold": (60.0,), "then": (0,), "shows": shows, "yields": yields}
    assert cost(((), (0.0,)), **stay) == pytest.approx([0.0])
    (both,) = cost(((0.0, 0.0, 0.0), (0.0,)), **stay)
    (without,) = cost(((0.0, 0.0, 0.0), (0.0,)), **{**stay, "yields": None})
    assert without == pytest.approx(6.0)
    assert both - without == pytest.approx(4.0)


def test_a_foe_behind_two_wheelers_comes_sooner():
    """Link 1 yields to link 0 alone, whose vehicle is the fourth of its lane: behind cars beyond the gap of 3 s."""
    yields = np.zeros((3, 3), dtype=bool)
    yields[1, 0] = True
    stay = {"hold": (60.0,), "then": (0,), "shows": [[1, 2, 1], [0, 1, 0]], "yields": yields}
    queue = {"due": ((0.0,) * 4, (0.0,)), "links": (2, 2, 2, 0, 1)}
    assert cost(**queue, **stay) == pytest.approx([0.0 + 2.0 + 4.0 + 6.0])
    assert cost(**queue, longer=-1.0, **stay) == pytest.approx([0.0 + 1.0 + 2.0 + 3.0 + 3.0])


def test_a_turn_that_yields_is_slower():
    """Three on a yielding link without foes: at 1 s more each, the first after its own second."""
    stay = {"hold": (60.0,), "then": (0,), "shows": [[1, 2], [0, 1]]}
    assert cost(((), (0.0, 0.0, 0.0)), slower=0.0, **stay) == pytest.approx([0.0 + 2.0 + 4.0])
    assert cost(((), (0.0, 0.0, 0.0)), slower=1.0, **stay) == pytest.approx([1.0 + 4.0 + 7.0])


def test_a_turn_on_red_halts_first():
    """SUMO's ``s``: each of them 2 s later than on green, nobody being due whom it would have to let pass."""
    stay = {"hold": (60.0,), "then": (0,), "shows": [[1, 3], [0, 1]]}
    assert cost(((), (0.0,)), **stay) == pytest.approx([2.0])


def test_a_blocked_lane_does_not_move_before_its_time():
    assert cost(((0.0,), ()), then=(0,), blocked=(10.0, 0.0)) == pytest.approx([10.0])


def first_change(due, shows=SHOWS, yields=None, elapsed=10.0, rule=ACTUATED):
    """(s, phase) of the first change by a rule from phase 0 on; lane i takes link i."""
    n = len(due)
    first = np.cumsum([0, *(len(lane) for lane in due)])
    forecast = Forecast(
        first,
        np.repeat(np.arange(n), np.diff(first)),
        np.concatenate([np.array(lane, dtype=float) for lane in due]),
        np.zeros(first[-1]),
        np.zeros(first[-1]),
        np.zeros(n),
        np.array(shows),
    )
    signal = Signal(
        np.zeros((n, n), dtype=bool) if yields is None else np.array(yields),
        np.zeros(n),
        CHANGE,
        np.ones((2, 2, n)),
        np.array([5.0, 5.0]),
        np.array([40.0, 40.0]),
    )
    at, to = np.zeros((1, 4)), np.full((1, 4), -1)
    outcome = Outcome(np.zeros_like(at), np.zeros_like(to), np.zeros(first[-1]))
    rollout(forecast, signal, 0, elapsed, at, to, BARE, rule, outcome)
    return outcome.at[0, 0], outcome.to[0, 0]


def test_by_the_rule_of_actuated_a_green_ends_at_the_first_gap():
    """The one due at 1 s extends the green; at 2 s nobody is due within 2 s."""
    assert first_change(((1.0, 12.0), (0.0, 0.0))) == (2.0, 1)


def test_by_the_rule_of_actuated_a_green_ends_at_its_maximum():
    """One every 2 s, so there is no gap; the green has lasted 10 s, or 39 s, of at most 40 s."""
    stream = tuple(2.0 * k for k in range(30))
    assert first_change((stream, (0.0,))) == (30.0, 1)
    assert first_change((stream, (0.0,)), elapsed=39.0) == (1.0, 1)


def test_by_the_rule_of_actuated_a_green_rests_without_a_call():
    assert first_change(((1.0,), ())) == (0.0, -1)


def test_by_the_rule_of_actuated_a_head_that_finds_no_gap_extends_no_green():
    """Link 0 yields to link 1, where somebody is due in 3 s; link 2 waits on red."""
    shows = [[2, 1, 0], [0, 0, 1]]
    yields = np.zeros((3, 3), dtype=bool)
    yields[0, 1] = True
    assert first_change(((0.0,), (3.0,), (0.0,)), shows, yields) == (0.0, 1)
    assert first_change(((0.0,), (3.0,), (0.0,)), shows)[0] > 0.0


def test_by_the_rule_of_the_most_ready_another_phase_needs_half_as_many_again():
    """Two against four: at once. Two against three: after one of the two has crossed, at 0 s."""
    assert first_change(((0.0,) * 2, (0.0,) * 4), rule=MOST_READY) == (0.0, 1)
    assert first_change(((0.0,) * 2, (0.0,) * 3), rule=MOST_READY) == (1.0, 1)
    assert first_change(((0.0,) * 2, ()), rule=MOST_READY) == (0.0, -1)


def test_what_is_left_over_is_paid():
    model = BARE._replace(left_over=15.0, crowd=0.5)
    assert cost(((), (0.0, 0.0)), hold=(60.0,), then=(0,), model=model) == pytest.approx(
        [2 * 60 + 2 * 15 + 0.5 * 4]
    )


def test_free_flow_time():
    # from rest 2.6 m/s² to 13 m/s takes 5 s and 32.5 m; the next 130 m take 10 s
    distance, speed = np.array([32.5, 162.5, 130.0]), np.array([0.0, 0.0, 13.0])
    assert travel_time(distance, speed, np.full(3, 13.0)) == pytest.approx([5.0, 15.0, 10.0])


def test_who_stands_with_room_ahead_is_held_up_and_so_are_those_behind():
    """A queue of two at the line; 60 m behind, one that has stood for 8 s, one behind it, and one that comes."""
    distance = np.array([1.0, 8.5, 76.0, 83.5, 120.0, 40.0])
    wait = np.array([20.0, 18.0, 8.0, 3.0, 0.0, 90.0])
    held = held_up(np.array([0, 0, 0, 0, 0, 1]), distance, wait, np.full(6, 7.5))
    assert held.tolist() == [0.0, 0.0, 8.0, 8.0, 0.0, 60.0]


@pytest.mark.parametrize("movements", ["known", "shares"])
def test_it_keeps_the_rules(movements):
    check_controller(Predictive(movements=movements), seconds=200.0)


def test_movements_are_named_on_the_command_line():
    assert make_controller(*parse_controller("predictive:movements=shares")) == Predictive(movements="shares")


def test_it_refuses_an_unknown_kind_of_movements():
    with pytest.raises(ValueError, match="can be 'known' or 'shares'"):
        Predictive(movements="guess")


def test_it_goes_to_the_only_queue(crossing, look):
    decide = Predictive().start(crossing)["J0"]
    assert decide(look([(1, 5.0, 0.0), (1, 12.0, 0.0)])) == Green(1, 5.0)
    assert decide(look([])) == Green(0, 1.0)


def test_it_waits_for_a_platoon_that_is_nearly_through(crossing, look):
    decide = Predictive().start(crossing)["J0"]
    platoon = [(0, 10.0 + 25.0 * k, 12.5) for k in range(4)]
    assert decide(look([*platoon, (1, 5.0, 0.0)])).phase == 0


def test_motorbikes_leave_sooner_than_cars(crossing, look):
    """Six on red that take 2.7 m each need less green than six cars, so changing to them costs less; any car is one."""
    costs = []
    for length in (7.5, 5.8, 2.7):
        decide = Predictive(impatience=0.0).start(crossing)["J0"]
        seen = look([(1, 2.0 + 7.5 * k, 0.0) for k in range(6)])
        decide(replace(seen, vehicles=replace(seen.vehicles, length=np.full(6, length))))
        costs.append(decide.decision.cost[1])
    saved = 0.11 * (7.5 - 2.7) * sum(range(6))  # s, the k-th one waits for k before it
    assert costs[0] == costs[1]
    assert costs[0] - costs[2] == pytest.approx(saved)


def test_plans_meet_futures_where_the_program_has_two_stages(crossing, look):
    two, searched = (Predictive(futures=4, loaded=0.0, stages=n).start(crossing)["J0"] for n in (2, 1))
    for decide in (two, searched):
        decide(look([(1, 5.0, 0.0)]))
    assert (two.decision.futures, searched.decision.futures) == (4, 0)


def test_nobody_waits_on_red_behind_an_endless_green(crossing, look):
    decide = Predictive(impatience=0.0).start(crossing)["J0"]
    platoon = [(0, 5.0 + 12.0 * k, 12.5) for k in range(16)]
    assert decide(look([*platoon, (1, 5.0, 0.0, 31.0)], elapsed=59.0)).phase == 0
    assert decide(look([*platoon, (1, 5.0, 0.0, 31.0)], elapsed=60.0)).phase == 1


def test_who_has_waited_much_longer_than_others_is_served_next(crossing, look):
    platoon = [(0, 5.0 + 12.0 * k, 12.5) for k in range(16)]
    side = (1, 5.0, 0.0)
    decide = Predictive(impatience=0.0).start(crossing)["J0"]
    assert decide(look([*platoon, side], time=100.0)).phase == 0
    assert decide(look([*platoon, side], time=199.0)).phase == 0
    assert decide(look([*platoon, side], time=200.0)).phase == 1


def test_where_all_wait_long_nobody_is_starved(crossing, look):
    """The street's head halted too: a jam, in which the cost decides as before."""
    queue = [(0, 5.0 + 12.0 * k, 0.0 if k == 15 else 12.5) for k in range(16)]
    side = (1, 5.0, 0.0)
    for starved, phase in ((4.0, 0), (0.5, 1)):
        decide = Predictive(impatience=0.0, starved=starved).start(crossing)["J0"]
        assert decide(look([*queue, side], time=100.0)).phase == 0
        assert decide(look([*queue, side], time=200.0)).phase == phase


def test_it_beats_the_other_strategies_on_steady_traffic():
    """The world without SUMO uses no yellow, so the model is told so: one vehicle a cycle too many is a queue."""
    waited = []
    for controller in (Predictive(yellow_used=0.0), Actuated(), MaxPressure()):
        world = PointQueueWorld(corridor(1), steady("W_0", 0.2, 600) | steady("S0_0", 0.12, 600))
        play(world, controller, 900.0)
        assert world.left == 192
        waited.append(world.waited)
    assert waited[0] < min(waited[1:])


def test_turning_shares_come_out_right_for_any_number(crossing, look):
    """A lane with two links of which one is taken three times as often."""
    intersection = crossing.intersections["J0"]
    shared = replace(intersection.approaches[0], links=(0, 1))
    shares = TurningShares(replace(intersection, approaches=(shared,)), np.array([200.0]))
    shares.count[:] = [30.0, 10.0]
    seen = look([(0, 40.0 + 8.0 * k, 5.0) for k in range(8)])
    approach, link = shares.guess(seen, np.array([0, 0]))
    assert (approach == 0).all()
    assert np.bincount(link).tolist() == [6, 2]


def test_several_guesses_differ_and_each_has_the_shares(crossing, look):
    intersection = crossing.intersections["J0"]
    shared = replace(intersection, approaches=(replace(intersection.approaches[0], links=(0, 1)),))
    seen = look([(0, 40.0 + 8.0 * k, 5.0) for k in range(8)])
    links = []
    for n in range(3):
        shares = TurningShares(shared, np.array([200.0]), n / 3)
        shares.count[:] = [10.0, 10.0]
        links.append(shares.guess(seen, np.array([0, 0]))[1].tolist())
    assert [sum(link) for link in links] == [4, 4, 4]
    assert links[0] != links[2]
    with pytest.raises(ValueError, match="at least 1"):
        Predictive(guesses=0)


def test_turning_shares_are_learnt_at_the_stop_line(crossing, look):
    intersection = crossing.intersections["J0"]
    shares = TurningShares(intersection, np.array([200.0, 200.0]))
    before = shares.count.copy()
    shares.guess(look([(1, 10.0, 5.0), (0, 150.0, 5.0)]), np.array([0, 0]))
    assert (shares.count > before).tolist() == [False, True]
    shares.guess(look([(1, 5.0, 5.0), (0, 145.0, 5.0)]), np.array([0, 0]))  # the same vehicles again
    assert shares.count[1] == pytest.approx(before[1] * 0.995 + 1.0)


def test_a_head_that_lets_its_green_pass_takes_another_link(crossing, look):
    """Link 0 is the likelier one, but its green does not move the head: it must be bound for link 1."""
    intersection = crossing.intersections["J0"]
    shared = replace(intersection.approaches[0], links=(0, 1))
    shares = TurningShares(replace(intersection, approaches=(shared,)), np.array([200.0]))
    shares.count[:] = [30.0, 10.0]
    head = [(0, 2.0, 0.0, 5.0)]
    assert shares.guess(look(head), np.array([1, 0]))[1].tolist() == [0]
    assert shares.guess(look(head, elapsed=2.0), np.array([1, 0]))[1].tolist() == [0]  # too early to tell
    assert shares.guess(look(head, elapsed=3.0), np.array([1, 0]))[1].tolist() == [1]
    assert shares.guess(look(head, elapsed=3.0), np.array([0, 0]))[1].tolist() == [1]  # and it stays so


def test_a_head_that_has_waited_too_long_is_served_next(crossing, look):
    """Cost alone would keep the platoon's green: impatience is off and the cross street has one vehicle."""
    decide = Predictive(impatience=0.0, max_green=1e9).start(crossing)["J0"]
    platoon = [(0, 5.0 + 12.0 * k, 12.5) for k in range(16)]
    waiting = (1, 5.0, 0.0, 1.0)
    assert decide(look([*platoon, waiting], time=100.0)).phase == 0
    assert decide(look([*platoon, waiting], time=199.0)).phase == 0
    assert decide(look([*platoon, waiting], time=200.0)).phase == 1


def test_no_green_is_given_to_who_stands_elsewhere(crossing, look):
    """The same head, but 60 m from the stop line: something else holds it up."""
    decide = Predictive(impatience=0.0, max_green=1e9).start(crossing)["J0"]
    platoon = [(0, 5.0 + 12.0 * k, 12.5) for k in range(16)]
    waiting = (1, 60.0, 0.0, 90.0)
    assert decide(look([*platoon, waiting], time=100.0)).phase == 0
    assert decide(look([*platoon, waiting], time=250.0)).phase == 0


def test_one_road_at_a_time_where_turns_are_not_protected():
    """Two opposite roads with a through link (0, 2) and a left turn (1, 3) each that yields to the through."""
    from denxanh.controllers.predictive.one_road import one_road_at_a_time
    from denxanh.sim.network import Movement, Phase
    from denxanh.sim.plan import Stage, Timing

    intersection = corridor(1).intersections["J0"]
    foes = np.zeros((4, 4), dtype=bool)
    for a, b in ((1, 2), (3, 0), (1, 3)):
        foes[a, b] = foes[b, a] = True
    yields = np.zeros((4, 4), dtype=bool)
    yields[1, 2] = yields[3, 0] = True
    movements = tuple(
        Movement(f"{a}{k}", a, "out", "s", (k,), (k // 2,), (0,), 0.5)
        for a, k in (("W", 0), ("W", 1), ("E", 2), ("E", 3))
    )
    permissive = Phase(0, "GgGg", "0", 5.0, 1e9)
    both = replace(
        intersection,
        n_links=4,
        links=(),
        movements=movements,
        foes=foes,
        yields=yields,
        phases=(permissive,),
        program=Timing((Stage("GgGg", 20.0, (Interval("yyyy", 3.0),)),)),
    )
    assert one_road_at_a_time(both) == ("rrGG", "GGrr")  # E first; nobody is there to yield to
    assert one_road_at_a_time(replace(both, open_foes=frozenset({3}))) == ("rrGg", "GGrr")
    alone = replace(both, phases=(permissive, Phase(1, "GGrr", "1", 5.0, 1e9)))
    assert one_road_at_a_time(alone) == ("rrGG",)


def test_every_way_to_the_added_phases_is_permitted(resco):
    from denxanh.networks.scenarios import open_scenario
    from denxanh.sim.network_reader import network_of
    from denxanh.sim.signals.added_phases import with_phases
    from denxanh.sim.signals.monitor import unsafe_changes

    network = network_of(open_scenario(str(resco("cologne1"))))
    network = with_phases(network, Predictive().more_phases(network))
    (intersection,) = network.intersections.values()
    assert len(intersection.phases) == len(intersection.program.stages) + 4
    assert unsafe_changes(intersection) == {}


@pytest.mark.parametrize("movements", ["known", "shares"])
@pytest.mark.parametrize("sensing", [Loops(), Camera()])
def test_it_serves_everybody_by_loops_and_by_cameras(movements, sensing):
    world = PointQueueWorld(corridor(1), steady("W_0", 0.15, 200) | steady("S0_0", 0.1, 200))
    policies = Predictive(movements=movements).start(world.network)
    simulation = Simulation(world, 400.0, policies, sees=Predictive.sees, sensing=sensing)
    for question in simulation:
        question.answer(policies[question.intersection.id](question.seen))
    assert world.left == 50


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("guesses", 0),
        ("keep", 0),
        ("rounds", -1),
        ("neighbours", -5.0),
        ("downstream", -1.0),
        ("stages", -1),
        ("per_metre", -0.1),
    ],
)
def test_a_parameter_that_means_nothing_is_refused(name, value):
    with pytest.raises(ValueError, match=f"{name} is {value}; it must be at least"):
        Predictive(**{name: value})


def test_a_headway_of_none_behind_short_vehicles_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"per_metre is 0\.3; with a headway of 2\.2 s it must be less than 0\.29 s/m"
    ):
        Predictive(per_metre=0.3)
