"""Pictures of traffic and signals: the numbers behind them, and that page and figure are drawn from the same."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import denxanh as dx
from denxanh.experiments.plots.picture_figure import figure_of
from denxanh.experiments.plots.plot_source import PlotSource, open_source
from denxanh.experiments.report.drawing.colour import BLUE, sequential
from denxanh.experiments.report.drawing.green_bands import Stop
from denxanh.experiments.report.drawing.svg import Axis
from denxanh.experiments.report.pictures import recorded
from denxanh.experiments.report.pictures.panels import picture_panels
from denxanh.experiments.report.pictures.picture import Bar, Dots, Entry, Line, Picture, Scale
from denxanh.experiments.report.pictures.picture_svg import svg_of
from denxanh.experiments.report.pictures.purdue import arrivals_of, on_green, purdue_picture
from denxanh.experiments.report.pictures.queue_pictures import bin_length, queue_table
from denxanh.experiments.report.pictures.shown_timing import shown_timing, shown_timings
from denxanh.experiments.report.pictures.signal_pictures import phase_greens, plans_picture, ring_picture
from denxanh.experiments.report.pictures.street_picture import longest_part, street_picture
from denxanh.experiments.report.pictures.timing_table import timing_rows
from denxanh.experiments.report.series import MOST_INTERVALS, interval_length
from denxanh.sim.language.text import Text, clock_kind, same
from denxanh.sim.movements import signal_movements
from denxanh.sim.plan import Interval, Stage, Timing
from denxanh.sim.run.recording import Recording
from denxanh.sim.run.store import read_table
from denxanh.sim.timing.arterials import arterials
from tests.experiments.report.conftest import make_network


@pytest.fixture(scope="module")
def source(tiny_place: Any, tmp_path_factory: pytest.TempPathFactory) -> PlotSource:
    """Results of two controllers with a seed each."""
    folder = tmp_path_factory.mktemp("pictured") / "study"
    dx.compare(tiny_place.config, ["program", "longest-queue"], seeds=1, jobs=1, out=folder)
    return open_source(folder)


@pytest.fixture(scope="module")
def recording(source: PlotSource) -> Recording:
    """The run of the network's own plan, recorded."""
    return source.recording


def history(timing: Timing, begin: float, end: float) -> tuple[list[float], list[str]]:
    """The changes of a signal that follows a timing."""
    times, states, now = [], [], begin
    while now < end:
        moment = timing.at(now)
        stage = timing.stages[moment.stage]
        times.append(now)
        states.append(stage.state if moment.step == 0 else stage.change[moment.step - 1].state)
        now += moment.left
    return times, states


PLAN = Timing(
    (
        Stage("Gr", 30.0, (Interval("yr", 3.0), Interval("rr", 2.0))),
        Stage("rG", 20.0, (Interval("ry", 3.0), Interval("rr", 2.0))),
    ),
    offset=17.0,
)


def test_the_plan_that_a_signal_showed_is_read_from_its_states() -> None:
    shown = shown_timing(*history(PLAN, 3600.0, 4200.0), 3600.0, 4200.0)
    assert shown is not None
    assert shown.cycle == PLAN.cycle
    assert all(shown.at(t) is not None for t in range(60))
    for time in np.arange(3600.0, 3720.0, 0.5):
        assert _state(shown, time) == _state(PLAN, time)


def _state(timing: Timing, time: float) -> str:
    moment = timing.at(time)
    stage = timing.stages[moment.stage]
    return stage.state if moment.step == 0 else stage.change[moment.step - 1].state


def test_a_signal_that_follows_no_plan_has_none() -> None:
    times, states = history(PLAN, 0.0, 600.0)
    times = [time + (4.0 if k > 10 else 0.0) for k, time in enumerate(times)]
    assert shown_timing(times, states, 0.0, 600.0) is None
    assert shown_timing([0.0], ["Gr"], 0.0, 600.0) is None
    assert shown_timing([], [], 0.0, 600.0) is None


