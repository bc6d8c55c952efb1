"""The report of a tuning: before and after in SUMO, the search, green bands, phases, and what the model believed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from markupsafe import Markup

from experiments.optimize.tune import Outcome
from experiments.optimizing import Tuned, Wish
from experiments.report import Panel, Text
from experiments.report.colour import Style, styles
from experiments.report.progression import Stop
from experiments.report.search import History, convergence_chart
from experiments.report.stages import phase_diagram
from experiments.report.svg import Axis, Chart
from experiments.report.text import number, same
from experiments.report.timespace import time_space
from experiments.reporting import write_comparison
from sim.arterials import Arterial, arterials
from sim.errors import InputError
from sim.network import Network
from sim.plan import Timing

STREETS = 3  # time-space diagrams: more than a planner looks at on one page
SIGNALS = 8  # phase diagrams, those whose timing changed most
_SECONDS = Text("s/veh", "s/xe")


def write_tuning(tuned: Tuned, wish: Wish, *, command: str) -> Path:
    """Write ``report.html`` into the tuning's folder; returns its path."""
    before = {name: where.program for name, where in tuned.network.intersections.items()}
    after = {**before, **tuned.outcome.plan.timings}
    panels = [_search(tuned.outcome)] if tuned.outcome.trace else []
    panels += _believed(tuned.outcome)
    panels += _streets(tuned.network, before, after)
    panels += _phases(tuned.network, before, after)
    return write_comparison(
        tuned.folder,
        tuned.scenarios,
        tuned.rows,
        command=command,
        runs_in=tuned.folder / "held-out",
        title=Text("Tuned signal timings", "Kế hoạch đèn tín hiệu đã tối ưu"),
        notes=_notes(tuned.outcome, wish),
        panels=tuple(panels),
    )


def _notes(outcome: Outcome, wish: Wish) -> tuple[Text, ...]:
    seeds = ", ".join(map(str, wish.seeds))
    held = ", ".join(map(str, wish.held_out))
    out = [
        Text(
            f"The plan was chosen on seeds {seeds}; every figure below is SUMO's on seeds {held}, "
            "which the search has not seen.",
            f"Kế hoạch được chọn với hạt giống {seeds}; mọi con số dưới đây là của SUMO với hạt giống {held}, "
            "quá trình tìm kiếm chưa từng dùng.",
        )
    ]
    if not outcome.plan.timings:
        out.append(
            Text(
                "No plan was better than the network's own beyond doubt, so it stays.",
                "Không có kế hoạch nào chắc chắn tốt hơn kế hoạch hiện có, nên giữ nguyên.",
            )
        )
    if outcome.interrupted:
        out.append(Text("The search was stopped early.", "Quá trình tìm kiếm bị dừng sớm."))
    if wish.drop_protected:
        out.append(
            Text(
                "Protected left turns were allowed to become permitted ones.",
                "Cho phép pha rẽ trái riêng trở thành rẽ trái nhường đường.",
            )
        )
    return tuple(out)


def _search(outcome: Outcome) -> Panel:
    looks = styles(["SUMO", "model"])
    effort = tuple(float(p.evaluations) for p in outcome.trace)
    drawn = [
        convergence_chart(
            [History("model", looks["model"], tuple(p.model for p in outcome.trace), at=effort)],
            Text("best delay in the model, s/veh", "độ trễ tốt nhất trong mô hình, s/xe"),
        )
    ]
    if any(np.isfinite(p.sumo) for p in outcome.trace):
        history = History("SUMO", looks["SUMO"], tuple(p.sumo for p in outcome.trace), at=effort)
        own = float(np.mean(outcome.own_cost))
        drawn.append(
            convergence_chart(
                [history],
                Text("best mean delay in SUMO, s/veh", "độ trễ trung bình tốt nhất trong SUMO, s/xe"),
                reference=(f"own plan {own:.1f}", own),
            )
        )
    evaluations, runs = outcome.trace[-1].evaluations, outcome.trace[-1].runs
    return Panel(
        Text("The search", "Quá trình tìm kiếm"),
        tuple((drawing, Text("", "")) for drawing in drawn),
        Text(
            f"{evaluations} plans evaluated in the model, {runs} runs of SUMO to judge the best of them.",
            f"{evaluations} kế hoạch được tính bằng mô hình, {runs} lượt chạy SUMO để đánh giá các kế hoạch tốt nhất.",
        ),
    )


