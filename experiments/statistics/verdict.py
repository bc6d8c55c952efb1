"""The verdict: the result of one comparison as a sentence, in English and Vietnamese."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from denxanh.experiments.statistics.gridlock import GridlockSummary
from denxanh.experiments.statistics.intervals import Interval
from denxanh.experiments.statistics.multiple.families import Contrast, Family
from denxanh.experiments.statistics.paired import PairedComparison
from denxanh.experiments.statistics.wording import comma, decimals_for, number, p_text, plural, three_digits
from denxanh.sim.errors import InputError

Outcome = Literal["better", "worse", "different", "not distinguishable", "identical", "one pair", "fell back"]
Bilingual = tuple[str, str]  # English, Vietnamese


@dataclass(frozen=True, slots=True)
class Quantity:
    """The compared quantity in both languages; ``less`` is "fewer" for counts.

    ``less_is_better`` is None where neither is better: the verdict is then "different". A pure number has no unit.
    """

    english: str = "delay"
    vietnamese: str = "thời gian trễ"
    unit: str = "s/veh"
    unit_vietnamese: str = "s/xe"
    less: str = "less"
    less_is_better: bool | None = True

    def units(self) -> Bilingual:
        """The unit as it follows a number, with its leading space."""
        return f" {self.unit}".rstrip(), f" {self.unit_vietnamese}".rstrip()


DELAY = Quantity()


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of candidate against baseline, and its sentence in both languages."""

    outcome: Outcome
    english: str
    vietnamese: str

    def __str__(self) -> str:
        return self.english


def verdict(
    comparison: PairedComparison,
    *,
    candidate: str,
    baseline: str,
    quantity: Quantity = DELAY,
    gridlock: Mapping[str, GridlockSummary] | None = None,
    fallbacks: Mapping[str, Bilingual] | None = None,
) -> Verdict:
    """Verdict of a single comparison; for several use ``verdicts``, which corrects for their number.

    ``gridlock`` by controller: if a run of either gridlocked, rates and medians follow the difference. ``fallbacks`` by
    controller: a clause on the runs in which signals fell back to their plan; of those there is no verdict.
    """
    words = _Words(candidate, baseline, quantity)
    if (fallen := words.fallen(comparison.difference, fallbacks)) is not None:
        return fallen
    of_pairs = words.pairs(comparison, comparison.p_value, ("", ""))
    skewed = words.skewed(comparison.skewed)
    return _join(of_pairs, skewed, words.left_out(comparison.pairs.unmatched), words.gridlocks(gridlock))


def verdicts(
    family: Family,
    *,
    quantity: Quantity = DELAY,
    gridlock: Mapping[str, GridlockSummary] | None = None,
    fallbacks: Mapping[str, Bilingual] | None = None,
) -> tuple[Verdict, ...]:
    """Verdict of each contrast of a family, decided by its adjusted p.

    The interval of a sentence agrees with its decision: after Holm it is at the level of the pair's own step
    ("adjusted"), after Dunnett or Tukey the simultaneous one.
    ``gridlock`` by controller; InputError if one of the family is missing from it. ``fallbacks`` as in ``verdict``.
    """
    return tuple(
        _Words(contrast.candidate, contrast.baseline, quantity).fallen(contrast.difference, fallbacks)
        or _of_contrast(contrast, family, quantity, gridlock)
        for contrast in family.contrasts
    )


def _of_contrast(
    contrast: Contrast, family: Family, quantity: Quantity, gridlock: Mapping[str, GridlockSummary] | None
) -> Verdict:
    words = _Words(contrast.candidate, contrast.baseline, quantity)
    if contrast.comparison is not None:
        m = len(family.contrasts)
        rule = (f" after Holm over {m} comparisons", f" sau hiệu chỉnh Holm cho {m} phép so sánh")
        several = m > 1
        found = words.pairs(
            contrast.comparison,
            contrast.p_adjusted,
            rule if several else ("", ""),
            contrast.decisive,
            ("adjusted ", "đã hiệu chỉnh ") if several else ("", ""),
        )
        unmatched = contrast.comparison.pairs.unmatched
    else:
        rule = (f" by {family.method}, seeds as blocks", f" theo {family.method}, khối theo lần mô phỏng")
        count = _pairs(contrast.n)
        joint = ("simultaneous ", "đồng thời ")
        found = words.tested(contrast.difference, contrast.interval, contrast.p_adjusted, count, rule, joint)
        unmatched = sum(name in (contrast.candidate, contrast.baseline) for name, _ in family.left_out)
    skewed = words.skewed(contrast.comparison is not None and contrast.comparison.skewed)
    return _join(found, skewed, words.left_out(unmatched), words.gridlocks(gridlock))


