"""A place file with a mistake gives one clear sentence that names the place of the mistake."""

import pytest

from denxanh.networks.build import building
from denxanh.networks.place import reader, schema
from denxanh.sim.errors import InputError

GOOD = building.place_text("ha-noi/pho-hue")


def message(text: str) -> str:
    assert text != GOOD, "the edit did not change the file"
    with pytest.raises(InputError) as caught:
        reader.read(schema.parse(text, location="x.toml"), location="x.toml")
    return str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("lanes = 4", "lanes = 40", "x.toml: streets.4.lanes"),
        ("oneway = true\nlanes = 2", "one_way = true\nlanes = 2", "streets.1.one_way: unknown key"),
        ('title = "', 'title = ', "x.toml: this is not TOML"),
        ('"tue-tinh", "tran-nhan-tong"', '"tue-tin", "tran-nhan-tong"', "names the junction 'tue-tin'"),
        ("[37, 23]", "[37, 24]", "signals.to-hien-thanh: its greens and change intervals add to 71 s"),
        ("[13, 24, 18]", "[20, 35]", "signals.dai-co-viet: 3 stages but 2 green times"),
        ('["Huế"], ["Hoà Mã"]', '["Huế"], ["Hòa Mã"]', "'Hòa Mã' names no turn of this junction"),
        ('["Huế"], ["Hoà Mã"]', '["Huế"], ["Hoà Mã: through"]', "no stage serves the right turn"),
        ("offset = 28", "offset = 128", "signals.tue-tinh: its offset 128 s is not below the cycle 70 s"),
        ("[signals.tue-tinh]", "[signals.tue-tin]", "signals.tue-tin: there is no junction of this name"),
        ("left|left;through|", "left|", "has 3 lanes, the street has 4"),
        ('"Đại Cồ Việt: left" = 0.35', '"Đại Cồ Việt: left" = 0.8, "Đại Cồ Việt: right" = 0.5', "add to 1.3"),
        ('plan = "peak"', 'plan = "late"', "there is no plan 'late'; choose from day, night, peak"),
        ("length = 245", "length = 24", "streets.9.path"),
        ('"Hoà Mã" = 0.37', '"Hòa Mã" = 0.37', "signals.tue-tinh.saturation.peak: 'Hòa Mã' names no approach"),
        ('"Hàm Long @SE"', '"Hàm Long"', "signals.ham-long.saturation.peak: 'Hàm Long' names 2 approaches"),
        ('"Hàm Long @SE"', '"Phố Hàm Long @NW"', "'Phố Hàm Long @NW' names an approach a second time"),
        (', "Hoà Mã" = 0.37', "", "signals.tue-tinh: no degree of saturation is given for Phố Hoà Mã (-pho-hoa-ma_1)"),
        ("saturation.peak", "saturation.late", "there is no demand 'late'; choose from day, peak"),
        ('"Hoà Mã" = 0.37', '"Hoà Mã" = 1.6', "signals.tue-tinh.saturation.peak.Hoà Mã"),
        ('[demand.peak]', '[demand.peak]\nlike = "day"', "the demand 'peak' refers to itself"),
        ('[demand.peak]', '[demand.peak]\nlike = "day"\nsaturation = 0.5', "keep 'like' or 'saturation'"),
        ('[demand.peak]', '[demand.peak]\nlike = "late"', "demand.peak.like: there is no demand 'late'"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_sentence(old: str, new: str, expected: str) -> None:
    found = message(GOOD.replace(old, new, 1))
    assert expected in found
    assert found.startswith("x.toml")
    assert "\n" not in found


def test_a_degree_of_saturation_is_that_of_the_approach_else_of_the_demand() -> None:
    def targets(text: str, period: str) -> dict[str, float]:
        file = schema.parse(text, location="x.toml")
        return dict(reader.read(file, location="x.toml", period=period).demand.saturation)

    peak, day = targets(GOOD, "peak"), targets(GOOD, "day")
    assert peak["-pho-hoa-ma_1"] == 0.37
    assert day == {id: pytest.approx(0.7 * x) for id, x in peak.items()}
    other = GOOD.replace(', "Hoà Mã" = 0.37', "").replace("[demand.peak]", "[demand.peak]\nsaturation = 0.5")
    assert targets(other, "peak") == {**peak, "-pho-hoa-ma_1": 0.5}


def test_an_unknown_fidelity_is_refused() -> None:
    with pytest.raises(InputError, match="choose lane or sublane"):
        building.build("ha-noi/pho-hue", fidelity="mesoscopic")  # type: ignore[arg-type]
