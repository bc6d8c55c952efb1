"""The plans that a study makes: the conventional one and the new one, each within its share of the time."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from denxanh.experiments.optimize.job.conventional import NotRaced, conventional_plan_file
from denxanh.experiments.optimize.job.expected_runs import expected_runs
from denxanh.experiments.optimize.job.progress_listener import ProgressListener
from denxanh.experiments.optimize.job.tuning_job import TuningJob
from denxanh.experiments.optimize.job.tuning_options import TuningOptions
from denxanh.experiments.optimize.job.tuning_result import Variant
from denxanh.experiments.results.references import CONVENTIONAL, existing_adjective
from denxanh.experiments.specification.identity import code_hash
from denxanh.experiments.specification.run_options import RunOptions
from denxanh.experiments.specification.run_specification import absolute, with_window
from denxanh.experiments.study.study_clock import interrupted_after
from denxanh.experiments.study.study_state import SEARCH, UNTIL, Named, Study
from denxanh.sim.errors import InputError
from denxanh.sim.language.text import Text
from denxanh.sim.run import store
from denxanh.sim.scenario import Scenario

LONG_DAY = 2 * 3600.0  # s: from two hours on plans by time of day are searched too
MOST_PLANS = 3  # by time of day
SEARCHED = 15.0 / 1200.0  # CPU time of the search in the model: what ``optimize`` takes, in a study of 20 min
RACED = 0.9  # share of the time of the conventional plan after which SUMO starts no further candidate
UNRACED = "conventional.json"  # the conventional plan that the queue model ranks first


def conventional_controller(study: Study, scenario: Scenario) -> tuple[Named, Path] | None:
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


def searched_controller(
    study: Study, scenario: Scenario, run_s: float, *, conventional: bool
) -> tuple[str, dict[str, str]] | None:
    """The controller and parameters of the optimised plan; None where there is none or was no time."""
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
                "the search for a better plan was cut short by --time; a longer one may find a better plan",
                "việc tìm phương án tối ưu bị dừng vì hết --time; lâu hơn có thể tìm được phương án tốt hơn",
            )
        )
    best = next((one for one in reversed(variants) if one.new), None)
    name, parameters = (best.files.controller, best.files.parameters) if best is not None else ("", {})
    if best is None and not up.fired:
        study.skipped.append(
            Text(
                "no optimised plan: none of those tried was better than the ",
                "không có phương án tối ưu: khi tìm kiếm, không phương án nào tốt hơn phương án ",
            )
            + existing_adjective(assumed_plan=scenario.plan_is_assumed)
            + Text(" one in the search", "")
        )
    if not up.fired:
        study.keep(searched={"code": code_hash(), "name": name, "parameters": parameters})
    return (name, parameters) if name else None