@dataclass(frozen=True, slots=True)
class _Words:
    """The sentences about one candidate and one baseline."""

    candidate: str
    baseline: str
    quantity: Quantity

    def fallen(self, difference: float, fallbacks: Mapping[str, Bilingual] | None) -> Verdict | None:
        """No verdict, where runs of either are partly those of its plan, to which signals fell back."""
        clauses = [
            clause for name in (self.candidate, self.baseline) if (clause := (fallbacks or {}).get(name))
        ]
        if not clauses:
            return None
        q, units = self.quantity, self.quantity.units()
        amount = ("−" if difference < 0 else "+") + three_digits(abs(difference)) if difference else "0"
        return Verdict(
            "fell back",
            f"{self.candidate}: no verdict against {self.baseline}, since these runs are partly those of the plan: "
            f"{'; '.join(english for english, _ in clauses)}; difference in {q.english} {amount}{units[0]}.",
            f"{self.candidate}: không so sánh được với {self.baseline}, vì một phần các lượt chạy là của phương án cố "
            f"định: {'; '.join(vietnamese for _, vietnamese in clauses)}; chênh lệch {q.vietnamese} "
            f"{comma(amount)}{units[1]}.",
        )

    def pairs(
        self,
        comparison: PairedComparison,
        p: float | None,
        rule: Bilingual,
        interval: Interval | None = None,
        joint: Bilingual = ("", ""),
    ) -> Verdict:
        """Verdict of paired runs: identical, one pair, constant difference, or tested by ``interval``."""
        q, n = self.quantity, comparison.n
        pairs = ("in both pairs" if n == 2 else f"in all {n} pairs", f"trong cả {n} cặp")
        if n == 1:
            pairs = ("in the only pair", "trong cặp duy nhất")
        if comparison.identical:
            return Verdict(
                "identical",
                f"{self.candidate}: {q.english} identical to {self.baseline} {pairs[0]}.",
                f"{self.candidate}: {q.vietnamese} giống hệt {self.baseline} {pairs[1]}.",
            )
        head = self.head(comparison.difference, three_digits(abs(comparison.difference)))
        if p is None or comparison.interval is None:
            return Verdict(
                "one pair",
                f"{head[0]} {pairs[0]}: one pair is no evidence.",
                f"{head[1]} {pairs[1]}: một cặp chưa phải là bằng chứng.",
            )
        if comparison.constant:
            outcome, rating = self.rating(comparison.difference)
            return Verdict(
                outcome,
                f"{head[0]} {pairs[0]}, whatever the seed: {rating[0]}.",
                f"{head[1]} {pairs[1]}, với mọi lần mô phỏng: {rating[1]}.",
            )
        return self.tested(comparison.difference, interval or comparison.interval, p, _pairs(n), rule, joint)

    def tested(
        self,
        difference: float,
        interval: Interval,
        p: float,
        count: Bilingual,
        rule: Bilingual,
        joint: Bilingual = ("", ""),
    ) -> Verdict:
        """Verdict of a difference with interval and p value; ``joint`` marks a simultaneous interval."""
        q, alpha = self.quantity, 1 - interval.confidence
        decimals = decimals_for(interval)
        distinct = p <= alpha
        # after "3.2 less" the interval is of the reduction, so that its signs agree with the words
        shown = interval.times(-1) if distinct and difference < 0 else interval
        ends = f"{number(shown.low, decimals)}…{number(shown.high, decimals)}"
        level = f"{100 * interval.confidence:g} %"
        brackets = (
            f"({joint[0]}{level} interval {ends}, {count[0]}, {p_text(p, alpha)}{rule[0]})",
            comma(f"(khoảng tin cậy {joint[1]}{level}: {ends}; {count[1]}; {p_text(p, alpha)}{rule[1]})"),
        )
        if distinct:
            head = self.head(difference, number(abs(difference), decimals))
            outcome, rating = self.rating(difference)
            return Verdict(
                outcome, f"{head[0]} {brackets[0]}: {rating[0]}.", f"{head[1]} {brackets[1]}: {rating[1]}."
            )
        amount, units = number(difference, decimals, signed=True), q.units()
        return Verdict(
            "not distinguishable",
            f"{self.candidate}: not distinguishable from {self.baseline}, "
            f"difference in {q.english} {amount}{units[0]} {brackets[0]}.",
            f"{self.candidate}: chưa phân biệt được với {self.baseline}, "
            f"chênh lệch {q.vietnamese} {comma(amount)}{units[1]} {brackets[1]}.",
        )

    def head(self, difference: float, amount: str) -> Bilingual:
        """The first clause: how much more or less the candidate has than the baseline."""
        q, units = self.quantity, self.quantity.units()
        more = ("more", "cao hơn") if difference > 0 else (q.less, "thấp hơn")
        return (
            f"{self.candidate}: {amount}{units[0]} {more[0]} {q.english} than {self.baseline}",
            f"{self.candidate}: {q.vietnamese} {more[1]} {self.baseline} {comma(amount)}{units[1]}",
        )

    def rating(self, difference: float) -> tuple[Outcome, Bilingual]:
        """The outcome of a significant difference and its word."""
        if self.quantity.less_is_better is None:
            return "different", ("different", "khác nhau")
        if (difference < 0) == self.quantity.less_is_better:
            return "better", ("better", "tốt hơn")
        return "worse", ("worse", "kém hơn")

    def skewed(self, skewed: bool | None) -> Bilingual:
        """The sentence on differences so skewed that the interval is too narrow (docs/statistics.md)."""
        if not skewed:
            return "", ""
        return (
            "The differences are skewed: the interval covers less than it says; run more seeds.",
            "Các chênh lệch bị lệch về một phía: khoảng tin cậy hẹp hơn thực tế; cần thêm lần mô phỏng.",
        )

    def left_out(self, n: int) -> Bilingual:
        """The sentence on runs that were not compared."""
        if not n:
            return "", ""
        return f"{plural(n, 'run')} without partner left out.", f"Không tính {n} lượt chạy không có cặp."

    def gridlocks(self, gridlock: Mapping[str, GridlockSummary] | None) -> Bilingual:
        """Gridlock rates and medians, if a run of either gridlocked."""
        if gridlock is None:
            return "", ""
        for name in (self.candidate, self.baseline):
            if name not in gridlock:
                raise InputError(f"there is no gridlock summary of '{name}'")
        both = gridlock[self.candidate], gridlock[self.baseline]
        if not any(summary.gridlocked for summary in both):
            return "", ""
        ours, theirs = (f"{summary.rate.gridlocked}/{summary.rate.n}" for summary in both)
        units = self.quantity.units()
        mixed = (
            "the difference above mixes gridlocked and flowing runs",
            "chênh lệch ở trên gộp cả lượt kẹt cứng lẫn lượt thông suốt",
        )
        if all(summary.rate.gridlocked == summary.rate.n for summary in both):
            mixed = (
                "the difference above is between gridlocked runs",
                "chênh lệch ở trên là giữa các lượt kẹt cứng",
            )
        medians = [three_digits(summary.median) for summary in both]
        return (
            f"Gridlocked: {self.candidate} in {ours} runs, {self.baseline} in {theirs} "
            f"(medians {medians[0]} and {medians[1]}{units[0]}); "
            f"{mixed[0]}.",
            f"Kẹt cứng: {self.candidate} {ours} lượt chạy, {self.baseline} {theirs} "
            f"(trung vị {comma(medians[0])} và {comma(medians[1])}{units[1]}); "
            f"{mixed[1]}.",
        )


def _pairs(n: int) -> Bilingual:
    return plural(n, "pair"), f"{n} cặp"


def _join(first: Verdict, *more: Bilingual) -> Verdict:
    english = " ".join(filter(None, (first.english, *(text for text, _ in more))))
    vietnamese = " ".join(filter(None, (first.vietnamese, *(text for _, text in more))))
    return Verdict(first.outcome, english, vietnamese)
