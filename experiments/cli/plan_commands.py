"""Commands on signal plans: ``plan``, ``analyse``, ``sheet``, ``export-plan``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from denxanh.experiments.cli.arguments import EndOption, OutOption, PlaceArgument, read_end
from denxanh.experiments.cli.streams import echo

if TYPE_CHECKING:
    from denxanh.sim.network import Network
    from denxanh.sim.plan import Plan


def install(app: typer.Typer) -> None:
    """Add these commands to the program."""
    for command in (plan, analyse, sheet):
        app.command()(command)
    app.command("export-plan")(export_plan)


def plan(
    place: PlaceArgument,
    source: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="FILE|DIR",
            help="A plan of another program instead: gian_do_pha.csv, UTDF, or a folder of GMNS tables.",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="The plan to write (default plan.json).")
    ] = None,
) -> None:
    """Write the existing plan of a place, or one read from another program's file, as plan.json to edit and run."""
    from denxanh.experiments.formats.existing_plan import existing_plan
    from denxanh.networks.scenarios import open_scenario
    from denxanh.sim.errors import InputError
    from denxanh.sim.network_reader import network_of
    from denxanh.sim.signals.operation import operation_notes

    target = out or Path("plan.json")
    if target.exists():
        raise InputError("it exists already", location=str(target), remedy="name another file with --out")
    network = network_of(open_scenario(place))
    if not network.intersections:
        raise InputError(
            "there is no signal that a plan can control",
            location=place,
            remedy="see 'denxanh check' for the reasons",
        )
    if source is not None:
        _write_read_plans(source, network, target, place)
        return
    for reason, signals in network.left_by_reason().items():
        echo(f"not in the plan, since {reason}: {', '.join(signals)}")
    for said in operation_notes(network.by_operation()):
        echo(said.en)
    _write_plan(existing_plan(network), target)
    echo(f"{target}: {len(network.intersections)} signals; edit it, then")
    _tell_command(place, f"fixed-time:plan={target}")


def _write_read_plans(source: Path, network: Network, target: Path, place: str) -> None:
    """Write the plans of another program's file; plans by hours beside a day.json."""
    from denxanh.experiments.formats.plan_readers import read_plans
    from denxanh.experiments.optimize.problem.day_schedule import clock_text
    from denxanh.sim.run import store
    from denxanh.sim.signals.plan_check import checked_plan
    from denxanh.sim.signals.planned_network import with_plan

    found = read_plans(source, network)
    for one in found.plans:
        checked_plan(network, with_plan(network, one))
    for note in found.notes:
        echo(note)
    if not found.switches:
        _write_plan(found.plans[0], target)
        echo(f"{target}: {len(found.plans[0].timings)} signals from {found.format}")
        _tell_command(place, f"fixed-time:plan={target}")
        return
    files = [target.with_name(f"{target.stem}-{k}.json") for k in range(1, len(found.plans) + 1)]
    for file, one in zip(files, found.plans, strict=True):
        _write_plan(one, file)
    day = target.with_name("day.json")
    rows = [{"from": clock_text(s.time), "plan": files[s.plan].name} for s in found.switches]
    store.write_json(day, rows)
    echo(f"{day}: {len(files)} plans by time of day from {found.format}")
    _tell_command(place, f"time-of-day:schedule={day}")


def _write_plan(one: Plan, file: Path) -> None:
    from denxanh.sim.run import store

    store.write_json(file, one.to_json())


def _tell_command(place: str, controller: str) -> None:
    import shlex

    echo(shlex.join(["denxanh", "run", place, "-c", controller]))


def analyse(
    place: PlaceArgument,
    plan: Annotated[
        Path | None,
        typer.Option("--plan", metavar="FILE", help="A plan.json in place of the existing plan."),
    ] = None,
    run: Annotated[
        Path | None,
        typer.Option("--run", metavar="DIR", help="A run of the plan, whose simulated delay stands beside."),
    ] = None,
    end: EndOption = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE.csv", help="All columns, as CSV.")
    ] = None,
) -> None:
    """Compute delay, level of service and queues of a fixed-time plan by the Highway Capacity Manual."""
    from denxanh.experiments.cli import printing
    from denxanh.experiments.formats.plan_analysis import analyse_plan, analysis_csv
    from denxanh.networks.scenarios import open_scenario

    scenario = open_scenario(place, end=read_end(end))
    table = analyse_plan(scenario, plan, run)
    if out is not None:
        out.write_text(analysis_csv(table), encoding="utf-8", newline="\n")
    printing.print_notes(scenario)
    printing.print_analysis(table)
    if out is not None:
        echo(out)


