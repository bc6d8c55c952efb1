"""Trajectories: where each vehicle of a run was at each second, from SUMO's floating car data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from denxanh.sim.errors import RunError
from denxanh.sim.network import Network
from denxanh.sim.world import HALTED_SPEED

COLUMNS = ("x", "y", "angle", "type", "speed", "pos", "lane")


@dataclass(frozen=True)
class Trajectories:
    """One row per vehicle and frame, shape (rows,), sorted by vehicle, then frame.

    Frame k is ``begin + k * step`` s. ``x`` and ``y`` (m) are the middle of the front bumper; ``angle`` is clockwise
    from north, degrees.
    """

    begin: float  # s
    step: float  # s
    frames: int
    types: tuple[str, ...]
    lanes: tuple[str, ...]
    vehicle: NDArray[np.int32]
    frame: NDArray[np.int32]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    angle: NDArray[np.float32]
    speed: NDArray[np.float32]  # m/s
    position: NDArray[np.float32]  # m from the begin of the lane
    type: NDArray[np.int32]  # number in ``types``
    lane: NDArray[np.int32]  # number in ``lanes``

    def __len__(self) -> int:
        return len(self.vehicle)

    def present(self) -> NDArray[np.int64]:
        """Vehicles on the road in each frame, shape (frames,)."""
        return np.bincount(self.frame, minlength=self.frames)

    def halted(self) -> NDArray[np.int64]:
        """Vehicles slower than HALTED_SPEED in each frame, shape (frames,)."""
        return np.bincount(self.frame[self.speed < HALTED_SPEED], minlength=self.frames)


def read_trajectories(path: Path, begin: float, end: float, step: float) -> Trajectories:
    """Read SUMO's --fcd-output (Parquet) of a run from ``begin`` to ``end``, recorded every ``step`` s.

    Raises RunError for a file that is missing or not whole.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(path).read()
        table = table.filter(pc.is_valid(table.column("vehicle_id")))  # SUMO writes a row for an empty road
    except (OSError, pa.ArrowException, KeyError) as error:
        raise RunError(f"SUMO's trajectories cannot be read ({error}): the disk may be full") from None

    def coded(name: str) -> tuple[NDArray[np.int32], tuple[str, ...]]:
        column = table.column(name).combine_chunks().dictionary_encode()
        if isinstance(column, pa.ChunkedArray):
            column = column.combine_chunks()
        return column.indices.to_numpy(zero_copy_only=False).astype(np.int32), tuple(
            column.dictionary.to_pylist()
        )

    def plain(name: str) -> NDArray[np.float64]:
        return np.asarray(table.column(name).to_numpy(), dtype=np.float64)

    vehicle, _ = coded("vehicle_id")
    kind, types = coded("vehicle_type")
    lane, lanes = coded("vehicle_lane")
    frame = np.round((plain("timestep_time") - begin) / step).astype(np.int32)
    order = np.lexsort((frame, vehicle))
    single = np.float32
    return Trajectories(
        begin=begin,
        step=step,
        frames=int(np.ceil((end - begin) / step - 1e-9)),
        types=types,
        lanes=lanes,
        vehicle=vehicle[order],
        frame=frame[order],
        x=plain("vehicle_x")[order],
        y=plain("vehicle_y")[order],
        angle=plain("vehicle_angle")[order].astype(single),
        speed=plain("vehicle_speed")[order].astype(single),
        position=plain("vehicle_pos")[order].astype(single),
        type=kind[order],
        lane=lane[order],
    )


def back_of_queue(
    trajectories: Trajectories, network: Network, lengths: Mapping[str, float], lanes: Sequence[str]
) -> NDArray[np.float64]:
    """Distance from each stop line to the end of the last halted vehicle, m, shape (frames, lanes); 0 without a queue.

    ``lanes`` are stop-line lanes of the network's approaches; ``lengths`` is the length of vehicles by type, m. Queues
    that reach across short lanes are followed as far as the approach reaches.
    """
    number = {lane: k for k, lane in enumerate(lanes)}
    numbers = {lane: k for k, lane in enumerate(trajectories.lanes)}
    out = np.zeros((trajectories.frames, len(lanes)))
    halted = np.flatnonzero(trajectories.speed < HALTED_SPEED)
    halted = halted[np.argsort(trajectories.lane[halted], kind="stable")]
    where = trajectories.lane[halted]
    length = np.array([lengths.get(name, 5.0) for name in trajectories.types])
    for intersection in network.intersections.values():
        for approach in intersection.approaches:
            if approach.lane not in number:
                continue
            for segment in approach.segments:
                if segment.lane not in numbers:
                    continue
                code = numbers[segment.lane]
                rows = halted[np.searchsorted(where, code) : np.searchsorted(where, code, side="right")]
                rear = network.lanes[segment.lane].length - trajectories.position[rows]
                back = segment.beyond + rear + length[trajectories.type[rows]]
                np.maximum.at(out[:, number[approach.lane]], trajectories.frame[rows], back)
    return out
