"""Summary of runs: mean, interval, paired difference to the baseline and verdict, for each metric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from denxanh.experiments.results.gains import Gain, gains_of
from denxanh.experiments.results.measured_window import unfinished_share
from denxanh.experiments.results.references import CONVENTIONAL
from denxanh.experiments.results.summary_row import SummaryRow
from denxanh.experiments.runs.fallbacks import fallback_causes
from denxanh.experiments.runs.run_row import RunRow, place_label
from denxanh.experiments.statistics import (
    GridlockSummary,
    Interval,
    PairedComparison,
    Quantity,
    Runs,
    Verdict,
    compare_holm,
    compare_paired,
    is_gridlocked,
    summarise,
    summarise_with_gridlock,
    verdict,
    verdicts,
)
from denxanh.sim.language.text import Text, unit
from denxanh.sim.metrics import METRICS, Metric


@dataclass(frozen=True)
class Group:
    """The done runs of one place at one demand level, by controller in order of appearance."""

    place: str
    demand: float
    runs: Mapping[str, Sequence[RunRow]]

    def values(self, metric: str) -> dict[str, Runs]:
        """The metric by controller and (seed, demand); runs without it are left out."""
        return {
            controller: {
                (row.seed, row.demand): float(value)
                for row in rows
                if (value := row.metrics.get(metric)) is not None
            }
            for controller, rows in self.runs.items()
        }

    @cached_property
    def fallbacks(self) -> dict[str, tuple[str, str]]:
        """By controller a clause, in both languages, on its runs in which signals fell back to their plan."""
        found = fallback_causes([row for rows in self.runs.values() for row in rows])
        return {name: (clause.en, clause.vi) for name, clause in found.items()}

    def judged(self, metric: str) -> dict[str, Runs]:
        """The values of the controllers that can be judged: of those that have some, and never fell back."""
        values = self.values(metric)
        return {name: runs for name, runs in values.items() if runs and name not in self.fallbacks}


def groups(rows: Sequence[RunRow]) -> list[Group]:
    """Runs by place and demand."""
    found: dict[tuple[str, float], dict[str, list[RunRow]]] = {}
    for row in rows:
        by_controller = found.setdefault((row.place, row.demand), {})
        by_controller.setdefault(row.controller, [])
        if row.done:
            by_controller[row.controller].append(row)
    return [Group(place, demand, runs) for (place, demand), runs in found.items()]


def summarise_rows(rows: Sequence[RunRow]) -> list[SummaryRow]:
    """A row for every metric of every controller; the first controller of a group is its baseline."""
    return [row for group in groups(rows) for metric in METRICS for row in _rows(group, metric)]


def gains(rows: Sequence[RunRow], metric: str = "delay_s") -> list[Gain]:
    """The gains of all controllers in one metric, by place and demand; those over the conventional plan first."""
    chosen = next(known for known in METRICS if known.name == metric)
    return [
        gain
        for group in groups(rows)
        for gain in gains_of(
            group.place,
            group.demand,
            chosen,
            group.judged(metric),
        )
    ]


def headline(rows: Sequence[RunRow]) -> list[tuple[str, str]]:
    """The verdicts on delay of every group, in English and Vietnamese, each with its place if there are several."""
    found = groups(rows)
    out = []
    for group in found:
        where = "" if len(found) == 1 else f"{place_label(group.place, group.demand)}: "
        out += [(where + english, where + vietnamese) for english, vietnamese in group_verdicts(group)]
    return out


@dataclass(frozen=True)
class Decision:
    """The comparison of two controllers on delay that every sentence about them rests on."""

    candidate: str
    reference: str
    paired: PairedComparison
    verdict: Verdict
    interval: (
        Interval | None
    )  # of the difference, s/veh: it leaves out zero exactly where the difference is proven

    @property
    def proven(self) -> bool:
        """Whether the runs prove a difference, after Holm over the candidates of the family, or that there is none."""
        return self.verdict.outcome not in ("not distinguishable", "one pair", "fell back")


def decisions(group: Group) -> list[Decision]:
    """Every controller on delay, Holm-corrected: against ``conventional``, then against the baseline.

    The gain over a plan that an engineer would have set comes first: the existing plan may be assumed, or a weak one.
    """
    runs = {name: values for name, values in group.values("delay_s").items() if values}
    if len(runs) < 2:
        return []
    baseline = next(iter(runs))
    references = [name for name in runs if name == CONVENTIONAL and name != baseline]
    out = _decisions_against(group, runs, baseline)
    for reference in references:
        rest = {name: values for name, values in runs.items() if name != baseline}
        if len(rest) > 1:
            out = _decisions_against(group, rest, reference) + out
    return out


def group_verdicts(group: Group) -> list[tuple[str, str]]:
    """The sentences of ``decisions`` in English and Vietnamese."""
    return [(one.verdict.english, one.verdict.vietnamese) for one in decisions(group)]


def _decisions_against(group: Group, runs: dict[str, Runs], baseline: str) -> list[Decision]:
    shared = set.intersection(*(set(values) for values in runs.values()))
    if len(shared) < 2:
        alone = [
            (name, compare_paired(runs[name], runs[baseline]))
            for name in runs
            if name != baseline and set(runs[name]) & set(runs[baseline])
        ]
        return [
            Decision(
                name,
                baseline,
                paired,
                verdict(paired, candidate=name, baseline=baseline, fallbacks=group.fallbacks),
                paired.interval,
            )
            for name, paired in alone
        ]
    family = compare_holm(runs, baseline=baseline)
    judged = verdicts(family, gridlock=gridlock(group), fallbacks=group.fallbacks)
    return [
        Decision(one.candidate, baseline, one.comparison, said, one.decisive)
        for one, said in zip(family.contrasts, judged, strict=True)
        if one.comparison is not None
    ]


def _rows(group: Group, metric: Metric) -> list[SummaryRow]:
    runs = group.values(metric.name)
    baseline = next(iter(runs))
    unfinished = {
        name: max((unfinished_share(row.metrics) for row in rows), default=0.0)
        for name, rows in group.runs.items()
    }
    found = gains_of(group.place, group.demand, metric, group.judged(metric.name))
    gained = {(gain.controller, gain.over_conventional): gain for gain in found}
    out = []
    for controller, values in runs.items():
        if not values:
            continue
        summary = summarise(list(values.values()))
        difference, ends, said = None, None, ("baseline", "mốc so sánh")
        if controller != baseline:
            said = ("no seed in common with the baseline", "không có lần mô phỏng chung với mốc so sánh")
            if set(values) & set(runs[baseline]):
                paired = compare_paired(values, runs[baseline])
                words = verdict(
                    paired,
                    candidate=controller,
                    baseline=baseline,
                    quantity=quantity(metric.name),
                    fallbacks=None if metric.name == "fallbacks" else group.fallbacks,
                )
                difference, ends, said = paired.difference, paired.interval, (words.english, words.vietnamese)
        out.append(
            SummaryRow(
                place=group.place,
                controller=controller,
                metric=metric.name,
                mean=summary.mean,
                ci_low=summary.interval.low if summary.interval else None,
                ci_high=summary.interval.high if summary.interval else None,
                n=summary.n,
                diff=difference,
                diff_ci_low=ends.low if ends else None,
                diff_ci_high=ends.high if ends else None,
                verdict=Text(*said),
                demand=group.demand,
                over_conventional=gained.get((controller, True)),
                over_existing=gained.get((controller, False)),
                unfinished=unfinished[controller],
            )
        )
    return out


def quantity(name: str) -> Quantity:
    """The words for a metric in a verdict; abbreviations keep their capitals."""
    metric = next(metric for metric in METRICS if metric.name == name)
    return Quantity(
        english=metric.title[0].lower() + metric.title[1:] if metric.title[1:2].islower() else metric.title,
        vietnamese=metric.title_vi[0].lower() + metric.title_vi[1:]
        if metric.title_vi[1:2].islower()
        else metric.title_vi,
        unit=unit(metric.unit).en,
        unit_vietnamese=unit(metric.unit).vi,
        less="fewer" if metric.unit in ("1", "veh", "1/veh") and "queue" not in name else "less",
        less_is_better=metric.less_is_better,
    )


def gridlock(group: Group) -> dict[str, GridlockSummary]:
    """Delay of each controller's runs with the rate of gridlock."""
    out = {}
    for name, rows in group.runs.items():
        if rows:
            delays: Runs = {(row.seed, row.demand): float(row.metrics["delay_s"] or 0.0) for row in rows}
            out[name] = summarise_with_gridlock(delays, {(r.seed, r.demand) for r in rows if jammed(r)})
    return out


def jammed(row: RunRow) -> bool:
    """Whether a run counts as gridlocked (see denxanh.experiments.statistics.GridlockLimits)."""
    m = row.metrics
    return bool(is_gridlocked(m["loaded"] or 0, m.get("waiting") or 0, m.get("teleports") or 0))
