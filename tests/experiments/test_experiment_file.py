"""experiment.toml: every error at once with its path; what it expands to; days resampled."""

from __future__ import annotations

import itertools
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from denxanh.experiments.definition.expand import Experiment, expand
from denxanh.experiments.definition.experiment_file import check, read_experiment, schema
from denxanh.experiments.definition.resample import Resampling, another_day, scaled_demand
from denxanh.experiments.definition.scaffold import EXAMPLE, write_example
from denxanh.experiments.specification.identity import controller_digest
from denxanh.experiments.specification.run_specification import pack, unpack
from denxanh.networks.scenarios import open_scenario
from denxanh.sim.demand.departures import read_departures
from denxanh.sim.errors import InputError
from denxanh.sim.scenario import Scenario

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.fixture
def opened(tiny_place: Any, tmp_path: Path) -> Callable[..., Experiment]:
    """An experiment on the tiny place from values."""

    def make(**values: Any) -> Experiment:
        data = {"places": [str(tiny_place.config)], "controllers": ["program"], **values}
        return expand(check(data, "x"), tmp_path / "experiment.toml")

    return make


def labels(experiment: Experiment, days: Path) -> list[tuple[int, float, str]]:
    runs = experiment.runs(warm_up=0.0, days=days)
    return [(run.seed, run.demand, run.label) for run in runs]


def test_a_controller_that_looks_at_vehicles_is_run_with_every_sensing(
    opened: Callable[..., Experiment], tmp_path: Path
) -> None:
    experiment = opened(
        controllers=["program", "max-pressure"], sensing=["ideal", "camera:range_m=60"], seeds=[1]
    )
    expected = ["program", "max-pressure", "max-pressure @ camera:range_m=60"]
    assert [label for _, _, label in labels(experiment, tmp_path)] == expected
    assert len(experiment) == 3
    runs = list(experiment.runs(warm_up=0.0, days=tmp_path))
    assert len({run.identity() for run in runs}) == 3
    assert unpack(*pack(runs[2])[::2]) == runs[2]