def _believed(outcome: Outcome) -> list[Panel]:
    """What the model believed of the judged plans, against what SUMO said."""
    pairs = [(j.model, float(j.cost.mean())) for j in outcome.judged if np.isfinite(j.cost).all()]
    if len(pairs) < 2:
        return []
    chart = Chart(
        Axis.of([m for m, _ in pairs], Text("model, s/veh", "mô hình, s/xe"), zero=False),
        Axis.of([s for _, s in pairs], Text("SUMO, s/veh", "SUMO, s/xe"), zero=False),
        height=320,
    )
    tips = [number(m, 1) + " → " + number(s, 1) + " " + _SECONDS for m, s in pairs]
    chart.dots([m for m, _ in pairs], [s for _, s in pairs], Style("#0072B2"), tips, radius=4.0)
    drawing = chart.render(Text("Model against SUMO", "Mô hình so với SUMO"))
    return [
        Panel(
            Text("What the model believed, and what SUMO said", "Mô hình dự đoán và kết quả SUMO"),
            ((drawing, Text("Plans that met every training case.", "Các kế hoạch đã qua mọi trường hợp.")),),
            Text(
                "The model only ranks plans; the value of a plan is always SUMO's.",
                "Mô hình chỉ dùng để xếp hạng; giá trị của kế hoạch luôn lấy từ SUMO.",
            ),
        )
    ]


def _streets(network: Network, before: Mapping[str, Timing], after: Mapping[str, Timing]) -> list[Panel]:
    items: list[tuple[Markup, Text]] = []
    for street in arterials(network)[:STREETS]:
        for timings, said in ((before, Text("before", "trước")), (after, Text("after", "sau"))):
            drawing = _time_space(network, street, timings)
            if drawing is not None:
                items.append(
                    (drawing, Text(_street(network, street), _street(network, street)) + ": " + said)
                )
    if not items:
        return []
    return [
        Panel(
            Text("Green waves", "Làn sóng xanh"),
            tuple(items),
            Text(
                "Bars are the signals' greens along the street; a shaded band is where a vehicle at the legal limit "
                "meets no red. A street appears only where its signals share a cycle.",
                "Các vạch là đèn xanh dọc tuyến; dải tô là lúc xe chạy đúng tốc độ giới hạn không gặp đèn đỏ. "
                "Chỉ vẽ tuyến có các đèn cùng chu kỳ.",
            ),
            wide=True,
        )
    ]


def _time_space(network: Network, street: Arterial, timings: Mapping[str, Timing]) -> Markup | None:
    distance, stops = 0.0, []
    for k, signal in enumerate(street.signals):
        back = street.back_links[k] if street.two_way else ()
        where = network.intersections[signal]
        stops.append(Stop(where.name, distance, timings[signal], street.links[k], back))
        if k < len(street.hops):
            distance += street.hops[k].length
    speeds = [hop.length / hop.time for hop in street.hops]
    back_speeds = [hop.length / hop.time for hop in street.back]
    try:
        return time_space(stops, speeds, back_speeds=back_speeds)
    except InputError:  # no common cycle: there is no band to speak of
        return None


def _street(network: Network, street: Arterial) -> str:
    ends = [network.intersections[street.signals[k]].name for k in (0, -1)]
    return f"{ends[0]} → {ends[1]}"


def _phases(network: Network, before: Mapping[str, Timing], after: Mapping[str, Timing]) -> list[Panel]:
    changed = [name for name in before if before[name] != after[name]]
    if not changed:
        return []
    items: list[tuple[Markup, Text]] = []
    for name in sorted(changed, key=lambda n: -_moved(before[n], after[n]))[:SIGNALS]:
        where = network.intersections[name]
        for timings, said in ((before, Text("before", "trước")), (after, Text("after", "sau"))):
            items.append((phase_diagram(where, timings[name], network), same(f"{where.name}: ") + said))
    more = len(changed) - min(len(changed), SIGNALS)
    note = Text(
        f"The {SIGNALS} signals that changed most; {more} more are in the timing sheet.",
        f"{SIGNALS} nút thay đổi nhiều nhất; {more} nút khác có trong bảng thời gian.",
    )
    return [
        Panel(Text("Phases before and after", "Các pha trước và sau"), tuple(items), note if more else None)
    ]


def _moved(a: Timing, b: Timing) -> float:
    """How much a timing changed, s: by cycle and greens."""
    greens = [stage.green for stage in a.stages], [stage.green for stage in b.stages]
    width = max(map(len, greens))
    padded = [np.pad(np.array(g), (0, width - len(g))) for g in greens]
    return abs(a.cycle - b.cycle) + float(np.abs(padded[0] - padded[1]).sum())