def test_arrivals_on_green_are_those_of_the_table_of_movements(
    source: PlotSource, recording: Recording
) -> None:
    assert source.first.folder is not None
    table = read_table(source.first.folder / "movements.parquet")
    said = {
        (signal, name): (float(arrivals), share)
        for level, signal, name, arrivals, share in zip(
            *(table[c] for c in ("level", "signal", "name", "arrivals", "on_green")), strict=True
        )
        if level == "movement" and arrivals > 0
    }
    assert said
    for signal, found in signal_movements(recording.network).items():
        for movement in found.movements:
            mine = arrivals_of(recording, signal, movement)
            if (signal, movement.name) in said:
                arrivals, share = said[signal, movement.name]
                # the few still in front of the stop line at the end are in the table alone
                assert abs(mine.vehicles - arrivals) <= max(2.0, 0.02 * arrivals)
                assert on_green(recording, mine) == pytest.approx(share, abs=0.05)


def test_a_purdue_diagram_has_a_dot_for_each_arrival_within_its_cycle(recording: Recording) -> None:
    signal = next(iter(recording.network.intersections))
    movement = max(
        signal_movements(recording.network)[signal].movements,
        key=lambda one: arrivals_of(recording, signal, one).vehicles,
    )
    found = arrivals_of(recording, signal, movement)
    picture = purdue_picture(recording, found, "start", same("program"))
    dots = next(layer for layer in picture.layers if isinstance(layer, Dots))
    starts, stops = (layer for layer in picture.layers if isinstance(layer, Line))
    assert 0 < len(dots.x) <= len(found.time)
    assert min(dots.y) >= 0
    assert max(dots.y) <= max(stops.y) + 1e-9
    green = recording.greens(signal, movement.links).contain(np.array(dots.x))
    assert ((np.array(dots.y) >= min(starts.y) - 1e-9) == green).all()  # a fixed plan: one begin of green
    assert f"{found.vehicles:.0f} vehicles" in picture.caption.en


def test_bins_of_queues_are_no_shorter_than_a_cycle(recording: Recording) -> None:
    cycle = max(one.program.cycle for one in recording.network.intersections.values())
    interval = bin_length([recording])
    assert interval >= min(cycle, recording.end - recording.begin) - 1.0
    table = queue_table(recording, interval)
    lanes, metres = recording.queues()
    assert table.values.max() == pytest.approx(metres.max())
    assert len(table.bounds) == table.values.shape[1] + 1
    assert len(lanes) >= len(table.approaches)


def test_intervals_over_time_are_no_shorter_than_a_cycle() -> None:
    long = SimpleNamespace(intersections={"A": SimpleNamespace(program=SimpleNamespace(cycle=212.0))})
    scenario: Any = SimpleNamespace(begin=0.0, end=600.0, network=long)
    assert interval_length(scenario) == 300.0
    scenario.network = None
    assert interval_length(scenario) == 60.0
    assert MOST_INTERVALS >= 600.0 / 60.0


def street(*greens: tuple[float, float]) -> list[Stop]:
    """Signals 100 m apart with a cycle of 60 s: begin and length of their green."""
    return [
        Stop(
            f"S{k}",
            100.0 * k,
            Timing((Stage("G", length, (Interval("r", 60.0 - length),)),), offset=begin),
            (0,),
        )
        for k, (begin, length) in enumerate(greens)
    ]


def test_the_signal_that_breaks_a_band_is_named() -> None:
    stops = street(
        (0, 30), (10, 30), (20, 30), (0, 10), (40, 30)
    )  # 10 m/s: the fourth is red when the band comes
    found = longest_part(stops, [10.0] * 4, back=False)
    assert found is not None
    band, part, breaks = found
    assert [stop.name for stop in part] == ["S0", "S1", "S2"]
    assert breaks == "S3"
    assert band.window.width == pytest.approx(30.0)


