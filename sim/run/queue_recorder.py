"""Recording of queues for the table of movements: the back of queue and the halts, sampled through a run."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from denxanh.sim.measures.movement_table import Queues
from denxanh.sim.network import Network
from denxanh.sim.world import HALTED_SPEED, World


class QueueRecorder:
    """Samples the halted vehicles on the approaches of all signals."""

    def __init__(self, world: World, network: Network) -> None:
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
        self.remaining: list[tuple[str, str, str]] = []

    def sample(self) -> None:
        """Record the queues at this moment."""
        world = self._world
        now = world.begin + world.steps * world.step
        back = np.zeros(len(self._approaches))
        halted: set[str] = set()
        for lane, leads in self._leads.items():
            if not world.halted(lane):
                continue
            length = self._network.lanes[lane].length
            waiting = [one for one in world.on_lane(lane) if one.speed < HALTED_SPEED and not one.stopped]
            halted.update(one.id for one in waiting)
            if waiting:
                rear = max(length - one.position + one.space for one in waiting)
                for k, beyond in leads:
                    back[k] = max(back[k], beyond + rear)
        for name in halted - self._halted:
            self._halts[name].append(now)
        self._halted = halted
        self._times.append(now)
        self._back.append(back)

    def note_remaining(self) -> None:
        """Note the vehicles in front of the stop lines, and the roads that they want to take, at the end of a run."""
        for lane in sorted({approach.lane for approach in self._approaches}):
            edge = self._network.lanes[lane].edge
            for vehicle in self._world.on_lane(lane):
                after = self._world.next_edge(vehicle.id, edge)
                if after:
                    self.remaining.append((vehicle.id, lane, after))

    def queues(self) -> Queues:
        """What was recorded."""
        lanes = tuple(approach.lane for approach in self._approaches)
        back = np.array(self._back) if self._back else np.zeros((0, len(lanes)))
        return Queues(np.array(self._times), lanes, back, dict(self._halts))
