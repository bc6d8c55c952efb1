"""A suite: the scenarios of a benchmark, its controllers and its seeds, by name or from a folder of .sumocfg."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Literal

from denxanh.experiments.definition.days import BLOCK, Days
from denxanh.experiments.definition.expand import with_paths
from denxanh.experiments.results.outputs import DEFINITION
from denxanh.experiments.specification.controllers import make_controller, parse_controller
from denxanh.networks import generated
from denxanh.networks.scenarios import files_of, open_scenario
from denxanh.sim.errors import InputError
from denxanh.sim.input.limits import VARIANTS, check_count
from denxanh.sim.input.text_files import parse_toml, read_text
from denxanh.sim.language.text import Text
from denxanh.sim.run.store import MANIFEST, replacing
from denxanh.sim.text_values import closest

CONTROLLERS = ("program", "sumo:actuated", "actuated", "max-pressure")
"""The controllers of a folder's benchmark, where none is named."""
SEEDS = 5
MARK = "# Written by 'denxanh benchmark'"
GENERATED = "scenarios"  # folder below the results, for generated networks


@dataclass(frozen=True)
class Window:
    """When runs end and what of them is measured, as the keys of an experiment file."""

    end: str = ""  # as --end takes it; the suite's or the scenario's own where it is empty
    warm_up: float | Literal["auto"] = 0.0  # s
    flush: float | Literal["auto"] = 0.0  # s

    def lines(self, duration: float | None) -> list[str]:
        """The keys of the experiment file; ``duration`` is the suite's, s."""
        ends = [f"duration = {duration:g}"] if duration is not None else []
        values = {"warm_up": self.warm_up, "flush": self.flush}
        return [
            *(f"{key} = {quoted(v) if isinstance(v, str) else v}" for key, v in values.items()),
            *([f"end = {quoted(self.end)}"] if self.end else ends),
        ]


@dataclass(frozen=True)
class Suite:
    """Scenarios by name and as ``open_scenario`` takes them, controllers as texts, and the seeds 1…N."""

    name: str
    title: Text
    scenarios: tuple[tuple[str, str], ...]
    controllers: tuple[str, ...]
    seeds: tuple[int, ...]
    duration: float | None = None  # s; the scenario's own where it is None
    window: Window = field(default_factory=Window)


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
    """The suite of a name, that of one place, or that of all .sumocfg in and below a folder, those of runs excepted.

    Raises InputError.
    """
    if text in suites():
        return suites()[text]
    folder = Path(text)
    if not folder.is_dir():
        return _one_place(text)
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


def _one_place(text: str) -> Suite:
    """The suite of one place as ``open_scenario`` takes it, or of one generated network. Raises InputError."""
    if text.startswith(generated.PREFIX):
        generated.read_name(text)
        name, place = text, text
    else:
        if (near := closest(text, suites())) is not None and not Path(text).exists():
            raise InputError(
                f"there is no suite {text!r}",
                remedy=f"did you mean {near!r}? Or give a place, a .sumocfg, or a folder with .sumocfg files",
            )
        name = open_scenario(text).name
        place = "+".join(str(Path(part).resolve()) for part in files_of(text)) if _is_files(text) else text
    title = Text(f"The scenario {name}", f"Kịch bản {name}")
    return Suite(name, title, ((name, place),), CONTROLLERS, tuple(range(1, SEEDS + 1)))


def _is_files(text: str) -> bool:
    return all(Path(part).is_file() for part in files_of(text))


def define(
    suite: Suite,
    out: Path,
    *,
    controllers: Sequence[str] = (),
    seeds: Sequence[int] = (),
    duration: float | None = None,
    days: Days = "each",
    window: Window | None = None,
    on_message: Callable[[str], None] = lambda text: None,
) -> Suite:
    """Write the suite as ``experiment.toml`` into ``out``, its generated networks beside it; returns what was written.

    ``on_message`` gets a line before each network that is built. Raises InputError where ``out`` holds an experiment of
    the user's own or runs of another window, and for a controller that there is not.
    """
    suite = replace(
        suite,
        controllers=tuple(controllers) or suite.controllers,
        seeds=tuple(seeds) or suite.seeds,
        duration=suite.duration if duration is None else duration,
        window=window or Window(),
    )
    for text in suite.controllers:  # before networks are built
        make_controller(*parse_controller(text))
    if duration is not None and suite.window.end:
        raise InputError("--end and --duration exclude each other", remedy="give one")
    path = out / DEFINITION
    if path.is_file() and not read_text(path, kind="experiment").startswith(MARK):
        raise InputError(
            "the folder holds an experiment of yours", location=str(path), remedy="give another --out"
        )
    missing = [text for _, text in suite.scenarios if _network(text) and not (out / _network(text)).is_dir()]
    places = []
    for name, text in suite.scenarios:
        if text in missing:
            on_message(f"building network {missing.index(text) + 1} of {len(missing)}: {text}")
        places.append(_place(name, text, out))
    lines = [
        f"{MARK}, suite {suite.name}: a new call writes it again.",
        "places = [",
        *(f"    {{place = {quoted(text)}, name = {quoted(name)}}}," for name, text in places),
        "]",
        "controllers = [",
        *(f"    {_controller(text)}," for text in suite.controllers),
        "]",
        f"seeds = [{', '.join(map(str, suite.seeds))}]",
        *suite.window.lines(suite.duration),
        *(["", "[resample]", 'method = "bootstrap"', f"block = {BLOCK}"] if days == "each" else []),
    ]
    text = "\n".join([*lines, ""])
    if path.is_file() and _measured(read_text(path, kind="experiment")) != _measured(text):
        raise InputError(
            "the folder holds runs of other days, or of another window",
            location=str(path),
            remedy="give another --out, or the --days, --end, --warm-up and --flush of before",
        )
    out.mkdir(parents=True, exist_ok=True)
    with replacing(path) as new:
        new.write_text(text, encoding="utf-8", newline="\n")
    return suite


def _measured(text: str) -> list[object]:
    """What all runs of an experiment file share: their times and days."""
    table = parse_toml(text, location=DEFINITION)
    return [table.get(key) for key in ("warm_up", "flush", "end", "duration", "resample")]


def _network(text: str) -> str:
    """The folder of a generated network below the results; "" for other places."""
    if not text.startswith(generated.PREFIX):
        return ""
    kind, seed = generated.read_name(text)
    return Path(GENERATED, f"{kind}-{seed}").as_posix()


def _place(name: str, text: str, out: Path) -> tuple[str, str]:
    """The name of a scenario, and the place of the experiment file; a generated network is built on first use."""
    folder = _network(text)
    if not folder:
        return name, text
    if not (out / folder).is_dir():
        generated.build(*generated.read_name(text), out / folder)
    return name, folder


def _controller(text: str) -> str:
    """An entry of the experiment file; files that it names are looked for where the command runs."""
    name, given = parse_controller(text)
    values = {"name": name, **with_paths(name, given, Path.cwd())}
    return "{" + ", ".join(f"{key} = {quoted(f'{value}')}" for key, value in values.items()) + "}"


def quoted(text: str) -> str:
    """A basic string of TOML."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
