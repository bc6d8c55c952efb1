"""The recommendation of a comparison: one sentence that says what to do, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from denxanh.experiments.report.decision.names import controller_title, is_plan
from denxanh.experiments.results.references import CONVENTIONAL
from denxanh.experiments.results.summary import Decision, Group, decisions, jammed
from denxanh.experiments.statistics import Interval, PairedComparison, Runs, seeds_needed
from denxanh.experiments.statistics.wording import comma, decimals_for
from denxanh.experiments.statistics.wording import number as written
from denxanh.sim.errors import InputError
from denxanh.sim.language.text import Text, joined, number, unit

Advice = Literal["install", "conventional", "keep", "unproven"]
NOTHING = Text("", "")
NOT_PROVEN = Text("not proven", "chưa chứng minh được")
MOST_DAYS = 200
"""A difference that only more days than a year's working days could show is no reason to go on simulating."""


@dataclass(frozen=True)
class Gain:
    """The delay of the recommended controller against another one, s/veh over the seeds that both have.

    ``proven``: by the same decision as the verdict on the two. ``interval``: of the difference, after minus before; it
    leaves out zero exactly where the difference is proven.
    """

    reference: str
    before: float
    after: float
    proven: bool = True
    interval: Interval | None = None
    days: int = 0

    @property
    def percent(self) -> float:
        """The change in per cent of the delay before; below zero is a gain."""
        return 100 * (self.after - self.before) / self.before if self.before else 0.0

    @property
    def marked_percent(self) -> Text:
        """The change in per cent, with "?" where it is not proven."""
        return number(self.percent, 0, signed=True) + " %" + ("" if self.proven else " ?")

    def amount(self, reference: Text) -> Text:
        """How much less or more delay than the ``reference``, in words: "25 % less delay than …"."""
        less = self.after <= self.before
        share = number(abs(self.percent), 0) + " %"
        against = Text(f" {'less' if less else 'more'} delay than ", " so với ")
        return Text("", f"trễ {'ít' if less else 'nhiều'} hơn ") + share + against + reference

    @property
    def mark(self) -> Text:
        """What stands before the evidence of a gain that is not proven."""
        return NOTHING if self.proven else NOT_PROVEN + ": "

    def evidence(self) -> Text:
        """What the gain rests on: "−4.1 s/veh, 95 % interval −6.7…−1.5, 3 days"."""
        days = Text(f"{self.days} day{'' if self.days == 1 else 's'}", f"{self.days} ngày")
        places = 1 if self.interval is None else decimals_for(self.interval)
        amount = number(self.after - self.before, places, signed=True) + " " + unit("s/veh")
        if self.interval is None:
            return amount + ", " + days
        ends = f"{written(self.interval.low, places)}…{written(self.interval.high, places)}"
        return (
            amount
            + Text(", 95 % interval ", ", khoảng tin cậy 95 % ")
            + Text(ends, comma(ends))
            + ", "
            + days
        )


@dataclass(frozen=True)
class Recommendation:
    """What to do with the results of one place.

    ``candidate`` is the controller that the first screen shows, ``gains`` its delay against ``conventional``, if that
    ran, and then against the baseline.
    """

    advice: Advice
    candidate: str
    gains: tuple[Gain, ...]
    days: int  # pairs that the advice rests on
    assumed_plan: bool  # nobody has seen the place's own plan in the street
    days_needed: int | None = None  # in all, where more may prove it
    alternative: Gain | None = None  # of another controller with less delay than the candidate; not proven
    alternative_name: str = ""

    def title(self, label: str) -> Text:
        """The name of a controller of these results."""
        return controller_title(label, assumed_plan=self.assumed_plan)

    def sentence(self) -> Text:
        """What to do."""
        name = self.title(self.candidate)
        if self.advice == "unproven" and self.gains[0].percent > 0:
            return self._no_gain(name)
        amount = self._amounts()
        if self.advice in ("install", "conventional"):
            verb = (
                Text("Install ", "Cài đặt ")
                if is_plan(self.candidate)
                else Text("Operate the signals with ", "Vận hành đèn bằng ")
            )
            return verb + name + ": " + amount + "." + self._other()
        if self.advice == "keep":
            existing = self.title(self.gains[-1].reference)
            nothing = Text(
                ": nothing tried is better; the best of the others is ",
                ": không phương án nào tốt hơn; phương án kế tiếp là ",
            )
            return Text("Keep ", "Giữ ") + existing + nothing + name + " (" + amount + ")."
        return Text("Not proven: ", "Chưa chứng minh được: ") + name + ": " + amount + ". " + self._more()

    def _other(self) -> Text:
        """What may be better still."""
        if self.alternative is None:
            return Text("", "")
        share = number(-self.alternative.percent, 1) + " %"
        return (
            Text(" Not proven: ", " Chưa chứng minh được: ")
            + self.title(self.alternative_name)
            + Text(" with another ", " giảm thêm ")
            + share
            + Text(" less. ", ". ")
            + self._more()
        )

    def _amounts(self) -> Text:
        """Every gain with what it rests on; one that is not proven says so."""
        whole = self.advice == "unproven" and not any(
            gain.proven for gain in self.gains
        )  # its beginning says so
        parts = []
        for gain in self.gains:
            mark = NOTHING if whole else gain.mark
            if gain.proven and self.advice == "unproven":
                mark = Text("proven: ", "đã chứng minh được: ")
            evidence = (
                " (" + mark + gain.evidence() + ")" if gain is self.gains[0] or mark.en else Text("", "")
            )
            parts.append(gain.amount(self.title(gain.reference)) + evidence)
        return joined(parts, ", ")

    def _no_gain(self, name: Text) -> Text:
        """What is said of a controller with more delay than its first reference, proven or not."""
        gain, *others = self.gains
        said = Text("No gain seen: ", "Không thấy cải thiện: ") + name + ": "
        said += gain.amount(self.title(gain.reference))
        mark = Text("proven: ", "đã chứng minh được: ") if gain.proven else gain.mark
        said += " (" + mark + gain.evidence() + ")"
        for other in others:
            said += ", " + other.amount(self.title(other.reference))
            said += "" if other.proven else " (" + other.mark + other.evidence() + ")"
        if gain.proven:
            return said + "."
        return said + ". " + self._more(Text(" to prove the loss", " để chứng minh mức trễ thêm này"))

    def _more(self, purpose: Text = NOTHING) -> Text:
        if self.days < 2:
            return Text(
                "One day is no evidence: simulate at least two, better ten (--seeds 10).",
                "Một ngày chưa phải là bằng chứng: cần mô phỏng ít nhất hai, tốt hơn là mười ngày (--seeds 10).",
            )
        if self.days_needed is None:
            return Text(
                "The difference is too small to decide on.", "Chênh lệch quá nhỏ để dựa vào mà quyết định."
            )
        return Text(
            f"More days are needed{purpose.en}: about {self.days_needed} instead of {self.days} "
            f"(--seeds {self.days_needed}).",
            f"Cần thêm ngày mô phỏng{purpose.vi}: khoảng {self.days_needed} thay cho {self.days} "
            f"(--seeds {self.days_needed}).",
        )


