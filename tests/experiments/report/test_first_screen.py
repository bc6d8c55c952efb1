"""The first screen: what it advises, who it says loses, what a gain is worth, and what it warns of."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from denxanh.experiments.report import Comparison, render
from denxanh.experiments.report.decision.benefit import Benefit, benefit, co2_text, money_text
from denxanh.experiments.report.decision.cautions import NOBODY_WALKS, SYNTHETIC, cautions
from denxanh.experiments.report.decision.first_screen import Losers, _losing_movements, first_screen
from denxanh.experiments.report.decision.group_changes import GroupChange, persons, type_changes
from denxanh.experiments.report.decision.names import controller_title, direction_title
from denxanh.experiments.report.decision.recommendation import recommend
from denxanh.experiments.report.tables import flags, rounded
from denxanh.experiments.report.tables import losers as loser_rows
from denxanh.experiments.results.summary import Group, decisions
from denxanh.experiments.runs.run_row import RunRow
from denxanh.networks.built_in import NOTE
from denxanh.sim.language.text import Text
from denxanh.sim.run import store

Build = Callable[..., Comparison]
Metrics = Callable[..., dict[str, float | int | None]]


@pytest.fixture
def group(metrics: Metrics) -> Callable[..., Group]:
    """A group of runs without folders, from the delays of each controller by seed."""

    def make(**delays: list[float]) -> Group:
        runs = {
            name: [
                RunRow("street", name, seed, metrics=metrics(delay)) for seed, delay in enumerate(values, 1)
            ]
            for name, values in delays.items()
        }
        return Group("street", 1.0, runs)

    return make


PROVEN = {"program": [60, 62, 61], "conventional": [40, 41, 40.5], "actuated": [30, 31.2, 30.4]}
LEVEL = {"program": [60, 62, 61], "conventional": [40, 41, 42], "actuated": [39, 43, 41]}


@pytest.mark.parametrize(
    ("delays", "advice", "candidate"),
    [
        # proven better than the plan that an engineer would have set
        (PROVEN, "install", "actuated"),
        # better than the existing plan, not than the conventional one: the conventional one is to be installed
        (LEVEL, "conventional", "conventional"),
        # only two controllers, one proven better
        ({"program": [60, 62, 61], "actuated": [40, 41.5, 40.9]}, "install", "actuated"),
        # everything that was tried is proven worse
        ({"program": [40, 41, 40.5], "actuated": [50, 51.5, 50.2]}, "keep", "actuated"),
        ({"program": [40, 45, 41], "actuated": [39, 46, 40]}, "unproven", "actuated"),
        ({"program": [40], "actuated": [20]}, "unproven", "actuated"),
    ],
)  # fmt: skip
def test_the_advice_follows_from_what_is_proven(
    group: Callable[..., Group], delays: dict[str, list[float]], advice: str, candidate: str
) -> None:
    found = recommend(group(**delays), assumed_plan=False)
    assert found is not None
    assert (found.advice, found.candidate) == (advice, candidate)


def test_gains_are_told_against_the_conventional_plan_first(group: Callable[..., Group]) -> None:
    found = recommend(group(**PROVEN), assumed_plan=False)
    assert found is not None
    assert [gain.reference for gain in found.gains] == ["conventional", "program"]
    said = found.sentence()
    assert said.en == (
        "Operate the signals with the strategy actuated: 25 % less delay than the conventional plan (−9.97 s/veh, "
        "95 % interval −10.35…−9.59, 3 days), 50 % less delay than the existing plan."
    )
    assert "trễ ít hơn 25 % so với phương án thông thường" in said.vi


# three candidates, two days: each pair alone would be significant (p = 0.022), after Holm none is (0.066)
HOLM = {
    "program": [60.0, 62.0],
    "conventional": [51.6, 53.0],
    "actuated": [52.0, 60.0],
    "max-pressure": [58.0, 64.5],
}


def test_the_advice_is_decided_as_the_verdict(group: Callable[..., Group]) -> None:
    """What the verdict calls not distinguishable is not to be installed, and its interval holds zero."""
    runs = group(**HOLM)
    found = recommend(runs, assumed_plan=False)
    (said,) = [
        one for one in decisions(runs) if (one.candidate, one.reference) == ("conventional", "program")
    ]
    assert said.verdict.outcome == "not distinguishable"
    assert said.paired.p_value is not None
    assert said.paired.p_value < 0.05
    assert said.interval is not None
    assert said.interval.low < 0.0 < said.interval.high
    assert found is not None
    assert found.advice == "unproven"


# proven against the conventional plan, not against the existing one, whose days vary widely
DOUBTFUL = {"program": [40, 160, 110], "conventional": [32, 33.5, 31], "actuated": [28, 29.2, 27.1]}


def test_a_gain_that_is_not_proven_says_so_wherever_it_stands(group: Callable[..., Group]) -> None:
    screen = first_screen(group(**DOUBTFUL), None, assumed_plan=True, duration=3600.0)
    assert screen is not None
    assert screen.recommendation.advice == "install"
    assert (
        "73 % less delay than the assumed plan (not proven: −75 s/veh, 95 % interval −" in screen.sentence.en
    )
    assert "so với phương án giả định (chưa chứng minh được: " in screen.sentence.vi
    assert "−13 % / −73 % ?;" in screen.three_lines()[1].en
    delay, hours, worth = screen.tiles
    assert "(−13 %)" in delay.lines[0][0].en
    assert "95 % interval −" in delay.lines[0][1].en
    assert "3 days" in delay.lines[0][1].en
    for tile in (delay, hours, *([worth] if worth.lines else [])):
        value, note = tile.lines[1]
        assert "?" in value.en
        assert "?: not proven" in note.en
    assert hours.heading == Text(
        "Saved a day (of 1 h simulated)", "Tiết kiệm mỗi ngày (chỉ tính 1 giờ mô phỏng)"
    )


def test_a_loss_is_no_gain_whether_proven_or_not(group: Callable[..., Group]) -> None:
    """Proven beside a third controller that cannot be told from the baseline, so that "keep" is not the advice."""
    program = [40, 45, 41, 44]
    found = recommend(group(program=program, actuated=[42, 45.5, 47, 44]), assumed_plan=False)
    assert found is not None
    said = found.sentence().en
    assert said.startswith(
        "No gain seen: the strategy actuated: 5 % more delay than the existing plan (not proven: +2.1 s/veh, 95 % "
    )
    assert "to prove the loss" in said
    lost = {"program": program, "actuated": [44, 49.2, 45, 48.1], "sotl": [40, 60, 60, 50]}
    found = recommend(group(**lost), assumed_plan=False)
    assert found is not None
    assert (found.advice, found.candidate) == ("unproven", "actuated")
    said = found.sentence().en
    assert said.startswith(
        "No gain seen: the strategy actuated: 10 % more delay than the existing plan (proven: +4."
    )
    assert "More days" not in said


@pytest.mark.parametrize("label", ["program", "existing plan", "assumed plan"])
def test_a_plan_that_nobody_has_seen_is_called_assumed(group: Callable[..., Group], label: str) -> None:
    """Everywhere on the first screen and in the terminal's lines, in both languages; the confirmed one is existing."""
    runs = {label: PROVEN["program"], "conventional": PROVEN["conventional"], "actuated": PROVEN["actuated"]}
    said = {}
    for assumed in (True, False):
        screen = first_screen(group(**runs), None, assumed_plan=assumed)
        assert screen is not None
        tiles = [text for tile in screen.tiles for line in tile.lines for text in line]
        texts = [*screen.three_lines(), screen.sentence, *tiles]
        said[assumed] = "\n".join(text.en + "\n" + text.vi for text in texts)
    assert "the assumed plan" in said[True]
    assert "phương án giả định" in said[True]
    assert "existing" not in said[True]
    assert "hiện trạng" not in said[True]
    if label != "assumed plan":
        assert "the existing plan" in said[False]
        assert "phương án hiện trạng" in said[False]


