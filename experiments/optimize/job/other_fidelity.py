"""The plans of an optimisation judged in the other fidelity of their place: does the gain hold there?

A plan found in ``lane``, where a motorbike is a share of a car, has to be as good in ``sublane``, where motorbikes ride
side by side. The queue model is fitted to one of the two only, so nothing else tells.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path

from denxanh.experiments.optimize.job.progress_listener import ProgressListener
from denxanh.experiments.optimize.job.tuning_options import TuningOptions
from denxanh.experiments.optimize.job.tuning_result import ConventionalBaseline, OtherFidelity, Variant
from denxanh.experiments.optimize.job.validation import execute_until_late, held_out_runs, named
from denxanh.experiments.results.gains import Gain
from denxanh.experiments.results.references import EXISTING_NAMES
from denxanh.experiments.results.summary import gains
from denxanh.experiments.runs.run_row import RunRow
from denxanh.experiments.specification.run_options import RunOptions
from denxanh.networks.scenarios import other_fidelity
from denxanh.sim.demand.departures import read_departures
from denxanh.sim.language.text import Text, number, same
from denxanh.sim.scenario import Scenario

JUDGE_SEEDS = 5
"""Held-out seeds of the other fidelity: the t quantile is 2.8 with five and 4.3 with three."""
MOST_VEHICLES = 15_000
"""Vehicles up to which ``auto`` judges: a run of as many in ``sublane`` takes two to three minutes of CPU."""


def judge(
    scenario: Scenario,
    options: TuningOptions,
    new: Sequence[Variant],
    baseline: ConventionalBaseline,
    out: Path,
    *,
    jobs: int,
    run_options: RunOptions,
    listener: ProgressListener,
    cluster: str | None = None,
) -> OtherFidelity | None:
    """Run the existing plan, the conventional and the ``new`` ones in the other fidelity, on JUDGE_SEEDS seeds.

    None where the place has no other fidelity, where nobody asks for it, or where there is no plan to judge. With a
    reason instead of rows where ``auto`` finds too many vehicles, or if it was interrupted.
    """
    if options.judge_fidelity == "never" or not (new or baseline.file is not None):
        return None
    other = other_fidelity(scenario)
    if other is None:
        return None
    other = replace(other, plan_source=scenario.plan_source)
    if options.judge_fidelity == "auto":
        vehicles = sum(read_departures(path, other.begin, other.end).due for path in other.routes)
        if vehicles > MOST_VEHICLES:
            return OtherFidelity(
                other,
                reason=Text(
                    f"{vehicles} vehicles, more than {MOST_VEHICLES}; --judge-fidelity always judges them, --end "
                    "shortens the runs",
                    f"{vehicles} xe, nhiều hơn {MOST_VEHICLES}; --judge-fidelity always vẫn đánh giá, --end rút ngắn "
                    "các lượt chạy",
                ),
            )
    runs, names = held_out_runs(
        [other], options, new, baseline, out, seeds=options.held_out[:JUDGE_SEEDS], run_options=run_options
    )
    listener.on_message(f"judging the plans in {other.name}: {len(runs)} runs")
    try:
        rows = execute_until_late(out, runs, jobs=jobs, listener=listener, cluster=cluster)
    except KeyboardInterrupt:
        return OtherFidelity(other, reason=Text("interrupted", "bị dừng sớm"))
    done = named(rows, runs, names)
    late = Text(
        "no run came to its end in the time given", "không lượt chạy nào xong trong thời gian cho phép"
    )
    return OtherFidelity(other, done, reason=None if done else late)


def fidelity_sentences(
    here: Sequence[RunRow],
    other: OtherFidelity,
    *,
    title: Callable[[str], Text] = same,
    of: Collection[str] = (),
) -> list[Text]:
    """Whether each gain holds in the other fidelity, with both gains; ``here``: the rows of the validation.

    A gain holds where its own 95 % interval in the other fidelity is above 0, and does not where it is below.
    ``title`` names a controller, ``of`` are the controllers whose gains are told; empty for all.
    """
    if other.reason is not None:
        name = other.scenario.name
        return [Text(f"Not judged in {name}: ", f"Chưa đánh giá trong {name}: ") + other.reason + "."]
    place = here[0].place if here else ""
    before = {(g.controller, g.reference): g for g in gains([row for row in here if row.place == place])}
    return [
        _sentence(gain, before.get((gain.controller, gain.reference)), other, title)
        for gain in gains(other.rows)
        if gain.controller not in EXISTING_NAMES and (not of or gain.controller in of)
    ]


def _sentence(gain: Gain, before: Gain | None, other: OtherFidelity, title: Callable[[str], Text]) -> Text:
    name = other.scenario.name
    both = title(gain.controller) + Text(" over ", " so với ") + title(gain.reference)
    said = {
        "better": Text("holds", "vẫn đúng"),
        "worse": Text("does not hold", "không còn đúng"),
        "open": Text("is not shown", "chưa được chứng minh"),
    }[gain.shown]
    head = both + Text(f" in {name}: the gain ", f" trong {name}: mức cải thiện ")
    there = said + ", " + _amount(gain)
    if before is None:
        return head + there + "."
    if before.shown != "better":
        head = both + Text(f" in {name}: a gain ", f" trong {name}: mức cải thiện ")
    return head + there + Text(", here ", ", ở đây ") + _amount(before) + "."


def _amount(gain: Gain) -> Text:
    """A gain in s/veh with its interval and number of pairs."""
    value = number(gain.gain, 1) + Text(" s/veh", " s/xe")
    if gain.low is None or gain.high is None or not math.isfinite(gain.low):
        return value + Text(f" ({gain.n} pair)", f" ({gain.n} cặp)")
    return (
        value
        + " ("
        + number(gain.low, 1)
        + "…"
        + number(gain.high, 1)
        + Text(f", {gain.n} pairs)", f", {gain.n} cặp)")
    )
