"""Panels of an optimisation report: objective, front, fidelity of the surrogate, search, plans by time of day."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from denxanh.experiments.optimize.job.tuning_options import TuningOptions
from denxanh.experiments.optimize.job.tuning_result import TuningResult, Variant, cycle_range
from denxanh.experiments.optimize.problem.objective import Objective, Term, pair_costs
from denxanh.experiments.report import Panel, Text
from denxanh.experiments.report.drawing.colour import BLUE, GREY, Style, styles
from denxanh.experiments.report.drawing.svg import Axis, Chart
from denxanh.experiments.report.optimization.before_after import Change, before_after
from denxanh.experiments.report.optimization.search_charts import (
    History,
    ParetoPoint,
    convergence_chart,
    pareto_chart,
)
from denxanh.experiments.report.text_format import html_table
from denxanh.experiments.results.references import CONVENTIONAL, EXISTING_NAME
from denxanh.experiments.statistics import compare_cases, summarise
from denxanh.sim.language.text import clock, number, same, unit

Array = NDArray[np.float64]
HIGHLIGHT, OTHERS = Style(BLUE), Style(GREY)


def objective_panel(result: TuningResult, options: TuningOptions) -> list[Panel]:
    """Every measure of the objective, before and after, on held-out seeds; no panel where that is delay alone."""
    if result.values is None or options.pareto is not None:
        return []
    items = []
    before = [] if result.baseline.values is None else [(CONVENTIONAL, result.baseline.values)]
    before.append((result.existing_name, result.values[0]))
    for k, variant in enumerate(result.validated, 1):
        for name, reference in before:
            changes = _changes(options.objective, reference, result.values[k])
            items.append((before_after(changes), same(f"{name} → {variant.name}")))
    if not items:
        return []
    note = Text(
        f"Minimised: {options.objective.name}. SUMO's own values on the held-out seeds, demand as given.",
        f"Tối thiểu hóa: {options.objective.name}. Giá trị của SUMO với các lần mô phỏng kiểm chứng, lưu lượng đã cho.",
    )
    return [Panel(Text("Objective", "Mục tiêu yêu cầu"), tuple(items), note, wide=True)]


def _changes(objective: Objective, before: Array, after: Array) -> list[Change]:
    """The change of each term of the objective, then of their sum; ``before`` and ``after`` (cases, terms)."""
    changes = [
        _change(_title(term), term.measure.unit, before[:, t], after[:, t])
        for t, term in enumerate(objective.terms)
    ]
    if len(changes) > 1:
        name = Text("Weighted sum that was minimised", "Tổng có trọng số được tối thiểu hóa")
        changes.append(_change(name, "1", objective.cost(before), objective.cost(after)))
    return changes


def front_panel(result: TuningResult, options: TuningOptions) -> list[Panel]:
    """The front of two objectives: its points and the existing plan on held-out seeds."""
    if result.front is None or result.values is None or options.pareto is None:
        return []
    both = pair_costs(options.pareto, result.values)  # (existing plan and points, cases, 2)
    names = [result.existing_name, *(v.name for v in result.validated)]
    cycles = ["–", *(cycle_range(v.plan) for v in result.validated)]
    if result.baseline.values is not None:
        names.append(CONVENTIONAL)
        cycles.append(cycle_range(result.baseline.plan))
        both = np.concatenate([both, pair_costs(options.pareto, result.baseline.values[None])])
    points = [
        ParetoPoint(name, float(x), float(y)) for name, (x, y) in zip(names, both.mean(axis=1), strict=True)
    ]
    axes = [objective_title(objective) for objective in options.pareto]
    drawing = pareto_chart(points, axes[0], axes[1], HIGHLIGHT, named=names)
    heads = (Text("Plan", "Phương án"), *axes, Text("Cycle, s", "Chu kỳ, giây"))
    rows = []
    for k, name in enumerate(names):
        cells = [_mean_and_half(both[k, :, axis]) for axis in (0, 1)]
        rows.append((same(name), *cells, same(cycles[k])))
    note = Text(
        "Each point is a plan than which no other was better in both objectives on the training seeds. The values are "
        "of held-out seeds, on which neighbouring points may swap: mean ± half of the 95 % interval.",
        "Mỗi điểm là một phương án mà trên lần mô phỏng huấn luyện không phương án nào khác tốt hơn ở cả hai mục tiêu; "
        "hình vẽ dùng lần mô phỏng kiểm chứng nên các điểm gần nhau có thể đổi chỗ. "
        "Giá trị: trung bình ± nửa khoảng tin cậy 95 %.",
    )
    return [
        Panel(
            Text("Front of two objectives", "Giữa hai mục tiêu"),
            ((drawing, Text("", "")), (html_table(heads, rows), Text("", ""))),
            note,
        )
    ]


def fidelity_panel(result: TuningResult) -> list[Panel]:
    """The fidelity of the surrogate in this scenario, and its consequence for the search."""
    found = result.fidelity
    if found is None:
        return []
    in_sumo = any(v.searched_in_sumo for v in result.variants)
    rows = [
        (
            Text(
                "Order of diverse plans, rank correlation with SUMO",
                "Thứ tự các phương án khác nhau, tương quan hạng",
            ),
            number(found.rank, 2),
        ),
        (
            Text("Order among the better half", "Thứ tự trong nửa tốt hơn"),
            number(found.near, 2),
        ),
        (
            Text("Order between two seeds of SUMO", "Các lần mô phỏng của SUMO với nhau"),
            number(found.agreement, 2),
        ),
        (
            Text(
                "Level: ratio of the model's delay to SUMO's, median",
                "Mức: giá trị mô hình chia cho SUMO, trung vị",
            ),
            number(found.level, 2),
        ),
        (
            Text(
                "Ratio of the worst of these plans to the best, in SUMO",
                "Phương án kém nhất chia cho tốt nhất, theo SUMO",
            ),
            number(found.spread, 2),
        ),
    ]
    heads = (Text("Model against SUMO", "Mô hình so với SUMO"), Text("Value", "Giá trị"))
    consequence = (
        Text(
            "The model cannot rank plans here, so the search ran in SUMO itself.",
            "Mô hình không xếp hạng được phương án ở đây, nên việc tìm kiếm chạy trực tiếp trong SUMO.",
        )
        if in_sumo
        else Text(
            "The model ranks plans well enough here to search with it; its best plans were evaluated in SUMO.",
            "Mô hình xếp hạng đủ tốt để tìm kiếm; kết quả được SUMO đánh giá.",
        )
    )
    method = Text(
        f" Measured before the search on {found.plans} diverse plans and {found.seeds} seeds; 1 is perfect "
        "agreement, 0 is none.",
        f" Đo trước khi tìm kiếm với {found.plans} phương án khác nhau và {found.seeds} lần mô phỏng; "
        "1 là hoàn hảo, 0 là ngẫu nhiên.",
    )
    return [
        Panel(
            Text("Fidelity of the model in this scenario", "Độ tin cậy của mô hình ở nơi này"),
            ((html_table(heads, rows), Text("", "")),),
            consequence + method,
        )
    ]


def search_panel(variant: Variant, objective: Objective) -> list[Panel]:
    """Convergence of a search in the surrogate and in SUMO."""
    outcome = variant.outcome
    if outcome is None or not outcome.trace:
        return []
    line_styles = styles(["SUMO", "model"])
    effort = tuple(float(p.evaluations) for p in outcome.trace)
    title = objective_title(objective)
    drawings = []
    if any(np.isfinite(p.predicted) for p in outcome.trace):
        history = History("model", line_styles["model"], tuple(p.predicted for p in outcome.trace), at=effort)
        drawings.append(
            convergence_chart([history], Text("best in the model: ", "tốt nhất trong mô hình: ") + title)
        )
    if any(np.isfinite(p.sumo) for p in outcome.trace):
        history = History("SUMO", line_styles["SUMO"], tuple(p.sumo for p in outcome.trace), at=effort)
        cases = len(outcome.evaluated[0].cost) if outcome.evaluated else len(outcome.existing_cost)
        existing = float(np.mean(outcome.existing_cost[:cases]))  # on the seeds of the search, as the curve
        drawings.append(
            convergence_chart(
                [history],
                Text("best in SUMO: ", "tốt nhất trong SUMO: ") + title,
                reference=(f"{EXISTING_NAME} {existing:.1f}", existing) if np.isfinite(existing) else None,
            )
        )
    evaluations, runs = outcome.trace[-1].evaluations, outcome.trace[-1].runs
    note = (
        Text(
            f"{evaluations} plans evaluated in SUMO itself, {runs} runs in total.",
            f"{evaluations} phương án được chạy trực tiếp trong SUMO, tổng cộng {runs} lượt.",
        )
        if variant.searched_in_sumo
        else Text(
            f"{evaluations} plans evaluated in the model, {runs} runs of SUMO to evaluate the best of them.",
            f"{evaluations} phương án tính bằng mô hình, {runs} lượt chạy SUMO để đánh giá những phương án tốt nhất.",
        )
    )
    heading = Text("The search", "Quá trình tìm kiếm")
    return [Panel(heading, tuple((drawing, Text("", "")) for drawing in drawings), note)] if drawings else []


def prediction_panel(variant: Variant, objective: Objective) -> list[Panel]:
    """Predicted costs of the evaluated plans against SUMO's costs."""
    outcome = variant.outcome
    evaluated = outcome.evaluated if outcome is not None else ()
    pairs = [
        (e.predicted, float(e.cost.mean())) for e in evaluated if e.complete and np.isfinite(e.predicted)
    ]
    if len(pairs) < 2:
        return []
    of = unit(objective.unit)
    tail = ", " + of if of.en else same("")
    chart = Chart(
        Axis.of([m for m, _ in pairs], Text("model", "mô hình") + tail, zero=False),
        Axis.of([s for _, s in pairs], same("SUMO") + tail, zero=False),
        height=320,
    )
    tips = [number(m, 1) + " → " + number(s, 1) + " " + of for m, s in pairs]
    chart.dots([m for m, _ in pairs], [s for _, s in pairs], HIGHLIGHT, tips, radius=4.0)
    drawing = chart.render(Text("Model against SUMO", "Mô hình so với SUMO"))
    return [
        Panel(
            Text("Predicted cost and SUMO's cost", "Mô hình dự đoán và kết quả SUMO"),
            (
                (
                    drawing,
                    Text("Plans that ran on every training case.", "Các phương án đã qua mọi trường hợp."),
                ),
            ),
            Text(
                "The model only ranks plans; the reported value of a plan is always SUMO's.",
                "Mô hình chỉ dùng để xếp hạng; giá trị của phương án luôn lấy từ SUMO.",
            ),
        )
    ]


