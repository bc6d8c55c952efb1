"""Observations made by hand for the two-phase crossing of ``denxanh.sim.testing.check_controller.corridor``."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from denxanh.sim.controller import Observation, Vehicles
from denxanh.sim.testing.check_controller import corridor

Row = tuple[int, float, float] | tuple[int, float, float, float]


@pytest.fixture(scope="session")
def crossing():
    """One intersection; link 0 and phase 0 are the street, link 1 and phase 1 cross it. 12.5 m/s, 200 m."""
    return corridor(1)


@pytest.fixture(scope="session")
def look(crossing) -> Callable[..., Observation]:
    """An observation from rows (link, distance, speed[, wait])."""

    def make(
        rows: Sequence[Row] = (),
        *,
        phase=0,
        elapsed=30.0,
        time=100.0,
        intersection=None,
        halted=(0.0, 0.0),
        room=200.0,
    ):
        rows = sorted(rows)
        link = np.array([row[0] for row in rows], dtype=np.int64)
        distance, speed = (np.array([float(row[k]) for row in rows]) for k in (1, 2))
        wait = np.array([float(row[3]) if len(row) > 3 else 0.0 for row in rows])
        vehicles = Vehicles(
            link,
            link,
            distance,
            speed,
            wait,
            np.full(len(rows), 7.5),
            tuple(f"{k}.{i}" for i, k in enumerate(link)),
        )
        return Observation(
            intersection or crossing.intersections["J0"],
            time,
            phase,
            elapsed,
            vehicles,
            exit_count=np.array(halted),
            exit_halted=np.array(halted),
            exit_room=np.full(2, float(room)),
            red=np.zeros(2),
        )

    return make
