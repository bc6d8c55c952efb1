"""What a result's reader must know of the measured window: its warm-up, and vehicles that were still on their way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from denxanh.experiments.runs.run_row import RunRow
from denxanh.sim.language.text import Text, number
from denxanh.sim.metrics import Value
from denxanh.sim.run.store import read_manifest

MOST_UNFINISHED = 0.10
"""A run is flagged where a larger share of its vehicles was still on its way at the end."""


def warm_up_of(rows: Sequence[RunRow]) -> float:
    """The warm-up, s, that runs of one comparison share, from the manifest of the first that is done."""
    for row in rows:
        if row.done and row.folder is not None and (manifest := read_manifest(row.folder)) is not None:
            return float(manifest.get("warm_up_s", 0.0))
    return 0.0


def unfinished_share(metrics: Mapping[str, Value]) -> float:
    """The share of the vehicles that were on the road at the end; vehicles never inserted have a flag of their own."""
    loaded = metrics.get("loaded") or 0
    return (metrics.get("running") or 0) / loaded if loaded else 0.0


def unfinished_flags(rows: Sequence[RunRow]) -> list[Text]:
    """A sentence for each place and controller with runs above MOST_UNFINISHED."""
    several = len({row.place_label for row in rows}) > 1
    shares: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        if row.done:
            shares.setdefault((row.place_label, row.controller), []).append(unfinished_share(row.metrics))
    found = []
    for (place, controller), of_runs in shares.items():
        if (above := sum(share > MOST_UNFINISHED for share in of_runs)) == 0:
            continue
        most = number(100 * max(of_runs), 1)
        name = f"{place}, {controller}" if several else controller
        limit, runs = f"{100 * MOST_UNFINISHED:g} %", f"{above}/{len(of_runs)}"
        found.append(
            Text(
                f"{name}: more than {limit} of the vehicles were still on their way at the end in {runs} runs (up to "
                f"{most.en} %); the delay still to come is in no mean: simulate longer",
                f"{name}: hơn {limit} số xe vẫn đang trên hành trình lúc kết thúc ở {runs} lượt chạy (đến {most.vi} %)"
                ": thời gian trễ về sau chưa có trong trung bình; nên mô phỏng lâu hơn",
            )
        )
    return found
