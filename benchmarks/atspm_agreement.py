"""Arrivals on green and split failures: ours, and those that the package ``atspm`` finds in our event log.

    python benchmarks/atspm_agreement.py RESULTS PYTHON [--controller NAME]

PYTHON is an interpreter with ``atspm`` (2.6, with duckdb below 2) in an environment of its own. The first run of the
controller is simulated again, its event log with detections is written and read by ``atspm``, and both are compared
phase by phase over the whole minutes of the measured window. Arrivals are counted as simulated vehicles, which is what
a detector sees; those outside the window are left out of the log, since ``atspm`` drops the bins in which nobody
arrives on green.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np

from denxanh.experiments.formats.detections import HEADS, detection_events, detectors_of
from denxanh.experiments.formats.event_log import device_numbers, event_csv, phase_numbers, signal_events
from denxanh.experiments.formats.signal_groups import signal_groups
from denxanh.experiments.formats.table_text import table_text
from denxanh.experiments.plots.plot_source import PlotSource, open_source
from denxanh.sim.run.recording import Recording
from denxanh.sim.run.store import read_table

SCRIPT = """
import json, sys
import pandas as pd
from atspm import SignalDataProcessor
folder = sys.argv[1]
config = pd.read_csv(folder + "/detectors.csv")[["DeviceId", "Phase", "Parameter", "Function"]]
names = [("arrival_on_green", dict(latency_offset_seconds=0)),
         ("split_failures", dict(red_time=5, red_occupancy_threshold=0.80, green_occupancy_threshold=0.80,
                                 by_approach=True, by_cycle=True))]
data = pd.read_csv(folder + "/events.csv", parse_dates=["TimeStamp"])
processor = SignalDataProcessor(raw_data=data, detector_config=config, bin_size=60, verbose=0,
                                aggregations=[dict(name=n, params=p) for n, p in names])
processor.load(); processor.aggregate()
for name, _ in names:
    processor.conn.query(f"select * from {name}").df().to_csv(f"{folder}/{name}.csv", index=False)
"""


def ours(recording: Recording, begin: float, end: float) -> dict[tuple[int, int], tuple[int, int]]:
    """Arrivals, and those on green, by device and phase."""
    network, found = recording.network, recording.passages
    counts: dict[tuple[int, int], list[int]] = defaultdict(lambda: [0, 0])
    keys = [f"{a}>{b}" for a, b in zip(found.start_edge, found.end_edge, strict=True)]
    names = np.array(keys)
    for signal, device in device_numbers(network).items():
        groups = signal_groups(network, signal, [network.intersections[signal].program])
        seen: set[str] = set()
        for group in groups:
            shown = recording.greens(signal, group.links)
            for movement in (one for one in group.movements if one.name not in seen):
                seen.add(movement.name)
                mine = (names == movement.name) & (found.arrival >= begin) & (found.arrival < end)
                row = counts[device, phase_numbers(groups)[group.name]]
                row[0] += int(mine.sum())
                row[1] += int(shown.contain(found.arrival[mine]).sum())
    return {key: (all_, green) for key, (all_, green) in counts.items() if all_}


def failures(recording: Recording, begin: float, end: float) -> dict[tuple[int, int], tuple[int, int]]:
    """Greens, and those that left a waiting vehicle for a later one, by device and phase: over its lanes together."""
    found, out = recording.passages, {}
    lanes = np.array(found.lane)
    by_phase: dict[tuple[int, int], list[str]] = defaultdict(list)
    for one in detectors_of(recording):
        if one.lane:
            by_phase[one.device, one.phase].append(one.lane)
    for signal, device in device_numbers(recording.network).items():
        groups = signal_groups(recording.network, signal, [recording.network.intersections[signal].program])
        for group in groups:
            key = device, phase_numbers(groups)[group.name]
            if key in by_phase:
                shown = recording.greens(signal, group.links)
                mine = np.isin(lanes, by_phase[key])
                late = shown.failures(found.arrival[mine], found.stop_line[mine])
                starts = shown.start[: len(late)]
                within = (starts >= begin) & (starts < end)
                out[key] = int(within.sum()), int(late[within].sum())
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path)
    parser.add_argument("python", type=Path)
    parser.add_argument("--controller")
    given = parser.parse_args()
    source: PlotSource = open_source(given.results, controller=given.controller)
    recording = source.recording
    assert source.first.folder is not None
    begin, end = (60.0 * f(t / 60.0) for f, t in zip((np.ceil, np.floor), recording.measured, strict=True))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        signals = read_table(source.first.folder / "signals.parquet")
        advance = {(one.device, one.number) for one in detectors_of(recording) if not one.lane}
        seen = [e for e in detection_events(recording) if (e[1], e[3]) not in advance or begin <= e[0] < end]
        events = sorted([*signal_events(recording.network, signals), *seen])
        (folder / "events.csv").write_text(event_csv(events), encoding="utf-8")
        rows = [[one.device, one.phase, one.number, one.function] for one in detectors_of(recording)]
        (folder / "detectors.csv").write_text(table_text(HEADS, rows), encoding="utf-8")
        subprocess.run([given.python, "-c", SCRIPT, name], check=True)
        print(json.dumps(compared(recording, folder, begin, end), indent=1))


def compared(recording: Recording, folder: Path, begin: float, end: float) -> dict[str, object]:
    """Both counts side by side."""
    import duckdb

    midnight = "TIMESTAMP '2000-01-01'"
    within = f"epoch(TimeStamp::TIMESTAMP - {midnight}) >= {begin} AND epoch(TimeStamp::TIMESTAMP - {midnight}) < {end}"
    theirs = duckdb.sql(
        f"SELECT DeviceId, Phase, sum(Total_Actuations), sum(round(Percent_AOG * Total_Actuations)) "
        f"FROM '{folder}/arrival_on_green.csv' GROUP BY ALL"
    ).fetchall()
    mine = ours(recording, begin, end)
    shares = []
    for device, phase, number, green in theirs:
        if (device, phase) in mine and mine[device, phase][0] >= 20:
            all_, on = mine[device, phase]
            shares.append((device, phase, all_, on / all_, int(number), green / number))
    split = duckdb.sql(
        f"SELECT DeviceId, Phase, count(*), sum(Split_Failure) FROM '{folder}/split_failures.csv' "
        f"WHERE {within} GROUP BY ALL"
    ).fetchall()
    waited = failures(recording, begin, end)
    both = [(d, n, int(cycles), int(bad), *waited[d, n]) for d, n, cycles, bad in split]
    return {
        "run": recording.network.name,
        "seconds": [begin, end],
        "phases": len(shares),
        "arrivals, ours and theirs": [sum(row[2] for row in shares), sum(row[4] for row in shares)],
        "on green, ours and theirs": [
            round(sum(row[2] * row[3] for row in shares) / sum(row[2] for row in shares), 4),
            round(sum(row[4] * row[5] for row in shares) / sum(row[4] for row in shares), 4),
        ],
        "largest difference of a phase": round(max(abs(row[3] - row[5]) for row in shares), 4),
        "phases with lanes": len(both),
        "cycles, ours and theirs": [sum(row[4] for row in both), sum(row[2] for row in both)],
        "failures, ours and theirs": [sum(row[5] for row in both), sum(row[3] for row in both)],
        "device, phase, cycles and failures of theirs, of ours, where these differ": [
            row for row in both if row[3] != row[5]
        ],
    }


if __name__ == "__main__":
    main()
