"""The stop line: observation of scenes made by hand, and its picture."""

import math
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

from denxanh.networks.build import building
from denxanh.networks.calibration import stop_line, stop_line_picture
from denxanh.networks.calibration.saturation_flow import GREEN, LANE_WIDTH, LANES
from denxanh.networks.calibration.stop_line import CYCLE, Cycle, Observation, Standing
from denxanh.networks.place import vehicles

TWO = frozenset({"motorbike"})
SIZE = {"motorbike": (1.9, 0.65), "car": (4.5, 2.0)}  # length, width, m


def scenes_of(
    cars: dict[str, tuple[int, float]], bikes: dict[str, tuple[int, float, float]]
) -> dict[int, dict[str, Standing]]:
    """Cars (lane, x) that stop 20 s after the green; motorbikes (lane, x until second 80, x afterwards)."""
    found: dict[int, dict[str, Standing]] = {}
    for second in range(int(CYCLE) + 1):
        moving = second < GREEN + 20
        scene = {
            id: Standing(id, "car", lane, x, 1.75, 5.0 if moving else 0.0) for id, (lane, x) in cars.items()
        }
        scene |= {
            id: Standing(id, "motorbike", lane, before if second < 80 else after, 1.0, 0.0)
            for id, (lane, before, after) in bikes.items()
        }
        found[second] = scene
    return found


def observed(scenes: dict[int, dict[str, Standing]], left: dict[str, float]) -> Cycle:
    return stop_line.observe_cycle(scenes, left, TWO, 0.0, SIZE)


def test_two_wheelers_that_were_behind_a_car_and_end_ahead_of_it_have_filtered() -> None:
    scenes = scenes_of(
        {"car": (0, 1.0)},
        {
            "passed": (0, 12.0, 0.5),
            "stayed": (0, 9.0, 9.0),
            "beside": (1, 12.0, 0.5),  # another lane
            "far": (0, 52.0, 0.8),  # more than 50 m behind it
            "ahead": (0, 0.2, 0.2),
        },
    )
    cycle = observed(scenes, {})
    assert (cycle.behind, cycle.passed) == (2, 1)
    assert (cycle.front, cycle.front_all) == (4, 5)


def test_a_car_that_stood_before_the_red_counts_for_nobody() -> None:
    scenes = scenes_of({"car": (0, 1.0)}, {"bike": (0, 12.0, 0.5)})
    for scene in scenes.values():
        car = scene["car"]
        scene["car"] = Standing(car.id, car.type, car.lane, car.x, car.y, 0.0)
    assert observed(scenes, {}).behind == 0


def test_discharge_is_counted_in_slices_of_the_green_that_follows() -> None:
    times = [CYCLE + t for t in (0.5, 3.9, 4.0, 9.9, 10.0, 37.9, 38.0, 39.9)]
    left = {f"v{k}": t for k, t in enumerate([CYCLE - 1, *times, CYCLE + GREEN])}
    cycle = observed(scenes_of({}, {}), left)
    assert cycle.discharge.tolist() == [2, 1, 1 + 1, 0, 0, 0, 0, 0, 0, 3]
    assert (cycle.early, cycle.steady) == (4, 2)


def test_the_queue_lasts_if_a_vehicle_that_stood_leaves_late() -> None:
    scenes = scenes_of({}, {"bike": (0, 40.0, 40.0)})
    assert not observed(scenes, {"bike": CYCLE + 20}).lasted
    assert observed(scenes, {"bike": CYCLE + 39}).lasted
    assert observed(scenes, {}).lasted


def test_entropy_is_that_of_the_strips() -> None:
    width = LANE_WIDTH / 4
    middle = [(k + 0.5) * width for k in range(4)]
    assert stop_line.lateral_entropy(middle) == pytest.approx(math.log(4))
    assert stop_line.lateral_entropy([middle[0], LANE_WIDTH + middle[0]]) == 0  # the same strip of two lanes
    assert stop_line.lateral_entropy([middle[0], middle[3]] * 5) == pytest.approx(math.log(2))
    assert stop_line.lateral_entropy([]) == 0
    assert stop_line.lateral_entropy([LANE_WIDTH - 1e-12]) == 0


def observation(front: list[int], early: list[int], *, steady: int = 28, lasted: bool = True) -> Observation:
    """Cycles with a steady flow of 1 veh/s."""
    cycles = tuple(
        Cycle(4, 1, f, f + 1, 1.0, 5, 1, np.full(10, 4.0), e, steady, lasted)
        for f, e in zip(front, early, strict=True)
    )
    return Observation(cycles, contacts=0, cpu=1.0, scene=())


def test_lost_time_is_greenshields_and_its_slope_that_of_the_cycles() -> None:
    run = observation([2, 4, 6], [9, 8, 7])  # lost 1, 2 and 3 s
    assert run.lost_time == pytest.approx(2)
    assert run.flow == pytest.approx(1)
    assert run.filtering == pytest.approx(0.25)
    assert run.front_share == pytest.approx(12 / 15)
    assert run.discharge.tolist() == pytest.approx([3600 / (LANES * LANE_WIDTH)] * 10)
    slope = stop_line.lost_time_slope([run])
    assert (slope.mean, slope.half) == (pytest.approx(0.5), pytest.approx(0, abs=1e-6))


