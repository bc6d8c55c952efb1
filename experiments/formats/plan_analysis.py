"""The manual's measures of a fixed-time plan under the demand of a place, beside those of a run where there is one."""

from __future__ import annotations

from pathlib import Path

from denxanh.controllers.fixed.fixed_time import read_plan
from denxanh.experiments.formats.table_text import table_text
from denxanh.sim.demand.movement_flows import period_flows
from denxanh.sim.errors import InputError
from denxanh.sim.measures.plan_measures import PERIOD, plan_measures
from denxanh.sim.network_reader import network_of
from denxanh.sim.run.store import read_table
from denxanh.sim.scenario import Scenario
from denxanh.sim.signals.plan_check import checked_plan
from denxanh.sim.signals.planned_network import with_plan

Columns = dict[str, list[object]]


def analyse_plan(scenario: Scenario, plan: Path | None = None, run: Path | None = None) -> Columns:
    """The table of ``plan_measures``, of a plan.json or of the existing plan.

    With the folder of a ``run`` its control delay and level of service stand beside: ``simulated_delay_s``,
    ``simulated_los``. Raises InputError for a plan that does not fit, a network without signals, or a run without a
    table of movements of these signals.
    """
    network = network_of(scenario)
    if not network.intersections:
        raise InputError(
            "there is no signal whose plan can be analysed",
            location=scenario.name,
            remedy="see 'denxanh check' for the reasons",
        )
    planned = network
    if plan is not None:
        if not plan.is_file():
            raise InputError(
                "the plan does not exist", location=str(plan), remedy="'denxanh plan PLACE' writes one"
            )
        planned = checked_plan(network, with_plan(network, read_plan(str(plan))))
    flows, period = period_flows(planned, scenario, PERIOD)
    table: Columns = plan_measures(planned, flows, period)
    return table if run is None else _beside(table, run)


def _beside(table: Columns, run: Path) -> Columns:
    path = run / "movements.parquet"
    if not path.is_file():
        raise InputError(
            "this is not the folder of a run with a table of movements",
            location=str(run),
            remedy="give the folder of 'denxanh run PLACE -c program --out DIR'",
        )
    found = read_table(path, ("level", "signal", "name", "control_delay_s", "los"))
    keys = zip(found["level"], found["signal"], found["name"], strict=True)
    rows = dict(zip(keys, zip(found["control_delay_s"], found["los"], strict=True), strict=True))
    mine = list(zip(table["level"], table["signal"], table["name"], strict=True))
    if not any(key in rows for key in mine):
        raise InputError(
            "the run has none of these signals", location=str(run), remedy="give a run of the same place"
        )
    values = [rows.get(key, (float("nan"), None)) for key in mine]
    delays = [float(delay) if delay == delay else None for delay, _ in values]  # nan is empty
    return table | {"simulated_delay_s": delays, "simulated_los": [los for _, los in values]}


def analysis_csv(table: Columns) -> str:
    """The table as CSV text with its header."""
    rows = [["" if value is None else value for value in row] for row in zip(*table.values(), strict=True)]
    return table_text(list(table), rows)
