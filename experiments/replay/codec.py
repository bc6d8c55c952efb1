"""Trajectories as compressed bytes, which ``replay.js`` decodes: tracks by vehicle, quantised, as differences.

A track is a vehicle in consecutive frames. The bytes are the sections of ``layout`` one after the other, in gzip:
the head of each track (type, first frame, number of frames, position, angle), then the differences from frame to frame
of all tracks (x and y in units of RESOLUTION, zigzag, low bytes and high bytes apart; angles in 256ths of a turn).
"""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from denxanh.sim.run.trajectories import Trajectories

RESOLUTION = 0.25  # m
TURN = 256  # steps of an angle in a full turn
QUEUE_UNIT = 2.0  # m, of a back of queue
QUEUE_PERIOD = 5  # frames between two backs of queue
_FARTHEST = 1 << 15  # units in one frame; a longer jump, as of a teleport, begins a new track


@dataclass(frozen=True)
class Encoded:
    """Compressed bytes, and the sections in them: name, type of JavaScript's typed arrays, number of items."""

    content: bytes
    layout: tuple[tuple[str, str, int], ...]
    tracks: int


def encode(
    trajectories: Trajectories,
    kinds: NDArray[np.integer],
    queues: NDArray[np.float64],
    origin: tuple[float, float],
) -> Encoded:
    """Encode a run. ``kinds`` is the drawn kind of each type, shape (types,); ``queues`` (frames, lanes) m.

    Positions are relative to ``origin``, m.
    """
    x = _quantised(trajectories.x - origin[0])
    y = _quantised(trajectories.y - origin[1])
    angle = np.round(trajectories.angle / 360.0 * TURN).astype(np.int64) % TURN
    dx, dy = np.diff(x), np.diff(y)
    joined = np.diff(trajectories.vehicle) == 0
    joined &= np.diff(trajectories.frame) == 1
    joined &= (np.abs(dx) < _FARTHEST) & (np.abs(dy) < _FARTHEST)
    first = np.flatnonzero(np.concatenate([np.ones(min(len(x), 1), dtype=np.bool_), ~joined]))
    count = np.diff(np.append(first, len(x)))
    wx, wy = _zigzag(dx[joined]), _zigzag(dy[joined])
    backs = np.minimum(np.ceil(queues[::QUEUE_PERIOD] / QUEUE_UNIT), 255).astype(np.int64)
    parts: list[tuple[str, NDArray[np.generic]]] = [
        ("kind", kinds[trajectories.type[first]].astype("<u1")),
        ("turn", angle[first].astype("<u1")),
        ("dxLow", (wx & 255).astype("<u1")),
        ("dxHigh", (wx >> 8).astype("<u1")),
        ("dyLow", (wy & 255).astype("<u1")),
        ("dyHigh", (wy >> 8).astype("<u1")),
        ("dTurn", (np.diff(angle)[joined] % TURN).astype("<u1")),
        ("queue", (np.diff(backs, axis=0, prepend=0) % 256).T.astype("<u1").ravel()),
        ("first", trajectories.frame[first].astype("<i4")),
        ("count", count.astype("<i4")),
        ("x", x[first].astype("<i4")),
        ("y", y[first].astype("<i4")),
        ("present", trajectories.present().astype("<i4")),
        ("halted", trajectories.halted().astype("<i4")),
    ]
    names = {"u1": "Uint8Array", "i4": "Int32Array"}
    content = b"".join(part.tobytes() for _, part in parts)
    return Encoded(
        gzip.compress(content, 9, mtime=0),
        tuple((name, names[part.dtype.str[1:]], part.size) for name, part in parts),
        len(first),
    )


def decode(encoded: Encoded) -> Mapping[str, NDArray[np.generic]]:
    """The sections of an encoded run by name, as the page reads them."""
    content, out, at = gzip.decompress(encoded.content), {}, 0
    types = {"Uint8Array": "<u1", "Int32Array": "<i4"}
    for name, kind, size in encoded.layout:
        out[name] = np.frombuffer(content, types[kind], size, at)
        at += out[name].nbytes
    return out


def decode_positions(encoded: Encoded, origin: tuple[float, float]) -> NDArray[np.float64]:
    """Frame, x, y (m) and angle (degrees) of each row in the order of the tracks, shape (rows, 4)."""
    parts = {name: part.astype(np.int64) for name, part in decode(encoded).items()}
    wide = {
        "x": _unzigzag(parts["dxLow"] | parts["dxHigh"] << 8),
        "y": _unzigzag(parts["dyLow"] | parts["dyHigh"] << 8),
        "turn": parts["dTurn"],
    }
    rows, at = [], 0
    for k, count in enumerate(parts["count"]):
        steps = slice(at, at + count - 1)
        x, y, turn = (np.cumsum(np.append(parts[name][k], wide[name][steps])) for name in ("x", "y", "turn"))
        frame = parts["first"][k] + np.arange(count)
        rows.append(
            np.column_stack(
                [frame, x * RESOLUTION + origin[0], y * RESOLUTION + origin[1], turn % TURN * 360.0 / TURN]
            )
        )
        at += count - 1
    return np.concatenate(rows) if rows else np.zeros((0, 4))


def _quantised(metres: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.round(metres / RESOLUTION).astype(np.int64)


def _zigzag(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """0, −1, 1, −2, … as 0, 1, 2, 3, …: small differences of either sign have an empty high byte."""
    return (values << 1) ^ (values >> 63)


def _unzigzag(values: NDArray[np.int64]) -> NDArray[np.int64]:
    return (values >> 1) ^ -(values & 1)
