"""The Python interface behind ``import denxanh``: open, run, compare, optimise and load, as on the command line."""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args

from denxanh.experiments.compare import execute_runs, specify_runs, with_days
from denxanh.experiments.runs.usable_cores import usable_cores
from denxanh.experiments.specification.controllers import needs_plan
from denxanh.experiments.specification.run_options import Limits, RunOptions, declarations
from denxanh.experiments.specification.run_specification import RunSpecification
from denxanh.experiments.specification.sensings import IDEAL
from denxanh.networks.scenarios import open_scenario as _open_scenario
from denxanh.sim.controller import Controller
from denxanh.sim.errors import InputError
from denxanh.sim.input.limits import DEMAND, JOBS, SEEDS, check_count, check_seeds
from denxanh.sim.scenario import Scenario
from denxanh.sim.text_values import did_you_mean, read_duration, read_moment

if TYPE_CHECKING:  # a single run needs none of these
    from matplotlib.figure import Figure

    from denxanh.experiments.definition.days import Days
    from denxanh.experiments.optimize.job.progress_listener import ProgressListener
    from denxanh.experiments.optimize.job.tuning_result import TuningResult
    from denxanh.experiments.results.load import Results, TableName
    from denxanh.experiments.results.summary_row import SummaryRow
    from denxanh.experiments.runs.execution import Outcome
    from denxanh.experiments.runs.run_row import RunRow

SEEDS_OF_A_COMPARISON = 10
"""A controller that is 2 standard deviations worse is recognised in all comparisons of 10 seeds, in 32 % of 5."""

_T = TypeVar("_T")

__all__ = [
    "Comparison",
    "RunResult",
    "compare",
    "list_controllers",
    "open_scenario",
    "optimize",
    "plot",
    "run",
]


def open_scenario(place: str | Path, *, end: float | str | None = None, demand: float = 1.0) -> Scenario:
    """The scenario that a place names: a built-in place, a .sumocfg, a folder with one, or ``NET+ROUTES``.

    ``end`` is the end of the simulation, s or as the command line takes it (``"+30min"``, ``"07:30"``);
    ``demand`` scales the number of vehicles (SUMO's --scale).

    Raises:
        InputError: no such place, or files that SUMO cannot use.

    >>> open_scenario("ha-noi/pho-hue", end=1800).end
    1800.0
    """
    until = read_moment(end, "end") if isinstance(end, str) else None if end is None else float(end)
    scenario = _open_scenario(str(place), end=until)
    if demand == 1.0:
        return scenario
    if not 0 < demand < DEMAND:
        raise InputError(f"invalid demand: {demand!r}", remedy=f"give a factor above 0 and below {DEMAND:g}")
    scale = float(scenario.options.get("scale", "1")) * demand
    return replace(scenario, options={**scenario.options, "scale": f"{scale:g}"})


def list_controllers() -> dict[str, str]:
    """One line of description by name, of the controllers here and of installed plug-ins."""
    from denxanh.experiments.specification.controllers import controllers, describe

    return {name: describe(name) for name in sorted(controllers())}


@dataclass(frozen=True)
class RunResult:
    """The result of one run. Its folder holds the tables; a temporary one is removed with this object."""

    metrics: Mapping[str, float | int | None]  # by the names of docs/metrics.md
    manifest: Mapping[str, Any]  # everything that determined the run
    folder: Path

    def table(self, name: TableName) -> dict[str, Any]:
        """One of the tables vehicles, intervals, signals, edges, movements and vehicle_types: arrays by column name.

        Raises InputError, which names the file, if it was changed since the run.
        """
        from denxanh.experiments.runs.proof import Record, require_tables
        from denxanh.sim.run.store import read_table

        require_tables(self.folder, Record(self.manifest["id"]), [f"{name}.parquet"])
        return dict(read_table(self.folder / f"{name}.parquet"))


