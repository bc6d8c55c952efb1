"""Pictures over all runs of a place: cumulative curves and the macroscopic fundamental diagram (MFD)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from denxanh.experiments.report.drawing.colour import GREY, Style
from denxanh.experiments.report.drawing.svg import WIDTH, Axis
from denxanh.experiments.report.figures import FigureInputs
from denxanh.experiments.report.pictures.picture import Entry, Layer, Line, Marks, Picture
from denxanh.experiments.report.series import interval_length
from denxanh.sim.language.text import Text
from denxanh.sim.run.store import read_table
from denxanh.sim.sumo.tripinfo import wanted_departure

Array = NDArray[np.float64]
_POINTS = 240  # of a cumulative curve
_MFD_INTERVAL = 300.0  # s, where no signal cycle is longer


def cumulative_picture(inputs: FigureInputs) -> Picture:
    """Vehicles due to depart and arrived by time, mean over seeds: their distance is the vehicles under way."""
    scenario, styles = inputs.scenario, inputs.styles()
    times = np.linspace(scenario.begin, scenario.end, _POINTS)
    layers: list[Layer] = []
    legend = [Entry(Text("due to depart", "đến lúc xuất phát"), GREY, "none")]
    most = 0.0
    for k, name in enumerate(inputs.series):
        due, arrived = _counts(inputs, name, times)
        style = styles[name]
        if k == 0:
            layers.append(Line(times.tolist(), due.tolist(), GREY, 1.4))
        layers.append(Line(times.tolist(), arrived.tolist(), style.colour, 1.8, style.dash))
        legend.append(
            Entry(Text("arrived, ", "đã đến nơi, ") + inputs.label(name), style.colour, "none", style.dash)
        )
        most = max(most, float(due.max()), float(arrived.max()))
    return Picture(
        Text("Cumulative curves", "Đường cong tích lũy"),
        Axis.time(scenario.begin, scenario.end),
        Axis.of([most], Text("vehicles since the begin, veh", "số xe tính từ đầu, xe")),
        tuple(layers),
        Text(
            "Vehicles due to depart and arrived, mean over seeds; the distance between the curves is what is under way",
            "Số xe đến lúc xuất phát và số xe đã đến nơi, trung bình các lần mô phỏng; khoảng cách giữa hai đường là "
            "số xe đang đi",
        ),
        tuple(legend),
        width=WIDTH,
    )


def mfd_picture(inputs: FigureInputs) -> Picture:
    """Macroscopic fundamental diagram: trips completed an hour against vehicles in the network, mean over seeds."""
    scenario, styles = inputs.scenario, inputs.styles()
    length = max(min(interval_length(scenario), _MFD_INTERVAL), _longest_cycle(inputs))
    bounds = np.append(np.arange(scenario.begin, scenario.end, length), scenario.end)
    layers: list[Layer] = []
    legend = []
    inside_all, flow_all = [0.0], [0.0]
    for name in inputs.series:
        inside, flow = _network_state(inputs, name, bounds)
        style = styles[name]
        layers.append(Line(inside.tolist(), flow.tolist(), style.colour, 1.0, opacity=0.6))
        layers.append(Marks(inside.tolist(), flow.tolist(), style.colour, style.marker))
        legend.append(_entry(inputs, name, style))
        inside_all += inside.tolist()
        flow_all += flow.tolist()
    minutes = f"{length / 60:.3g}"
    return Picture(
        Text("Macroscopic fundamental diagram (MFD)", "Biểu đồ cơ bản vĩ mô (MFD)"),
        Axis.of(inside_all, Text("vehicles in the network, veh", "số xe trong mạng, xe")),
        Axis.of(flow_all, Text("trips completed, veh/h", "số chuyến đi hoàn thành, xe/h")),
        tuple(layers),
        Text(
            f"A mark for every {minutes} min, from the empty network at the lower left; where it bends down, more "
            "vehicles in the network mean fewer that get through",
            f"Mỗi dấu là {minutes} phút, bắt đầu từ mạng trống ở góc dưới trái; chỗ đường đi xuống là lúc thêm xe "
            "trong mạng thì ít xe thoát ra hơn",
        ),
        tuple(legend),
        width=WIDTH,
    )


def _entry(inputs: FigureInputs, name: str, style: Style) -> Entry:
    return Entry(inputs.label(name), style.colour, style.marker, style.dash)


def _longest_cycle(inputs: FigureInputs) -> float:
    network = inputs.scenario.network
    signals = network.intersections.values() if network is not None else ()
    return max((one.program.cycle for one in signals), default=0.0)


def _tables(inputs: FigureInputs, controller: str, columns: Sequence[str]) -> list[dict[str, Array]]:
    """The vehicles of each run of a controller."""
    runs = inputs.comparison.runs_of(inputs.place, controller)
    return [read_table(run.folder / "vehicles.parquet", columns) for run in runs if run.folder is not None]


def _counts(inputs: FigureInputs, controller: str, times: Array) -> tuple[Array, Array]:
    """Vehicles due and arrived by each time, mean over the runs of a controller, shape (times,)."""
    both = []
    for table in _tables(inputs, controller, ["depart_s", "depart_delay_s", "arrival_s", "fate"]):
        depart, inserted = table["depart_s"], table["depart_s"] >= 0
        due = wanted_departure(inserted, depart, table["depart_delay_s"], inputs.scenario.end)
        arrival = table["arrival_s"][table["fate"] == "arrived"]
        both.append([np.searchsorted(np.sort(moments), times, side="right") for moments in (due, arrival)])
    mean = np.array(both, dtype=np.float64).mean(axis=0)
    return mean[0], mean[1]


def _network_state(inputs: FigureInputs, controller: str, bounds: Array) -> tuple[Array, Array]:
    """Mean vehicles in the network and trips completed, veh/h, in each interval, shape (intervals,)."""
    states = []
    grid = np.arange(bounds[0], bounds[-1], 5.0)
    places = np.searchsorted(bounds, grid, side="right") - 1
    hours = np.diff(bounds) / 3600.0
    for table in _tables(inputs, controller, ["depart_s", "arrival_s", "fate"]):
        entered = np.sort(table["depart_s"][table["depart_s"] >= 0])
        gone = np.isin(table["fate"], ("arrived", "lost")) & (table["arrival_s"] >= 0)
        left = np.sort(table["arrival_s"][gone])
        inside = np.searchsorted(entered, grid, side="right") - np.searchsorted(left, grid, side="right")
        arrived = table["arrival_s"][table["fate"] == "arrived"]
        mean = [inside[places == k].mean() for k in range(len(hours))]
        done = [((arrived >= a) & (arrived < b)).sum() for a, b in itertools.pairwise(bounds)]
        states.append((mean, np.array(done) / hours))
    found = np.array(states, dtype=np.float64).mean(axis=0)
    return found[0], found[1]
