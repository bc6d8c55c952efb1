"""Under which conditions the runs of a comparison stand, for its report: events, rules, what plans were let off."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from denxanh.experiments.report import Text
from denxanh.experiments.runs.execution import read_manifest
from denxanh.experiments.runs.run_row import RunRow
from denxanh.sim.run.scheduled_events import FLASHING_RULE

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
        *(_event(event) for _, event in sorted(events.items())),
        *(_rule(name, value) for name, value in rules.items()),
        *waived_rules([waiver for _, waiver in sorted(waived.items())]),
    )


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
        f"{_WAIVERS.get(rule, rule)} ở {len(same)} đèn{_example(same[0], 'phương án', 'ví dụ')}"
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
