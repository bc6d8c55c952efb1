"""The search finds optima that are known beforehand, and never loses the best it has seen."""

import itertools

import numpy as np
import pytest

from denxanh.experiments.optimize.problem.neighbourhood import Move, Neighbourhood
from denxanh.experiments.optimize.problem.space import Candidate, Setting, Space
from denxanh.experiments.optimize.problem.starts import cycle_grid, in_bands, starts
from denxanh.experiments.optimize.search.climb import Climb
from denxanh.experiments.optimize.search.multistart import MultistartSearch
from denxanh.sim.network import Network
from denxanh.sim.network_reader import load_network
from denxanh.sim.timing.webster import webster_delay


class Numbers:
    """A toy neighbourhood without traffic: whole numbers, one for each "signal", moved by small steps."""

    kinds = ("near", "far")

    def draw(self, candidate: Candidate, kind: str, rng: np.random.Generator) -> Move:
        k = int(rng.integers(len(candidate)))
        step = int(rng.choice((-1, 1))) * (1 if kind == "near" else int(rng.integers(2, 9)))
        moved = Setting((0, 1), (1, 1), candidate[k].offset + step)
        return Move(kind, (k,), (*candidate[:k], moved, *candidate[k + 1 :]))


def numbers(*values: int) -> Candidate:
    return tuple(Setting((0, 1), (1, 1), v) for v in values)


def bowl(candidates: list[Candidate]) -> list[float]:
    """Least, 0, where number k is 10·k."""
    return [float(sum((s.offset - 10 * k) ** 2 for k, s in enumerate(c))) for c in candidates]


def minimise(search: MultistartSearch | Climb, cost, evaluations: int) -> int:
    used = 0
    while used < evaluations:
        batch = search.ask() if isinstance(search, MultistartSearch) else search.ask(32)
        if not batch:
            break
        search.tell(cost(batch))
        used += len(batch)
    return used


def test_a_climb_finds_the_bottom_of_a_bowl():
    climb = Climb(Numbers(), numbers(40, 40, 40, 40), np.random.default_rng(0))
    minimise(climb, bowl, 2000)
    assert climb.value == 0
    assert climb.best == numbers(0, 10, 20, 30)


def test_moves_of_different_signals_advance_together():
    """With 12 independent numbers a round must gain more than its single best move."""
    climb = Climb(Numbers(), numbers(*[200] * 12), np.random.default_rng(0))
    climb.tell(bowl(climb.ask(32)))
    climb.tell(bowl(climb.ask(64)))
    alone = climb.value
    asked = climb.ask(64)
    assert asked[0] != climb.best
    differing = sum(a != b for a, b in zip(asked[0], numbers(*[200] * 12), strict=True))
    assert differing >= 2
    climb.tell(bowl(asked))
    assert climb.value < alone


def test_no_candidate_is_asked_twice():
    climb = Climb(Numbers(), numbers(3, 9), np.random.default_rng(0))
    asked = []
    for _ in range(20):
        batch = climb.ask(8)
        asked += batch
        climb.tell(bowl(batch))
    assert len(set(asked)) == len(asked)


def test_an_invalid_value_never_wins():
    climb = Climb(Numbers(), numbers(5), np.random.default_rng(0))
    climb.tell(bowl(climb.ask(1)))
    best = climb.best
    climb.tell([float("nan")] * len(climb.ask(8)))
    assert climb.best == best


def test_kicks_leave_a_local_optimum():
    def two_valleys(batch: list[Candidate]) -> list[float]:
        """A wide valley at 0 of depth 5, a deeper one from 20 to 22 behind a ridge."""
        return [min(abs(c[0].offset) + 5.0, 3.0 * abs(c[0].offset - 21)) for c in batch]

    search = MultistartSearch(Numbers(), [numbers(0)], np.random.default_rng(1), batch=16)
    minimise(search, two_valleys, 6000)
    assert search.best == (numbers(21), 0.0)


def test_halving_keeps_the_best_and_its_leaders_differ():
    begin = [numbers(*[v] * 4) for v in (0, 50, 100, 150)]
    search = MultistartSearch(Numbers(), begin, np.random.default_rng(0), batch=64)
    minimise(search, bowl, 4000)
    assert search.best[1] == 0
    leaders = search.leaders(4)
    assert leaders[0] == search.best[0]
    assert len(set(leaders)) == len(leaders)