@dataclass(frozen=True)
class Comparison:
    """The runs of a comparison, the first controller being the baseline. See ``RunResult`` for the folder."""

    rows: tuple[RunRow, ...]
    folder: Path
    report: Path  # report.html
    summary: tuple[SummaryRow, ...] = field(repr=False)

    @property
    def verdicts(self) -> tuple[str, ...]:
        """One sentence on the delay of each controller against the baseline."""
        from denxanh.experiments.results.summary import headline

        return tuple(english for english, _ in headline(self.rows))

    @property
    def warnings(self) -> tuple[str, ...]:
        """One sentence for each controller with runs that it does not describe alone, or not to their end.

        Runs in which signals fell back to their plan, and runs with many vehicles still on their way at the end.
        """
        from denxanh.experiments.results.measured_window import unfinished_flags
        from denxanh.experiments.runs.fallbacks import fallback_flags

        return tuple(flag.en for flag in (*fallback_flags(self.rows), *unfinished_flags(self.rows)))

    @property
    def results(self) -> Results:
        """Arrays by column name, as ``load`` gives them: ``comparison.results.runs["delay_s"]``."""
        from denxanh.experiments.results.load import load

        return load(self.folder)


def run(
    scenario: Scenario | str | Path,
    controller: str | Controller,
    *,
    seed: int = 1,
    sensing: str = IDEAL,
    out: str | Path | None = None,
    **options: Any,
) -> RunResult:
    """Run one controller on one scenario, in a process of its own.

    ``controller`` is a name (``"max-pressure:interval=20"``) or an instance of any class that keeps the contract
    ``denxanh.Controller``. ``options`` are the fields of RunOptions, the options of ``denxanh run``: warm_up, safety,
    events, backend, ``limit`` in wall-clock seconds … Without ``out`` the results go into a temporary folder.

    Raises:
        InputError: the scenario, the controller or an option cannot be used.
        RunError: the run failed.

    >>> result = run("ha-noi/pho-hue", "actuated", seed=3)  # doctest: +SKIP
    >>> result.metrics["delay_s"]  # s per vehicle  # doctest: +SKIP
    """
    from denxanh.experiments.runs.local import run_one

    scenario = _scenario(scenario)
    made = _run_options(options, scenario, [sensing], ("seed", "sensing", "out"))
    runs = specify_runs(scenario, [controller], _seeds([seed]), sensing=[sensing], options=made)
    folder, temporary = _folder(out)
    target = folder / "run" if temporary else folder
    manifest = run_one(with_plans(runs)[0], target)
    result = RunResult(manifest["metrics"], manifest, target)
    return _keep(result, temporary)


def compare(
    scenario: Scenario | str | Path,
    controllers: Sequence[str | Controller],
    *,
    seeds: int | Sequence[int] = SEEDS_OF_A_COMPARISON,
    days: Days = "each",
    sensing: str | Sequence[str] = IDEAL,
    jobs: int = 0,
    out: str | Path | None = None,
    on_progress: Callable[[str, Outcome], None] = lambda id, outcome: None,
    command: str = "",
    **options: Any,
) -> Comparison:
    """Compare controllers on the same demand and seeds; the first is the baseline. Writes tables and a report.

    ``days``: ``each`` seed has a day of its own, the same for all controllers (``with_days``), or all have the ``same``
    vehicles. ``seeds`` is a number of seeds or a list of them; ``jobs`` runs side by side, 0 for one per core. An
    interrupted comparison goes on where it stopped when it is called again with the same ``out``. For ``controllers``
    and ``options`` see ``run``.

    Raises:
        InputError: the scenario, a controller or an option cannot be used.

    >>> study = compare("ha-noi/pho-hue", ["program", "actuated"], seeds=10)  # doctest: +SKIP
    >>> print(*study.verdicts, sep="\\n")  # doctest: +SKIP
    """
    from denxanh.experiments.definition.days import Days

    scenario = _scenario(scenario)
    sensings = [sensing] if isinstance(sensing, str) else list(sensing)
    own = ("seeds", "days", "sensing", "jobs", "out", "on_progress")
    made = _run_options(options, scenario, sensings, own)
    runs = specify_runs(scenario, controllers, _seeds(seeds), sensing=sensings, options=made)
    if days not in get_args(Days):
        raise InputError(f"invalid days: {days!r}", remedy="give 'each' or 'same'")
    folder, temporary = _folder(out)
    runs = list(with_plans(runs, jobs=jobs))  # a plan is made for the demand given, not for one day of it
    if days == "each":
        runs = with_days(runs, folder / "demand")
    study = compare_runs(scenario, runs, folder, jobs=jobs, on_progress=on_progress, command=command)
    return _keep(study, temporary)


