"""From experiment.toml to runs: places × demand levels × controllers × seeds, in an order that pairs early."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, TypeVar, get_args, get_type_hints

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
    PlaceEntry,
    Range,
    combined_error,
)
from denxanh.experiments.definition.resample import Resampling, another_day
from denxanh.experiments.specification.controllers import (
    LAYERED,
    PLAN,
    load,
    make_controller,
    needs_plan,
    parse_controller,
)
from denxanh.experiments.specification.events import Source, check_events, check_table, events_at
from denxanh.experiments.specification.identity import controller_digest
from denxanh.experiments.specification.object_state import named_content
from denxanh.experiments.specification.run_options import RunOptions
from denxanh.experiments.specification.run_specification import (
    RunSpecification,
    absolute,
    controller_label,
    with_plan_source,
    with_window,
)
from denxanh.experiments.specification.sensings import check_sensings, make_sensing, sensings_of
from denxanh.experiments.statistics import StoppingRule
from denxanh.networks.scenarios import open_scenario
from denxanh.sim.errors import InputError
from denxanh.sim.input.limits import RUNS, VARIANTS, check_count
from denxanh.sim.input.text_files import read_text
from denxanh.sim.scenario import Scenario
from denxanh.sim.text_values import Moment

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
    windows: Mapping[str, RunOptions]  # the options by scenario, with its warm-up and flush in s
    find_warm_up: bool  # by MSER-5, in place of the options' warm-up
    resampling: Resampling | None
    stopping: Stopping | None

    def __len__(self) -> int:
        variants = sum(len(sensings_of(c.name, c.parameters, self.sensing)) for c in self.controllers)
        return len(self.scenarios) * len(self.demand) * variants * len(self.seeds)

    def runs(
        self,
        *,
        warm_up: float | Literal["auto"],
        days: Path,
        seeds: Sequence[int] | None = None,
        plans: Mapping[tuple[str, float], Path] = MappingProxyType({}),
    ) -> Iterator[RunSpecification]:
        """Every run of ``seeds``; resampled days are written into ``days``.

        ``warm_up`` in s, or ``auto`` for that of each place; ``plans`` by place and demand level are the plans computed
        for the controllers that need one.
        """
        options = {
            scenario.name: replace(
                self._window(scenario, warm_up), events=events_at(self.options.events, scenario.name)
            )
            for scenario in self.scenarios
        }
        planned = self.planned if plans else ()
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
                                {PLAN: str(plans[scenario.name, demand])} if chosen in planned else {},
                            )

    def _window(self, scenario: Scenario, warm_up: float | Literal["auto"]) -> RunOptions:
        if warm_up == self.options.warm_up:
            return self.windows[scenario.name]
        return with_window(scenario, replace(self.options, warm_up=warm_up))[1]

    @property
    def planned(self) -> tuple[ChosenController, ...]:
        """The controllers whose plan is to be computed from the scenario."""
        return tuple(c for c in self.controllers if needs_plan(c.name, c.parameters))

    def _day(self, seed: int, days: Path) -> tuple[Scenario, ...]:
        if self.resampling is None:
            return self.scenarios
        found = tuple(another_day(scenario, self.resampling, seed, days) for scenario in self.scenarios)
        for scenario, other in zip(self.scenarios, found, strict=True):
            if scenario == other:
                raise InputError(
                    "no vehicle is there whose departure could be resampled",
                    location=scenario.name,
                    remedy="leave [resample] out (benchmark: --days same), or give traffic with times of departure",
                )
        return found


def expand(file: ExperimentFile, path: Path, folder: Path | None = None) -> Experiment:
    """Open every place, build every controller. Raises InputError that names every error with its path.

    Paths in the file are relative to ``folder``, by default the file's own.
    """
    errors: list[str] = []
    folder = (folder or path.parent).resolve()
    scenarios = _each(file.places, lambda place: _open(place, folder, file), "places", errors)
    each = len(file.places) * len(file.demand) * len(_seeds(file))  # runs of a variant with one sensing
    lists = _each(
        file.controllers,
        lambda entry: _controllers(entry, file.design, folder, RUNS // each),
        "controllers",
        errors,
    )
    controllers = [chosen for found in lists for chosen in found]
    _each(file.sensing, make_sensing, "sensing", errors)
    if not errors:
        _check_different(controllers, errors)
        _each([file.sensing], check_sensings, "sensing", errors)
        source = Source(path, read_text(path, kind="experiment") if path.is_file() else "")
        numbered = list(enumerate(file.events))
        _each(numbered, lambda pair: check_table(pair[1], source, pair[0]), "events", errors)
        if not errors:
            distinct = _distinct(scenarios, file.places)
            _each([file.events], lambda t: check_events(t, distinct, file.sensing, source), "events", errors)
    windows: list[tuple[Scenario, RunOptions]] = []
    if not errors:
        options = file.run_options()
        distinct = tuple(with_plan_source(scenario, options) for scenario in distinct)
        windows = _each(distinct, lambda scenario: with_window(scenario, options), "places", errors)
    if errors:
        raise combined_error(errors, str(path))
    stop = file.stop
    experiment = Experiment(
        scenarios=tuple(scenario for scenario, _ in windows),
        demand=tuple(file.demand),
        controllers=tuple(controllers),
        sensing=tuple(file.sensing),
        seeds=_seeds(file),
        options=options,
        windows={scenario.name: found for scenario, found in windows},
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
    check_count(
        len(experiment),
        RUNS,
        "runs",
        location=str(path),
        remedy="leave out places, demands, controllers, sensings or seeds",
    )
    return experiment


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


def _open(place: str | PlaceEntry, folder: Path, file: ExperimentFile) -> Scenario:
    """A path is meant relative to the experiment's file, wherever the command is given."""
    entry = place if isinstance(place, PlaceEntry) else PlaceEntry(place=place)
    ends = entry if (entry.end, entry.duration) != (None, None) else file
    end = Moment(ends.duration, after_begin=True) if ends.duration is not None else ends.end
    return absolute(open_scenario(entry.place, end=end, folder=folder))


