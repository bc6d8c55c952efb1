"""``gian_do_pha.csv``: plans as Vietnamese engineers keep them, a row for each signal, hours and variant.

Columns: ``ma_nut, khung_gio, phuong_an (hien_trang|de_xuat), chu_ky, offset, xanh_k, vang_k, do_k`` with k from 1 to 8;
offset is the start of green of stage 1, do_k the all-red after stage k. It holds no states: they are the stages of the
signal's existing plan. Written with ``;``, decimal comma and a byte-order mark, as spreadsheets in Vietnam expect it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from denxanh.experiments.formats.plan_source import PlanSwitch
from denxanh.experiments.formats.stage_times import StageTimes, retimed, stage_times
from denxanh.experiments.formats.table_text import TableRow, read_table, table_text
from denxanh.sim.errors import InputError
from denxanh.sim.network import Network
from denxanh.sim.plan import Plan, Timing
from denxanh.sim.text_values import did_you_mean

FILE = "gian_do_pha.csv"
MOST = 8  # stages of a row
ALL_DAY = "ca_ngay"
VARIANTS = ("de_xuat", "hien_trang")
_HOURS = re.compile(r"(\d{1,2})[:hH](\d{2})?\s*[-–]\s*(\d{1,2})[:hH](\d{2})?")


def phase_chart(network: Network, plans: Sequence[Plan], switches: Sequence[PlanSwitch]) -> str:
    """The text of the file: the existing plan and the given ones. Raises InputError for more stages than it holds."""
    heads = ["ma_nut", "khung_gio", "phuong_an", "chu_ky", "offset"]
    heads += [f"{name}_{k}" for k in range(1, MOST + 1) for name in ("xanh", "vang", "do")]
    rows: list[list[object]] = []
    for name, intersection in sorted(network.intersections.items()):
        rows.append([name, ALL_DAY, "hien_trang", *_times(name, intersection.program)])
        for number, plan in enumerate(plans):
            timing = plan.timings.get(name)
            if timing is None:
                continue
            times = _times(name, timing)
            rows += [[name, hours, "de_xuat", *times] for hours in _hours(number, switches)]
    return "\ufeff" + table_text(heads, rows, separator=";", comma=True)


def read_phase_chart(
    path: Path, network: Network, *, variant: str | None = None
) -> tuple[list[Plan], list[PlanSwitch], str]:
    """The plans of a file by hours, and the variant read: the proposed one where there is one. Raises InputError."""
    rows = read_table(
        path, kind="phase chart", required=("ma_nut", "khung_gio", "phuong_an", "chu_ky", "offset", "xanh_1")
    )
    for row in rows:
        if row.text("phuong_an").casefold() not in VARIANTS:
            raise InputError(
                f"phuong_an is {row.text('phuong_an')[:40]!r}",
                location=row.location,
                remedy="write hien_trang or de_xuat",
            )
    found = {row.text("phuong_an").casefold() for row in rows}
    chosen = variant or next((name for name in VARIANTS if name in found), VARIANTS[0])
    by_hours: dict[float | None, dict[str, Timing]] = {}
    for row in rows:
        if row.text("phuong_an").casefold() != chosen:
            continue
        name = row.text("ma_nut")
        if name not in network.intersections:
            raise InputError(
                f"there is no signal {name[:60]!r} in {network.name}",
                location=row.location,
                remedy=did_you_mean(name[:60], network.intersections),
            )
        plans = by_hours.setdefault(_begin(row), {})
        if name in plans:
            raise InputError(
                f"signal {name!r} has two rows for these hours", location=row.location, remedy="keep one"
            )
        plans[name] = _timing(row, network.intersections[name].program)
    if not by_hours:
        raise InputError(f"there is no row of {chosen}", location=str(path), remedy="add one")
    if None in by_hours and len(by_hours) > 1:
        raise InputError(
            f"some rows hold all day ({ALL_DAY}), others by hours",
            location=str(path),
            remedy="give hours in all rows, or in none",
        )
    note = f"{chosen} of {path.name}"
    times = sorted(by_hours, key=lambda time: time or 0.0)
    switches = [PlanSwitch(time, k) for k, time in enumerate(times) if time is not None]
    return [Plan(by_hours[time], note) for time in times], switches, chosen


def _times(name: str, timing: Timing) -> list[object]:
    times = stage_times(timing)
    if len(times) > MOST:
        raise InputError(
            f"signal {name!r} has {len(times)} stages, {FILE} holds {MOST}", remedy="use another format"
        )
    cells = [float(value) for row in times for value in (row.green, row.yellow, row.all_red)]
    blank: list[object] = [""] * (3 * (MOST - len(times)))
    return [float(timing.cycle), float(timing.offset % timing.cycle), *cells, *blank]


def _hours(number: int, switches: Sequence[PlanSwitch]) -> list[str]:
    if not switches:
        return [ALL_DAY]
    out = []
    for k, switch in enumerate(switches):
        if switch.plan == number:
            out.append("-".join(_clock(x.time) for x in (switch, switches[(k + 1) % len(switches)])))
    return out


def _clock(time: float) -> str:
    minutes, rest = divmod(round(time % 86400), 60)
    if rest:
        raise InputError(
            f"a plan begins at {time:g} s, which is no whole minute; {FILE} holds minutes",
            remedy="use another format",
        )
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _begin(row: TableRow) -> float | None:
    """The begin of the hours of a row, s; None for all day. Raises InputError."""
    text = row.text("khung_gio").strip()
    if text.casefold().replace(" ", "_") in ("", ALL_DAY, "cả_ngày"):
        return None
    found = _HOURS.fullmatch(text)
    if found is None or not (int(found[1]) < 24 and int(found[2] or 0) < 60):
        raise InputError(
            f"khung_gio is {text[:40]!r}", location=row.location, remedy=f"write 06:00-09:00 or {ALL_DAY}"
        )
    return int(found[1]) * 3600.0 + int(found[2] or 0) * 60.0


def _timing(row: TableRow, program: Timing) -> Timing:
    times = []
    for k in range(1, MOST + 1):
        if not row.text(f"xanh_{k}"):
            break
        times.append(
            StageTimes(
                row.number(f"xanh_{k}", least=0.0),
                row.number(f"vang_{k}", missing=0.0, least=0.0),
                row.number(f"do_{k}", missing=0.0, least=0.0),
            )
        )
    cycle = row.number("chu_ky", least=1.0)
    total = sum(t.green + t.yellow + t.all_red for t in times)
    if abs(total - cycle) > 0.05:
        raise InputError(
            f"chu_ky is {cycle:g} s, but xanh, vang and do add up to {total:g} s",
            location=row.location,
            remedy="correct one of them",
        )
    return retimed(program, times, row.number("offset"), location=row.location)
