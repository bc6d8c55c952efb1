"""GMNS: network and signal tables (zephyr-data-specs/GMNS, spec of 2025): written from a plan, and read into one.

Written: node, link, movement, signal_controller, signal_coordination, signal_timing_plan, signal_timing_phase and
signal_phase_mvmt. Every stage is a phase of one ring. The columns ``opt_state`` and ``opt_change`` hold what the schema
has no column for, so that a plan comes back whole; files of other programs are read without. Crossings on foot have no
rows in signal_phase_mvmt; their greens are in ``opt_state``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from denxanh.experiments.formats.plan_source import PlanSwitch
from denxanh.experiments.formats.stage_times import StageRow, StageTimes, stage_rows, timing_of
from denxanh.experiments.formats.table_text import TableRow, read_table, table_text
from denxanh.sim.errors import InputError
from denxanh.sim.movements import signal_movements
from denxanh.sim.network import Intersection, Network
from denxanh.sim.plan import Interval, Plan, Stage, Timing

TYPES = {"left": "left", "through": "thru", "right": "right", "u-turn": "uturn"}
PROTECTION = {"G": "protected", "g": "permitted"}
PLAN_FILE = "signal_timing_plan.csv"
ALL_DAYS = "11111111"  # Sunday to Saturday, holiday
_TIME_DAY = re.compile(r"(?P<days>[01]{8,9})_(\d\d):?(\d\d)_(\d\d):?(\d\d)")
_CHANGE = re.compile(r"([rGgyYuosO]+):(\d+(?:\.\d+)?)")
_LONGEST = 120.0  # s, the limit of the schema for a clearance


def gmns_tables(network: Network, plans: Sequence[Plan], switches: Sequence[PlanSwitch]) -> dict[str, str]:
    """The text of each table by the name of its file."""
    nodes: dict[str, tuple[float, float]] = {}
    for edge in network.edges.values():
        nodes[edge.start], nodes[edge.end] = edge.shape[0], edge.shape[-1]
    signalled = {network.edges[m.start].end for i in network.intersections.values() for m in i.movements}
    controllers: list[list[object]] = []
    coordination: list[list[object]] = []
    timing_plans: list[list[object]] = []
    phases: list[list[object]] = []
    phase_movements: list[list[object]] = []
    for name, intersection in sorted(network.intersections.items()):
        controllers.append([name])
        for number, plan in enumerate(plans):
            timing = plan.timings.get(name, intersection.program)
            for hours in _time_days(number, switches):
                plan_id = f"{name}#{len(timing_plans) + 1}"
                timing_plans.append([plan_id, name, hours, float(timing.cycle)])
                offset = float(timing.offset % timing.cycle)
                coordination.append([f"{plan_id}/c", plan_id, name, 1, "begin_of_green", offset])
                rows = zip(timing.stages, stage_rows(intersection, timing), strict=True)
                for k, (stage, row) in enumerate(rows, 1):
                    phase_id = f"{plan_id}/{k}"
                    change = ";".join(f"{i.state}:{i.duration:.10g}" for i in stage.change)
                    phases.append([phase_id, plan_id, k, float(stage.green), float(stage.length - stage.green),
                                   1, 1, k, float(row.times.yellow), float(row.times.all_red), stage.state,
                                   change])  # fmt: skip
                    for movement, letter in row.served.items():
                        phase_movements.append(
                            [len(phase_movements) + 1, phase_id, movement, "", PROTECTION[letter]]
                        )
    return {
        "config.csv": table_text(
            ["dataset_name", "short_length", "long_length", "speed", "crs", "id_type"],
            [[network.name, "m", "m", "km/h", network.to_wgs84 or "local metres", "string"]],
        ),
        "node.csv": table_text(
            ["node_id", "x_coord", "y_coord", "ctrl_type"],
            [[id, float(x), float(y), "signal" if id in signalled else ""] for id, (x, y) in sorted(nodes.items())],
        ),
        "link.csv": table_text(
            ["link_id", "name", "from_node_id", "to_node_id", "directed", "geometry", "dir_flag", "length",
             "free_speed", "lanes"],
            [[e.id, e.name, e.start, e.end, "true", _wkt(e.shape), 1, float(e.length), round(e.speed * 3.6, 3),
              sum(network.lanes[lane].vehicles for lane in e.lanes)] for e in network.edges.values()],
        ),
        "movement.csv": table_text(
            ["mvmt_id", "node_id", "ib_link_id", "ob_link_id", "type", "ctrl_type", "mvmt_code"],
            [[m.name, network.edges[m.name.partition(">")[0]].end, movement.start, movement.end, TYPES[m.turn],
              "signal", m.label]
             for name, found in signal_movements(network).items()
             for m, movement in zip(found.movements, network.intersections[name].movements, strict=True)],
        ),
        "signal_controller.csv": table_text(["controller_id"], controllers),
        "signal_coordination.csv": table_text(
            ["coordination_id", "timing_plan_id", "controller_id", "coord_phase", "coord_ref_to", "offset"],
            coordination,
        ),
        PLAN_FILE: table_text(["timing_plan_id", "controller_id", "time_day", "cycle_length"], timing_plans),
        "signal_timing_phase.csv": table_text(
            ["timing_phase_id", "timing_plan_id", "signal_phase_num", "min_green", "clearance", "ring", "barrier",
             "position", "opt_yellow", "opt_all_red", "opt_state", "opt_change"],
            phases,
        ),
        "signal_phase_mvmt.csv": table_text(
            ["signal_phase_mvmt_id", "timing_phase_id", "mvmt_id", "link_id", "protection"], phase_movements
        ),
    }  # fmt: skip


def read_gmns(folder: Path, network: Network) -> tuple[list[Plan], list[PlanSwitch]]:
    """The plans of the signal tables in a folder, for a network with their signals. Raises InputError."""
    plan_rows = _table(folder, PLAN_FILE, ("timing_plan_id", "controller_id"))
    phase_rows = _table(
        folder,
        "signal_timing_phase.csv",
        ("timing_phase_id", "timing_plan_id", "signal_phase_num", "ring", "barrier", "position"),
    )
    movement_rows = _table(folder, "signal_phase_mvmt.csv", ("signal_phase_mvmt_id", "timing_phase_id"))
    offsets = _offsets(folder)
    known = {row.text("timing_plan_id") for row in plan_rows}
    by_plan: dict[str, list[TableRow]] = {}
    for row in phase_rows:
        if row.text("timing_plan_id") not in known:
            raise InputError(
                f"there is no timing_plan_id {row.text('timing_plan_id')[:60]!r}",
                location=row.location,
                remedy=f"add it to {PLAN_FILE}",
            )
        by_plan.setdefault(row.text("timing_plan_id"), []).append(row)
    phases = {row.text("timing_phase_id") for row in phase_rows}
    served: dict[str, dict[str, str]] = {}
    for row in movement_rows:
        phase, movement = row.text("timing_phase_id"), row.text("mvmt_id")
        if phase not in phases:
            raise InputError(f"there is no timing_phase_id {phase[:60]!r}", location=row.location,
                             remedy="add it to signal_timing_phase.csv")  # fmt: skip
        protection = row.text("protection") or "protected"
        if protection not in ("protected", "permitted", "rtor"):
            raise InputError(f"protection is {protection[:40]!r}", location=row.location,
                             remedy="write protected, permitted or rtor")  # fmt: skip
        if movement and protection != "rtor":
            served.setdefault(phase, {})[movement] = "G" if protection == "protected" else "g"
    by_time: dict[float | None, dict[str, Timing]] = {}
    for row in plan_rows:
        rows = by_plan.get(row.text("timing_plan_id"), [])
        if not rows:
            continue  # a time of day without phases, as actuated operation is listed
        name = row.text("controller_id")
        if name not in network.intersections:
            raise InputError(f"there is no signal {name[:60]!r} in {network.name}", location=row.location,
                             remedy="give the tables of this network")  # fmt: skip
        timing = _timing(
            network.intersections[name], rows, served, offsets.get(row.text("timing_plan_id"), 0.0)
        )
        cycle = row.number("cycle_length", missing=timing.cycle, least=0.0)
        if abs(cycle - timing.cycle) > 0.05:
            raise InputError(f"cycle_length is {cycle:g} s, its phases add up to {timing.cycle:g} s",
                             location=row.location, remedy="correct one of them")  # fmt: skip
        by_time.setdefault(_begin(row), {})[name] = timing
    if not by_time:
        raise InputError(
            "no timing plan has phases", location=str(folder), remedy="give the tables of fixed plans"
        )
    if None in by_time and len(by_time) > 1:
        raise InputError("some timing plans hold all day, others by hours", location=str(folder),
                         remedy="give time_day in all rows, or in none")  # fmt: skip
    times = sorted(by_time, key=lambda time: time or 0.0)
    switches = [PlanSwitch(time, k) for k, time in enumerate(times) if time is not None]
    return [Plan(by_time[time], f"GMNS tables of {folder.name}") for time in times], switches


def _timing(
    intersection: Intersection,
    rows: Sequence[TableRow],
    served: Mapping[str, Mapping[str, str]],
    offset: float,
) -> Timing:
    """The timing of the phases of one plan. Raises InputError."""
    location = rows[0].location
    if len({row.text("ring") for row in rows}) > 1:
        raise InputError("the phases run in several rings", location=location,
                         remedy="give stages, one ring with a phase for each")  # fmt: skip
    rows = sorted(rows, key=lambda row: (row.number("barrier", least=0), row.number("position", least=0)))
    if all(row.text("opt_state") for row in rows):
        stages = []
        for row in rows:
            change = row.text("opt_change")
            parts = change.split(";") if change else []
            if not all(map(_CHANGE.fullmatch, parts)):
                raise InputError(f"opt_change is {change[:60]!r}", location=row.location,
                                 remedy="write STATE:SECONDS;STATE:SECONDS")  # fmt: skip
            intervals = tuple(
                Interval(m[1], float(m[2])) for m in filter(None, map(_CHANGE.fullmatch, parts))
            )
            stages.append(Stage(row.text("opt_state"), row.number("min_green", least=0.1), intervals))
        timing = Timing(tuple(stages), offset)
        return Plan.from_json(Plan({intersection.id: timing}).to_json(), location=location).timings[
            intersection.id
        ]
    names = {movement.name for movement in intersection.movements}
    found = []
    for row in rows:
        clearance = row.number("clearance", missing=intersection.yellow + intersection.all_red, least=0.0)
        yellow = row.number("opt_yellow", missing=min(intersection.yellow, clearance), least=0.0)
        movements = served.get(row.text("timing_phase_id"), {})
        unknown = sorted(movements.keys() - names)
        if unknown:
            raise InputError(f"the signal has no movement {unknown[0][:60]!r}", location=row.location,
                             remedy="name movements FROM>TO, by the links of this network")  # fmt: skip
        times = StageTimes(row.number("min_green", least=0.1), yellow, clearance - yellow)
        found.append(StageRow(times, movements))
    return timing_of(intersection, found, offset, location=location)


def _table(folder: Path, name: str, required: Sequence[str]) -> list[TableRow]:
    return read_table(folder / name, kind=f"GMNS table {name}", required=required)


def _offsets(folder: Path) -> dict[str, float]:
    """Offsets of the first phase's green, s, by timing plan; none where the table is not there. Raises InputError."""
    if not (folder / "signal_coordination.csv").is_file():
        return {}
    out = {}
    for row in _table(folder, "signal_coordination.csv", ("coordination_id", "timing_plan_id")):
        reference = row.text("coord_ref_to") or "begin_of_green"
        if reference != "begin_of_green" or row.number("coord_phase", missing=1.0) != 1:
            raise InputError(f"the offset refers to {reference} of phase {row.text('coord_phase')[:10]}",
                             location=row.location, remedy="refer it to begin_of_green of phase 1")  # fmt: skip
        out[row.text("timing_plan_id")] = row.number("offset", missing=0.0, least=0.0)
    return out


