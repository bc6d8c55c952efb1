"""GMNS: network and signal tables (zephyr-data-specs/GMNS, spec of 2025): written from a plan, and read into one.

Written: node, link, movement, signal_controller, signal_coordination, signal_timing_plan, signal_timing_phase and
signal_phase_mvmt. Every stage is a phase of one ring. The columns ``opt_state`` and ``opt_change`` hold what the schema
has no column for, so that a plan comes back whole. Files of other programs are read without them: with phases in two
rings, with the offset in signal_timing_plan, with movements named in movement.csv, and with signal_phase_mvmt by
controller and phase number, as earlier versions of the schema have it. Crossings on foot have no rows in
signal_phase_mvmt; their greens are in ``opt_state``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from denxanh.experiments.formats.gmns.gmns_rings import letters_of, ring_phases, ring_stages
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
_NO_OFFSET = ("", 0.0)
_SAME = 0.05  # s
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


def read_gmns(folder: Path, network: Network) -> tuple[list[Plan], list[PlanSwitch], list[str]]:
    """The plans of the signal tables in a folder, for a network with their signals, and what was not read.

    Raises InputError.
    """
    plan_rows = _table(folder, PLAN_FILE, ("timing_plan_id", "controller_id"))
    phase_rows = _table(
        folder,
        "signal_timing_phase.csv",
        ("timing_phase_id", "timing_plan_id", "signal_phase_num", "ring", "barrier", "position"),
    )
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
    controllers: dict[str, set[str]] = {}
    for row in plan_rows:
        controllers.setdefault(row.text("timing_plan_id"), set()).add(row.text("controller_id"))
    shared = next((id for id, names in controllers.items() if len(names) > 1), None)
    if shared is not None:
        raise InputError(
            f"timing_plan_id {shared[:60]!r} belongs to several controllers, so that its phases cannot be told apart",
            location=str(folder / PLAN_FILE),
            remedy="give each plan of each controller an id of its own",
        )
    served, missing = _served(
        folder, phase_rows, {id: next(iter(v)) for id, v in controllers.items()}, network
    )
    notes = (
        [f"not read, since their links are not in the place: movements {', '.join(missing)}"]
        if missing
        else []
    )
    coordination = _coordination(folder, plan_rows)
    by_time: dict[float | None, dict[str, Timing]] = {}
    for row in plan_rows:
        rows = by_plan.get(row.text("timing_plan_id"), [])
        if not rows:
            continue  # a time of day without phases, as actuated operation is listed
        name = row.text("controller_id")
        if name not in network.intersections:
            raise InputError(f"there is no signal {name[:60]!r} in {network.name}", location=row.location,
                             remedy="give the tables of this network")  # fmt: skip
        cycle = row.number("cycle_length", least=0.0) if row.text("cycle_length") else None
        timing = _timing(
            network.intersections[name],
            rows,
            served,
            coordination.get(row.text("timing_plan_id"), _NO_OFFSET),
            cycle,
        )
        if cycle is not None and abs(cycle - timing.cycle) > 0.05:
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
    return [Plan(by_time[time], f"GMNS tables of {folder.name}") for time in times], switches, notes


def _served(
    folder: Path, phase_rows: Sequence[TableRow], controllers: Mapping[str, str], network: Network
) -> tuple[dict[str, dict[str, str]], list[str]]:
    """Letters of the movements by timing phase, and the movements over links that the network does not have.

    ``controllers`` are those of the timing plans. Raises InputError.
    """
    names = _movement_names(folder)
    by_number: dict[tuple[str, str], list[str]] = {}
    for row in phase_rows:
        key = controllers[row.text("timing_plan_id")], row.text("signal_phase_num")
        by_number.setdefault(key, []).append(row.text("timing_phase_id"))
    phases = {row.text("timing_phase_id") for row in phase_rows}
    served: dict[str, dict[str, str]] = {}
    missing: dict[str, None] = {}
    for row in _table(folder, "signal_phase_mvmt.csv", ("signal_phase_mvmt_id",)):
        phase, movement = row.text("timing_phase_id"), row.text("mvmt_id")
        key = row.text("controller_id"), row.text("signal_phase_num")
        if phase and phase not in phases:
            raise InputError(f"there is no timing_phase_id {phase[:60]!r}", location=row.location,
                             remedy="add it to signal_timing_phase.csv")  # fmt: skip
        if not phase and key not in by_number:
            raise InputError(f"there is no phase {key[1][:20]!r} of controller {key[0][:40]!r}", location=row.location,
                             remedy="add it to signal_timing_phase.csv")  # fmt: skip
        protection = row.text("protection") or "protected"
        if protection not in ("protected", "permitted", "rtor"):
            raise InputError(f"protection is {protection[:40]!r}", location=row.location,
                             remedy="write protected, permitted or rtor")  # fmt: skip
        if not movement or protection == "rtor":
            continue
        name = names.get(movement, movement)
        if name != movement and not {*name.split(">")} <= network.edges.keys():
            missing[movement] = None
            continue
        for one in [phase] if phase else by_number[key]:
            letter = "G" if protection == "protected" else "g"
            known = served.setdefault(one, {})
            known[name] = "G" if "G" in (letter, known.get(name, "")) else letter
    return served, list(missing)


def _movement_names(folder: Path) -> dict[str, str]:
    """FROM>TO of each movement by its id; none without the table of movements."""
    if not (folder / "movement.csv").is_file():
        return {}
    rows = _table(folder, "movement.csv", ("mvmt_id", "ib_link_id", "ob_link_id"))
    return {row.text("mvmt_id"): f"{row.text('ib_link_id')}>{row.text('ob_link_id')}" for row in rows}


def _timing(
    intersection: Intersection,
    rows: Sequence[TableRow],
    served: Mapping[str, Mapping[str, str]],
    coordination: tuple[str, float],
    cycle: float | None,
) -> Timing:
    """The timing of the phases of one plan; ``coordination``: a phase number, "" for the first, and its green's start.

    Raises InputError.
    """
    location = rows[0].location
    phase, offset = coordination
    if not all(row.text("opt_state") for row in rows):
        return _timing_of_rings(intersection, rows, served, coordination, cycle)
    if phase not in ("", "1"):
        raise InputError(f"the offset refers to phase {phase[:10]}", location=location,
                         remedy="refer it to begin_of_green of phase 1")  # fmt: skip
    rows = sorted(rows, key=lambda row: (row.number("barrier", least=0), row.number("position", least=0)))
    stages = []
    for row in rows:
        change = row.text("opt_change")
        parts = change.split(";") if change else []
        if not all(map(_CHANGE.fullmatch, parts)):
            raise InputError(f"opt_change is {change[:60]!r}", location=row.location,
                             remedy="write STATE:SECONDS;STATE:SECONDS")  # fmt: skip
        intervals = tuple(Interval(m[1], float(m[2])) for m in filter(None, map(_CHANGE.fullmatch, parts)))
        stages.append(Stage(row.text("opt_state"), row.number("min_green", least=0.1), intervals))
    timing = Timing(tuple(stages), offset)
    return Plan.from_json(Plan({intersection.id: timing}).to_json(), location=location).timings[
        intersection.id
    ]


def _timing_of_rings(
    intersection: Intersection,
    rows: Sequence[TableRow],
    served: Mapping[str, Mapping[str, str]],
    coordination: tuple[str, float],
    cycle: float | None,
) -> Timing:
    """The timing of phases without our columns, in one ring or several. Raises InputError."""
    location = rows[0].location
    names = {movement.name for movement in intersection.movements}
    yellows = {}
    for row in rows:
        clearance = row.number("clearance", missing=intersection.yellow + intersection.all_red, least=0.0)
        id = row.text("timing_phase_id")
        yellows[id] = row.number("opt_yellow", missing=min(intersection.yellow, clearance), least=0.0)
        if unknown := sorted(served.get(id, {}).keys() - names):
            raise InputError(f"the signal has no movement {unknown[0][:60]!r}", location=row.location,
                             remedy="name movements FROM>TO, by the links of this network")  # fmt: skip
    phases = ring_phases(rows, cycle, intersection.yellow + intersection.all_red)
    found, start = [], None
    for stage in ring_stages(phases, location):
        ending = [one for one in stage.phases if one.end < stage.start + stage.green + _SAME]
        yellow = min(stage.clearance, max(yellows[one.id] for one in ending))
        times = StageTimes(stage.green, yellow, stage.clearance - yellow)
        found.append(StageRow(times, letters_of(stage, served)))
    number, reference = coordination
    for one in phases:
        if one.number == number and start is None:
            start = one.start
    if start is None and number not in ("", "1"):
        raise InputError(f"the offset refers to phase {number[:10]}, which is not there", location=location,
                         remedy="refer it to begin_of_green of a phase of the plan")  # fmt: skip
    total = max(one.clear for one in phases)
    return timing_of(intersection, found, (reference - (start or 0.0)) % total, location=location)


def _table(folder: Path, name: str, required: Sequence[str]) -> list[TableRow]:
    return read_table(folder / name, kind=f"GMNS table {name}", required=required)


def _coordination(folder: Path, plan_rows: Sequence[TableRow]) -> dict[str, tuple[str, float]]:
    """Phase that is referred to and begin of its green, s, by timing plan. Raises InputError."""
    rows = [row for row in plan_rows if row.text("offset")]
    if (folder / "signal_coordination.csv").is_file():
        rows += _table(folder, "signal_coordination.csv", ("coordination_id", "timing_plan_id"))
    out = {}
    for row in rows:
        reference = row.text("coord_ref_to") or "begin_of_green"
        if reference != "begin_of_green":
            raise InputError(f"the offset refers to {reference} of phase {row.text('coord_phase')[:10]}",
                             location=row.location, remedy="refer it to begin_of_green")  # fmt: skip
        offset = row.number("offset", missing=0.0, least=0.0)
        out[row.text("timing_plan_id")] = row.text("coord_phase"), offset
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