PlanArgument = Annotated[
    Path,
    typer.Argument(metavar="PLAN|DIR", help="A plan.json, a day.json, or the folder of 'denxanh optimize'."),
]
OfPlace = Annotated[
    str | None,
    typer.Option(
        "--place", metavar="PLACE", help="The place of the plan; a folder of 'optimize' names it itself."
    ),
]
LanguageOption = Annotated[str, typer.Option("--lang", metavar="vi|en", help="Language: vi or en.")]


def sheet(
    source: PlanArgument,
    place: OfPlace = None,
    lang: LanguageOption = "vi",
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FILE", help="The .pdf or .xlsx to write; default: both, named after the plan."
        ),
    ] = None,
) -> None:
    """Write the timing sheet for the cabinet: A4 PDF and XLSX, in Vietnamese or English."""
    from datetime import date

    from denxanh.experiments.formats.plan_source import open_plans
    from denxanh.experiments.report.decision.names import place_title
    from denxanh.experiments.sheet.sheet_content import SheetHead, signal_sheets
    from denxanh.experiments.sheet.sheet_pages import write_pages
    from denxanh.experiments.sheet.sheet_workbook import write_workbook
    from denxanh.sim.errors import InputError

    if lang not in ("vi", "en"):
        raise InputError(f"--lang {lang!r} is not known", remedy="choose vi or en")
    kinds = {".pdf", ".xlsx"} if out is None else {out.suffix.lower()}
    if not kinds <= {".pdf", ".xlsx"}:
        raise InputError(f"--out {str(out)!r} is neither a .pdf nor a .xlsx", remedy="name one of them")
    plans = open_plans(source, place)
    head = SheetHead(place=place_title(plans.scenario.name))
    sheets = signal_sheets(plans, date=date.today().isoformat(), head=head)
    stem = out.with_suffix("") if out else plans.files[0].parent / f"sheet-{lang}"
    if ".pdf" in kinds:
        pages = write_pages(stem.with_suffix(".pdf"), plans.network, sheets, "vi" if lang == "vi" else "en")
        echo(f"{stem.with_suffix('.pdf')}: {len(sheets)} signals, {pages} pages")
    if ".xlsx" in kinds:
        write_workbook(stem.with_suffix(".xlsx"), sheets, "vi" if lang == "vi" else "en")
        echo(f"{stem.with_suffix('.xlsx')}: {len(sheets)} signals")


def export_plan(
    source: PlanArgument,
    place: OfPlace = None,
    csv: Annotated[bool, typer.Option("--csv", help="gian_do_pha.csv, as kept in Vietnam.")] = False,
    utdf: Annotated[bool, typer.Option("--utdf", help="Synchro's UTDF 8, combined.")] = False,
    gmns: Annotated[bool, typer.Option("--gmns", help="GMNS network and signal tables.")] = False,
    geojson: Annotated[
        bool, typer.Option("--geojson", help="GeoJSON of links, movements and junctions, for QGIS.")
    ] = False,
    sumo: Annotated[bool, typer.Option("--sumo", help="An additional file for bare SUMO.")] = False,
    out: OutOption = None,
) -> None:
    """Write a plan for other programs, and say what their format does not hold."""
    from denxanh.experiments.formats.plan_source import open_plans
    from denxanh.experiments.formats.plan_writers import written_plans
    from denxanh.sim.errors import InputError

    chosen = {"csv": csv, "utdf": utdf, "gmns": gmns, "geojson": geojson, "sumo": sumo}
    if not any(chosen.values()):
        raise InputError("no format is named", remedy="give --csv, --utdf, --gmns, --geojson or --sumo")
    plans = open_plans(source, place)
    found = written_plans(plans, [name for name, wanted in chosen.items() if wanted])
    folder = out or plans.files[0].parent / "export"
    for name, text in found.texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
        echo(path)
    for note in (one.en for one in found.notes):
        echo(f"note: {note}")