def _distinct(scenarios: Sequence[Scenario], given: Sequence[str | PlaceEntry]) -> tuple[Scenario, ...]:
    """Places have the names that the file gives them; those of the same name are told apart by their texts."""
    entries = [place if isinstance(place, PlaceEntry) else PlaceEntry(place=place) for place in given]
    names = [entry.name or scenario.name for scenario, entry in zip(scenarios, entries, strict=True)]
    distinct = [
        name if names.count(name) == 1 or entry.name else entry.place
        for name, entry in zip(names, entries, strict=True)
    ]
    for i, name in enumerate(distinct):
        if name in distinct[:i]:
            raise InputError(
                f"two places are called {name!r}",
                location=f"places[{i}]",
                remedy="give one a name of its own",
            )
    return tuple(replace(scenario, name=name) for scenario, name in zip(scenarios, distinct, strict=True))


def _controllers(
    entry: str | ControllerEntry, design: Design, folder: Path, most: int
) -> list[ChosenController]:
    """One entry of the file, its lists and ranges expanded to at most ``most`` variants. Raises InputError."""
    if isinstance(entry, str):
        name, given = parse_controller(entry)
        points: Sequence[Mapping[str, Any]] = [given]
    else:
        name = entry.name
        points = _points(dict(entry.__pydantic_extra__), design)
    check_count(
        len(points),
        most,
        f"variants of {name!r}",
        remedy=f"leave out places, demands, parameters or seeds: an experiment has at most {RUNS} runs",
    )
    out = []
    for point in points:
        values = with_paths(name, point, folder)
        make_controller(name, values)  # every parameter is checked before anything runs
        out.append(ChosenController(name, values))
    return out


def _points(given: Mapping[str, Any], design: Design) -> Sequence[Mapping[str, Any]]:
    fixed = {key: value for key, value in given.items() if not isinstance(value, list | Range)}
    varied = {key: _parameter(key, value, design) for key, value in given.items() if key not in fixed}
    if not varied:
        return [fixed]
    if design.method == "grid":
        check_count(
            prod(len(choice.levels(None)) for choice in varied.values()),
            VARIANTS,
            "combinations of parameters",
            remedy="give fewer levels, or a latin-hypercube design",
        )
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
    if value.levels is None and isinstance(spread, IntRange):
        check_count(
            spread.high - spread.low + 1,
            VARIANTS,
            f"values in the range of {key!r}",
            remedy="give levels = …, or a shorter range",
        )
    return Choice(tuple(spread.levels(value.levels)))


def _texts(name: str) -> frozenset[str]:
    """The parameters of a controller that take any text, and so may name a file or folder."""
    kinds = get_type_hints(load(name))
    return frozenset(key for key, kind in kinds.items() if {str, Path, Any} & {kind, *get_args(kind)})


def with_paths(name: str, values: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The parameters of a controller; files that they name are looked for in ``folder``. Raises InputError."""
    taken = _texts(name)
    return {key: _with_paths(key, value, folder) if key in taken else value for key, value in values.items()}


def _with_paths(key: str, value: Any, folder: Path) -> Any:
    """A parameter, whose file, if it names one, is looked for beside the experiment's."""
    if key == LAYERED and isinstance(value, str):
        name, below = parse_controller(value)
        found = with_paths(name, below, folder)
        for key, part in found.items():
            if part != below[key] and "," in part:
                raise InputError(
                    f"the path {part!r} holds a comma, which ends a parameter of a strategy below a layer",
                    location=f"{LAYERED}={value}",
                    remedy="move the file, or rename its folder",
                )
        text = ",".join(f"{key}={part}" for key, part in found.items())
        return f"{name}:{text}" if text else name
    if isinstance(value, str) and named_content(folder / value if value else value) is not None:
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
