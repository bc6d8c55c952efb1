"""From experiment.toml to runs: places × demand levels × controllers × seeds, in an order that pairs early."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from denxanh.experiments.definition.design import (
    Choice,
    FloatRange,
    IntRange,
    Parameter,
    grid,
    latin_hypercube,
    sobol,
)
from denxanh.experiments.definition.experiment_file import (
    ControllerEntry,
    Design,
    ExperimentFile,
    Range,
    combined_error,
)
from denxanh.experiments.definition.resample import Resampling, another_day
from denxanh.experiments.specification.controllers import LAYERED, make_controller, parse_controller
from denxanh.experiments.specification.events import Source, check_events, check_table, events_at
from denxanh.experiments.specification.identity import controller_digest
from denxanh.experiments.specification.run_options import RunOptions
from denxanh.experiments.specification.run_specification import (
    RunSpecification,
    absolute,
    controller_label,
)
from denxanh.experiments.specification.sensings import check_sensings, make_sensing, sensings_of
from denxanh.experiments.statistics import StoppingRule
from denxanh.networks.scenarios import files_of, open_scenario
from denxanh.sim.errors import InputError
from denxanh.sim.scenario import Scenario

_T = TypeVar("_T")
_U = TypeVar("_U")


@dataclass(frozen=True)
class ChosenController:
    """A controller with all its parameters fixed."""

    name: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True)
class Stopping:
    """When there are seeds enough: the rule, its metric, and whether it looks at differences to the baseline."""

    rule: StoppingRule
    metric: str
    differences: bool


@dataclass(frozen=True)
class Experiment:
    """What an experiment file asks for, checked. The first controller is the baseline."""

    scenarios: tuple[Scenario, ...]
    demand: tuple[float, ...]
    controllers: tuple[ChosenController, ...]
    sensing: tuple[str, ...]  # of the controllers that look at vehicles
    seeds: tuple[int, ...]  # all there may be; a stopping rule may need fewer
    options: RunOptions  # of every run; events may still name the place they are for
    find_warm_up: bool  # by MSER-5, in place of the options' warm-up
    resampling: Resampling | None
    stopping: Stopping | None

    def __len__(self) -> int:
        variants = sum(len(sensings_of(c.name, c.parameters, self.sensing)) for c in self.controllers)
        return len(self.scenarios) * len(self.demand) * variants * len(self.seeds)

    def runs(
        self, *, warm_up: float, days: Path, seeds: Sequence[int] | None = None
    ) -> Iterator[RunSpecification]:
        """Every run of ``seeds``; resampled days are written into ``days``."""
        options = {
            scenario.name: replace(
                self.options, warm_up=warm_up, events=events_at(self.options.events, scenario.name)
            )
            for scenario in self.scenarios
        }
        for seed in self.seeds if seeds is None else seeds:
            for scenario in self._day(seed, days):
                for demand in self.demand:
                    for chosen in self.controllers:
                        for sensing in sensings_of(chosen.name, chosen.parameters, self.sensing):
                            yield RunSpecification(
                                scenario.name,
                                scenario,
                                chosen.name,
                                chosen.parameters,
                                seed,
                                demand,
                                sensing,
                                options[scenario.name],
                            )

    def _day(self, seed: int, days: Path) -> tuple[Scenario, ...]:
        if self.resampling is None:
            return self.scenarios
        found = tuple(another_day(scenario, self.resampling, seed, days) for scenario in self.scenarios)
        for scenario, other in zip(self.scenarios, found, strict=True):
            if scenario == other:
                raise InputError(
                    "no vehicle is there whose departure could be resampled",
                    location=scenario.name,
                    remedy="leave [resample] out, or give traffic with times of departure",
                )
        return found


def expand(file: ExperimentFile, path: Path) -> Experiment:
    """Open every place, build every controller. Raises InputError that names every error with its path."""
    errors: list[str] = []
    folder = path.resolve().parent
    scenarios = _each(file.places, lambda text: _open(text, folder, file.end), "places", errors)
    lists = _each(
        file.controllers, lambda entry: _controllers(entry, file.design, folder), "controllers", errors
    )
    controllers = [chosen for found in lists for chosen in found]
    _each(file.sensing, make_sensing, "sensing", errors)
    if not errors:
        _check_different(controllers, errors)
        _each([file.sensing], check_sensings, "sensing", errors)
        _check_warm_up(scenarios, file, errors)
        source = Source(path, path.read_text("utf-8") if path.is_file() else "")
        numbered = list(enumerate(file.events))
        _each(numbered, lambda pair: check_table(pair[1], source, pair[0]), "events", errors)
        if not errors:
            distinct = _distinct(scenarios, file.places)
            _each([file.events], lambda t: check_events(t, distinct, file.sensing, source), "events", errors)
    if errors:
        raise combined_error(errors, str(path))
    stop = file.stop
    return Experiment(
        scenarios=_distinct(scenarios, file.places),
        demand=tuple(file.demand),
        controllers=tuple(controllers),
        sensing=tuple(file.sensing),
        seeds=_seeds(file),
        options=file.run_options(),
        find_warm_up=file.warm_up == "mser-5",
        resampling=None
        if file.resample is None
        else Resampling(
            file.resample.method, file.resample.sd or file.resample.block or 0.0, file.resample.seed
        ),
        stopping=None
        if stop is None
        else Stopping(
            StoppingRule(stop.half_width, stop.min, stop.max, stop.every),
            stop.metric,
            stop.of == "difference",
        ),
    )


def _each(values: Sequence[_T], make: Callable[[_T], _U], name: str, errors: list[str]) -> list[_U]:
    out = []
    for i, value in enumerate(values):
        try:
            out.append(make(value))
        except InputError as error:
            errors.append(f"{name}[{i}]: {str(error).rstrip('.')}")
    return out


def _seeds(file: ExperimentFile) -> tuple[int, ...]:
    if file.stop is not None:
        return tuple(range(1, file.stop.max + 1))
    return tuple(range(1, file.seeds + 1)) if isinstance(file.seeds, int) else tuple(file.seeds)


def _open(text: str, folder: Path, end: float | None) -> Scenario:
    """A path is meant relative to the experiment's file, wherever the command is given."""
    parts = [str(folder / part) if (folder / part).exists() else part for part in files_of(text, folder)]
    return absolute(open_scenario("+".join(parts), end=end))


