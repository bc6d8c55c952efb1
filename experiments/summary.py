"""From runs to statements: mean, interval, paired difference to the baseline and verdict, for each metric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from experiments.ledger import Row
from experiments.records import SummaryLine
from experiments.statistics import (
    GridlockSummary,
    Quantity,
    Runs,
    compare_holm,
    compare_paired,
    is_gridlocked,
    summarise,
    summarise_with_gridlock,
    verdict,
    verdicts,
)
from sim.metrics import METRICS, Metric
from sim.text import unit


@dataclass(frozen=True)
class Group:
    """The runs of one place at one demand level that were believed, by controller in order of appearance."""

    place: str
    demand: float
    runs: Mapping[str, Sequence[Row]]

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


def groups(rows: Sequence[Row]) -> list[Group]:
    """Runs by place and demand."""
    found: dict[tuple[str, float], dict[str, list[Row]]] = {}
    for row in rows:
        by_controller = found.setdefault((row.place, row.demand), {})
        by_controller.setdefault(row.controller, [])
        if row.state == "done":
            by_controller[row.controller].append(row)
    return [Group(place, demand, runs) for (place, demand), runs in found.items()]


def summarise_rows(rows: Sequence[Row]) -> list[SummaryLine]:
    """A line for every metric of every controller; the first controller of a group is its baseline."""
    return [line for group in groups(rows) for metric in METRICS for line in _lines(group, metric)]


def headline(rows: Sequence[Row]) -> list[tuple[str, str]]:
    """The verdicts on delay of every group, in English and Vietnamese, each with its place if there are several."""
    found = groups(rows)
    out = []
    for group in found:
        where = "" if len(found) == 1 else f"{label(group.place, group.demand)}: "
        out += [(where + english, where + vietnamese) for english, vietnamese in group_verdicts(group)]
    return out


def group_verdicts(group: Group) -> list[tuple[str, str]]:
    """The verdicts on delay against the group's baseline, Holm-corrected, in English and Vietnamese."""
    runs = {name: values for name, values in group.values("delay_s").items() if values}
    if len(runs) < 2:
        return []
    baseline = next(iter(runs))
    shared = set.intersection(*(set(values) for values in runs.values()))
    if len(shared) < 2:
        said = [
            verdict(compare_paired(runs[name], runs[baseline]), candidate=name, baseline=baseline)
            for name in runs
            if name != baseline and set(runs[name]) & set(runs[baseline])
        ]
    else:
        said = list(verdicts(compare_holm(runs, baseline=baseline), gridlock=gridlock(group)))
    return [(v.english, v.vietnamese) for v in said]


def label(place: str, demand: float) -> str:
    """A place under a demand level as tables and reports name it."""
    return place if demand == 1.0 else f"{place} × {demand:g}"


def _lines(group: Group, metric: Metric) -> list[SummaryLine]:
    runs = group.values(metric.name)
    baseline = next(iter(runs))
    out = []
    for controller, values in runs.items():
        if not values:
            continue
        summary = summarise(list(values.values()))
        difference, ends, said = None, None, ("baseline", "mốc so sánh")
        if controller != baseline:
            said = ("no seed in common with the baseline", "không có hạt giống chung với mốc so sánh")
            if set(values) & set(runs[baseline]):
                paired = compare_paired(values, runs[baseline])
                words = verdict(
                    paired, candidate=controller, baseline=baseline, quantity=quantity(metric.name)
                )
                difference, ends, said = paired.difference, paired.interval, (words.english, words.vietnamese)
        out.append(
            SummaryLine(
                place=group.place,
                demand=group.demand,
                controller=controller,
                metric=metric.name,
                mean=summary.mean,
                ci_low=summary.interval.low if summary.interval else None,
                ci_high=summary.interval.high if summary.interval else None,
                n=summary.n,
                diff=difference,
                diff_ci_low=ends.low if ends else None,
                diff_ci_high=ends.high if ends else None,
                verdict=said[0],
                verdict_vi=said[1],
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
    """How often each controller's runs jammed; a jam is told, not averaged in silence."""
    out = {}
    for name, rows in group.runs.items():
        if rows:
            delays: Runs = {(row.seed, row.demand): float(row.metrics["delay_s"] or 0.0) for row in rows}
            out[name] = summarise_with_gridlock(delays, {(r.seed, r.demand) for r in rows if jammed(r)})
    return out


def jammed(row: Row) -> bool:
    """Whether a run counts as gridlocked (see experiments.statistics.GridlockLimits)."""
    m = row.metrics
    return bool(is_gridlocked(m["loaded"] or 0, m["waiting"] or 0, m["teleports"] or 0))
