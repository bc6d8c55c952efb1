"""Parts of a tuning's report: what was asked for, the search, the model's worth, the front, the day."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from experiments.optimize.objective import Objective, Term
from experiments.report import Panel, Text
from experiments.report.before_after import Change, before_after
from experiments.report.colour import Style, styles
from experiments.report.search import Candidate, History, convergence_chart, pareto_chart
from experiments.report.svg import Axis, Chart, tag
from experiments.statistics import compare_paired, summarise
from experiments.tuned import OWN_NAME, Tuned, Variant
from experiments.wish import Wish
from sim.text import clock, number, same, unit

Array = NDArray[np.float64]
BLUE = Style("#0072B2")


def asked(tuned: Tuned, wish: Wish) -> list[Panel]:
    """Every measure that was asked for, before and after, on held-out seeds; nothing where that was delay alone."""
    if tuned.values is None or wish.pareto is not None:
        return []
    items = []
    for k, variant in enumerate((v for v in tuned.variants if v.new), 1):
        changes = [
            _change(_title(term), term.measure.unit, tuned.values[0, :, t], tuned.values[k, :, t])
            for t, term in enumerate(wish.objective.terms)
        ]
        if len(changes) > 1:
            cost = wish.objective.cost(tuned.values)
            name = Text("Weighted sum that was minimised", "Tổng có trọng số được tối thiểu hóa")
            changes.append(_change(name, "1", cost[0], cost[k]))
        items.append((before_after(changes), same(variant.name)))
    if not items:
        return []
    note = Text(
        f"Minimised: {wish.objective.name}. SUMO's own values on the held-out seeds, demand as given.",
        f"Tối thiểu hóa: {wish.objective.name}. Giá trị của SUMO với các hạt giống kiểm chứng, lưu lượng đã cho.",
    )
    return [Panel(Text("What was asked for", "Mục tiêu yêu cầu"), tuple(items), note, wide=True)]


def front(tuned: Tuned, wish: Wish) -> list[Panel]:
    """The front of two objectives: its points on held-out seeds, the network's own plan beside them."""
    if tuned.front is None or tuned.values is None or wish.pareto is None:
        return []
    half = len(wish.pareto[0].terms)
    both = np.stack(
        [wish.pareto[0].cost(tuned.values[..., :half]), wish.pareto[1].cost(tuned.values[..., half:])],
        axis=-1,
    )  # (own and points, cases, 2)
    names = [OWN_NAME, *(v.name for v in tuned.variants if v.new)]
    points = [
        Candidate(name, float(x), float(y)) for name, (x, y) in zip(names, both.mean(axis=1), strict=True)
    ]
    axes = [objective_title(objective) for objective in wish.pareto]
    drawing = pareto_chart(points, axes[0], axes[1], BLUE, named=names)
    heads = (Text("Plan", "Phương án"), *axes, Text("Cycle, s", "Chu kỳ, giây"))
    cycles = ["–", *(_cycles(v) for v in tuned.variants if v.new)]
    rows = []
    for k, name in enumerate(names):
        cells = [_mean_and_half(both[k, :, axis]) for axis in (0, 1)]
        rows.append((same(name), *cells, same(cycles[k])))
    note = Text(
        "Each point is a plan that SUMO found better than every other in one of the two, on the training seeds; what "
        "is drawn are held-out seeds, on which neighbours may change places. Values: mean ± half of the 95 % interval.",
        "Mỗi điểm là một phương án mà trên hạt giống huấn luyện không phương án nào khác tốt hơn ở cả hai mục tiêu; "
        "hình vẽ dùng hạt giống kiểm chứng nên các điểm gần nhau có thể đổi chỗ. "
        "Giá trị: trung bình ± nửa khoảng tin cậy 95 %.",
    )
    return [
        Panel(
            Text("Between two objectives", "Giữa hai mục tiêu"),
            ((drawing, Text("", "")), (table(heads, rows), Text("", ""))),
            note,
        )
    ]


