"""The sketch of a junction: roads and stop lines to scale, north up, street names at the arms, numbers of groups."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from denxanh.experiments.formats.signal_groups import SignalGroup
from denxanh.experiments.sheet.sheet_content import UNNAMED, clean
from denxanh.experiments.sheet.sheet_drawing import BLACK, GREY, POINT, Page, text_width, words, wrapped
from denxanh.sim.network import Intersection, Network

ROAD = "#d9d9d9"
LANE = 3.2  # m, where the net gives no width
REACH = 35.0  # m of each arm beyond the stop lines
LABEL = 7.0  # points
_MARK = 2.3  # mm, radius of the circle of a group's number

Point = tuple[float, float]


@dataclass(frozen=True)
class _Frame:
    """From the net's metres to millimetres of the page, y down."""

    centre: Point  # m
    middle: Point  # mm
    scale: float  # mm per m

    def at(self, point: Point) -> Point:
        return (
            self.middle[0] + (point[0] - self.centre[0]) * self.scale,
            self.middle[1] - (point[1] - self.centre[1]) * self.scale,
        )


def draw_sketch(
    page: Page, network: Network, intersection: Intersection, groups: Sequence[SignalGroup],
    x: float, y: float, width: float, height: float,
) -> None:  # fmt: skip
    """Draw the sketch into a rectangle of the page, mm."""
    page.box(x, y, width, height)
    entries = list(dict.fromkeys(movement.start for movement in intersection.movements))
    exits = list(dict.fromkeys(movement.end for movement in intersection.movements))
    stops = [network.lanes[network.edges[edge].lanes[-1]].shape[-1] for edge in entries]
    starts = [network.lanes[network.edges[edge].lanes[-1]].shape[0] for edge in exits]
    ends = [*stops, *starts]
    centre = ((min(p[0] for p in ends) + max(p[0] for p in ends)) / 2,
              (min(p[1] for p in ends) + max(p[1] for p in ends)) / 2)  # fmt: skip
    reach = max(math.dist(centre, point) for point in ends) + REACH
    room_x, room_y = width / 2 - 27.0, height / 2 - 10.0
    frame = _Frame(centre, (x + width / 2, y + height / 2), min(room_x, room_y) / reach)
    for edge in dict.fromkeys([*entries, *exits]):
        for lane in network.edges[edge].lanes:
            if network.lanes[lane].vehicles:
                _ribbon(page, frame, _within(network.lanes[lane].shape, centre, reach), LANE / 2)
    for link in intersection.links:
        if not link.crossing and link.start in network.lanes and link.end in network.lanes:
            _ribbon(
                page, frame, [network.lanes[link.start].shape[-1], network.lanes[link.end].shape[0]], LANE / 2
            )
    for edge in entries:
        _stop_line(page, frame, [network.lanes[lane].shape for lane in _driven(network, edge)])
    _labels(page, network, frame, reach, [*entries, *exits], (x, y, width, height))
    _marks(page, network, intersection, groups, frame)
    _north_and_scale(page, frame, (x, y, width, height))


def _driven(network: Network, edge: str) -> list[str]:
    """The lanes of an edge without pavements."""
    return [lane for lane in network.edges[edge].lanes if network.lanes[lane].vehicles]


def _within(shape: Sequence[Point], centre: Point, reach: float) -> list[Point]:
    """The part of a lane that is not further than ``reach`` from the centre."""
    out: list[Point] = []
    for a, b in pairwise(shape):
        steps = max(1, math.ceil(math.dist(a, b) / 2.0))
        for k in range(steps + 1):
            point = (a[0] + (b[0] - a[0]) * k / steps, a[1] + (b[1] - a[1]) * k / steps)
            if math.dist(point, centre) <= reach:
                out.append(point)
    return out