def _time_days(number: int, switches: Sequence[PlanSwitch]) -> list[str]:
    if not switches:
        return [f"{ALL_DAYS}_0000_2400"]
    pairs = zip(switches, [*switches[1:], switches[0]], strict=True)
    return [f"{ALL_DAYS}_{_hhmm(a.time)}_{_hhmm(b.time)}" for a, b in pairs if a.plan == number]


def _hhmm(time: float) -> str:
    minutes, rest = divmod(round(time % 86400), 60)
    if rest:
        raise InputError(
            f"a plan begins at {time:g} s, GMNS holds whole minutes", remedy="use another format"
        )
    return f"{minutes // 60:02d}{minutes % 60:02d}"


def _begin(row: TableRow) -> float | None:
    """The begin of the hours of a timing plan, s; None for all day. Raises InputError."""
    text = row.text("time_day")
    if not text:
        return None
    found = _TIME_DAY.fullmatch(text)
    if found is None:
        raise InputError(
            f"time_day is {text[:40]!r}", location=row.location, remedy="write 11111111_0600_0900"
        )
    begin = int(found[2]) * 3600.0 + int(found[3]) * 60.0
    return None if begin == 0 and (found[4], found[5]) in (("24", "00"), ("00", "00")) else begin


def _wkt(shape: Sequence[tuple[float, float]]) -> str:
    return f"LINESTRING ({', '.join(f'{x:.2f} {y:.2f}' for x, y in shape)})"