def gain_over_baseline(group: Group, candidate: str) -> Gain | None:
    """The gain of a controller over the first of the group, by the decision of the verdicts; None without one."""
    baseline = next(iter(group.runs), "")
    found = [one for one in decisions(group) if (one.candidate, one.reference) == (candidate, baseline)]
    return _gain(found[0]) if found else None


def recommend(group: Group, *, assumed_plan: bool) -> Recommendation | None:
    """The recommendation for one place and demand; None where fewer than two controllers have a run in common.

    Controllers of which a signal fell back to its plan are left out. ``assumed_plan`` says that nobody has seen the
    place's own plan in the street.
    """
    runs = group.judged("delay_s")
    if len(runs) < 2:
        return None
    baseline = next(iter(group.runs))
    if baseline not in runs:
        return None
    reference = CONVENTIONAL if CONVENTIONAL in runs else baseline
    others = [
        name for name in runs if name not in (baseline, reference) and set(runs[name]) & set(runs[reference])
    ]
    decided = {(one.candidate, one.reference): one for one in decisions(group)}
    outcomes = {one.candidate: one.verdict.outcome for one in decided.values() if one.reference == reference}
    conventional = decided[reference, baseline].verdict.outcome if (reference, baseline) in decided else None
    flowing = {name: not any(jammed(row) for row in group.runs[name]) for name in runs}
    best = min(others, key=lambda name: _mean(runs[name], runs[reference]), default=None)
    if best is not None and outcomes.get(best) == "better" and (flowing[best] or not flowing[reference]):
        return _made("install", best, reference, baseline, decided, assumed_plan=assumed_plan)
    if conventional == "better" and (flowing[reference] or not flowing[baseline]):
        made = _made("conventional", reference, baseline, baseline, decided, assumed_plan=assumed_plan)
        if best is None or outcomes.get(best) not in ("not distinguishable", "one pair"):
            return made
        against = decided[best, reference].paired
        if against.difference >= 0:
            return made
        other = Gain(reference, against.baseline_mean, against.candidate_mean)
        return replace(made, alternative=other, alternative_name=best, days_needed=_days_needed(against))
    shown = best or (reference if reference != baseline else None)
    if shown is None or not set(runs[shown]) & set(runs[baseline]):
        return None
    against_all = [
        one.verdict.outcome for one in decided.values() if one.reference == baseline and one.candidate in runs
    ]
    if against_all and all(outcome in ("worse", "identical") for outcome in against_all):
        return _made("keep", shown, baseline, baseline, decided, assumed_plan=assumed_plan)
    return _made(
        "unproven",
        shown,
        reference if shown != reference else baseline,
        baseline,
        decided,
        assumed_plan=assumed_plan,
    )


def _made(
    advice: Advice,
    candidate: str,
    reference: str,
    baseline: str,
    decided: Mapping[tuple[str, str], Decision],
    *,
    assumed_plan: bool,
) -> Recommendation:
    gains = [
        _gain(decided[candidate, name])
        for name in dict.fromkeys((reference, baseline))
        if (candidate, name) in decided
    ]
    found = decided[candidate, gains[0].reference].paired
    return Recommendation(
        advice,
        candidate,
        tuple(gains),
        found.n,
        assumed_plan,
        _days_needed(found) if advice == "unproven" else None,
    )


def _gain(one: Decision) -> Gain:
    paired = one.paired
    return Gain(
        one.reference, paired.baseline_mean, paired.candidate_mean, one.proven, one.interval, paired.n
    )


def _days_needed(found: PairedComparison) -> int | None:
    """Days that would show a difference as large as the one seen; None where no reasonable number would."""
    if found.n < 2 or found.difference == 0 or found.constant:
        return None
    try:
        needed = seeds_needed(found.differences, found.difference).n
    except InputError:
        return None
    return max(needed, found.n + 1) if needed <= MOST_DAYS else None


def _mean(values: Runs, reference: Runs) -> float:
    shared: Sequence[float] = [value for key, value in values.items() if key in reference]
    return sum(shared) / len(shared)