def day_panel(variant: Variant) -> list[Panel]:
    """The schedule of plans by time of day, and the cost of each plan in each period."""
    planned = variant.day
    if planned is None:
        return []
    heads = (Text("From", "Từ"), Text("Plan", "Phương án"), Text("Cycle, s", "Chu kỳ, giây"))
    rows = []
    for switch in planned.day.switches:
        plan = planned.day.plans[switch.plan]
        rows.append((same(clock(switch.time)), same(str(switch.plan + 1)), same(cycle_range(plan))))
    single, cost = float(planned.single.mean()), float(planned.cost.mean())
    note = (
        Text(
            "No schedule of several plans was significantly better than a single plan, so one plan runs all the time.",
            "Không có lịch nhiều phương án nào chắc chắn tốt hơn một phương án, nên một phương án chạy suốt.",
        )
        if planned.comparison is None
        else Text("On the training seeds SUMO gives ", "Với lần mô phỏng huấn luyện, SUMO cho ")
        + number(cost, 1)
        + Text(
            " s/veh, transitions included; the best single plan of those tried has ",
            " s/xe, gồm cả lúc chuyển phương án; phương án đơn tốt nhất trong số đã thử là ",
        )
        + number(single, 1)
        + Text(" s/veh.", " s/xe.")
    )
    items = [
        (html_table(heads, rows), Text("The schedule", "Lịch chạy")),
        (_costs(planned.table, planned.edges), _CAPTION),
    ]
    return [Panel(Text("Plans by time of day", "Phương án theo giờ trong ngày"), tuple(items), note)]


