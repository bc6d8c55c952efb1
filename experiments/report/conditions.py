"""Under which conditions the runs of a comparison stand, for its report: events, rules, what plans were let off."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from denxanh.experiments.report.decision.names import vehicle_title
from denxanh.experiments.runs.run_row import RunRow
from denxanh.sim.language.text import Text, joined, number
from denxanh.sim.run.scheduled_events import FLASHING_RULE
from denxanh.sim.run.store import read_manifest

_EVENTS = {
    "detector-outage": "mất cảm biến",
    "closure": "đóng làn",
    "surge": "lưu lượng tăng đột biến",
    "rain": "mưa",
    "flashing": "đèn vàng nhấp nháy",
    "motorcade": "đoàn xe ưu tiên",
}
_WAIVERS = {
    "GG-cross": "hai luồng cắt nhau cùng được ưu tiên (G)",
    "GG-merge": "hai luồng nhập làn cùng được ưu tiên (G)",
    "gg-cross": "hai luồng cắt nhau cùng phải nhường (g)",
    "gg-merge": "hai luồng nhập làn cùng phải nhường (g)",
    "no-all-red": "không có thời gian đỏ toàn phần",
    "short-yellow": "vàng ngắn hơn ITE",
    "green-against-yellow": "xanh khi luồng xung đột còn vàng",
    "no-yellow-vehicle": "xe hết xanh không qua vàng",
    "no-yellow-crossing": "người đi bộ hết xanh không qua vàng",
}
OWN_DAYS = Text(
    "each seed has a day of its own, the same for all controllers: departures are drawn anew within quarters of an "
    "hour; ± and intervals are over days and drivers",
    "mỗi lần mô phỏng là một ngày riêng, như nhau cho mọi phương án: thời điểm khởi hành được lấy mẫu lại "
    "trong từng 15 phút; ± và khoảng tin cậy tính trên cả ngày và người lái",
)
SAME_DAY = Text(
    "all seeds have the same vehicles: ± and intervals are over drivers only, not over days",
    "mọi lần mô phỏng có cùng một lưu lượng: ± và khoảng tin cậy chỉ tính trên người lái, không tính trên ngày",
)
_RULES = {
    "min_green": "xanh tối thiểu",
    "max_green": "xanh tối đa",
    "max_red": "đỏ tối đa",
    "yellow": "vàng",
    "all_red": "đỏ toàn phần",
}


def conditions(rows: Sequence[RunRow]) -> tuple[Text, ...]:
    """What the runs of one place and demand level share, as their manifests say it."""
    found: dict[str, Mapping[str, Any]] = {}
    for row in rows:  # one run of each controller: the others of it had the same conditions
        if row.folder is None or row.controller in found:
            continue
        if (manifest := read_manifest(row.folder)) is not None:
            found[row.controller] = manifest
    events: dict[tuple[Any, ...], Mapping[str, Any]] = {}
    waived: dict[tuple[str, str], Mapping[str, Any]] = {}
    rules: dict[str, Any] = {}
    for said in found.values():
        events |= {
            (e["time_s"], e["kind"], e["detail"]): e for e in said["events"] if e["kind"] != "fallback"
        }
        waived |= {(w["rule"], w["intersection"]): w for w in said["waivers"]}
        rules |= said.get("safety", {})
    return (
        *_days(rows),
        *_vehicles(next(iter(found.values()), {})),
        *(_event(event) for _, event in sorted(events.items())),
        *(_rule(name, value) for name, value in rules.items()),
        *waived_rules([waiver for _, waiver in sorted(waived.items())]),
    )


_NAMED = 6  # types of vehicles that are named


def vehicle_counts(rows: Sequence[RunRow]) -> Text | None:
    """How many real vehicles of which type the first run with a folder has; None where it does not say."""
    folder = next((row.folder for row in rows if row.done and row.folder is not None), None)
    said = _vehicles(read_manifest(folder) or {}) if folder is not None else []
    return said[0] if said else None


def _vehicles(manifest: Mapping[str, Any]) -> list[Text]:
    """How many real vehicles of which type a run has, the most frequent first; nothing in older manifests."""
    by_type: Mapping[str, float] = manifest.get("vehicles_by_type", {})
    if not by_type:
        return []
    order = sorted(by_type, key=lambda kind: -by_type[kind])
    rest = sum(by_type[kind] for kind in order[_NAMED:])
    english = [f"{by_type[kind]:.0f} {vehicle_title(kind).en}" for kind in order[:_NAMED]]
    vietnamese = [f"{by_type[kind]:.0f} {vehicle_title(kind).vi}" for kind in order[:_NAMED]]
    if rest:
        english.append(f"{rest:.0f} others")
        vietnamese.append(f"{rest:.0f} xe khác")
    said = Text(
        f"vehicles of a run: {', '.join(english)}", f"số xe của một lần mô phỏng: {', '.join(vietnamese)}"
    )
    factors = sorted(manifest.get("represents", {}).items())
    if not factors:
        return [said]
    each = joined([number(factor, 2) + " " + vehicle_title(kind) for kind, factor in factors], ", ")
    return [
        said,
        Text(
            "all counts are real vehicles; one simulated vehicle stands for ",
            "mọi con số là xe thực; một xe trong mô phỏng đại diện cho ",
        )
        + each,
    ]


def _days(rows: Sequence[RunRow]) -> list[Text]:
    """Whether two seeds have the same vehicles, by the inputs of the first controller's runs; nothing for one seed."""
    folders = [row.folder for row in rows if row.folder is not None and row.controller == rows[0].controller][
        :2
    ]
    manifests = [manifest for folder in folders if (manifest := read_manifest(folder)) is not None]
    if len(manifests) < 2:
        return []
    first, second = (sorted(m.get("inputs_sha256", {}).values()) for m in manifests)
    return [SAME_DAY if first == second else OWN_DAYS]


