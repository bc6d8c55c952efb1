"""Every optimiser on every network: the table of docs/research/optimizer-table.md.

    python benchmarks/optimizers.py OUT --resco FOLDER [--only NAME …] [--rows ROW …] [--seconds S]

Rows: the existing plan, the conventional plan that ``optimize`` compares with, SUMO's actuated logic on all its
stages, tlsCycleAdaptation and tlsCoordinator
with the best of their options on training seeds, Webster, the optimised plan with protected turns kept and with
leave to drop them, and an actuated program of ours. Each is measured in SUMO on held-out seeds, with the demand
that the optimisers saw and with other days of it. OUT keeps one line of JSON for each program made and each run
finished, so that the command may be stopped, or given ``--seconds``, and goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from optimizers_book import Book
from optimizers_networks import NETWORKS, generated, loaded, routed
from optimizers_programs import Failed, actuated, adapted, coordinated, webster
from optimizers_table import table

from denxanh.experiments.optimize.job.conventional import TRAINING_SEEDS, conventional_plan
from denxanh.experiments.optimize.problem.plan_programs import plan_xml
from denxanh.experiments.optimize.problem.space import Candidate
from denxanh.experiments.optimize.problem.starts import as_start
from denxanh.experiments.optimize.search.actuated_program import search_actuation, shown_once, sumo_default
from denxanh.experiments.optimize.search.confirmation import confirm, extra_cases
from denxanh.experiments.optimize.search.tuner import Budget, Tuner
from denxanh.experiments.optimize.tuning_problem import (
    ProblemOptions,
    TuningProblem,
    demand_of,
    prepare_problem,
)
from denxanh.networks.scenarios import open_scenario
from denxanh.sim.model import warmup
from denxanh.sim.network_reader import network_of
from denxanh.sim.plan import Plan
from denxanh.sim.run import store
from denxanh.sim.scenario import Scenario

RESCO = ("cologne1", "cologne3", "ingolstadt1", "grid4x4", "arterial4x4")
BUILT_IN = ("ha-noi/pho-hue", "ha-noi/hoang-dao-thuy")
TOOLS = (1, 2)  # seeds that choose the options of SUMO's tools
TRAINING = (1, 2, 3)  # seeds of the search
HELD_OUT = (101, 102, 103, 104, 105)
HOPELESS = 1.15  # an option this much worse than the best on the first training seed is not run again
SECONDS = 15.0  # CPU of search for up to SIGNALS signals; beyond in proportion
SIGNALS = 16
ROWS = ("own", "conventional", "actuated", "adapted", "coordinated", "webster", "kept", "dropped", "tuned")


class Spent(Exception):
    """The time given on the command line is over."""


def main() -> None:
    given = _arguments()
    deadline = time.monotonic() + given.seconds
    book = Book(given.out)
    names = [*RESCO, *BUILT_IN, *(network.name for network in NETWORKS)]
    if given.table:
        print(table(book, names))
        return
    try:
        for name in names if not given.only else given.only:
            scenario = _scenario(name, given)
            for row in given.rows:
                _row(book, scenario, row, deadline)
    except Spent:
        print("the time is over; start again to go on")
    print(table(book, names))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path)
    parser.add_argument("--resco", type=Path, required=True, help="the folder with the RESCO scenarios")
    parser.add_argument("--only", nargs="*", default=[], help="networks; all if not given")
    parser.add_argument("--rows", nargs="*", default=list(ROWS), choices=ROWS)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="start nothing after so many")
    parser.add_argument("--table", action="store_true", help="only print what is known")
    return parser.parse_args()


def _scenario(name: str, given: argparse.Namespace) -> Scenario:
    if name in RESCO:
        scenario = open_scenario(str(given.resco / name))
    elif name in BUILT_IN:
        scenario = replace(open_scenario(name), name=name.replace("/", "-"))
    else:
        scenario = generated(next(n for n in NETWORKS if n.name == name), given.out / "networks")
    book = Book(given.out)
    if name not in book.networks:
        network = network_of(scenario)
        vehicles = len(demand_of(scenario, network))
        book.describe(name, len(network.intersections), vehicles, loaded(scenario))
    return replace(scenario, name=name)


def _row(book: Book, scenario: Scenario, row: str, deadline: float) -> None:
    def check() -> None:
        if time.monotonic() > deadline:
            raise Spent

    check()
    program = book.program(scenario.name, row)
    if program is None:
        makers: dict[str, Callable[[], None]] = {
            "own": lambda: book.made(scenario.name, row, ""),
            "conventional": lambda: _conventional(book, scenario),
            "actuated": lambda: book.made(scenario.name, row, actuated(scenario)),
            "webster": lambda: book.made(scenario.name, row, webster(scenario)),
            "adapted": lambda: _swept(book, scenario, row, check),
            "coordinated": lambda: _swept(book, scenario, row, check),
            "kept": lambda: _optimised(book, scenario, row, drop=False),
            "dropped": lambda: _optimised(book, scenario, row, drop=True),
            "tuned": lambda: _actuated(book, scenario),
        }
        makers[row]()
        program = book.program(scenario.name, row)
    if program is None or program.failed:
        return
    for day in (0, 1):
        for seed in HELD_OUT:
            check()
            book.delay(scenario, program.digest, day, seed)


def _conventional(book: Book, scenario: Scenario) -> None:
    """The conventional plan; SUMO decides between its leaders on seeds of its own."""
    before = time.process_time()
    found = conventional_plan(scenario)
    text = plan_xml(found.plan, network_of(scenario))
    runs, cpu = len(found.tried) * len(TRAINING_SEEDS), time.process_time() - before
    book.made(scenario.name, "conventional", text, note=f"cycle {found.cycle} s", runs=runs, cpu=cpu)


def _swept(book: Book, scenario: Scenario, row: str, check: Callable[[], None]) -> None:
    """The best setting of SUMO's tools on the training seeds."""
    folder = book.folder / "tools"
    folder.mkdir(exist_ok=True)
    routes = routed(replace(scenario, name=scenario.name.replace("/", "-")), folder)
    tried: dict[str, str] = {}
    try:
        if row == "adapted":
            tried = {options: book.keep(text) for options, text in adapted(scenario, routes, folder)}
        else:
            best = book.program(scenario.name, "adapted")
            for base in (None, best.digest if best and not best.failed else None):
                path = book.path(base) if base else None
                for options, text in coordinated(scenario, routes, path, folder):
                    tried[f"{'adapted, ' if base else 'existing plan, '}{options}"] = book.keep(text)
    except Failed as error:
        book.failed(scenario.name, row, str(error))
        return
    cost: dict[str, float] = {}
    for seed in TOOLS:
        best_so_far = min(cost.values(), default=float("inf"))
        for options, digest in tried.items():
            if seed == TOOLS[0] or cost[options] <= HOPELESS * best_so_far:
                check()
                delay = book.delay(scenario, digest, 0, seed)
                cost[options] = delay if seed == TOOLS[0] else (cost[options] + delay) / 2
            else:
                cost[options] = max(cost[options], HOPELESS * best_so_far * 2)
    chosen = min(cost, key=lambda options: cost[options])
    book.made(scenario.name, row, book.text(tried[chosen]), note=chosen, runs=len(tried))