def _ribbon(page: Page, frame: _Frame, line: Sequence[Point], half: float) -> None:
    """A strip along a line; ``half`` is half its width, m."""
    if len(line) < 2 or math.dist(line[0], line[-1]) < 0.1:
        return
    left, right = [], []
    for k, point in enumerate(line):
        a, b = line[max(0, k - 1)], line[min(len(line) - 1, k + 1)]
        length = math.dist(a, b) or 1.0
        nx, ny = -(b[1] - a[1]) / length * half, (b[0] - a[0]) / length * half
        left.append(frame.at((point[0] + nx, point[1] + ny)))
        right.append(frame.at((point[0] - nx, point[1] - ny)))
    page.polygon([*left, *reversed(right)], fill=ROAD)


def _heading(shape: Sequence[Point]) -> Point:
    """Unit vector of travel at the end of a lane."""
    end = shape[-1]
    start = next((point for point in reversed(shape) if math.dist(point, end) > 0.5), shape[0])
    length = math.dist(start, end) or 1.0
    return (end[0] - start[0]) / length, (end[1] - start[1]) / length


def _stop_line(page: Page, frame: _Frame, shapes: Sequence[Sequence[Point]]) -> None:
    for shape in shapes:
        dx, dy = _heading(shape)
        ends = [(shape[-1][0] - s * dy * LANE / 2, shape[-1][1] + s * dx * LANE / 2) for s in (-1, 1)]
        (x0, y0), (x1, y1) = map(frame.at, ends)
        page.line(x0, y0, x1, y1, width=1.4, colour=BLACK)


