"""What a gain is worth: person-hours a day, money and CO2 a year, with the assumptions that the page states.

A day counts the simulated hours once: no gain is assumed for an hour that was not simulated. A year has 250 such days.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from denxanh.experiments.report.decision.group_changes import persons
from denxanh.experiments.runs.run_row import RunRow
from denxanh.sim.language.text import Text, number

WORKING_DAYS = 250
"""A year's weekdays, 261, less the 11 public holidays of the Labour Code 2019, article 112."""
VALUES_OF_TIME = (25_000, 35_000, 60_000)
"""Low, middle and high value of a person's hour, VND, the same for all modes.

No Vietnamese guidance fixes one. Within the range lie what people in TP.HCM would pay for an hour saved by metro
(36 360; Nguyen & Nguyen, Journal of Economics and Development 24(3), 2017) and the mean income of 2023 (31 300 to
33 000; General Statistics Office, 208 h a month); the low end is near the minimum wage of region I (23 800; Decree
74/2024).
"""
ASSUMPTIONS = Text(
    f"A day counts only the simulated hours, once; a year is {WORKING_DAYS} working days. Value of an hour: "
    f"{VALUES_OF_TIME[1] / 1000:.0f} 000 VND per person, {VALUES_OF_TIME[0] / 1000:.0f} 000 to "
    f"{VALUES_OF_TIME[2] / 1000:.0f} 000 in brackets (willingness to pay in TP.HCM 2017, incomes of 2023, minimum wage "
    "of 2024; no official value exists). CO2 by SUMO's emission model.",
    f"Một ngày chỉ tính các giờ đã mô phỏng, một lần; một năm tính {WORKING_DAYS} ngày làm việc. Giá trị một giờ: "
    f"{VALUES_OF_TIME[1] / 1000:.0f} 000 đ/người, trong ngoặc: {VALUES_OF_TIME[0] / 1000:.0f} 000 đến "
    f"{VALUES_OF_TIME[2] / 1000:.0f} 000 (mức sẵn lòng chi trả ở TP.HCM 2017, thu nhập 2023, lương tối thiểu 2024; "
    "chưa có giá trị chính thức). CO2 theo mô hình phát thải của SUMO.",
)


@dataclass(frozen=True)
class Benefit:
    """Savings of one controller against another; below zero where it costs. None where the runs do not tell."""

    person_hours: float | None  # a day
    vehicle_hours: float  # a day
    co2_t: float | None  # a year

    @property
    def money(self) -> tuple[float, float, float] | None:
        """Million VND a year with the low, middle and high value of time."""
        if self.person_hours is None:
            return None
        low, middle, high = (self.person_hours * WORKING_DAYS * value / 1e6 for value in VALUES_OF_TIME)
        return low, middle, high


def benefit(before: Sequence[RunRow], after: Sequence[RunRow]) -> Benefit | None:
    """The mean saving over the seeds that both have; None without one."""
    ours = {row.seed: row for row in after}
    pairs = [(row, ours[row.seed]) for row in before if row.seed in ours]
    if not pairs:
        return None
    aboard = [(persons(one), persons(other)) for one, other in pairs]
    hours = _saving(pairs, "delay_person_s", aboard) if all(min(pair) > 0 for pair in aboard) else None
    vehicles = [(_value(one, "loaded"), _value(other, "loaded")) for one, other in pairs]
    co2 = [(row.metrics.get("co2_kg"), other.metrics.get("co2_kg")) for row, other in pairs]
    known = [(a, b) for a, b in co2 if a is not None and b is not None]
    tonnes = None
    if len(known) == len(pairs):
        tonnes = float(np.mean([a - b for a, b in known])) * WORKING_DAYS / 1000
    return Benefit(hours, _saving(pairs, "delay_s", vehicles) or 0.0, tonnes)


def _saving(
    pairs: Sequence[tuple[RunRow, RunRow]], metric: str, numbers: Sequence[tuple[float, float]]
) -> float | None:
    """Hours a run: the mean of the metric (s each) times its number, before minus after."""
    saved = []
    for (one, other), (n, m) in zip(pairs, numbers, strict=True):
        if one.metrics.get(metric) is None or other.metrics.get(metric) is None:
            return None
        saved.append(_value(one, metric) * n - _value(other, metric) * m)
    return float(np.mean(saved)) / 3600


def _value(row: RunRow, metric: str) -> float:
    values: Mapping[str, float | int | None] = row.metrics
    return float(values.get(metric) or 0.0)


def money_text(found: Benefit) -> Text | None:
    """Million or billion VND a year with its range; a loss is called so."""
    if found.money is None:
        return None
    low, middle, high = map(abs, found.money)
    if middle < 1000:
        unit = Text(" million VND", " triệu đồng")
    else:
        low, middle, high = low / 1000, middle / 1000, high / 1000
        unit = Text(" billion VND", " tỉ đồng")
    places = 0 if middle >= 100 else 1
    amount = number(middle, places) + unit
    if found.money[1] < 0:
        amount = Text("", "thiệt ") + amount + Text(" lost", "")
    return amount + " (" + number(low, places) + "…" + number(high, places) + ")"


def co2_text(found: Benefit) -> Text | None:
    """Whether CO2 falls or rises, and by how many tonnes a year."""
    if found.co2_t is None:
        return None
    amount = number(abs(found.co2_t), 0 if abs(found.co2_t) >= 10 else 1)
    if float(amount.en.replace("\u202f", "")) == 0:
        return Text("CO2 unchanged", "CO2 không đổi")
    if found.co2_t > 0:
        return Text("", "giảm ") + amount + Text(" t less CO2", " tấn CO2")
    return Text("", "tăng ") + amount + Text(" t more CO2", " tấn CO2")
