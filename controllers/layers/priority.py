"""Priority as a layer over any strategy: pre-emption for emergencies and motorcades, green time for buses.

The measures are those of the Signal Timing Manual (FHWA-HOP-08-024, chapter 9, "Advanced signal timing
topics"): preemption with an exit phase; for transit green extension and early green (red truncation).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from denxanh.controllers.greens import green_links, green_worth
from denxanh.controllers.layers.layer import Layer, Remembered
from denxanh.sim.controller import Array, Green, Observation, Policy, Request
from denxanh.sim.network import Bools, Intersection, Network
from denxanh.sim.testing.point_queue import START_LOSS
from denxanh.sim.world import PRIORITY_CLASSES

URGENT = frozenset({"army", "authority", "emergency", "vip"})
"""Classes that pre-empt; the others of PRIORITY_CLASSES are public transport, whose requests are weighed."""


@dataclass(frozen=True)
class Priority(Layer):
    """Priority for emergencies and buses over another strategy (``over=NAME``). Sees requests and vehicles.

    An emergency gets the phase that serves its whole approach, early enough for the queue before it to leave,
    and keeps it until it has crossed; then the link with the longest red is served first. A bus gets a green
    extended by up to ``extension`` s, or a red cut short unless another vehicle has waited ``patience`` s.
    """

    name: ClassVar[str] = "priority"
    sees: ClassVar[frozenset[str]] = frozenset({"vehicles", "exits", "requests"})

    over: str = "max-pressure"  # the strategy below: NAME or NAME:key=value,…
    classes: str = "bus+emergency"  # SUMO's vehicle classes that are served, joined by +
    margin: float = 30.0  # s that the way should be clear before an emergency arrives; 8 loses a tenth of its
    # speed on ha-noi/pho-hue, 100 gains a hundredth more and costs the others twice as much (docs/priority.md)
    presence: float = 180.0  # s after which pre-emption ends for an emergency that does not get through
    exit_green: float = 10.0  # s of green for the longest red, after a pre-emption
    extension: float = 12.0  # s that a green may last longer for a bus
    early: float = 15.0  # s before a bus is due at the end of the queue that a red may end for it
    patience: float = 75.0  # s of red, with a vehicle waiting, after which no bus has priority

    def __post_init__(self) -> None:
        unknown = sorted(set(self.classes.split("+")) - PRIORITY_CLASSES)
        if unknown:
            raise ValueError(f"there is no priority for the class {unknown[0]!r}")
        object.__setattr__(self, "sees", self.below().sees | {"vehicles", "requests"})

    def start(self, network: Network) -> Mapping[str, Policy]:
        """A policy that remembers its requests, per intersection."""
        return {
            name: _Priority(self, network.intersections[name], policy, network)
            for name, policy in self.policies(network).items()
        }


class _Priority:
    """Priority at one signal."""

    def __init__(self, rule: Priority, intersection: Intersection, policy: Policy, network: Network) -> None:
        self.rule = rule
        self.classes = frozenset(rule.classes.split("+"))
        self.below = Remembered(policy)
        self.greens: Bools = green_links(intersection)
        self.phase_for = [
            _phase_for(intersection, number, network) for number in range(len(intersection.movements))
        ]
        self.serves: list[Bools] = [  # (phases,) by movement
            np.any(self.greens[:, list(movement.links)], axis=1) for movement in intersection.movements
        ]
        edge_of = [network.lanes[a.lane].edge for a in intersection.approaches]
        self.beside = [[i for i, e in enumerate(edge_of) if e == m.start] for m in intersection.movements]
        self.headway = [1.0 / approach.saturation_flow for approach in intersection.approaches]  # s
        self.change = intersection.yellow + intersection.all_red  # s
        self.first_seen: dict[str, float] = {}
        self.preempted = False
        self.exit: int | None = None
        self.held = 0.0  # s that the present green was extended

    def __call__(self, seen: Observation) -> Green:
        asked = [r for r in seen.requests if r.vclass in self.classes]
        urgent = self._urgent(asked, seen)
        if urgent is not None:
            self.preempted = True
            self.below.forget()
            return self._towards(self.phase_for[urgent.movement], seen)
        if self.preempted:
            self.preempted = False
            self.exit = self._longest_red(seen)
        if self.exit is not None:
            if seen.phase != self.exit or seen.elapsed < self.rule.exit_green:
                return self._towards(self.exit, seen)
            self.exit = None
        return self._transit([r for r in asked if r.vclass not in URGENT], seen)

    def _urgent(self, asked: Sequence[Request], seen: Observation) -> Request | None:
        """The first emergency for which pre-emption must begin now."""
        due = []
        for request in asked:
            if request.vclass not in URGENT:
                continue
            phase = self.phase_for[request.movement]
            change = 0.0 if phase == seen.phase else seen.minimum_left + self.change
            lead = change + self._queue(request, seen) + self.rule.margin
            since = self.first_seen.get(request.vehicle)
            if request.free <= lead or since is not None:  # once prepared for, it stays so
                since = self.first_seen.setdefault(request.vehicle, seen.time)
                if seen.time - since <= self.rule.presence:
                    due.append((request.free, request.vehicle, request))
        return min(due)[2] if due else None

    def _queue(self, request: Request, seen: Observation) -> float:
        """How long the vehicles before it on the worst lane of its road take to leave, s."""
        vehicles = seen.vehicles
        ahead = seen.count(vehicles.distance < request.distance)  # (approaches,)
        times = [ahead[i] * self.headway[i] for i in self.beside[request.movement]]
        return max(times) + START_LOSS if times and max(times) > 0 else 0.0

    def _transit(self, buses: Sequence[Request], seen: Observation) -> Green:
        request = self.below.request(seen)
        if not buses or seen.minimum_left > 0:
            return self._show(request.phase, seen)
        here = [r for r in buses if self.serves[r.movement][seen.phase]]
        if request.phase != seen.phase and here:
            due = min(r.free for r in here)
            if self.held + due <= self.rule.extension and self._patient(seen.phase, seen):
                self.held += seen.step
                return Green(seen.phase, seen.step)
        elif not here:
            due_first = min(buses, key=lambda r: (r.free, r.vehicle))
            phase = self.phase_for[due_first.movement]
            soon = self.change + self._queue(due_first, seen) + self.rule.early
            if due_first.free <= soon and self._patient(phase, seen):
                self.below.forget()
                return self._show(phase, seen)
        return self._show(request.phase, seen)

    def _patient(self, phase: int, seen: Observation) -> bool:
        """Whether no waiting link that ``phase`` does not serve has been red for ``patience`` s."""
        waiting = (seen.count_by_link() > 0) & ~self.greens[phase]
        return not bool(np.any(seen.red[waiting] > self.rule.patience))

    def _longest_red(self, seen: Observation) -> int | None:
        """The phase whose waiting link has been red longest, or None if no vehicle waits."""
        red: Array = np.where(seen.count_by_link() > 0, seen.red, 0.0)
        longest = np.max(self.greens * red, axis=1)  # (phases,)
        return int(np.argmax(longest)) if longest.max() > 0 else None

    def _towards(self, phase: int, seen: Observation) -> Green:
        return self._show(seen.phase if seen.minimum_left > 0 else phase, seen)

    def _show(self, phase: int, seen: Observation) -> Green:
        if phase != seen.phase:
            self.held = 0.0
        return Green(phase, seen.step)


def _phase_for(intersection: Intersection, number: int, network: Network) -> int:
    """The phase that serves a movement best: with right of way, and with it as much of its road as possible."""
    movement = intersection.movements[number]
    worth = green_worth(intersection, 0.25)  # (phases, n_links)
    road = [link.index for link in intersection.links if _edge(link.start, network) == movement.start]
    score = worth[:, list(movement.links)].sum(axis=1) * intersection.n_links + worth[:, road].sum(axis=1)
    return int(np.argmax(score))


def _edge(lane: str, network: Network) -> str:
    return network.lanes[lane].edge if lane in network.lanes else ""
