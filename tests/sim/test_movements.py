"""Movements as an engineer names them: compass, turns and lane groups, on both sides of the road."""

from collections.abc import Callable
from pathlib import Path

import pytest

from denxanh.sim.movements import SignalMovements, compass, signal_movements
from denxanh.sim.network_reader import load_network

OPTIONS = (
    *("--grid", "--grid.x-number", "1", "--grid.y-number", "1", "--grid.attach-length", "150"),
    *("--default-junction-type", "traffic_light", "--seed", "1"),
)
BAYS = ("--turn-lanes", "1", "--turn-lanes.length", "50")


@pytest.fixture(scope="module")
def crossroads(
    tmp_path_factory: pytest.TempPathFactory, sumo_tool: Callable[..., Path]
) -> Callable[..., SignalMovements]:
    """The movements of the one signal of a crossing made with further options."""
    folder = tmp_path_factory.mktemp("crossroads")

    def make(*options: str) -> SignalMovements:
        name = "-".join(option.strip("-") for option in options)
        path = sumo_tool("netgenerate", folder / f"{name}.net.xml", *OPTIONS, *options)
        (found,) = signal_movements(load_network(path)).values()
        return found

    return make


def test_every_approach_has_its_direction_of_travel_and_its_turns(crossroads: Callable[..., SignalMovements]):
    found = crossroads("--default.lanenumber", "3", "--no-turnarounds")
    labels = sorted(movement.label for movement in found.movements)
    assert labels == sorted(bound + turn for bound in ("NB", "EB", "SB", "WB") for turn in "LTR")
    north = {m.label: m for m in found.movements if m.bound == "NB"}
    assert north["NBL"].name == "bottom0A0>A0left0"
    assert north["NBT"].name == "bottom0A0>A0top0"
    assert [north[k].opposed for k in ("NBL", "NBT", "NBR")] == [True, False, False]


def test_exclusive_lanes_and_shared_lanes_are_lane_groups(crossroads: Callable[..., SignalMovements]):
    bays = crossroads(
        "--default.lanenumber", "2", "--no-turnarounds", *BAYS
    )  # through and right, through, left
    assert [group.shared for group in bays.lane_groups] == [True, False, False] * 4
    two = crossroads("--default.lanenumber", "2", "--no-turnarounds")  # left and through, through and right
    assert len(two.lane_groups) == 8
    assert all(group.shared for group in two.lane_groups)
    through = next(m for m in two.movements if m.label == "NBT")
    assert [two.lane_groups[k].lanes for k in through.lane_groups] == [("bottom0A0_0",), ("bottom0A0_1",)]


def test_lanes_of_one_turn_are_one_group(crossroads: Callable[..., SignalMovements]):
    four = crossroads("--default.lanenumber", "4", "--no-turnarounds")
    groups = [group for group in four.lane_groups if group.approach == "bottom0A0"]
    assert sorted(len(group.lanes) for group in groups) == [1, 1, 2]
    (wide,) = (group for group in groups if len(group.lanes) == 2)
    assert wide.movements == ("bottom0A0>A0top0",)


def test_turning_around_belongs_to_the_turn_across_oncoming_traffic(
    crossroads: Callable[..., SignalMovements],
):
    found = crossroads("--default.lanenumber", "2", *BAYS)
    around = next(m for m in found.movements if m.label == "NBU")
    left = next(m for m in found.movements if m.label == "NBL")
    assert around.lane_groups == left.lane_groups
    assert not found.lane_groups[left.lane_groups[0]].shared


def test_in_left_hand_traffic_the_right_turn_crosses_oncoming_traffic(
    crossroads: Callable[..., SignalMovements],
):
    found = crossroads("--default.lanenumber", "3", "--lefthand")
    north = {m.label: m for m in found.movements if m.bound == "NB"}
    assert (north["NBL"].opposed, north["NBR"].opposed) == (False, True)
    assert north["NBL"].name == "bottom0A0>A0left0"
    assert north["NBU"].lane_groups == north["NBR"].lane_groups


def test_compass_points_change_halfway():
    assert [compass(d) for d in (0, 22, 23, 67, 68, 180, 337, 338, 360)] == [
        "N", "N", "NE", "NE", "E", "S", "NW", "N", "N",
    ]  # fmt: skip
