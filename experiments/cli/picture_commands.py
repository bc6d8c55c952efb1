"""Commands that draw results: ``replay`` and ``plot``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from denxanh.experiments.cli.streams import echo
from denxanh.sim.input.limits import SEED

LanguageOption = Annotated[str, typer.Option("--lang", metavar="en|vi", help="Language shown first.")]


def install(app: typer.Typer) -> None:
    """Add these commands to the program."""
    for command in (replay, plot):
        app.command()(command)


def replay(
    paths: Annotated[
        list[Path], typer.Argument(metavar="DIR|RUN [DIR|RUN]", help="An experiment's or a run's folder.")
    ],
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="The page.")] = None,
    controller: Annotated[
        list[str] | None,
        typer.Option("-c", "--controller", metavar="NAME", help="Which runs of DIR (at most two)."),
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, max=SEED, help="Which seed of DIR.")] = None,
    place: Annotated[str | None, typer.Option(metavar="PLACE", help="Which place of DIR.")] = None,
    lang: LanguageOption = "en",
) -> None:
    """Write a page that plays a run, or two side by side; they are simulated again to record their vehicles."""
    from denxanh.experiments.cli.arguments import read_language
    from denxanh.experiments.replay.choice import choose_runs
    from denxanh.experiments.replay.replay_page import write_replay

    language = read_language(lang)
    chosen = choose_runs(paths, controllers=controller or (), seed=seed, place=place)
    for one in chosen:
        echo(f"{one.label}, seed {one.run.manifest['seed']}: simulated again", err=True)
    target = out or paths[0] / "replay.html"
    write_replay(target, chosen, language=language)
    echo(f"replay: {target} ({target.stat().st_size / 1e6:.1f} MB)")


def plot(
    kind: Annotated[
        str,
        typer.Argument(
            metavar="KIND",
            help="delay, differences, queue, cumulative, mfd, time-space, queue-heat or stages.",
        ),
    ],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of an experiment.")],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="The picture: .svg, .pdf or .png.")
    ] = None,
    controller: Annotated[
        str | None,
        typer.Option("-c", "--controller", metavar="NAME", help="Whose run or plan; default: the baseline."),
    ] = None,
    place: Annotated[str | None, typer.Option(metavar="PLACE", help="Which place of DIR.")] = None,
    intersection: Annotated[
        str | None, typer.Option(metavar="ID", help="Which intersection (stages); default: the first.")
    ] = None,
    lang: Annotated[str, typer.Option("--lang", metavar="en|vi", help="Language of the words.")] = "en",
) -> None:
    """Draw one picture of results, for papers and slides."""
    from denxanh.experiments.cli.arguments import read_language
    from denxanh.experiments.plots.canvas import check_suffix, save
    from denxanh.experiments.plots.plot import check_kind
    from denxanh.experiments.plots.plot import plot as draw

    language = read_language(lang)
    check_kind(kind)
    target = out or folder / f"{kind}.svg"
    check_suffix(target)
    figure = draw(
        folder, kind, language=language, place=place, controller=controller, intersection=intersection
    )
    save(figure, target)
    echo(f"plot: {target}")