def _distinct(scenarios: Sequence[Scenario], given: Sequence[str]) -> tuple[Scenario, ...]:
    """Places of the same name are told apart as the file names them."""
    names = [scenario.name for scenario in scenarios]
    return tuple(
        scenario if names.count(scenario.name) == 1 else replace(scenario, name=text)
        for scenario, text in zip(scenarios, given, strict=True)
    )


def _controllers(entry: str | ControllerEntry, design: Design, folder: Path) -> list[ChosenController]:
    """One entry of the file, its lists and ranges expanded. Raises InputError."""
    if isinstance(entry, str):
        name, given = parse_controller(entry)
        points: Sequence[Mapping[str, Any]] = [given]
    else:
        name = entry.name
        points = _points(dict(entry.__pydantic_extra__), design)
    out = []
    for point in points:
        values = {key: _with_paths(key, value, folder) for key, value in point.items()}
        make_controller(name, values)  # every parameter is checked before anything runs
        out.append(ChosenController(name, values))
    return out


def _points(given: Mapping[str, Any], design: Design) -> Sequence[Mapping[str, Any]]:
    fixed = {key: value for key, value in given.items() if not isinstance(value, list | Range)}
    varied = {key: _parameter(key, value, design) for key, value in given.items() if key not in fixed}
    if not varied:
        return [fixed]
    if design.method == "grid":
        found = grid(varied)
    else:
        assert design.points is not None  # the file's check
        method = latin_hypercube if design.method == "latin-hypercube" else sobol
        found = method(varied, design.points, seed=design.seed)
    distinct = {tuple(sorted(point.items())): point for point in found}  # whole numbers may repeat
    return [{key: fixed.get(key, point.get(key)) for key in given} for point in distinct.values()]


def _parameter(key: str, value: list[Any] | Range, design: Design) -> Parameter:
    if isinstance(value, list):
        return Choice(tuple(value))
    whole = isinstance(value.low, int) and isinstance(value.high, int)
    spread: IntRange | FloatRange = (
        IntRange(int(value.low), int(value.high), value.log)
        if whole
        else FloatRange(float(value.low), float(value.high), value.log)
    )
    if design.method != "grid":
        return spread
    if value.levels is None and not whole:
        raise InputError(f"the range of {key!r} has no levels", remedy="give levels = …, or a list")
    return Choice(tuple(spread.levels(value.levels)))


def _with_paths(key: str, value: Any, folder: Path) -> Any:
    """A parameter, whose file, if it names one, is looked for beside the experiment's."""
    if key == LAYERED and isinstance(value, str):
        name, below = parse_controller(value)
        found = {key: _with_paths(key, value, folder) for key, value in below.items()}
        for key, part in found.items():
            if part != below[key] and "," in part:
                raise InputError(
                    f"the path {part!r} holds a comma, which ends a parameter of a strategy below a layer",
                    location=f"{LAYERED}={value}",
                    remedy="move the file, or rename its folder",
                )
        text = ",".join(f"{key}={part}" for key, part in found.items())
        return f"{name}:{text}" if text else name
    if (
        isinstance(value, str)
        and value.endswith((".json", ".toml", ".xml", ".csv"))
        and (folder / value).is_file()
    ):
        return str((folder / value).resolve())
    return value


def _check_different(controllers: Sequence[ChosenController], errors: list[str]) -> None:
    seen: dict[str, str] = {}
    for chosen in controllers:
        key = controller_digest(chosen.name, chosen.parameters)
        label = controller_label(chosen.name, chosen.parameters)
        if key in seen:
            errors.append(f"controllers: {label!r} and {seen[key]!r} are the same")
        seen[key] = label


def _check_warm_up(scenarios: Sequence[Scenario], file: ExperimentFile, errors: list[str]) -> None:
    for i, scenario in enumerate(scenarios):
        length = scenario.end - scenario.begin
        if isinstance(file.warm_up, float) and file.warm_up >= length:
            errors.append(
                f"warm_up: {file.warm_up:g} s leaves nothing of places[{i}], which lasts {length:g} s"
            )
