"""PCU and persons by vType, read from route files."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from denxanh.sim.demand.equivalents import Equivalent, read_equivalents, weights
from denxanh.sim.errors import InputError

ROUTES = """<routes>
  <!-- <vType id="bus"><param key="persons" value="99"/></vType> -->
  <vType id="bus" vClass="bus"><param key="pcu" value="2.2"/><param key="persons" value="40"/></vType>
  <vTypeDistribution id="mix"><vType id="moto" vClass="motorcycle" probability="1"/></vTypeDistribution>
  <vType id="car"/><vehicle id="a" type="moto" depart="0"/>
</routes>"""


def test_said_in_the_file_else_by_class(tmp_path: Path) -> None:
    path = tmp_path / "r.rou.xml.gz"
    path.write_bytes(gzip.compress(ROUTES.encode()))
    found = read_equivalents([path])
    assert found["bus"] == Equivalent(2.2, 40.0)
    assert found["moto"] == Equivalent(0.25, 1.0)  # TCXDVN 104:2007, see denxanh.sim.demand.vehicle_class
    assert found["car"] == found["DEFAULT_VEHTYPE"] == Equivalent(1.0, 1.0)
    table = weights(["moto", "bus", "nobody declared it"], found)
    assert table.tolist() == [[0.25, 2.2, 1.0], [1.0, 40.0, 1.0], [1.0, 1.0, 1.0]]
    assert weights([], found).shape == (3, 0)


@pytest.mark.parametrize("value", ["many", "-1", "nan", "inf"])
def test_a_value_that_is_no_number_is_refused(tmp_path: Path, value: str) -> None:
    path = tmp_path / "r.rou.xml"
    path.write_text(f'<routes><vType id="bus"><param key="persons" value="{value}"/></vType></routes>')
    with pytest.raises(InputError, match=r"r\.rou\.xml: vType 'bus'"):
        read_equivalents([path])