def trust(tuned: Tuned) -> list[Panel]:
    """How far the model can be believed on this place, and what followed from it."""
    found = tuned.trust
    if found is None:
        return []
    in_sumo = any(v.in_sumo for v in tuned.variants)
    rows = [
        (
            Text(
                "Order of unlike plans, rank correlation with SUMO",
                "Thứ tự các phương án khác nhau, tương quan hạng",
            ),
            number(found.rank, 2),
        ),
        (
            Text("Order among the better half", "Thứ tự trong nửa tốt hơn"),
            number(found.near, 2),
        ),
        (
            Text("SUMO's seeds with each other", "Các hạt giống của SUMO với nhau"),
            number(found.agreement, 2),
        ),
        (
            Text(
                "Level: the model's value over SUMO's, median", "Mức: giá trị mô hình chia cho SUMO, trung vị"
            ),
            number(found.level, 2),
        ),
        (
            Text(
                "Worst of these plans over the best, in SUMO",
                "Phương án kém nhất chia cho tốt nhất, theo SUMO",
            ),
            number(found.spread, 2),
        ),
    ]
    heads = (Text("Model against SUMO", "Mô hình so với SUMO"), Text("Value", "Giá trị"))
    followed = (
        Text(
            "The model cannot rank plans here, so the budget was spent in SUMO itself.",
            "Mô hình không xếp hạng được phương án ở đây, nên việc tìm kiếm chạy trực tiếp trong SUMO.",
        )
        if in_sumo
        else Text(
            "The model ranked plans well enough here to search with; what it found was judged in SUMO.",
            "Mô hình xếp hạng đủ tốt để tìm kiếm; kết quả được SUMO đánh giá.",
        )
    )
    tried = Text(
        f" Measured before the search on {found.plans} unlike plans and {found.seeds} seeds; 1 is perfect, "
        "0 is chance.",
        f" Đo trước khi tìm kiếm với {found.plans} phương án khác nhau và {found.seeds} hạt giống; "
        "1 là hoàn hảo, 0 là ngẫu nhiên.",
    )
    return [
        Panel(
            Text("How far the model can be trusted here", "Độ tin cậy của mô hình ở nơi này"),
            ((table(heads, rows), Text("", "")),),
            followed + tried,
        )
    ]


def search(variant: Variant, objective: Objective) -> list[Panel]:
    """Convergence of a search in the model and in SUMO."""
    outcome = variant.outcome
    if outcome is None or not outcome.trace:
        return []
    looks = styles(["SUMO", "model"])
    effort = tuple(float(p.evaluations) for p in outcome.trace)
    title = objective_title(objective)
    drawn = []
    if any(np.isfinite(p.model) for p in outcome.trace):
        history = History("model", looks["model"], tuple(p.model for p in outcome.trace), at=effort)
        drawn.append(
            convergence_chart([history], Text("best in the model: ", "tốt nhất trong mô hình: ") + title)
        )
    if any(np.isfinite(p.sumo) for p in outcome.trace):
        history = History("SUMO", looks["SUMO"], tuple(p.sumo for p in outcome.trace), at=effort)
        met = len(outcome.judged[0].cost) if outcome.judged else len(outcome.own_cost)
        own = float(np.mean(outcome.own_cost[:met]))  # on the seeds of the search, as the curve
        drawn.append(
            convergence_chart(
                [history],
                Text("best in SUMO: ", "tốt nhất trong SUMO: ") + title,
                reference=(f"own plan {own:.1f}", own) if np.isfinite(own) else None,
            )
        )
    evaluations, runs = outcome.trace[-1].evaluations, outcome.trace[-1].runs
    where = (
        Text(
            f"{evaluations} plans looked at in SUMO itself, {runs} runs in all.",
            f"{evaluations} phương án được chạy trực tiếp trong SUMO, tổng cộng {runs} lượt.",
        )
        if variant.in_sumo
        else Text(
            f"{evaluations} plans evaluated in the model, {runs} runs of SUMO to judge the best of them.",
            f"{evaluations} phương án tính bằng mô hình, {runs} lượt chạy SUMO để đánh giá những phương án tốt nhất.",
        )
    )
    heading = Text("The search", "Quá trình tìm kiếm")
    return [Panel(heading, tuple((drawing, Text("", "")) for drawing in drawn), where)] if drawn else []


