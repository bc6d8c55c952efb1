"""``denxanh optimize``: search a plan for a scenario, validate it in SUMO on held-out seeds and days, write its files.

The search ranks thousands of plans in the surrogate; SUMO evaluates the best few on training seeds. The reported
results are SUMO's on held-out seeds and days, beside the conventional plan and the existing one.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from denxanh.experiments.optimize.evaluation.deadline import Deadline
from denxanh.experiments.optimize.job.final_plan import settle
from denxanh.experiments.optimize.job.plan_files import check_no_links, write_front
from denxanh.experiments.optimize.job.progress_listener import ProgressListener
from denxanh.experiments.optimize.job.result_file import write_result
from denxanh.experiments.optimize.job.tuning_job import TuningJob
from denxanh.experiments.optimize.job.tuning_options import TuningOptions
from denxanh.experiments.optimize.job.tuning_result import TuningResult
from denxanh.experiments.optimize.problem.objective import pair_costs
from denxanh.experiments.optimize.search.day_search import periods
from denxanh.experiments.optimize.search.front import EvaluatedFront
from denxanh.experiments.results.references import existing_name
from denxanh.experiments.specification.run_options import Limits, RunOptions
from denxanh.experiments.specification.run_specification import absolute, with_plan_source, with_window
from denxanh.sim.scenario import Scenario


def optimize(
    scenario: Scenario,
    options: TuningOptions,
    out: Path,
    *,
    jobs: int,
    limits: Limits,
    listener: ProgressListener | None = None,
    cluster: str | None = None,
) -> TuningResult:
    """Search a plan, write its files into ``out``, and run it beside the existing and the conventional plan on held-out
    seeds and days. Where the conventional plan is better, it is the result.

    ``jobs`` is the number of SUMO processes at a time; the held-out runs go to the workers of the Dask scheduler
    ``cluster`` if it is given. Ctrl-C ends the search with the best plan so far, and a second
    one the validation, before which the plans have been written. Raises InputError where nothing can be tuned.
    """
    if options.day:
        periods(scenario.begin, scenario.end, options.day_period)  # raises before the search, not after it
    out.mkdir(parents=True, exist_ok=True)
    check_no_links(out)
    wanted = RunOptions(
        warm_up=options.warm_up, flush=options.flush, limits=limits, plan_is_real=options.plan_is_real
    )
    windowed, run_options = with_window(with_plan_source(absolute(scenario), wanted), wanted)
    listener = listener or ProgressListener()
    for note in windowed.notes[len(scenario.notes) :]:
        listener.on_message(note)
    scenario = windowed
    job = TuningJob(scenario, options, out, jobs, listener, run_options, cluster)
    if options.time is not None:
        job.deadline = Deadline(options.time, actuated=options.kind == "actuated").started()
    job.needs_baseline = True
    front: EvaluatedFront | None = None
    if options.pareto is not None:
        front, variants, problem = job.search_front(options.pareto)
    else:
        variants, problem = job.search_variants()
    validation = job.validation(variants, problem)
    job.interrupted |= validation.interrupted
    other = job.judge_in_other_fidelity(variants)
    if options.pareto is not None and validation.values is not None:
        names = [existing_name(scenario), *(v.name for v in variants if v.validated)]
        costs = pair_costs(options.pareto, validation.values)
        write_front(out, names, [o.name for o in options.pareto], costs)
    settled = settle(variants, validation, job.baseline, options, problem.network)
    result = TuningResult(
        tuple(settled),
        problem.network,
        validation.rows,
        validation.scenarios,
        out,
        front,
        validation.values,
        job.interrupted,
        replace(job.baseline, values=validation.conventional_values),
        other,
    )
    write_result(result, options)
    return result