def test_the_time_space_diagram_has_vehicles_queues_and_what_was_shown(recording: Recording) -> None:
    way = arterials(recording.network)[0]
    picture = street_picture(recording, way, "start", same("program"))
    low, high = picture.x.low, picture.x.high
    bars = [layer for layer in picture.layers if isinstance(layer, Bar)]
    assert {bar.thick for bar in bars} == {7.0, 4.5, 1.6}
    tracks = [layer for layer in picture.layers if isinstance(layer, Line)]
    assert sum(np.isfinite(track.x).sum() for track in tracks) > 20
    for track in tracks:  # in each piece time goes on
        pieces = np.split(np.array(track.x), np.flatnonzero(np.isnan(track.x)))
        assert all((np.diff(piece[np.isfinite(piece)]) > 0).all() for piece in pieces)
    begin, end = recording.measured
    assert begin <= low < high <= end
    assert "Band" in picture.caption.en or "band" in picture.caption.en


def test_rings_add_up_to_the_cycle_and_the_greens_of_the_plan(recording: Recording) -> None:
    for one in recording.network.intersections.values():
        picture = ring_picture(one, one.program, recording.network, same("program"))
        assert picture.x.high == one.program.cycle
        assert "vòng" in picture.names[0][1].vi
    rings: Any = SimpleNamespace(links={2: (0,), 4: (1,)})
    assert phase_greens(PLAN, rings, 2) == [(0.0, 30.0)]
    assert phase_greens(PLAN, rings, 4) == [(35.0, 55.0)]
    over = Timing((Stage("G", 10.0), Stage("r", 20.0), Stage("G", 30.0)))
    assert phase_greens(over, rings, 2) == [(30.0, 70.0)]  # goes on over the end of the cycle


def test_timings_before_and_after_stand_side_by_side(recording: Recording) -> None:
    network = recording.network
    shown = shown_timings(network, recording.signals, recording.measured, (recording.begin, recording.end))
    assert shown.keys() == network.intersections.keys()
    sides = [(same("before"), shown), (same("after"), {})]
    rows = timing_rows(network, sides)
    assert len(rows) == len(shown)
    for row, (name, intersection) in zip(rows, network.intersections.items(), strict=True):
        assert intersection.name in row[0].en
        assert row[1].en == f"{shown[name].cycle:g}"
        greens = [float(part) for part in row[3].en.split(" + ")]
        assert greens == [stage.green for stage in shown[name].stages]
        assert row[4].en == "no fixed plan"
    picture = plans_picture(network, sides)
    assert picture is not None
    assert plans_picture(network, [(same("after"), {})]) is None


def sample() -> Picture:
    """A picture with a line, dots and a scale."""
    return Picture(
        Text("A title", "Một tên"),
        Axis.of([0.0, 10.0], Text("x axis", "trục x")),
        Axis.of([0.0, 10.0], Text("y axis", "trục y")),
        (Line([0, 5, 10], [0, 2, 4], BLUE), Dots([1, 2, 3], [4, 5, 6], BLUE)),
        Text("a caption", "một chú thích"),
        (Entry(Text("an entry", "một mục"), BLUE),),
        scale=Scale(10.0, Text("metres", "mét"), sequential),
    )


def test_page_and_figure_are_drawn_from_the_same_data() -> None:
    picture = sample()
    figure: Any = figure_of(picture, "vi")
    axes = figure.axes[0]
    assert axes.collections[0].get_offsets().tolist() == [[1, 4], [2, 5], [3, 6]]
    assert axes.lines[0].get_xydata().tolist() == [[0, 0], [5, 2], [10, 4]]
    drawn = svg_of(picture)
    assert len(re.findall(r"m-?[\d.]+ ?-?[\d.]+h0", drawn)) == 3
    for words in ("x axis", "trục x", "an entry", "một mục", "metres", "mét"):
        assert words in drawn
    assert axes.get_xlabel() == "trục x"
    assert "Một tên. một chú thích" in figure.get_suptitle().replace("\n", " ")


