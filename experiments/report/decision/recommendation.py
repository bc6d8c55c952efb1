"""The recommendation of a comparison: one sentence that says what to do, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from denxanh.experiments.report.decision.names import controller_title, is_plan
from denxanh.experiments.results.references import CONVENTIONAL
from denxanh.experiments.results.summary import Group, jammed
from denxanh.experiments.statistics import (
    PairedComparison,
    Runs,
    compare_holm,
    compare_paired,
    seeds_needed,
    verdict,
    verdicts,
)
from denxanh.sim.errors import InputError
from denxanh.sim.language.text import Text, joined, number

Advice = Literal["install", "conventional", "keep", "unproven"]
MOST_DAYS = 200
"""A difference that only more days than a year's working days could show is no reason to go on simulating."""


@dataclass(frozen=True)
class Gain:
    """The delay of the recommended controller against another one, s/veh over the seeds that both have."""

    reference: str
    before: float
    after: float

    @property
    def percent(self) -> float:
        """The change in per cent of the delay before; below zero is a gain."""
        return 100 * (self.after - self.before) / self.before if self.before else 0.0


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
        amount = self._amounts()
        if self.advice in ("install", "conventional"):
            verb = (
                Text("Install ", "Cài đặt ")
                if is_plan(self.candidate)
                else Text("Operate the signals with ", "Vận hành đèn theo ")
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
        parts = []
        for gain in self.gains:
            less = gain.after <= gain.before
            share = number(abs(gain.percent), 0) + " %"
            against = Text(f" {'less' if less else 'more'} delay than ", " so với ")
            before = Text("", f"trễ {'ít' if less else 'nhiều'} hơn ")
            parts.append(before + share + against + self.title(gain.reference))
        return joined(parts, ", ")

    def _more(self) -> Text:
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
            f"More days are needed: about {self.days_needed} instead of {self.days} (--seeds {self.days_needed}).",
            f"Cần thêm ngày mô phỏng: khoảng {self.days_needed} thay cho {self.days} (--seeds {self.days_needed}).",
        )


def recommend(group: Group, *, assumed_plan: bool) -> Recommendation | None:
    """The recommendation for one place and demand; None where fewer than two controllers have a run in common.

    ``assumed_plan`` says that nobody has seen the place's own plan in the street.
    """
    runs = {name: values for name, values in group.values("delay_s").items() if values}
    if len(runs) < 2:
        return None
    baseline = next(iter(group.runs))
    if baseline not in runs:
        return None
    reference = CONVENTIONAL if CONVENTIONAL in runs else baseline
    others = [
        name for name in runs if name not in (baseline, reference) and set(runs[name]) & set(runs[reference])
    ]
    outcomes = _outcomes({reference: runs[reference], **{name: runs[name] for name in others}}, reference)
    conventional = (
        _outcomes({baseline: runs[baseline], reference: runs[reference]}, baseline).get(reference)
        if reference != baseline
        else None
    )
    flowing = {name: not any(jammed(row) for row in group.runs[name]) for name in runs}
    best = min(others, key=lambda name: _mean(runs[name], runs[reference]), default=None)
    if best is not None and outcomes.get(best) == "better" and (flowing[best] or not flowing[reference]):
        return _made("install", best, reference, baseline, runs, assumed_plan=assumed_plan)
    if conventional == "better" and (flowing[reference] or not flowing[baseline]):
        made = _made("conventional", reference, baseline, baseline, runs, assumed_plan=assumed_plan)
        if best is None or outcomes.get(best) not in ("not distinguishable", "one pair"):
            return made
        against = compare_paired(runs[best], runs[reference])
        if against.difference >= 0:
            return made
        other = Gain(reference, against.baseline_mean, against.candidate_mean)
        return replace(made, alternative=other, alternative_name=best, days_needed=_days_needed(against))
    shown = best or (reference if reference != baseline else None)
    if shown is None or not set(runs[shown]) & set(runs[baseline]):
        return None
    against_all = _outcomes(
        {baseline: runs[baseline], **{name: runs[name] for name in runs if name != baseline}}, baseline
    )
    if against_all and all(outcome in ("worse", "identical") for outcome in against_all.values()):
        return _made("keep", shown, baseline, baseline, runs, assumed_plan=assumed_plan)
    return _made(
        "unproven",
        shown,
        reference if shown != reference else baseline,
        baseline,
        runs,
        assumed_plan=assumed_plan,
    )


def _made(
    advice: Advice,
    candidate: str,
    reference: str,
    baseline: str,
    runs: dict[str, Runs],
    *,
    assumed_plan: bool,
) -> Recommendation:
    gains = []
    for name in dict.fromkeys((reference, baseline)):
        if name != candidate and set(runs[candidate]) & set(runs[name]):
            paired = compare_paired(runs[candidate], runs[name])
            gains.append(Gain(name, paired.baseline_mean, paired.candidate_mean))
    found = compare_paired(runs[candidate], runs[gains[0].reference])
    return Recommendation(
        advice,
        candidate,
        tuple(gains),
        found.n,
        assumed_plan,
        _days_needed(found) if advice == "unproven" else None,
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


def _outcomes(runs: dict[str, Runs], baseline: str) -> dict[str, str]:
    """The outcome of each controller against the baseline, after Holm where several are compared."""
    others = [name for name in runs if name != baseline]
    if not others:
        return {}
    shared = set.intersection(*(set(values) for values in runs.values()))
    if len(shared) < 2:
        return {
            name: verdict(
                compare_paired(runs[name], runs[baseline]), candidate=name, baseline=baseline
            ).outcome
            for name in others
            if set(runs[name]) & set(runs[baseline])
        }
    family = compare_holm(runs, baseline=baseline)
    return {
        contrast.candidate: one.outcome
        for contrast, one in zip(family.contrasts, verdicts(family), strict=True)
    }


def _mean(values: Runs, reference: Runs) -> float:
    shared: Sequence[float] = [value for key, value in values.items() if key in reference]
    return sum(shared) / len(shared)
