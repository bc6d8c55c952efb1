"""The content of a timing sheet, the same for PDF and XLSX: words, tables and notes of one signal in both languages."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from denxanh.experiments.formats.plan_source import PlanSource
from denxanh.experiments.formats.signal_groups import (
    SignalGroup,
    change_times,
    intergreens,
    signal_groups,
)
from denxanh.experiments.results.references import existing_adjective
from denxanh.sim.language.text import Text, joined, same
from denxanh.sim.network import GREEN, Intersection
from denxanh.sim.plan import Timing
from denxanh.sim.signals.clearance import pedestrian_clearance
from denxanh.sim.signals.waivers import waivers
from denxanh.sim.sumo.program import WALKING

WALK = 7.0  # s of green in which people on foot start: MUTCD 2009, section 4E.06
LONGEST_NAME = 200  # characters of a name on paper

POINTS = {
    "N": Text("north", "phía bắc"), "NE": Text("north-east", "phía đông bắc"), "E": Text("east", "phía đông"),
    "SE": Text("south-east", "phía đông nam"), "S": Text("south", "phía nam"),
    "SW": Text("south-west", "phía tây nam"), "W": Text("west", "phía tây"),
    "NW": Text("north-west", "phía tây bắc"),
}  # fmt: skip
TURNS = {
    "left": Text("left", "rẽ trái"), "through": Text("through", "đi thẳng"), "right": Text("right", "rẽ phải"),
    "u-turn": Text("U-turn", "quay đầu"),
}  # fmt: skip
UNNAMED = Text("street without a name", "đường không tên")
TITLE = Text("TRAFFIC SIGNAL TIMING SHEET", "PHIẾU CÀI ĐẶT TỦ ĐIỀU KHIỂN ĐÈN TÍN HIỆU")

Cell = Text | float | None


@dataclass(frozen=True)
class Column:
    """A column of a table: its head, and its share of the width."""

    head: Text
    width: float = 1.0
    left: bool = False  # texts begin at its left side; else they are centred


@dataclass(frozen=True)
class Table:
    """A table of the sheet. Numbers are s unless the head says otherwise."""

    title: Text
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[Text, ...] = ()


@dataclass(frozen=True)
class PlanPart:
    """One plan of a signal: its timing with the stages and greens as tables."""

    title: Text
    timing: Timing
    stages: Table
    groups: Table  # start and end of the greens of each group


@dataclass(frozen=True)
class SignalSheet:
    """Everything that the sheet of one signal says."""

    number: int
    id: str
    name: str
    place: str
    facts: tuple[tuple[Text, Text], ...]  # label and value
    intersection: Intersection
    groups: tuple[SignalGroup, ...]
    parts: tuple[PlanPart, ...]
    group_table: Table
    matrix: Table
    pedestrians: Table | None
    day: Table
    notes: tuple[Text, ...]


@dataclass(frozen=True)
class SheetHead:
    """What a sheet says beside its plan: the place by name, which plan it is, and what the plan rests on."""

    place: Text | None = None  # None: the name of the network
    plan: Text | None = None  # None: "proposed"
    facts: tuple[tuple[Text, Text], ...] = ()
    notes: tuple[Text, ...] = ()


def clean(text: str, longest: int = LONGEST_NAME) -> str:
    """A name for paper: composed, without characters that control or reverse the line, cut with an ellipsis.

    >>> clean("Phô\\u0301 \\u202eHuê\\u0301\\n")
    'Phố Huế'
    """
    composed = unicodedata.normalize("NFC", text[: 4 * longest])
    kept = "".join(
        " " if c.isspace() else c for c in composed if c.isspace() or unicodedata.category(c)[0] != "C"
    )
    line = " ".join(kept.split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def signal_sheets(source: PlanSource, *, date: str, head: SheetHead | None = None) -> list[SignalSheet]:
    """A sheet for each signal with a program, by name. Raises InputError for a plan that is unsafe."""
    networks = [source.planned(number) for number in range(len(source.plans))]
    return [
        _signal_sheet(source, networks, name, number, date, head or SheetHead())
        for number, name in enumerate(sorted(source.network.intersections), 1)
    ]


def _signal_sheet(
    source: PlanSource, networks: Sequence[object], name: str, number: int, date: str, head: SheetHead
) -> SignalSheet:
    own = source.network.intersections[name]
    planned: list[Intersection] = [network.intersections[name] for network in networks]  # type: ignore[attr-defined]
    timings = [intersection.program for intersection in planned]
    groups = signal_groups(source.network, name, timings)
    new = any(name in plan.timings and plan.timings[name] != own.program for plan in source.plans)
    parts = tuple(
        _part(k, len(timings), intersection, groups, source) for k, intersection in enumerate(planned)
    )
    first = timings[0]
    existing = existing_adjective(assumed_plan=source.scenario.plan_is_assumed)
    facts = (
        (Text("Intersection", "Nút giao"), same(clean(own.name))),
        (Text("Code", "Mã nút"), same(clean(name, 60))),
        (Text("Place", "Địa điểm"), _place(source, head)),
        (Text("Plan", "Phương án"), (head.plan or Text("proposed", "đề xuất")) if new else existing),
        (Text("Cycle", "Chu kỳ"), _before_after(own.program.cycle, first.cycle, new, existing)),
        (Text("Offset", "Lệch pha (offset)"), _before_after(own.program.offset % own.program.cycle,
                                                            first.offset % first.cycle, new, existing)),
        (Text("Date of issue", "Ngày lập"), same(date)),
        *head.facts,
    )  # fmt: skip
    return SignalSheet(
        number=number,
        id=name,
        name=clean(own.name),
        place=_place(source, head).vi,
        facts=facts,
        intersection=planned[0],
        groups=groups,
        parts=parts,
        group_table=_group_table(planned[0], groups),
        matrix=_matrix(planned[0], groups),
        pedestrians=_pedestrians(planned[0], groups),
        day=_day(source, timings),
        notes=(*_notes(source, own, planned), *_unchecked(planned[0], groups), *head.notes),
    )


def _place(source: PlanSource, head: SheetHead) -> Text:
    named = head.place or same(source.network.name)
    return Text(clean(named.en, 80), clean(named.vi, 80))


def _unchecked(intersection: Intersection, groups: Sequence[SignalGroup]) -> tuple[Text, ...]:
    """What who installs the plan has to check: a yellow below ITE's formula, and crossings without signals here."""
    out = []
    if short := [one for one in waivers(intersection) if one.rule == "short-yellow"]:
        worst = short[0].example.rpartition(": ")[2]  # "3 s, ITE 3.73 s" of the movement that lacks most
        out.append(
            Text(
                f"The yellow is shorter than ITE's formula asks (worst movement: {worst}): check it before "
                "installing.",
                "Thời gian vàng ngắn hơn công thức ITE (hướng thiếu nhiều nhất: "
                f"{worst.replace('.', ',')}): kiểm tra trước khi cài đặt.",
            )
        )
    if all(group.crossing is None for group in groups):
        out.append(
            Text(
                "No signals for people on foot are in the model: the time they need to cross was not checked.",
                "Mô hình không có đèn cho người đi bộ: chưa kiểm tra thời gian họ cần để qua đường.",
            )
        )
    return tuple(out)


