"""An hour of a place in bare SUMO: what is counted, weighed and reported."""

from pathlib import Path

import pytest

from denxanh.networks.build import building, generators
from denxanh.networks.calibration import peak_hour, peak_hour_report
from denxanh.networks.scenarios import open_scenario
from denxanh.sim.errors import InputError


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("arterial")
    building.write_place(generators.arterial(2, saturation=0.4), made, fidelity="lane")
    return made


@pytest.fixture(scope="module")
def found(folder: Path) -> peak_hour.Hour:
    return peak_hour.run(open_scenario(str(folder), end=600), seed=1)


def test_all_vehicles_are_accounted_for(found: peak_hour.Hour, folder: Path) -> None:
    departures = [
        float(line.split('depart="')[1].split('"')[0])
        for line in (folder / "demand.rou.xml").read_text(encoding="utf-8").splitlines()
        if "<vehicle " in line
    ]
    assert found.vehicles == sum(d < 600 for d in departures)
    assert found.entered >= 0.98 * found.vehicles
    assert (found.stuck, found.collisions) == (0, 0)


def test_shares_add_to_one_and_those_realised_are_those_offered(found: peak_hour.Hour) -> None:
    for side in (0, 1):
        assert sum(pair[side] for pair in found.shares.values()) == pytest.approx(1)
    assert found.worst_share < 2


def test_delay_and_speed_are_those_of_a_light_street(found: peak_hour.Hour) -> None:
    assert 5 < found.delay < 60  # two signals, cycle 90 s, half of it red
    assert found.throughput > 0
    assert found.updates > found.entered * 20  # every vehicle is moved once a second for as long as it drives
    assert found.cpu > 0


def test_a_motorbike_weighs_what_it_stands_for() -> None:
    shares = peak_hour._shares(
        {"motorbike": 100, "car": 100}, {"motorbike": 50, "car": 100}, {"motorbike": 3.0}
    )
    assert shares["motorbike"] == (pytest.approx(0.75), pytest.approx(0.6))
    assert shares["car"] == (pytest.approx(0.25), pytest.approx(0.4))


def test_the_table_has_a_row_a_fidelity_and_the_difference() -> None:
    lines: list[str] = []
    hours = peak_hour_report.hours(
        ["ha-noi/hoang-dao-thuy"], ("lane", "sublane"), [1], end=60, on_progress=lines.append
    )
    assert [h.place for h in hours] == ["ha-noi/hoang-dao-thuy", "ha-noi/hoang-dao-thuy:sublane"]
    assert len({line.count("|") for line in lines[0].splitlines() + lines[1:3]}) == 1
    assert lines[-1].startswith("ha-noi/hoang-dao-thuy: sublane − lane: delay ")


def test_a_place_that_is_not_built_in_is_refused() -> None:
    with pytest.raises(InputError, match="there is no place"):
        peak_hour_report.hours(["ha-noi/hang-dao"], ("lane",), [1])