def _event(event: Mapping[str, Any]) -> Text:
    begin, end, what = f"{event['time_s']:g}", f"{event['until_s']:g}", event["detail"]
    return Text(
        f"from {begin} s to {end} s: {what}",
        f"từ {begin} s đến {end} s: {_EVENTS.get(event['kind'], event['kind'])} ({what})",
    )


def _rule(name: str, value: Any) -> Text:
    shown = "ITE" if value == "ite" else f"{value:g} s"
    return Text(
        f"every signal that a controller drives keeps: {name.replace('_', ' ')} {shown}",
        f"mọi đèn do bộ điều khiển vận hành phải giữ: {_RULES.get(name, name)} {shown}",
    )


def waived_rules(waivers: Iterable[Mapping[str, Any]]) -> list[Text]:
    """A sentence on the rules that plans break themselves, from the waivers of manifests; none without any.

    It has the number of signals by rule, and an example: signal, plan and movement.
    """
    rules: dict[str, list[Mapping[str, Any]]] = {}
    for waiver in waivers:
        if waiver["rule"] != FLASHING_RULE:
            rules.setdefault(waiver["rule"], []).append(waiver)
    if not rules:
        return []
    english = ", ".join(
        f"{rule} at {len(same)} signal{'s' if len(same) > 1 else ''}{_example(same[0], 'plan', 'such as')}"
        for rule, same in rules.items()
    )
    vietnamese = ", ".join(
        f"{_WAIVERS.get(rule, rule)} ở {len(same)} đèn"
        + re.sub(r"(\d)\.(\d+ s\b)", r"\1,\2", _example(same[0], "phương án", "ví dụ"))
        for rule, same in rules.items()
    )
    return [
        Text(
            f"safety rules waived, since the plans themselves do so (docs/safety.md): {english}",
            f"các quy tắc an toàn được miễn, vì bản thân phương án tín hiệu đã như vậy (docs/safety.md): {vietnamese}",
        )
    ]


def _example(waiver: Mapping[str, Any], plan: str, word: str) -> str:
    if not waiver.get("example"):  # a manifest of an earlier version
        return ""
    return f" ({word} {waiver['intersection']}, {plan} {waiver['plan']!r}, {waiver['example']})"
