"""The hours of a day at a built-in place: plans, amount and kind of traffic, and how a user asks for them."""

import xml.etree.ElementTree as ET
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from denxanh import networks
from denxanh.networks import built_in
from denxanh.networks.build import building
from denxanh.networks.built_in import Choice
from denxanh.networks.place import hours, reader, schema, vehicles
from denxanh.networks.scenarios import open_scenario
from denxanh.networks.traffic import synthetic_demand
from denxanh.sim.errors import InputError
from denxanh.sim.sumo import wheel

NAMES = [p.name for p in networks.list_places()]
H = hours.HOUR


def test_a_span_that_passes_midnight_becomes_two() -> None:
    assert hours.intervals("06:30-09:00 and 16:00-19:00", "x") == ((23400, 32400), (57600, 68400))
    assert hours.intervals("22:00-06:30", "x") == ((79200, 86400), (0, 23400))
    assert hours.intervals("22:00-24:00", "x") == ((79200, 86400),)


@pytest.mark.parametrize("text", ["", "7-9", "07:00", "07:60-08:00", "07:00-07:00", "07:00-25:00"])
def test_what_is_no_span_of_hours_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"^x: "):
        hours.intervals(text, "x")


@pytest.mark.parametrize("name", NAMES)
def test_every_place_has_one_plan_at_every_time_of_the_day(name: str) -> None:
    place = building.load_place(name, hours=(0, hours.DAY))
    assert [s.plan.name for s in place.switches] == ["night", "peak", "day", "peak", "day", "night"]
    assert all(sum(s.green) < now.plan.cycle for now in place.switches for s in now.signals)


@pytest.mark.parametrize("name", ["ha-noi", "tp-hcm"])
def test_no_truck_drives_in_the_hours_of_its_ban_and_some_do_outside(name: str) -> None:
    city = hours.city(name)
    for second in range(0, hours.DAY, 900):
        mix = city.mix(2025, second)
        assert sum(mix.values()) == pytest.approx(1)
        assert ("truck" in mix) != hours.inside(city.truck_ban, second)


def test_the_demand_of_an_hour_is_its_share_of_the_busiest() -> None:
    def pcu(begin: int) -> float:
        place = building.load_place("ha-noi/hoang-dao-thuy", hours=(begin * H, (begin + 1) * H))
        counts = Counter(v.type for v in synthetic_demand.vehicles(place, "sublane"))
        return sum(n * vehicles.types()[t].pcu for t, n in counts.items())

    busiest, noon, night = pcu(7), pcu(12), pcu(3)
    assert noon / busiest == pytest.approx(50 / 95, rel=0.05)
    assert night / busiest == pytest.approx(3 / 95, rel=0.25)


def test_the_year_chooses_the_mix() -> None:
    of_2007 = building.load_place("ha-noi/hoang-dao-thuy", year=2007).demand
    assert of_2007.mix == "ha-noi-2007-peak"
    assert of_2007.slots[0].mix["motorbike"] == 0.88


def test_two_plans_at_once_or_none_are_refused() -> None:
    text = building.place_text("ha-noi/hoang-dao-thuy")
    for old, new, said in (
        ('hours = "22:00-06:30"', 'hours = "22:00-06:00"', "no plan runs at 06:00"),
        ('hours = "22:00-06:30"', 'hours = "22:00-07:00"', "peak and night both run at 06:30"),
        ('hours = "22:00-06:30"', 'hours = "at night"', "'at night' is not a span of hours"),
    ):
        file = schema.parse(text.replace(old, new), location="x.toml")
        with pytest.raises(InputError, match=said):
            reader.read(file, location="x.toml", hours=(5 * H, 8 * H))


def test_the_signal_changes_its_plan_at_the_end_of_a_cycle_and_comes_back_to_its_offset(
    tmp_path: Path,
) -> None:
    place = building.load_place("ha-noi/hoang-dao-thuy", hours=(6 * H, 7 * H))
    building.write_place(place, tmp_path, fidelity="lane")
    save = '<additional><timedEvent type="SaveTLSStates" source="hoang-dao-thuy" dest="states.xml"/></additional>'
    (tmp_path / "save.xml").write_text(save)
    options = ["-n", "net.net.xml", "-a", "plans.add.xml,save.xml", "-b", str(6 * H), "-e", str(7 * H)]
    wheel.run_program("sumo", [*options, "--no-step-log"], folder=tmp_path)
    rows = [
        (float(r.get("time", "nan")), r.get("programID"), r.get("state", ""))
        for r in ET.parse(tmp_path / "states.xml").getroot()
    ]
    assert [p for p, q in pairwise(r[1] for r in rows) if p != q] == ["night"]
    changed = next(b[0] for a, b in pairwise(rows) if a[1] != b[1])
    assert 6.5 * H <= changed <= 6.5 * H + 100  # the cycle at night
    for before, after in pairwise(r[2] for r in rows):
        assert not any(x in "Gg" and y == "r" for x, y in zip(before, after, strict=True))
    begins = [b[0] for a, b in pairwise(rows) if b[2][0] == "G" and a[2][0] == "r"]
    assert begins[-1] % 212 == 0  # the peak's cycle, offset 0


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("ha-noi/pho-hue", Choice("ha-noi/pho-hue")),
        ("ha-noi/pho-hue:sublane", Choice("ha-noi/pho-hue", "sublane")),
        ("ha-noi/pho-hue@07:00", Choice("ha-noi/pho-hue", hours=(7 * H, 8 * H))),
        ("ha-noi/pho-hue@6:00-10:30:2007", Choice("ha-noi/pho-hue", hours=(6 * H, 37800), year=2007)),
        ("tp-hcm/quan-1-3@day:2021:sublane", Choice("tp-hcm/quan-1-3", "sublane", "day", year=2021)),
        ("ha-noi/pho-hue:foot:sublane", Choice("ha-noi/pho-hue", "sublane", on_foot=True)),
    ],
)  # fmt: skip
def test_a_choice_is_read_from_the_name(text: str, choice: Choice) -> None:
    assert built_in.parse(text) == choice


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        (":meso", "'meso' is neither a fidelity"),
        (":foot:foot", "'foot' is neither a fidelity"),
        (":lane:lane", "'lane' is neither a fidelity"),
        ("@07:00x", "'x' is neither a fidelity"),
        ("@", "'@' is not a part of a day"),
        ("@08:00-07:00", "does not end later"),
        ("@23:30", "does not end later"),
        ("@night", "no demand 'night'"),
        (":1999", "no mix 'ha-noi-1999-peak'"),
    ],
)
def test_a_choice_that_cannot_be_is_refused(choice: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        open_scenario(f"ha-noi/pho-hue{choice}")


def test_the_clock_of_an_hour_is_the_time_of_day(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DENXANH_CACHE", str(tmp_path))
    scenario = open_scenario("ha-noi/hoang-dao-thuy@06:00")
    assert (scenario.begin, scenario.end) == (21600, 25200)
    assert scenario.name == "ha-noi/hoang-dao-thuy@06:00"
    assert [p.name for p in scenario.additional] == ["plans.add.xml"]