@pytest.mark.parametrize(
    ("sensing", "said"),
    [
        (["camra"], "did you mean 'camera'"),
        (["loops:advence=50"], "did you mean 'advance'"),
        (["loops:missed=2"], "give a share from 0 to 1"),
        (["camera:noise=much"], "is not a number"),
        (["loops", "loops:advance=80"], "are the same"),
    ],
)
def test_a_sensing_that_cannot_be_is_refused(
    opened: Callable[..., Experiment], sensing: list[str], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        opened(controllers=["program"], sensing=sensing)


def test_every_error_is_told_at_once_with_its_path() -> None:
    with pytest.raises(InputError) as caught:
        check(
            {
                "places": ["a", "a"],
                "controllers": [{"name": "max-pressure", "near": {"frm": 3, "to": 9}}],
                "demands": [1.0],
                "demand": [0.0],
                "seeds": 0,
                "metrics": ["delay"],
                "sensing": "loops",
                "mixes": [],
                "warm_up": "mser5",
                "limits": {"wal": 3},
                "design": {"method": "sobol"},
                "stop": {"half_width": 0.05, "min": 9, "max": 3},
            },
            "e.toml",
        )
    text = str(caught.value)
    for part in (
        "places: 'a' is given twice",
        "controllers[0].near.from is missing",
        "controllers[0].near.frm: there is no key 'frm'; did you mean 'from'?",
        "demands: there is no key 'demands'; did you mean 'demand'?",
        "demand[0] must be above 0 (given: ",
        "seeds: a number of seeds is between 1 and 100000",
        "metrics: there is no metric 'delay'; did you mean 'delay_s'?",
        "sensing must be a list (given: 'loops')",
        "vehicle mixes cannot be given yet",
        "warm_up: ",
        "limits.wal: there is no key 'wal'; did you mean 'wall'?",
        "design: 'points' belongs to",
        "stop: 'min' is above 'max'",
    ):
        assert part in text


def test_places_and_controllers_are_all_checked_before_anything_runs(
    opened: Callable[..., Experiment],
) -> None:
    with pytest.raises(InputError) as caught:
        opened(
            places=["nowhere", "no-more"], controllers=["progam", {"name": "max-pressure", "intervall": 3}]
        )
    text = str(caught.value)
    assert "places[0]" in text
    assert "places[1]" in text
    assert "did you mean 'program'" in text
    assert "did you mean 'interval'" in text


@pytest.mark.parametrize(
    ("content", "said"),
    [("a = [", "not TOML"), ("controllers = ['program']", "places is missing"), (b"\xff", "not UTF-8")],
)
def test_a_file_that_cannot_be_read_is_told_in_a_sentence(tmp_path: Path, content: Any, said: str) -> None:
    path = tmp_path / "experiment.toml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError, match=said):
        read_experiment(path)


def test_seeds_come_first_so_that_pairs_are_complete_early(
    opened: Callable[..., Experiment], tmp_path: Path
) -> None:
    experiment = opened(controllers=["program", "max-pressure"], demand=[0.5, 1], seeds=[4, 2])
    found = labels(experiment, tmp_path)
    assert found == list(itertools.product([4, 2], [0.5, 1.0], ["program", "max-pressure"]))
    assert len(experiment) == 8


def test_lists_and_ranges_expand_to_a_grid(opened: Callable[..., Experiment], tmp_path: Path) -> None:
    entry = {"name": "max-pressure", "interval": [5, 10], "near": {"from": 20.0, "to": 60.0, "levels": 3}}
    found = labels(opened(controllers=["program", entry], seeds=1), tmp_path)
    assert [label for _, _, label in found] == ["program"] + [
        f"max-pressure:interval={i},near={n}" for i in (5, 10) for n in (20, 40, 60)
    ]


@pytest.mark.parametrize("method", ["latin-hypercube", "sobol"])
def test_designs_have_as_many_points_as_asked_and_repeat(
    opened: Callable[..., Experiment], tmp_path: Path, method: str
) -> None:
    entry = {"name": "max-pressure", "interval": {"from": 5.0, "to": 20.0}, "near": {"from": 0.0, "to": 80.0}}
    make = {"controllers": [entry], "design": {"method": method, "points": 8, "seed": 3}, "seeds": 1}
    first, again = labels(opened(**make), tmp_path), labels(opened(**make), tmp_path)
    assert first == again
    assert len(set(first)) == 8


def test_a_default_written_out_is_the_same_controller(opened: Callable[..., Experiment]) -> None:
    with pytest.raises(InputError, match="are the same"):
        opened(controllers=["max-pressure", "max-pressure:interval=10"])


def test_identity_knows_inputs_by_content_and_parameters_by_value(
    opened: Callable[..., Experiment], tmp_path: Path, tiny_place: Any
) -> None:
    def ids(**values: Any) -> set[str]:
        return {run.identity() for run in opened(seeds=1, **values).runs(warm_up=0.0, days=tmp_path)}

    copy = tmp_path / "copy"
    copy.mkdir()
    for path in (tiny_place.net, tiny_place.routes, tiny_place.config):
        (copy / path.name).write_bytes(path.read_bytes())
    assert ids() == ids(places=[str(copy / tiny_place.config.name)])
    assert ids(controllers=["max-pressure"]) == ids(controllers=[{"name": "max-pressure", "interval": 10}])
    assert ids() != ids(demand=[0.5])
    assert len({run.identity() for run in opened(seeds=9).runs(warm_up=0.0, days=tmp_path)}) == 9
    (warm,) = opened(seeds=1).runs(warm_up=60.0, days=tmp_path)
    assert {warm.identity()} != ids()
    assert ids(controllers=["max-pressure"]) != ids(controllers=["max-pressure:interval=9"])
    routes = copy / tiny_place.routes.name
    routes.write_text(routes.read_text().replace('depart="3"', 'depart="4"', 1))
    assert ids() != ids(places=[str(copy / tiny_place.config.name)])


def test_a_plan_counts_by_its_content_below_a_layer_too(
    opened: Callable[..., Experiment], tmp_path: Path
) -> None:
    def ids(controller: Any) -> set[str]:
        experiment = opened(seeds=1, controllers=[controller])
        return {run.identity() for run in experiment.runs(warm_up=0.0, days=tmp_path)}

    plan, copy = tmp_path / "plan.json", tmp_path / "copy.json"
    plan.write_text("{}", encoding="utf-8")
    copy.write_text("{}", encoding="utf-8")
    alone, layered = ids(f"fixed-time:plan={plan}"), ids(f"police:over=fixed-time:plan={plan}")
    assert layered == ids(f"police:over=fixed-time:plan={copy}")
    assert layered == ids({"name": "police", "over": "fixed-time:plan=plan.json"})  # beside the experiment
    plan.write_text('{"another": 1}', encoding="utf-8")
    assert alone != ids(f"fixed-time:plan={plan}")
    assert layered != ids(f"police:over=fixed-time:plan={plan}")


def test_a_plan_below_a_layer_in_a_folder_with_a_comma_is_refused(tiny_place: Any, tmp_path: Path) -> None:
    folder = tmp_path / "3-2, quan 10"
    folder.mkdir()
    (folder / "plan.json").write_text("{}", encoding="utf-8")
    data = {
        "places": [str(tiny_place.config)],
        "controllers": [{"name": "police", "over": "fixed-time:plan=plan.json"}],
    }
    with pytest.raises(InputError, match="holds a comma"):
        expand(check(data, "x"), folder / "experiment.toml")


@pytest.mark.parametrize("how", [Resampling("jitter", 30.0, 1), Resampling("bootstrap", 60.0, 1)])
def test_another_day_keeps_the_number_and_changes_the_times(
    tiny_place: Any, tmp_path: Path, how: Resampling
) -> None:
    scenario = open_scenario(str(tiny_place.config))
    day, again, other = (another_day(scenario, how, k, tmp_path) for k in (1, 1, 2))
    assert day.routes == again.routes != other.routes
    counts = [read_departures(s.routes[0], s.begin, s.end) for s in (scenario, day)]
    assert counts[0].due == counts[1].due == 100
    assert (counts[1].before, counts[1].after) == (0, 0)
    times = [float(text) for text in re.findall(r'depart="([\d.]+)"', day.routes[0].read_text("utf-8"))]
    assert times == sorted(times)
    assert sum(time > 299.9 for time in times) <= 1  # reflected at the end, not heaped up there


def test_times_as_clock_and_vehicles_in_additional_files_are_resampled(
    tiny_place: Any, tmp_path: Path
) -> None:
    rows = (
        f'<vehicle id="v{k}" depart="0:00:{k:02d}"><route edges="left0A0 A0B0"/></vehicle>' for k in range(40)
    )
    traffic, empty = tmp_path / "clock.add.xml", tmp_path / "empty.rou.xml"
    traffic.write_text(f"<additional>{''.join(rows)}</additional>", encoding="utf-8")
    empty.write_text("<routes/>", encoding="utf-8")
    scenario = Scenario("clock", tiny_place.net, (empty,), (traffic,), end=60.0)
    how = Resampling("jitter", 10.0, 1)
    day, other = (another_day(scenario, how, k, tmp_path) for k in (1, 2))
    assert day.routes == scenario.routes  # nothing in it could be drawn
    assert len({day.additional, other.additional, scenario.additional}) == 3
    assert len(re.findall(r'depart="\d+\.\d\d"', day.additional[0].read_text("utf-8"))) == 40
    half = scaled_demand(scenario, 0.5, tmp_path)
    assert half.additional[0].read_text("utf-8").count("<vehicle ") == 20


def test_a_demand_without_times_can_neither_be_scaled_nor_resampled(tiny_place: Any, tmp_path: Path) -> None:
    routes = tmp_path / "waiting.rou.xml"
    routes.write_text(
        '<routes><vehicle id="v" depart="triggered"><route edges="left0A0 A0B0"/></vehicle></routes>',
        encoding="utf-8",
    )
    scenario = Scenario("waiting", tiny_place.net, (routes,), end=60.0)
    assert another_day(scenario, Resampling("jitter", 10.0, 1), 1, tmp_path) == scenario
    with pytest.raises(InputError, match="no vehicle or flow is there"):
        scaled_demand(scenario, 2.0, tmp_path)
    data = {
        "places": [f"{tiny_place.net}+{routes}"],
        "controllers": ["program"],
        "resample": {"method": "jitter", "sd": 10.0},
        "end": 60,
    }
    experiment = expand(check(data, "x"), tmp_path / "experiment.toml")
    with pytest.raises(InputError, match="no vehicle is there whose departure could be resampled"):
        list(experiment.runs(warm_up=0.0, days=tmp_path))


def test_a_schedule_counts_with_the_plans_it_names(tiny_place: Any, tmp_path: Path) -> None:
    plan, schedule = tmp_path / "m.json", tmp_path / "day.json"
    plan.write_text("{}", encoding="utf-8")
    schedule.write_text('[{"from": "00:00", "plan": "m.json"}]', encoding="utf-8")
    before = controller_digest("time-of-day", {"schedule": str(schedule)})
    assert before == controller_digest("time-of-day", {"schedule": str(schedule)})
    plan.write_text('{"another": 1}', encoding="utf-8")
    assert before != controller_digest("time-of-day", {"schedule": str(schedule)})


def test_flows_cannot_be_resampled(tiny_place: Any, tmp_path: Path) -> None:
    routes = tmp_path / "flow.rou.xml"
    routes.write_text(
        '<routes><flow id="f" begin="0" end="9" period="3" from="left0A0" to="B0right0"/></routes>'
    )
    scenario = open_scenario(f"{tiny_place.net}+{routes}", end=60)
    with pytest.raises(InputError, match="cannot be resampled"):
        another_day(scenario, Resampling("jitter", 3.0, 1), 1, tmp_path)


def test_the_example_is_valid_and_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "experiment.toml"
    write_example(path)
    assert read_experiment(path).seeds == 10
    with pytest.raises(InputError, match="this file exists"):
        write_example(path)
    uncommented = "\n".join(
        line.removeprefix("# ")
        for line in EXAMPLE.splitlines()
        if not line.startswith(("# [stop]", "# half_", "# m"))
    )
    assert "warm_up" in uncommented


def test_the_published_schema_is_current() -> None:
    assert (DOCS / "experiment.schema.json").read_text("utf-8") == schema()
    assert "stop" in json.loads(schema())["properties"]


def test_places_have_times_and_names_of_their_own(opened: Callable[..., Experiment], tiny_place: Any) -> None:
    place = str(tiny_place.config)
    places = [
        place,
        {"place": place, "name": "short", "duration": "2min"},
        {"place": place, "name": "shorter", "end": "+90"},
        {"place": place, "name": "clock", "end": "00:04"},
        {"place": place, "name": "whole", "end": 300},
    ]
    experiment = opened(places=places, duration=60)
    assert [(s.name, s.end) for s in experiment.scenarios] == [
        ("tiny", 60.0), ("short", 120.0), ("shorter", 90.0), ("clock", 240.0), ("whole", 300.0),
    ]  # fmt: skip
    assert opened(end="+1min").scenarios[0].end == 60.0
    assert opened(warm_up="2min").options.warm_up == 120.0


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"end": "soon"}, "end: 'soon' is not a time; write seconds, 07:30, +30min or +1800"),
        ({"duration": "soon"}, "duration: 'soon' is not a duration; write seconds, 10min or 1h30min"),
        ({"duration": 0}, "duration must be above 0 (given: 0"),
        ({"warm_up": "often"}, "warm_up: 'often' is not a duration"),
        ({"end": 60, "duration": 60}, "'end' and 'duration' exclude each other"),
        ({"places": [{"place": "x", "end": 60, "duration": 60}]}, "'end' and 'duration' exclude each other"),
        (
            {"places": [{"place": "x", "durations": 60}]},
            "there is no key 'durations'; did you mean 'duration'?",
        ),
        ({"places": [{"name": "x"}]}, "places[0].place is missing"),
    ],
)
def test_a_time_that_is_none_is_told_by_its_key(values: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError) as caught:
        check({"places": ["x"], "controllers": ["program"], **values}, "experiment.toml")
    assert words in str(caught.value)


