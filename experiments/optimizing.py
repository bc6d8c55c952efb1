"""``denxanh optimize``: tune a place's plan, prove it in SUMO on what the search has not seen, and hand it over.

The search ranks thousands of plans in the queue model; SUMO judges the best few on training seeds. What is
reported comes from SUMO on held-out seeds, on the demand given and on other days of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from experiments.attempt import Limits
from experiments.attempt import Outcome as RunOutcome
from experiments.handover import hand_over, hand_over_day, write_front, write_trace
from experiments.optimize.actuated import shown_once, tune_actuation
from experiments.optimize.day_search import periods, plan_the_day
from experiments.optimize.export import Actuation
from experiments.optimize.front import NO_FRONT, JudgedFront, search_front
from experiments.optimize.in_sumo import search_in_sumo
from experiments.optimize.objective import Objective
from experiments.optimize.place import Place, prepare
from experiments.optimize.race import Case, accept
from experiments.optimize.second_look import LEADERS, MORE, more_cases, second_look
from experiments.optimize.starts import starts
from experiments.optimize.trusting import PLANS, SEEDS, Believed, believe
from experiments.optimize.tune import Budget, Outcome, Progress, Tuner
from experiments.proving import HELD_OUT_DAYS, Proof, prove
from experiments.task import absolute
from experiments.tuned import NEW, OWN_NAME, Tuned, Variant
from experiments.wish import Wish
from sim.plan import Plan
from sim.scenario import Scenario

LONG = 30.0  # min of SUMO to come that somebody who waits is told of
DAY_SEED = 7919  # of the days the search is tried on; far from the seeds that users type


@dataclass(frozen=True)
class Telling:
    """Who wants to know how it goes."""

    searching: Callable[[Progress], None] = lambda progress: None
    say: Callable[[str], None] = lambda text: None
    proving: Callable[[str, RunOutcome], None] = lambda id, outcome: None


@dataclass
class _Work:
    """One call of ``optimize``: what its steps share."""

    scenario: Scenario
    wish: Wish
    out: Path
    jobs: int
    telling: Telling
    limits: Limits
    interrupted: bool = field(default=False)
    warned: bool = field(default=False)
    told: bool = field(default=False)

    def place(self, *, drop: bool) -> Place:
        wish = self.wish
        place = prepare(
            self.scenario,
            objective=wish.pareto[0] if wish.pareto else wish.objective,
            freezing=wish.freezing,
            drop_protected=drop,
            demand_samples=wish.demand_samples,
            scales=wish.scales,
            also=[absolute(other) for other in wish.also],
            seed=DAY_SEED,
            folder=self.out / "days",
            workers=self.jobs,
        )
        if wish.pareto:
            wish.pareto[1].check(place.network)
        left = {k: n for k, n in place.believing.models[0].demand.ignored.items() if k.endswith("of its own")}
        if left and not self.told:
            self.told = True
            counts = ", ".join(f"{n} × {kind}" for kind, n in sorted(left.items()))
            self.telling.say(f"not in the model, but in every run of SUMO: {counts}")
        return replace(place, judge=replace(place.judge, limit=self.limits.wall, ran=self.ran))

    def ran(self, seconds: float) -> None:
        """Say it, once, where a run of SUMO takes so long that the search will take most of an hour."""
        runs = runs_to_come(self.wish)
        minutes = runs * seconds / self.jobs / 60
        if self.warned or minutes < LONG:
            return
        self.warned = True
        self.telling.say(
            f"a run of SUMO takes {seconds:.0f} s here: some {runs} of them may take {minutes:.0f} min, {self.jobs} at "
            "a time. --end, --seeds 2 and --no-trust need less or fewer of them; Ctrl-C keeps the best so far"
        )

    def believed(self, place: Place) -> Believed | None:
        if not self.wish.trust:
            return None
        self.telling.say("trying unlike plans in SUMO: how far can the model be believed here?")
        try:
            return believe(place, self.wish.seeds, np.random.default_rng([self.wish.search_seed, 1]))
        except KeyboardInterrupt:
            self.interrupted = True
            return None

    def tuned(
        self, name: str, folder: Path, *, drop: bool, known: Sequence[Plan] = ()
    ) -> tuple[Variant, Place]:
        """One plan, or the network's own where none is better. ``known`` plans are starts of the search."""
        wish, place = self.wish, self.place(drop=drop)
        cases = place.cases(wish.seeds)
        rng = np.random.default_rng(wish.search_seed)
        budget = Budget(seconds=wish.seconds)
        believed = self.believed(place)
        in_sumo = believed is not None and not believed.trust.usable
        if self.interrupted:
            outcome = nothing(cases)
        elif believed is not None and in_sumo:
            self.telling.say(believed.trust.verdict)
            order = [believed.candidates[k] for k in np.argsort(believed.cost, kind="stable")]
            first = [c for c in [*order, *starts(place.space)] if place.space.legal(c)]
            outcome = search_in_sumo(
                place.space,
                place.judge,
                cases,
                first,
                rng,
                budget,
                self.telling.searching,
                spent=believed.runs,
            )
        else:
            believing = believed.believing if believed is not None else place.believing
            tuner = Tuner(
                place.space,
                believing,
                place.judge,
                cases,
                rng,
                budget,
                report=self.telling.searching,
                more_starts=[place.space.candidate(plan) for plan in known],
            )
            outcome = tuner.run()
        outcome = self.looked_at_again(outcome, place, cases)
        self.interrupted |= outcome.interrupted
        outcome, actuation = self.actuated(outcome, place, cases)
        handed = hand_over(folder, outcome.plan, place.network, actuation)
        write_trace(folder, outcome.trace)
        return Variant(name, outcome.plan, handed, outcome, believed, in_sumo, actuation), place

    def looked_at_again(self, outcome: Outcome, place: Place, cases: Sequence[Case]) -> Outcome:
        if outcome.interrupted:
            return outcome
        self.telling.say("the leaders and the network's own plan on more seeds")
        try:
            return second_look(outcome, place.space, place.judge, cases, but=self.wish.held_out)
        except KeyboardInterrupt:
            return replace(outcome, interrupted=True)

    def actuated(
        self, outcome: Outcome, place: Place, cases: Sequence[Case]
    ) -> tuple[Outcome, Actuation | None]:
        """With ``--kind actuated`` the stages and the actuation that cost least, if they beat the own plan."""
        if self.wish.kind == "static":
            return outcome, None
        space = place.space
        chosen = [c for c in (outcome.candidate, space.existing()) if c is not None and space.legal(c)]
        if self.interrupted or not chosen:
            return outcome, Actuation()
        self.telling.say("stages, maximum greens and gaps of the actuated program in SUMO")
        note = outcome.plan.note if outcome.plan.timings else "optimised by denxanh"
        plans = [space.plan(shown_once(space, candidate), note) for candidate in chosen]
        # many options: the luckiest on few seeds is not the best
        cases = [*cases, *more_cases(cases, self.wish.held_out)]
        try:
            own = place.judge([Plan({})], cases)[0]
            found = tune_actuation(plans, place.judge, cases)
        except KeyboardInterrupt:
            self.interrupted = True
            return outcome, Actuation()
        comparison = accept(found.cost, own)
        if comparison is None:
            kept = Plan({}, "the network's own plan was not beaten")
            return replace(outcome, plan=kept, candidate=None, cost=own, own_cost=own, comparison=None), None
        better = chosen[plans.index(found.plan)]
        return (
            replace(
                outcome,
                plan=found.plan,
                candidate=shown_once(space, better),
                cost=found.cost,
                own_cost=own,
                comparison=comparison,
            ),
            found.actuation,
        )

    def day(self, one: Variant, place: Place) -> Variant | None:
        """Plans by time of day with the stages of ``one``; None if they are not better than one plan."""
        if self.interrupted or one.outcome is None:
            return None
        base = one.outcome.candidate or place.space.existing()
        believing = one.believed.believing if one.believed is not None else place.believing
        try:
            planned = plan_the_day(
                place,
                base,
                believing,
                place.cases(self.wish.seeds),
                np.random.default_rng([self.wish.search_seed, 2]),
                most=self.wish.day,
                seconds=self.wish.seconds,
                period=self.wish.day_period,
                say=self.telling.say,
            )
        except KeyboardInterrupt:
            self.interrupted = True
            return None
        folder = self.out / "day"
        return Variant(
            "by time of day",
            planned.day.plans[0],
            hand_over_day(folder, planned.day, place.network),
            day=planned,
            again=planned.comparison is None and planned.day.plans[0].timings == one.plan.timings,
        )


