"""The verdict's sentences, word for word, and their roundings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denxanh.experiments.statistics import (
    Interval,
    Quantity,
    compare_dunnett,
    compare_holm,
    compare_paired,
    summarise_with_gridlock,
    verdict,
    verdicts,
)
from denxanh.experiments.statistics.wording import comma, decimals_for, number, p_text, three_digits
from denxanh.sim.errors import InputError

BASE = [42.0, 44.0, 41.0, 45.0, 43.0, 40.0, 46.0, 42.0, 43.0, 44.0]
LESS = [3.1, 4.4, 1.2, 5.5, 3.0, 2.1, 4.9, 2.6, 1.9, 3.3]
NOISE = [1.0, -1.2, 0.4, 0.3, -0.8, 0.2, 1.5, -0.6, -0.1, 0.3]


def runs(values, minus=None):
    minus = minus or [0.0] * len(values)
    return {(seed, 1.0): v - m for seed, (v, m) in enumerate(zip(values, minus, strict=True), 1)}


def said(ours, theirs, **more):
    return verdict(compare_paired(ours, theirs), candidate="max-pressure", baseline="program", **more)


def test_better():
    v = said(runs(BASE, LESS), runs(BASE))
    assert v.outcome == "better"
    assert (
        v.english
        == str(v)
        == (
            "max-pressure: 3.20 s/veh less delay than program "
            "(95 % interval 2.22…4.18, 10 pairs, p < 0.001): better."
        )
    )
    assert v.vietnamese == (
        "max-pressure: thời gian trễ thấp hơn program 3,20 s/xe "
        "(khoảng tin cậy 95 %: 2,22…4,18; 10 cặp; p < 0,001): tốt hơn."
    )


def test_worse_is_the_mirror():
    v = said(runs(BASE), runs(BASE, LESS))
    assert v.outcome == "worse"
    assert "3.20 s/veh more delay than program (95 % interval 2.22…4.18," in v.english
    assert v.vietnamese.endswith("kém hơn.")


def test_not_distinguishable():
    v = said(runs(BASE, NOISE), runs(BASE))
    assert v.outcome == "not distinguishable"
    assert v.english == (
        "max-pressure: not distinguishable from program, difference in delay −0.10 s/veh "
        "(95 % interval −0.68…0.48, 10 pairs, p = 0.71)."
    )
    assert v.vietnamese == (
        "max-pressure: chưa phân biệt được với program, chênh lệch thời gian trễ −0,10 s/xe "
        "(khoảng tin cậy 95 %: −0,68…0,48; 10 cặp; p = 0,71)."
    )


def test_more_is_better_for_what_one_wants_more_of():
    quantity = Quantity("throughput", "lưu lượng", "veh/h", "xe/h", less_is_better=False)
    assert said(runs(BASE, LESS), runs(BASE), quantity=quantity).outcome == "worse"
    walkers = Quantity("people on foot", "số người đi bộ", "", "lần", less="fewer", less_is_better=None)
    neither = said(runs(BASE, LESS), runs(BASE), quantity=walkers)
    assert neither.outcome == "different"
    assert "max-pressure: 3.20 fewer people on foot than program (" in neither.english
    stops = Quantity("stops", "số lần dừng", "1/veh", "lần/xe", less="fewer")
    assert "3.20 1/veh fewer stops than" in said(runs(BASE, LESS), runs(BASE), quantity=stops).english


def test_without_a_test():
    assert str(said(runs(BASE), runs(BASE))) == "max-pressure: delay identical to program in all 10 pairs."
    one = said(runs([3.0]), runs([3.5]))
    assert (one.outcome, str(one)) == (
        "one pair",
        "max-pressure: 0.500 s/veh less delay than program in the only pair: one pair is no evidence.",
    )
    fixed = said(runs([3.0, 4.0]), runs([3.5, 4.5]))
    assert str(fixed) == (
        "max-pressure: 0.500 s/veh less delay than program in both pairs, whatever the seed: better."
    )
    assert "giống hệt program trong cặp duy nhất" in said(runs([3.0]), runs([3.0])).vietnamese


def test_runs_left_out_are_told_in_the_right_number():
    ours = runs(BASE, LESS)
    assert str(said(ours, runs(BASE[:9]))).endswith("better. 1 run without partner left out.")
    assert str(said(ours, runs(BASE[:8]))).endswith("better. 2 runs without partner left out.")
    assert said(ours, runs(BASE[:8])).vietnamese.endswith("Không tính 2 lượt chạy không có cặp.")


def test_after_holm_the_adjusted_p_decides():
    # On its own 0.03, after six comparisons not: the sentence says by which rule.
    family = compare_holm({
        "program": runs(BASE), "a": runs(BASE, [m - 0.2 for m in NOISE]), "b": runs(BASE, LESS),
        "c": runs(BASE, [0.8, -0.1, 0.5, 0.9, -0.2, 0.3, 0.7, 0.2, -0.4, 0.6]),
    }, baseline="program")  # fmt: skip
    alone = verdict(family.contrasts[2].comparison, candidate="c", baseline="program")
    a, b, c = verdicts(family)
    assert (a.outcome, b.outcome) == ("not distinguishable", "better")
    assert "after Holm over 3 comparisons" in b.english
    assert "sau hiệu chỉnh Holm cho 3 phép so sánh" in b.vietnamese
    assert (alone.outcome, c.outcome) == ("better", "not distinguishable")


def test_a_pooled_family_says_so():
    samples = {"program": runs(BASE), "b": runs(BASE, LESS)}
    (blocked,) = verdicts(compare_dunnett(samples, baseline="program"))
    assert "simultaneous 95 % interval" in blocked.english
    assert "10 pairs, p < 0.001 by Dunnett, seeds as blocks" in blocked.english


def test_gridlock_is_told_with_medians():
    ours, theirs = runs(BASE, LESS), runs(BASE)
    jams = {
        "max-pressure": summarise_with_gridlock(ours, [(1, 1.0), (2, 1.0)]),
        "program": summarise_with_gridlock(theirs, []),
    }
    v = said(ours, theirs, gridlock=jams)
    assert v.english.endswith(
        "better. Gridlocked: max-pressure in 2/10 runs, program in 0/10 (medians 39.7 and 43.0 s/veh); "
        "the difference above mixes gridlocked and flowing runs."
    )
    assert "(trung vị 39,7 và 43,0 s/xe)" in v.vietnamese
    jams["max-pressure"] = summarise_with_gridlock(ours, [])
    assert "ridlock" not in str(said(ours, theirs, gridlock=jams))
    with pytest.raises(InputError, match="'program'"):
        said(ours, theirs, gridlock={"max-pressure": jams["max-pressure"]})


finite = st.floats(-1e4, 1e4).filter(lambda x: abs(x) > 1e-9)


@given(finite, finite)
def test_rounding_never_moves_an_end_onto_or_across_zero(one, other):
    low, high = sorted((one, other))
    decimals = decimals_for(Interval(low, high, 0.95, "t"))
    for end in (low, high):
        shown = float(number(end, decimals).replace("−", "-"))
        assert (shown > 0) == (end > 0)
        assert (shown < 0) == (end < 0)


@given(st.floats(0, 1))
def test_a_printed_p_is_on_its_side_of_five_per_cent(p):
    text = p_text(p, 0.05)
    if text != "p < 0.001" and abs(p - 0.05) > 1e-9:
        assert (float(text.removeprefix("p = ")) <= 0.05) == (p <= 0.05)


def test_numbers_as_sentences_need_them():
    assert [number(-0.04, 1), number(-3.2, 1), number(3.2, 1, signed=True)] == ["0.0", "−3.2", "+3.2"]
    assert [p_text(0.0004, 0.05), p_text(0.0496, 0.05), p_text(0.0504, 0.05), p_text(0.38, 0.05)] == [
        "p < 0.001", "p = 0.050", "p = 0.0504", "p = 0.38",
    ]  # fmt: skip
    assert [three_digits(v) for v in (0.0, 41.23, 1234.5, 0.01234)] == ["0", "41.2", "1234", "0.0123"]
    assert comma("3.5 s/xe. 10 cặp.") == "3,5 s/xe. 10 cặp."


def test_gridlocked_runs_alone_are_named():
    jams = {
        name: summarise_with_gridlock(runs(BASE), set(runs(BASE))) for name in ("max-pressure", "program")
    }
    text = str(said(runs(BASE, LESS), runs(BASE), gridlock=jams))
    assert "is between gridlocked runs" in text
    assert "mixes" not in text
