"""The verdict: one comparison as a sentence, in English and Vietnamese."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from experiments.statistics.families import Contrast, Family
from experiments.statistics.gridlock import GridlockSummary
from experiments.statistics.intervals import Interval
from experiments.statistics.paired import PairedComparison
from experiments.statistics.wording import comma, decimals_for, number, p_text, plural, three_digits
from sim.errors import InputError

Outcome = Literal["better", "worse", "different", "not distinguishable", "identical", "one pair"]
Bilingual = tuple[str, str]  # English, Vietnamese


@dataclass(frozen=True, slots=True)
class Quantity:
    """What is compared, in both languages; ``less`` is "fewer" for what is counted.

    ``less_is_better`` is None where neither is: such a difference is told and not judged. A plain number has no unit.
    """

    english: str = "delay"
    vietnamese: str = "thời gian trễ"
    unit: str = "s/veh"
    unit_vietnamese: str = "s/xe"
    less: str = "less"
    less_is_better: bool | None = True

    def units(self) -> Bilingual:
        """The unit as it follows a number, its space before it."""
        return f" {self.unit}".rstrip(), f" {self.unit_vietnamese}".rstrip()


DELAY = Quantity()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What may be said of candidate and baseline, and the sentence that says it."""

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
) -> Verdict:
    """Verdict of one comparison on its own; for several, ``verdicts`` corrects for their number.

    ``gridlock`` by controller: if a run of either jammed, rates and medians are told after the difference.
    """
    words = _Words(candidate, baseline, quantity)
    said = words.pairs(comparison, comparison.p_value, ("", ""))
    return _join(said, words.left_out(comparison.pairs.unmatched), words.jams(gridlock))


def verdicts(
    family: Family,
    *,
    quantity: Quantity = DELAY,
    gridlock: Mapping[str, GridlockSummary] | None = None,
) -> tuple[Verdict, ...]:
    """Verdict of each contrast of a family, decided by its adjusted p.

    After Holm the sentence shows the pair's own interval; after Dunnett or Tukey the simultaneous one.
    ``gridlock`` by controller; InputError if one of the family is missing from it.
    """
    return tuple(_of_contrast(contrast, family, quantity, gridlock) for contrast in family.contrasts)


def _of_contrast(
    contrast: Contrast, family: Family, quantity: Quantity, gridlock: Mapping[str, GridlockSummary] | None
) -> Verdict:
    words = _Words(contrast.candidate, contrast.baseline, quantity)
    if contrast.comparison is not None:
        m = len(family.contrasts)
        rule = (f" after Holm over {m} comparisons", f" sau hiệu chỉnh Holm cho {m} phép so sánh")
        said = words.pairs(contrast.comparison, contrast.p_adjusted, rule if m > 1 else ("", ""))
        unmatched = contrast.comparison.pairs.unmatched
    else:
        rule = (f" by {family.method}, seeds as blocks", f" theo {family.method}, khối theo hạt giống")
        count = _pairs(contrast.n)
        if not family.blocked:
            runs = f"at least {plural(contrast.n, 'run')} each", f"mỗi bên ít nhất {contrast.n} lượt chạy"
            count = f"{runs[0]} and not paired", f"{runs[1]}, không ghép cặp"
            rule = (f" by {family.method}", f" theo {family.method}")
        joint = ("simultaneous ", "đồng thời ")
        said = words.tested(contrast.difference, contrast.interval, contrast.p_adjusted, count, rule, joint)
        unmatched = sum(name in (contrast.candidate, contrast.baseline) for name, _ in family.left_out)
    return _join(said, words.left_out(unmatched), words.jams(gridlock))


