"""A simulated vehicle that represents several real ones: the same trips, and every count over real vehicles."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import denxanh as dx

COUNTED = (
    "loaded",
    "arrived",
    "running",
    "waiting",
    "throughput_vph",
    "queue_mean_veh",
    "queue_max_veh",
    "co2_kg",
    "fuel_kg",
)
MEANS = ("delay_s", "travel_time_s", "time_loss_s", "depart_delay_s", "stopped_s", "stops", "speed_mps")


def place(tiny_place: Any, folder: Path, factor: float) -> Path:
    """The tiny place with ``factor`` real vehicles for each car."""
    text = tiny_place.routes.read_text("utf-8")
    param = f'<param key="represents" value="{factor:g}"/>'
    changed, found = re.subn(r'(<vType id="car"[^>]*?)/>', rf"\1>{param}</vType>", text)
    assert found == 1
    folder.mkdir()
    for file in (tiny_place.net, tiny_place.config):
        (folder / file.name).write_bytes(file.read_bytes())
    (folder / tiny_place.routes.name).write_text(changed, "utf-8")
    return folder / tiny_place.config.name


@pytest.mark.parametrize("backend", ["libsumo", "traci"])
def test_every_count_is_over_real_vehicles(tiny_place: Any, tmp_path: Path, backend: str) -> None:
    one = dx.run(dx.open_scenario(tiny_place.config, end=180), "program", backend=backend)
    three = dx.run(
        dx.open_scenario(place(tiny_place, tmp_path / "three", 3.0), end=180), "program", backend=backend
    )
    assert three.manifest["tripinfo_sha256"] == one.manifest["tripinfo_sha256"]
    assert three.manifest["represents"] == {"car": 3.0}
    assert three.manifest["vehicles_by_type"] == {"car": 3 * one.manifest["vehicles_by_type"]["car"]}
    assert three.metrics["simulated"] == one.metrics["simulated"] == one.metrics["loaded"]
    assert three.metrics["queue_max_veh"] > 0
    for name in COUNTED:
        assert three.metrics[name] == pytest.approx(3 * one.metrics[name]), name
    for name in MEANS:
        assert three.metrics[name] == pytest.approx(one.metrics[name]), name
    edges, before = three.table("edges"), one.table("edges")
    for name in ("vehicle_seconds", "time_loss_s", "entered", "left", "co2_kg"):
        assert np.asarray(edges[name]) == pytest.approx(3 * np.asarray(before[name])), name
    assert np.asarray(edges["speed_mps"]) == pytest.approx(np.asarray(before["speed_mps"]), abs=0.01)
    flow = [np.asarray(run.table("movements")["flow_vph"], dtype=float) for run in (three, one)]
    assert flow[0] == pytest.approx(3 * flow[1], nan_ok=True)


def test_a_number_of_vehicles_is_above_zero(tiny_place: Any, tmp_path: Path) -> None:
    with pytest.raises(dx.DenxanhError, match=r"the represents '0' is no number.*give a number above 0"):
        dx.run(dx.open_scenario(place(tiny_place, tmp_path / "none", 0.0), end=60), "program")