def runs_to_come(wish: Wish) -> int:
    """How often SUMO may run for one plan: unlike plans, the rounds' judging, the second look, the proof."""
    budget = Budget()
    judged = budget.rounds * budget.judged * len(wish.seeds)
    proved = 2 * len(wish.held_out) * (1 + HELD_OUT_DAYS)
    return (PLANS * SEEDS if wish.trust else 0) + judged + (LEADERS + 1) * MORE + proved


def optimize(
    scenario: Scenario, wish: Wish, out: Path, *, jobs: int, limits: Limits, telling: Telling | None = None
) -> Tuned:
    """Tune, write the plan in every form, and run it beside the network's own on held-out seeds and days.

    Raises InputError for a place without anything to tune. Ctrl-C ends the search with the best so far, and a second
    one the proof: the plans are written by then.
    """
    if wish.day:
        periods(scenario.begin, scenario.end, wish.day_period)  # says before the search if it is too short
    out.mkdir(parents=True, exist_ok=True)
    work = _Work(absolute(scenario), wish, out, jobs, telling or Telling(), limits)
    front: JudgedFront | None = None
    if wish.pareto is not None:
        front, variants, place = _front(work, wish.pareto)
    else:
        variants, place = _variants(work)
    new = [v for v in variants if v.new]
    if work.interrupted and not new:
        proof = Proof((), (work.scenario,))
    else:
        proof = prove(
            work.scenario,
            wish,
            new,
            place,
            out,
            # after Ctrl-C, and for the many plans of a front, the demand as it was given must do
            other_days=not (work.interrupted or wish.pareto),
            day_seed=DAY_SEED + 1,
            jobs=jobs,
            limits=limits,
            say=work.telling.say,
            progress=work.telling.proving,
        )
    if front is not None and proof.values is not None and wish.pareto is not None:
        half = len(wish.pareto[0].terms)
        both = [wish.pareto[0].cost(proof.values[..., :half]), wish.pareto[1].cost(proof.values[..., half:])]
        names = [OWN_NAME, *(v.name for v in variants if v.new)]
        write_front(out, names, [o.name for o in wish.pareto], np.stack(both, axis=-1))
    return Tuned(
        tuple(variants),
        place.network,
        proof.rows,
        proof.scenarios,
        out,
        front,
        proof.values,
        work.interrupted or proof.interrupted,
    )