def _before_after(before: float, after: float, new: bool, existing: Text) -> Text:
    if not new or before == after:
        return seconds(after)
    return seconds(after) + " (" + existing + ": " + seconds(before) + ")"


def seconds(value: float) -> Text:
    """A time with its unit."""
    return digits(value) + " s"


def digits(value: float) -> Text:
    """A number with as many decimals as it has, at most two; a decimal comma in Vietnamese."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return Text(text, text.replace(".", ","))


def group_text(group: SignalGroup) -> Text:
    """The approach and turns of a group: "Phố Huế, from the south: through, right"."""
    if group.crossing is not None:
        if not group.origin:
            return Text("pedestrian crossing", "vạch sang đường cho người đi bộ")
        name, side = same(clean(group.street, 60)) if group.street else UNNAMED, POINTS[group.origin]
        return Text(
            f"pedestrian crossing of {name.en}, {side.en} arm", f"vạch sang {name.vi}, nhánh {side.vi}"
        )
    street = same(clean(group.street, 60)) if group.street else UNNAMED
    turns = joined([TURNS[turn] for turn in group.turns], ", ")
    origin = POINTS[group.origin]
    return Text(
        f"{street.en}, from the {origin.en}: {turns.en}",
        f"{street.vi}, từ {origin.vi}: {turns.vi}",
    )


def _serving(groups: Sequence[SignalGroup], state: str) -> list[SignalGroup]:
    return [group for group in groups if any(state[link] in GREEN for link in group.links)]


def _part(
    number: int, count: int, intersection: Intersection, groups: Sequence[SignalGroup], source: PlanSource
) -> PlanPart:
    timing = intersection.program
    title = Text(f"Plan {number + 1}", f"Phương án {number + 1}") if count > 1 else Text("Plan", "Phương án")
    title = title + Text(
        f": cycle {seconds(timing.cycle).en}, offset {seconds(timing.offset % timing.cycle).en}",
        f": chu kỳ {seconds(timing.cycle).vi}, lệch pha {seconds(timing.offset % timing.cycle).vi}",
    )
    rows: list[tuple[Cell, ...]] = []
    changes = change_times(timing, groups)
    for k, (stage, start, (yellow, red, rest)) in enumerate(
        zip(timing.stages, timing.starts(), changes, strict=True)
    ):
        least = intersection.phases[k].min_green
        serving = ", ".join(group.name for group in _serving(groups, stage.state))
        rows.append(
            (float(k + 1), same(serving), start, stage.green, start + stage.green, yellow, red, rest, least)
        )
    rows.append((Text("Sum", "Tổng"), same(""), None, sum(s.green for s in timing.stages), None,
                 sum(c[0] for c in changes), sum(c[1] for c in changes), sum(c[2] for c in changes), None))  # fmt: skip
    stages = Table(
        Text("Stages (s)", "Giản đồ pha (giây)"),
        (
            Column(Text("stage", "pha"), 0.7),
            Column(Text("groups with green", "nhóm đèn xanh"), 2.2, left=True),
            Column(Text("starts at", "bắt đầu")),
            Column(Text("green", "xanh")),
            Column(Text("ends at", "kết thúc")),
            Column(Text("yellow", "vàng")),
            Column(Text("all-red", "đỏ toàn phần"), 1.3),
            Column(Text("other change", "chuyển tiếp khác"), 1.5),
            Column(Text("min. green", "xanh tối thiểu"), 1.3),
        ),
        tuple(rows),
        (_sum_note(timing, changes),),
    )
    lines: list[tuple[Cell, ...]] = []
    for group in groups:
        for k, (start, end) in enumerate(group.greens(timing)):
            always = end - start >= timing.cycle
            lines.append((
                same(group.name) if k == 0 else same(""),
                Text("always green", "luôn xanh") if always else start,
                None if always else end % timing.cycle,
                end - start,
            ))  # fmt: skip
    greens = Table(
        Text(
            "Greens of the groups, s from the start of the cycle",
            "Thời gian xanh của nhóm đèn, giây từ đầu chu kỳ",
        ),
        (
            Column(Text("group", "nhóm")),
            Column(Text("green on", "bật xanh"), 1.5),
            Column(Text("green off", "tắt xanh"), 1.5),
            Column(Text("green", "xanh")),
        ),
        tuple(lines),
    )
    return PlanPart(title, timing, stages, greens)


def _sum_note(timing: Timing, changes: Sequence[tuple[float, float, float]]) -> Text:
    green = sum(stage.green for stage in timing.stages)
    change = sum(map(sum, changes))
    return Text(
        f"Check: {digits(green).en} green + {digits(change).en} change = {digits(timing.cycle).en} s cycle.",
        f"Kiểm tra: {digits(green).vi} xanh + {digits(change).vi} chuyển tiếp = chu kỳ {digits(timing.cycle).vi} s.",
    )


def _group_table(intersection: Intersection, groups: Sequence[SignalGroup]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for group in groups:
        shown = {letter for letter, _ in group.letters(intersection.program)}
        always = shown <= GREEN
        kind = (
            Text("pedestrians", "người đi bộ")
            if group.crossing is not None
            else Text("vehicles, always green", "xe, luôn xanh")
            if always
            else Text("vehicles", "xe")
        )
        yields = any(
            "g" in stage.state[link] for stage in intersection.program.stages for link in group.links
        )
        gives = Text("yes", "có") if yields else same("–")
        serving = [
            (phase.min_green) for phase in intersection.phases[: len(intersection.program.stages)]
            if any(phase.state[link] in GREEN for link in group.links)
        ]  # fmt: skip
        rows.append((same(group.name), group_text(group), kind, gives, max(serving, default=None)))
    return Table(
        Text("Signal groups", "Nhóm đèn tín hiệu"),
        (
            Column(Text("group", "nhóm"), 0.6),
            Column(Text("approach and movements", "nhánh tiếp cận và hướng đi"), 4.6, left=True),
            Column(Text("for", "dành cho"), 1.2),
            Column(Text("gives way", "nhường đường"), 1.0),
            Column(Text("min. green, s", "xanh tối thiểu, s"), 1.1),
        ),
        tuple(rows),
    )


def _matrix(intersection: Intersection, groups: Sequence[SignalGroup]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for group, values in zip(groups, intergreens(intersection, groups), strict=True):
        cells: list[Cell] = [same(group.name)]
        for other, (kind, value) in zip(groups, values, strict=True):
            if other is group:
                cells.append(same("■"))
            elif kind == "plan":
                cells.append(value)
            elif kind == "usual":
                cells.append(Text(f"({digits(value).en})", f"({digits(value).vi})"))
            else:
                cells.append(Text("y", "n") if kind == "permitted" else same("–"))
        rows.append(tuple(cells))
    return Table(
        Text("Intergreen matrix (s): row = ending group, column = starting group",
             "Ma trận khoảng chuyển tiếp (giây): hàng = nhóm kết thúc xanh, cột = nhóm bắt đầu xanh"),
        (Column(same("↓ \u2192"), 1.0), *(Column(same(group.name)) for group in groups)),
        tuple(rows),
        (
            Text("End of green to start of green. Number: change of this plan; (number): the pair does not "
                 "follow directly in this plan, yellow and all-red of the signal; y: green together, one gives way; "
                 "–: no conflict.",
                 "Từ lúc tắt xanh đến lúc bật xanh. Số: chuyển tiếp trong phương án này; (số): hai nhóm không nối tiếp "
                 "trực tiếp trong phương án, lấy vàng và đỏ toàn phần của nút; n: cùng xanh, một bên nhường; "
                 "–: không xung đột."),
        ),
    )  # fmt: skip


def _pedestrians(intersection: Intersection, groups: Sequence[SignalGroup]) -> Table | None:
    walkers = [group for group in groups if group.crossing is not None]
    if not walkers:
        return None
    clearance = pedestrian_clearance(intersection)
    rows: list[tuple[Cell, ...]] = []
    for group in walkers:
        assert group.crossing is not None
        greens = group.greens(intersection.program)
        green = min((end - start for start, end in greens), default=None)
        clear = float(clearance[list(group.links)].max())
        needed = math.ceil(group.crossing.length / WALKING)
        short = green is None or green < WALK or clear + 1e-9 < needed
        rows.append((same(group.name), group.crossing.length, green, clear, WALK, float(needed),
                     Text("short", "thiếu") if short else Text("sufficient", "đủ")))  # fmt: skip
    return Table(
        Text("Pedestrian times (s)", "Thời gian cho người đi bộ (giây)"),
        (
            Column(Text("group", "nhóm")),
            Column(Text("length, m", "chiều dài, m")),
            Column(Text("green", "xanh")),
            Column(Text("clearance", "thời gian dọn")),
            Column(Text("green needed", "xanh cần có"), 1.2),
            Column(Text("clearance needed", "thời gian dọn cần có"), 1.6),
            Column(Text("result", "kết quả")),
        ),
        tuple(rows),
        (
            Text(f"Needed: {WALK:g} s of green to start, then the length at {WALKING:g} m/s (MUTCD 2009, 4E.06).",
                 f"Cần có: {WALK:g} s xanh để bước xuống, sau đó chiều dài chia cho {digits(WALKING).vi} m/s "
                 "(MUTCD 2009, 4E.06)."),
        ),
    )  # fmt: skip


def clock(time: float) -> str:
    """hh:mm of a time of day, s; hh:mm:ss where it is no whole minute."""
    whole = round(time % 86400)
    text = f"{whole // 3600:02d}:{whole // 60 % 60:02d}"
    return text if whole % 60 == 0 else f"{text}:{whole % 60:02d}"


def _day(source: PlanSource, timings: Sequence[Timing]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    switches = source.switches
    for k, switch in enumerate(switches):
        until = switches[(k + 1) % len(switches)].time
        timing = timings[switch.plan]
        rows.append((same(f"{clock(switch.time)}–{clock(until)}"), Text(f"plan {switch.plan + 1}",
                     f"phương án {switch.plan + 1}"), timing.cycle, timing.offset % timing.cycle))  # fmt: skip
    if not rows:
        rows.append((Text("not stated: to be filled in", "chưa quy định: điền tay"), Text("plan 1", "phương án 1"),
                     timings[0].cycle, timings[0].offset % timings[0].cycle))  # fmt: skip
    return Table(
        Text("Day plan", "Bảng kế hoạch theo khung giờ"),
        (
            Column(Text("hours", "khung giờ"), 2.0),
            Column(Text("plan", "phương án"), 1.2),
            Column(Text("cycle, s", "chu kỳ, s")),
            Column(Text("offset, s", "lệch pha, s")),
        ),
        tuple(rows),
        (Text("Days of the week, holidays and flashing hours are not part of the plan: fill them in by hand.",
              "Ngày trong tuần, ngày lễ và giờ nháy vàng không thuộc phương án: điền tay."),),
    )  # fmt: skip


def _notes(source: PlanSource, own: Intersection, planned: Sequence[Intersection]) -> tuple[Text, ...]:
    existing = existing_adjective(assumed_plan=source.scenario.plan_is_assumed)
    notes = [
        Text("Offset: start of green of stage 1. At clock time t (s since 00:00:00) the cycle stands at "
             "(t − offset) mod cycle.",
             "Lệch pha: lúc bắt đầu xanh của pha 1. Tại giờ t (giây tính từ 00:00:00), vị trí trong chu kỳ là "
             "(t − lệch pha) mod chu kỳ."),
    ]  # fmt: skip
    kept = [k + 1 for k, plan in enumerate(source.plans) if own.id not in plan.timings]
    if kept and any(plan.timings for plan in source.plans):
        notes.append(Text("The plan does not name this signal: it keeps its program (",
                          "Phương án không gồm nút này: giữ nguyên chương trình đèn (") + existing + ").")  # fmt: skip
    timing = planned[0].program
    changed = [stage.state for stage in timing.stages] != [stage.state for stage in own.program.stages]
    if changed:
        notes.append(
            Text(
                f"The stages differ from those of the {existing.en} plan: check lamps and conflict monitor.",
                f"Các pha khác với phương án {existing.vi}: kiểm tra mạch đèn và bộ giám sát xung đột.",
            )
        )
    if any(abs(seconds - round(seconds)) > 1e-9 for _, seconds in timing.steps()):
        notes.append(Text("Some times are no whole seconds.", "Có thời gian không phải số giây nguyên."))
    return tuple(notes)
