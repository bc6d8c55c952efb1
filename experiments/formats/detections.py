"""Detections of a run as events 82 (on) and 81 (off), as controllers log them, and the table of their detectors.

Each phase of vehicles has an advance detector, on at the moment in which a vehicle would have come to the stop line
without delay: the arrivals of the table of movements, as an advance detector gives them after its travel time is added.
Each stop-line lane has a presence detector of ZONE m before the stop line, seen once a second.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from denxanh.experiments.formats.event_log import Event, device_numbers, phase_numbers
from denxanh.experiments.formats.signal_groups import SignalGroup, signal_groups
from denxanh.sim.run.recording import Recording

ON, OFF = 82, 81
ZONE = 6.0  # m, of a presence detector
PULSE = 0.1  # s, of an advance detector
FIRST_PRESENCE = 65  # number of the first presence detector: advance detectors come before
HEADS = ("DeviceId", "Phase", "Parameter", "Function")


@dataclass(frozen=True)
class Detector:
    """One detector of a signal; ``lane`` of a presence detector, "" of an advance one."""

    device: int
    phase: int
    number: int
    lane: str = ""

    @property
    def function(self) -> str:
        """What ``atspm`` calls it."""
        return "Presence" if self.lane else "Advance"


def detectors_of(recording: Recording) -> list[Detector]:
    """The detectors of all signals: advance ones by phase, presence ones by stop-line lane."""
    network, out = recording.network, list[Detector]()
    devices = device_numbers(network)
    for signal, groups in _groups(recording).items():
        phases = phase_numbers(groups)
        vehicles = [group for group in groups if group.movements]
        out += [Detector(devices[signal], phases[group.name], phases[group.name]) for group in vehicles]
        for k, approach in enumerate(network.intersections[signal].approaches):
            shared = [(len({*group.links} & {*approach.links}), phases[group.name]) for group in vehicles]
            most, phase = max(shared, key=lambda item: (item[0], -item[1]), default=(0, 0))
            if most:
                out.append(Detector(devices[signal], phase, FIRST_PRESENCE + k, approach.lane))
    return out


def detection_events(recording: Recording) -> list[Event]:
    """The events of all detectors, in the order of time, device and detector."""
    found = detectors_of(recording)
    advance = {(one.device, one.phase): one for one in found if not one.lane}
    presence = {one.lane: one for one in found if one.lane}
    return sorted([*_arrivals(recording, advance), *_presence(recording, presence)])


def _groups(recording: Recording) -> dict[str, tuple[SignalGroup, ...]]:
    network = recording.network
    return {name: signal_groups(network, name, [one.program]) for name, one in network.intersections.items()}


def _arrivals(recording: Recording, advance: Mapping[tuple[int, int], Detector]) -> Iterator[Event]:
    devices, by_movement = device_numbers(recording.network), dict[str, tuple[int, int]]()
    for signal, groups in _groups(recording).items():
        phases = phase_numbers(groups)
        for group in groups:
            for movement in group.movements:
                by_movement.setdefault(movement.name, (devices[signal], phases[group.name]))
    found = recording.passages
    for start, end, time in zip(found.start_edge, found.end_edge, found.arrival.tolist(), strict=True):
        place = by_movement.get(f"{start}>{end}")
        if place is not None and recording.begin <= time < recording.end:
            one = advance[place]
            yield time, one.device, ON, one.number
            yield time + PULSE, one.device, OFF, one.number


def _presence(recording: Recording, presence: Mapping[str, Detector]) -> Iterator[Event]:
    found, lanes = recording.trajectories, recording.network.lanes
    number = {lane: k for k, lane in enumerate(found.lanes)}
    for lane, one in presence.items():
        if lane not in number:
            continue
        within = (found.lane == number[lane]) & (found.position > lanes[lane].length - ZONE)
        occupied = np.zeros(found.frames + 2, dtype=np.bool_)
        occupied[found.frame[within] + 1] = True
        for frame in np.flatnonzero(np.diff(occupied)).tolist():
            time = found.begin + frame * found.step
            yield time, one.device, ON if occupied[frame + 1] else OFF, one.number
