"""The report of an optimisation: before and after in SUMO, green bands, phases, the search, the surrogate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from markupsafe import Markup

from denxanh.experiments.optimize.job.tuning_options import TuningOptions
from denxanh.experiments.optimize.job.tuning_result import (
    NEW,
    TuningResult,
    Variant,
    budget_note,
)
from denxanh.experiments.optimize.problem.objective import DELAY
from denxanh.experiments.optimize.search.confirmation import EXTRA_SEEDS
from denxanh.experiments.report import Panel, Text
from denxanh.experiments.report.comparison_report import write_comparison
from denxanh.experiments.report.drawing.green_bands import Stop
from denxanh.experiments.report.drawing.time_space import time_space
from denxanh.experiments.report.optimization.baseline_text import baseline_notes
from denxanh.experiments.report.optimization.tuning_panels import (
    day_panel,
    fidelity_panel,
    front_panel,
    objective_panel,
    prediction_panel,
    search_panel,
)
from denxanh.experiments.results.references import ASSUMED_NAME, existing_adjective
from denxanh.sim.errors import InputError
from denxanh.sim.network import Network
from denxanh.sim.plan import Timing
from denxanh.sim.timing.arterials import Arterial, arterials

STREETS = 3  # most streets with a time-space diagram
DRAWN = 2  # most plans with such a diagram: two alternatives, not every point of a front


def write_tuning(result: TuningResult, options: TuningOptions, *, command: str) -> Path:
    """Write ``report.html`` into the folder of the result; returns its path."""
    before = {name: intersection.program for name, intersection in result.network.intersections.items()}
    panels = [*objective_panel(result, options), *front_panel(result, options)]
    for variant in result.variants:
        panels += day_panel(variant)
    drawn = [v for v in result.new if v.day is None][:DRAWN]
    several = len(drawn) > 1
    for variant in drawn:
        after = {**before, **variant.plan.timings}
        panels += _with_name(variant, several, _streets(result.network, before, after))
    panels += fidelity_panel(result)
    for variant in result.variants:
        search = [
            *search_panel(variant, options.objective),
            *prediction_panel(variant, options.objective),
        ]
        panels += _with_name(variant, len(result.variants) > 1, search)
    other = result.other_fidelity
    judged = other is not None and other.rows
    return write_comparison(
        result.folder,
        [*result.scenarios, *([other.scenario] if other is not None and judged else [])],
        [*result.rows, *(other.rows if other is not None else ())],
        command=command,
        title=Text("Tuned signal timings", "Phương án tín hiệu đã tối ưu"),
        notes=_notes(result, options),
        panels=tuple(panels),
        others_folded=True,
        recorded=options.time is None,  # what is simulated again takes time that --time has not
    )


def _with_name(variant: Variant, several: bool, panels: Sequence[Panel]) -> list[Panel]:
    """The panels, with the name of the plan in the heading where there are several."""
    return [
        replace(panel, heading=panel.heading + f" – {variant.name}") if several else panel for panel in panels
    ]


def _notes(result: TuningResult, options: TuningOptions) -> tuple[Text, ...]:
    seeds = ", ".join(map(str, options.seeds))
    held = ", ".join(map(str, sorted({row.seed for row in result.rows})))
    confirmed = options.pareto is None and not result.interrupted
    more, more_vi = (
        (f" and {EXTRA_SEEDS} more", f" và {EXTRA_SEEDS} lần mô phỏng khác") if confirmed else ("", "")
    )
    out = [
        Text(
            f"The plan was chosen on seeds {seeds}{more}; unless stated otherwise, all results below are SUMO's on "
            f"seeds {held}, which the search never used.",
            f"Phương án được chọn với lần mô phỏng {seeds}{more_vi}; mọi con số dưới đây là của SUMO với lần mô phỏng "
            f"{held}, quá trình tìm kiếm chưa từng dùng, trừ khi ghi khác.",
        ),
        Text(
            "Each seed has a day of its own: its vehicles are drawn anew about the same profile, the "
            "same for all plans.",
            "Mỗi lần mô phỏng là một ngày riêng: xe được rút ngẫu nhiên lại theo cùng biểu đồ lưu "
            "lượng, giống nhau cho mọi phương án.",
        )
        if options.days == "each"
        else Text("All seeds have the same vehicles.", "Mọi lần mô phỏng có cùng các xe."),
    ]
    out += baseline_notes(result, options)
    out.append(
        Text(
            "“conventional” is the plan that an engineer would set: the place's own stages, splits "
            "by critical flow ratios, the "
            f"cycle swept, coordinated offsets; “{result.existing_name}” is the plan that the network came with.",
            "“conventional”: phương án kỹ sư thường lập (giữ các pha, chia xanh theo tỷ số lưu lượng "
            "tới hạn, chọn chu kỳ, "
            f"phối hợp độ lệch); “{result.existing_name}”: phương án có sẵn trong mạng"
            + (" (giả định)" if result.existing_name == ASSUMED_NAME else "")
            + f"; “{NEW}”: phương án tối ưu; "
            "“by time of day”: theo giờ trong ngày; “point”: một điểm giữa hai mục tiêu; "
            "“lefts protected / permitted”: giữ / bỏ pha rẽ trái riêng.",
        )
    )
    existing = existing_adjective(assumed_plan=result.existing_name == ASSUMED_NAME)
    for variant in result.variants:
        if not variant.plan.timings:
            name = f"{variant.name}: " if len(result.variants) > 1 else ""
            out.append(
                Text(
                    f"{name}no plan was significantly better than the {result.existing_name}, which stays.",
                    f"{name}không có phương án nào chắc chắn tốt hơn phương án {existing.vi}, nên giữ nguyên.",
                )
            )
    if result.interrupted:
        out.append(
            Text(
                "The search was interrupted: this is the best plan by then.",
                "Quá trình tìm kiếm bị dừng sớm: đây là phương án tốt nhất đến lúc đó.",
            )
        )
    out.append(budget_note(options.time or options.seconds))
    out += _policy(options)
    return tuple(out)


def _policy(options: TuningOptions) -> list[Text]:
    """Notes on the decisions of the user."""
    out = []
    if options.pareto is None and options.objective != DELAY:
        out.append(
            Text(
                f"Tuned for {options.objective.name}, see “Objective”: the delay in the first lines was not the "
                "objective, or not the only one.",
                f"Tối ưu theo {options.objective.name}, xem “Mục tiêu yêu cầu”: thời gian trễ ở những dòng đầu không "
                "phải là (hoặc không phải là duy nhất) mục tiêu tìm kiếm.",
            )
        )
    if options.lefts == "drop":
        out.append(
            Text(
                "Protected turns across oncoming traffic were allowed to become permitted ones.",
                "Cho phép pha riêng của hướng rẽ cắt dòng xe ngược chiều trở thành rẽ nhường đường.",
            )
        )
    if options.lefts == "both":
        out.append(
            Text(
                "“lefts protected” keeps every protected turn across oncoming traffic of the network's own plan (left "
                "turns, or right turns where traffic drives on the left); in “lefts permitted” they may have to give "
                "way to oncoming traffic. Which of the two is a matter of safety, not of delay alone.",
                "“lefts protected” giữ mọi pha riêng của hướng rẽ cắt dòng xe ngược chiều trong phương án hiện có (rẽ "
                "trái, hoặc rẽ phải nơi xe đi bên trái); ở “lefts permitted” xe rẽ có thể phải nhường xe ngược "
                "chiều. Chọn cách nào là vấn đề an toàn, không chỉ là thời gian trễ.",
            )
        )
    demands = [f"× {factor:g}" for factor in options.scales if factor != 1]
    demands += [other.name for other in options.also]
    if demands or options.demand_samples:
        listed = ", ".join(demands) or "–"
        out.append(
            Text(
                f"Tuned for several demands at once: the demand given, {listed}; days drawn: {options.demand_samples}.",
                f"Tối ưu đồng thời cho nhiều mức lưu lượng: như đã cho, {listed}; "
                f"số ngày lấy mẫu: {options.demand_samples}.",
            )
        )
    if options.kind == "actuated":
        out.append(
            Text(
                "The plan runs as SUMO's actuated programs: greens end early when no vehicle follows.",
                "Phương án chạy dạng kích hoạt (actuated) của SUMO: đèn xanh kết thúc sớm khi không còn xe.",
            )
        )
    return out


def _streets(network: Network, before: Mapping[str, Timing], after: Mapping[str, Timing]) -> list[Panel]:
    items: list[tuple[Markup, Text]] = []
    for street in arterials(network)[:STREETS]:
        for timings, label in ((before, Text("before", "trước")), (after, Text("after", "sau"))):
            drawing = _time_space(network, street, timings)
            if drawing is not None:
                items.append(
                    (drawing, Text(_street(network, street), _street(network, street)) + ": " + label)
                )
    if not items:
        return []
    return [
        Panel(
            Text("Green waves", "Làn sóng xanh"),
            tuple(items),
            Text(
                "Bars are the signals along the street; within a shaded band a vehicle at the speed limit "
                "meets no red. Only streets whose signals have a common cycle are shown.",
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
        intersection = network.intersections[signal]
        stops.append(Stop(intersection.name, distance, timings[signal], street.links[k], back))
        if k < len(street.hops):
            distance += street.hops[k].length
    speeds = [hop.length / hop.time for hop in street.hops]
    back_speeds = [hop.length / hop.time for hop in street.back]
    try:
        return time_space(stops, speeds, back_speeds=back_speeds)
    except InputError:  # no common cycle, so there is no band
        return None


def _street(network: Network, street: Arterial) -> str:
    ends = [network.intersections[street.signals[k]].name for k in (0, -1)]
    return f"{ends[0]} → {ends[1]}"
