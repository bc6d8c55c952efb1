"""What an experiment leaves in its folder: tables, statistics, a report, and a README that explains them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from experiments.experiment_file import ExperimentFile
from experiments.findings import findings
from experiments.ledger import Row
from experiments.records import replacing, write_runs, write_summary
from experiments.summary import headline, summarise_rows
from sim import store
from sim.run import versions
from sim.scenario import Scenario

STATISTICS = "statistics.json"
README = "README.md"


def write_results(
    out: Path,
    rows: Sequence[Row],
    file: ExperimentFile,
    scenarios: Sequence[Scenario],
    *,
    command: str,
    whole: bool,
) -> None:
    """Write the tables; of a part (a shard) only those of its runs, for nothing can be concluded from it.

    The report needs the networks of ``scenarios``, and is left out where one is not on this machine.
    """
    write_runs(out, rows)
    _write_readme(out, rows, command, whole)
    if not whole:
        return
    write_summary(out, summarise_rows(rows))
    with replacing(out / STATISTICS) as path:
        store.write_json(
            path,
            findings(
                rows,
                file.metrics,
                vehicles_per_day=file.vehicles_per_day,
                worth_s=file.worth_s,
            ),
        )
    if any(row.state == "done" for row in rows) and all(scenario.net.is_file() for scenario in scenarios):
        from experiments.reporting import write_comparison

        write_comparison(out, scenarios, rows, command=command)


def _write_readme(out: Path, rows: Sequence[Row], command: str, whole: bool) -> None:
    done = sum(row.state == "done" for row in rows)
    lines = [
        "# Results of an experiment",
        "",
        f"{len(rows)} runs, {done} done."
        + ("" if whole else " This is a part: put the parts together with `denxanh merge OUT DIR…`."),
        "",
        *(f"- {english}" for english, _ in (headline(rows) if whole else [])),
        "",
        "| file | what it holds |",
        "|---|---|",
        *(f"| `{name}` | {what} |" for name, what in FILES if whole or name not in WHOLE_ONLY),
        "",
        "Units: s, m, veh; names and definitions of the metrics: docs/metrics.md of denxanh.",
        "",
        "```",
        f"{command}",
        'denxanh query  . "SELECT controller, avg(delay_s) FROM runs GROUP BY controller"',
        "denxanh verify . --sample 3      # run some again and compare",
        "denxanh export . --csv           # or --netcdf",
        "```",
        "",
        "Made with " + ", ".join(f"{name} {version}" for name, version in versions().items()) + ".",
        "",
    ]
    with replacing(out / README) as path:
        path.write_text("\n".join(lines), encoding="utf-8")


FILES = (
    (
        "experiment.toml",
        "the experiment as it was asked for; the command below goes on with it",
    ),
    ("report.html", "the report, one page, English and Vietnamese"),
    ("runs.csv, runs.parquet", "a row per run: place, demand, controller, seed, status, every metric, id"),
    (
        "summary.csv",
        "a row per place, demand, controller and metric: mean, 95 % interval, difference, verdict",
    ),
    ("statistics.json", "bootstrap, Wilcoxon, Holm, Dunnett, Tukey, effects, power, gridlock rates, medians"),
    ("ledger.sqlite", "the state of every run, its attempts and why it failed; the tables are made from it"),
    (
        "runs/xx/ID/manifest.json",
        "a run's inputs, versions, parameters, metrics and the command for bare SUMO",
    ),
    ("runs/xx/ID/vehicles.parquet", "a row per vehicle: departure, arrival, delay, stops, fate"),
    ("runs/xx/ID/intervals.parquet", "a row per intersection and minute: queues"),
    ("runs/xx/ID/signals.parquet", "a row per change of a signal"),
    ("runs/xx/ID/edges.parquet", "a row per edge: vehicle-seconds, time lost, speed, CO2, fuel"),
    ("demand/", "route files of resampled days, named by their content"),
)
WHOLE_ONLY = ("report.html", "summary.csv", "statistics.json")