def test_the_worst_case_of_an_assumed_plan_is_to_keep_it(group: Callable[..., Group]) -> None:
    found = recommend(group(program=[40, 41, 40.5], actuated=[50, 51.5, 50.2]), assumed_plan=True)
    assert found is not None
    assert found.sentence().en.startswith("Keep the assumed plan: nothing tried is better")
    assert found.sentence().vi.startswith("Giữ phương án giả định")


def test_without_proof_it_says_how_many_days_are_needed(group: Callable[..., Group]) -> None:
    found = recommend(group(program=[40, 45, 41, 44], actuated=[38, 46, 39.5, 43]), assumed_plan=False)
    assert found is not None
    assert found.days_needed is not None
    assert found.days_needed > 4
    assert f"about {found.days_needed} instead of 4" in found.sentence().en
    one = recommend(group(program=[40], actuated=[20]), assumed_plan=False)
    assert one is not None
    assert "One day is no evidence" in one.sentence().en


def test_a_controller_that_jams_is_not_recommended(group: Callable[..., Group]) -> None:
    found = group(program=[60, 62, 61], actuated=[30, 31.2, 30.4])
    jammed = [replace(row, metrics={**row.metrics, "waiting": 20}) for row in found.runs["actuated"]]
    said = recommend(Group("street", 1.0, {**found.runs, "actuated": jammed}), assumed_plan=False)
    assert said is not None
    assert said.advice == "unproven"


