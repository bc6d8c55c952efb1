"""Names that a planner reads: of places, controllers, vehicles and directions, in both languages."""

from __future__ import annotations

import re

from denxanh import networks
from denxanh.experiments.results.references import ASSUMED_NAME, EXISTING_NAMES
from denxanh.networks.built_in import name_of
from denxanh.sim.language.text import Text, joined, same

_CITIES = {"ha-noi": Text("Hanoi", "Hà Nội"), "tp-hcm": Text("Ho Chi Minh City", "TP.HCM")}
_CONTROLLERS = {
    "program": Text("the existing plan", "phương án hiện trạng"),
    "existing plan": Text("the existing plan", "phương án hiện trạng"),
    "assumed plan": Text("the assumed plan", "phương án giả định"),
    "conventional": Text("the conventional plan", "phương án thông thường"),
    "optimised": Text("the optimised plan", "phương án tối ưu"),
    "by time of day": Text("the plans by time of day", "các phương án theo khung giờ"),
    "lefts protected": Text("the plan with protected left turns", "phương án giữ pha rẽ trái riêng"),
    "lefts permitted": Text("the plan with permitted left turns", "phương án rẽ trái nhường đường"),
    "fixed-time": Text("the fixed-time plan", "phương án chu kỳ cố định"),
    "time-of-day": Text("the plans by time of day", "các phương án theo khung giờ"),
    "webster": Text("the plan by Webster's formula", "phương án theo công thức Webster"),
    "green-wave": Text("the green wave", "phương án làn sóng xanh"),
}
PLANS = frozenset(_CONTROLLERS)
"""Controllers that are a plan by the clock: it can be installed in any cabinet, without detectors."""

STRATEGIES = {
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

VEHICLES = {
    "motorbike": Text("motorbikes", "xe máy"),
    "ebike": Text("electric motorbikes", "xe máy điện"),
    "bicycle": Text("bicycles", "xe đạp"),
    "car": Text("cars", "ô tô con"),
    "minibus": Text("minibuses", "xe khách nhỏ"),
    "bus": Text("buses", "xe buýt"),
    "truck": Text("trucks", "xe tải"),
}
"""By the vehicle types of the built-in places."""

_BOUND = {
    "N": Text("from the south", "từ phía nam"),
    "NE": Text("from the south-west", "từ phía tây nam"),
    "E": Text("from the west", "từ phía tây"),
    "SE": Text("from the north-west", "từ phía tây bắc"),
    "S": Text("from the north", "từ phía bắc"),
    "SW": Text("from the north-east", "từ phía đông bắc"),
    "W": Text("from the east", "từ phía đông"),
    "NW": Text("from the south-east", "từ phía đông nam"),
}
"""By the direction of travel of a label: pages, charts and timing sheets all say where the traffic comes from."""
_TURNS = {
    "L": Text("left", "rẽ trái"),
    "T": Text("through", "đi thẳng"),
    "R": Text("right", "rẽ phải"),
    "U": Text("U-turn", "quay đầu"),
}
_HELD_OUT = ((r"\(another day(, \d+)?\)", r"(ngày khác\1)"), (r"\(also, ", "(thêm, "))


def place_title(label: str) -> Text:
    """The real name of a built-in place with its city and options; other places keep the name they have.

    What ``denxanh optimize`` adds to the name of held-out demand is translated.

    >>> place_title("ha-noi/pho-hue@07:00").vi
    'Phố Huế – Hàng Bài, Hà Nội, 07:00'
    """
    base = re.split(r"[@: ]", label, maxsplit=1)[0]
    rest = label[len(base) :]
    known = {place.name: place for place in networks.list_places()}
    title = same(base)
    if name_of(base) in known:
        place, city = known[base], _CITIES[base.partition("/")[0]]
        title = Text(*(name.partition(",")[0] for name in (place.title, place.title_vi))) + ", " + city
        rest = re.sub(r"^@", ", ", rest)
    vietnamese = rest
    for english, translated in _HELD_OUT:
        vietnamese = re.sub(english, translated, vietnamese)
    return title + Text(rest, vietnamese)


def controller_title(label: str, *, assumed_plan: bool) -> Text:
    """The name of a controller by its label, with its parameters where it has some.

    ``assumed_plan`` says that nobody has seen the place's own plan in the street: it is then never called existing.

    >>> controller_title("program", assumed_plan=True).vi
    'phương án giả định'
    """
    base, colon, parameters = label.partition(":")
    if assumed_plan and base in EXISTING_NAMES:
        base = ASSUMED_NAME
    if base not in _CONTROLLERS:
        vietnamese = strategy_in_vietnamese(label) or label
        prefix = "" if vietnamese.startswith("điều khiển") else "chiến lược "
        return Text(f"the strategy {label}", prefix + vietnamese)
    return _CONTROLLERS[base] + (f" ({parameters})" if colon else "")


def strategy_in_vietnamese(label: str) -> str:
    """The Vietnamese name of a strategy with its parameters; empty where it has none."""
    known = [name for name in STRATEGIES if label == name or label.startswith(f"{name}:")]
    if not known:
        return ""
    name = max(known, key=len)
    parameters = label[len(name) + 1 :]
    return STRATEGIES[name] + (f" ({parameters})" if parameters else "")


def is_plan(label: str) -> bool:
    """Whether a controller is a plan by the clock."""
    return label.partition(":")[0] in PLANS


def vehicle_title(kind: str) -> Text:
    """The name of a vehicle type; one that is not known keeps its id."""
    return VEHICLES.get(kind, same(kind))


def turn_title(label: str) -> Text:
    """The turn of a movement by its label: ``NBL`` turns left. Others keep their label."""
    return _TURNS.get(label[-1:], same(label))


def direction_title(label: str) -> Text:
    """Where the traffic of a movement or approach comes from, by its label (``NBL``, ``SEB``; several one by one)."""
    if " " in label:
        titles = [direction_title(part) for part in label.split()]
        return joined(titles, "; ")
    found = re.fullmatch(r"([NESW]{1,2})B([LTRU]?)", label)
    if found is None or found[1] not in _BOUND:
        return same(label)
    if not found[2]:
        return _BOUND[found[1]]
    return joined([_BOUND[found[1]], _TURNS[found[2]]], ", ")
