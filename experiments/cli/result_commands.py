"""Commands on results: ``query``, ``table``, ``report``, ``explain``, ``verify``, ``export``, ``event-log`` …."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from denxanh.experiments.cli.arguments import WALL_LIMIT, LimitOption, OutOption, read_limit
from denxanh.experiments.cli.streams import echo
from denxanh.sim.input.limits import RUNS, SEED

FolderArgument = Annotated[Path, typer.Argument(metavar="DIR", help="The folder of an experiment.")]


def install(app: typer.Typer) -> None:
    """Add these commands to the program."""
    for command in (query, table, report, explain, verify, export, pack):
        app.command()(command)
    app.command("event-log")(event_log)


def query(
    folder: FolderArgument,
    sql: Annotated[
        str, typer.Argument(metavar="SQL", help="Over runs, vehicles, intervals, signals, edges.")
    ],
    unsafe: Annotated[
        bool, typer.Option("--unsafe", help="Allow all SQL of duckdb, which can read and write any file.")
    ] = False,
) -> None:
    """Ask an experiment's results in SQL."""
    from denxanh.experiments.cli import printing
    from denxanh.experiments.results.query import query as ask

    printing.print_table(*ask(folder, sql, unsafe=unsafe))


def table(
    folder: FolderArgument,
    metric: Annotated[str, typer.Option(help="A metric of docs/metrics.md.")] = "delay_s",
    csv: Annotated[bool, typer.Option("--csv", help="CSV instead of Markdown.")] = False,
) -> None:
    """Print controllers against places for one metric, and mark those not distinguishable from the best."""
    from denxanh.experiments.results.pivot import as_csv, markdown, pivot
    from denxanh.experiments.results.run_tables import read_rows

    found = pivot(read_rows(folder), metric)
    echo(as_csv(found) if csv else markdown(found), end="" if csv else "\n")


def report(
    folder: FolderArgument,
    lang: Annotated[
        str | None, typer.Option("--lang", metavar="en|vi", help="Also a page that opens in this language.")
    ] = None,
    pdf: Annotated[
        bool, typer.Option("--pdf", help="Also a PDF, A4, in --lang (English without it), by a browser.")
    ] = False,
) -> None:
    """Write the tables and report.html of results again; nothing is simulated.

    Of a study or an optimisation the report stays as it is; --lang and --pdf work.
    """
    from denxanh.experiments.cli.arguments import read_language
    from denxanh.experiments.report.pdf import find_browser, print_page
    from denxanh.experiments.results.load import LEDGER
    from denxanh.experiments.rewrite import REPORT, rewrite, write_in_language

    language = read_language(lang or "en")
    if pdf:
        find_browser()
    made = not (folder / LEDGER).exists() and (folder / REPORT).is_file() and (lang is not None or pdf)
    page = folder / REPORT if made else rewrite(folder)
    echo(f"report: {page}")
    if lang is not None:
        echo(f"report: {write_in_language(page, language)}")
    if pdf:
        target = folder / f"report-{language}.pdf"
        print_page(page, target, language)
        echo(f"report: {target}")


def explain(
    path: Annotated[Path, typer.Argument(metavar="RUN|DIR", help="The folder of a run or an experiment.")],
    signal: Annotated[str, typer.Argument(metavar="SIGNAL", help="The signal, as tables name it.")],
    time: Annotated[float, typer.Argument(metavar="TIME", help="s, the clock of the scenario.")],
    controller: Annotated[
        str | None,
        typer.Option("-c", "--controller", metavar="NAME", help="Whose run of DIR; default: the first."),
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, max=SEED, help="Which seed of DIR.")] = None,
    place: Annotated[str | None, typer.Option(metavar="PLACE", help="Which place of DIR.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of text.")] = False,
) -> None:
    """Explain a decision: what a strategy saw at a signal, the plans it weighed, and why it chose.

    The run is simulated again up to that time and compared with the stored one.
    """
    import json

    from denxanh.experiments.explain.explanation import explain as explain_decision
    from denxanh.experiments.explain.explanation_text import text
    from denxanh.experiments.replay.choice import choose_runs

    chosen = choose_runs([path], controllers=[controller] if controller else (), seed=seed, place=place)
    found = explain_decision(chosen[0].run, signal, time)
    echo(json.dumps(found, indent=2, ensure_ascii=False) if as_json else text(found))


