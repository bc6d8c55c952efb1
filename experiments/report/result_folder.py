"""The results folder of an experiment: tables, statistics, a report, and a README that explains them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from denxanh.experiments.definition.experiment_file import ExperimentFile
from denxanh.experiments.results.measured_window import unfinished_flags, window_sentences
from denxanh.experiments.results.run_tables import write_runs, write_summary
from denxanh.experiments.results.statistics_file import experiment_statistics
from denxanh.experiments.results.summary import headline, summarise_rows
from denxanh.experiments.runs.fallbacks import fallback_flags
from denxanh.experiments.runs.run_row import RunRow
from denxanh.sim.run import store
from denxanh.sim.run.provenance import versions
from denxanh.sim.scenario import Scenario

STATISTICS = "statistics.json"
README = "README.md"


def write_results(
    out: Path,
    rows: Sequence[RunRow],
    file: ExperimentFile,
    scenarios: Sequence[Scenario],
    *,
    command: str,
    whole: bool,
) -> None:
    """Write the results. For a shard (``whole`` False) only the table of its runs, without statistics.

    The report needs the networks of ``scenarios`` and is omitted where one is not on this machine.
    """
    write_runs(out, rows)
    _write_readme(out, rows, command, whole)
    if not whole:
        return
    write_summary(out, summarise_rows(rows))
    with store.replacing(out / STATISTICS) as path:
        store.write_json(
            path,
            experiment_statistics(
                rows,
                file.metrics,
                vehicles_per_day=file.vehicles_per_day,
                worth_s=file.worth_s,
            ),
        )
    if any(row.done for row in rows) and all(scenario.net.is_file() for scenario in scenarios):
        from denxanh.experiments.report.comparison_report import write_comparison

        write_comparison(out, scenarios, rows, command=command)


def _write_readme(out: Path, rows: Sequence[RunRow], command: str, whole: bool) -> None:
    done = sum(row.done for row in rows)
    lines = [
        "# Results of an experiment",
        "",
        f"{len(rows)} runs, {done} done."
        + ("" if whole else " This is a shard: merge the shards with `denxanh merge OUT DIR…`."),
        "",
        *(f"- Flagged: {flag.en}." for flag in (*fallback_flags(rows), *unfinished_flags(rows))),
        *(f"- {sentence.en[0].upper()}{sentence.en[1:]}." for sentence in window_sentences(rows)),
        *(f"- {english}" for english, _ in (headline(rows) if whole else [])),
        "",
        "| file | contents |",
        "|---|---|",
        *(f"| `{name}` | {what} |" for name, what in FILES if whole or name not in WHOLE_ONLY),
        "",
        "Units: s, m, veh; names and definitions of the metrics: docs/metrics.md of denxanh.",
        "",
        "```",
        f"{command}",
        'denxanh query  . "SELECT controller, avg(delay_s) FROM runs GROUP BY controller"',
        "denxanh verify . --sample 3      # repeat some runs and compare",
        "denxanh export . --csv           # or --netcdf",
        "```",
        "",
        "Made with " + ", ".join(f"{name} {version}" for name, version in versions().items()) + ".",
        "",
    ]
    with store.replacing(out / README) as path:
        path.write_text("\n".join(lines), encoding="utf-8")


FILES = (
    (
        "experiment.toml",
        "the experiment file; the command below resumes it",
    ),
    ("report.html", "the report, one page, English and Vietnamese"),
    ("runs.csv, runs.parquet", "a row per run: place, demand, controller, seed, status, every metric, id"),
    (
        "summary.csv",
        "a row per place, demand, controller and metric: mean, 95 % interval, difference, verdict, flag",
    ),
    ("statistics.json", "bootstrap, Wilcoxon, Holm, Dunnett, Tukey, effects, power, gridlock rates, medians"),
    ("ledger.sqlite", "the state of every run, its attempts and failures; the source of the tables"),
    (
        "runs/xx/ID/manifest.json",
        "a run's inputs, versions, parameters, metrics and the command for bare SUMO",
    ),
    ("runs/xx/ID/vehicles.parquet", "a row per vehicle: departure, arrival, delay, stops, fate"),
    ("runs/xx/ID/intervals.parquet", "a row per intersection and minute: queues"),
    ("runs/xx/ID/signals.parquet", "a row per change of a signal"),
    ("runs/xx/ID/edges.parquet", "a row per edge: vehicle-seconds, time lost, speed, CO2, fuel"),
    ("runs/xx/ID/movements.parquet", "a row per movement, lane group, approach and intersection"),
    ("runs/xx/ID/vehicle_types.parquet", "a row per vehicle type and class: delay, stops, level of service"),
    ("demand/", "route files of resampled days, named by their content"),
)
WHOLE_ONLY = ("report.html", "summary.csv", "statistics.json")