def test_the_page_of_a_comparison_has_every_diagram(source: PlotSource) -> None:
    page = (source.folder / "report.html").read_text("utf-8")
    for heading in (
        "Along the street", "Arrivals in the cycle", "Queues in metres", "Traffic in the network",
        "Timings before and after", "Stages and rings", "Dọc tuyến", "Hàng chờ tính bằng mét",
    ):  # fmt: skip
        assert heading in page
    assert "Not drawn" not in page


def test_a_page_says_why_runs_are_not_drawn(source: PlotSource, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorded, "MOST_VEHICLE_SECONDS", 1.0)
    inputs = source.inputs
    object.__setattr__(inputs.scenario, "pictures", "recorded")
    first, *others = picture_panels(inputs, ["program", "longest-queue"])
    assert first.note is not None
    assert "million vehicle-seconds" in first.note.en
    assert "denxanh plot" in first.note.en
    assert not first.items
    assert others


@pytest.mark.parametrize(
    ("begin", "end", "kind"),
    [(0, 3600, "start"), (25200, 28800, "day"), (0, 86400, "day"), (100, 1900, "simulation")],
)
def test_an_axis_says_what_its_times_count_from(begin: float, end: float, kind: str) -> None:
    assert clock_kind(begin, end) == kind
    words = {"start": "from the start", "day": "time of day", "simulation": "in the simulation"}
    assert words[kind] in Axis.time(begin, end).label.en


Build = Callable[..., Any]


def test_tables_and_legends_name_controllers_in_vietnamese(build: Build) -> None:
    from denxanh.experiments.report import render

    page = render(build(seeds=(1, 2), candidates=("actuated", "max-pressure:interval=20")))
    vietnamese = "".join(re.findall(r'<(?:span|text)[^>]*lang="vi"[^>]*>([^<]*(?:<wbr>[^<]*)*)<', page))
    assert "điều khiển theo xe" in vietnamese
    assert "áp lực lớn nhất (interval=20)" in vietnamese.replace("<wbr>", "")
    heads = re.findall(r"<th[^>]*>(.*?)</th>", page, re.S)
    raw = [head for head in heads if re.sub(r"<[^>]*>", "", head).strip() in ("actuated", "program")]
    assert not raw


def test_a_folder_of_pictures_is_not_left_behind(source: PlotSource, tmp_path: Path) -> None:
    before = sorted(path.name for path in source.first.folder.iterdir()) if source.first.folder else []
    assert source.recording is not None
    assert before == (
        sorted(path.name for path in source.first.folder.iterdir()) if source.first.folder else []
    )


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("language", ["en", "vi"])
def test_the_page_with_pictures_fits_and_can_be_read(
    source: PlotSource, browser: Any, width: int, language: str
) -> None:
    checks = Path(__file__).with_name("page_checks.js").read_text("utf-8")
    browser.problems.clear()
    browser.open(source.folder / "report.html", width=width, anchor=f"#{language}")
    assert browser.value("document.documentElement.scrollWidth <= innerWidth")
    for name in ("overlaps", "lowContrast"):
        assert browser.value(f"(() => {{ {checks}\nreturn {name}(); }})()") == []
    assert browser.problems == []


def test_stages_are_numbered_as_on_the_timing_sheet() -> None:
    """From the first stage of the network's program on, wherever the cycle of the run was first seen."""
    network = make_network()
    signal = network.intersections["J1"]
    first, second = Stage("Gr", 20.0, (Interval("yr", 3.0),)), Stage("rG", 10.0, (Interval("ry", 3.0),))
    own = replace(signal, program=Timing((first, second)))
    network = replace(network, intersections={"J1": own})
    states = [("rG", 10.0), ("ry", 3.0), ("Gr", 20.0), ("yr", 3.0)] * 6
    times, now = [], 100.0
    for _, seconds in states:
        times.append(now)
        now += seconds
    history = {"J1": (tuple(times), tuple(state for state, _ in states))}
    shown = shown_timings(network, history, (100.0, now))["J1"]
    assert [stage.state for stage in shown.stages] == ["Gr", "rG"]
    assert shown.offset == (100.0 + 13.0) % 36.0
