"""The place of a study under its counts, in both fidelities, and how well its demand meets each counted row."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from denxanh.experiments.study.study_state import FIDELITY, PLACE, Study
from denxanh.networks.counts import count_form, counted_demand
from denxanh.networks.scenarios import open_scenario
from denxanh.sim.network_reader import network_of
from denxanh.sim.scenario import CONFIRMED, Scenario


@dataclass(frozen=True)
class CountedRow:
    """How well the demand meets one counted row, in vehicles."""

    approach: str  # edge
    turn: str
    begin: int  # s since midnight
    end: int
    counted: int
    modelled: float
    geh: float


def counted_scenario(study: Study, base: Scenario) -> tuple[Scenario, tuple[CountedRow, ...]]:
    """The scenario under the counts, if there are some, and how well it meets them."""
    source = CONFIRMED if study.options.plan is not None else base.plan_source
    if study.options.counts is None:
        return replace(base, plan_source=source), ()
    folder = study.out / PLACE
    if "counted_rows" not in study.record:
        if folder.exists():  # of a call that was killed before its record was written
            shutil.rmtree(folder)
        network = network_of(base)
        fits = build_under_counts(study.options.counts, base, folder)
        turns = {
            (m.start, m.end): count_form.TURNS.get(m.direction, "")
            for one in network.intersections.values()
            for m in one.movements
        }
        study.keep(
            counted_rows=[
                {
                    "approach": fit.count.start_edge,
                    "turn": turns.get((fit.count.start_edge, fit.count.end_edge), "all"),
                    "begin": fit.count.begin,
                    "end": fit.count.end,
                    "counted": fit.count.total,
                    "modelled": fit.modelled,
                    "geh": fit.geh,
                }
                for fit in fits
            ]
        )
    counted = tuple(CountedRow(**row) for row in study.record["counted_rows"])
    return replace(open_scenario(str(folder)), name=base.name, plan_source=source), counted


def build_under_counts(counts: Path, base: Scenario, folder: Path) -> tuple[counted_demand.Fit, ...]:
    """Make the place under the counts in ``folder``."""
    read = count_form.read(counts, network_of(base), counted_demand.vehicle_types(base))
    return counted_demand.build(base, read, folder)


def under_counts(study: Study, other: Scenario) -> Scenario:
    """The scenario of the other fidelity under the counts, if there are some."""
    if study.options.counts is None:
        return other
    folder = study.out / FIDELITY / PLACE
    if not folder.is_dir():  # new_folder makes it whole or not at all
        build_under_counts(study.options.counts, other, folder)
    return replace(open_scenario(str(folder)), name=other.name, plan_source=other.plan_source)
