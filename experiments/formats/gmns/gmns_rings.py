"""Stages from phases in rings and barriers, as the signal tables of GMNS list them (NEMA).

Phases of one ring follow each other, those of different rings run side by side up to a barrier, which all rings cross
together. With fixed times this determines what is green at every second, and so the stages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from denxanh.experiments.formats.table_text import TableRow
from denxanh.sim.errors import InputError

_CLOSE = 0.05  # s, as tables round


@dataclass(frozen=True)
class RingPhase:
    """A phase in the cycle: green from ``start`` to ``end``, s; its clearance goes on to ``clear``."""

    id: str
    number: str
    start: float
    end: float
    clear: float


@dataclass(frozen=True)
class RingStage:
    """A stage: the phases that are green at its begin, its green and the clearance of those that end, s."""

    phases: tuple[RingPhase, ...]
    start: float
    green: float
    clearance: float


def ring_phases(rows: Sequence[TableRow], cycle: float | None, clearance: float) -> list[RingPhase]:
    """When each phase of one timing plan is green in its cycle.

    Greens of a plan that add up to its cycle without the clearances are splits, which include them. One phase of a ring
    before a barrier may come without a green, if only people on foot use it: it takes what the other rings leave, and
    their clearance where it states none.
    ``clearance`` is that of a phase that states none. Raises InputError.
    """
    for row in rows:
        least, most = row.number("min_green", missing=0.0, least=0.0), row.text("max_green")
        if most and abs(row.number("max_green", least=0.0) - least) > _CLOSE:
            raise InputError(
                f"phase {row.text('signal_phase_num')} has greens from {least:g} to {row.number('max_green'):g} s",
                location=row.location, remedy="give one green: a fixed plan has no actuated phases",
            )  # fmt: skip
    with_clearance = [_barriers(rows, clearance, splits=splits) for splits in (False, True)]
    lengths = [
        sum(max(sum(d for _, _, d in ring) for ring in one) for one in found) for found in with_clearance
    ]
    which = 1 if cycle is not None and abs(lengths[1] - cycle) <= _CLOSE < abs(lengths[0] - cycle) else 0
    out, begin = [], 0.0
    for rings in with_clearance[which]:
        length = max(sum(d for _, _, d in ring) for ring in rings)
        stated = [ring[-1][1] for ring in rings if ring[-1][0].text("clearance")]
        for ring in rings:
            open_ended = [k for k, (row, _, _) in enumerate(ring) if not row.text("min_green")]
            rest = length - sum(d for _, _, d in ring)
            if (open_ended and len(open_ended) > 1) or (not open_ended and rest > _CLOSE):
                row = ring[-1][0]
                raise InputError(
                    f"ring {row.text('ring')} comes to barrier {row.text('barrier')} {rest:g} s before the other ring",
                    location=row.location, remedy="give rings that are equally long between barriers",
                )  # fmt: skip
            now = begin
            for k, (row, own, duration) in enumerate(ring):
                clear = max(stated, default=own) if k in open_ended and not row.text("clearance") else own
                whole = duration + (rest if k in open_ended else 0.0)
                if whole - clear <= 0:
                    number = row.text("signal_phase_num")
                    raise InputError(
                        f"phase {number} has no green: {whole:g} s with a clearance of {clear:g} s",
                        location=row.location, remedy="give a longer green",
                    )  # fmt: skip
                out.append(
                    RingPhase(
                        row.text("timing_phase_id"),
                        row.text("signal_phase_num"),
                        now,
                        now + whole - clear,
                        now + whole,
                    )
                )
                now += whole
        begin += length
    return out


def _barriers(
    rows: Sequence[TableRow], clearance: float, *, splits: bool
) -> list[list[list[tuple[TableRow, float, float]]]]:
    """By barrier, ring and position: the row, its clearance and its whole duration, s."""
    found: dict[float, dict[float, list[tuple[TableRow, float, float]]]] = {}
    for row in sorted(rows, key=lambda row: row.number("position", least=0)):
        clear = row.number("clearance", missing=clearance, least=0.0)
        green = row.number("min_green", missing=0.0, least=0.0)
        duration = green + (clear if row.text("min_green") and not splits else 0.0)
        rings = found.setdefault(row.number("barrier", least=0), {})
        rings.setdefault(row.number("ring", least=0), []).append((row, clear, duration))
    return [[rings[ring] for ring in sorted(rings)] for _, rings in sorted(found.items())]


def ring_stages(phases: Sequence[RingPhase], location: str) -> list[RingStage]:
    """The stages of phases in rings: one from each moment at which a phase begins. Raises InputError."""
    cycle = max(phase.clear for phase in phases)
    starts: list[float] = []
    for time in sorted(phase.start for phase in phases):
        if not starts or time - starts[-1] > _CLOSE:
            starts.append(time)
    out = []
    for start, after in zip(starts, [*starts[1:], cycle], strict=True):
        shown = tuple(
            phase for phase in phases if phase.start <= start + _CLOSE and phase.end > start + _CLOSE
        )
        ends = sorted(phase.end for phase in shown if phase.end < after - _CLOSE)
        if not ends or ends[-1] - ends[0] > _CLOSE:
            raise InputError(
                f"at {after:g} s of the cycle the phases of the rings do not end together", location=location,
                remedy="give phases that end before one barrier the same clearance",
            )  # fmt: skip
        out.append(RingStage(shown, start, ends[0] - start, after - ends[0]))
    return out


def letters_of(stage: RingStage, served: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """The letter of each movement in a stage: protected where one of its phases says so."""
    out: dict[str, str] = {}
    for phase in stage.phases:
        for movement, letter in served.get(phase.id, {}).items():
            out[movement] = "G" if "G" in (letter, out.get(movement, "")) else letter
    return out
