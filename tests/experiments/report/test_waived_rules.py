"""What plans were let off is said in both languages, the number of signals with each rule."""

from collections import Counter

import pytest

from denxanh.experiments.report.conditions import waived_rules


def test_without_a_rule_waived_nothing_is_said() -> None:
    assert waived_rules(Counter()) == []


@pytest.mark.parametrize(
    "rule",
    [
        *("GG-cross", "GG-merge", "gg-cross", "gg-merge", "short-yellow", "green-against-yellow"),
        *("no-yellow-vehicle", "no-yellow-crossing", "no-all-red"),
    ],
)  # those of sim/signals/permits.py
def test_every_rule_has_words_in_vietnamese(rule: str) -> None:
    (said,) = waived_rules(Counter({rule: 7, "other": 1}))
    assert f"{rule} at 7 signals, other at 1 signal" in said.en
    assert rule not in said.vi
    assert "ở 7 đèn" in said.vi
