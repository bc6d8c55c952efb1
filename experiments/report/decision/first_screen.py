"""The first screen of one place: the recommendation, three tiles, who loses, and the same in three lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from denxanh.experiments.report.decision.benefit import ASSUMPTIONS, Benefit, benefit, co2_text, money_text
from denxanh.experiments.report.decision.group_changes import (
    GroupChange,
    approach_changes,
    signal_delay,
    type_changes,
)
from denxanh.experiments.report.decision.recommendation import Recommendation, recommend
from denxanh.experiments.results.summary import Group
from denxanh.sim.language.text import Text, joined, number, unit
from denxanh.sim.network import Network
from denxanh.sim.timing.hcm_delay import level_of_service

MOST_LOSERS = 5


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
            f"worse at {self.approaches_worse} of {self.approaches_in_all} approaches",
            f"kém hơn ở {self.approaches_worse} trên {self.approaches_in_all} nhánh",
        )
        if worst:
            out += Text(" (at most ", " (nhiều nhất ") + number(worst[0].change, 1, signed=True) + " "
            out += unit("s/veh") + ": " + worst[0].name + ")"
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
        shares = joined([number(one.percent, 0, signed=True) + " %" for one in gains], " / ")
        after = (
            number(gains[0].after, 1)
            + " "
            + unit("s/veh")
            + " ("
            + self.recommendation.title(self.recommendation.candidate)
        )
        after += Text("): ", "): ") + shares + "; " + self.losers.sentence()
        return (
            Text("before: ", "trước: ") + before,
            Text("after:  ", "sau:   ") + after,
            Text("next:   ", "tiếp:  ") + self.sentence,
        )


def first_screen(
    group: Group, network: Network | None, *, assumed_plan: bool, cautions: Sequence[Text] = ()
) -> FirstScreen | None:
    """The first screen of a place, None where nothing can be compared.

    Losers are told against the existing plan, or, where that is assumed, against the conventional one if it ran.
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
    )
    benefits = [(one.reference, benefit(group.runs[one.reference], after)) for one in found.gains]
    known = [(reference, one) for reference, one in benefits if one is not None]

    def against(reference: str) -> Text:
        return Text("against ", "so với ") + found.title(reference)

    tiles = (_delay_tile(found, group, against), _hours_tile(known, against), _worth_tile(known, against))
    return FirstScreen(found, tuple(tile for tile in tiles if tile.lines), losers, tuple(cautions))


def _delay_tile(found: Recommendation, group: Group, against: Callable[[str], Text]) -> Tile:
    lines = [
        (
            number(one.before, 1) + " → " + number(one.after, 1) + " " + unit("s/veh")
            + " (" + number(one.percent, 0, signed=True) + " %)",
            against(one.reference),
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
                + against(found.gains[0].reference),
            )
        )
    return Tile(Text("Delay", "Thời gian trễ"), tuple(lines))


def _hours_tile(known: Sequence[tuple[str, Benefit]], against: Callable[[str], Text]) -> Tile:
    lines = []
    for reference, one in known:
        persons = one.person_hours is not None
        hours = one.person_hours if one.person_hours is not None else one.vehicle_hours
        amount = number(abs(hours), 0 if abs(hours) >= 10 else 1)
        amount += Text(" person-hours", " giờ-người") if persons else Text(" vehicle-hours", " giờ-xe")
        if hours < 0:
            amount = Text("", "mất thêm ") + amount + Text(" lost", "")
        lines.append((amount, against(reference)))
    return Tile(Text("Saved a day", "Tiết kiệm mỗi ngày"), tuple(lines))


def _worth_tile(known: Sequence[tuple[str, Benefit]], against: Callable[[str], Text]) -> Tile:
    lines = []
    for reference, one in known:
        parts = [part for part in (money_text(one), co2_text(one)) if part is not None]
        if parts:
            lines.append((parts[0], joined([*parts[1:], against(reference)])))
    return Tile(Text("Worth a year", "Giá trị mỗi năm"), tuple(lines))
