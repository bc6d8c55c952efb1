"""``denxanh new experiment``: a commented experiment.toml to change."""

from __future__ import annotations

from pathlib import Path

from denxanh.sim.errors import InputError

EXAMPLE = """\
# An experiment: places × demand levels × controllers × seeds.
#   denxanh experiment experiment.toml --out results
# runs what is missing; stop it at any time and give the same command again.
# What each key means: docs/experiments.md; for editors: docs/experiment.schema.json.

places = ["ha-noi/pho-hue"]     # names from 'denxanh list', .sumocfg files, folders, NET+ROUTES (relative to this file)

controllers = [                 # the first is the baseline of all comparisons
    "program",
    "max-pressure:interval=10",
    # lists and ranges expand, by the [design] below:
    # {name = "max-pressure", interval = [5, 10, 20], near = {from = 20.0, to = 80.0, levels = 3}},
]

demand = [0.8, 1.0]             # scales of the place's demand
seeds = 10                      # 1…10, or a list as [3, 5, 8]; leave it out with [stop]

# duration = "1h"               # or end = 3600 (s), "07:30", "+30min"; else the place's own
# warm_up = 600                 # s at the begin that are not measured, or "10min"; "auto": the longest route's time
# flush = 300                   # s at the end that are not measured, in which measured vehicles finish
# metrics = ["delay_s", "stops", "queue_mean_veh"]   # those in statistics.json; all are stored
# vehicles_per_day = 40000      # turns s/veh into veh·h per day
# worth_s = 2.0                 # a difference in s/veh that matters: how many seeds would show it?
# backend = "libsumo"           # or "traci"
# keep_sumo_output = false

# [design]                      # how lists and ranges of parameters expand
# method = "grid"               # or "latin-hypercube", "sobol", which need points
# points = 16
# seed = 1

# [resample]                    # another day for each seed
# method = "jitter"             # departures shifted by sd seconds; or "bootstrap", with block = 300.0
# sd = 60.0
# seed = 1

# [stop]                        # seeds until the 95 % interval is narrow enough
# half_width = 0.05             # of the mean (with of = "difference": of the baseline's mean)
# min = 10
# max = 50
# every = 5
# metric = "delay_s"
# of = "difference"             # or "mean"

[limits]                        # of one run
wall = 3600.0                   # s
# memory_mb = 4000
# disk_mb = 1000
"""


def write_example(path: Path) -> None:
    """Write the example. Raises InputError rather than overwrite a file."""
    try:
        with path.open("x", encoding="utf-8") as stream:
            stream.write(EXAMPLE)
    except FileExistsError:
        raise InputError("this file exists", location=str(path), remedy="give another name") from None
