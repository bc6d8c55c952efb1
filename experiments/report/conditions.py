"""Under which conditions the runs of a comparison stand, for its report: events, rules, what plans were let off."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
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
    waived: set[tuple[str, str]] = set()
    rules: dict[str, Any] = {}
    for said in found.values():
        events |= {
            (e["time_s"], e["kind"], e["detail"]): e for e in said["events"] if e["kind"] != "fallback"
        }
        waived |= {(w["intersection"], w["rule"]) for w in said["waivers"] if w["rule"] != FLASHING_RULE}
        rules |= said.get("safety", {})
    return (
        *(_event(event) for _, event in sorted(events.items())),
        *(_rule(name, value) for name, value in rules.items()),
        *waived_rules(Counter(rule for _, rule in sorted(waived))),
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


def waived_rules(counts: Counter[str]) -> list[Text]:
    """A sentence on the rules that plans break themselves, from the number of signals by rule; none without any."""
    if not counts:
        return []
    english = ", ".join(f"{rule} at {n} signal{'s' if n > 1 else ''}" for rule, n in counts.items())
    vietnamese = ", ".join(f"{_WAIVERS.get(rule, rule)} ở {n} đèn" for rule, n in counts.items())
    return [
        Text(
            f"safety rules waived, since the plans themselves do so (docs/safety.md): {english}",
            f"các quy tắc an toàn được miễn, vì bản thân phương án tín hiệu đã như vậy (docs/safety.md): {vietnamese}",
        )
    ]