def compare_runs(
    scenario: Scenario,
    runs: Sequence[RunSpecification],
    folder: Path,
    *,
    jobs: int,
    on_progress: Callable[[str, Outcome], None],
    command: str,
    on_message: Callable[[str], None] = lambda text: None,
) -> Comparison:
    """Execute the specified runs of one scenario and write tables and the report. Raises InputError."""
    from denxanh.experiments.report.comparison_report import write_comparison
    from denxanh.experiments.results.load import LEDGER
    from denxanh.experiments.results.outputs import RUNS_FILES, Making, record_outputs
    from denxanh.experiments.results.summary import summarise_rows
    from denxanh.experiments.runs.ledger import Ledger

    rows = execute_runs(
        folder, runs, jobs=_jobs(jobs), on_progress=on_progress, command=command, on_message=on_message
    )
    known = runs[0].scenario
    scenario = replace(scenario, plan_source=known.plan_source, notes=known.notes)
    report = write_comparison(folder, [scenario], rows, command=command)
    with Ledger(folder / LEDGER) as ledger:
        names = (*RUNS_FILES, "summary.csv", report.name)
        record_outputs(folder, ledger, Making("comparison", command), names)
    return Comparison(tuple(rows), folder, report, tuple(summarise_rows(rows)))


def with_plans(
    runs: Sequence[RunSpecification], *, jobs: int = 1, on_message: Callable[[str], None] = lambda text: None
) -> Sequence[RunSpecification]:
    """The runs with the plans that their controllers have computed from the scenario (``conventional``)."""
    if not any(needs_plan(run.controller, run.arguments) for run in runs if not run.given):
        return runs
    from denxanh.experiments.optimize.job.conventional import with_computed_plans

    return with_computed_plans(runs, jobs=_jobs(jobs), on_message=on_message)


def optimize(
    scenario: Scenario | str | Path,
    *,
    jobs: int = 0,
    limit: float = Limits.wall,
    out: str | Path | None = None,
    listener: ProgressListener | None = None,
    command: str = "",
    **options: Any,
) -> TuningResult:
    """Search signal timings and validate them in SUMO on seeds and days that the search never used.

    ``options`` are the fields of TuningOptions, the options of ``denxanh optimize``: ``seconds`` of search,
    ``objective``, ``seeds``, ``only``, ``kind`` … as values or as the command line writes them. ``plan`` of the result
    is the best plan, empty where the existing plan was not beaten.

    Raises:
        InputError: a scenario without anything to tune, or an option that cannot be used.

    >>> plan = optimize("ha-noi/pho-hue", seconds=15).plan  # doctest: +SKIP
    """
    from denxanh.experiments.optimize.job.optimization import optimize as tune
    from denxanh.experiments.optimize.job.progress_listener import ProgressListener
    from denxanh.experiments.optimize.job.tuning_options import TuningOptions, command_options
    from denxanh.experiments.report.optimization.tuning_report import write_tuning

    scenario = _scenario(scenario)
    known = command_options()
    for name in options:
        if name not in TuningOptions.__dataclass_fields__:
            meant = (*TuningOptions.__dataclass_fields__, "jobs", "limit", "out", "listener")
            raise InputError(f"there is no option {name!r}", remedy=did_you_mean(name, meant))
    values = {
        name: known[name][0].read(value) if isinstance(value, str) and name in known else value
        for name, value in options.items()
    }
    if "seeds" in values:
        values["seeds"] = tuple(_seeds(values["seeds"]))
    made = TuningOptions(**values)
    folder, temporary = _folder(out)
    result = tune(
        scenario,
        made,
        folder,
        jobs=_jobs(jobs),
        limits=Limits(limit),
        listener=listener or ProgressListener(),
    )
    if result.rows:
        write_tuning(result, made, command=command)
    return _keep(result, temporary)


