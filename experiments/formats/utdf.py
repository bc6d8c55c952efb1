"""Synchro's UTDF 8: a combined CSV of nodes, links, lanes, timing plans and phases, from a plan and into one.

Every stage is a phase D1, D2, … of ring 1. Offsets refer to the first green (Referenced To 3) of phase 1; lengths are
metres (Metric 1). DESCRIPTION of a node is the signal's id, by which a file finds its signals.
UTDF has no states: they are those of the signal's existing stages with the same movements. It has no place for greens
of crossings, single lanes that differ from their movement, and plans by time of day.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from denxanh.experiments.formats.stage_times import StageRow, StageTimes, stage_rows, timing_of
from denxanh.experiments.formats.table_text import number_of
from denxanh.sim.errors import InputError
from denxanh.sim.input.text_files import csv_row, csv_text, read_text
from denxanh.sim.language.text import Text
from denxanh.sim.movements import signal_movements
from denxanh.sim.network import Intersection, Network
from denxanh.sim.plan import Plan, Timing

FILE = "utdf.csv"
BOUNDS = ("NB", "SB", "EB", "WB", "NE", "NW", "SE", "SW")
_ROUND = ("NB", "NE", "EB", "SE", "SB", "SW", "WB", "NW")  # clockwise
_LETTERS = {"left": ("L", "L2"), "through": ("T",), "right": ("R", "R2"), "u-turn": ("U",)}
TURNS = ("U", "L2", "L", "T", "R", "R2")
COLUMNS = tuple(bound + turn for bound in BOUNDS for turn in TURNS)
MOST = 9  # phases of one ring: the position in BRP is a digit
_FIRST_GREEN = 3


@dataclass(frozen=True)
class UtdfFile:
    """The sections of a file: rows as cells by the heads of their columns, with the line of each."""

    path: Path
    sections: Mapping[str, list[tuple[int, dict[str, str]]]]

    def values(self, section: str, node: str) -> dict[str, dict[str, str]]:
        """The rows of a node in a section, by RECORDNAME."""
        return {
            cells["RECORDNAME"]: cells
            for _, cells in self.sections.get(section, ())
            if cells.get("INTID") == node and "RECORDNAME" in cells
        }


def utdf_columns(network: Network, signal: str) -> dict[str, str]:
    """The column of each movement, as ``NBL``. Raises InputError for more approaches or turns than UTDF has."""
    movements = signal_movements(network)[signal].movements
    bounds: dict[str, str] = {}  # by approach
    for movement in movements:
        edge = movement.name.partition(">")[0]
        if edge in bounds:
            continue
        bound = movement.bound if len(movement.bound) == 2 else movement.bound[:2]
        k = _ROUND.index(bound)
        free = [b for d in range(8) for b in (_ROUND[(k + d) % 8], _ROUND[k - d]) if b not in bounds.values()]
        if not free:
            raise InputError(
                f"signal {signal!r} has more than {len(BOUNDS)} approaches, UTDF holds no more",
                remedy="use another format",
            )
        bounds[edge] = free[0]
    out: dict[str, str] = {}
    for movement in movements:
        bound = bounds[movement.name.partition(">")[0]]
        names = [
            bound + turn for turn in (*_LETTERS[movement.turn], *TURNS) if bound + turn not in out.values()
        ]
        if not names:
            raise InputError(
                f"signal {signal!r} has more than {len(TURNS)} movements on one approach, UTDF holds no more",
                remedy="use another format",
            )
        out[movement.name] = names[0]
    return out


def utdf_text(network: Network, plan: Plan) -> str:
    """The text of the file. Raises InputError for a signal that UTDF cannot hold."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")

    def section(name: str, title: str, heads: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        writer.writerow([f"[{name}]"])
        writer.writerow([title])
        writer.writerow(heads)
        writer.writerows(csv_row(row) for row in rows)
        writer.writerow([])

    signals = sorted(network.intersections)
    # junctions of SUMO by number, a signal's junctions all have that of the signal
    nodes: dict[str, int] = {}
    rows: list[list[object]] = []
    for name in signals:
        intersection = network.intersections[name]
        number = len(rows) + 1
        x, y = intersection.position
        rows.append([number, 0, round(x, 2), round(y, 2), 0, name])
        nodes |= {network.edges[movement.start].end: number for movement in intersection.movements}
        nodes |= dict.fromkeys(intersection.junctions, number)
    for edge in network.edges.values():
        for id, point in ((edge.start, edge.shape[0]), (edge.end, edge.shape[-1])):
            if id not in nodes:
                nodes[id] = len(rows) + 1
                rows.append([nodes[id], 1, round(point[0], 2), round(point[1], 2), 0, ""])
    section("Network", "Network Settings", ["RECORDNAME", "DATA"],
            [["UTDFVERSION", 8], ["Metric", 1], ["yellowTime", 3.0], ["allRedTime", 2.0]])  # fmt: skip
    section("Nodes", "Node Data", ["INTID", "TYPE", "X", "Y", "Z", "DESCRIPTION"], rows)
    links: list[list[object]] = []
    lanes: list[list[object]] = []
    plans: list[list[object]] = []
    phases: list[list[object]] = []
    for number, name in enumerate(signals, 1):
        intersection = network.intersections[name]
        timing = plan.timings.get(name, intersection.program)
        if len(timing.stages) > MOST:
            raise InputError(
                f"signal {name!r} has {len(timing.stages)} stages, a ring of UTDF holds {MOST}",
                remedy="use another format",
            )
        columns = utdf_columns(network, name)
        links += _links(network, intersection, columns, nodes, number)
        lanes += _lanes(network, intersection, columns, nodes, number, stage_rows(intersection, timing))
        offset = timing.offset % timing.cycle
        plans += [[key, number, value] for key, value in (
            ("Control Type", 0), ("Cycle Length", _text(timing.cycle)), ("Lock Timings", 0),
            ("Referenced To", _FIRST_GREEN), ("Reference Phase", 1), ("Offset", _text(offset)), ("Master", 0),
            ("Yield", 0), ("Node 0", number), ("Node 1", 0))]  # fmt: skip
        phases += _phases(intersection, timing, number)
    section("Links", "Link Data", ["RECORDNAME", "INTID", *BOUNDS], links)
    section("Lanes", "Lane Group Data", ["RECORDNAME", "INTID", *COLUMNS, "PED", "HOLD"], lanes)
    section("Timeplans", "Timing Plan Settings", ["RECORDNAME", "INTID", "DATA"], plans)
    section("Phases", "Phasing Data", ["RECORDNAME", "INTID", *(f"D{k}" for k in range(1, MOST + 1))], phases)
    return out.getvalue()


def utdf_losses(network: Network) -> list[Text]:
    """What a file of this network does not hold, a sentence each."""
    crossings = sum(bool(i.crossings) for i in network.intersections.values())
    out = [
        Text(
            "UTDF holds one plan: hours are not part of it",
            "UTDF chỉ chứa một phương án, không có khung giờ",
        )
    ]
    if crossings:
        out.append(
            Text(
                f"UTDF has no greens of crossings on foot: those of {crossings} signals are those of its stages",
                f"UTDF không có thời gian xanh cho người đi bộ: ở {crossings} nút lấy theo pha",
            )
        )
    return out


def _links(
    network: Network,
    intersection: Intersection,
    columns: Mapping[str, str],
    nodes: Mapping[str, int],
    number: int,
) -> list[list[object]]:
    edges = {columns[m.name][:2]: network.edges[m.start] for m in intersection.movements}
    table: dict[str, dict[str, object]] = {"Up ID": {}, "Lanes": {}, "Name": {}, "Distance": {}, "Speed": {}}
    for bound, edge in edges.items():
        table["Up ID"][bound] = nodes[edge.start]
        table["Lanes"][bound] = sum(network.lanes[lane].vehicles for lane in edge.lanes)
        table["Name"][bound] = edge.name
        table["Distance"][bound] = round(edge.length)
        table["Speed"][bound] = round(edge.speed * 3.6)
    return [[key, number, *(cells.get(bound, "") for bound in BOUNDS)] for key, cells in table.items()]


def _lanes(
    network: Network, intersection: Intersection, columns: Mapping[str, str], nodes: Mapping[str, int],
    number: int, stages: Sequence[StageRow],
) -> list[list[object]]:  # fmt: skip
    table: dict[str, dict[str, object]] = {}
    for movement in intersection.movements:
        column = columns[movement.name]
        table.setdefault("Up Node", {})[column] = nodes[network.edges[movement.start].start]
        table.setdefault("Dest Node", {})[column] = nodes[network.edges[movement.end].end]
        table.setdefault("Lanes", {})[column] = len(movement.approaches)
        table.setdefault("Speed", {})[column] = round(network.edges[movement.start].speed * 3.6)
        if movement.flow is not None:
            table.setdefault("Volume", {})[column] = round(movement.flow * 3600)
        for letter, key in (("G", "Phase"), ("g", "PermPhase")):
            shown = [k for k, row in enumerate(stages, 1) if row.served.get(movement.name) == letter]
            for place, phase in enumerate(shown, 1):
                table.setdefault(f"{key}{place}", {})[column] = phase
    return [[key, number, *(cells.get(c, "") for c in COLUMNS), "", ""] for key, cells in table.items()]


def _phases(intersection: Intersection, timing: Timing, number: int) -> list[list[object]]:
    rows: dict[str, list[object]] = {}
    offset = timing.offset % timing.cycle
    minima = [phase.min_green for phase in intersection.phases]
    for k, (row, start) in enumerate(zip(stage_rows(intersection, timing), timing.starts(), strict=True)):
        times = row.times
        end = start + times.green + times.yellow + times.all_red
        least = min(times.green, minima[k] if k < len(minima) else times.green)
        for key, value in (
            ("BRP", f"11{k + 1}"), ("MinGreen", _text(least)), ("MaxGreen", _text(times.green)),
            ("VehExt", "0"), ("Yellow", _text(times.yellow)), ("AllRed", _text(times.all_red)), ("Recall", "3"),
            ("MinSplit", _text(least + times.yellow + times.all_red)),
            ("Start", _text((offset + start) % timing.cycle)), ("End", _text((offset + end) % timing.cycle)),
            ("LocalStart", _text(start)), ("ActGreen", _text(times.green)),
        ):  # fmt: skip
            rows.setdefault(key, []).append(value)
    return [[key, number, *cells, *[""] * (MOST - len(cells))] for key, cells in rows.items()]


def _text(value: float) -> str:
    return f"{value:.10g}"


def read_utdf(path: Path) -> UtdfFile:
    """The sections of a file, separated by commas or tabs. Raises InputError."""
    text = read_text(path, kind="UTDF file")
    first = next((line for line in text.splitlines() if "RECORDNAME" in line.upper()), "")
    separator = "\t" if first.count("\t") > first.count(",") else ","
    sections: dict[str, list[tuple[int, dict[str, str]]]] = {}
    name, heads, title = "", None, False
    for number, cells in enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=separator), 1):
        if not any(cell.strip() for cell in cells):
            continue
        if cells[0].strip().startswith("[") and cells[0].strip().endswith("]"):
            name, heads, title = cells[0].strip()[1:-1], None, True
            name = {"Timeplan": "Timeplans", "Phase": "Phases"}.get(name, name)
            sections.setdefault(name, [])
        elif title:
            title = False
        elif name and heads is None:
            heads = [csv_text(cell) for cell in cells]
        elif heads is not None:
            sections[name].append((number, dict(zip(heads, map(csv_text, cells), strict=False))))
    for needed in ("Nodes", "Lanes", "Timeplans", "Phases"):
        if needed not in sections:
            raise InputError(
                f"the UTDF file has no section [{needed}]",
                location=str(path),
                remedy="export it combined, as UTDF 7 or 8",
            )
    return UtdfFile(path, sections)