def test_without_a_second_controller_there_is_no_advice(group: Callable[..., Group]) -> None:
    assert recommend(group(program=[60, 62]), assumed_plan=False) is None


def write_run(
    folder: Path,
    delays: Mapping[str, float],
    *,
    types: Mapping[str, tuple[int, float]],
    represents: Mapping[str, float] | None = None,
    persons: Mapping[str, float] | None = None,
) -> Path:
    """A run whose approaches have the control ``delays``, and vehicles of each type (number, delay)."""
    folder.mkdir(parents=True)
    names = list(delays)
    table: dict[str, Any] = {
        "level": ["approach"] * len(names) + ["intersection"],
        "signal": ["J1"] * (len(names) + 1),
        "name": [*names, "J1"],
        "label": ["EB"] * len(names) + [""],
        "arrivals": np.array([100.0] * len(names) + [100.0 * len(names)]),
        "control_delay_s": np.array([*delays.values(), float(np.mean(list(delays.values())))]),
    }
    store.write_table(folder / "movements.parquet", table)
    kinds = [kind for kind, (n, _) in types.items() for _ in range(n)]
    lost = np.array([delay for n, delay in types.values() for _ in range(n)], dtype=np.float64)
    store.write_table(
        folder / "vehicles.parquet",
        {
            "type": kinds,
            "depart_s": np.arange(len(kinds), dtype=np.float64),
            "depart_delay_s": np.zeros(len(kinds)),
            "time_loss_s": lost,
        },
    )
    manifest = {
        **dict.fromkeys(("metrics", "wall_s", "cpu_s", "tripinfo_sha256"), ""),
        "scenario": {"begin": 0.0, "end": 3600.0},
        "represents": dict(represents or {}), "persons": dict(persons or {}),
    }  # fmt: skip
    store.write_json(folder / "manifest.json", manifest)
    return folder


@pytest.fixture
def pair(tmp_path: Path, metrics: Metrics) -> Group:
    """Two seeds of two controllers: seven approaches of which six lose, cars that lose and buses that gain."""
    runs: dict[str, list[RunRow]] = {"program": [], "actuated": []}
    for seed in (1, 2):
        before = {f"e{k}": 20.0 + seed for k in range(7)}
        after = {f"e{k}": 20.0 + seed + 10 * k + 0.1 * seed for k in range(7)} | {"e0": 5.0 + seed}
        for name, delays, car, bus in (("program", before, 30.0, 60.0), ("actuated", after, 33.0, 20.0)):
            folder = write_run(
                tmp_path / f"{name}-{seed}", delays, types={"car": (20, car + 0.1 * seed), "bus": (2, bus + seed)}
            )  # fmt: skip
            mean = 35.0 if name == "program" else 25.0
            runs[name].append(RunRow("street", name, seed, metrics=metrics(mean + 0.2 * seed), folder=folder))
    return Group("street", 1.0, runs)


def test_the_five_approaches_that_lose_most_are_named_with_their_levels(pair: Group) -> None:
    screen = first_screen(pair, None, assumed_plan=False)
    assert screen is not None
    losers = screen.losers
    assert [one.name.en.split("\n")[1] for one in losers.approaches] == ["e6", "e5", "e4", "e3", "e2"]
    assert losers.approaches_in_all == 7
    worst = losers.approaches[0]
    assert (worst.before, worst.after) == pytest.approx((21.5, 81.65))
    assert worst.service == ("C", "F")
    assert [one.name.en for one in losers.types] == ["cars"]
    assert losers.types[0].change == pytest.approx(3.0)


