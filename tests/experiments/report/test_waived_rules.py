"""What plans were let off is said in both languages, the number of signals with each rule."""

import pytest

from denxanh.experiments.report.conditions import waived_rules


def waiver(rule: str, number: int = 0) -> dict[str, object]:
    return {
        "intersection": f"J{number}",
        "rule": rule,
        "plan": "day",
        "example": "WC>CE [7]",
        "what": "…",
        "count": 1,
    }


def test_without_a_rule_waived_nothing_is_said() -> None:
    assert waived_rules([]) == []


@pytest.mark.parametrize(
    "rule",
    [
        *("GG-cross", "GG-merge", "gg-cross", "gg-merge", "short-yellow", "green-against-yellow"),
        *("no-yellow-vehicle", "no-yellow-crossing", "no-all-red"),
    ],
)  # those of sim/signals/waivers.py
def test_every_rule_has_words_in_vietnamese(rule: str) -> None:
    (said,) = waived_rules([*(waiver(rule, number) for number in range(7)), waiver("other")])
    assert f"{rule} at 7 signals (such as J0, plan 'day', WC>CE [7]), other at 1 signal (" in said.en
    assert rule not in said.vi
    assert "ở 7 đèn (ví dụ J0, phương án 'day', WC>CE [7])" in said.vi