def test_greens_that_outlast_their_queue_have_no_saturation_flow() -> None:
    run = observation([2, 4, 6], [9, 8, 7], lasted=False)
    assert math.isnan(run.flow)
    assert math.isnan(run.lost_time)
    assert stop_line.lost_time_slope([run]).n == 0


def test_fcd_is_read_with_distances_to_the_stop_line_and_the_kerb(tmp_path: Path) -> None:
    (tmp_path / "fcd.xml").write_text(
        '<fcd-export><timestep time="5.00">'
        '<vehicle id="a" type="car" x="690" y="-5.25" speed="0" pos="690" lane="approach_0"/>'
        '<vehicle id="b" type="car" x="710" y="-5.25" speed="9" pos="10" lane="exit_0"/>'
        "</timestep></fcd-export>"
    )
    assert stop_line.read_scenes(tmp_path / "fcd.xml") == {5: {"a": Standing("a", "car", 0, 10.0, 1.75, 0.0)}}


def test_the_picture_is_to_scale() -> None:
    types = vehicles.types()
    scene = [Standing("a<b", "bus", 0, 1.0, 1.75, 0.0), Standing("far", "car", 1, 60.0, 5.25, 0.0)]
    root = ET.fromstring(stop_line_picture.picture(scene, types, "a & b"))
    bodies = [e for e in root.iter() if e.get("rx")]
    scale = stop_line_picture.SCALE
    assert [(float(b.get("width", "0")), float(b.get("height", "0"))) for b in bodies] == [
        (12 * scale, 2.7 * scale)
    ]
    road = next(e for e in root.iter() if e.get("fill") == "#e6e6e6")
    assert float(road.get("height", "0")) == LANES * LANE_WIDTH * scale
    line = float(road.get("x", "0")) + float(road.get("width", "0"))
    assert float(bodies[0].get("x", "0")) + 12 * scale == pytest.approx(line - 1.0 * scale)


@pytest.mark.slow
def test_two_wheelers_filter_past_standing_cars() -> None:
    """Half motorbikes, half cars, where room is not what is missing; one seed, one cycle."""
    (run,) = stop_line.observe(
        vehicles.types(), {"motorbike": 0.5, "car": 0.5}, seeds=[1], cycles=1, expected=2000
    )
    assert run.filtering > 0.5
    assert run.unused_room < 0.2
    assert run.contacts == 0


def test_no_time_gap_is_below_the_step() -> None:
    for type_ in vehicles.types().values():
        for fidelity, step in building.STEP.items():
            assert float(type_.attributes(fidelity)["tau"]) >= float(step)


def test_bodies_leave_a_motorbike_its_sublanes_beside_a_car_and_none_beside_a_bus() -> None:
    """SUMO takes every sublane that a body touches; a motorbike needs two beside a body in the middle of the lane."""
    resolution = float(building.LATERAL_RESOLUTION)
    widths = {id: float(t.attributes("sublane")["width"]) for id, t in vehicles.types().items()}
    assert widths["motorbike"] <= 2 * resolution
    for id, sublanes in {"car": 2, "minibus": 2, "bus": 1, "truck": 1}.items():
        assert int((LANE_WIDTH - widths[id]) / 2 // resolution) == sublanes


def room(*others: tuple[str, float, float], y: float = 1.75) -> bool:
    """Whether a motorbike 8 m before the line and ``y`` from the kerb has room beside others (type, x, y)."""
    bike = Standing("bike", "motorbike", 0, 8.0, y, 0.0)
    scene = [bike, *(Standing(f"o{k}", type_, 0, x, at, 0.0) for k, (type_, x, at) in enumerate(others))]
    return stop_line.has_room(bike, scene, SIZE)


def test_room_is_looked_for_ahead_and_to_the_sides() -> None:
    assert room()
    car = ("car", 3.0, 1.75)  # from 3.0 to 7.5 m, 0.75 to 2.75 m from the kerb
    assert not room(car)  # the gap at the kerb begins 1.425 m to the side: further than it moves aside
    assert room(car, y=0.5)  # 0.15 m to the kerb, and it passes
    assert not room(("car", 3.0, 1.65), y=0.5)  # 0.65 m are as wide as it is, without a clearance
    assert room(("car", 3.0, 2.2), y=0.5)
    assert not room(("car", 3.0, 2.2), ("motorbike", 5.0, 0.5), y=0.5)  # who stands in the gap fills it
    assert not room(("car", 3.0, 2.2), ("motorbike", 7.9, 0.3), y=1.5)  # and who stands beside bars the way


def test_held_and_roomy_count_those_behind_a_car_of_their_lane() -> None:
    scenes = scenes_of(
        {"car": (0, 1.0)}, {"held": (0, 9.0, 9.0), "other": (1, 9.0, 9.0), "ahead": (0, 0.2, 0.2)}
    )
    cycle = observed(scenes, {})
    assert cycle.held == 1