def test_a_gain_is_never_told_without_who_loses(pair: Group) -> None:
    screen = first_screen(pair, None, assumed_plan=False)
    assert screen is not None
    before, after, following = screen.three_lines()
    assert before.en.startswith("before: 35.3 s/veh (the existing plan)")
    assert "−28 %" in after.en
    assert "worse at 6 of 7 approaches" in after.en
    assert "for cars" in after.en
    assert following.en.startswith("next: ")


def test_nobody_who_loses_is_said_without_alarm(tmp_path: Path, metrics: Metrics) -> None:
    runs: dict[str, list[RunRow]] = {"program": [], "actuated": []}
    for seed in (1, 2):
        for name, delay in (("program", 30.0), ("actuated", 20.0)):
            folder = write_run(
                tmp_path / f"{name}-{seed}", {"e1": delay + seed, "e2": delay}, types={"car": (20, delay)}
            )
            runs[name].append(RunRow("street", name, seed, metrics=metrics(delay + seed), folder=folder))
    screen = first_screen(Group("street", 1.0, runs), None, assumed_plan=False)
    assert screen is not None
    assert screen.losers.nobody
    assert screen.losers.sentence() == Text(
        "worse at none of 2 approaches", "không nhánh nào trong 2 nhánh kém hơn"
    )


def test_a_movement_that_loses_on_an_approach_that_gains_is_named() -> None:
    up = GroupChange(Text("J1, A, from the south", "…"), 100.0, 20.0, 18.0, True)
    through = GroupChange(Text("J1, A, from the south, through", "…"), 90.0, 24.8, 25.2, False)
    tiny = GroupChange(Text("J1, A, from the south, left", "…"), 10.0, 24.8, 24.82, False)
    found = _losing_movements([], {up.name.en: [through, tiny]})
    assert found == (through,)
    assert _losing_movements([up], {up.name.en: [through]}) == ()  # its approach is named already
    losers = Losers("program", (), (), 0, 3, (replace(through, proven=True),))
    assert not losers.nobody
    assert (
        "on single movements of others (at most +0.4 s/veh: J1, A, from the south, through)"
        in losers.sentence().en
    )
    assert [row.change.en for row in loser_rows(losers)] == ["+0.4"]


def test_hours_count_real_vehicles_and_the_people_aboard(tmp_path: Path, metrics: Metrics) -> None:
    rows = []
    # 10 s per person for 5000 vehicles with 1.2 people, one simulated vehicle stands for 50: 16.67 person-hours
    for name, delay in (("before", 30.0), ("after", 20.0)):
        folder = write_run(
            tmp_path / name, {"e": 1.0}, types={"motorbike": (100, delay)}, represents={"motorbike": 50.0},
            persons={"motorbike": 60.0},
        )  # fmt: skip
        more = {"delay_person_s": delay, "loaded": 5000, "co2_kg": 10.0 * delay}
        rows.append(RunRow("street", name, 1, metrics=metrics(delay, **more), folder=folder))
    found = benefit(rows[:1], rows[1:])
    assert found is not None
    assert found.person_hours == pytest.approx(10 * 6000 / 3600)
    assert found.vehicle_hours == pytest.approx(10 * 5000 / 3600)
    assert found.money == pytest.approx(
        [16.6667 * 250 * value / 1e6 for value in (25e3, 35e3, 60e3)], rel=1e-4
    )
    assert found.co2_t == pytest.approx(100 * 250 / 1000)


def test_types_are_those_of_the_measured_window(tmp_path: Path, metrics: Metrics) -> None:
    """The run's table of types knows the window, warm-up and flush; its vehicles are not counted again."""
    rows = []
    for name, delay in (("before", 30.0), ("after", 34.0)):
        folder = write_run(tmp_path / name, {"e": 1.0}, types={"car": (10, 999.0)}, persons={"car": 2.0})
        table: dict[str, Any] = {
            "level": ["type", "class", "all"],
            "name": ["car", "car", "all"],
            "vehicles": np.array([8.0, 8.0, 8.0]),
            "simulated": np.array([4.0, 4.0, 4.0]),
            "delay_s": np.array([delay, delay, delay]),
        }
        store.write_table(folder / "vehicle_types.parquet", table)
        rows.append(RunRow("street", name, 1, metrics=metrics(delay), folder=folder))
    found = type_changes(rows[:1], rows[1:])[0]
    assert (found.name.en, found.number, found.before, found.after) == ("cars", 8.0, 30.0, 34.0)
    assert persons(rows[0]) == 8.0


