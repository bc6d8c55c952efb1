"""Signal timings that beat the ones that are there: space, search, judge, and what leaves the program.

The way through it is ``Tuner`` (experiments.optimize.tune); docs/optimize.md tells the method.
"""

from experiments.optimize.actuated import tune_actuation
from experiments.optimize.believing import Believing
from experiments.optimize.day import DaySchedule, Switch, day_xml, schedule
from experiments.optimize.export import Actuation, plan_xml, timing_sheet
from experiments.optimize.freeze import Freeze
from experiments.optimize.judge import SumoJudge
from experiments.optimize.moves import Neighbourhood
from experiments.optimize.objective import MEASURES, Objective, parse_objective, parse_pair
from experiments.optimize.pack import Packer
from experiments.optimize.pareto import Front, pareto_front
from experiments.optimize.place import Place, prepare
from experiments.optimize.race import Case, Race, accept, race
from experiments.optimize.search import Search
from experiments.optimize.space import Candidate, Setting, Space
from experiments.optimize.stages import StageSet, stage_set
from experiments.optimize.starts import starts
from experiments.optimize.tune import Budget, Judged, Outcome, Progress, Tuner

__all__ = [
    "MEASURES",
    "Actuation",
    "Believing",
    "Budget",
    "Candidate",
    "Case",
    "DaySchedule",
    "Freeze",
    "Front",
    "Judged",
    "Neighbourhood",
    "Objective",
    "Outcome",
    "Packer",
    "Place",
    "Progress",
    "Race",
    "Search",
    "Setting",
    "Space",
    "StageSet",
    "SumoJudge",
    "Switch",
    "Tuner",
    "accept",
    "day_xml",
    "pareto_front",
    "parse_objective",
    "parse_pair",
    "plan_xml",
    "prepare",
    "race",
    "schedule",
    "stage_set",
    "starts",
    "timing_sheet",
    "tune_actuation",
]
