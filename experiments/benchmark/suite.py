"""A suite: the scenarios of a benchmark, its controllers and its seeds, by name or from a folder of .sumocfg."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from pathlib import Path

from denxanh.experiments.definition.days import BLOCK, Days
from denxanh.experiments.definition.expand import with_paths
from denxanh.experiments.results.outputs import DEFINITION
from denxanh.experiments.specification.controllers import make_controller, parse_controller
from denxanh.networks import generated
from denxanh.sim.errors import InputError
from denxanh.sim.input.limits import VARIANTS, check_count
from denxanh.sim.input.text_files import parse_toml, read_text
from denxanh.sim.language.text import Text
from denxanh.sim.run.store import MANIFEST, replacing
from denxanh.sim.text_values import did_you_mean

CONTROLLERS = ("program", "sumo:actuated", "actuated", "max-pressure")
"""The controllers of a folder's benchmark, where none is named."""
SEEDS = 5
MARK = "# Written by 'denxanh benchmark'"
GENERATED = "scenarios"  # folder below the results, for generated networks


@dataclass(frozen=True)
class Suite:
    """Scenarios by name and as ``open_scenario`` takes them, controllers as texts, and the seeds 1…N."""

    name: str
    title: Text
    scenarios: tuple[tuple[str, str], ...]
    controllers: tuple[str, ...]
    seeds: tuple[int, ...]
    duration: float | None = None  # s; the scenario's own where it is None


@cache
def suites() -> dict[str, Suite]:
    """The suites that come with denxanh, by name."""
    text = (files(__package__) / "data" / "suites.toml").read_text(encoding="utf-8")
    return {
        name: Suite(
            name,
            Text(table["title"], table["title_vi"]),
            tuple((scenario, scenario) for scenario in table["scenarios"]),
            tuple(table["controllers"]),
            tuple(range(1, table["seeds"] + 1)),
            table.get("duration"),
        )
        for name, table in parse_toml(text, location="suites.toml").items()
    }


def find_suite(text: str) -> Suite:
    """The suite of a name, or that of all .sumocfg files in and below a folder, those of runs excepted.

    Raises InputError.
    """
    if text in suites():
        return suites()[text]
    folder = Path(text)
    if not folder.is_dir():
        remedy = f"{did_you_mean(text, suites())}, or give a folder with .sumocfg files"
        raise InputError(f"there is no suite or folder {text!r}", remedy=remedy)
    found = sorted(
        path.resolve() for path in folder.rglob("*.sumocfg") if not (path.parent / MANIFEST).is_file()
    )
    if not found:
        raise InputError(
            "the folder holds no .sumocfg", location=text, remedy="give a folder with configurations of SUMO"
        )
    check_count(len(found), VARIANTS, ".sumocfg files", location=text, remedy="give a smaller folder")
    names = [path.stem for path in found]
    scenarios = [
        (
            name if names.count(name) == 1 else path.relative_to(folder.resolve()).with_suffix("").as_posix(),
            f"{path}",
        )
        for name, path in zip(names, found, strict=True)
    ]
    label = folder.resolve().name
    title = Text(f"The scenarios of {label}", f"Các kịch bản của {label}")
    return Suite(folder.resolve().name, title, tuple(scenarios), CONTROLLERS, tuple(range(1, SEEDS + 1)))


def define(
    suite: Suite,
    out: Path,
    *,
    controllers: Sequence[str] = (),
    seeds: Sequence[int] = (),
    days: Days = "each",
) -> Suite:
    """Write the suite as ``experiment.toml`` into ``out``, its generated networks beside it; returns what was written.

    Raises InputError where ``out`` holds an experiment of the user's own, and for a controller that there is not.
    """
    suite = replace(
        suite, controllers=tuple(controllers) or suite.controllers, seeds=tuple(seeds) or suite.seeds
    )
    for text in suite.controllers:  # before networks are built
        make_controller(*parse_controller(text))
    path = out / DEFINITION
    if path.is_file() and not read_text(path, kind="experiment").startswith(MARK):
        raise InputError(
            "the folder holds an experiment of yours", location=str(path), remedy="give another --out"
        )
    places = [_place(name, text, out) for name, text in suite.scenarios]
    lines = [
        f"{MARK}, suite {suite.name}: a new call writes it again.",
        "places = [",
        *(f"    {{place = {quoted(text)}, name = {quoted(name)}}}," for name, text in places),
        "]",
        "controllers = [",
        *(f"    {_controller(text)}," for text in suite.controllers),
        "]",
        f"seeds = [{', '.join(map(str, suite.seeds))}]",
        "warm_up = 0.0",
        "flush = 0.0",
        *([] if suite.duration is None else [f"duration = {suite.duration:g}"]),
        *(["", "[resample]", 'method = "bootstrap"', f"block = {BLOCK}"] if days == "each" else []),
    ]
    out.mkdir(parents=True, exist_ok=True)
    with replacing(path) as new:
        new.write_text("\n".join([*lines, ""]), encoding="utf-8", newline="\n")
    return suite


def _place(name: str, text: str, out: Path) -> tuple[str, str]:
    """The name of a scenario, and the place of the experiment file; a generated network is built on first use."""
    if not text.startswith(generated.PREFIX):
        return name, text
    kind, seed = generated.read_name(text)
    folder = Path(GENERATED, f"{kind}-{seed}")
    if not (out / folder).is_dir():
        generated.build(kind, seed, out / folder)
    return name, folder.as_posix()


def _controller(text: str) -> str:
    """An entry of the experiment file; files that it names are looked for where the command runs."""
    name, given = parse_controller(text)
    values = {"name": name, **with_paths(name, given, Path.cwd())}
    return "{" + ", ".join(f"{key} = {quoted(f'{value}')}" for key, value in values.items()) + "}"


def quoted(text: str) -> str:
    """A basic string of TOML."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
