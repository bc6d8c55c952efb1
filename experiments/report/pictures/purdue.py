"""The Purdue coordination diagram: when in the cycle vehicles arrive, over the time of a run.

After Day et al., "Evaluation of traffic signal performance measures" (Purdue, 2010): a dot for each vehicle at its
arrival at the stop line without delay; the cycle runs from one end of green to the next.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from denxanh.experiments.report.decision.names import direction_title
from denxanh.experiments.report.drawing.colour import BLUE, GREEN, VERMILLION
from denxanh.experiments.report.drawing.svg import Axis
from denxanh.experiments.report.pictures.picture import Area, Dots, Entry, Layer, Line, Picture
from denxanh.sim.language.text import Clock, Text, joined, number
from denxanh.sim.movements import SignalMovement, signal_movements
from denxanh.sim.run.recording import Recording
from denxanh.sim.timing.hcm_delay import platoon_ratio


@dataclass(frozen=True)
class Arrivals:
    """The arrivals of one movement in the measured window; times s, shape (vehicles,)."""

    signal: str
    movement: SignalMovement
    time: np.ndarray[tuple[int], np.dtype[np.float64]]
    weight: np.ndarray[tuple[int], np.dtype[np.float64]]  # real vehicles

    @property
    def vehicles(self) -> float:
        """Their number."""
        return float(self.weight.sum())


def arrivals_of(recording: Recording, signal: str, movement: SignalMovement) -> Arrivals:
    """The arrivals of a movement."""
    begin, end = recording.measured
    start, _, stop = movement.name.partition(">")
    found = recording.passages
    pairs = zip(found.start_edge, found.end_edge, strict=True)
    mine = np.array([pair == (start, stop) for pair in pairs], dtype=np.bool_)
    mine &= (found.arrival >= begin - 1e-6) & (found.arrival < end)
    return Arrivals(signal, movement, found.arrival[mine], recording.weight[mine])


def busiest(recording: Recording, signal: str) -> Arrivals | None:
    """The through movement of a signal with the most arrivals, or any movement where none goes straight on."""
    movements = signal_movements(recording.network)[signal].movements
    through = [movement for movement in movements if movement.turn == "through"] or movements
    found = [arrivals_of(recording, signal, movement) for movement in through]
    return max(found, key=lambda one: one.vehicles, default=None)


def on_green(recording: Recording, found: Arrivals) -> float:
    """Share of the arrivals that meet green, 0…1; NaN without arrivals."""
    shown = recording.greens(found.signal, found.movement.links)
    return float(found.weight[shown.contain(found.time)].sum()) / found.vehicles if found.vehicles else np.nan


def purdue_picture(recording: Recording, found: Arrivals, clock: Clock, label: Text) -> Picture:
    """The diagram of one movement under the controller ``label``."""
    begin, end = recording.measured
    shown = recording.greens(found.signal, found.movement.links)
    layers: list[Layer] = []
    x: list[float] = []
    starts: list[float] = []
    stops: list[float] = []
    longest = 1.0
    for before, after in pairwise(shown.stop):
        if after <= begin or before >= end:
            continue
        start = float(shown.start[np.searchsorted(shown.start, before)] - before)
        x += [float(before), float(after)]
        starts += [start] * 2
        stops += [float(after - before)] * 2
        longest = max(longest, float(after - before))
    layers.append(Area([*x, *x[::-1]], [*starts, *stops[::-1]], GREEN, 0.16))
    layers += [Line(x, starts, GREEN, 1.8), Line(x, stops, VERMILLION, 1.8, "7 3")]
    last = np.searchsorted(shown.stop, found.time, side="right") - 1
    known = (last >= 0) & (last < len(shown.stop) - 1)
    dots = found.time[known], found.time[known] - shown.stop[last[known]]
    layers.append(Dots(dots[0].tolist(), dots[1].tolist(), BLUE, 3.2, 0.75))
    share = on_green(recording, found)
    ratio = float(
        platoon_ratio(share * found.vehicles, found.vehicles, shown.seconds(begin, end), end - begin)
    )
    network = recording.network
    street = network.edges[found.movement.name.partition(">")[0]].name
    place = [network.intersections[found.signal].name, *([street] if street else [])]
    named = joined([*place, direction_title(found.movement.label)], ", ")
    return Picture(
        Text("Purdue coordination diagram", "Biểu đồ phối hợp Purdue"),
        Axis.time(begin, end, clock),
        Axis.of([longest], Text("time in the cycle since the end of green, s", "thời gian từ lúc hết xanh, s")),
        tuple(layers),
        named + ", " + label + ": " + number(found.vehicles, 0) + Text(" vehicles, ", " xe, ")
        + (number(100 * share, 0) if found.vehicles else number(None, 0))
        + Text(" % arrive on green, platoon ratio ", " % đến lúc xanh, hệ số đoàn xe ")
        + number(None if np.isnan(ratio) else ratio, 2),
        (
            Entry(Text("begin of green", "bắt đầu xanh"), GREEN, "none"),
            Entry(Text("end of green", "hết xanh"), VERMILLION, "none", "7 3"),
            Entry(Text("a vehicle’s arrival without delay", "một xe đến vạch dừng nếu không bị trễ"), BLUE, "circle"),
        ),
        height=300,
    )  # fmt: skip
