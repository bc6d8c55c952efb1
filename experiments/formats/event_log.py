"""High-resolution event log of a run, as ``atspm`` reads it: TimeStamp, DeviceId, EventId, Parameter.

Events of phases after the Indiana enumeration (2020): 1 begin of green, 7 end of green, 8 begin of yellow, 9 end of
yellow, 10 begin of red clearance, 11 end of red clearance, where the cycle of the phase has them. The phase is the
number of the signal group on the timing sheet, crossings after the vehicles; DeviceId counts the signals by name.
Events 81 and 82 of detectors come from denxanh.experiments.formats.detections.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from denxanh.experiments.formats.signal_groups import SignalGroup, group_colour, signal_groups
from denxanh.experiments.formats.table_text import table_text
from denxanh.sim.network import Network

HEADS = ("TimeStamp", "DeviceId", "EventId", "Parameter")
DAY = datetime(2000, 1, 1)  # the date of a run's midnight, which a scenario does not state
_BEGINS = {"green": 1, "yellow": 8}
_ENDS = {"green": 7, "yellow": 9}
Event = tuple[float, int, int, int]  # s, device, event, phase


def device_numbers(network: Network) -> dict[str, int]:
    """The DeviceId of each signal."""
    return {name: number for number, name in enumerate(sorted(network.intersections), 1)}


def phase_numbers(groups: Sequence[SignalGroup]) -> dict[str, int]:
    """The phase of each group: vehicles by their number, crossings after them."""
    return {group.name: number for number, group in enumerate(groups, 1)}


def signal_events(network: Network, signals: Mapping[str, Any]) -> list[Event]:
    """The events of the table ``signals`` of a run, in the order of time, device and phase."""
    devices = device_numbers(network)
    shown: dict[str, list[tuple[float, str]]] = {}
    for time, name, state in zip(signals["time_s"], signals["signal"], signals["state"], strict=True):
        if str(name) in devices:
            shown.setdefault(str(name), []).append((float(time), str(state)))
    out: list[Event] = []
    for name, rows in shown.items():
        groups = signal_groups(network, name, [network.intersections[name].program])
        phases = phase_numbers(groups)
        shown_by = {g.name: [(time, group_colour(state, g)) for time, state in rows] for g in groups}
        starts = sorted({
            now for colours in shown_by.values() for (_, a), (now, b) in pairwise(colours) if a != b == "green"
        })  # fmt: skip
        for group in groups:
            events = _events(shown_by[group.name], starts)
            out += [(time, devices[name], event, phases[group.name]) for time, event in events]
    return sorted(out)


def _events(colours: Sequence[tuple[float, str]], starts: Sequence[float]) -> Iterator[tuple[float, int]]:
    """(s, event) of one phase. ``starts``: when any phase of the signal turns green, which ends a red clearance."""
    for (_, before), (time, colour) in pairwise(colours):
        if colour == before:
            continue
        if before in _ENDS:
            yield time, _ENDS[before]
        if colour in _BEGINS:
            yield time, _BEGINS[colour]
        elif before in _ENDS:
            yield time, 10
            if (k := bisect.bisect_left(starts, time)) < len(starts):
                yield starts[k], 11


def event_csv(events: Sequence[Event]) -> str:
    """The events as CSV, times to the millisecond."""
    return table_text(
        HEADS,
        (
            [
                (DAY + timedelta(seconds=time)).isoformat(sep=" ", timespec="milliseconds"),
                device,
                event,
                phase,
            ]
            for time, device, event, phase in events
        ),
    )
