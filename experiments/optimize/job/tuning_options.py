"""Options of one optimisation; the options of ``denxanh optimize`` are derived from the fields of TuningOptions."""

# ruff: noqa: RUF009  (option() returns a field)
from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, Field, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from denxanh.experiments.optimize.problem.scope import SCOPES, Scope
from denxanh.experiments.specification.run_options import AUTO, read_auto
from denxanh.sim.input.limits import DEMAND, SECONDS, STEPS, check_count, check_number, check_seeds

if TYPE_CHECKING:  # the command line reads this module on every start, so it imports nothing heavy
    from denxanh.experiments.definition.days import Days
    from denxanh.experiments.optimize.problem.constraints import Constraints
    from denxanh.experiments.optimize.problem.objective import Objective, Term
    from denxanh.experiments.optimize.tuning_problem import ProblemOptions
    from denxanh.sim.network import Network
    from denxanh.sim.scenario import Scenario

Kind = Literal["static", "actuated"]
JudgeFidelity = Literal["auto", "always", "never"]
Lefts = Literal["keep", "drop", "both"]
KINDS: tuple[str, ...] = get_args(Kind)
JUDGE_FIDELITY: tuple[str, ...] = get_args(JudgeFidelity)
DAYS: tuple[str, ...] = ("each", "same")
HELD_OUT = tuple(range(101, 111))
"""Seeds of the validation, each with a day of its own: ten are told apart in all comparisons, five in 32 % of them."""
HELD_OUT_SAME = HELD_OUT[:5]
"""Where all seeds have the same vehicles: they run on two other days too."""
LEFTS: tuple[str, ...] = get_args(Lefts)

CONSTRAINTS, DEMANDS, RESULT = "Constraints", "Demands", "Result"  # groups of options in the help text


@dataclass(frozen=True)
class CommandOption:
    """How a field of TuningOptions is given on the command line."""

    help: str
    flags: str = ""  # such as "--budget"; empty: the name of the field
    type: Any = str
    text: str | None = None  # default on the command line where it is not that of the field
    metavar: str | None = None
    minimum: float | None = None
    group: str | None = None
    choices: tuple[str, ...] = ()
    read: Callable[[Any], Any] = lambda value: (
        value
    )  # from the value on the command line to that of the field


def option(default: Any, help: str, **given: Any) -> Any:
    """A field of TuningOptions that is also an option of the command line; ``given`` as in CommandOption."""
    metadata = {"option": CommandOption(help, **given)}
    if callable(default):
        return field(default_factory=default, metadata=metadata)
    return field(default=default, metadata=metadata)


def command_options() -> dict[str, tuple[CommandOption, Any]]:
    """The options of the command line and their defaults there, by field name."""
    found = {}
    for one in fields(TuningOptions):
        if "option" in one.metadata:
            known: CommandOption = one.metadata["option"]
            found[one.name] = known, _default(one) if known.text is None else known.text
    return found


def _default(one: Field[Any]) -> Any:
    return None if one.default is MISSING or one.default == () else one.default


def _delay() -> Objective:
    from denxanh.experiments.optimize.problem.objective import DELAY

    return DELAY


def _objective(text: str) -> Objective:
    from denxanh.experiments.optimize.problem.objective import parse_objective

    return parse_objective(text)


def _pair(text: str) -> tuple[Objective, Objective] | None:
    from denxanh.experiments.optimize.problem.objective import parse_pair

    return parse_pair(text) if text else None


def _names(given: list[str] | None) -> tuple[str, ...]:
    """Names given one by one or separated by commas."""
    return tuple(name for text in given or () for name in text.split(",") if name)


def _time(text: str, option: str) -> float:
    from denxanh.sim.text_values import read_duration

    return read_duration(text, option, minimum=1.0)