@dataclass(frozen=True, slots=True)
class _Words:
    """The sentences about one candidate and one baseline."""

    candidate: str
    baseline: str
    quantity: Quantity

    def pairs(self, comparison: PairedComparison, p: float | None, rule: Bilingual) -> Verdict:
        """Of paired runs, the cases without a test first."""
        q, n = self.quantity, comparison.n
        where = ("in both pairs" if n == 2 else f"in all {n} pairs", f"trong cả {n} cặp")
        if n == 1:
            where = ("in the only pair", "trong cặp duy nhất")
        if comparison.identical:
            return Verdict(
                "identical",
                f"{self.candidate}: {q.english} identical to {self.baseline} {where[0]}.",
                f"{self.candidate}: {q.vietnamese} giống hệt {self.baseline} {where[1]}.",
            )
        head = self.head(comparison.difference, three_digits(abs(comparison.difference)))
        if p is None or comparison.interval is None:
            return Verdict(
                "one pair",
                f"{head[0]} {where[0]}: one pair is no evidence.",
                f"{head[1]} {where[1]}: một cặp chưa phải là bằng chứng.",
            )
        if comparison.constant:
            outcome, judged = self.judged(comparison.difference)
            return Verdict(
                outcome,
                f"{head[0]} {where[0]}, whatever the seed: {judged[0]}.",
                f"{head[1]} {where[1]}, với mọi hạt giống: {judged[1]}.",
            )
        return self.tested(comparison.difference, comparison.interval, p, _pairs(n), rule)

    def tested(
        self,
        difference: float,
        interval: Interval,
        p: float,
        count: Bilingual,
        rule: Bilingual,
        joint: Bilingual = ("", ""),
    ) -> Verdict:
        """Of a difference with an interval and a p value; ``joint`` names an interval of a whole family."""
        q, alpha = self.quantity, 1 - interval.confidence
        decimals = decimals_for(interval)
        distinct = p <= alpha
        # "3.2 less" is followed by an interval of how much less, so that nobody need turn signs around.
        shown = interval.times(-1) if distinct and difference < 0 else interval
        ends = f"{number(shown.low, decimals)}…{number(shown.high, decimals)}"
        level = f"{100 * interval.confidence:g} %"
        brackets = (
            f"({joint[0]}{level} interval {ends}, {count[0]}, {p_text(p, alpha)}{rule[0]})",
            comma(f"(khoảng tin cậy {joint[1]}{level}: {ends}; {count[1]}; {p_text(p, alpha)}{rule[1]})"),
        )
        if distinct:
            head = self.head(difference, number(abs(difference), decimals))
            outcome, judged = self.judged(difference)
            return Verdict(
                outcome, f"{head[0]} {brackets[0]}: {judged[0]}.", f"{head[1]} {brackets[1]}: {judged[1]}."
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
        """Who has how much more or less than whom."""
        q, units = self.quantity, self.quantity.units()
        more = ("more", "cao hơn") if difference > 0 else (q.less, "thấp hơn")
        return (
            f"{self.candidate}: {amount}{units[0]} {more[0]} {q.english} than {self.baseline}",
            f"{self.candidate}: {q.vietnamese} {more[1]} {self.baseline} {comma(amount)}{units[1]}",
        )

    def judged(self, difference: float) -> tuple[Outcome, Bilingual]:
        """Better or worse, where one of the two is."""
        if self.quantity.less_is_better is None:
            return "different", ("different", "khác nhau")
        if (difference < 0) == self.quantity.less_is_better:
            return "better", ("better", "tốt hơn")
        return "worse", ("worse", "kém hơn")

    def left_out(self, n: int) -> Bilingual:
        """The runs that were not compared."""
        if not n:
            return "", ""
        return f"{plural(n, 'run')} without partner left out.", f"Không tính {n} lượt chạy không có cặp."

    def jams(self, gridlock: Mapping[str, GridlockSummary] | None) -> Bilingual:
        """Rates and medians, if a run of either jammed."""
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
                "the difference above is one between jams",
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


def _join(said: Verdict, *more: Bilingual) -> Verdict:
    english = " ".join(filter(None, (said.english, *(text for text, _ in more))))
    vietnamese = " ".join(filter(None, (said.vietnamese, *(text for _, text in more))))
    return Verdict(said.outcome, english, vietnamese)
