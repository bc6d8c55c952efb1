"""A log of a real controller, read by denxanh and by the package ``atspm``: arrivals on green and split failures.

    python benchmarks/controller_log.py PYTHON

PYTHON is an interpreter with ``atspm`` (2.6, with duckdb below 2) in an environment of its own. The log is the sample
that comes with that package: two hours of a signal of the Oregon DOT (MIT License); it is read where it is installed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
from pathlib import Path

from denxanh.experiments.formats.controller_logs.log_measures import phase_measures
from denxanh.experiments.formats.controller_logs.log_reader import read_detectors, read_log

SCRIPT = """
import json, os
import atspm
from atspm import SignalDataProcessor, sample_data
names = [("arrival_on_green", dict(latency_offset_seconds=0)),
         ("split_failures", dict(red_time=5, red_occupancy_threshold=0.80, green_occupancy_threshold=0.80,
                                 by_approach=True, by_cycle=True))]
processor = SignalDataProcessor(raw_data=sample_data.data, detector_config=sample_data.config, bin_size=15, verbose=0,
                                aggregations=[dict(name=n, params=p) for n, p in names])
processor.load(); processor.aggregate()
rows = processor.conn.query('''
    select a.Phase, a.n, a.green, s.cycles, s.failures
    from (select Phase, sum(Total_Actuations) n, sum(Percent_AOG * Total_Actuations) green
          from arrival_on_green group by all) a
    join (select Phase, count(*) cycles, sum(Split_Failure) failures from split_failures group by all) s using (Phase)
    order by 1''').fetchall()
print(json.dumps([os.path.dirname(atspm.__file__), [[float(v) for v in row] for row in rows]]))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("python", type=Path)
    given = parser.parse_args()
    printed = subprocess.run([given.python, "-c", SCRIPT], check=True, capture_output=True, text=True).stdout
    folder, theirs = json.loads(printed.splitlines()[-1])
    data = Path(folder) / "data"
    found = phase_measures(
        read_log(data / "sample_raw_data.parquet"), read_detectors(data / "sample_config.parquet")
    )
    ours = {one.phase: one for one in found}
    print("| phase | arrivals | on green | greens judged | split failures |\n|---|---|---|---|---|")
    for phase, number, green, cycles, failures in theirs:
        one = ours[int(phase)]
        assert one.on_green is not None
        print(
            f"| {phase:.0f} | {one.arrivals} / {number:.0f} | {one.on_green:.4f} / {green / number:.4f} "
            f"| {one.judged} / {cycles:.0f} | {one.split_failures} / {failures:.0f} |"
        )
    print("\nours / those of atspm")


if __name__ == "__main__":
    main()
