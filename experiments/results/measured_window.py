"""What a result's reader must know of the measured window: warm-up, flush, and vehicles still on their way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from denxanh.experiments.runs.run_row import RunRow
from denxanh.sim.language.text import Text, number, same
from denxanh.sim.metrics import Value
from denxanh.sim.run.store import read_manifest

MOST_UNFINISHED = 0.10
"""A run is flagged where a larger share of its vehicles was still on its way at the end."""


@dataclass(frozen=True)
class Unmeasured:
    """What is simulated and not measured, s."""

    warm_up: float = 0.0  # at the begin
    flush: float = 0.0  # at the end; vehicles of the measured window may finish in it

    @property
    def sentence(self) -> Text | None:
        """Warm-up and flush as one sentence, None if there are neither."""
        parts = []
        if self.warm_up > 0:
            cut = f"{self.warm_up:g} s"
            parts.append(Text(f"the first {cut} (warm-up)", f"{cut} đầu (khởi động)"))
        if self.flush > 0:
            cut = f"{self.flush:g} s"
            parts.append(Text(f"the last {cut} (flush)", f"{cut} cuối (xả)"))
        if not parts:
            return None
        joined = parts[0] if len(parts) == 1 else parts[0] + Text(" and ", " và ") + parts[1]
        return joined + Text(" of every run are not measured", " của mỗi lượt chạy không được đo")


def unmeasured(rows: Sequence[RunRow]) -> dict[str, Unmeasured]:
    """Warm-up and flush of each place and demand, from the manifest of its first run that is done."""
    found: dict[str, Unmeasured | None] = {}
    for row in rows:
        if found.setdefault(row.place_label, None) is None and row.done and row.folder is not None:
            manifest = read_manifest(row.folder)
            if manifest is not None:
                found[row.place_label] = unmeasured_in(manifest)
    return {place: cut or Unmeasured() for place, cut in found.items()}


def unmeasured_in(manifest: Mapping[str, Any]) -> Unmeasured:
    """Warm-up and flush of one run."""
    return Unmeasured(float(manifest.get("warm_up_s", 0.0)), float(manifest.get("flush_s", 0.0)))


def window_sentences(rows: Sequence[RunRow]) -> list[Text]:
    """A sentence on warm-up and flush, one for each place where they differ."""
    cuts = unmeasured(rows)
    if len(set(cuts.values())) > 1:
        return [same(f"{place}: ") + cut.sentence for place, cut in cuts.items() if cut.sentence]
    return [cut.sentence for cut in [*cuts.values()][:1] if cut.sentence]


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
