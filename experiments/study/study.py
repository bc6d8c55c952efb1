"""A retiming study: check, demand from counts, existing, conventional and new plans, held-out days, and what goes out.

Each step goes on where an earlier call stopped: the demand and the plans are kept in the folder, runs in its ledger.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from denxanh import networks
from denxanh.controllers.fixed.fixed_time import read_plan
from denxanh.experiments.compare import execute_runs, with_days
from denxanh.experiments.optimize.job.conventional import (
    NotRaced,
    conventional_plan_file,
    with_computed_plans,
)
from denxanh.experiments.optimize.job.optimization import TuningJob, expected_runs
from denxanh.experiments.optimize.job.progress_listener import ProgressListener
from denxanh.experiments.optimize.job.tuning_options import TuningOptions
from denxanh.experiments.optimize.job.tuning_result import NEW, OtherFidelity, Variant
from denxanh.experiments.report.decision.conclusions import conclusions
from denxanh.experiments.report.decision.names import controller_title
from denxanh.experiments.results.load import LEDGER
from denxanh.experiments.results.references import (
    CONVENTIONAL,
    EXISTING,
    EXISTING_NAME,
    EXISTING_NAMES,
    existing_adjective,
    existing_name,
)
from denxanh.experiments.runs.execution import Outcome
from denxanh.experiments.runs.ledger import Ledger
from denxanh.experiments.runs.run_row import RunRow
from denxanh.experiments.specification.identity import code_hash, scenario_digest
from denxanh.experiments.specification.run_options import RunOptions
from denxanh.experiments.specification.run_specification import (
    RunSpecification,
    absolute,
    controller_label,
    with_window,
)
from denxanh.experiments.study.place_check import Report, check_place
from denxanh.experiments.study.study_clock import StudyClock, interrupted_after
from denxanh.experiments.study.study_options import StudyOptions
from denxanh.networks.built_in import name_of
from denxanh.networks.counts import count_form, counted_demand
from denxanh.networks.scenarios import open_scenario, other_fidelity
from denxanh.sim.errors import InputError, RunError
from denxanh.sim.language.text import Text, joined
from denxanh.sim.network_reader import network_of
from denxanh.sim.run import store
from denxanh.sim.run.provenance import hash_file
from denxanh.sim.scenario import CONFIRMED, Scenario
from denxanh.sim.signals.plan_check import checked_plan
from denxanh.sim.signals.planned_network import with_plan

RECORD, PLACE, SEARCH, RUNS = "study.json", "place", "plan", "comparison"
FIDELITY = "other-fidelity"  # folder of the runs in the other fidelity, and of the place under its counts
ACTUATED = "actuated"
FIRST_SEED = 201  # of the days that decide; no seed of the search
LONG_DAY = 2 * 3600.0  # s: from two hours on plans by time of day are searched too
MOST_PLANS = 3  # by time of day
SEARCHED = 15.0 / 1200.0  # CPU time of the search in the model: what ``optimize`` takes, in a study of 20 min
# shares of the time by which these steps end
UNTIL = {"conventional": 0.45, "search": 0.65, "days": 0.78, "other fidelity": 0.9}
# in the other fidelity, whose runs take several times as long; two give no interval worth the name
FIDELITY_DAYS = 3
RACED = 0.9  # share of the time of the conventional plan after which SUMO starts no further candidate
UNRACED = "conventional.json"  # the conventional plan that the queue model ranks first

Named = tuple[str, dict[str, str]]  # a controller and its parameters


@dataclass(frozen=True)
class CountedRow:
    """How well the demand meets one counted row, in vehicles."""

    approach: str  # edge
    turn: str
    begin: int  # s since midnight
    end: int
    counted: int
    modelled: float
    geh: float


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


@dataclass
class _Study:
    """State shared by the steps."""

    out: Path
    options: StudyOptions
    clock: StudyClock
    jobs: int
    command: str
    on_message: Callable[[str], None]
    record: dict[str, Any] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)  # of plans, by the labels of their controllers
    skipped: list[Text] = field(default_factory=list)
    partial: Text | None = None

    def say(self, step: str) -> None:
        self.on_message(f"{step} ({self.clock.text()})")

    def keep(self, **facts: Any) -> None:
        """Remember facts for the next call."""
        self.record |= facts
        store.write_json(self.out / RECORD, self.record)


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
    study = _Study(out, options, StudyClock(options.time), jobs, command, on_message)
    base, place = _opened(place, options)
    if options.plan is not None:
        network = network_of(base)
        checked_plan(network, with_plan(network, read_plan(str(options.plan))))
    _begin(study, base)
    study.say("1/6 checking the place and its demand")
    scenario, counted = _demand(study, base)
    check = check_place(scenario)
    if not network_of(scenario).intersections:
        raise InputError("there is no signal that a plan can control", location=place)
    controllers, names = _existing(study, scenario)
    study.names = names
    study.say("2/6 conventional plan")
    plans: dict[str, Path] = {}
    conventional = _conventional(study, scenario)
    if conventional is not None:
        controller, plans[CONVENTIONAL] = conventional
        controllers.append(controller)
        names[controller_label(*controller)] = CONVENTIONAL
    first = [*controllers, (ACTUATED, {})]
    study.say("3/6 one day of each, then the search for a new plan")
    run_s = _first_day(study, scenario, first)
    raced = conventional is not None and conventional[0][0] == CONVENTIONAL
    found = _searched(study, scenario, run_s, conventional=raced)
    if found is not None:
        name, parameters = found
        controllers.append((name, parameters))
        names[controller_label(name, parameters)] = NEW
        plans[NEW] = Path(next(iter(parameters.values())))
    study.say("4/6 days that no plan was made on")
    rows = _days(study, scenario, [*controllers, (ACTUATED, {})], names, run_s)
    judged: dict[str, Named] = {}
    if CONVENTIONAL in plans:
        judged[CONVENTIONAL] = "fixed-time", {"plan": str(plans[CONVENTIONAL].resolve())}
    if found is not None:
        judged[NEW] = found
    other = _in_other_fidelity(study, base, scenario, rows, judged)
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


def _begin(study: _Study, base: Scenario) -> None:
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


def _demand(study: _Study, base: Scenario) -> tuple[Scenario, tuple[CountedRow, ...]]:
    """The scenario under the counts, if there are some, and how well it meets them."""
    source = CONFIRMED if study.options.plan is not None else base.plan_source
    if study.options.counts is None:
        return replace(base, plan_source=source), ()
    folder = study.out / PLACE
    if "counted_rows" not in study.record:
        if folder.exists():  # of a call that was killed before its record was written
            shutil.rmtree(folder)
        network = network_of(base)
        fits = _built(study.options.counts, base, folder)
        turns = {
            (m.start, m.end): count_form.TURNS.get(m.direction, "")
            for one in network.intersections.values()
            for m in one.movements
        }
        study.keep(
            counted_rows=[
                {
                    "approach": fit.count.start_edge,
                    "turn": turns.get((fit.count.start_edge, fit.count.end_edge), "all"),
                    "begin": fit.count.begin,
                    "end": fit.count.end,
                    "counted": fit.count.total,
                    "modelled": fit.modelled,
                    "geh": fit.geh,
                }
                for fit in fits
            ]
        )
    counted = tuple(CountedRow(**row) for row in study.record["counted_rows"])
    return replace(open_scenario(str(folder)), name=base.name, plan_source=source), counted


def _built(counts: Path, base: Scenario, folder: Path) -> tuple[counted_demand.Fit, ...]:
    """Make the place under the counts in ``folder``."""
    read = count_form.read(counts, network_of(base), counted_demand.vehicle_types(base))
    return counted_demand.build(base, read, folder)


def _existing(study: _Study, scenario: Scenario) -> tuple[list[Named], dict[str, str]]:
    """The controller of the existing plan, and its name by its label."""
    if study.options.plan is None:
        return [(EXISTING, {})], {EXISTING: existing_name(scenario)}
    parameters = {"plan": str(study.options.plan.resolve())}
    return [("fixed-time", parameters)], {controller_label("fixed-time", parameters): existing_name(scenario)}


def _conventional(study: _Study, scenario: Scenario) -> tuple[Named, Path] | None:
    """The controller of the conventional plan and its file.

    Where SUMO has no time to compare its candidates, it is the one that the queue model ranks first.
    """
    left = study.clock.left(UNTIL["conventional"])
    with interrupted_after(left):
        try:
            file = conventional_plan_file(
                absolute(scenario),
                jobs=study.jobs,
                on_message=lambda text: study.say(text),
                until=time.monotonic() + RACED * left,
            )
            return (CONVENTIONAL, {}), file
        except NotRaced as stopped:
            file = study.out / UNRACED
            store.write_json(file, stopped.plan.to_json())
            study.skipped.append(
                Text(
                    "the conventional plan was chosen by the queue model alone: the time was too short to compare its "
                    "candidates in SUMO",
                    "phương án thông thường chỉ được chọn bằng mô hình hàng chờ: không đủ thời gian để so sánh các "
                    "phương án trong SUMO",
                )
            )
            return ("fixed-time", {"plan": str(file.resolve())}), file
        except InputError as error:
            study.skipped.append(
                Text("no conventional plan: ", "không có phương án thông thường: ") + str(error)
            )
            return None
    study.skipped.append(
        Text(
            "no conventional plan: the time was too short to make it",
            "không có phương án thông thường: không đủ thời gian để lập",
        )
    )
    return None


def _one_day(
    study: _Study,
    scenario: Scenario,
    controllers: Sequence[Named],
    seed: int,
    seconds: float,
    folder: str = RUNS,
) -> tuple[list[RunRow], bool]:
    """The done runs of one day, in the order of the controllers, and whether the time ended before all were.

    What is done already is not run again; what was done when the time ended counts.
    """
    labels = [controller_label(name, parameters) for name, parameters in controllers]

    def on_progress(id: str, outcome: Outcome) -> None:
        delay = "" if outcome.manifest is None else f" {outcome.manifest['metrics']['delay_s']:.1f} s/veh"
        name = study.names.get(outcome.label, outcome.label)
        study.say(f"day {seed - FIRST_SEED + 1}, {name}:{delay or ' ' + outcome.state}")

    with interrupted_after(seconds) as up:
        day, options = with_window(absolute(scenario), RunOptions())
        runs = with_computed_plans(
            [
                RunSpecification(day.name, day, name, parameters, seed, options=options)
                for name, parameters in controllers
            ],
            jobs=study.jobs,
        )
        runs = with_days(runs, study.out / folder / "demand")
        execute_runs(
            study.out / folder, runs, jobs=study.jobs, on_progress=on_progress, command=study.command
        )
    if not (study.out / folder / LEDGER).is_file():
        return [], up.fired
    with Ledger(study.out / folder / LEDGER, read_only=True) as ledger:
        found = {row.controller: row for row in ledger.rows() if row.seed == seed}
    return [found[label] for label in labels if label in found], up.fired


def _first_day(study: _Study, scenario: Scenario, controllers: Sequence[Named]) -> float:
    """Run the first day; returns the wall-clock time of a run, s. Raises RunError where no run ended."""
    rows, _ = _one_day(study, scenario, controllers, FIRST_SEED, study.clock.left(UNTIL["days"]))
    times = [row.wall_s for row in rows if row.done and row.wall_s is not None]
    if not times:
        failed = next((row.reason for row in rows if row.state == "failed" and row.reason), "")
        raise RunError(
            f"no run of the first day ended within {study.options.time:g} s{': ' + failed if failed else ''}; "
            "call it again, it goes on, or give a longer --time"
        )
    return sum(times) / len(times)


def _searched(
    study: _Study, scenario: Scenario, run_s: float, *, conventional: bool
) -> tuple[str, dict[str, str]] | None:
    """The controller and parameters of the new plan; None where none is better in the search or there was no time."""
    known = study.record.get("searched")
    if known is not None and known["code"] == code_hash():
        return (known["name"], known["parameters"]) if known["name"] else None
    left = study.clock.left(UNTIL["search"])
    options = TuningOptions(
        seconds=max(5.0, SEARCHED * study.options.time),
        day=MOST_PLANS if scenario.end - scenario.begin >= LONG_DAY else 0,
    )
    if expected_runs(options) * run_s / study.jobs > left:
        options = replace(options, trust=False, seeds=(1, 2))
    windowed, run_options = with_window(absolute(scenario), RunOptions())
    job = TuningJob(
        windowed,
        options,
        study.out / SEARCH,
        study.jobs,
        ProgressListener(on_message=study.say),
        run_options,
    )
    variants: list[Variant] = []
    with interrupted_after(left) as up:
        if conventional:
            job.find_conventional()
        variants, _ = job.search_variants()
    if up.fired or job.interrupted:
        if not up.fired:
            raise KeyboardInterrupt
        study.skipped.append(
            Text(
                "the search for a new plan was cut short by --time; a longer one may find a better plan",
                "việc tìm phương án mới bị dừng vì hết --time; lâu hơn có thể tìm được phương án tốt hơn",
            )
        )
    best = next((one for one in reversed(variants) if one.new), None)
    name, parameters = (best.files.controller, best.files.parameters) if best is not None else ("", {})
    if best is None and not up.fired:
        study.skipped.append(
            Text(
                "no new plan: none of those tried was better than the ",
                "không có phương án mới: khi tìm kiếm, không phương án nào tốt hơn phương án ",
            )
            + existing_adjective(assumed_plan=scenario.plan_is_assumed)
            + Text(" one in the search", "")
        )
    if not up.fired:
        study.keep(searched={"code": code_hash(), "name": name, "parameters": parameters})
    return (name, parameters) if name else None


def _days(
    study: _Study, scenario: Scenario, controllers: Sequence[Named], names: dict[str, str], run_s: float
) -> tuple[RunRow, ...]:
    """The rows of the days that every controller has, under their names, the existing plan first. Raises RunError."""
    complete: list[RunRow] = []
    took = run_s * len(controllers) / study.jobs
    done = 0
    for seed in range(FIRST_SEED, FIRST_SEED + study.options.days_wanted):
        left = study.clock.left(UNTIL["days"])
        if done and left < took:
            break
        began = time.monotonic()
        rows, late = _one_day(study, scenario, controllers, seed, left)
        if late:
            if not done:
                complete = [row for row in rows if row.done]
                study.partial = _missing(rows, controllers, names)
            break
        took = max(time.monotonic() - began, 0.1)
        complete += rows
        done += all(row.done for row in rows)
    if not any(row.done for row in complete):
        raise RunError(
            f"no run of a day ended within {study.options.time:g} s; call it again, it goes on, or give a longer --time"
        )
    if study.partial is not None:
        study.skipped.append(study.partial)
    elif done < study.options.days_wanted:
        study.skipped.append(
            Text(
                f"{done} of {study.options.days_wanted} days were simulated; call it again for more, it goes on",
                f"đã mô phỏng {done} trên {study.options.days_wanted} ngày; chạy lại lệnh để thêm ngày",
            )
        )
    return _ordered(complete, names)


def _missing(rows: Sequence[RunRow], controllers: Sequence[Named], names: dict[str, str]) -> Text:
    """Which runs of the only day are complete, and which are not."""
    done = {row.controller for row in rows if row.done}
    labels = [controller_label(name, parameters) for name, parameters in controllers]

    def said(labels: Sequence[str]) -> Text:
        assumed = EXISTING_NAME not in names.values()
        return joined([controller_title(names.get(one, one), assumed_plan=assumed) for one in labels], ", ")

    there, not_there = [one for one in labels if one in done], [one for one in labels if one not in done]
    return (
        Text(
            "the time was over within the first day: complete are the runs of ",
            "hết thời gian ngay trong ngày đầu: đã xong ",
        )
        + said(there)
        + Text("; not simulated to their end: ", "; chưa chạy xong: ")
        + said(not_there)
        + Text("; call it again, it goes on", "; chạy lại lệnh này để tiếp tục")
    )


def _in_other_fidelity(
    study: _Study, base: Scenario, scenario: Scenario, rows: Sequence[RunRow], plans: dict[str, Named]
) -> OtherFidelity | None:
    """The existing, the conventional and the new plan, and the controller recommended, in the other fidelity.

    ``plans`` are the controllers of the plans by their names: the conventional plan is that of this fidelity. None
    where there is no other fidelity or no plan to judge; with a reason instead of rows where time was too short.
    """
    other = other_fidelity(base)
    if other is None or not plans or study.partial is not None:
        return None
    other = replace(other, plan_source=scenario.plan_source)
    controllers, names = _existing(study, other)
    study.names = names
    for name, controller in plans.items():
        controllers.append(controller)
        names[controller_label(*controller)] = name
    found = conclusions([scenario], rows)
    if found and found[0][1].recommendation.candidate == ACTUATED:
        controllers.append((ACTUATED, {}))
    study.say(f"5/6 days in {other.name}")
    late = Text("--time was over; call it again, it goes on", "hết --time; chạy lại lệnh này để tiếp tục")
    with interrupted_after(study.clock.left(UNTIL["other fidelity"])) as up:
        other = _under_counts(study, other)
    complete: list[RunRow] = []
    for seed in range(FIRST_SEED, FIRST_SEED + FIDELITY_DAYS):
        left = study.clock.left(UNTIL["other fidelity"])
        if up.fired or left <= 0:
            break
        day, cut = _one_day(study, other, controllers, seed, left, FIDELITY)
        if cut or not all(row.done for row in day):
            break
        complete += day
    if not complete:
        return OtherFidelity(other, reason=late)
    return OtherFidelity(other, _ordered(complete, names))


def _under_counts(study: _Study, other: Scenario) -> Scenario:
    """The scenario of the other fidelity under the counts, if there are some."""
    if study.options.counts is None:
        return other
    folder = study.out / FIDELITY / PLACE
    if not folder.is_dir():  # new_folder makes it whole or not at all
        _built(study.options.counts, other, folder)
    return replace(open_scenario(str(folder)), name=other.name, plan_source=other.plan_source)


def _ordered(complete: Sequence[RunRow], names: dict[str, str]) -> tuple[RunRow, ...]:
    """The rows under the names of their plans, the existing plan first."""
    labels = dict.fromkeys(row.controller for row in complete)
    order = sorted(labels, key=lambda label: names.get(label) not in EXISTING_NAMES)
    return tuple(
        replace(row, controller=names.get(label, label))
        for label in order
        for row in complete
        if row.controller == label
    )
