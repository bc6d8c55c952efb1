"""The metrics of a run, all computed here and defined in docs/metrics.md.

All cover the measured window, from the end of the warm-up to the begin of the flush: averages are over all vehicles
that wanted to depart in it, not only over those that arrived; what happens at an instant counts if it happens in it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from denxanh.sim.errors import RunError
from denxanh.sim.sumo.tripinfo import Trips

Value = float | int | None


@dataclass(frozen=True)
class Metric:
    """A metric: its name, unit and titles, and whether less is better (None: neither)."""

    name: str
    unit: str
    less_is_better: bool | None
    title: str
    title_vi: str


METRICS = (
    Metric("delay_s", "s/veh", True, "Delay per vehicle", "Thời gian trễ mỗi xe"),
    Metric(
        "delay_whole_run_s",
        "s/veh",
        True,
        "Delay per vehicle, whole run",
        "Thời gian trễ mỗi xe, cả lượt chạy",
    ),
    Metric("delay_pcu_s", "s/PCU", True, "Delay per PCU", "Thời gian trễ mỗi xe con quy đổi"),
    Metric("delay_person_s", "s/person", True, "Delay per person", "Thời gian trễ mỗi người"),
    Metric("travel_time_s", "s", True, "Travel time of finished trips", "Thời gian hành trình (xe đã đến)"),
    Metric("time_loss_s", "s/veh", True, "Time lost on the road", "Thời gian mất trên đường"),
    Metric("depart_delay_s", "s/veh", True, "Wait to enter the network", "Thời gian chờ vào mạng"),
    Metric("stopped_s", "s/veh", True, "Time standing still", "Thời gian dừng"),
    Metric("stops", "1/veh", True, "Stops per vehicle", "Số lần dừng mỗi xe"),
    Metric("speed_mps", "m/s", False, "Mean speed", "Tốc độ trung bình"),
    Metric("throughput_vph", "veh/h", False, "Vehicles that finished, per hour", "Lưu lượng hoàn thành"),
    Metric("queue_mean_veh", "veh", True, "Mean queue of an intersection", "Hàng chờ trung bình"),
    Metric("queue_max_veh", "veh", True, "Longest queue of an intersection", "Hàng chờ dài nhất"),
    Metric("queue_p95_veh", "veh", True, "95th percentile of the queue", "Hàng chờ bách phân vị 95"),
    Metric("loaded", "veh", None, "Vehicles that wanted to travel", "Số xe có nhu cầu"),
    Metric("arrived", "veh", False, "Finished", "Đã đến"),
    Metric("running", "veh", True, "Still on the road at the end", "Còn trên đường"),
    Metric("waiting", "veh", True, "Never inserted", "Chưa vào được mạng"),
    Metric("lost", "veh", True, "Dropped by SUMO", "SUMO loại bỏ"),
    Metric("simulated", "veh", None, "Simulated vehicles", "Số xe trong mô phỏng"),
    Metric("before_begin", "veh", None, "Depart before begin (not simulated)", "Khởi hành trước lúc bắt đầu"),
    Metric("teleports", "1", True, "Teleports", "Số lần dịch chuyển (teleport)"),
    Metric("collisions", "1", True, "Collisions", "Va chạm"),
    Metric("emergency_brakings", "1", True, "Emergency brakings", "Phanh khẩn cấp"),
    Metric(
        "fallbacks", "1", True, "Signals that fell back to their plan", "Số nút phải về phương án cố định"
    ),
    Metric("walkers", "1", None, "People on foot", "Số người đi bộ"),
    Metric("walk_wait_s", "s/person", True, "Wait on foot", "Thời gian chờ của người đi bộ"),
    Metric("walk_wait_max_s", "s", True, "Longest wait on foot", "Thời gian chờ dài nhất của người đi bộ"),
    Metric("co2_kg", "kg", True, "CO2", "CO2"),
    Metric("fuel_kg", "kg", True, "Fuel", "Nhiên liệu"),
)
NAMES = tuple(metric.name for metric in METRICS)


@dataclass(frozen=True)
class Counts:
    """Figures of the measured window from SUMO's other outputs, and of the route files."""

    before_begin: int  # of the route files, not of the window
    dropped: (
        int | None
    )  # of the whole run: vehicles that SUMO discarded before insertion; None where it cannot be told
    teleports: int
    collisions: int
    emergency_brakings: int
    co2_kg: float
    fuel_kg: float
    # of the whole run, since they last: intersections whose policy was replaced by fixed-time control
    fallbacks: int = 0


