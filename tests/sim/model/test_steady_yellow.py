"""A yellow that never ends, as that of a flashing arrow, lets nobody go in the queue model, nor does it in SUMO."""

from dataclasses import replace

from denxanh.sim.model.plan_arrays import RED, StateTable
from denxanh.sim.plan import Interval, Stage, Timing
from denxanh.sim.testing.check_controller import corridor


def test_a_yellow_that_never_ends_is_red() -> None:
    network = corridor(1)
    program = Timing((Stage("Gy", 20.0, (Interval("yy", 3.0), Interval("ry", 2.0))),))
    intersection = replace(network.intersections["J0"], program=program)
    _, codes = StateTable.of(replace(network, intersections={"J0": intersection}), {}).codes()
    assert (codes[:, 1] == RED).all()
    assert (codes[:, 0] == RED).tolist() == [False, False, True]
