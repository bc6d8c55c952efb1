"""The report of a tuning: before and after in SUMO, the search, green bands, phases, and what the model believed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from markupsafe import Markup

from experiments.optimize.judge import DELAY
from experiments.optimize.second_look import MORE
from experiments.report import Panel, Text
from experiments.report.progression import Stop
from experiments.report.stages import phase_diagram
from experiments.report.timespace import time_space
from experiments.reporting import write_comparison
from experiments.tuned import NEW, OWN_NAME, Tuned, Variant
from experiments.tuning_panels import asked, believed, day, front, search, trust
from experiments.wish import Wish
from sim.arterials import Arterial, arterials
from sim.errors import InputError
from sim.network import Network
from sim.plan import Timing
from sim.text import same

STREETS = 3  # time-space diagrams: more than a planner looks at on one page
SIGNALS = 8  # phase diagrams, those whose timing changed most
DRAWN = 2  # plans whose streets and phases are drawn: two to choose between, not every point of a front


def write_tuning(tuned: Tuned, wish: Wish, *, command: str) -> Path:
    """Write ``report.html`` into the tuning's folder; returns its path."""
    before = {name: where.program for name, where in tuned.network.intersections.items()}
    panels = [*asked(tuned, wish), *front(tuned, wish)]
    for variant in tuned.variants:
        panels += day(variant)
    drawn = [v for v in tuned.variants if v.new and v.day is None][:DRAWN]
    several = len(drawn) > 1
    for variant in drawn:
        after = {**before, **variant.plan.timings}
        panels += _named(variant, several, _streets(tuned.network, before, after))
        panels += _named(variant, several, _phases(tuned.network, before, after))
    panels += trust(tuned)
    for variant in tuned.variants:
        made = [*search(variant, wish.objective), *believed(variant, wish.objective)]
        panels += _named(variant, len(tuned.variants) > 1, made)
    return write_comparison(
        tuned.folder,
        tuned.scenarios,
        tuned.rows,
        command=command,
        runs_in=tuned.folder / "held-out",
        title=Text("Tuned signal timings", "Phương án tín hiệu đã tối ưu"),
        notes=_notes(tuned, wish),
        panels=tuple(panels),
    )


def _named(variant: Variant, several: bool, panels: Sequence[Panel]) -> list[Panel]:
    """Panels that say which plan they show, where there is more than one."""
    return [
        replace(panel, heading=panel.heading + f" – {variant.name}") if several else panel for panel in panels
    ]


def _notes(tuned: Tuned, wish: Wish) -> tuple[Text, ...]:
    seeds = ", ".join(map(str, wish.seeds))
    held = ", ".join(map(str, wish.held_out))
    again = wish.pareto is None and not tuned.interrupted  # the leaders met more seeds
    more, more_vi = (f" and {MORE} more", f" và {MORE} hạt giống khác") if again else ("", "")
    out = [
        Text(
            f"The plan was chosen on seeds {seeds}{more}; every figure below is SUMO's on seeds {held}, "
            "which the search has not seen, unless it says otherwise.",
            f"Phương án được chọn với hạt giống {seeds}{more_vi}; mọi con số dưới đây là của SUMO với hạt giống "
            f"{held}, quá trình tìm kiếm chưa từng dùng, trừ khi ghi khác.",
        )
    ]
    out.append(
        Text(
            f"“{OWN_NAME}” is the plan that the network has today.",
            f"“{OWN_NAME}”: phương án đang chạy; “{NEW}”: phương án tối ưu; “by time of day”: theo giờ trong ngày; "
            "“point”: một điểm giữa hai mục tiêu; “lefts protected / permitted”: giữ / bỏ pha rẽ trái riêng.",
        )
    )
    for variant in tuned.variants:
        if not variant.plan.timings:
            name = f"{variant.name}: " if len(tuned.variants) > 1 else ""
            out.append(
                Text(
                    f"{name}no plan was better than the network's own beyond doubt, so it stays.",
                    f"{name}không có phương án nào chắc chắn tốt hơn phương án hiện có, nên giữ nguyên.",
                )
            )
    if tuned.interrupted:
        out.append(
            Text(
                "The search was stopped early: this is the best plan it had by then.",
                "Quá trình tìm kiếm bị dừng sớm: đây là phương án tốt nhất đến lúc đó.",
            )
        )
    out += _policy(wish)
    return tuple(out)


def _policy(wish: Wish) -> list[Text]:
    """What was decided by the user and not by the search."""
    out = []
    if wish.pareto is None and wish.objective != DELAY:
        out.append(
            Text(
                f"Tuned for {wish.objective.name}, see “What was asked for”: the delay in the first lines was not "
                "(alone) what the search looked at.",
                f"Tối ưu theo {wish.objective.name}, xem “Mục tiêu yêu cầu”: thời gian trễ ở những dòng đầu không phải "
                "là (hoặc không phải là duy nhất) mục tiêu tìm kiếm.",
            )
        )
    if wish.lefts == "drop":
        out.append(
            Text(
                "Protected left turns were allowed to become permitted ones.",
                "Cho phép pha rẽ trái riêng trở thành rẽ trái nhường đường.",
            )
        )
    if wish.lefts == "both":
        out.append(
            Text(
                "“lefts protected” keeps every protected left turn of the network's own plan; in “lefts permitted” "
                "they may have to give way to oncoming traffic. Which of the two is a matter of safety, "
                "not of delay alone.",
                "“lefts protected” giữ mọi pha rẽ trái riêng của phương án hiện có; ở “lefts permitted” xe rẽ trái "
                "có thể phải nhường xe ngược chiều. Chọn cách nào là vấn đề an toàn, không chỉ là thời gian trễ.",
            )
        )
    demands = [f"× {factor:g}" for factor in wish.scales if factor != 1]
    demands += [other.name for other in wish.also]
    if demands or wish.demand_samples:
        listed = ", ".join(demands) or "–"
        out.append(
            Text(
                f"Tuned for several demands at once: as given, {listed}; days drawn: {wish.demand_samples}.",
                f"Tối ưu đồng thời cho nhiều mức lưu lượng: như đã cho, {listed}; "
                f"số ngày lấy mẫu: {wish.demand_samples}.",
            )
        )
    if wish.kind == "actuated":
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
