"""Figures from the runs' tables, against numbers worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from denxanh.experiments.report import Comparison, ScenarioResults, Text
from denxanh.experiments.report.level_of_service import level_of_service
from denxanh.experiments.report.series import (
    approach_time_loss,
    control_delays,
    controller_series,
    edge_totals,
    interval_length,
)
from denxanh.experiments.runs.run_row import RunRow
from denxanh.sim.network import Segment
from denxanh.sim.run import store


def scenario(begin: float, end: float) -> ScenarioResults:
    return ScenarioResults("here", Text("Here", "Đây"), begin, end)


@pytest.mark.parametrize(
    ("span", "length"), [(600, 60), (3600, 180), (7200, 300), (86400, 3600), (864000, 3600)]
)
def test_a_time_series_has_at_most_two_dozen_points_up_to_a_day(span: float, length: float) -> None:
    assert interval_length(scenario(100.0, 100.0 + span)) == length


def write(
    folder: Path, vehicles: list[tuple[float, float, float]], queues: list[tuple[float, str, float]]
) -> RunRow:
    depart, wait, loss = np.array(vehicles, dtype=np.float64).reshape(-1, 3).T
    folder.mkdir()
    store.write_table(
        folder / "vehicles.parquet", {"depart_s": depart, "depart_delay_s": wait, "time_loss_s": loss}
    )
    begins, names, values = zip(*queues, strict=True)
    store.write_table(
        folder / "intervals.parquet",
        {"begin_s": np.array(begins), "intersection": list(names), "queue_mean_veh": np.array(values)},
    )
    return RunRow("here", "program", 1, folder=folder)


def test_delay_is_counted_when_a_vehicle_wanted_to_depart(tmp_path: Path) -> None:
    run = write(
        tmp_path / "run",
        [
            (1000.0, 0.0, 5.0),  # at the begin
            (1070.0, 20.0, 10.0),  # wanted to at 1050: first interval, delay 30
            (1060.0, 0.0, 7.0),  # on the border: second
            (-1.0, 400.0, -1.0),  # never inserted, wanted to at 1200: fourth, delay 400
        ],
        [(1000.0, "J", 2.0), (1060.0, "J", 4.0), (1000.0, "K", 1.0), (1060.0, "K", 1.0)],
    )
    found = controller_series([run], scenario(1000.0, 1600.0))
    assert found.delay.centre[:2].tolist() == [1030.0, 1090.0]
    np.testing.assert_allclose(found.delay.mean[:4], [17.5, 7.0, np.nan, 400.0])
    np.testing.assert_allclose(found.queue.mean[:3], [3.0, 5.0, np.nan])
    assert found.intersections == ("J", "K")


def test_the_band_spans_the_seeds(tmp_path: Path) -> None:
    queue = [(0.0, "J", 1.0)]
    runs = [write(tmp_path / str(loss), [(0.0, 0.0, loss)], queue) for loss in (10.0, 40.0, 25.0)]
    delay = controller_series(runs, scenario(0.0, 600.0)).delay
    assert (delay.low[0], delay.mean[0], delay.high[0]) == (10.0, 25.0, 40.0)


def test_delay_by_street_is_the_total_over_seeds(build: Callable[..., Comparison]) -> None:
    comparison = build(seeds=(1, 3))
    found = edge_totals(comparison.runs_of("street", "program"))
    assert found.delay()["w_J1"] == pytest.approx(50 * (41 + 43) / 100)
    assert found.vehicles()["w_J1"] == 100


def test_loss_of_an_intersection_is_that_of_its_approaches(build: Callable[..., Comparison]) -> None:
    comparison = build(seeds=(1,))
    network = comparison.scenarios[0].network
    assert network
    found = edge_totals(comparison.runs_of("street", "program"))
    assert approach_time_loss(network.intersections["J1"], network, found) == pytest.approx((60 * 41, 60))
    assert approach_time_loss(network.intersections["J2"], network, found) == pytest.approx((50, 58))


def test_short_lanes_add_their_loss_but_nobody_passes_twice(build: Callable[..., Comparison]) -> None:
    comparison = build(seeds=(1,))
    network = comparison.scenarios[0].network
    assert network
    found = edge_totals(comparison.runs_of("street", "program"))
    (approach,) = network.intersections["J2"].approaches
    longer = replace(approach, segments=(*approach.segments, Segment("w_J1_0", 200.0, 1.0)))
    intersection = replace(network.intersections["J2"], approaches=(longer,))
    assert approach_time_loss(intersection, network, found) == pytest.approx((50 + 50 * 41, 58))


@pytest.mark.parametrize(
    ("delay", "letter"),
    [(0, "A"), (10, "A"), (10.01, "B"), (20, "B"), (35, "C"), (55, "D"), (80, "E"), (80.01, "F")],
)
def test_levels_of_service_are_those_of_the_manual(delay: float, letter: str) -> None:
    assert level_of_service(delay).letter == letter  # HCM 6, exhibit 19-8


def test_control_delay_is_of_the_tables_of_movements(tmp_path: Path) -> None:
    def run(name: str, delay: float, vc: float) -> RunRow:
        folder = tmp_path / name
        folder.mkdir()
        store.write_table(
            folder / "movements.parquet",
            {
                "level": ["lane group", "lane group", "intersection", "intersection"],
                "signal": ["J1", "J1", "J1", "J2"],
                "name": ["a_0", "b_0", "J1", "J2"],
                "arrivals": [60.0, 40.0, 100.0, 0.0],
                "control_delay_s": [delay, delay, delay, None],
                "vc": [vc, 0.5, None, None],
            },
        )
        return RunRow("street", "program", 1, folder=folder)

    runs = [run("one", 20.0, 1.3), run("two", 40.0, 0.9)]
    assert control_delays(runs) == {"J1": (6000.0, 200.0, 1), "J2": (0.0, 0.0, 0)}  # v/c 1.1 on average
    bare = tmp_path / "bare"
    bare.mkdir()
    assert control_delays([*runs, RunRow("street", "program", 2, folder=bare)]) == {}