def plot(
    results: Results | Comparison | str | Path,
    kind: str,
    *,
    language: Literal["en", "vi"] = "en",
    place: str | None = None,
    controller: str | None = None,
    intersection: str | None = None,
) -> Figure:
    """One picture of results as a matplotlib figure, as ``denxanh plot`` draws it.

    ``kind`` is delay, differences, queue, cumulative, mfd, time-space, queue-heat or stages; ``controller`` says whose
    run or plan the last three show, by default the baseline's.

    Raises:
        InputError: no such kind, place, controller or intersection.

    >>> plot("denxanh-results/study", "delay").savefig("delay.pdf")  # doctest: +SKIP
    """
    from denxanh.experiments.plots.plot import plot as draw

    folder = Path(results) if isinstance(results, str | Path) else results.folder
    return draw(
        folder, kind, language=language, place=place, controller=controller, intersection=intersection
    )


def _scenario(scenario: Scenario | str | Path) -> Scenario:
    return scenario if isinstance(scenario, Scenario) else open_scenario(scenario)


def _seeds(seeds: int | Sequence[int]) -> list[int]:
    """``N`` is 1…N. Raises InputError."""
    check_count(
        seeds if isinstance(seeds, int) else len(seeds), SEEDS, "seeds", remedy="give a smaller number"
    )
    found = list(range(1, seeds + 1)) if isinstance(seeds, int) else list(seeds)
    if not found or len(set(found)) != len(found) or not all(isinstance(s, int) and s >= 0 for s in found):
        raise InputError(
            f"invalid seeds: {seeds!r}", remedy="give a number of seeds, or a list without repetition"
        )
    check_seeds(found)
    return found


def _jobs(jobs: int) -> int:
    """The number of runs side by side. Raises InputError."""
    if not isinstance(jobs, int) or not 0 <= jobs <= JOBS:
        raise InputError(f"invalid jobs: {jobs!r}", remedy=f"give a whole number from 0 to {JOBS}")
    return jobs or usable_cores()


def _run_options(
    options: Mapping[str, Any], scenario: Scenario, sensing: Sequence[str], own: Sequence[str]
) -> RunOptions:
    """RunOptions from keyword arguments; texts are read as on the command line. Raises InputError.

    ``own`` are further options that the function has, which may have been meant.
    """
    known = declarations(RunOptions)
    values: dict[str, Any] = {}
    for name, value in options.items():
        if name == "limit":  # as the command line names it
            values["limits"] = Limits(read_duration(value, "limit"))
            continue
        if name not in known:
            raise InputError(
                f"there is no option {name!r}", remedy=did_you_mean(name, [*known, "limit", *own])
            )
        text = known[name].text
        if isinstance(value, str | Path) and text is not None:
            value = text.read(Path(value) if name == "events" else value, scenario, sensing)
        values[name] = value
    return RunOptions(**values)


def _folder(out: str | Path | None) -> tuple[Path, tempfile.TemporaryDirectory[str] | None]:
    if out is not None:
        return Path(out), None
    temporary = tempfile.TemporaryDirectory(prefix="denxanh-")
    return Path(temporary.name), temporary


def _keep(result: _T, temporary: tempfile.TemporaryDirectory[str] | None) -> _T:
    """The result; its temporary folder is removed when it is."""
    if temporary is not None:
        weakref.finalize(result, temporary.cleanup)
    return result
