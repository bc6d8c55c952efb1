"""The days of a study that no plan was made on, in both fidelities, each within its share of the time."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from denxanh.experiments.compare import execute_runs, with_days
from denxanh.experiments.optimize.job.conventional import with_computed_plans
from denxanh.experiments.optimize.job.tuning_result import OtherFidelity
from denxanh.experiments.report.decision.conclusions import conclusions
from denxanh.experiments.report.decision.names import controller_title
from denxanh.experiments.results.load import LEDGER
from denxanh.experiments.results.references import EXISTING_NAME, EXISTING_NAMES
from denxanh.experiments.runs.execution import Outcome
from denxanh.experiments.runs.ledger import Ledger
from denxanh.experiments.runs.run_row import RunRow
from denxanh.experiments.specification.run_options import RunOptions
from denxanh.experiments.specification.run_specification import (
    RunSpecification,
    absolute,
    controller_label,
    with_window,
)
from denxanh.experiments.study.counted_place import under_counts
from denxanh.experiments.study.study_clock import interrupted_after
from denxanh.experiments.study.study_state import (
    ACTUATED,
    FIDELITY,
    RUNS,
    UNTIL,
    Named,
    Study,
    existing_controller,
)
from denxanh.networks.scenarios import other_fidelity
from denxanh.sim.errors import RunError
from denxanh.sim.language.text import Text, joined
from denxanh.sim.scenario import Scenario

FIRST_SEED = 201  # of the days that decide; no seed of the search
# in the other fidelity, whose runs take several times as long; two give no interval worth the name
FIDELITY_DAYS = 3


def one_day(
    study: Study,
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


def first_day(study: Study, scenario: Scenario, controllers: Sequence[Named]) -> float:
    """Run the first day; returns the wall-clock time of a run, s. Raises RunError where no run ended."""
    rows, _ = one_day(study, scenario, controllers, FIRST_SEED, study.clock.left(UNTIL["days"]))
    times = [row.wall_s for row in rows if row.done and row.wall_s is not None]
    if not times:
        failed = next((row.reason for row in rows if row.state == "failed" and row.reason), "")
        raise RunError(
            f"no run of the first day ended within {study.options.time:g} s{': ' + failed if failed else ''}; "
            "call it again, it goes on, or give a longer --time"
        )
    return sum(times) / len(times)


def held_out_days(
    study: Study, scenario: Scenario, controllers: Sequence[Named], names: dict[str, str], run_s: float
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
        rows, late = one_day(study, scenario, controllers, seed, left)
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


def in_other_fidelity(
    study: Study, base: Scenario, scenario: Scenario, rows: Sequence[RunRow], plans: dict[str, Named]
) -> OtherFidelity | None:
    """The existing, the conventional and the optimised plan, and the controller recommended, in the other fidelity.

    ``plans`` are the controllers of the plans by their names: the conventional plan is that of this fidelity. None
    where there is no other fidelity or no plan to judge; with a reason instead of rows where time was too short.
    """
    other = other_fidelity(base)
    if other is None or not plans or study.partial is not None:
        return None
    other = replace(other, plan_source=scenario.plan_source)
    controllers, names = existing_controller(study, other)
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
        other = under_counts(study, other)
    complete: list[RunRow] = []
    for seed in range(FIRST_SEED, FIRST_SEED + FIDELITY_DAYS):
        left = study.clock.left(UNTIL["other fidelity"])
        if up.fired or left <= 0:
            break
        day, cut = one_day(study, other, controllers, seed, left, FIDELITY)
        if cut or not all(row.done for row in day):
            break
        complete += day
    if not complete:
        return OtherFidelity(other, reason=late)
    return OtherFidelity(other, _ordered(complete, names))


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
