"""The number of SUMO runs that an optimisation takes."""

from __future__ import annotations

from denxanh.experiments.optimize.job.tuning_options import TuningOptions
from denxanh.experiments.optimize.job.validation import HELD_OUT_DAYS
from denxanh.experiments.optimize.search.actuated_program import expected_actuation_runs
from denxanh.experiments.optimize.search.confirmation import EXTRA_SEEDS, LEADERS
from denxanh.experiments.optimize.search.fidelity import PLANS, SEEDS
from denxanh.experiments.optimize.search.tuner import Budget


def expected_runs(options: TuningOptions) -> int:
    """Number of SUMO runs: fidelity, evaluation in each round, confirmation, actuated search, validation.

    With ``--lefts both`` there are two searches.
    """
    budget = Budget()
    evaluation = budget.rounds * budget.evaluated * len(options.seeds)
    search = (PLANS * SEEDS if options.trust else 0) + evaluation + (LEADERS + 1) * EXTRA_SEEDS
    if options.kind == "actuated":
        search += expected_actuation_runs(len(options.seeds))
    searches = 2 if options.lefts == "both" else 1
    days = 1 if options.days == "each" else 1 + HELD_OUT_DAYS
    validation = (2 + searches) * len(options.held_out) * days  # existing, conventional and optimised plans
    return searches * search + validation
