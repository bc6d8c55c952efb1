"""Commands to look at places and results: ``serve``, ``replay`` and ``plot``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from denxanh.experiments.cli.streams import echo
from denxanh.sim.input.limits import SEED

LanguageOption = Annotated[str, typer.Option("--lang", metavar="en|vi", help="Language shown first.")]


def install(app: typer.Typer) -> None:
    """Add these commands to the program."""
    for command in (serve, replay, plot):
        app.command()(command)


def serve(
    folders: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[DIR…]",
            help="Folders of results and places; new ones go into the first (default denxanh-results).",
        ),
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0: any free one.")] = 8317,
    open_browser: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
) -> None:
    """Serve the workbench on this machine: places, results, jobs, and an editor of plans, in the browser."""
    from denxanh.sim.errors import InputError

    try:
        from denxanh.experiments.workbench.server import serve as run_server
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in ("starlette", "uvicorn", "anyio"):
            raise
        raise InputError(
            f"the workbench needs {missing}, which is not installed",
            remedy="install it with: python -m pip install 'denxanh[serve]'",
        ) from None

    def tell(address: str) -> None:
        echo(f"workbench: {address}")
        echo("open this address in a browser on this machine; Ctrl-C ends the server, jobs go on", err=True)
        if open_browser:
            import webbrowser

            webbrowser.open(address)

    run_server(tuple(folders or [Path("denxanh-results")]), port=port, on_ready=tell)


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
            help="delay, differences, queue, cumulative, mfd, time-space, queue-heat, purdue, stages, rings, plans, "
            "failures or spillback.",
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
        str | None, typer.Option(metavar="ID", help="Which intersection (purdue, stages, rings).")
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