_CAPTION = Text(
    "Delay that each plan tried causes to the vehicles due to depart in a period (SUMO).",
    "Mỗi phương án đã thử gây trễ bao nhiêu cho xe xuất phát trong từng khoảng thời gian (SUMO).",
)


def _costs(costs: Array, edges: Sequence[float]) -> Markup:
    """A line for each plan tried over the periods."""
    middle = [(a + b) / 2 for a, b in itertools.pairwise(edges)]
    chart = Chart(
        Axis.time(edges[0], edges[-1]),
        Axis.of(costs.ravel().tolist(), Text("s/veh of the whole time", "s/xe tính trên toàn thời gian")),
        height=280,
    )
    best = int(np.argmin(costs.sum(axis=1)))
    for k, row in enumerate(costs):
        chart.line(middle, row.tolist(), HIGHLIGHT if k == best else OTHERS, stroke=2.5 if k == best else 1.2)
    chart.legend([("best single plan", HIGHLIGHT), ("other plans tried", OTHERS)])
    return chart.render(Text("Plans by period", "Phương án theo khoảng thời gian"))


def objective_title(objective: Objective) -> Text:
    """The name of the objective with its unit, for an axis."""
    if len(objective.terms) > 1 or objective.terms[0].weight != 1:
        return same(objective.name)
    of = unit(objective.unit)
    return _title(objective.terms[0]) + (", " + of if of.en else same(""))


def _title(term: Term) -> Text:
    title = Text(term.measure.title, term.measure.title_vi)
    return title + (" (" + ", ".join(term.links) + ")") if term.links else title


def _change(name: Text, of: str, before: Array, after: Array) -> Change:
    """The change of a measure, paired over the held-out seeds; ``before`` and ``after`` (cases,)."""
    ends = compare_cases(after, before).interval
    return Change(
        name,
        of,
        float(before.mean()),
        float(after.mean()),
        ends.low if ends is not None else None,
        ends.high if ends is not None else None,
    )


def _mean_and_half(values: Array) -> Text:
    found = summarise(values.tolist())
    mean = number(found.mean, 2)
    return mean if found.interval is None else mean + " ± " + number(found.interval.half_width, 2)