def test_the_search_repeats_itself():
    found = []
    for _ in range(2):
        search = MultistartSearch(Numbers(), [numbers(99, 3, 50)], np.random.default_rng(7))
        minimise(search, bowl, 700)
        found.append((search.best, search.evaluations))
    assert found[0] == found[1]


def test_offsets_of_a_chain_reach_the_travel_times(pair: Network):
    """Cost is how far the second signal is from 20 s after the first: known optimum 0."""
    space = Space(pair)

    def cost(batch: list[Candidate]) -> list[float]:
        cycle = [space.common_cycle(c) for c in batch]
        lag = [(c[1].offset - c[0].offset - 20) % C for c, C in zip(batch, cycle, strict=True)]
        return [float(min(x, C - x)) for x, C in zip(lag, cycle, strict=True)]

    search = MultistartSearch(Neighbourhood(space), [space.existing()], np.random.default_rng(0))
    minimise(search, cost, 1500)
    assert search.best[1] == 0


def webster_cost(space: Space, candidate: Candidate) -> float:
    """Webster's delay over both signals, every link a lane; above capacity a steep slope back."""
    total = 0.0
    for signal, setting in zip(space.signals, candidate, strict=True):
        cycle = signal.cycle(setting)
        for movement in signal.intersection.movements:
            (k,) = movement.links
            green = sum(
                g for i, g in zip(setting.order, setting.greens, strict=True)
                if signal.stages.states[i][k] == "G"
            )  # fmt: skip
            flow, load = movement.flow or 0.0, (movement.flow or 0.0) * cycle / (0.5 * max(green, 0.1))
            delay = webster_delay(cycle, green, flow, 0.5) if load < 0.98 else 500 * load
            total += flow * delay
    return total


def test_the_search_reaches_websters_optimum(pair: Network):
    """Own stages only, so that an exhaustive look over cycles and splits knows the optimum."""
    from denxanh.experiments.optimize.problem.constraints import Constraints

    space = Space(pair, constraints=Constraints(own_stages=True))
    signal = space.signals[0]
    best = np.inf
    for through, left, other, more in itertools.product(
        range(12, 50), range(5, 12), range(12, 50), range(5, 12)
    ):
        if through != other or left != more:
            continue  # the flows are symmetrical
        setting = Setting((0, 1, 2, 3), (through, left, other, more), 0)
        if signal.cycle(setting) <= space.cycles[1]:
            best = min(best, webster_cost(space, (setting, setting)))
    search = MultistartSearch(Neighbourhood(space), starts(space), np.random.default_rng(0))
    minimise(search, lambda batch: [webster_cost(space, c) for c in batch], 9000)
    assert search.best[1] <= best * 1.002


def test_starts_cover_short_and_long_cycles_and_are_legal(pair: Network):
    for drop in (False, True):
        space = Space(pair, drop_protected=drop)
        found = starts(space)
        assert found[0] == space.existing()
        assert all(space.legal(c) for c in found)
        cycles = {space.common_cycle(c) for c in found}
        assert min(cycles) <= 46
        assert max(cycles) == 120
        assert drop == any(len(setting.order) == 2 for c in found for setting in c)


def test_the_cycle_grid_starts_at_the_shortest_feasible(pair: Network):
    space = Space(pair)
    orders = [signal.stages.own for signal in space.signals]
    assert cycle_grid(space, orders)[0] == 4 * (5 + 4)  # minimum greens and changes
    assert cycle_grid(Space(pair, cycles=(20, 30)), orders) == []


@pytest.mark.parametrize("n", [1, 3])
def test_search_without_moves_ends(n: int):
    class Nothing:
        kinds = ("none",)

        def draw(self, candidate: Candidate, kind: str, rng: np.random.Generator) -> None:
            return None

    search = MultistartSearch(Nothing(), [numbers(k) for k in range(n)], np.random.default_rng(0))
    for _ in range(50):
        batch = search.ask()
        if not batch:
            break
        search.tell(bowl(batch))
    assert search.best[1] == 0


def test_bands_set_the_offsets_of_a_real_grid(resco):
    network = load_network(resco("grid4x4").with_name("grid4x4.net.xml"))
    space = Space(network, drop_protected=True)
    begin = space.rescaled(space.existing(), 120)
    assert begin is not None
    banded = in_bands(space, begin)
    assert space.legal(banded)
    assert len({x.offset for x in banded}) > 3
    assert [(x.order, x.greens) for x in banded] == [(x.order, x.greens) for x in begin]