def _optimised(book: Book, scenario: Scenario, row: str, *, drop: bool) -> None:
    place = prepare_problem(scenario, ProblemOptions(drop_protected=drop))
    seconds = SECONDS * max(1.0, len(place.space.signals) / SIGNALS)
    surrogate = replace(place.surrogate, threads=1)
    warmup()  # compiling, once after an installation, is not search
    before = time.process_time()
    tuner = Tuner(
        place.space,
        surrogate,
        place.evaluator,
        place.cases(TRAINING),
        np.random.default_rng(1),
        Budget(seconds=seconds),
        extra_starts=_kept_as_start(book, scenario, place) if drop else (),
    )
    out = confirm(tuner.run(), place.space, place.evaluator, place.cases(TRAINING), exclude=HELD_OUT)
    cycle = place.space.common_cycle(out.candidate) if out.candidate else None
    note = f"cycle {cycle} s" if cycle else "existing plan kept"
    text = plan_xml(out.plan, place.network) if out.plan.timings else ""
    kept = book.program(scenario.name, "kept")
    if drop and kept is not None and _training(book, scenario, kept.digest) < out.cost.mean():
        # whoever may drop protected turns need not: both were tuned, the better one on the training seeds is taken
        text, note = (
            book.text(kept.digest),
            f"{note}, but worse than the one with turns kept, which was taken",
        )
    store.write_json(_plan_file(book, scenario, row), out.plan.to_json())
    book.made(
        scenario.name,
        row,
        text,
        note=note,
        runs=out.trace[-1].runs if out.trace else 0,
        cpu=time.process_time() - before,
    )


def _actuated(book: Book, scenario: Scenario) -> None:
    """Our actuated program, as ``--kind actuated --lefts drop`` makes it from the plans that are known."""
    place = prepare_problem(scenario, ProblemOptions(drop_protected=True))
    space = place.space
    before = time.process_time()
    known = {row: _known_plan(book, scenario, row) for row in ("kept", "dropped")}
    known["conventional"] = conventional_plan(scenario).plan
    candidates = [space.existing(), *(as_start(space, plan) for plan in known.values() if plan.timings)]
    forms = [
        form for c in candidates if c is not None and space.legal(c) for form in (shown_once(space, c), c)
    ]
    plans = [space.plan(candidate) for candidate in dict.fromkeys(forms)]
    cases = place.cases(TRAINING)
    found = search_actuation(
        place.network,
        plans,
        sumo_default(space, ""),
        place.evaluator,
        [*cases, *extra_cases(cases, HELD_OUT)],
        np.random.default_rng(1),
        exclude=HELD_OUT,
        default_legal=space.legal(space.existing()),
    )
    coordinated = sum(own.coordinated is not None for own in found.actuation.signals.values())
    if found.actuation.coordinated and not found.actuation.signals:
        coordinated = len(found.plan.timings)
    book.made(
        scenario.name,
        "tuned",
        plan_xml(found.plan, place.network, actuation=found.actuation),
        note=f"{coordinated} of {len(found.plan.timings)} signals coordinated",
        runs=found.runs,
        cpu=time.process_time() - before,
    )


def _kept_as_start(book: Book, scenario: Scenario, place: TuningProblem) -> list[Candidate]:
    """The plan with turns kept, which is a plan with leave to drop them as well."""
    plan = _known_plan(book, scenario, "kept")
    return [place.space.candidate(plan)] if plan.timings else []


def _known_plan(book: Book, scenario: Scenario, row: str) -> Plan:
    """The plan of a row, empty where it was not made."""
    path = _plan_file(book, scenario, row)
    if not path.is_file():
        return Plan({})
    return Plan.from_json(json.loads(path.read_text(encoding="utf-8")), location=str(path))


def _plan_file(book: Book, scenario: Scenario, row: str) -> Path:
    return book.folder / "plans" / f"{scenario.name.replace('/', '-')}-{row}.json"


def _training(book: Book, scenario: Scenario, digest: str) -> float:
    """Mean delay of some programs on the seeds that optimised plans are chosen on."""
    return sum(book.delay(scenario, digest, 0, seed) for seed in TRAINING) / len(TRAINING)


if __name__ == "__main__":
    main()