def pack(
    folder: FolderArgument,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="The archive, .zip (default DIR.zip), .tar.gz or .tar."),
    ] = None,
) -> None:
    """Pack results with all their inputs into one archive, to go on with on another machine."""
    from denxanh.experiments.pack import pack as write_archive

    packed = write_archive(folder, out)
    name = folder.resolve().name
    echo(f"{packed.path}: {packed.done} runs done, with their inputs")
    echo(
        f"unpack it anywhere, then  denxanh experiment {name}/experiment.toml --out {name}  goes on with it"
        if packed.resumable
        else "query, table, report and verify work on it; its runs are no experiment that can be extended"
    )


def verify(
    folder: FolderArgument,
    sample: Annotated[int, typer.Option(min=0, max=RUNS, help="How many runs to do again.")] = 3,
    seed: Annotated[int, typer.Option(min=0, max=SEED, help="Which ones.")] = 1,
    limit: LimitOption = WALL_LIMIT,
) -> None:
    """Verify every file, compute metrics, tables and report again, and repeat a sample of runs to compare them."""
    from denxanh.experiments.cli import printing
    from denxanh.experiments.reproduction import verify_outputs
    from denxanh.experiments.results.verify import verify as check_again
    from denxanh.experiments.specification.run_options import Limits

    found = check_again(
        folder, sample=sample, seed=seed, limits=Limits(read_limit(limit)), on_verdict=printing.print_verdict
    )
    found += verify_outputs(folder, found, on_verdict=printing.print_verdict)
    printing.print_verification(found)
    if any(verdict.state != "same" for verdict in found):
        raise typer.Exit(1)


def export(
    folder: FolderArgument,
    csv: Annotated[bool, typer.Option("--csv", help="Every table as CSV.")] = False,
    netcdf: Annotated[bool, typer.Option("--netcdf", help="The runs as NetCDF.")] = False,
    atspm: Annotated[
        bool, typer.Option("--atspm", help="The signals of each run as a high-resolution event log.")
    ] = False,
    detections: Annotated[
        bool,
        typer.Option(
            "--detections", help="In the event log also those of detectors: simulates each run again."
        ),
    ] = False,
    out: OutOption = None,
) -> None:
    """Write an experiment's results for other programs."""
    from denxanh.experiments.formats.event_files import export_events
    from denxanh.experiments.results.export import export_csv, export_netcdf
    from denxanh.sim.errors import InputError

    if not csv and not netcdf and not atspm:
        raise InputError("no format is named", remedy="give --csv, --netcdf or --atspm")
    if detections and not atspm:
        raise InputError("--detections belongs to the event log", remedy="give --atspm with it")
    target = out or folder / "export"
    written = [
        *(export_csv(folder, target) if csv else []),
        *([export_netcdf(folder, target)] if netcdf else []),
        *(export_events(folder, target, detections=detections) if atspm else []),
    ]
    for path in written:
        echo(path)


def event_log(
    log: Annotated[Path, typer.Argument(metavar="LOG", help="The events of controllers, CSV or Parquet.")],
    detectors: Annotated[
        Path | None,
        typer.Option(
            "--detectors", metavar="FILE", help="Phase and function of each detector, CSV or Parquet."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="CSV", help="Write the same table as CSV.")
    ] = None,
) -> None:
    """Measure an event log: cycle, green, arrivals on green and split failures of each phase."""
    from denxanh.experiments.cli import printing
    from denxanh.experiments.formats.controller_logs.log_measures import (
        TABLE_HEADS,
        phase_measures,
        table_row,
    )
    from denxanh.experiments.formats.controller_logs.log_reader import read_detectors, read_log
    from denxanh.experiments.formats.table_text import table_text
    from denxanh.sim.run.store import replacing

    found = phase_measures(read_log(log), read_detectors(detectors) if detectors is not None else ())
    rows = [table_row(one) for one in found]
    printing.print_table(TABLE_HEADS, rows)
    if out is not None:
        with replacing(out) as path:
            path.write_text(table_text(TABLE_HEADS, rows), encoding="utf-8", newline="\n")
        echo(out)