def _marks(
    page: Page, network: Network, intersection: Intersection, groups: Sequence[SignalGroup], frame: _Frame
) -> None:
    """A circle with the number of each group upstream of its lanes, with an arrow for each of its turns."""
    taken: list[Point] = []
    by_link = {link.index: link.start for link in intersection.links}
    for group in groups:
        lanes = [network.lanes[lane].shape for lane in dict.fromkeys(
            by_link[k] for k in group.links) if lane in network.lanes]  # fmt: skip
        if group.crossing is not None and group.approach:
            lane = network.lanes[_driven(network, group.approach)[-1]].shape
            hx, hy = _heading(lane)
            aside = LANE / 2 + 1.3 * _MARK / frame.scale
            spot = frame.at((lane[-1][0] - hy * aside, lane[-1][1] + hx * aside))
            taken.append(spot)
            _circle(page, spot, group.name)
            continue
        if not lanes:
            continue
        dx, dy = _heading(lanes[len(lanes) // 2])
        end = (sum(s[-1][0] for s in lanes) / len(lanes), sum(s[-1][1] for s in lanes) / len(lanes))
        back = 7.0 / frame.scale
        for _ in range(12):
            spot = frame.at((end[0] - dx * back, end[1] - dy * back))
            if all(math.dist(spot, other) > 2.3 * _MARK for other in taken):
                break
            back += 2.0 / frame.scale
        taken.append(spot)
        for turn in group.turns:
            angle = {"left": 70.0, "through": 0.0, "right": -70.0, "u-turn": 150.0}[turn]
            _arrow(page, frame, end, back, (dx, dy), angle)
        _circle(page, spot, group.name)


def _circle(page: Page, spot: Point, name: str) -> None:
    """A circle with the name of a group."""
    angles = [k * math.pi / 12 for k in range(24)]
    page.polygon(
        [(spot[0] + _MARK * math.cos(a), spot[1] + _MARK * math.sin(a)) for a in angles],
        fill="#ffffff",
        edge=BLACK,
    )
    page.text(
        spot[0],
        spot[1],
        name,
        7.0 if len(name) < 2 else 6.0 if len(name) < 3 else 5.0,
        bold=True,
        across="center",
    )


def _arrow(page: Page, frame: _Frame, end: Point, back: float, heading: Point, angle: float) -> None:
    """An arrow between the circle and the stop line, bent by ``angle`` degrees to the left."""
    dx, dy = heading
    tail = frame.at((end[0] - dx * (back - _MARK / frame.scale), end[1] - dy * (back - _MARK / frame.scale)))
    knee = frame.at((end[0] - dx * 2.6 / frame.scale, end[1] - dy * 2.6 / frame.scale))
    turned = math.radians(angle)
    tx, ty = dx * math.cos(turned) - dy * math.sin(turned), dx * math.sin(turned) + dy * math.cos(turned)
    tip = (knee[0] + tx * 1.9, knee[1] - ty * 1.9)
    page.line(*tail, *knee, width=0.8, colour=BLACK)
    page.line(*knee, *tip, width=0.8, colour=BLACK)
    side = (ty * 0.6, tx * 0.6)
    head = (tip[0] + tx * 1.0, tip[1] - ty * 1.0)
    page.polygon(
        [(tip[0] + side[0], tip[1] + side[1]), (tip[0] - side[0], tip[1] - side[1]), head], fill=BLACK
    )


@dataclass
class _Arm:
    name: str
    angle: float  # radians, anticlockwise from east


def _labels(
    page: Page, network: Network, frame: _Frame, reach: float, edges: Sequence[str],
    area: tuple[float, float, float, float],
) -> None:  # fmt: skip
    """The name of each arm outside of its end, horizontally; names of one side are kept apart."""
    arms: list[_Arm] = []
    for edge in dict.fromkeys(edges):
        shape = network.edges[edge].shape
        far = max(_within(shape, frame.centre, reach) or [shape[0]], key=lambda p: math.dist(p, frame.centre))
        angle = math.atan2(far[1] - frame.centre[1], far[0] - frame.centre[0])
        name = clean(network.edges[edge].name, 60) or words(UNNAMED, page.language)
        near = [
            arm for arm in arms if arm.name == name and abs(math.remainder(arm.angle - angle, math.tau)) < 0.6
        ]
        if not near:
            arms.append(_Arm(name, angle))
    lead = LABEL * POINT * 1.25
    left, top, width, height = area
    sides: dict[str, list[tuple[float, float, list[str]]]] = {
        "left": [],
        "right": [],
        "top": [],
        "bottom": [],
    }
    for arm in arms:
        dx, dy = math.cos(arm.angle), math.sin(arm.angle)
        side = ("right" if dx > 0 else "left") if abs(dx) > 0.5 else ("top" if dy > 0 else "bottom")
        spot = frame.at((frame.centre[0] + dx * reach, frame.centre[1] + dy * reach))
        room = 25.0 if side in ("left", "right") else width * 0.34
        sides[side].append((*spot, wrapped(arm.name, LABEL, room, most=3)))
    for side, labels in sides.items():
        low = -math.inf
        for x, y, lines in sorted(
            labels, key=lambda label: label[1] if side in ("left", "right") else label[0]
        ):
            half = len(lines) * lead / 2
            if side in ("left", "right"):
                middle = min(max(y, low + half, top + half + 1), top + height - half - 1)
                low = middle + half + 1.0
                at, across = (
                    (x + 1.5 if side == "right" else x - 1.5),
                    ("left" if side == "right" else "right"),
                )
            else:
                wide = max(text_width(line, LABEL) for line in lines) / 2
                at, across = max(x, low + wide, left + wide + 1), "center"
                low = at + wide + 2.0
                middle = y - half - 1.0 if side == "top" else y + half + 1.0
            for k, line in enumerate(lines):
                page.text(at, middle - half + lead * (k + 0.5), line, LABEL, bold=True, across=across)  # type: ignore[arg-type]


def _north_and_scale(page: Page, frame: _Frame, area: tuple[float, float, float, float]) -> None:
    left, top, width, height = area
    x, y = left + 6.0, top + 9.0
    page.polygon([(x, y - 5), (x - 1.8, y + 3), (x, y + 1.5), (x + 1.8, y + 3)], fill=BLACK)
    page.text(x, y + 5.2, "B" if page.language == "vi" else "N", 8.0, bold=True, across="center")
    metres = next(m for m in (10, 20, 50, 100, 200, 500, 1000) if m * frame.scale >= 8 or m == 1000)
    right, base = left + width - 4.0, top + height - 3.5
    page.line(right - metres * frame.scale, base, right, base, width=1.2, colour=GREY)
    page.text(right - metres * frame.scale / 2, base - 2.0, f"{metres} m", 6.0, colour=GREY, across="center")