def test_two_places_of_one_name_are_refused(opened: Callable[..., Experiment], tiny_place: Any) -> None:
    entry = {"place": str(tiny_place.config), "name": "mine"}
    with pytest.raises(InputError, match="two places are called 'mine'"):
        opened(places=[entry, {**entry, "duration": 60}])


def test_a_place_is_looked_for_beside_the_file_and_nowhere_else(
    tiny_place: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tiny_place.folder)
    file = tmp_path / "project/experiment.toml"
    with pytest.raises(InputError, match=r"there is no file 'tiny\.sumocfg'"):
        expand(check({"places": ["tiny.sumocfg"], "controllers": ["program"]}, "x"), file)
    for path in tiny_place.folder.iterdir():
        shutil.copy(path, tmp_path / "project")
    for text in ("tiny.sumocfg", "tiny.net.xml+tiny.rou.xml"):
        (scenario,) = expand(check({"places": [text], "controllers": ["program"]}, "x"), file).scenarios
        assert scenario.net == (tmp_path / "project/tiny.net.xml").resolve()


def test_a_place_with_a_generic_name_is_called_after_its_folder(tiny_place: Any, tmp_path: Path) -> None:
    names = []
    for name in ("north", "south"):
        shutil.copytree(tiny_place.folder, tmp_path / name)
        (tmp_path / name / "tiny.sumocfg").rename(tmp_path / name / "place.sumocfg")
        names.append(open_scenario(str(tmp_path / name)).name)
    assert names == ["north", "south"]
