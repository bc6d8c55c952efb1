"""Plans as files of other programs: the texts by file name, and what each format does not hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from denxanh.experiments.formats import phase_chart_csv, utdf
from denxanh.experiments.formats.degrees import to_degrees
from denxanh.experiments.formats.geojson_layers import geojson_layers
from denxanh.experiments.formats.gmns.gmns_tables import gmns_tables
from denxanh.experiments.formats.plan_source import PlanSource
from denxanh.experiments.optimize.problem.day_schedule import DaySchedule, Switch, day_xml
from denxanh.experiments.optimize.problem.plan_programs import plan_xml
from denxanh.sim.language.text import Text

SUMO_FILE = "plan.add.xml"


@dataclass(frozen=True)
class WrittenPlans:
    """Texts by the name of their file, and sentences on what they do not hold."""

    texts: dict[str, str]
    notes: tuple[Text, ...]


def written_plans(source: PlanSource, formats: Sequence[str]) -> WrittenPlans:
    """The plans in each of ``formats``: csv, utdf, gmns, geojson, sumo. Raises InputError."""
    for number in range(len(source.plans)):
        source.planned(number)  # raises for a plan that does not fit
    network, first = source.network, source.plans[0]
    texts: dict[str, str] = {}
    notes: list[Text] = []
    several = len(source.plans) > 1
    if "csv" in formats:
        texts[phase_chart_csv.FILE] = phase_chart_csv.phase_chart(network, source.plans, source.switches)
        notes.append(
            Text(
                f"{phase_chart_csv.FILE} has no states: stages are those of the signal's existing plan",
                f"{phase_chart_csv.FILE} không có chuỗi trạng thái đèn: các pha lấy theo phương án có sẵn của nút",
            )
        )
    if "utdf" in formats:
        texts[utdf.FILE] = utdf.utdf_text(network, first)
        notes += utdf.utdf_losses(network)
    if "gmns" in formats:
        tables = gmns_tables(network, source.plans, source.switches)
        texts |= {f"gmns/{name}": text for name, text in tables.items()}
        notes.append(
            Text(
                "GMNS has no states and no yellow: they are in columns opt_… of signal_timing_phase.csv",
                "GMNS không có chuỗi trạng thái đèn và thời gian vàng: xem các cột opt_… của signal_timing_phase.csv",
            )
        )
    if "geojson" in formats:
        texts |= geojson_layers(network, first, to_degrees(source.scenario, network))
    if several and {"utdf", "geojson"} & set(formats):
        notes.append(
            Text(
                "of the plans of the day, UTDF and GeoJSON hold the first",
                "UTDF và GeoJSON chỉ chứa phương án đầu tiên trong ngày",
            )
        )
    if "sumo" in formats:
        if source.switches:
            switches = tuple(Switch(switch.time, switch.plan) for switch in source.switches)
            texts[SUMO_FILE] = day_xml(DaySchedule(source.plans, switches, 0.0), network)
        else:
            texts[SUMO_FILE] = plan_xml(first, network)
    return WrittenPlans(texts, tuple(notes))
