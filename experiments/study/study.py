"""A retiming study: check, demand from counts, existing, conventional and optimised plan, held-out days, what goes out.

Each step goes on where an earlier call stopped: the demand and the plans are kept in the folder, runs in its ledger.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from denxanh import networks
from denxanh.controllers.fixed.fixed_time import read_plan
from denxanh.experiments.optimize.job.tuning_result import NEW, OtherFidelity
from denxanh.experiments.results.references import CONVENTIONAL
from denxanh.experiments.runs.run_row import RunRow
from denxanh.experiments.specification.identity import scenario_digest
from denxanh.experiments.specification.run_specification import absolute, controller_label
from denxanh.experiments.study.counted_place import CountedRow, counted_scenario
from denxanh.experiments.study.place_check import Report, check_place
from denxanh.experiments.study.study_clock import StudyClock
from denxanh.experiments.study.study_days import first_day, held_out_days, in_other_fidelity
from denxanh.experiments.study.study_options import StudyOptions
from denxanh.experiments.study.study_plans import conventional_controller, searched_controller
from denxanh.experiments.study.study_state import ACTUATED, PLACE, RECORD, Named, Study, existing_controller
from denxanh.networks.built_in import name_of
from denxanh.networks.scenarios import open_scenario
from denxanh.sim.errors import InputError
from denxanh.sim.language.text import Text
from denxanh.sim.network_reader import network_of
from denxanh.sim.run import store
from denxanh.sim.run.provenance import hash_file
from denxanh.sim.scenario import Scenario
from denxanh.sim.signals.plan_check import checked_plan
from denxanh.sim.signals.planned_network import with_plan


@dataclass(frozen=True)
class StudyResult:
    """What a study found; ``skipped`` says what its time was too short for."""

    folder: Path
    scenario: Scenario
    place: str  # with which a command opens the scenario
    check: Report
    counted: tuple[CountedRow, ...]
    rows: tuple[RunRow, ...]  # of days that every controller has, the existing plan first
    plans: dict[str, Path]  # plan.json or day.json by the name of its controller in ``rows``
    skipped: tuple[Text, ...]
    options: StudyOptions
    clock: StudyClock
    # None where the place has no other fidelity, or nothing to judge there
    other: OtherFidelity | None = None
    partial: Text | None = None  # what is missing of the only day that the time was enough for


def run_study(
    place: str,
    options: StudyOptions,
    out: Path,
    *,
    jobs: int,
    command: str = "",
    on_message: Callable[[str], None] = lambda text: None,
) -> StudyResult:
    """Do a retiming study of ``place`` in the folder ``out``; see docs/how-to/study.md.

    Raises:
        InputError: the place, the counts or the plan cannot be used, or another study is in ``out``.
        RunError: the time was too short for one day; the next call goes on.
    """
    study = Study(out, options, StudyClock(options.time), jobs, command, on_message)
    base, place = _opened(place, options)
    if options.plan is not None:
        network = network_of(base)
        checked_plan(network, with_plan(network, read_plan(str(options.plan))))
    _begin(study, base)
    study.say("1/6 checking the place and its demand")
    scenario, counted = counted_scenario(study, base)
    check = check_place(scenario)
    if not network_of(scenario).intersections:
        raise InputError("there is no signal that a plan can control", location=place)
    controllers, names = existing_controller(study, scenario)
    study.names = names
    study.say("2/6 conventional plan")
    plans: dict[str, Path] = {}
    conventional = conventional_controller(study, scenario)
    if conventional is not None:
        controller, plans[CONVENTIONAL] = conventional
        controllers.append(controller)
        names[controller_label(*controller)] = CONVENTIONAL
    first = [*controllers, (ACTUATED, {})]
    study.say("3/6 one day of each, then the search for a better plan")
    run_s = first_day(study, scenario, first)
    raced = conventional is not None and conventional[0][0] == CONVENTIONAL
    found = searched_controller(study, scenario, run_s, conventional=raced)
    if found is not None:
        name, parameters = found
        controllers.append((name, parameters))
        names[controller_label(name, parameters)] = NEW
        plans[NEW] = Path(next(iter(parameters.values())))
    study.say("4/6 days that no plan was made on")
    rows = held_out_days(study, scenario, [*controllers, (ACTUATED, {})], names, run_s)
    judged: dict[str, Named] = {}
    if CONVENTIONAL in plans:
        judged[CONVENTIONAL] = "fixed-time", {"plan": str(plans[CONVENTIONAL].resolve())}
    if found is not None:
        judged[NEW] = found
    other = in_other_fidelity(study, base, scenario, rows, judged)
    return StudyResult(
        out,
        scenario,
        str(out / PLACE) if counted else place,
        check,
        counted,
        rows,
        plans,
        tuple(study.skipped),
        options,
        study.clock,
        other,
        study.partial,
    )


def _opened(place: str, options: StudyOptions) -> tuple[Scenario, str]:
    """The scenario, and the place with its hours. Raises InputError."""
    if options.day:
        if "@" in place or name_of(place) not in {one.name for one in networks.list_places()}:
            raise InputError(
                "--day is for built-in places without hours of their own",
                location=place,
                remedy="give a scenario of the hours that are to be studied",
            )
        name = name_of(place)
        place = f"{name}@{options.day}{place[len(name) :]}"
    return open_scenario(place), place


def _begin(study: Study, base: Scenario) -> None:
    """Open or make the folder of the study. Raises InputError where another study is in it."""
    files = {
        name: hash_file(path)
        for name, path in (("counts", study.options.counts), ("plan", study.options.plan))
        if path is not None
    }
    key = {"place": base.name, "scenario": scenario_digest(absolute(base), {}), "files": files}
    known = store.read_json(study.out / RECORD)
    if known is None and study.out.is_dir() and any(study.out.iterdir()):
        raise InputError("the folder has other files", location=str(study.out), remedy="give another --out")
    if known is not None and known.get("key") != key:
        raise InputError(
            "this folder has a study of another place, demand, counts or plan",
            location=str(study.out),
            remedy="give another --out",
        )
    study.out.mkdir(parents=True, exist_ok=True)
    study.record = known or {}
    study.keep(key=key, command=study.command)
