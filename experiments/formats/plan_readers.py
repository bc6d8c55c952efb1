"""Plans from files of other programs: the format is known by the file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from denxanh.experiments.formats import phase_chart_csv, utdf
from denxanh.experiments.formats.gmns import gmns_tables
from denxanh.experiments.formats.plan_source import PlanSwitch
from denxanh.sim.errors import InputError
from denxanh.sim.input.text_files import read_text
from denxanh.sim.network import Network
from denxanh.sim.plan import Plan


@dataclass(frozen=True)
class ReadPlans:
    """Plans of a file, with their hours where it gives them, and sentences on what was not read."""

    plans: tuple[Plan, ...]
    switches: tuple[PlanSwitch, ...]
    format: str
    notes: tuple[str, ...] = ()


def read_plans(source: Path, network: Network) -> ReadPlans:
    """The plans of a gian_do_pha.csv, a UTDF file or a folder of GMNS tables. Raises InputError."""
    if source.is_dir():
        if not (source / gmns_tables.PLAN_FILE).is_file():
            raise InputError(
                f"the folder has no {gmns_tables.PLAN_FILE}",
                location=str(source),
                remedy="give a folder of GMNS signal tables",
            )
        plans, switches, notes = gmns_tables.read_gmns(source, network)
        return ReadPlans(tuple(plans), tuple(switches), "GMNS tables", tuple(notes))
    head = read_text(source, kind="plan").lstrip()[:4096]
    if head.startswith("["):
        plan, others = utdf.plan_of_utdf(utdf.read_utdf(source), network)
        notes = [f"not read, since their DESCRIPTION is no signal of the place: nodes {', '.join(others)}"]
        return ReadPlans((plan,), (), "UTDF", tuple(notes if others else ()))
    if head.startswith(("{", "<")):
        raise InputError(
            "this is no plan of another program",
            location=str(source),
            remedy="run a plan.json with -c fixed-time:plan=FILE, SUMO's programs with -c sumo-program:file=FILE",
        )
    plans, switches, variant = phase_chart_csv.read_phase_chart(source, network)
    return ReadPlans(tuple(plans), tuple(switches), f"the rows {variant} of {source.name}")
