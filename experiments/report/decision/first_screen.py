"""The first screen of one place: the recommendation, three tiles, who loses, and the same in three lines."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from denxanh.experiments.report.decision.benefit import ASSUMPTIONS, Benefit, benefit, co2_text, money_text
from denxanh.experiments.report.decision.group_changes import (
    GroupChange,
    approach_changes,
    movement_changes,
    signal_delay,
    type_changes,
)
from denxanh.experiments.report.decision.recommendation import NOT_PROVEN, Gain, Recommendation, recommend
from denxanh.experiments.results.summary import Group
from denxanh.sim.language.text import Text, joined, number, unit
from denxanh.sim.network import Network
from denxanh.sim.timing.hcm_delay import level_of_service

MOST_LOSERS = 5
LEAST = 0.05  # s/veh: less is shown as +0.0


@dataclass(frozen=True)
class Tile:
    """One figure: its heading, and lines of a value with what it is compared with, the most important first."""

    heading: Text
    lines: tuple[tuple[Text, Text], ...]


@dataclass(frozen=True)
class Losers:
    """Who has more delay under the recommended controller than under ``before``."""

    before: str
    approaches: tuple[GroupChange, ...]  # at most MOST_LOSERS, the largest increase first
    types: tuple[GroupChange, ...]  # vehicle types and people on foot
    approaches_worse: int  # where that is proven, or seen in the only pair
    approaches_in_all: int
    movements: tuple[GroupChange, ...] = ()  # at most MOST_LOSERS, of approaches that do not lose as a whole

    @property
    def nobody(self) -> bool:
        """Whether no approach, movement or vehicle type is worse, as far as it is proven or seen in the only pair."""
        groups = (*self.movements, *self.types)
        return self.known and not self.approaches_worse and all(one.proven is False for one in groups)

    @property
    def known(self) -> bool:
        """Whether the runs have the tables to tell."""
        return self.approaches_in_all > 0

    def sentence(self) -> Text:
        """Who loses, in one clause."""
        if not self.known:
            return Text(
                "who loses cannot be told: the runs have no tables of movements",
                "không biết ai bị thiệt: kết quả không có bảng theo hướng đi",
            )
        worst = [one for one in self.approaches if one.proven is not False]
        out = Text(
            f"worse at {self.approaches_worse or 'none'} of {self.approaches_in_all} approaches",
            f"kém hơn ở {self.approaches_worse} trên {self.approaches_in_all} nhánh"
            if self.approaches_worse
            else f"không nhánh nào trong {self.approaches_in_all} nhánh kém hơn",
        )
        if worst:
            out += Text(" (at most ", " (nhiều nhất ") + number(worst[0].change, 1, signed=True) + " "
            out += unit("s/veh") + ": " + worst[0].name + ")"
        movements = [one for one in self.movements if one.proven is not False]
        if movements:
            out += Text(
                ", on single movements of others (at most ", ", một số hướng của nhánh khác (nhiều nhất "
            )
            out += (
                number(movements[0].change, 1, signed=True)
                + " "
                + unit("s/veh")
                + ": "
                + movements[0].name
                + ")"
            )
        types = [one.name for one in self.types if one.proven is not False]
        return out + (Text(", for ", ", với ") + joined(types, ", ") if types else "")


@dataclass(frozen=True)
class FirstScreen:
    """What a planner reads in twenty seconds."""

    recommendation: Recommendation
    tiles: tuple[Tile, ...]
    losers: Losers
    cautions: tuple[Text, ...]

    @property
    def sentence(self) -> Text:
        """What to do, and who loses by it."""
        return self.recommendation.sentence()

    @property
    def assumptions(self) -> Text:
        """The assumptions of hours, money and CO2."""
        return ASSUMPTIONS

    def three_lines(self) -> tuple[Text, Text, Text]:
        """Before, after with per cent and who loses, and what to do next."""
        gains = self.recommendation.gains
        before = joined(
            [
                number(one.before, 1)
                + " "
                + unit("s/veh")
                + " ("
                + self.recommendation.title(one.reference)
                + ")"
                for one in gains
            ],
            ", ",
        )
        shares = joined([one.marked_percent for one in gains], " / ")
        after = (
            number(gains[0].after, 1)
            + " "
            + unit("s/veh")
            + " ("
            + self.recommendation.title(self.recommendation.candidate)
        )
        after += "): " + shares + "; " + self.losers.sentence()
        return (
            Text("before: ", "trước: ") + before,
            Text("after:  ", "sau:   ") + after,
            Text("next:   ", "tiếp:  ") + self.sentence,
        )


def first_screen(
    group: Group,
    network: Network | None,
    *,
    assumed_plan: bool,
    cautions: Sequence[Text] = (),
    duration: float | None = None,
) -> FirstScreen | None:
    """The first screen of a place, None where nothing can be compared.

    ``duration`` is that of a simulated day, s: the tile of saved hours names it. Losers are told against the
    existing plan, or, where that is assumed, against the conventional one if it ran.
    """
    found = recommend(group, assumed_plan=assumed_plan)
    if found is None:
        return None
    after = group.runs[found.candidate]
    before = (found.gains[0] if assumed_plan else found.gains[-1]).reference
    worse = approach_changes(group.runs[before], after, network)
    losing = [one for one in worse if one.change > 0]
    losers = Losers(
        before,
        tuple(losing[:MOST_LOSERS]),
        tuple(one for one in type_changes(group.runs[before], after) if one.change > 0),
        sum(one.proven is not False for one in losing),
        len(worse),
        _losing_movements(losing, movement_changes(group.runs[before], after, network)),
    )
    benefits = [(one, benefit(group.runs[one.reference], after)) for one in found.gains]
    known = [(gain, one) for gain, one in benefits if one is not None]

    def against(gain: Gain) -> Text:
        doubt = Text("", "") if gain.proven else Text("; ?: ", "; ?: ") + NOT_PROVEN
        return Text("against ", "so với ") + found.title(gain.reference) + doubt

    tiles = (
        _delay_tile(found, group, against),
        _hours_tile(known, against, duration),
        _worth_tile(known, against),
    )
    return FirstScreen(found, tuple(tile for tile in tiles if tile.lines), losers, tuple(cautions))


def _losing_movements(
    losing: Sequence[GroupChange], by_approach: Mapping[str, Sequence[GroupChange]]
) -> tuple[GroupChange, ...]:
    """The movements with more delay on approaches that have no more, as far as a table with one decimal shows it."""
    told = {one.name.en for one in losing}
    found = [
        one for name, rows in by_approach.items() if name not in told for one in rows if one.change >= LEAST
    ]
    return tuple(sorted(found, key=lambda one: -one.change)[:MOST_LOSERS])


def _delay_tile(found: Recommendation, group: Group, against: Callable[[Gain], Text]) -> Tile:
    lines = [
        (
            number(one.before, 1) + " → " + number(one.after, 1) + " " + unit("s/veh")
            + " (" + one.marked_percent + ")",
            against(one) + " (" + one.evidence() + ")",
        )
        for one in found.gains
    ]  # fmt: skip
    before, after = (signal_delay(group.runs[name]) for name in (found.gains[0].reference, found.candidate))
    if before is not None and after is not None:
        letters = f"{level_of_service(before)} → {level_of_service(after)}"
        per_signal = number(before, 1) + " → " + number(after, 1) + " s; "
        lines.append(
            (
                Text("level of service ", "mức phục vụ ") + letters,
                Text("control delay per signal passed ", "trễ điều khiển mỗi lần qua đèn ")
                + per_signal
                + against(found.gains[0]),
            )
        )
    return Tile(Text("Delay", "Thời gian trễ"), tuple(lines))


def _hours_tile(
    known: Sequence[tuple[Gain, Benefit]], against: Callable[[Gain], Text], duration: float | None
) -> Tile:
    lines = []
    for gain, one in known:
        persons = one.person_hours is not None
        hours = one.person_hours if one.person_hours is not None else one.vehicle_hours
        amount = number(abs(hours), 0 if abs(hours) >= 10 else 1)
        amount += Text(" person-hours", " giờ-người") if persons else Text(" vehicle-hours", " giờ-xe")
        if hours < 0:
            amount = Text("", "mất thêm ") + amount + Text(" lost", "")
        lines.append((amount + _doubt(gain), against(gain)))
    heading = Text("Saved a day", "Tiết kiệm mỗi ngày")
    if duration is not None and lines:
        span = simulated_hours(duration)
        heading += Text(" (of ", " (chỉ tính ") + span + Text(" simulated)", " mô phỏng)")
    return Tile(heading, tuple(lines))


def simulated_hours(duration: float) -> Text:
    """The length of a simulated day in hours, or in minutes below one."""
    if duration < 3600:
        return number(duration / 60, 0) + Text(" min", " phút")
    hours = duration / 3600
    return number(hours, 0 if hours.is_integer() else 1) + Text(" h", " giờ")


def _doubt(gain: Gain) -> str:
    return "" if gain.proven else " ?"


def _worth_tile(known: Sequence[tuple[Gain, Benefit]], against: Callable[[Gain], Text]) -> Tile:
    lines = []
    for gain, one in known:
        parts = [part for part in (money_text(one), co2_text(one)) if part is not None]
        if parts:
            lines.append((parts[0] + _doubt(gain), joined([*parts[1:], against(gain)])))
    return Tile(Text("Worth a year", "Giá trị mỗi năm"), tuple(lines))