def compute(
    trips: Trips,
    counts: Counts,
    queue: NDArray[np.float64],
    weights: NDArray[np.float64],
    *,
    begin: float,
    end: float,
    warm_up: float = 0.0,
    flush: float = 0.0,
) -> dict[str, Value]:
    """All metrics of one run by name.

    The measured window is from ``begin + warm_up`` to ``end - flush``, s. ``queue``: halted vehicles, shape (samples,
    intersections), and ``counts`` are of the window. ``weights``: PCU, persons and real vehicles of each simulated one,
    shape (3, n), see denxanh.sim.demand.equivalents: means and counts are over real vehicles.

    Raises RunError if no vehicle wanted to depart in the window.
    """
    wanted = trips.wanted_departure(end)
    start = begin + warm_up - 1e-6 if warm_up > 0 else -np.inf
    stop = end - flush - 1e-6 if flush > 0 else np.inf
    kept = (wanted >= start) & (wanted < stop)
    if not kept.any():
        if len(trips):
            span = f"{begin + warm_up:g} s to {end - flush:g} s"
            raise RunError(
                f"no vehicle wanted to depart in the measured window ({span}): --warm-up 0 measures the whole run"
            )
        raise RunError("no vehicle was simulated: there is nothing to measure")
    inserted = kept & trips.inserted
    arrived = kept & trips.arrived
    finished = trips.arrived & (trips.arrival >= start) & (trips.arrival < stop)  # whenever they departed
    walks = trips.pedestrian_wait
    if warm_up > 0 or flush > 0:
        walks = walks[(trips.pedestrian_depart >= start) & (trips.pedestrian_depart < stop)]
    pcu_of, persons_of, real = weights

    def total(values: NDArray[np.float64], which: NDArray[np.bool_]) -> float:
        """Sum over real vehicles."""
        return float((values * real)[which].sum())

    def number(which: NDArray[np.bool_]) -> float:
        return float(real[which].sum())

    n = number(kept)
    simulated = int(kept.sum()) + (counts.dropped or 0)
    dropped = (counts.dropped or 0) * n / int(kept.sum())  # their types are not known: the mean of the others
    removed = number(inserted & trips.removed)
    running = number(inserted & ~arrived & ~trips.removed)
    distance, duration = total(trips.length, inserted), total(trips.duration, inserted)
    delay = trips.delay
    time_loss, waited = (
        total(trips.time_loss, inserted),
        total(trips.depart_delay, kept),
    )  # their sum is all delay
    pcu, persons = float(pcu_of[kept].sum()), float(persons_of[kept].sum())
    lost = None if counts.dropped is None else dropped + removed
    return {
        "delay_s": (time_loss + waited) / n,
        "delay_whole_run_s": float((delay * real).sum() / real.sum()),
        "delay_pcu_s": float((pcu_of * delay)[kept].sum()) / pcu if pcu > 0 else None,
        "delay_person_s": float((persons_of * delay)[kept].sum()) / persons if persons > 0 else None,
        "travel_time_s": total(trips.duration, arrived) / number(arrived) if arrived.any() else None,
        "time_loss_s": time_loss / n,
        "depart_delay_s": waited / n,
        "stopped_s": total(trips.stopped, inserted) / n,
        "stops": total(trips.stops, inserted) / n,
        "speed_mps": distance / duration if duration > 0 else None,
        "throughput_vph": number(finished) / (end - begin - warm_up - flush) * 3600.0,
        "queue_mean_veh": float(queue.mean()) if queue.size else None,
        "queue_max_veh": float(queue.max()) if queue.size else None,
        "queue_p95_veh": float(np.percentile(queue, 95)) if queue.size else None,
        "loaded": _count(n + dropped),
        "arrived": _count(number(arrived)),
        "running": _count(running),
        "waiting": _count(number(kept & ~trips.inserted)),
        "lost": None if lost is None else _count(lost),
        "simulated": simulated,
        "before_begin": counts.before_begin,
        "teleports": counts.teleports,
        "collisions": counts.collisions,
        "emergency_brakings": counts.emergency_brakings,
        "fallbacks": counts.fallbacks,
        "walkers": len(walks) or None,
        "walk_wait_s": float(walks.mean()) if len(walks) else None,
        "walk_wait_max_s": float(walks.max()) if len(walks) else None,
        "co2_kg": counts.co2_kg,
        "fuel_kg": counts.fuel_kg,
    }


def accounts_add_up(values: Mapping[str, Value]) -> bool:
    """Whether loaded = arrived + running + waiting + lost; true where the lost vehicles are not known."""
    if values["lost"] is None:
        return True
    parts = sum(values[part] or 0 for part in ("arrived", "running", "waiting", "lost"))
    return math.isclose(values["loaded"] or 0, parts, rel_tol=1e-9)


def _count(value: float) -> Value:
    """A number of vehicles: whole where it is, as always if each simulated vehicle represents one."""
    return round(value) if abs(value - round(value)) < 1e-9 else value