def parse_scales(text: str) -> tuple[float, ...]:
    """Factors of the demand such as ``0.8,1,1.2``. Raises InputError."""
    from denxanh.sim.errors import InputError

    try:
        found = tuple(float(part) for part in text.split(","))
    except ValueError:
        found = ()
    if not found or not all(0 < factor < DEMAND for factor in found):
        raise InputError(f"--demand-scale {text!r} is no list of factors", remedy="write 0.8,1,1.2")
    return tuple(dict.fromkeys(found))


@dataclass(frozen=True)
class TuningOptions:
    """Options of one optimisation. Raises InputError for options that exclude each other."""

    objective: Objective = option(
        _delay,
        "delay, delay-pcu, delay-person, stops, throughput, emissions, queue:EDGE,EDGE, "
        "spillback:EDGE, or a sum as 'delay + 10*stops'.",
        metavar="WHAT",
        text="delay",
        read=_objective,
    )
    pareto: tuple[Objective, Objective] | None = option(
        None,
        "Plans between two objectives instead, as delay,stops.",
        metavar="A,B",
        text="",
        read=_pair,
    )
    seconds: float = option(
        15.0,
        "CPU time of search, seconds or 2min; the runs of SUMO come on top.",
        flags="--budget",
        text="15",
        metavar="TIME",
        read=lambda text: _time(text, "--budget"),
    )
    time: float | None = option(
        None,
        "Wall-clock time of the whole command, validation included, as 5min; takes the place of --budget.",
        flags="--time",
        text="",
        metavar="TIME",
        read=lambda text: _time(text, "--time") if text else None,
    )
    kind: Kind = option(
        "static",
        "static, or actuated: SUMO's actuated logic on the new or the existing stages.",
        group=RESULT,
        choices=KINDS,
    )
    lefts: Lefts = option(
        "keep",
        "Protected left turns: keep them, drop (they may become permitted), or both, side by side.",
        group=RESULT,
        choices=LEFTS,
    )
    day: int = option(0, "At most N plans by time of day.", metavar="N", type=int, minimum=0, group=RESULT)
    day_period: float = option(
        900.0,
        "Plans change at multiples of this: seconds, or 15min.",
        text="900",
        metavar="TIME",
        group=RESULT,
        read=lambda text: _time(text, "--day-period"),
    )
    only: Scope = option(
        "all",
        "May change: all, offsets, splits, timing (not the stages), own-stages (no new ones).",
        group=CONSTRAINTS,
        choices=SCOPES,
    )
    keep_cycle: bool = option(
        False, "Keep each signal's cycle length.", flags="--keep-cycle", type=bool, group=CONSTRAINTS
    )
    freeze: tuple[str, ...] = option(
        (), "Signals that keep their plan.", type=list[str], metavar="ID", group=CONSTRAINTS, read=_names
    )
    signals: tuple[str, ...] = option(
        (), "Only these signals may change.", type=list[str], metavar="ID", group=CONSTRAINTS, read=_names
    )
    greens: tuple[str, ...] = option(
        (),
        "Limits of a stage's green, s: J1:2=15-40.",
        flags="--green",
        type=list[str],
        metavar="ID:STAGE=MIN-MAX",
        group=CONSTRAINTS,
        read=lambda given: tuple(given or ()),
    )
    greens_file: Path | None = option(
        None,
        "A CSV of such limits: signal,stage,min_green,max_green.",
        flags="--greens",
        type=Path,
        metavar="FILE",
        group=CONSTRAINTS,
    )
    no_repeat_stage: bool = option(
        False,
        "Show no stage twice in a cycle.",
        flags="--no-repeat-stage",
        type=bool,
        group=CONSTRAINTS,
    )
    always_red: bool = option(
        False,
        "Every movement of vehicles has a red in the cycle, free right turns too.",
        flags="--always-red",
        type=bool,
        group=CONSTRAINTS,
    )
    max_stages: int = option(
        0,
        "At most N stages in a cycle; 0: no limit.",
        type=int,
        metavar="N",
        minimum=0,
        group=CONSTRAINTS,
    )
    whole_seconds: bool = option(
        False,
        "Round each yellow, all-red and clearance up to whole seconds; greens always are.",
        flags="--whole-seconds",
        type=bool,
        group=CONSTRAINTS,
    )
    crossings: tuple[str, ...] = option(
        (),
        "Minimum green of crossings: 15, J1=15, or J1:P2=15 with the name on the sheet.",
        flags="--crossing",
        type=list[str],
        metavar="[ID[:P]=]SECONDS",
        group=CONSTRAINTS,
        read=lambda given: tuple(given or ()),
    )
    demand_samples: int = option(
        0, "Number of further days drawn from the demand.", type=int, minimum=0, group=DEMANDS
    )
    scales: tuple[float, ...] = option(
        (1.0,),
        "Factors of the demand, as 0.8,1,1.2.",
        flags="--demand-scale",
        metavar="F,F…",
        text="1",
        group=DEMANDS,
        read=parse_scales,
    )
    also: tuple[Scenario, ...] = option(
        (),
        "Other traffic on the same network: a route file or a .sumocfg.",
        type=list[str],
        metavar="PLACE",
        group=DEMANDS,
    )
    seeds: tuple[int, ...] = option((1, 2, 3), "Seeds of the search: N for 1…N, or a list.", text="3")
    trust: bool = option(
        True,
        "Measure first how well the model ranks plans here.",
        flags="--trust/--no-trust",
        type=bool,
    )
    warm_up: float | Literal["auto"] = option(
        AUTO,
        "Warm-up at the begin, simulated and not measured: seconds, 10min, or auto (the free travel time of the "
        "longest route).",
        text=AUTO,
        metavar="TIME",
        group=DEMANDS,
        read=lambda text: read_auto(text, "--warm-up"),
    )
    flush: float | Literal["auto"] = option(
        AUTO,
        "Flush at the end, not measured, in which measured vehicles may finish: seconds, 10min, or auto (as long as "
        "an automatic warm-up, else 0).",
        text=AUTO,
        metavar="TIME",
        group=DEMANDS,
        read=lambda text: read_auto(text, "--flush"),
    )
    days: Days = option(
        "each",
        "Each seed has its own day (departures drawn anew), or all the same vehicles.",
        metavar="each|same",
        choices=DAYS,
    )
    plan_is_real: bool = option(
        False,
        "The existing plan is confirmed as the one that runs in the street.",
        flags="--plan-is-real",
        type=bool,
    )
    judge_fidelity: JudgeFidelity = option(
        "auto",
        "Judge the plans in the place's other fidelity too (lane, sublane): auto where a run is short, always, never.",
        flags="--judge-fidelity",
        metavar="auto|always|never",
        choices=JUDGE_FIDELITY,
        group=RESULT,
    )
    held_out: tuple[int, ...] = ()  # seeds of the validation; empty: HELD_OUT or HELD_OUT_SAME
    search_seed: int = 1

    def __post_init__(self) -> None:
        from denxanh.sim.errors import InputError

        if not self.held_out:
            object.__setattr__(self, "held_out", HELD_OUT if self.days == "each" else HELD_OUT_SAME)
        self._check_range()
        self._check_combination()
        if 1.0 not in self.scales:
            raise InputError(
                "the demand as given is not among --demand-scale, but plans are validated on it",
                remedy="include 1, as 0.8,1,1.2",
            )
        demands = len(set(self.scales)) + self.demand_samples + len(self.also)
        if max(len(set(self.seeds)), demands) < 2:
            raise InputError(
                "a plan cannot be accepted on one run", remedy="give at least two seeds, as --seeds 2"
            )
        shared = sorted(set(self.seeds) & set(self.held_out))
        if shared:
            raise InputError(
                f"seed {shared[0]} is reserved for the validation", remedy=f"leave {shared[0]} out of --seeds"
            )

    def _check_range(self) -> None:
        """Raise InputError for a number that no search can use."""
        check_number(self.seconds, SECONDS, "--budget", least=1)
        if self.time is not None:
            check_number(self.time, SECONDS, "--time", least=1)
        check_number(self.day, STEPS, "--day", least=0)
        check_number(self.day_period, SECONDS, "--day-period", least=1)
        check_number(self.demand_samples, STEPS, "--demand-samples", least=0)
        check_count(len(self.scales), STEPS, "factors of the demand", remedy="give fewer")
        check_seeds(self.seeds)
        for name, cut in (("--warm-up", self.warm_up), ("--flush", self.flush)):
            if cut != AUTO:
                check_number(cut, SECONDS, name, least=0)

    def _check_combination(self) -> None:
        """Raise InputError for options that are mutually exclusive."""
        from denxanh.sim.errors import InputError

        exclusive = {
            "--pareto": self.pareto is not None,
            "--day": bool(self.day),
            "--lefts both": self.lefts == "both",
            "--kind actuated": self.kind == "actuated",
        }
        unlimited = [name for name, given in exclusive.items() if given and name != "--kind actuated"]
        if self.time is not None and unlimited:
            raise InputError(
                f"--time and {unlimited[0]} are mutually exclusive",
                remedy=f"limit {unlimited[0]} by --budget",
            )
        chosen = [name for name, given in exclusive.items() if given]
        if len(chosen) > 1 and set(chosen) != {"--lefts both", "--kind actuated"}:
            raise InputError(
                f"{chosen[0]} and {chosen[1]} are mutually exclusive", remedy="run one after the other"
            )
        if self.kind == "actuated" and (self.greens or self.greens_file or self.crossings):
            raise InputError(
                "limits on greens hold for fixed plans, an actuated program has its own minimum and maximum",
                remedy="omit --green, --greens and --crossing, or --kind actuated",
            )
        if self.day == 1:
            raise InputError("a day with one plan needs no schedule", remedy="give --day 2 or more")
        if self.day and self.objective != _delay():
            raise InputError("plans by time of day are chosen by delay", remedy="omit --objective")
        if self.day and not self.day_period > 0:
            raise InputError(
                f"invalid period: {self.day_period:g} s; it must be above 0", remedy="give --day-period 900"
            )

    @property
    def terms(self) -> tuple[Term, ...]:
        """The terms of the objective, or of the two objectives of a front one after the other."""
        if self.pareto is not None:
            return (*self.pareto[0].terms, *self.pareto[1].terms)
        return self.objective.terms

    def constraints(self, network: Network) -> Constraints:
        """The constraints of the search, checked against the network. Raises InputError."""
        from denxanh.experiments.optimize.problem.cabinet_limits import make_cabinet_limits
        from denxanh.experiments.optimize.problem.constraints import make_constraints

        return make_constraints(
            network,
            only=self.only,
            keep_cycle=self.keep_cycle,
            freeze=self.freeze,
            signals=self.signals,
            greens=self.greens,
            greens_file=self.greens_file,
            cabinet=make_cabinet_limits(
                network,
                no_repeat_stage=self.no_repeat_stage,
                always_red=self.always_red,
                max_stages=self.max_stages,
                whole_seconds=self.whole_seconds,
                crossings=self.crossings,
            ),
        )

    def problem_options(
        self, *, drop_protected: bool, seed: int, cuts: tuple[float, float] = (0.0, 0.0)
    ) -> ProblemOptions:
        """The description of the problem; ``seed`` is that of the days drawn, ``cuts`` warm-up and flush, s."""
        from denxanh.experiments.optimize.tuning_problem import ProblemOptions
        from denxanh.experiments.specification.run_specification import absolute

        return ProblemOptions(
            objective=self.pareto[0] if self.pareto else self.objective,
            constraints=self.constraints,
            drop_protected=drop_protected,
            demand_samples=self.demand_samples,
            scales=self.scales,
            also=tuple(absolute(other) for other in self.also),
            seed=seed,
            cuts=cuts,
        )
