"""Plans by time of day, from traffic that turns round: which plans, when, and the same in SUMO."""

import itertools
import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from denxanh.experiments.optimize.evaluation.race import Case
from denxanh.experiments.optimize.job.plan_files import DAY, PROGRAM, write_day_files
from denxanh.experiments.optimize.problem.constraints import Constraints
from denxanh.experiments.optimize.search.day_search import PlannedDay, parts, periods, plan_day
from denxanh.experiments.optimize.tuning_problem import ProblemOptions, TuningProblem, prepare_problem
from denxanh.sim.errors import InputError
from denxanh.sim.plan import Timing
from denxanh.sim.scenario import Scenario

HALF = 600  # s: the street is busy for so long, then the roads across it
BEGIN = 25_200  # s: seven in the morning


def test_a_day_is_cut_into_equal_periods_and_its_parts_cover_it():
    assert periods(25_200, 28_800, 900) == (25_200, 26_100, 27_000, 27_900, 28_800)
    assert periods(0, 2000, 900) == (0, 1000, 2000)
    with pytest.raises(InputError, match="too short"):
        periods(0, 1500, 900)
    assert parts(4, 2) == [(0, 2), (2, 4), (0, 1), (1, 2), (2, 3), (3, 4)]
    assert parts(3, 2)[:2] == [(0, 2), (2, 3)]


@pytest.fixture(scope="module")
def place(tiny_place, tmp_path_factory: pytest.TempPathFactory) -> TuningProblem:
    """A vehicle every 2.4 s on the busy roads, every 12 s on the others; after HALF they change."""
    rows = []
    for busy, quiet, start in ((("we", "ew"), ("ns", "sn"), 0), (("ns", "sn"), ("we", "ew"), HALF)):
        for step, routes in ((2.4, busy), (12.0, quiet)):
            rows += [(BEGIN + start + t, route) for t in np.arange(0, HALF, step) for route in routes]
    vehicles = "\n".join(
        f'<vehicle id="{k}" type="car" route="{route}" depart="{time:.1f}"/>'
        for k, (time, route) in enumerate(sorted(rows))
    )
    head = tiny_place.routes.read_text().split("<vehicle", 1)[0]
    routes = tmp_path_factory.mktemp("day") / "day.rou.xml"
    routes.write_text(f"{head}{vehicles}</routes>")
    scenario = Scenario("day", tiny_place.net, (routes,), begin=BEGIN, end=BEGIN + 2 * HALF)
    return prepare_problem(scenario, ProblemOptions(constraints=Constraints(stages=True)), workers=2)


@pytest.fixture(scope="module")
def planned(place: TuningProblem) -> PlannedDay:
    return plan_day(
        place,
        place.space.existing(),
        place.surrogate,
        [Case(0, seed) for seed in (1, 2)],
        np.random.default_rng(0),
        most=2,
        seconds=0.6,
        period=300.0,
    )


def state_at(timing: Timing, time: float) -> str:
    at = timing.at(time)
    stage = timing.stages[at.stage]
    return stage.state if at.step == 0 else stage.change[at.step - 1].state


def test_the_plans_change_when_the_traffic_turns(planned: PlannedDay):
    assert [switch.time for switch in planned.day.switches] == [BEGIN, BEGIN + HALF]
    first, second = (planned.day.plans[s.plan].timings for s in planned.day.switches)
    for name in first:
        street = [s.green for s in first[name].stages], [s.green for s in second[name].stages]
        assert np.argmax(street[0]) != np.argmax(street[1])
    assert planned.comparison is not None
    assert planned.cost.mean() < planned.single.mean()


def test_both_denxanh_and_bare_sumo_run_the_day(
    place: TuningProblem, planned: PlannedDay, cli, bare_sumo, tmp_path: Path
):
    """SUMO switches at the hour, goes over at the first green, and is where the new plan's clock says after it."""
    files = write_day_files(tmp_path / "day", planned.day, place.network)
    rows = json.loads((files.folder / DAY).read_text())
    assert [row["from"] for row in rows] == ["07:00:00", "07:10:00"]
    scenario = place.evaluator.scenarios[0]
    signals = sorted(planned.day.plans[0].timings)
    events = "".join(f'<timedEvent type="SaveTLSStates" source="{s}" dest="states.xml"/>' for s in signals)
    (tmp_path / "states.add.xml").write_text(f"<additional>{events}</additional>")
    more = f"{files.folder / PROGRAM},states.add.xml"
    bare_sumo(
        tmp_path,
        ["-n", str(scenario.net), "-r", str(scenario.routes[0]), "-b", str(BEGIN), "-e", str(scenario.end),
         "-a", more, "--tripinfo-output", "tripinfo.xml", "--no-step-log"],
    )  # fmt: skip
    shown: dict[str, dict[float, tuple[str, str]]] = {name: {} for name in signals}
    for row in ElementTree.parse(tmp_path / "states.xml").getroot():
        shown[row.attrib["id"]][float(row.attrib["time"])] = (row.attrib["programID"], row.attrib["state"])
    for name in signals:
        for time, (program, state) in shown[name].items():
            number = planned.day.switches[int(time >= BEGIN + HALF)].plan
            timing = planned.day.plans[number].timings[name]
            over = BEGIN + HALF <= time < BEGIN + HALF + 3 * timing.cycle
            assert over or program == f"denxanh-{number}"
            assert over or state == state_at(timing, time), (name, time)
        # nobody is cut off: a link loses green only through yellow
        times = sorted(shown[name])
        for now, then in itertools.pairwise(times):
            lost = [
                k for k, (a, b) in enumerate(zip(shown[name][now][1], shown[name][then][1], strict=True))
                if a in "Gg" and b == "r"
            ]  # fmt: skip
            assert not lost, (name, now)
    done = cli(
        "run", f"{scenario.net}+{scenario.routes[0]}", "-c", f"time-of-day:schedule={files.folder / DAY}",
        "--end", str(scenario.end), "--out", tmp_path / "run",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
