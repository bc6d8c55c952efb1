"""The panel of a report that has the delay of motorbikes, cars, buses and so on under each controller."""

from __future__ import annotations

from collections.abc import Sequence

from denxanh.experiments.report.contents import Panel
from denxanh.experiments.report.decision.controller_labels import controller_label
from denxanh.experiments.report.text_format import html_table
from denxanh.experiments.results.vehicle_types import NAMES, ClassResult, class_results
from denxanh.experiments.runs.run_row import RunRow
from denxanh.sim.language.text import Text, number, same

_NOTE = Text(
    "Delay per real vehicle, s, and in brackets the level of service by the control delay of a passage of a signal "
    "(HCM; none for bicycles and people on foot, of whom the wait is given). After each name: vehicles of a run, and "
    "in brackets simulated ones where that is another number.",
    "Thời gian trễ mỗi xe thực, giây; trong ngoặc là mức phục vụ theo thời gian trễ tại mỗi lần qua đèn (HCM; không "
    "có cho xe đạp và người đi bộ, với người đi bộ là thời gian chờ). Sau mỗi tên: số xe của một lần mô phỏng, "
    "trong ngoặc là số xe trong mô phỏng nếu khác.",
)


def vehicle_types_panel(rows: Sequence[RunRow], *, assumed_plan: bool = False) -> Panel | None:
    """The panel for the runs of one place and demand; None for results of earlier versions."""
    by_controller: dict[str, list[RunRow]] = {}
    for row in rows:
        by_controller.setdefault(row.controller, []).append(row)
    found = {name: {one.name: one for one in class_results(runs)} for name, runs in by_controller.items()}
    found = {name: classes for name, classes in found.items() if classes}
    if not found:
        return None
    first = next(iter(found.values()))
    names = [name for name in NAMES if name in first]
    heads = [Text("controller", "bộ điều khiển"), *(_head(first[name]) for name in names)]
    cells = [
        [controller_label(label, assumed_plan=assumed_plan), *(_cell(classes.get(name)) for name in names)]
        for label, classes in found.items()
    ]
    heading = Text("Delay by vehicle type", "Thời gian trễ theo loại xe")
    return Panel(heading, ((html_table(heads, cells), Text("", "")),), _NOTE, wide=True)


def _head(one: ClassResult) -> Text:
    count = number(one.vehicles, 0)
    simulated = "" if abs(one.vehicles - one.simulated) < 0.5 else " (" + number(one.simulated, 0) + ")"
    return one.title + " · " + count + simulated


def _cell(one: ClassResult | None) -> Text:
    if one is None:
        return same("–")
    return number(one.delay_s, 1) + (f" ({one.los})" if one.los else "")
