"""Recording of queues for the table of movements: the back of queue and the halts, sampled through a run."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from denxanh.sim.measures.movement_table import Queues
from denxanh.sim.measures.signal_passages import Remaining
from denxanh.sim.network import Network
from denxanh.sim.sumo.backend.sumo_world import SumoWorld


class QueueRecorder:
    """Samples the halted vehicles on the approaches of all signals."""

    def __init__(self, world: SumoWorld, network: Network) -> None:
        self._world = world
        self._network = network
        intersections = network.intersections.values()
        self._approaches = [approach for one in intersections for approach in one.approaches]
        # each road lane, with the stop-line lanes that it leads to and the distance to their stop lines, m
        self._leads: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for k, approach in enumerate(self._approaches):
            for segment in approach.segments:
                self._leads[segment.lane].append((k, segment.beyond))
        self._times: list[float] = []
        self._back: list[np.ndarray[tuple[int], np.dtype[np.float64]]] = []
        self._halted: set[str] = set()
        self._halts: dict[str, list[float]] = defaultdict(list)
        self.remaining: list[Remaining] = []

    def sample(self) -> None:
        """Record the queues at this moment."""
        world = self._world
        now = world.begin + world.steps * world.step
        back = np.zeros(len(self._approaches))
        halted: set[str] = set()
        count = world.halted
        for lane, leads in self._leads.items():
            if not count(lane):
                continue
            waiting = world.standing(lane)
            if waiting:
                halted.update([one.id for one in waiting])
                rear = self._network.lanes[lane].length + max([one.space - one.position for one in waiting])
                for k, beyond in leads:
                    back[k] = max(back[k], beyond + rear)
        for name in halted - self._halted:
            self._halts[name].append(now)
        self._halted = halted
        self._times.append(now)
        self._back.append(back)

    def note_remaining(self) -> None:
        """Note the vehicles in front of the stop lines and on the junctions at the end of a run."""
        world, lanes = self._world, self._network.lanes
        for lane in sorted({approach.lane for approach in self._approaches}):
            for vehicle in world.on_lane(lane):
                after = world.next_edge(vehicle.id, lanes[lane].edge)
                if after:
                    self.remaining.append(Remaining(vehicle.id, lane, after, vehicle.position))
        links = [link for one in self._network.intersections.values() for link in one.links]
        for link in (link for link in links if link.via and not link.crossing):
            for lane in (link.via, *link.further):
                for vehicle in world.on_lane(lane):
                    row = vehicle.id, link.start, lanes[link.end].edge, lanes[link.start].length
                    self.remaining.append(Remaining(*row))

    def queues(self) -> Queues:
        """What was recorded."""
        lanes = tuple(approach.lane for approach in self._approaches)
        back = np.array(self._back) if self._back else np.zeros((0, len(lanes)))
        return Queues(np.array(self._times), lanes, back, dict(self._halts))