def test_the_page_warns_of_what_is_assumed_and_not_simulated(metrics: Metrics) -> None:
    row = RunRow("street", "program", 1, metrics=metrics(40.0, walkers=None))
    assert SYNTHETIC in cautions([row], assumed_plan=False, notes=[NOTE])
    assert NOBODY_WALKS in cautions([row], assumed_plan=False)
    walked = replace(row, metrics={**row.metrics, "walkers": 12})
    assert cautions([walked], assumed_plan=False) == ()
    assert "Assumed plan" in cautions([walked], assumed_plan=True)[0].en


def test_the_page_begins_with_the_advice_and_folds_the_statistics(build: Build) -> None:
    page = render(build())
    assert page.index("What to do: ") < page.index('class="tiles"') < page.index(">Who loses<")
    fold = page[page.index('<details class="working statistics">') :]
    assert "max-pressure: less delay than program." in fold
    assert (
        "max-pressure: less delay than program."
        not in page[: page.index('<details class="working statistics">')]
    )


def test_directions_and_controllers_are_named_in_both_languages() -> None:
    assert direction_title("NBL").vi == "từ phía nam, rẽ trái"
    assert direction_title("SEB").en == "from the north-west"
    assert direction_title("NBT NBR").en == "from the south, through; from the south, right"
    assert direction_title("odd") == direction_title("odd")
    assert controller_title("program", assumed_plan=False).vi == "phương án hiện trạng"
    assert (
        controller_title("max-pressure:interval=20", assumed_plan=True).en
        == "the strategy max-pressure:interval=20"
    )


def test_a_strategy_has_its_vietnamese_name_in_sentences() -> None:
    assert controller_title("actuated", assumed_plan=True).vi == "điều khiển theo xe"
    assert controller_title("sotl", assumed_plan=True).vi == "chiến lược tự tổ chức"


def test_counts_of_a_run_are_rounded() -> None:
    assert rounded(10960.806999999999) == Text("10\u202f960.8", "10\u202f960,8")
    assert rounded(3) == Text("3", "3")


def test_a_loss_is_said_in_words() -> None:
    gain, loss = Benefit(72.0, 50.0, 17.0), Benefit(-3.2, -2.0, -0.9)
    assert co2_text(gain) == Text("17 t less CO2", "giảm 17 tấn CO2")
    assert co2_text(loss) == Text("0.9 t more CO2", "tăng 0,9 tấn CO2")
    assert co2_text(Benefit(1.0, 1.0, -0.01)) == Text("CO2 unchanged", "CO2 không đổi")
    said = money_text(loss)
    assert said is not None
    assert said.en == "28.0 million VND lost (20.0…48.0)"
    assert said.vi == "thiệt 28,0 triệu đồng (20,0…48,0)"


def test_the_map_has_the_reference_of_the_first_figure(build: Build) -> None:
    comparison = build(seeds=(1, 2, 3), candidates=("conventional", "actuated"))
    page = render(comparison)
    where = page[page.index("Where it changes") :]
    tile = page[page.index('class="tile"') :]
    reference = re.search(r"against (the [a-z ]+)<", tile)
    assert reference is not None
    heading = re.search(r'<p class="quiet">.*?lang="en">([^<]*)<', where, re.S)
    assert heading is not None
    assert heading[1].endswith(f"against {reference[1]}")


def test_warnings_have_the_vietnamese_names_of_controllers(metrics: Metrics) -> None:
    stuck = metrics(500.0, running=60, arrived=38, teleports=50, waiting=60)
    rows = [RunRow("street", name, 1, metrics=stuck) for name in ("program", "actuated")]
    said = cautions(rows, assumed_plan=True)
    jam = next((one for one in said if one.en.startswith("Gridlock")), None)
    assert jam is not None
    assert "actuated, program" in jam.en
    assert "điều khiển theo xe, phương án giả định" in jam.vi
    flagged = flags(rows, assumed_plan=True)
    assert any(one.text.vi.startswith("phương án giả định, lần mô phỏng 1") for one in flagged)
