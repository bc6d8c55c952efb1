"""Predictive control: simulates the coming minute under many plans and shows the first step of the cheapest.

Model predictive control of one intersection by rollout and local search (Bertsekas, "Rollout algorithms", 2020, for
the scheme; OPAC, Gartner 1983, and COP, Sen & Head 1997, for its use at signals). docs/predictive.md has
the alternatives tried and their effects.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from denxanh.controllers.greens import dominated, green_links
from denxanh.controllers.predictive.arrivals import Arrivals
from denxanh.controllers.predictive.coming import held_up, travel_time
from denxanh.controllers.predictive.downstream import Downstream, PlannedStep
from denxanh.controllers.predictive.one_road import one_road_at_a_time
from denxanh.controllers.predictive.plan_search import Traffic, crossings, search
from denxanh.controllers.predictive.reasons import Decision, Why, reasons
from denxanh.controllers.predictive.releases import Releases
from denxanh.controllers.predictive.rollout import GREEN, RED, STOPPING, YIELDING, Model, Signal
from denxanh.controllers.predictive.turning import TurningShares
from denxanh.sim.controller import Array, Green, Ints, Observation, Policy
from denxanh.sim.network import Bools, Intersection, Network
from denxanh.sim.plan import Interval
from denxanh.sim.signals.change import change_intervals
from denxanh.sim.world import HALTED_SPEED, QUEUE_SPACING

HOLDS = np.array([0.0, 1.0, 3.0, 6.0, 10.0, 15.0, 20.0, 30.0])
"""s for which the first plans keep the present phase. Several are needed: with one, the city networks lose half."""

STUCK_FOR = 10.0  # s for which the model treats a lane as blocked that did not move on green
YIELDING_STUCK = 2.5  # times longer does a yielding head stand before it counts as stuck
PATIENCE = 30.0  # s of waiting on red after which a green longer than ``max_green`` must end
TWO_WHEELER = 4.0  # m that a vehicle takes in a queue, with its gap, below which it is one
LATELY = 0.01  # weight of the present second in a mean of the last minutes
DRAWN = 40.0  # s within which arrivals are drawn: later ones would count by what a plan has not served yet
AT_LINE = 25.0  # m from the stop line, a small junction with keep-clear included; further away no green moves a head


@dataclass(frozen=True)
class Predictive:
    """Predictive: the first step of the cheapest of many plans, asked every second. Sees vehicles.

    ``movements``: "known" (each vehicle's next link, as from routes or navigation) or "shares" (turning shares,
    learnt by counting at the stop line). ``one_road``: besides the program's phases, show one road at a time
    with all its turns protected, where no phase of the program does that.
    """

    name: ClassVar[str] = "predictive"
    sees: ClassVar[frozenset[str]] = frozenset({"vehicles"})

    movements: Literal["known", "shares"] = "known"
    one_road: bool = True
    # s: intersections announce the vehicles that their plans release within that time
    neighbours: float = 0.0
    downstream: float = 0.0  # with ``neighbours``: weight of a plan's cost at the intersections downstream
    guesses: int = 3  # forecasts where only turning shares are known; their mean cost decides
    keep: int = 2  # plans around which the search goes on …
    rounds: int = 2  # … so many times; 0 leaves the plans of one change
    interval: float = 1.0  # s between decisions
    horizon: int = 60  # s
    headway: float = 2.2  # s; faster ones change too often and leave queues behind (docs/predictive.md)
    start_loss: float = 1.5  # s
    per_metre: float = (
        0.11  # s/m less headway behind a two-wheeler, by how much less room than 7.5 m it takes
    )
    turn: float = 1.0  # s more between vehicles that yield on a lane shared with other movements
    yellow_used: float = 1.0  # s
    passage: float = 2.0  # s; of the rule of ``actuated`` that may go on after a plan, with …
    longest_green: float = 40.0  # s of green against a call
    futures: int = 4  # of arrivals beyond sight that plans meet; 0: none …
    stages: int = 2  # … where the program has at most so many stages …
    loaded: float = 0.4  # … and from this critical load on
    gap: float = 3.0  # s; 2 s is worse on ingolstadt1, 1 s lets cologne3 jam
    impatience: float = 0.3  # 1/s
    left_over: float = 15.0  # s
    crowd: float = 0.5  # s
    stuck: float = 5.0  # s of green on which a head does not move until its lane counts as blocked
    max_green: float = 60.0  # s after which a vehicle that has waited on red ends the green
    max_wait: float = 100.0  # s after its first halt, after which the head of a lane is served next …
    starved: float = 4.0  # … if it has waited so many times as long as the others; else it is a jam

    def __post_init__(self) -> None:
        if self.movements not in ("known", "shares"):
            raise ValueError(f"movements is {self.movements!r}; it can be 'known' or 'shares'")
        for name, value, least in (
            ("guesses", self.guesses, 1),
            ("keep", self.keep, 1),
            ("rounds", self.rounds, 0),
            ("futures", self.futures, 0),
            ("stages", self.stages, 0),
            ("loaded", self.loaded, 0),
            ("per_metre", self.per_metre, 0),
            ("passage", self.passage, 0),
            ("neighbours", self.neighbours, 0),
            ("downstream", self.downstream, 0),
        ):
            if value < least:
                raise ValueError(f"{name} is {value}; it must be at least {least}")
        if self.per_metre * QUEUE_SPACING >= self.headway:
            raise ValueError(
                f"per_metre is {self.per_metre}; with a headway of {self.headway} s it must be less than "
                f"{self.headway / QUEUE_SPACING:.2f} s/m, or short vehicles would leave at once"
            )
        if self.downstream > 0 and self.neighbours == 0:
            raise ValueError("downstream needs neighbours: give neighbours as well, such as 60")

    def more_phases(self, network: Network) -> Mapping[str, tuple[str, ...]]:
        """Green states by intersection, beside those of its program."""
        if not self.one_road:
            return {}
        return {
            name: one_road_at_a_time(intersection, network.near_turns)
            for name, intersection in network.intersections.items()
        }

    def start(self, network: Network) -> Mapping[str, Policy]:
        """One policy per intersection."""
        model = Model(
            self.horizon,
            self.headway,
            self.start_loss,
            self.gap,
            self.impatience,
            self.left_over,
            self.crowd,
            self.passage,
        )
        releases = Releases(network) if self.neighbours > 0 else None
        downstream = Downstream(model) if self.downstream > 0 else None
        return {
            name: _Policy(self, model, intersection, network, releases, downstream)
            for name, intersection in network.intersections.items()
        }


class _Policy:
    """One intersection. A vehicle whose link is not known takes a link of its own, green with any of its lane."""

    def __init__(
        self,
        settings: Predictive,
        model: Model,
        intersection: Intersection,
        network: Network,
        releases: Releases | None,
        downstream: Downstream | None,
    ) -> None:
        self.settings = settings
        self.model = model
        self.intersection = intersection
        self.releases = releases
        self.downstream = downstream
        phases, links, lanes = len(intersection.phases), intersection.n_links, len(intersection.approaches)
        self.shows = np.array(
            [_letters(phase.state, intersection) for phase in intersection.phases]
        )  # (phases, links + lanes)
        yields = np.zeros((links + lanes, links + lanes), dtype=np.bool_)
        yields[:links, :links] = intersection.yields
        slower = np.zeros(links + lanes)
        for approach in intersection.approaches:
            if len(approach.links) > 1:
                slower[list(approach.links)] = settings.turn
        ways = [[change_intervals(intersection, p, q) for q in range(phases)] for p in range(phases)]
        self.signal = Signal(
            yields,
            slower,
            np.array([[sum(x.duration for x in way) for way in row] for row in ways], dtype=np.float64),
            np.array(
                [[still_green(way, intersection) + settings.yellow_used for way in row] for row in ways]
            ),
            np.array([phase.min_green for phase in intersection.phases], dtype=np.float64),
            self._longest(intersection),
        )
        self.speed = np.array([approach.speed for approach in intersection.approaches])
        self.halted_since: dict[str, float] = {}  # s, of vehicles that have halted here
        self.stages = green_links(intersection)[: len(intersection.program.stages)]
        few = settings.futures > 0 and len(self.stages) <= settings.stages
        self.arrivals = Arrivals(intersection, settings.futures) if few else None
        self.usual = 0.0  # s more than the headway behind the vehicles seen lately, in the mean
        self.decision: Decision | None = None  # the last one
        self.guarded = False  # the present phase is shown for a vehicle that had waited too long
        # one for each forecast; where movements are known, for announced vehicles
        self.turning: list[TurningShares] = []
        n_guesses = settings.guesses if settings.movements == "shares" else int(settings.neighbours > 0)
        if n_guesses:
            length = np.array([network.lanes[approach.lane].length for approach in intersection.approaches])
            self.turning = [TurningShares(intersection, length, n / n_guesses) for n in range(n_guesses)]

    def explain(self) -> dict[str, Any] | None:
        """Why the last answer was given, as JSON data; None before the first decision (denxanh explain)."""
        return None if self.decision is None else reasons(self.decision)

    def _longest(self, intersection: Intersection) -> Array:
        """s of green after which the rule of ``actuated`` ends a phase; 0 for those that it does not show."""
        program = len(intersection.program.stages)
        shown = ~dominated(intersection) & (np.arange(len(intersection.phases)) < program)
        return np.where(
            shown, [min(p.max_green, self.settings.longest_green) for p in intersection.phases], 0.0
        )

    def __call__(self, seen: Observation) -> Green:
        if self.arrivals is not None:
            self.arrivals.learn(seen, self.settings.movements == "known")
        if seen.minimum_left > 0:
            return Green(seen.phase, seen.minimum_left)
        in_sight = frozenset(seen.vehicles.id)
        if self.arrivals is not None and in_sight:
            self.usual += LATELY * (float(self._longer(seen).mean()) - self.usual)
        if self.releases is not None:
            seen = self.releases.expected(seen)
        ahead = [self._ahead(seen, *bound_for) for bound_for in self._bound_for(seen, in_sight)]
        order, approach, link, _ = ahead[-1]
        traffic = self._traffic(seen, ahead)
        busy = self._busy()
        cost, at, to = search(
            self._with_arrivals(seen, traffic) if busy else traffic,
            self.signal,
            seen.phase,
            seen.elapsed,
            HOLDS,
            self.settings.keep,
            self.settings.rounds,
            self.model,
        )
        if self.downstream is not None:
            cost = cost + self.settings.downstream * self._for_others(
                seen, ahead[0], traffic, at, to, in_sight
            )
        others: Bools = np.arange(len(cost)) != seen.phase
        over = seen.elapsed >= self.settings.max_green and bool(
            np.any((self.shows[seen.phase, link] == RED) & (seen.vehicles.wait[order] >= PATIENCE))
        )
        overdue = self._overdue(seen, order, approach, link)
        if overdue is not None:
            over, others = not overdue[seen.phase], overdue
        following = int(np.argmin(np.where(others, cost, np.inf)))
        stays = not over and (overdue is not None or not cost[following] < cost[seen.phase])
        if stays:
            following = seen.phase
        else:
            self.guarded = overdue is not None
        why: Why = "not cheaper" if stays else "cheapest"
        if overdue is not None:
            why = "being served" if stays else "overdue"
        elif over:
            why = "maximum green"
        self.decision = Decision(
            seen.phase, following, why, cost, at, to, self.settings.futures if busy else 0
        )
        if self.releases is not None:
            crossing = self._let_go(seen, ahead[0], traffic, at[following], to[following], in_sight)
            self.releases.tell(self.intersection, crossing, self._onward(seen))
        if self.downstream is not None:
            first, bound, takes, due = ahead[0]
            planned = PlannedStep(
                seen.time,
                tuple(seen.vehicles.id[v] for v in first),
                in_sight,
                bound,
                takes,
                due,
                seen.vehicles.wait[first],
                self._longer(seen)[first],
                traffic.blocked[0, : len(self.speed)],
                traffic.shows[0],
                seen.phase,
                seen.elapsed,
                at[following],
                to[following],
            )
            self.downstream.keep(self.intersection.id, self.signal, planned)
        return Green(following, seen.whole(self.settings.interval) if stays else seen.least_green(following))

    def _onward(self, seen: Observation) -> Callable[[str, str], str] | None:
        return seen.onward if self.settings.movements == "known" else None

    def _for_others(
        self,
        seen: Observation,
        ahead: tuple[Ints, Ints, Ints, Array],
        traffic: Traffic,
        at: Array,
        to: Ints,
        in_sight: frozenset[str],
    ) -> Array:
        """veh·s of the intersections downstream under each phase's plan, shape (phases,)."""
        assert self.releases is not None
        assert self.downstream is not None
        told = []
        for one_at, one_to in zip(at, to, strict=True):
            crossing = self._let_go(seen, ahead, traffic, one_at, one_to, in_sight)
            told.append(self.releases.bound_for(self.intersection, crossing, self._onward(seen)))
        return self.downstream.costs(told, in_sight)

    def _let_go(
        self,
        seen: Observation,
        ahead: tuple[Ints, Ints, Ints, Array],
        traffic: Traffic,
        at: Array,
        to: Ints,
        in_sight: frozenset[str],
    ) -> list[tuple[str, int, float]]:
        """(id, link, time) of vehicles in sight that a plan lets cross; those whose link is not known are left out."""
        leaves = crossings(traffic, self.signal, seen.phase, seen.elapsed, at, to, self.model)
        order, _, link, _ = ahead
        known = link < self.intersection.n_links
        goes = np.flatnonzero(known & (leaves[: len(link)] <= self.settings.neighbours))
        rows = ((seen.vehicles.id[order[v]], int(link[v]), float(seen.time + leaves[v])) for v in goes)
        return [row for row in rows if row[0] in in_sight]

    def _bound_for(self, seen: Observation, in_sight: frozenset[str]) -> list[tuple[Ints, Ints]]:
        """(approach, link) of each vehicle, once where they are known and else as often as there are guesses."""
        guesses = [turning.guess(seen, self.shows[seen.phase]) for turning in self.turning]
        if self.settings.movements == "shares":
            return guesses
        vehicles = seen.vehicles
        approach, unknown = vehicles.approach, self.intersection.n_links + vehicles.approach
        if guesses:
            coming = np.array([name not in in_sight for name in vehicles.id], dtype=np.bool_)
            approach = np.where(coming, guesses[0][0], approach)
            unknown = np.where(coming, guesses[0][1], unknown)
        return [(approach, np.where(vehicles.link >= 0, vehicles.link, unknown))]

    def _ahead(self, seen: Observation, approach: Ints, link: Ints) -> tuple[Ints, Ints, Ints, Array]:
        """(order, approach, link, due) of the vehicles, each (vehicles,), as they will come to each stop line."""
        order = np.lexsort((seen.vehicles.distance, approach))
        due = self._due(seen, order, approach[order])
        sooner = np.lexsort((due, approach[order]))
        order, due = order[sooner], due[sooner]
        return order, approach[order], link[order], due

    def _overdue(self, seen: Observation, order: Ints, approach: Ints, link: Ints) -> Bools | None:
        """Phases that serve the lane with the longest wait, if that is too long; else None.

        Too long is longer than ``max_wait`` and ``starved`` times what the other lanes have waited in the mean.
        A lane whose head stands too far from the stop line for any green to move it does not count. The present
        phase continues until ``max_green`` while it serves one that counts and moves; if it was shown for such a lane,
        until no halted vehicle is left there, since many short greens lose capacity.
        """
        vehicles, before = seen.vehicles, self.halted_since
        self.halted_since = {
            name: before.get(name, seen.time)
            for name, speed in zip(vehicles.id, vehicles.speed, strict=True)
            if name in before or speed < HALTED_SPEED
        }
        waited = np.array([seen.time - self.halted_since.get(vehicles.id[v], seen.time) for v in order])
        unfinished = seen.elapsed < self.settings.max_green
        heads = np.unique(approach, return_index=True)[1]
        most = np.array([waited[approach == approach[head]].max() for head in heads])
        others = (most.sum() - most) / max(len(heads) - 1, 1)
        limit = np.maximum(self.settings.max_wait, self.settings.starved * others)
        longest = 0.0
        phases: Bools | None = None
        for i, head in enumerate(heads):
            if vehicles.distance[order[head]] > AT_LINE:
                continue
            shows = self.shows[:, link[head]]
            best = GREEN if (shows == GREEN).any() else YIELDING
            goes = min(vehicles.wait[order[head]], seen.elapsed) < self.settings.stuck
            enough = 0.0 if self.guarded else limit[i]
            if shows[seen.phase] == best and goes and unfinished and most[i] > enough:
                return np.isin(np.arange(len(self.intersection.phases)), seen.phase)
            if shows[seen.phase] != best and (shows == best).any() and most[i] >= max(limit[i], longest):
                longest, phases = most[i], shows == best
        return phases

    def _due(self, seen: Observation, order: Ints, approach: Ints) -> Array:
        """When each vehicle, in ``order`` of distance, would be at the stop line on a free road, s from now."""
        vehicles = seen.vehicles
        distance = vehicles.distance[order]
        due = travel_time(distance, vehicles.speed[order], self.speed[approach])
        return due + held_up(approach, distance, vehicles.wait[order], vehicles.length[order])

    def _traffic(self, seen: Observation, ahead: Sequence[tuple[Ints, Ints, Ints, Array]]) -> Traffic:
        """The forecasts of traffic; a pedestrian call counts like a vehicle on a lane of its own."""
        called = np.flatnonzero(seen.calls)
        guesses = []
        for order, approach, link, due in ahead:
            wait = seen.vehicles.wait[order]
            first = np.searchsorted(approach, np.arange(len(self.speed) + 1))
            blocked, shows = self._stuck(seen, first, link, wait)
            guesses.append(
                (
                    np.concatenate([first, first[-1] + 1 + np.arange(len(called))]),
                    np.concatenate([link, called]),
                    np.concatenate([due, np.zeros(len(called))]),
                    np.concatenate([wait, seen.calls[called]]),
                    np.concatenate([self._longer(seen)[order], np.zeros(len(called))]),
                    np.concatenate([blocked, np.zeros(len(called))]),
                    shows,
                )
            )
        return Traffic(*(np.stack(parts) for parts in zip(*guesses, strict=True)))

    def _longer(self, seen: Observation) -> Array:
        """s more than the headway until the next one can cross behind each vehicle: less behind two-wheelers."""
        length = seen.vehicles.length
        return np.where(length < TWO_WHEELER, self.settings.per_metre * (length - QUEUE_SPACING), 0.0)

    def _busy(self) -> bool:
        """Whether the measured flows leave little green to spare."""
        if self.arrivals is None or self.settings.loaded == 0.0:
            return self.arrivals is not None
        headway = self.settings.headway + self.usual
        return self.arrivals.critical_load(self.stages, headway) >= self.settings.loaded

    def _with_arrivals(self, seen: Observation, traffic: Traffic) -> Traffic:
        """The forecasts with arrivals beyond sight: each guess of the movements in turn meets each future."""
        if self.arrivals is None:
            return traffic
        lanes = traffic.first.shape[1] - 1
        parts = []
        rate = self.arrivals.rate
        for future in range(self.settings.futures):
            g = future % len(traffic.due)
            lane, link, due = self.arrivals.draw(future, min(DRAWN, float(self.settings.horizon)), rate)
            approach = np.concatenate([np.repeat(np.arange(lanes), np.diff(traffic.first[g])), lane])
            due = np.concatenate([traffic.due[g], due])
            order = np.lexsort((due, approach))
            parts.append(
                (
                    np.searchsorted(approach[order], np.arange(lanes + 1)),
                    np.concatenate([traffic.link[g], link])[order],
                    due[order],
                    np.concatenate([traffic.age[g], np.zeros(len(lane))])[order],
                    np.concatenate([traffic.longer[g], np.full(len(lane), self.usual)])[order],
                    traffic.blocked[g],
                    traffic.shows[g],
                )
            )
        n = max(len(part[1]) for part in parts)
        return Traffic(
            *(
                np.stack([np.pad(part, (0, n - len(part))) if 1 <= field <= 4 else part for part in column])
                for field, column in enumerate(zip(*parts, strict=True))
            )
        )

    def _stuck(self, seen: Observation, first: Ints, link: Ints, wait: Array) -> tuple[Array, Ints]:
        """Heads that do not move although they have green: without them a jam locks, "15 s more" looking best.

        Gives s for which each lane is blocked, (approaches,), and what each phase shows, (phases, links): a
        yielding head that finds no gap is served by other phases only.
        """
        blocked, shows = np.zeros(len(self.speed)), self.shows
        for i, head in enumerate(first[:-1]):
            if head == first[i + 1]:
                continue
            shown = self.shows[seen.phase, link[head]]
            limit = self.settings.stuck * (YIELDING_STUCK if shown == YIELDING else 1.0)
            if shown in (RED, STOPPING) or min(wait[head], seen.elapsed) < limit:
                continue
            if shown == GREEN:
                blocked[i] = STUCK_FOR
            else:
                shows = shows.copy()
                shows[seen.phase, link[head]] = RED
        return blocked, shows


def _letters(state: str, intersection: Intersection) -> Ints:
    """What each link shows, then each approach's unknown link: the best of its lane."""
    value = {"G": GREEN, "g": YIELDING, "s": STOPPING}
    shown = np.array([value.get(letter, RED) for letter in state], dtype=np.int64)
    lanes = [shown[list(approach.links)] for approach in intersection.approaches]
    best = [next((x for x in (GREEN, YIELDING, STOPPING) if (row == x).any()), RED) for row in lanes]
    return np.concatenate([shown, np.array(best, dtype=np.int64)])


def still_green(change: Sequence[Interval], intersection: Intersection) -> Array:
    """s of a change before each link's green ends, then those of each approach's unknown link: its last one's.

    Where a crossing ends before the vehicles beside it, these continue for some seconds.
    """
    out = np.zeros(intersection.n_links)
    going = np.ones(intersection.n_links, dtype=np.bool_)
    for interval in change:
        going &= np.array([letter in "Gg" for letter in interval.state], dtype=np.bool_)
        out[going] += interval.duration
    return np.concatenate([out, [out[list(approach.links)].max() for approach in intersection.approaches]])
