"""The figures of one scenario of a comparison."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from denxanh.experiments.report.charts import (
    MOST_BANDS,
    Estimate,
    Line,
    colour_bar,
    heat_map,
    interval_chart,
    time_series_chart,
)
from denxanh.experiments.report.contents import Comparison, ScenarioResults
from denxanh.experiments.report.decision.controller_labels import controller_label
from denxanh.experiments.report.drawing.colour import Style, sequential, styles
from denxanh.experiments.report.drawing.svg import steps
from denxanh.experiments.report.series import (
    ControllerSeries,
    EdgeTotals,
    controller_series,
    edge_totals,
    interval_length,
)
from denxanh.experiments.runs.run_row import RunRow
from denxanh.sim import metrics
from denxanh.sim.language.text import Text, decimals, number, same, unit
from denxanh.sim.network import Network

METRIC = {metric.name: metric for metric in metrics.METRICS}
SMALL_CHARTS = ("stops", "stopped_s", "queue_mean_veh", "throughput_vph", "co2_kg", "fuel_kg")
_MOST_ROWS = 40  # intersections in a heat map, those with the longest queues


_NOTHING = Text("", "")
MARKS = Text(
    "A mark for each seed; bar and whiskers: mean and 95 % interval.",
    "Mỗi dấu là một lần mô phỏng; vạch và râu: trung bình và khoảng tin cậy 95 %.",
)


@dataclass(frozen=True)
class Figure:
    """A drawing and its caption."""

    drawing: Markup
    caption: Text
    heading: Text | None = None


@dataclass(frozen=True)
class FigureInputs:
    """What the figures of a scenario need: its results and tables of its runs, by controller in report order."""

    comparison: Comparison
    scenario: ScenarioResults
    series: dict[str, ControllerSeries]
    edge_totals: dict[str, EdgeTotals]

    @property
    def place(self) -> str:
        """The key of the scenario."""
        return self.scenario.place

    def label(self, controller: str) -> Text:
        """The label of a controller in tables and legends."""
        return controller_label(controller, assumed_plan=self.scenario.assumed_plan)

    def styles(self) -> dict[str, Style]:
        """The same style for a controller in every figure of the report."""
        return styles(self.comparison.controllers)


def read(comparison: Comparison, scenario: ScenarioResults) -> FigureInputs:
    """Read the tables of all finished runs of a scenario that have a folder."""
    found: dict[str, list[RunRow]] = {}
    for controller in comparison.controllers:
        runs = [r for r in comparison.runs_of(scenario.place, controller) if r.folder is not None]
        if runs:
            found[controller] = runs
    return FigureInputs(
        comparison,
        scenario,
        {name: controller_series(runs, scenario) for name, runs in found.items()},
        {name: edge_totals(runs) for name, runs in found.items()},
    )


def title(metric: str) -> Text:
    """The title of a metric."""
    return Text(METRIC[metric].title, METRIC[metric].title_vi)


def estimates(inputs: FigureInputs, metric: str) -> list[Estimate]:
    """A row per controller for ``metric``."""
    rows = []
    of = unit(METRIC[metric].unit)
    for name in inputs.comparison.controllers:
        runs = inputs.comparison.runs_of(inputs.place, name)
        points = [(float(v), r.seed) for r in runs if (v := r.metrics.get(metric)) is not None]
        row = inputs.comparison.row(inputs.place, name, metric)
        places = decimals([v for v, _ in points])
        rows.append(
            Estimate(
                inputs.label(name),
                inputs.styles()[name],
                tuple((v, _tooltip(inputs.label(name), seed, number(v, places), of)) for v, seed in points),
                row.mean if row else None,
                row.ci_low if row else None,
                row.ci_high if row else None,
            )
        )
    return rows


def _tooltip(name: Text, seed: int, value: Text, of: Text) -> Text:
    return name + Text(f", seed {seed}: ", f", lần mô phỏng {seed}: ") + value + " " + of


def metric_figure(inputs: FigureInputs, metric: str, caption: Text = _NOTHING) -> Figure:
    """Means, intervals and single runs of a metric by controller."""
    heading = title(metric)
    axis = heading + ", " + unit(METRIC[metric].unit) if METRIC[metric].unit != "1" else heading
    chart = interval_chart(estimates(inputs, metric), axis, heading)
    return Figure(chart, caption, heading)


def difference_estimates(inputs: FigureInputs, metric: str) -> list[Estimate]:
    """A row of paired differences to the baseline for each other controller with a partner."""
    base = inputs.comparison.baseline
    baseline = {r.seed: r.metrics.get(metric) for r in inputs.comparison.runs_of(inputs.place, base)}
    of = unit(METRIC[metric].unit)
    rows = []
    for name in inputs.comparison.controllers[1:]:
        points = []
        for run in inputs.comparison.runs_of(inputs.place, name):
            ours, other = run.metrics.get(metric), baseline.get(run.seed)
            if ours is not None and other is not None:
                points.append((float(ours - other), run.seed))
        row = inputs.comparison.row(inputs.place, name, metric)
        places = decimals([v for v, _ in points])
        if points:
            rows.append(
                Estimate(
                    inputs.label(name),
                    inputs.styles()[name],
                    tuple(
                        (v, _tooltip(inputs.label(name), s, number(v, places, signed=True), of))
                        for v, s in points
                    ),
                    row.diff if row else None,
                    row.diff_ci_low if row else None,
                    row.diff_ci_high if row else None,
                )
            )
    return rows


def difference_figure(inputs: FigureInputs, metric: str = "delay_s") -> Figure | None:
    """Paired differences to the baseline; None if no run has a partner."""
    base, of = inputs.label(inputs.comparison.baseline), unit(METRIC[metric].unit)
    rows = difference_estimates(inputs, metric)
    if not rows:
        return None
    heading = Text(
        f"Difference to {base.en}, seed by seed", f"Chênh lệch so với {base.vi}, theo từng lần mô phỏng"
    )
    sides = (Text("← better", "← tốt hơn"), Text("worse →", "kém hơn →"))
    if METRIC[metric].less_is_better is False:
        sides = (Text("← worse", "← kém hơn"), Text("better →", "tốt hơn →"))
    axis = title(metric) + ", " + of
    return Figure(
        interval_chart(rows, axis, heading, sides=sides),
        Text(
            "Both controllers had the same demand and seed. If an interval contains zero, the two are "
            "not distinguishable. Each interval is of its pair alone; the verdicts allow for the number of "
            "controllers.",
            "Hai bộ điều khiển gặp cùng nhu cầu với cùng lần mô phỏng. Khoảng tin cậy chứa số 0: "
            "chưa phân biệt được. Mỗi khoảng là của riêng cặp đó; các kết luận đã tính đến số phương án.",
        ),
        heading,
    )


def time_series_figures(inputs: FigureInputs) -> list[Figure]:
    """Delay and queue over time."""
    if not inputs.series:
        return []
    scenario, line_styles = inputs.scenario, inputs.styles()
    minutes = f"{interval_length(scenario) / 60:g}"
    span = (scenario.begin, scenario.end)
    delay, queue = (
        Text("Delay over time", "Thời gian trễ theo thời gian"),
        Text("Queue over time", "Hàng chờ theo thời gian"),
    )
    band = Text("; the band spans all seeds", "; dải màu bao mọi lần mô phỏng")
    if len(inputs.series) > MOST_BANDS:
        band = same("")
    lines = [
        [Line(inputs.label(n), line_styles[n], c.delay) for n, c in inputs.series.items()],
        [Line(inputs.label(n), line_styles[n], c.queue) for n, c in inputs.series.items()],
    ]
    return [
        Figure(
            time_series_chart(
                lines[0], unit("s/veh"), delay, span=span, warm_up=scenario.warm_up, flush=scenario.flush
            ),
            Text(
                f"Delay of a whole trip by the time its vehicle was due to depart, every {minutes} min. Mean over "
                f"seeds{band.en}. Trips cut off by the end of the run lower the last intervals.",
                f"Thời gian trễ của cả chuyến đi theo lúc xe muốn khởi hành, mỗi {minutes} phút. Trung bình các lần "
                f"mô phỏng{band.vi}. Các chuyến bị cắt ở cuối lượt chạy làm những khoảng cuối thấp hơn thực tế.",
            ),
            delay,
        ),
        Figure(
            time_series_chart(
                lines[1], unit("veh"), queue, span=span, warm_up=scenario.warm_up, flush=scenario.flush
            ),
            Text(
                f"Halted vehicles on the approaches of all signals together, mean of every {minutes} min.",
                f"Tổng số xe đang dừng trên các nhánh dẫn của mọi nút giao, trung bình mỗi {minutes} phút.",
            ),
            queue,
        ),
    ]


def heat_figures(inputs: FigureInputs) -> tuple[Markup | None, list[Figure]]:
    """Queue by intersection and time: the common colour scale and a heat map for each controller."""
    network, scenario = inputs.scenario.network, inputs.scenario
    shown = {n: c for n, c in inputs.series.items() if c.intersections}
    if not shown:
        return None, []
    most = round_up(max(float(np.nanmax(c.queues)) for c in shown.values()))
    length = interval_length(scenario)
    figures = []
    ranked: dict[str, float] = {}
    for c in shown.values():
        for name, queue in zip(c.intersections, _measured_mean(c, scenario), strict=True):
            ranked[name] = max(ranked.get(name, 0.0), queue)
    kept = set(sorted(ranked, key=lambda name: (-ranked[name], name))[:_MOST_ROWS])
    numbers = {name: i for i, name in enumerate(network.intersections, start=1)} if network else {}
    for controller, c in shown.items():
        rows = [i for i, name in enumerate(c.intersections) if name in kept]
        names = [_numbered(c.intersections[i], numbers, network) for i in rows]
        count = c.queues.shape[1]
        bounds = [min(scenario.begin + j * length, scenario.end) for j in range(count + 1)]
        label = Text("Queue by intersection: ", "Hàng chờ theo nút giao: ") + inputs.label(controller)
        figures.append(
            Figure(
                heat_map(
                    names,
                    c.queues[rows],
                    bounds,
                    most,
                    unit("veh"),
                    label,
                    warm_up=scenario.warm_up,
                    flush=scenario.flush,
                ),
                same(""),
                inputs.label(controller),
            )
        )
    return colour_bar(0.0, most, sequential, _HALTED), figures


def _measured_mean(series: ControllerSeries, scenario: ScenarioResults) -> list[float]:
    """The mean queue of each intersection over the intervals that end in the measured window."""
    centre = series.queue.centre
    measured = (centre > scenario.begin + scenario.warm_up) & (centre < scenario.end - scenario.flush)
    queues = series.queues[:, measured] if measured.any() else series.queues
    found: list[float] = np.nanmean(queues, axis=1).tolist()
    return found


_HALTED = Text("halted vehicles, mean over seeds", "số xe đang dừng, trung bình các lần mô phỏng")


def _numbered(name: str, numbers: dict[str, int], network: Network | None) -> Text:
    if network is None or name not in numbers:
        return same(name)
    full = network.intersections[name].name
    return same(f"{numbers[name]}  {full if len(full) <= 30 else full[:29] + '…'}")


def round_up(end: float) -> float:
    """The next tick of an axis from zero to ``end``; at least 1 (s or veh), the least worth a colour."""
    marks = steps(0.0, max(end, 1.0), 5)
    step = marks[1] - marks[0]
    return math.ceil(max(end, 1.0) / step - 1e-9) * step
