"""The metrics of a run, all computed here and defined in docs/metrics.md.

Averages are over all vehicles that wanted to travel, not only over those that arrived.
"""

from __future__ import annotations

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
    Metric("delay_pcu_s", "s/PCU", True, "Delay per PCU", "Thời gian trễ mỗi PCU"),
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
    """Figures of SUMO's statistic output and of the route files that are not in the trips."""

    before_begin: int
    dropped: int | None  # vehicles that SUMO discarded before insertion; None where it cannot be told
    teleports: int
    collisions: int
    emergency_brakings: int
    co2_kg: float
    fuel_kg: float
    fallbacks: int = 0  # intersections whose policy was replaced by fixed-time control


def compute(
    trips: Trips,
    counts: Counts,
    queue: NDArray[np.float64],
    weights: NDArray[np.float64],
    *,
    begin: float,
    end: float,
    warm_up: float = 0.0,
) -> dict[str, Value]:
    """All metrics of one run by name.

    ``queue``: halted vehicles, shape (samples, intersections), sampled after the warm-up. ``weights``: PCU and
    persons of each vehicle, shape (2, n), see denxanh.sim.demand.equivalents. ``warm_up`` s are
    cut off the begin: vehicles that wanted to depart earlier are not counted; SUMO's own counts (teleports,
    collisions, brakings, emissions) cover the whole run. Raises RunError if no vehicle is left.
    """
    wanted = trips.wanted_departure(end)
    kept = wanted >= begin + warm_up - 1e-6 if warm_up > 0 else np.ones(len(trips), dtype=np.bool_)
    n = int(kept.sum())
    if n == 0:
        raise RunError("no vehicle was simulated: there is nothing to measure")
    inserted = kept & trips.inserted
    arrived = kept & trips.arrived
    removed = int((inserted & trips.removed).sum())
    running = int((inserted & ~arrived & ~trips.removed).sum())
    distance = float(trips.length[inserted].sum())
    duration = float(trips.duration[inserted].sum())
    delay = trips.delay
    time_loss, waited = (
        trips.time_loss[inserted].sum(),
        trips.depart_delay[kept].sum(),
    )  # their sum is all delay
    pcu, persons = (float(each[kept].sum()) for each in weights)
    lost = None if counts.dropped is None else counts.dropped + removed
    return {
        "delay_s": float(time_loss + waited) / n,
        "delay_pcu_s": float((weights[0] * delay)[kept].sum()) / pcu if pcu > 0 else None,
        "delay_person_s": float((weights[1] * delay)[kept].sum()) / persons if persons > 0 else None,
        "travel_time_s": float(trips.duration[arrived].mean()) if arrived.any() else None,
        "time_loss_s": float(time_loss) / n,
        "depart_delay_s": float(waited) / n,
        "stopped_s": float(trips.stopped[inserted].sum()) / n,
        "stops": float(trips.stops[inserted].sum()) / n,
        "speed_mps": distance / duration if duration > 0 else None,
        "throughput_vph": float(arrived.sum()) / (end - begin - warm_up) * 3600.0,
        "queue_mean_veh": float(queue.mean()) if queue.size else None,
        "queue_max_veh": float(queue.max()) if queue.size else None,
        "queue_p95_veh": float(np.percentile(queue, 95)) if queue.size else None,
        "loaded": n + (counts.dropped or 0),
        "arrived": int(arrived.sum()),
        "running": running,
        "waiting": int((kept & ~trips.inserted).sum()),
        "lost": lost,
        "before_begin": counts.before_begin,
        "teleports": counts.teleports,
        "collisions": counts.collisions,
        "emergency_brakings": counts.emergency_brakings,
        "fallbacks": counts.fallbacks,
        "walkers": len(trips.pedestrian_wait) or None,
        "walk_wait_s": float(trips.pedestrian_wait.mean()) if len(trips.pedestrian_wait) else None,
        "walk_wait_max_s": float(trips.pedestrian_wait.max()) if len(trips.pedestrian_wait) else None,
        "co2_kg": counts.co2_kg,
        "fuel_kg": counts.fuel_kg,
    }


def accounts_add_up(values: Mapping[str, Value]) -> bool:
    """Whether loaded = arrived + running + waiting + lost; true where the lost vehicles are not known."""
    if values["lost"] is None:
        return True
    return values["loaded"] == sum(values[part] or 0 for part in ("arrived", "running", "waiting", "lost"))
