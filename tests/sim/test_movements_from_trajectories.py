"""The table of movements against a second computation from trajectories, which shares no code with the first."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "movements_from_trajectories.py"
HEAVIEST = 2.793  # real vehicles that a simulated motorbike represents
# What a driver dawdles away is a mean in the table and drawn by SUMO in the second computation, and the loops lie
# 0.1 m beside the lines: arrivals differ by tenths of a second. One vehicle at either end of the measured window or at
# a change of the signal may fall on the other side.
TOLERANCES = {
    "arrivals": 2 * HEAVIEST,
    "served": 2 * HEAVIEST,
    "flow_vph": 2 * HEAVIEST / 2100 * 3600,
    "green_s": 1e-6,
    "control_delay_s": 0.3,
    "stops": 0.01,
    "on_green": 0.01,
    "cycle_failures": 1e-6,
    "queue_p50_m": 0.01,
    "queue_p95_m": 0.01,
    "green_utilisation": 0.005,
}


@pytest.mark.slow
def test_the_table_is_what_the_trajectories_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = importlib.util.spec_from_file_location("movements_from_trajectories", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, script)  # dataclasses look their module up
    spec.loader.exec_module(script)
    rows = script.compare("ha-noi/hoang-dao-thuy", 2400.0, 300.0, 1, tmp_path)
    compared = {(movement, measure) for movement, measure, _, _ in rows if measure in TOLERANCES}
    assert len(compared) == 6 * len(TOLERANCES)  # six movements
    wrong = [row for row in rows if row[1] in TOLERANCES and abs(row[2] - row[3]) > TOLERANCES[row[1]]]
    assert wrong == []