def nothing(cases: Sequence[Case]) -> Outcome:
    """The outcome of a search that was stopped before it began."""
    unknown = np.full(len(cases), np.nan)
    kept = Plan({}, "the network's own plan: the search was stopped before it began")
    return Outcome(kept, None, unknown, unknown, None, (), (), interrupted=True)


def _variants(work: _Work) -> tuple[list[Variant], Place]:
    if work.wish.lefts == "both":
        kept, place = work.tuned("lefts protected", work.out / "lefts-protected", drop=False)
        if work.interrupted:
            return [kept], place
        # who may drop protected turns need not: what was found with them is a start
        known = [kept.plan] if kept.plan.timings and work.wish.kind == "static" else []
        dropped, _ = work.tuned("lefts permitted", work.out / "lefts-permitted", drop=True, known=known)
        return [kept, dropped], place
    one, place = work.tuned(NEW, work.out, drop=work.wish.lefts == "drop")
    day = work.day(one, place) if work.wish.day else None
    return [one] if day is None else [one, day], place


def _front(work: _Work, pair: tuple[Objective, Objective]) -> tuple[JudgedFront, list[Variant], Place]:
    place = work.place(drop=work.wish.lefts == "drop")
    cases = place.cases(work.wish.seeds)
    believed = work.believed(place)
    if work.interrupted:
        return NO_FRONT, [], place
    front = search_front(
        place,
        believed.believing if believed is not None else place.believing,
        pair,
        cases,
        np.random.default_rng(work.wish.search_seed),
        seconds=work.wish.seconds,
        report=work.telling.searching,
    )
    work.interrupted |= front.interrupted
    write_trace(work.out, front.trace)
    variants = [
        Variant(
            f"point {k}",
            plan,
            hand_over(work.out / f"point-{k}", plan, place.network),
            believed=believed if k == 1 else None,
        )
        for k, plan in enumerate(front.plans, 1)
    ]
    return front, variants, place