def believed(variant: Variant, objective: Objective) -> list[Panel]:
    """What the model believed of the judged plans, against what SUMO said."""
    outcome = variant.outcome
    judged = outcome.judged if outcome is not None else ()
    pairs = [
        (j.model, float(j.cost.mean())) for j in judged if np.isfinite(j.cost).all() and np.isfinite(j.model)
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
    chart.dots([m for m, _ in pairs], [s for _, s in pairs], BLUE, tips, radius=4.0)
    drawing = chart.render(Text("Model against SUMO", "Mô hình so với SUMO"))
    return [
        Panel(
            Text("What the model believed, and what SUMO said", "Mô hình dự đoán và kết quả SUMO"),
            ((drawing, Text("Plans that met every training case.", "Các phương án đã qua mọi trường hợp.")),),
            Text(
                "The model only ranks plans; the value of a plan is always SUMO's.",
                "Mô hình chỉ dùng để xếp hạng; giá trị của phương án luôn lấy từ SUMO.",
            ),
        )
    ]


def day(variant: Variant) -> list[Panel]:
    """When which plan runs, and what each would cost in each period."""
    planned = variant.day
    if planned is None:
        return []
    heads = (Text("From", "Từ"), Text("Plan", "Phương án"), Text("Cycle, s", "Chu kỳ, giây"))
    rows = []
    for switch in planned.day.switches:
        plan = planned.day.plans[switch.plan]
        cycles = sorted({round(t.cycle) for t in plan.timings.values()})
        rows.append((same(clock(switch.time)), same(str(switch.plan + 1)), same(_span(cycles))))
    single, cost = float(planned.single.mean()), float(planned.cost.mean())
    note = (
        Text(
            "No schedule of several plans was better than one plan beyond doubt, so one plan runs all the time.",
            "Không có lịch nhiều phương án nào chắc chắn tốt hơn một phương án, nên một phương án chạy suốt.",
        )
        if planned.comparison is None
        else Text("On the training seeds SUMO gives ", "Với hạt giống huấn luyện, SUMO cho ")
        + number(cost, 1)
        + Text(
            " s/veh, transitions included; the best single plan of those tried has ",
            " s/xe, gồm cả lúc chuyển phương án; phương án đơn tốt nhất trong số đã thử là ",
        )
        + number(single, 1)
        + Text(" s/veh.", " s/xe.")
    )
    items = [
        (table(heads, rows), Text("The schedule", "Lịch chạy")),
        (_costs(planned.table, planned.edges), _CAPTION),
    ]
    return [Panel(Text("Plans by time of day", "Phương án theo giờ trong ngày"), tuple(items), note)]


_CAPTION = Text(
    "What each plan that was tried costs the vehicles that want to leave in a period (SUMO).",
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
        chart.line(
            middle, row.tolist(), BLUE if k == best else Style("#8c8c8c"), stroke=2.5 if k == best else 1.2
        )
    chart.legend([("best single plan", BLUE), ("other plans tried", Style("#8c8c8c"))])
    return chart.render(Text("Plans by period", "Phương án theo khoảng thời gian"))


def table(heads: Sequence[Text], rows: Sequence[Sequence[Text]]) -> Markup:
    """An HTML table whose first column names its rows."""
    head = tag("tr", *(tag("th", _html(text)) for text in heads))
    body = [
        tag("tr", tag("th", _html(row[0])), *(tag("td", _html(cell)) for cell in row[1:])) for row in rows
    ]
    return tag("table", tag("thead", head), tag("tbody", *body))


def objective_title(objective: Objective) -> Text:
    """What is minimised, with its unit, as an axis says it."""
    if len(objective.terms) > 1 or objective.terms[0].weight != 1:
        return same(objective.name)
    of = unit(objective.unit)
    return _title(objective.terms[0]) + (", " + of if of.en else same(""))


def _title(term: Term) -> Text:
    title = Text(term.measure.title, term.measure.title_vi)
    return title + (" (" + ", ".join(term.links) + ")") if term.links else title


def _change(name: Text, of: str, before: Array, after: Array) -> Change:
    """Paired over the held-out seeds."""
    paired = compare_paired(
        {(k, ""): float(v) for k, v in enumerate(after)}, {(k, ""): float(v) for k, v in enumerate(before)}
    )
    ends = paired.interval
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
    return (
        mean
        if found.interval is None
        else mean + " ± " + number((found.interval.high - found.interval.low) / 2, 2)
    )


def _cycles(variant: Variant) -> str:
    return _span(sorted({round(timing.cycle) for timing in variant.plan.timings.values()}))


def _span(values: Sequence[int]) -> str:
    return str(values[0]) if len(values) == 1 else f"{values[0]}–{values[-1]}"


def _html(text: Text) -> Markup:
    return Markup(text.__html__())  # escaped by Text
