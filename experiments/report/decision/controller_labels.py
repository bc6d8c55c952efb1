"""Labels of controllers in tables and legends: as the command line writes them in English, by name in Vietnamese."""

from __future__ import annotations

from denxanh.experiments.report.decision.names import controller_title, is_plan
from denxanh.sim.language.text import Text

_STRATEGIES = {
    "actuated": "điều khiển theo xe",
    "volume-density": "theo xe, khoảng cách giảm dần",
    "sotl": "tự tổ chức",
    "longest-queue": "hàng chờ dài nhất trước",
    "delay-based": "thời gian trễ lớn nhất trước",
    "max-pressure": "áp lực lớn nhất",
    "max-pressure-capacity": "áp lực lớn nhất theo sức chứa",
    "max-pressure-cyclic": "áp lực lớn nhất theo chu kỳ",
    "max-pressure-position": "áp lực lớn nhất theo vị trí xe",
    "max-pressure-switching": "áp lực lớn nhất, tính tổn thất chuyển pha",
    "max-wave": "làn sóng lớn nhất",
    "nema": "hai vòng NEMA",
    "police": "cảnh sát điều khiển",
    "policy": "chính sách học máy",
    "predictive": "điều khiển dự báo",
    "priority": "ưu tiên xe",
    "rolling-horizon": "tối ưu cuốn chiếu",
    "scats-like": "kiểu SCATS",
    "scoot-like": "kiểu SCOOT",
    "sumo-program": "chương trình do SUMO chạy",
    "sumo:actuated": "điều khiển theo xe của SUMO",
    "sumo:delay_based": "theo thời gian trễ của SUMO",
    "sumo:NEMA": "hai vòng NEMA của SUMO",
}


def controller_label(label: str, *, assumed_plan: bool = False) -> Text:
    """The label of a controller for a table: the English one is the label itself, which the command line takes.

    ``assumed_plan``: nobody has seen the place's own plan in the street, so it is not called the existing one. A
    controller without a Vietnamese name keeps its label.

    >>> controller_label("max-pressure:interval=20").vi
    'áp lực lớn nhất (interval=20)'
    """
    if is_plan(label):
        return Text(label, controller_title(label, assumed_plan=assumed_plan).vi)
    known = [name for name in _STRATEGIES if label == name or label.startswith(f"{name}:")]
    if not known:
        return Text(label, label)
    name = max(known, key=len)
    parameters = label[len(name) + 1 :]
    return Text(label, _STRATEGIES[name] + (f" ({parameters})" if parameters else ""))
