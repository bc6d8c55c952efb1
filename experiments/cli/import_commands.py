"""``denxanh import``: places from OpenStreetMap, from SUMO files, and from what netconvert reads."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from denxanh.experiments.cli.streams import echo
from denxanh.sim.input.limits import SEED

if TYPE_CHECKING:
    from denxanh.networks.importing import ImportReport

app = typer.Typer(
    no_args_is_help=True, help="Make a place from other people's data: a folder, used by its path."
)

NameOption = Annotated[str, typer.Option("--name", help="What the place is to be called.")]
FolderOption = Annotated[
    Path | None,
    typer.Option("--out", help="Folder of the place; default: its name, under the current folder."),
]
SaturationOption = Annotated[
    float, typer.Option(help="Degree of saturation that the synthetic demand stays below.")
]
TrialOption = Annotated[
    bool, typer.Option(help="Simulate the synthetic demand for an hour, and thin it where traffic stands.")
]
SeedOption = Annotated[int, typer.Option(min=0, max=SEED, help="Seed of the synthetic demand.")]
MixOption = Annotated[
    str | None,
    typer.Option(
        help="Mix of the synthetic demand: starting (Vietnam), cars, or another of networks/data/vehicles.toml."
    ),
]
SHOWN = 5  # findings on the terminal; the report has all
DEFAULTS = ("vietnam", "sumo")
SourceArgument = Annotated[Path, typer.Argument(metavar="FILE", show_default=False)]


@app.command("osm")
def import_osm(
    source: Annotated[
        Path, typer.Argument(metavar="FILE", help="An extract: .osm, .osm.gz, .osm.bz2 or .osm.pbf.")
    ],
    name: NameOption,
    bbox: Annotated[str, typer.Option(metavar="W,S,E,N", help="Only this part, degrees.")] = "",
    left_hand: Annotated[
        bool | None,
        typer.Option(
            "--left-hand/--right-hand", help="The side on which traffic drives; default: as the map shows."
        ),
    ] = None,
    defaults: Annotated[
        str,
        typer.Option(
            help="What the map does not say: by the law and practice of vietnam, or by sumo's netconvert; default: "
            "vietnam for streets in Vietnam."
        ),
    ] = "",
    mix: MixOption = None,
    saturation: SaturationOption = 0.5,
    seed: SeedOption = 1,
    trial: TrialOption = True,
    out: FolderOption = None,
) -> None:
    """OpenStreetMap: network, signals, a plan for each, a demand to start with, a report of what was guessed."""
    from denxanh.networks.importing.osm import import_osm as run_import
    from denxanh.networks.importing.starting_demand import Demand
    from denxanh.sim.errors import InputError
    from denxanh.sim.text_values import did_you_mean

    folder = out or Path(name)
    if defaults not in ("", *DEFAULTS):
        raise InputError(f"--defaults {defaults!r} is not known", remedy=did_you_mean(defaults, DEFAULTS))
    _report_import(
        run_import(
            source,
            folder,
            name=name,
            bbox=_degrees(bbox) if bbox else None,
            demand=Demand(saturation, 3600, seed, trial, mix),
            lefthand=left_hand,
            vietnam=defaults == "vietnam" if defaults else None,
        ),
        folder,
    )


@app.command("sumo")
def import_sumo(
    source: Annotated[Path, typer.Argument(metavar="FILE", help="A .sumocfg, or a .net.xml[.gz].")],
    name: NameOption,
    routes: Annotated[
        list[Path] | None, typer.Option("--routes", "-r", help="Route file for a .net.xml; may be repeated.")
    ] = None,
    additional: Annotated[
        list[Path] | None, typer.Option("--additional", "-a", help="Additional file; may be repeated.")
    ] = None,
    mix: MixOption = None,
    saturation: SaturationOption = 0.5,
    seed: SeedOption = 1,
    trial: TrialOption = True,
    out: FolderOption = None,
) -> None:
    """SUMO: gather a user's own files in one folder, with a report; without routes, a demand to start with."""
    from denxanh.networks.importing.starting_demand import Demand
    from denxanh.networks.importing.sumo_import import import_sumo as adopt

    folder = out or Path(name)
    demand = Demand(saturation, 3600, seed, trial, mix)
    _report_import(
        adopt(source, folder, name=name, demand=demand, routes=routes or (), additional=additional or ()),
        folder,
    )


def _converter(kind: str, help: str) -> None:
    """Add the command that imports one of netconvert's formats."""

    @app.command(kind, help=help)
    def command(
        source: SourceArgument,
        name: NameOption,
        guess_signals: Annotated[
            bool, typer.Option("--guess-signals", help="Put signals at larger junctions.")
        ] = False,
        left_hand: Annotated[bool, typer.Option("--left-hand", help="Traffic drives on the left.")] = False,
        mix: MixOption = None,
        saturation: SaturationOption = 0.5,
        seed: SeedOption = 1,
        trial: TrialOption = True,
        out: FolderOption = None,
    ) -> None:
        from denxanh.networks.importing.netconvert_import import import_network
        from denxanh.networks.importing.starting_demand import Demand

        folder = out or Path(name)
        _report_import(
            import_network(
                kind,
                source,
                folder,
                name=name,
                demand=Demand(saturation, 3600, seed, trial, mix),
                guess_signals=guess_signals,
                lefthand=left_hand,
            ),
            folder,
        )


_converter("opendrive", "OpenDRIVE (.xodr), through netconvert, with a demand to start with.")
_converter("visum", "PTV Visum network text (.net), through netconvert, with a demand to start with.")
_converter("vissim", "PTV Vissim (.inp, .inpx), through netconvert, with a demand to start with.")
_converter("matsim", "MATSim network (.xml, .xml.gz), through netconvert, with a demand to start with.")
_converter("plain", "SUMO plain XML, named by its .nod.xml, through netconvert, with a demand to start with.")


def _report_import(report: ImportReport, folder: Path) -> None:
    """Check the new place, add what the check found to its report, and tell the user where all is."""
    from dataclasses import asdict

    from denxanh.experiments.report.conditions import waived_rules
    from denxanh.experiments.study.place_check import check_place
    from denxanh.networks.scenarios import open_scenario

    checked = check_place(open_scenario(str(folder)))
    for warning in checked.warnings:
        report.notes.add_finding(warning.capitalised() + ".")
    for sentence in waived_rules([asdict(waiver) for waiver in checked.waivers]):
        report.notes.add_finding(sentence.capitalised() + ".")
    report.write(folder)
    echo(report.summary().en)
    for sentence in report.notes.findings[:SHOWN]:
        echo(f"look at: {sentence.en}")
    if (more := len(report.notes.findings) - SHOWN) > 0:
        echo(f"look at: {more} more, in the report")
    echo(checked.verdict)
    echo(f"place: {folder}   what was guessed: {folder / 'import.html'} (also about.md, import.json)")


def _degrees(text: str) -> tuple[float, float, float, float]:
    from denxanh.sim.errors import InputError

    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError:
        raise InputError(
            f"--bbox {text!r} is not four numbers", remedy="write west,south,east,north"
        ) from None
    return west, south, east, north
