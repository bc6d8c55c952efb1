"""Trajectories as bytes: what is decoded is what was recorded, to half a step."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from denxanh.experiments.replay.codec import RESOLUTION, TURN, decode, decode_positions, encode
from denxanh.sim.run.trajectories import Trajectories


def recording(
    vehicle: list[int], frame: list[int], x: list[float], y: list[float], angle: list[float]
) -> Trajectories:
    rows = len(vehicle)
    return Trajectories(
        begin=0.0,
        step=1.0,
        frames=max(frame, default=0) + 1,
        types=("car", "motorbike"),
        lanes=("a_0",),
        vehicle=np.array(vehicle, dtype=np.int32),
        frame=np.array(frame, dtype=np.int32),
        x=np.array(x),
        y=np.array(y),
        angle=np.array(angle, dtype=np.float32),
        speed=np.zeros(rows, dtype=np.float32),
        position=np.zeros(rows, dtype=np.float32),
        type=np.array(vehicle, dtype=np.int32) % 2,
        lane=np.zeros(rows, dtype=np.int32),
    )


KINDS = np.array([0, 1])


def test_positions_are_right_to_half_a_step() -> None:
    random = np.random.default_rng(3)
    vehicle = np.repeat(np.arange(20), 50)
    frame = np.tile(np.arange(50), 20) + vehicle
    x, y = (random.normal(0, 8, len(vehicle)).cumsum() for _ in range(2))
    angle = random.uniform(0, 360, len(vehicle))
    given = recording(vehicle.tolist(), frame.tolist(), x.tolist(), y.tolist(), angle.tolist())
    encoded = encode(given, KINDS, np.zeros((given.frames, 0)), (-3.0, 7.0))
    found = decode_positions(encoded, (-3.0, 7.0))
    assert encoded.tracks == 20
    assert found[:, 0].tolist() == frame.tolist()
    assert np.abs(found[:, 1] - x).max() <= RESOLUTION / 2 + 1e-9
    assert np.abs(found[:, 2] - y).max() <= RESOLUTION / 2 + 1e-9
    apart = np.abs((found[:, 3] - angle + 180) % 360 - 180)
    assert apart.max() <= 360 / TURN / 2 + 1e-3


@pytest.mark.parametrize(
    ("frame", "x", "tracks"),
    [
        ([0, 1, 2, 3], [0.0, 5.0, 10.0, 15.0], 1),
        ([0, 1, 4, 5], [0.0, 5.0, 10.0, 15.0], 2),  # away for two frames, as in a teleport
        ([0, 1, 2, 3], [0.0, 5.0, 9e4, 9e4], 2),  # a jump that the differences cannot hold
    ],
    ids=["whole", "a gap", "a jump"],
)
def test_a_gap_or_a_jump_begins_a_new_track(frame: list[int], x: list[float], tracks: int) -> None:
    given = recording([0] * 4, frame, x, [0.0] * 4, [90.0] * 4)
    encoded = encode(given, KINDS, np.zeros((given.frames, 0)), (0.0, 0.0))
    assert encoded.tracks == tracks
    assert decode_positions(encoded, (0.0, 0.0))[:, 1].tolist() == x


def test_an_empty_road_has_no_track() -> None:
    given = replace(recording([], [], [], [], []), frames=3)
    encoded = encode(given, KINDS, np.zeros((3, 0)), (0.0, 0.0))
    assert encoded.tracks == 0
    assert decode(encoded)["present"].tolist() == [0, 0, 0]
    assert decode_positions(encoded, (0.0, 0.0)).shape == (0, 4)


def test_queues_are_rounded_up_and_held_at_the_longest() -> None:
    given = replace(recording([0], [0], [0.0], [0.0], [0.0]), frames=11)
    queues = np.zeros((11, 2))
    queues[5] = 0.1, 900.0
    queues[10] = 30.0, 0.0
    encoded = encode(given, KINDS, queues, (0.0, 0.0))
    backs = np.cumsum(decode(encoded)["queue"].reshape(2, 3), axis=1) % 256
    assert backs.tolist() == [[0, 1, 15], [0, 255, 0]]