def plan_of_utdf(file: UtdfFile, network: Network) -> tuple[Plan, list[str]]:
    """The plan of a file for a network with its signals, and the ids of nodes that are no signals of it.

    A node is the signal that its DESCRIPTION names. Raises InputError.
    """
    timings, others = {}, []
    planned = {cells.get("INTID", "") for _, cells in file.sections["Timeplans"]}
    names = {cells.get("INTID", ""): cells.get("DESCRIPTION", "") for _, cells in file.sections["Nodes"]}
    for node in sorted(planned, key=lambda id: (len(id), id)):
        signal = names.get(node, "")
        if signal in network.intersections:
            timings[signal] = _timing(file, network, signal, node)
        else:
            others.append(node)
    if not timings:
        raise InputError(
            f"no node of the file is a signal of {network.name}",
            location=str(file.path),
            remedy="write the id of the signal into DESCRIPTION of its node",
        )
    return Plan(timings, f"UTDF of {file.path.name}"), others


def _timing(file: UtdfFile, network: Network, signal: str, node: str) -> Timing:
    intersection = network.intersections[signal]
    location = f"{file.path}, INTID {node}"
    phases, lanes = file.values("Phases", node), file.values("Lanes", node)
    plan = {key: cells.get("DATA", "") for key, cells in file.values("Timeplans", node).items()}
    if plan.get("Referenced To") != str(_FIRST_GREEN):
        raise InputError(
            f"the offset refers to {plan.get('Referenced To', '')!r}, not to the first green (3)",
            location=location,
            remedy="reference offsets to the begin of green in Synchro",
        )
    numbered = {
        head: brp for head, brp in phases.get("BRP", {}).items() if head[:1] == "D" and head[1:].isdigit()
    }
    used = [head for head in numbered if phases.get("ActGreen", phases.get("MaxGreen", {})).get(head)]
    if any(len(numbered[head]) != 3 or numbered[head][1] != "1" for head in used):
        raise InputError(
            "its phases run in several rings",
            location=location,
            remedy="give stages, one ring with a phase for each",
        )
    used.sort(key=lambda head: (numbered[head][0], numbered[head][2]))

    def value(record: str, head: str) -> float:
        return number_of(
            phases.get(record, {}).get(head, ""), f"{record} of {head}", location=location, least=0.0
        )

    columns = {column: name for name, column in utdf_columns(network, signal).items()}
    rows = []
    for head in used:
        green = "ActGreen" if "ActGreen" in phases else "MaxGreen"
        served: dict[str, str] = {}
        for key, letter in (("PermPhase", "g"), ("Phase", "G")):
            for record in [name for name in lanes if name.startswith(key) and name[len(key) :].isdigit()]:
                for column, phase in lanes[record].items():
                    if column in COLUMNS and phase == head[1:]:
                        if column not in columns:
                            raise InputError(f"signal {signal!r} has no movement {column}", location=location,
                                             remedy="give the file of this network")  # fmt: skip
                        served[columns[column]] = letter
        rows.append(
            StageRow(StageTimes(value(green, head), value("Yellow", head), value("AllRed", head)), served)
        )
    offset = number_of(plan.get("Offset", ""), "Offset", location=location)
    reference = plan.get("Reference Phase", "1")
    if not rows or reference not in (used[0][1:], f"{used[0][1:]}00"):
        raise InputError(
            f"the offset refers to phase {reference!r}, not to the first one",
            location=location,
            remedy="reference offsets to the first phase",
        )
    timing = timing_of(intersection, rows, offset, location=location)
    cycle = number_of(plan.get("Cycle Length", ""), "Cycle Length", location=location, least=1.0)
    if math.fabs(cycle - timing.cycle) > 0.05:
        raise InputError(
            f"Cycle Length is {cycle:g} s, its phases add up to {timing.cycle:g} s",
            location=location,
            remedy="correct one of them",
        )
    return timing
