"""optimize.json: the result of an optimisation as data, the gain over the conventional plan first."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from denxanh.experiments.optimize.job.tuning_options import TuningOptions
from denxanh.experiments.optimize.job.tuning_result import TuningResult, Variant
from denxanh.experiments.results.gains import Gain
from denxanh.experiments.results.summary import gains
from denxanh.experiments.runs.run_row import RunRow
from denxanh.sim.run import store

RESULT = "optimize.json"
SCHEMA = "denxanh-optimize/1"


def write_result(result: TuningResult, options: TuningOptions) -> None:
    """Write ``optimize.json`` into the folder of the result."""
    text = json.dumps(result_json(result, options), indent=1, ensure_ascii=False)
    with store.replacing(result.folder / RESULT) as new:
        new.write_text(text + "\n", encoding="utf-8")


def result_json(result: TuningResult, options: TuningOptions) -> dict[str, Any]:
    """Result, gains (s/veh of delay, above 0 better, 95 % interval of pairs) and how they were measured."""
    other = result.other_fidelity
    return {
        "schema": SCHEMA,
        "place": result.scenarios[0].name if result.scenarios else None,
        "plans": [_plan(variant, result) for variant in result.variants],
        "gains": _gains(result.rows),
        "other_fidelity": None
        if other is None
        else {
            "place": other.scenario.name,
            "gains": _gains(other.rows),
            "not_judged": other.reason.en if other.reason else None,
        },
        "existing_plan": result.existing_name,
        "no_conventional_plan": result.baseline.reason or None,
        "objective": options.objective.name
        if options.pareto is None
        else [objective.name for objective in options.pareto],
        "search_seeds": list(options.seeds),
        "held_out_seeds": sorted({row.seed for row in result.rows}),
        "days": options.days,
        "interrupted": result.interrupted,
    }


def _plan(variant: Variant, result: TuningResult) -> dict[str, Any]:
    """A plan of the result: its name, what it is, and its file."""
    kind = "conventional" if variant.is_conventional else "found" if variant.plan.timings else "existing"
    folder = variant.files.folder.resolve().relative_to(result.folder.resolve())
    return {
        "name": variant.name,
        "result": kind,
        "folder": folder.as_posix(),
        "controller": variant.files.controller,
        "note": variant.plan.note,
    }


def _gains(rows: Sequence[RunRow]) -> list[dict[str, Any]]:
    return [_gain(gain) for gain in gains(rows)]


def _gain(gain: Gain) -> dict[str, Any]:
    share = gain.share
    return {
        "place": gain.place,
        "plan": gain.controller,
        "over": gain.reference,
        "gain_s": gain.gain,
        "low_s": gain.low,
        "high_s": gain.high,
        "per_cent": None if share is None else 100 * share[0],
        "reference_s": gain.reference_mean,
        "pairs": gain.n,
        "shown": gain.shown,
    }
